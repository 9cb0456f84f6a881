//! Refused commands: the exit code, the reason on standard error, and the unchanged store.

use std::fs;
use std::process::Command;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use serde_json::Value;

use crate::desk::{Desk, NO_KEY, error_of, program, ran};

#[test]
fn reading_a_missing_store_creates_none() {
    let desk = Desk::bare();
    for args in [&["key", "list"][..], &["events"], &["policy", "show"], &["key", "generate", "a"]]
    {
        let ran = desk.run(args);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.err.contains("there is no store at"), "{ran:?}");
        assert!(!desk.store.exists(), "{args:?}");
    }
}

#[test]
fn unreadable_argument_is_a_usage_error() {
    let desk = Desk::open();
    let tried: [&[&str]; 21] = [
        &[],
        &["key"],
        &["key", "frobnicate", NO_KEY],
        &["key", "show", "short"],
        &["key", "revoke"],
        &["key", "generate", "a", "--expires-in", "90"],
        &["key", "generate", "a", "--expires-in", "90 days"],
        &["key", "generate", "a", "--expires-at", "tomorrow"],
        &["key", "generate", "a", "--expires-in", "90d", "--no-expiry"],
        &["key", "generate", "a", "--owner", "alice"],
        &["key", "generate", "a", "--metadata", "team"],
        &["key", "list", "--status", "asleep"],
        &["key", "list", "--after", "event.asc.1"],
        &["plan", "set"],
        &["settings", "set", "--max-lifetime", "forever"],
        &["settings", "set", "--max-lifetime", "none"],
        &["user", "name", "alice"],
        &["key", "transfer", NO_KEY, "alice"],
        &["--as", "alice:develper", "key", "list"],
        &["--pepper-file", "pepper.bin", "key", "list"],
        &["verify", "--source", "here"],
    ];
    for args in tried {
        let ran = desk.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{args:?}");
        let ran = desk.run(&[&["--json"], args].concat());
        assert_eq!((ran.code, error_of(&ran).0.as_str()), (2, "usage"), "{args:?}: {ran:?}");
    }
    let without_store =
        ran(Command::new(program()).args(["key", "list"]).env_remove("KEYWRIGHT_STORE"));
    assert_eq!(without_store.code, 2, "{without_store:?}");
}

#[test]
fn refusal_exits_with_1_and_reason() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app", "--expires-in", "90d"]);
    desk.done(&["key", "revoke", &id]);
    let tried: [(&[&str], &str); 24] = [
        (&["key", "show", NO_KEY], "not_found"),
        (&["key", "enable", &id], "wrong_status"),
        (&["--as", "bob:developer", "key", "revoke", &id], "not_found"),
        (&["--as", "bob:auditor", "key", "revoke", &id], "permission_denied"),
        (
            &["--as", "bob:developer", "settings", "set", "--api-enabled", "off"],
            "permission_denied",
        ),
        (&["--as", "bob:tenant-admin", "plan", "set", "--api-access", "off"], "permission_denied"),
        (&["--as", "bob:developer", "user", "suspend", "alice"], "permission_denied"),
        (&["settings", "set", "--max-overlap", "91d"], "beyond_plan"),
        (&["plan", "set", "--default-scopes", "jobs:run"], "policy_refused"),
        (&["plan", "set", "--scope-description", "jobs:run=Runs"], "policy_refused"),
        (&["key", "transfer", &id, "organization"], "wrong_status"),
        (&["--tenant", "other", "key", "generate", "a"], "access_off"),
        (&["key", "generate", "bob@example.com"], "name_refused"),
        (&["key", "generate", "a", "--scopes", "reports:read"], "scope_outside_ceiling"),
        (&["key", "generate", "a", "--expires-in", "0s"], "zero_lifetime"),
        (&["key", "generate", "a", "--expires-at", "2001-01-01"], "expiry_passed"),
        (&["key", "generate", "a", "--owner", &format!("account:{NO_KEY}")], "not_found"),
        (&["key", "generate", "a", "--metadata", "=value"], "metadata_refused"),
        (&["key", "list", "--limit", "0"], "page_limit"),
        (&["key", "rotate", &id], "wrong_status"),
        (&["account", "create", "nightly", "--role", "nobody"], "unknown_role"),
        (&["account", "disable", NO_KEY], "not_found"),
        (&["plan", "set", "--max-keys-per-user", "0"], "policy_refused"),
        (&["--pepper-file", "1:/nowhere/pepper", "key", "list"], "unreadable"),
    ];
    for (args, code) in tried {
        let text = desk.run(args);
        assert_eq!((text.code, text.out.as_str()), (1, ""), "{args:?}: {text:?}");
        let json = desk.run(&[&["--json"], args].concat());
        assert_eq!((json.code, json.out.as_str()), (1, ""), "{args:?}: {json:?}");
        let (error, message) = error_of(&json);
        assert_eq!(error, code, "{args:?}: {message}");
        assert_eq!(text.err, format!("keywright: {message}\n"), "{args:?}");
    }
}

