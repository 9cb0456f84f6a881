//! The commands on PostgreSQL, from an empty database on.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use common::transfer::Place;

/// A schema of its own, and the program that works on it.
struct Desk {
    place: Place,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn run(&self, args: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keywright-under-test"));
        command.args(["--schema", self.place.schema.as_str(), "--yes"]).args(args);
        // The variable may have a password, which an argument may not.
        command.env("KEYWRIGHT_STORE", self.place.url());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A command that reads nothing may have ended already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("it exits");
        Ran { code, out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[&["--output", "json"], args].concat(), "");
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).expect("JSON")
    }
}

#[common::test(postgres)]
fn database_has_the_commands_of_a_file() {
    let desk = Desk { place: Place::new() };
    let unprepared = desk.run(&["key", "list"], "");
    assert_eq!(unprepared.code, 4, "{}", unprepared.err);
    assert!(unprepared.err.contains("keywright init"), "{}", unprepared.err);

    let first = ["init", "--reads", "invoices:read", "--role", "analyst=invoices:read"];
    let made = desk.json(&[&first[..], &["--key", "prod-main-app"]].concat());
    let token = made["token"].as_str().expect("a token").to_owned();
    let id = made["key"]["id"].as_str().expect("an id").to_owned();
    let verified = desk.run(&["verify", "--scope", "invoices:read"], &token);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert_eq!(desk.json(&["key", "show", &id])["uses"], 1);
    assert_eq!(desk.json(&["key", "list"])["items"][0]["key"]["id"], json!(id));

    let rotated = desk.json(&["key", "rotate", &id, "--overlap", "1d"]);
    assert_eq!(rotated["key"]["secret_number"], 2);
    assert_eq!(desk.run(&["verify"], &token).code, 0, "the overlap lasts");
    desk.json(&["key", "finish-rotation", &id]);
    assert_eq!(desk.run(&["verify"], &token).code, 1);

    let account = desk.json(&["account", "create", "nightly", "--role", "analyst"]);
    let account = account["account"]["id"].as_str().expect("an id").to_owned();
    desk.json(&["key", "transfer", &id, &format!("account:{account}")]);
    assert_eq!(desk.json(&["settings", "set", "--max-overlap", "2d"])["unchanged"], false);
    assert_eq!(desk.json(&["plan", "set", "--max-rate", "9/1s"])["plan"]["max_rate"], "9/1s");
    assert_eq!(desk.json(&["tenant", "list"])["items"][0]["tenant"], "default");
    assert_eq!(desk.json(&["key", "find", &id])["key"]["tenant"], "default");
    desk.json(&["key", "revoke", &id, "--all-tenants"]);
    desk.json(&["sweep", "--all-tenants"]);
    assert_eq!(desk.json(&["events", "--key", &id])["items"][0]["kind"], "key.revoke");
    desk.json(&["account", "delete", &account]);
    assert_eq!(desk.run(&["account", "show", &account], "").code, 3);
}

#[common::test(postgres)]
fn file_commands_name_their_store() {
    let desk = Desk { place: Place::new() };
    desk.json(&["init"]);
    for command in [&["check"][..], &["compact"], &["transfer", "--to", "postgres://db/app"]] {
        let refused = desk.run(&[&["--output", "json"], command].concat(), "");
        let error: Value = serde_json::from_str(&refused.err).expect("JSON");
        assert_eq!((refused.code, &error["error"]), (2, &json!("unsupported_here")), "{error}");
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains("does not work on PostgreSQL; it works on a file"), "{message}");
    }
}

#[common::test(postgres)]
fn transferred_file_is_told_from_a_store() {
    let desk = Desk { place: Place::new() };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.db");
    let file = file.to_str().expect("a path");
    let made = desk.json(&["--store", file, "init", "--reads", "invoices:read", "--key", "prod-a"]);
    let token = made["token"].as_str().expect("a token").to_owned();
    let url = desk.place.url();
    let moved = desk.json(&["--store", file, "transfer", "--to", &url]);
    assert_eq!((&moved["keys"], &moved["schema"]), (&json!(1), &json!(desk.place.schema.as_str())));
    assert_eq!(desk.run(&["verify"], &token).code, 0, "the token works in the database");
    let refused = desk.run(&["--store", file, "key", "list"], "");
    assert_eq!(refused.code, 4, "{}", refused.err);
    let again = desk.run(&["--store", file, "transfer", "--to", &url], "");
    assert!(
        again.code == 1 && again.err.contains("the schema holds keys already"),
        "{}",
        again.err
    );
}
