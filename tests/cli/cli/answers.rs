//! Successful commands: each works, answers in JSON too, and reports when nothing was changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::desk::{Desk, id_of, program, ran};

#[test]
fn every_command_has_help_with_example() {
    let commands = [
        "init",
        "policy show",
        "plan show",
        "plan set",
        "settings show",
        "settings set",
        "user show",
        "user name",
        "user suspend",
        "user restore",
        "owner transfer",
        "key transfer",
        "account create",
        "account show",
        "account list",
        "account edit",
        "account disable",
        "account enable",
        "account delete",
        "abilities",
        "key generate",
        "key list",
        "key show",
        "key find",
        "key edit",
        "key rename",
        "key disable",
        "key enable",
        "key rotate",
        "key finish-rotation",
        "key revoke",
        "key delete",
        "tenant list",
        "sweep",
        "verify",
        "leak report",
        "events",
        "transfer",
        "check",
        "compact",
    ];
    for command in commands {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let help = ran(Command::new(program()).args(words));
        let example = format!("keywright --store keys.db {command}");
        assert!(help.code == 0 && help.out.contains(&example), "{command}: {}", help.out);
    }
}

#[test]
fn commands_of_the_guide_are_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_dir(root.join("src/guide")).expect("the guide");
    let pages = guide.map(|page| page.expect("a page").path()).chain([root.join("README.md")]);
    let mut tried = 0;
    for page in pages {
        let text = fs::read_to_string(page).expect("text");
        let starts = ["keywright --store ", "--features cli -- --store "];
        for line in text.lines() {
            let Some(start) = starts.iter().find_map(|start| line.find(start)) else { continue };
            let command = &line[start + line[start..].find("--store").expect("just found")..];
            let end = command.find(['`', '|', '>']).unwrap_or(command.len());
            let command = &command[..end];
            // Arguments in front of `--help` are parsed, and a wrong one is an error.
            let words: Vec<_> = command.split('"').enumerate().flat_map(words).collect();
            let help = ran(Command::new(program()).args(words).arg("--help"));
            assert_eq!(help.code, 0, "{command}: {}", help.err);
            tried += 1;
        }
    }
    assert!(tried > 10, "only {tried} commands were found");
    let wrong = ran(Command::new(program()).args(["key", "list", "--unused", "30d", "--help"]));
    assert_eq!(wrong.code, 2);
}

/// Returns the words of a part of a command. Every second part was in quotes and is one word.
fn words((number, part): (usize, &str)) -> Vec<&str> {
    if number % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
}

#[test]
fn every_command_has_json_output() {
    let desk = Desk::open();
    let account = desk.json(&["account", "create", "nightly", "--role", "analyst"]);
    let account = account["account"]["id"].as_str().expect("an id").to_owned();
    let issued =
        desk.json(&["key", "generate", "prod-app", "--owner", &format!("account:{account}")]);
    let (token, key) = (issued["token"].as_str().expect("a token"), &issued["key"]);
    let id = key["id"].as_str().expect("an id");
    assert_eq!(id, id_of(token));
    let verified = desk.verify(token, &["--output", "json"]);
    let verified: Value = serde_json::from_str(&verified.out).expect("JSON");
    assert_eq!(
        (&verified["accepted"], &verified["key"]["id"], &verified["account"]["id"]),
        (&true.into(), &id.into(), &account.as_str().into())
    );
    // Each command, a place in its JSON answer, and the expected value there.
    let each: [(&[&str], &str, Value); 29] = [
        (&["plan", "show"], "/roles/analyst/scopes/0", "invoices:read".into()),
        (&["plan", "set", "--max-keys-per-user", "20"], "/plan/max_keys_per_user", 20.into()),
        (&["settings", "set", "--max-overlap", "2d"], "/settings/max_overlap", 172_800.into()),
        (&["settings", "show"], "/max_overlap", 172_800.into()),
        (&["policy", "show"], "/in_force/max_overlap/source", "setting".into()),
        (&["user", "name", "alice", "Alice Jones"], "/user/display_name", "Alice Jones".into()),
        (&["user", "suspend", "alice"], "/user/suspended", true.into()),
        (&["user", "show", "alice"], "/suspended", true.into()),
        (&["user", "restore", "alice"], "/user/suspended", false.into()),
        (&["owner", "transfer", "user:alice", "organization"], "/keys", Value::Array(Vec::new())),
        (&["key", "show", id], "/owner_name", "nightly".into()),
        (&["account", "list"], "/items/0/account/id", account.as_str().into()),
        (&["account", "show", &account], "/live_keys", 1.into()),
        (&["account", "show", &account], "/keys/0/key/id", id.into()),
        (&["account", "edit", &account, "--name", "daily"], "/account/name", "daily".into()),
        (&["account", "disable", &account], "/account/enabled", false.into()),
        (&["key", "show", id], "/refused_because", "account_disabled".into()),
        (&["account", "enable", &account], "/account/enabled", true.into()),
        (&["key", "list"], "/items/0/uses", 1.into()),
        (&["key", "rename", id, "prod-b"], "/key/name", "prod-b".into()),
        (&["key", "disable", id], "/key/disabled", true.into()),
        (&["key", "enable", id], "/key/disabled", false.into()),
        (&["key", "rotate", id, "--overlap", "1d"], "/key/secret_number", 2.into()),
        (&["key", "show", id], "/overlap/safe_to_finish", false.into()),
        (&["key", "finish-rotation", id], "/key/overlap_ends_at", Value::Null),
        (&["key", "revoke", id], "/results/0/unchanged", false.into()),
        (&["events", "--key", id], "/items/0/kind", "key.revoke".into()),
        (&["key", "delete", id], "/deleted", id.into()),
        (&["account", "delete", &account], "/deleted", account.as_str().into()),
    ];
    for (args, place, expected) in each {
        assert_eq!(desk.json(args).pointer(place), Some(&expected), "{args:?} {place}");
    }
}

