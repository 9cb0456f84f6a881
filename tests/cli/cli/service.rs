//! The commands over HTTP, against the management API of a running service.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use keywright::http::management;
use keywright::store::MemoryStore;
use keywright::{Actor, Keywright, Operator, Policy, UserId};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::{NO_KEY, READS, Ran, WRITES, error_of, id_of, in_no_environment, program, ran};

pub(crate) const LOGIN: &str = "login-of-carol-4711";

/// A service, and the program that works on it.
pub(crate) struct Desk {
    address: SocketAddr,
    pub(crate) folder: TempDir,
}

/// The login of the service: carol is an administrator and an operator, everyone else is refused.
async fn login(mut request: Request, next: Next) -> Response {
    if !is_known(&request) {
        return (StatusCode::UNAUTHORIZED, "log in first").into_response();
    }
    let carol = UserId::new("carol").expect("an id");
    request.extensions_mut().insert(Actor::administrator(carol.clone()));
    request.extensions_mut().insert(Operator::new(carol));
    next.run(request).await
}

fn is_known(request: &Request) -> bool {
    let is =
        |name: &str, text: &str| request.headers().get(name).is_some_and(|found| found == text);
    is("authorization", &format!("Bearer {LOGIN}")) || is("x-staff", LOGIN)
}

/// Returns a service with an empty store.
pub(crate) fn app() -> Router {
    let policy = Policy::allowing(READS.parse().expect("scopes"), WRITES.parse().expect("scopes"));
    let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build();
    let authority = keywright.expect("a setup").authority();
    Router::new()
        .nest("/keys-api", management::router(authority.clone()))
        .nest("/staff/keys", management::operator_router(authority))
        .route("/page", any(async || "<html>welcome</html>"))
        .route("/moved/keys", any(async || (StatusCode::FOUND, [("location", "/keys-api/keys")])))
        .layer(from_fn(login))
}

impl Desk {
    pub(crate) fn open() -> Self {
        Self::at("127.0.0.1:0")
    }

    /// Opens a desk whose service listens at this address.
    pub(crate) fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a setting");
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, app()).await.expect("it serves");
            });
        });
        Self { address, folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        in_no_environment(&mut command);
        command.args(["--store", &self.url("/keys-api")]);
        command.args(["--operator-store", &self.url("/staff/keys/"), "--yes"]).args(args);
        command.env("KEYWRIGHT_LOGIN", LOGIN);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[&["--output", "json"], args].concat());
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        serde_json::from_str(&ran.out).expect("JSON")
    }
}

#[test]
fn service_has_the_commands_of_a_file() {
    let desk = Desk::open();
    let made = desk.run(&["key", "generate", "prod-main-app", "--scopes", READS]);
    assert_eq!(made.code, 0, "{made:?}");
    let id = id_of(made.out.trim_end());
    assert_eq!(desk.json(&["key", "list", "--all"])["items"][0]["key"]["id"], json!(id));
    assert!(desk.run(&["key", "show", &id]).out.contains("prod-main-app"));
    assert_eq!(desk.json(&["key", "rotate", &id, "--overlap", "1d"])["key"]["secret_number"], 2);
    assert_eq!(desk.json(&["key", "finish-rotation", &id])["unchanged"], false);
    assert_eq!(desk.json(&["key", "rename", &id, "prod-b"])["key"]["name"], "prod-b");
    assert_eq!(desk.json(&["key", "edit", &id, "--rate", "5/60s"])["key"]["rate"], "5/60s");
    assert_eq!(desk.json(&["key", "disable", &id])["key"]["disabled"], true);
    assert_eq!(desk.json(&["key", "enable", &id])["key"]["disabled"], false);

    let role = ["plan", "set", "--role", "analyst=invoices:read", "--max-rate", "9/1s"];
    assert_eq!(desk.json(&role)["plan"]["roles"]["analyst"]["scopes"], json!([READS]));
    assert_eq!(desk.json(&["settings", "set", "--max-overlap", "2d"])["unchanged"], false);
    assert_eq!(desk.json(&["policy", "show"])["in_force"]["max_overlap"]["source"], "setting");
    let account = desk.json(&["account", "create", "nightly", "--role", "analyst"]);
    let account = account["account"]["id"].as_str().expect("an id").to_owned();
    let owner = format!("account:{account}");
    assert_eq!(desk.json(&["key", "transfer", &id, &owner])["key"]["owner"], json!(owner));
    assert_eq!(desk.json(&["account", "show", &account])["live_keys"], 1);
    desk.json(&["account", "disable", &account]);
    desk.json(&["user", "name", "alice/1", "Alice Jones"]);
    assert_eq!(desk.json(&["user", "show", "alice/1"])["display_name"], "Alice Jones");
    assert_eq!(desk.json(&["abilities"])["owner"], "user:carol");
    assert_eq!(desk.json(&["events", "--key", &id])["items"][0]["kind"], "key.transfer");

    assert_eq!(desk.json(&["tenant", "list"])["items"][0]["live_keys"], 1);
    assert_eq!(desk.json(&["key", "find", &id])["key"]["id"], json!(id));
    let revoked = desk.run(&["--output", "json", "key", "revoke", &id, NO_KEY, "--all-tenants"]);
    assert_eq!((revoked.code, error_of(&revoked).0.as_str()), (5, "partly_refused"));
    assert_eq!(desk.json(&["sweep", "--all-tenants"])["results"][0]["tenant"], "default");
    desk.json(&["key", "delete", &id]);
    assert_eq!(desk.run(&["key", "show", &id]).code, 3);
}

