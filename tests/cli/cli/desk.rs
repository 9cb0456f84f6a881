//! The tool as a process on a store file of its own, and the result of a command.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const READS: &str = "invoices:read";
pub(crate) const WRITES: &str = "invoices:write";
pub(crate) const NO_KEY: &str = "0123456789ABCDEF";

/// A temporary store file, and the tool that works on it.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) store: PathBuf,
}

/// The exit code and the output of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    /// Creates a desk without a store file.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { store: folder.path().join("keys.db"), folder }
    }

    /// Creates a desk with a store with API access on, scopes and a role.
    pub(crate) fn open() -> Self {
        let desk = Self::bare();
        let role = "analyst=invoices:read";
        desk.done(&["init", "--reads", READS, "--writes", WRITES, "--role", role]);
        desk
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        let store = ["--store".as_ref(), self.store.as_os_str()];
        command.args(store).args(["--yes"]).args(args);
        in_no_environment(&mut command);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// Runs a command that must succeed, and returns its standard output.
    #[track_caller]
    pub(crate) fn done(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.out
    }

    /// Runs a command with `--json` that must succeed, and returns its answer.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let out = self.done(&[&["--output", "json"], args].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: {error} in {out:?}"))
    }

    pub(crate) fn verify(&self, input: &str, args: &[&str]) -> Ran {
        self.pipe(&[&["verify"], args].concat(), input)
    }

    /// Runs a command with a text as its standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the tool starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).expect("the tool reads");
        drop(stdin);
        Ran::from(child.wait_with_output().expect("the tool ends"))
    }

    /// Generates a key, and returns its token and its id.
    #[track_caller]
    pub(crate) fn generate(&self, args: &[&str]) -> (String, String) {
        let token = self.done(&[&["key", "generate"], args].concat()).trim_end().to_owned();
        let id = id_of(&token);
        (token, id)
    }
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        let code = output.status.code().expect("it exits");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Removes the variables that the program reads, and its input.
pub(crate) fn in_no_environment(command: &mut Command) {
    for name in [
        "COLUMNS",
        "KEYWRIGHT_LOGIN",
        "KEYWRIGHT_OPERATOR_STORE",
        "KEYWRIGHT_PREFIX",
        "KEYWRIGHT_STORE",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    Ran::from(command.output().expect("the tool starts"))
}

/// Returns the id in a token. The secret (32 characters) and the checksum (6) follow it.
pub(crate) fn id_of(token: &str) -> String {
    token[token.len() - 54..token.len() - 38].to_owned()
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_keywright-under-test"))
}

/// Returns the code and the message of the JSON object on standard error.
#[track_caller]
pub(crate) fn error_of(ran: &Ran) -> (String, String) {
    let error: Value = serde_json::from_str(&ran.err).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    let known = ["error", "message", "field", "value", "bound", "missing"];
    let members = error.as_object().expect("an object");
    assert!(members.keys().all(|name| known.contains(&name.as_str())), "{ran:?}");
    let text = |name: &str| error[name].as_str().expect("a text").to_owned();
    (text("error"), text("message"))
}