#[test]
fn denial_prints_the_operators_reason() {
    let desk = Desk::open();
    let account = desk.done(&["account", "create", "nightly", "--role", "analyst", "--read-only"]);
    let owner = format!("account:{}", account.trim_end());
    let (token, id) = desk.generate(&["prod-nightly", "--owner", &owner]);
    let (bound, _) = desk.generate(&["prod-bound", "--networks", "203.0.113.0/24"]);
    let (revoked, revoked_id) = desk.generate(&["prod-revoked"]);
    desk.done(&["key", "revoke", &revoked_id]);
    let (_, other_id) = desk.generate(&["prod-other"]);
    let denied = [
        (
            token.as_str(),
            &["--write"][..],
            "read_only",
            "the service account of the key is read-only",
        ),
        (&token, &["--scope", "invoices:write"], "missing_scope", "invoices:write"),
        (&bound, &[], "network_not_allowed", "the source is not known"),
        (&bound, &["--source", "198.51.100.1"], "network_not_allowed", "198.51.100.1 is outside"),
        (&revoked, &[], "revoked", "the key is revoked"),
        (&format!("{token}\n\n"), &[], "malformed", "the credential is malformed"),
        ("", &[], "malformed", "the credential is malformed"),
    ];
    for (input, args, code, reason) in denied {
        let text = desk.verify(input, args);
        assert_eq!((text.code, text.out.as_str()), (1, ""), "{code}: {text:?}");
        assert!(text.err.starts_with("keywright: ") && text.err.contains(reason), "{text:?}");
        let json = desk.verify(input, &[&["--json"], args].concat());
        let (error, message) = error_of(&json);
        assert_eq!((json.code, error.as_str()), (1, code), "{message}");
    }
    assert_eq!(desk.verify(&bound, &["--source", "203.0.113.7"]).code, 0);
    assert_eq!(desk.verify(&format!("{token}\r\n"), &["--scope", "invoices:read"]).code, 0);
    // Accepted uses are counted and stored, denied ones are not.
    assert_eq!(desk.json(&["key", "show", &id])["uses"], 1);
    assert_eq!(desk.json(&["key", "show", &revoked_id])["uses"], 0);
    assert_eq!(desk.json(&["key", "show", &other_id])["last_used_at"], Value::Null);
}

#[test]
fn second_process_is_refused() {
    let desk = Desk::open();
    let (token, _) = desk.generate(&["prod-main-app"]);
    let held = block_on(FileStore::open(&desk.store)).expect("every command closes the store");
    let ran = desk.run(&["key", "list"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("the store is open in another process"), "{ran:?}");
    let verified = desk.verify(&token, &["--json"]);
    assert_eq!((verified.code, error_of(&verified).0.as_str()), (1, "unavailable"));
    block_on(held.close()).expect("the store closes");
    assert_eq!(desk.verify(&token, &[]).code, 0);
}

#[test]
fn foreign_file_is_left_unchanged() {
    let desk = Desk::bare();
    fs::write(&desk.store, "my diary").expect("a file");
    let ran = desk.run(&["--json", "settings", "set", "--api-enabled", "on"]);
    assert_eq!((ran.code, error_of(&ran).0.as_str()), (1, "unsupported"));
    assert_eq!(fs::read_to_string(&desk.store).expect("a file"), "my diary");
}

#[cfg(unix)]
#[test]
fn readable_store_file_needs_an_option() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::open();
    fs::set_permissions(&desk.store, fs::Permissions::from_mode(0o644)).expect("the mode is set");
    let ran = desk.run(&["--json", "key", "list"]);
    let (code, message) = error_of(&ran);
    assert_eq!((ran.code, code.as_str()), (1, "unsupported"));
    assert!(message.contains("0644") && message.contains("chmod 600"), "{message}");
    desk.done(&["--danger-allow-shared-files", "key", "list"]);
    desk.done(&["key", "list", "--danger-allow-shared-files"]);
}

#[test]
fn bulk_revocation_reports_each_key() {
    let desk = Desk::open();
    let [(_, a), (_, b), (_, c)] =
        ["prod-a", "prod-b", "prod-c"].map(|name| desk.generate(&[name]));
    desk.done(&["key", "revoke", &c]);
    let listed = format!("key_{b}");
    let ran = desk.run(&["key", "revoke", &a, NO_KEY, &listed, &c]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out, format!("{a} revoked\n{b} revoked\n{c} already revoked\n"));
    assert!(
        ran.err.contains(&format!("keywright: {NO_KEY}: key {NO_KEY} was not found\n")),
        "{ran:?}"
    );
    let ran = desk.run(&["--json", "key", "revoke", &a, NO_KEY]);
    assert_eq!((ran.code, error_of(&ran).0.as_str()), (1, "partly_refused"));
    let answer: Value = serde_json::from_str(&ran.out).expect("JSON");
    let results = answer["results"].as_array().expect("a list");
    let results: Vec<_> = results.iter().map(|r| (&r["key"], &r["outcome"], &r["error"])).collect();
    let (a, none) = (Value::from(a), Value::from(NO_KEY));
    let (already, refused, code) = ("unchanged".into(), "refused".into(), "not_found".into());
    assert_eq!(results, [(&a, &already, &Value::Null), (&none, &refused, &code)]);
}
