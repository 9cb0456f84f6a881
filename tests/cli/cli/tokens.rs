//! Tokens: the commands that print one, the command that reads one, and the outputs that hide them.

use std::fs;

use crate::desk::{Desk, READS, error_of, id_of, ran};

#[test]
fn new_store_needs_init_and_key() {
    let desk = Desk::bare();
    desk.done(&["init", "--reads", READS]);
    let (token, id) = desk.generate(&["prod-main-app", "--scopes", "invoices:read"]);
    let verified = desk.verify(&format!("{token}\n"), &["--scope", "invoices:read"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    for expected in [&format!("key_{id}"), "prod-main-app", "user:operator", "invoices:read"] {
        assert!(verified.out.contains(expected), "{expected} is missing: {verified:?}");
    }
    assert!(desk.done(&["key", "list"]).contains(&id));
}

#[test]
fn only_the_token_goes_to_stdout() {
    let desk = Desk::open();
    let generated = desk.run(&["--prefix", "acme_live", "key", "generate", "prod-main-app"]);
    let id = id_of(generated.out.trim_end());
    let rotated = desk.run(&["key", "rotate", &id, "--overlap", "1d"]);
    for ran in [&generated, &rotated] {
        let token = ran.out.strip_suffix('\n').expect("a line");
        assert!(token.starts_with(&format!("acme_live_{id}")), "{ran:?}");
        assert_eq!(token.len(), "acme_live_".len() + 54);
        assert!(ran.err.contains(&id) && !ran.err.contains(token), "{ran:?}");
        assert_eq!(desk.verify(token, &[]).code, 0);
    }
}

#[test]
fn f1_command_prints_both_parts() {
    let desk = Desk::open();
    let made = desk.run(&["--prefix", "acme_live", "key", "generate", "prod-main-app", "--parts"]);
    let id = made.out.lines().find_map(|line| line.strip_prefix("key_id=")).expect("an id");
    let rotated = desk.run(&["key", "rotate", id, "--overlap", "1d", "--parts"]);
    for ran in [&made, &rotated] {
        let lines: Vec<_> = ran.out.lines().filter_map(|line| line.split_once('=')).collect();
        let [("token", token), ("key_id", id), ("key_secret", secret)] = lines[..] else {
            panic!("{ran:?}");
        };
        assert_eq!(token, format!("acme_live_{id}{secret}"));
        assert_eq!(desk.verify(token, &[]).code, 0);
        assert!(!ran.err.contains(secret), "{ran:?}");
    }
    let json = desk.json(&["key", "rotate", id]);
    let part = |name: &str| json[name].as_str().expect("a text").to_owned();
    assert_eq!(part("token"), format!("acme_live_{}{}", part("key_id"), part("key_secret")));
}

/// A write to `/dev/full` fails as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn unwritten_token_is_reported_lost() {
    let desk = Desk::open();
    let full = fs::File::options().write(true).open("/dev/full").expect("a device of Linux");
    let mut command = desk.command(&["--output", "json", "key", "generate", "prod-app"]);
    let lost = ran(command.stdout(full));
    let (code, message) = error_of(&lost);
    let id = desk.json(&["key", "list"])["items"][0]["key"]["id"].as_str().map(str::to_owned);
    assert_eq!((lost.code, code.as_str()), (7, "output_failed"));
    assert!(message.contains(&format!("the token of key {} is lost", id.expect("a key"))));
}

#[test]
fn token_prefix_comes_from_option_or_environment() {
    let desk = Desk::open();
    let generate = |args: &[&str], prefix: &str| {
        let args = [&["key", "generate", "a"], args].concat();
        ran(desk.command(&args).env("KEYWRIGHT_PREFIX", prefix))
    };
    assert!(generate(&[], "acme_test").out.starts_with("acme_test_"));
    assert!(generate(&["--prefix", "acme_live"], "acme_test").out.starts_with("acme_live_"));
    assert_eq!(generate(&[], "No Prefix").code, 2);
}

#[test]
fn pepper_ring_is_read_from_files() {
    let desk = Desk::open();
    let pepper = |name: &str, byte: u8, len: usize| {
        let path = desk.folder.path().join(name);
        fs::write(&path, vec![byte; len]).expect("a file");
        path.display().to_string()
    };
    let (first, second) = (pepper("a", 7, 32), pepper("b", 9, 32));
    let (first, second) = (format!("1:{first}"), format!("2:{second}"));
    let (token, _) = desk.generate(&["prod-app", "--pepper-file", &first]);
    assert_eq!(error_of(&desk.verify(&token, &["--output", "json"])).0, "unavailable");
    // The use under both peppers moves the key to the second one, which is then sufficient.
    let ring = ["--pepper-file", &first, "--pepper-file", &second];
    assert_eq!(desk.verify(&token, &ring).code, 0);
    assert_eq!(desk.verify(&token, &["--pepper-file", &second]).code, 0);
    let short = desk.run(&[
        "--output",
        "json",
        "--pepper-file",
        &format!("3:{}", pepper("c", 1, 31)),
        "events",
    ]);
    assert_eq!((short.code, error_of(&short).0.as_str()), (1, "pepper_refused"));
}
