//! `scan` finds tokens in files and folders, and prints none.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::desk::{Desk, Ran, id_of, in_no_environment, program, ran};

/// A folder with files, and a token for them.
struct Files {
    desk: Desk,
    token: String,
    id: String,
}

impl Files {
    fn new() -> Self {
        let desk = Desk::open();
        let (token, id) = desk.generate(&["prod-main-app", "--prefix", "acme_live"]);
        Self { desk, token, id }
    }

    fn folder(&self) -> &Path {
        self.desk.folder.path()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder().join("files").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs::write(path, text).expect("a new file");
    }

    /// Runs the search in the folder.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.folder()).arg("scan").args(args);
        in_no_environment(&mut command);
        command
    }

    fn scan(&self, args: &[&str]) -> Ran {
        let ran = ran(&mut self.command(args));
        let secret = &self.token[self.token.len() - 38..];
        for part in secret.as_bytes().windows(8).map(String::from_utf8_lossy) {
            assert!(!ran.out.contains(&*part) && !ran.err.contains(&*part), "{ran:?}");
        }
        ran
    }
}

#[test]
fn b11_command_finds_tokens_in_folders() {
    let files = Files::new();
    let (token, id) = (&files.token, &files.id);
    files.write("b/deep/config.env", format!("# keys\n\nKEY=\"{token}\"\n"));
    files.write("a.bin", [b"\0\xFF".as_slice(), token.as_bytes(), b"\0"].concat());
    files.write("c.txt", format!("{token} {token}\r\n"));
    files.write("clean.txt", format!("{}\n", &token[1..].replace('_', "-")));
    files.write(".git/config", token);
    files.write(".hidden/key", token);
    #[cfg(unix)]
    for (link, to) in
        [("files/link", "../elsewhere.txt"), ("files/loop", "."), ("named", "files/b")]
    {
        fs::write(files.folder().join("elsewhere.txt"), token).expect("a new file");
        std::os::unix::fs::symlink(to, files.folder().join(link)).expect("a new link");
    }
    let found = files.scan(&["files"]);
    let lines = [
        format!("files/.hidden/key:1:1: acme_live_{id}"),
        format!("files/a.bin:1:3: acme_live_{id}"),
        format!("files/b/deep/config.env:3:6: acme_live_{id}"),
        format!("files/c.txt:1:1: acme_live_{id}"),
        format!("files/c.txt:1:66: acme_live_{id}"),
    ];
    assert_eq!(found.out.lines().collect::<Vec<_>>(), lines);
    assert_eq!((found.code, &*found.err), (1, "keywright: 5 tokens were found\n"));
    #[cfg(unix)]
    assert_eq!(files.scan(&["named"]).out, format!("named/deep/config.env:3:6: acme_live_{id}\n"));
    let found = files.scan(&["files/a.bin", "files/clean.txt"]);
    assert_eq!((found.code, &*found.err), (1, "keywright: 1 token was found\n"));
    let clean = files.scan(&["files/clean.txt"]);
    assert_eq!((clean.code, &*clean.out, &*clean.err), (0, "", ""));
}

#[test]
fn b11_command_finds_tokens_in_long_input() {
    let files = Files::new();
    for before in [0, 65_500, 65_535, 65_536, 200_000] {
        let text = format!("one\n{}\n  {}\n", "x y ".repeat(before / 4), files.token);
        let mut command = files.command(&["-"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the tool starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(text.as_bytes()).expect("the tool reads");
        drop(stdin);
        let found = Ran::from(child.wait_with_output().expect("the tool ends"));
        assert_eq!(found.out, format!("-:3:3: acme_live_{}\n", files.id));
    }
}

#[test]
fn prefixes_narrow_the_search() {
    let files = Files::new();
    let (test, _) = files.desk.generate(&["test-main-app", "--prefix", "acme_test"]);
    let (other, _) = files.desk.generate(&["prod-other-app"]);
    files.write("all", format!("{}\n{test}\n{other}\n", files.token));
    let count = |args: &[&str]| files.scan(args).out.lines().count();
    assert_eq!(count(&["files"]), 3);
    assert_eq!(count(&["files", "--prefix", "acme_live"]), 1);
    assert_eq!(count(&["files", "--prefix", "acme_live", "--prefix", "acme_test"]), 2);
    let none = files.scan(&["files", "--prefix", "beta"]);
    assert_eq!((none.code, &*none.out), (0, ""));
}

#[test]
fn search_has_json_and_csv() {
    let files = Files::new();
    files.write("one", format!("{} {}", files.token, files.token));
    let (id, place) = (&files.id, |column| {
        serde_json::json!({
            "path": "files/one", "line": 1, "column": column, "prefix": "acme_live", "key_id": files.id,
        })
    });
    let json = files.scan(&["--output", "json", "files"]);
    let read: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(read, serde_json::json!({ "items": [place(1), place(66)] }));
    let error: serde_json::Value = serde_json::from_str(&json.err).expect("JSON");
    assert_eq!((json.code, &error["error"]), (1, &"tokens_found".into()));
    let csv = files.scan(&["--output", "csv", "files"]);
    let rows = format!("files/one,1,1,acme_live,{id}\nfiles/one,1,66,acme_live,{id}\n");
    assert_eq!(csv.out, format!("path,line,column,prefix,key_id\n{rows}"));
    fs::remove_file(files.folder().join("files/one")).expect("the file");
    let json = files.scan(&["--output", "json", "files"]);
    assert_eq!((json.code, &*json.out, &*json.err), (0, "{\"items\":[]}\n", ""));
}

#[test]
fn unreadable_file_is_no_clean_search() {
    let files = Files::new();
    files.write("one", "no token");
    let missing = files.scan(&["files/missing", "files/one"]);
    assert_eq!((missing.code, &*missing.out), (4, ""));
    assert!(missing.err.contains("cannot read files/missing"), "{missing:?}");
    assert!(missing.err.contains("1 file or folder could not be read"), "{missing:?}");
    files.write("two", &files.token);
    let both = files.scan(&["files/missing", "files"]);
    assert_eq!((both.code, both.out.lines().count()), (1, 1));
    assert!(both.err.contains("1 token was found, and 1 file or folder"), "{both:?}");
}

#[test]
fn rules_are_printed_for_prefixes() {
    let files = Files::new();
    let rules = files.scan(&["--rules", "gitleaks", "--prefix", "acme_live", "--prefix", "key"]);
    assert_eq!(rules.code, 0, "{rules:?}");
    assert_eq!(rules.out.matches("[[rules]]").count(), 2, "{rules:?}");
    let regex = files.scan(&["--rules", "regex", "--prefix", "acme_live"]);
    assert_eq!(regex.out, "acme_live_[0-9A-Za-z]{48}[0-4][0-9A-Za-z]{5}\n");
    for wrong in [&["--rules", "gitleaks"][..], &["--rules", "none", "--prefix", "a"]] {
        assert_eq!(files.scan(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(files.scan(&["--rules", "regex", "--prefix", "a", "files"]).code, 2);
    assert_eq!(id_of(&files.token), files.id);
}