#[test]
fn unchanged_state_is_reported_as_success() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app"]);
    let account = desk.done(&["account", "create", "nightly", "--role", "analyst"]);
    let account = account.trim_end();
    let twice: [(&[&str], &str); 14] = [
        (&["plan", "set", "--max-rate", "9/1s"], "unchanged: the plan had these values"),
        (&["settings", "set", "--retention", "9d"], "unchanged: the settings had these values"),
        (&["user", "suspend", "alice"], "already suspended"),
        (&["user", "restore", "alice"], "not suspended"),
        (&["key", "transfer", &id, "organization"], "already of organization"),
        (&["account", "edit", account, "--access", "read-only"], "unchanged"),
        (&["account", "disable", account], "already disabled"),
        (&["account", "enable", account], "already enabled"),
        (&["key", "rename", &id, "prod-app"], "already named prod-app"),
        (&["key", "disable", &id], "already disabled"),
        (&["key", "enable", &id], "already enabled"),
        (&["key", "rotate", &id, "--overlap", "1d"], ""),
        (&["key", "finish-rotation", &id], "already finished"),
        (&["key", "revoke", &id], "already revoked"),
    ];
    for (args, said) in twice {
        let first = desk.done(args);
        if said.is_empty() {
            continue;
        }
        assert!(!first.contains("unchanged"), "{args:?}: {first}");
        let again = desk.done(args);
        assert!(again.contains(said), "{args:?}: {again}");
        if args[1] != "revoke" {
            assert_eq!(desk.json(args)["unchanged"], true, "{args:?}");
        }
    }
}

#[test]
fn show_repeats_what_was_set() {
    let desk = Desk::bare();
    desk.done(&["init", "--reads", "invoices:read reports:read", "--writes", "jobs:run"]);
    desk.done(&["settings", "set", "--api-enabled", "default"]);
    let plan = [
        ("api-access", "off", "on"),
        ("default-scopes", "invoices:read", "none"),
        ("max-rate", "100/60s", "none"),
        ("max-keys-per-user", "30", "1000"),
        ("max-keys-per-account", "5", "none"),
        ("max-keys-of-organization", "7", "none"),
        ("require-expiry", "on", "off"),
        ("max-lifetime", "365d", "none"),
        ("max-overlap", "30d", "90d"),
        ("name-pattern", "prod,staging", "none"),
        ("min-alert-period", "5m", "1m"),
        ("max-retention", "400d", "none"),
        ("min-event-retention", "36h", "1d"),
        ("max-event-retention", "500d", "none"),
        ("role", "analyst=invoices:read reports:read", ""),
        ("scope-description", "jobs:run=Runs jobs", ""),
        ("role-description", "analyst=Reads for reports", ""),
    ];
    repeats(&desk, "plan", &plan);
    let settings = [
        ("api-enabled", "on", "default"),
        ("require-expiry", "on", "default"),
        ("default-lifetime", "36h", "default"),
        ("max-lifetime", "90d", "default"),
        ("max-keys-per-user", "3", "default"),
        ("max-overlap", "30m", "default"),
        ("name-pattern", "any", "default"),
        ("default-rate", "100/60s", "default"),
        ("extensive-use", "1000/3600s", "default"),
        ("suspicious-use", "20/300s", "default"),
        ("retention", "45s", "default"),
        ("event-retention", "37h", "default"),
    ];
    repeats(&desk, "settings", &settings);
    let back = settings.iter().flat_map(|(name, _, _)| [format!("--{name}"), "default".to_owned()]);
    let back: Vec<_> = ["settings", "set"].map(str::to_owned).into_iter().chain(back).collect();
    desk.done(&back.iter().map(String::as_str).collect::<Vec<_>>());
    let shown = desk.done(&["settings", "show"]);
    assert_eq!(shown.lines().filter(|line| line.ends_with(" default")).count(), settings.len());
    let removed = desk.done(&["plan", "set", "--remove-role", "analyst"]);
    assert!(removed.contains("removed") && removed.contains("role analyst"), "{removed}");
    let policy = desk.done(&["policy", "show"]);
    assert!(policy.contains("10 (default)") && policy.contains("365d (plan)"), "{policy}");
}

/// Asserts that `show` prints the last value of each row before its option is set, and the middle one
/// afterwards.
#[track_caller]
fn repeats(desk: &Desk, command: &str, rows: &[(&str, &str, &str)]) {
    let shown = || -> Vec<(String, String)> {
        let shown = desk.done(&[command, "show"]);
        let row =
            |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.trim().to_owned()));
        shown.lines().filter_map(row).collect()
    };
    let before = shown();
    let args = rows.iter().flat_map(|(name, value, _)| [format!("--{name}"), (*value).to_owned()]);
    let args: Vec<_> = [command, "set"].map(str::to_owned).into_iter().chain(args).collect();
    desk.done(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let after = shown();
    for (name, value, initial) in rows {
        let row = |rows: &[(String, String)]| {
            let found = rows.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!((row(&before).as_str(), row(&after).as_str()), (*initial, *value), "{name}");
    }
}
