//! A server as a process in a temporary folder, which is removed with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::printed::{Line, lines};

/// The servers that speak HTTP/1.1, with the same routes for invoices.
pub(crate) const WEB: [&str; 2] = ["axum_server", "actix_server"];
pub(crate) const ALL: [&str; 3] = ["axum_server", "actix_server", "tonic_server"];

/// A folder with a store file, which several servers can use one after the other.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Kept open while the server runs, because the server may still print.
    _stdout: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// The text that the server printed at its start.
    pub(crate) printed: String,
    place: Option<Place>,
    log: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("keys.db")
    }

    /// Starts a server with this store.
    pub(crate) fn start(&self, example: &str) -> Server {
        let store = self.store();
        Server::start(self.command(example).arg("--store").arg(store), self)
    }

    /// Creates the command of a server that has its temporary folder here.
    pub(crate) fn command(&self, example: &str) -> Command {
        let mut command = Command::new(binary(example));
        command.env("TMPDIR", self.folder.path()).stdin(Stdio::null());
        command
    }
}

impl Server {
    /// Starts a server with a new store.
    pub(crate) fn new(example: &str) -> Self {
        let place = Place::new();
        let mut server = place.start(example);
        server.place = Some(place);
        server
    }

    pub(crate) fn start(command: &mut Command, place: &Place) -> Self {
        let log = place.folder.path().join("log");
        let stderr = File::create(&log).expect("a file for standard error");
        let piped = command.stdout(Stdio::piped()).stderr(stderr);
        let mut child = piped.spawn().expect("the server starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut printed = String::new();
        while !printed.ends_with("Ctrl-C ends the server.\n") {
            if stdout.read_line(&mut printed).expect("it prints text") == 0 {
                let status = child.wait().expect("it has ended");
                panic!("{status}: {}", fs::read_to_string(&log).unwrap_or_default());
            }
        }
        let first = printed.lines().next().expect("a line");
        let address = first.strip_prefix("listening on http://").expect("the address comes first");
        let address = address.parse().expect("an address");
        Self { child, _stdout: stdout, address, printed, place: None, log }
    }

    /// Returns the commands that the server printed.
    pub(crate) fn lines(&self) -> Vec<Line> {
        lines(&self.printed)
    }

    /// Returns the tokens that the server printed: read, write, read-only.
    pub(crate) fn tokens(&self) -> [String; 3] {
        let of = |words: &str| {
            let line = self.lines().into_iter().find(|line| line.what.contains(words));
            line.and_then(|line| line.token()).unwrap_or_else(|| panic!("no line for {words:?}"))
        };
        [of("key for reading"), of("key for both"), of("account's key")]
    }

    /// Returns the text on standard error until now.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Stops the server with SIGTERM and returns its place.
    #[cfg(unix)]
    pub(crate) fn stop(self) -> Option<Place> {
        let (status, place) = self.stop_by("TERM");
        assert_eq!(status.code(), Some(0), "{status}");
        place
    }

    #[cfg(unix)]
    pub(crate) fn stop_by(mut self, signal: &str) -> (ExitStatus, Option<Place>) {
        self.tell(signal);
        (self.child.wait().expect("it ends"), self.place.take())
    }

    #[cfg(unix)]
    fn tell(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let told = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(told.success(), "{kill}");
    }
}

/// Stops the server after a failed test too.
impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a server that fails to start and returns its exit code, standard output and standard error.
pub(crate) fn failed(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.stdin(Stdio::null()).output().expect("the server starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it writes UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Returns the path of the program.
fn binary(example: &str) -> &'static str {
    match example {
        "axum_server" => env!("CARGO_BIN_EXE_axum_server"),
        "actix_server" => env!("CARGO_BIN_EXE_actix_server"),
        "tonic_server" => env!("CARGO_BIN_EXE_tonic_server"),
        other => panic!("there is no server {other}"),
    }
}