#[test]
fn login_comes_from_file_environment_or_input() {
    let desk = Desk::open();
    let file = desk.folder.path().join("login");
    fs::write(&file, format!("{LOGIN}\n")).expect("a file");
    let path = file.to_str().expect("a path");
    let without = |args: &[&str]| {
        let mut command = desk.command(args);
        command.env_remove("KEYWRIGHT_LOGIN");
        command
    };
    assert_eq!(ran(&mut without(&["key", "list", "--login-file", path])).code, 0);
    let header = ["key", "list", "--login-file", path, "--login-header", "X-Staff"];
    assert_eq!(ran(&mut without(&header)).code, 0);
    let mut piped = without(&["key", "list", "--login-file", "-"]);
    assert_eq!(ran(piped.stdin(fs::File::open(&file).expect("the file"))).code, 0);
    let missing = ran(&mut without(&["key", "list"]));
    assert!(missing.code == 2 && missing.err.contains("KEYWRIGHT_LOGIN"), "{missing:?}");
    let wrong = ran(desk.command(&["-o", "json", "key", "list"]).env("KEYWRIGHT_LOGIN", "guess"));
    let (code, message) = error_of(&wrong);
    assert_eq!((wrong.code, code.as_str()), (1, "login_required"), "{message}");
    assert!(!wrong.err.contains("guess"), "{wrong:?}");
    let absent = ran(&mut without(&["key", "list", "--login-file", "/nowhere/login"]));
    assert_eq!(absent.code, 4, "{absent:?}");
}

#[test]
fn service_refuses_commands_of_a_store() {
    let desk = Desk::open();
    let commands: [&[&str]; 6] = [
        &["verify"],
        &["check"],
        &["compact"],
        &["init"],
        &["sweep"],
        &["transfer", "--to", "postgres://db/app"],
    ];
    for args in commands {
        let refused = desk.run(&[&["--output", "json"], args].concat());
        let (code, message) = error_of(&refused);
        assert_eq!((refused.code, code.as_str()), (2, "unsupported_here"), "{args:?}");
        assert!(message.contains("does not work on a service; it works on "), "{message}");
    }
    let options: [&[&str]; 5] = [
        &["--tenant", "acme"],
        &["--as", "ada:developer"],
        &["--prefix", "acme_live"],
        &["--schema", "keys"],
        &["--danger-allow-shared-files"],
    ];
    for option in options {
        let refused = desk.run(&[option, &["key", "list"]].concat());
        assert!(refused.code == 2 && refused.err.contains(option[0]), "{refused:?}");
    }
}

#[test]
fn all_tenants_need_the_operators_address() {
    let desk = Desk::open();
    let commands: [&[&str]; 5] = [
        &["tenant", "list"],
        &["key", "list", "--all-tenants"],
        &["key", "find", NO_KEY],
        &["key", "revoke", "--owner", "user:carol", "--all-tenants"],
        &["sweep", "--all-tenants"],
    ];
    let id = id_of(desk.run(&["key", "generate", "prod-a"]).out.trim_end());
    for args in commands {
        let mut command = Command::new(program());
        in_no_environment(&mut command);
        command.args(["--store", &desk.url("/keys-api"), "--yes"]).args(args);
        let refused = ran(command.env("KEYWRIGHT_LOGIN", LOGIN));
        assert!(refused.code == 2 && refused.err.contains("--operator-store"), "{refused:?}");
    }
    assert_eq!(desk.json(&["key", "show", &id])["status"], "active");
}

#[test]
fn wrong_address_is_unavailable() {
    let desk = Desk::open();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let addresses = [
        (desk.url("/page"), "is not the management API"),
        (desk.url("/absent"), "is not the management API"),
        (desk.url("/moved"), "is not the management API"),
        (format!("http://{free}/keys-api"), "cannot reach"),
    ];
    for (address, said) in addresses {
        let failed = desk.run(&["--output", "json", "--store", &address, "key", "disable", NO_KEY]);
        let (code, message) = error_of(&failed);
        assert_eq!((failed.code, code.as_str()), (4, "unavailable"), "{address}: {message}");
        assert!(message.contains(said), "{address}: {message}");
        assert!(!message.contains("may have been made"), "{message}");
    }
}

#[test]
fn lost_answer_leaves_the_change_open() {
    let desk = Desk::open();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut buffer = [0; 1_024];
            let _ = std::io::Read::read(&mut &stream, &mut buffer);
        }
    });
    let url = format!("http://{address}/keys-api");
    let lost = desk.run(&["--store", &url, "key", "disable", NO_KEY]);
    assert!(lost.code == 4 && lost.err.contains("the change may have been made"), "{lost:?}");
    let read = desk.run(&["--store", &url, "key", "show", NO_KEY]);
    assert!(read.code == 4 && !read.err.contains("may have been made"), "{read:?}");
}

#[test]
fn half_an_answer_leaves_the_change_open() {
    let desk = Desk::open();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 1_024];
            let _ = std::io::Read::read(&mut stream, &mut buffer);
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n";
            let _ = std::io::Write::write_all(&mut stream, format!("{head}\r\n{{").as_bytes());
        }
    });
    let url = format!("http://{address}/keys-api");
    let lost = desk.run(&["--store", &url, "key", "disable", NO_KEY]);
    assert!(lost.code == 4 && lost.err.contains("the change may have been made"), "{lost:?}");
    let read = desk.run(&["--store", &url, "key", "show", NO_KEY]);
    assert!(read.code == 4 && !read.err.contains("may have been made"), "{read:?}");
}
