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
        assert_eq!(ran.code, 3, "{args:?}");
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
        let ran = desk.run(&[&["--output", "json"], args].concat());
        // The store reads the cursor, and the command line the rest.
        let code = if args.contains(&"--after") { "invalid_query" } else { "usage" };
        assert_eq!((ran.code, error_of(&ran).0.as_str()), (2, code), "{args:?}: {ran:?}");
    }
    let without_store =
        ran(Command::new(program()).args(["key", "list"]).env_remove("KEYWRIGHT_STORE"));
    assert_eq!(without_store.code, 2, "{without_store:?}");
}

#[test]
fn refusal_exits_with_code_and_reason() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app", "--expires-in", "90d"]);
    desk.done(&["key", "revoke", &id]);
    let tried: [(&[&str], i32, &str); 24] = [
        (&["key", "show", NO_KEY], 3, "key_not_found"),
        (&["key", "enable", &id], 1, "wrong_status"),
        (&["--as", "bob:developer", "key", "revoke", &id], 3, "key_not_found"),
        (&["--as", "bob:auditor", "key", "revoke", &id], 1, "permission_denied"),
        (
            &["--as", "bob:developer", "settings", "set", "--api-enabled", "off"],
            1,
            "permission_denied",
        ),
        (
            &["--as", "bob:tenant-admin", "plan", "set", "--api-access", "off"],
            1,
            "permission_denied",
        ),
        (&["--as", "bob:developer", "user", "suspend", "alice"], 1, "permission_denied"),
        (&["settings", "set", "--max-overlap", "91d"], 1, "beyond_plan"),
        (&["plan", "set", "--default-scopes", "jobs:run"], 1, "unknown_scope"),
        (&["plan", "set", "--scope-description", "jobs:run=Runs"], 1, "unknown_scope"),
        (&["key", "transfer", &id, "organization"], 1, "wrong_status"),
        (&["--tenant", "other", "key", "generate", "a"], 1, "access_off"),
        (&["key", "generate", "bob@example.com"], 2, "usage"),
        (&["key", "generate", "a", "--scopes", "reports:read"], 1, "scope_outside_ceiling"),
        (&["key", "generate", "a", "--expires-in", "0s"], 1, "zero_lifetime"),
        (&["key", "generate", "a", "--expires-at", "2001-01-01"], 1, "expiry_passed"),
        (
            &["key", "generate", "a", "--owner", &format!("account:{NO_KEY}")],
            3,
            "account_not_found",
        ),
        (&["key", "generate", "a", "--metadata", "=value"], 2, "usage"),
        (&["key", "list", "--limit", "0"], 2, "usage"),
        (&["key", "rotate", &id], 1, "wrong_status"),
        (&["account", "create", "nightly", "--role", "nobody"], 1, "unknown_role"),
        (&["account", "disable", NO_KEY], 3, "account_not_found"),
        (&["plan", "set", "--max-keys-per-user", "0"], 1, "invalid_max_keys"),
        (&["--pepper-file", "1:/nowhere/pepper", "key", "list"], 4, "unreadable"),
    ];
    for (args, exit, code) in tried {
        let text = desk.run(args);
        assert_eq!((text.code, text.out.as_str()), (exit, ""), "{args:?}: {text:?}");
        let json = desk.run(&[&["--output", "json"], args].concat());
        assert_eq!((json.code, json.out.as_str()), (exit, ""), "{args:?}: {json:?}");
        let (error, message) = error_of(&json);
        assert_eq!(error, code, "{args:?}: {message}");
        assert!(
            code == "usage" || text.err == format!("keywright: {message}\n"),
            "{args:?}: {text:?}"
        );
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
        let json = desk.verify(input, &[&["--output", "json"], args].concat());
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
    assert_eq!((ran.code, ran.out.as_str()), (4, ""));
    assert!(ran.err.contains("the store is open in another process"), "{ran:?}");
    let verified = desk.verify(&token, &["--output", "json"]);
    assert_eq!((verified.code, error_of(&verified).0.as_str()), (4, "unavailable"));
    block_on(held.close()).expect("the store closes");
    assert_eq!(desk.verify(&token, &[]).code, 0);
}

#[test]
fn foreign_file_is_left_unchanged() {
    let desk = Desk::bare();
    fs::write(&desk.store, "my diary").expect("a file");
    let ran = desk.run(&["--output", "json", "settings", "set", "--api-enabled", "on"]);
    assert_eq!((ran.code, error_of(&ran).0.as_str()), (4, "unsupported"));
    assert_eq!(fs::read_to_string(&desk.store).expect("a file"), "my diary");
}

#[cfg(unix)]
#[test]
fn readable_store_file_needs_an_option() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::open();
    fs::set_permissions(&desk.store, fs::Permissions::from_mode(0o644)).expect("the mode is set");
    let ran = desk.run(&["--output", "json", "key", "list"]);
    let (code, message) = error_of(&ran);
    assert_eq!((ran.code, code.as_str()), (4, "unsupported"));
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
    assert_eq!(ran.code, 5);
    assert_eq!(ran.out, format!("{a} revoked\n{b} revoked\n{c} already revoked\n"));
    assert!(ran.err.contains(&format!("keywright: {NO_KEY}: the key does not exist")), "{ran:?}");
    let ran = desk.run(&["--output", "json", "key", "revoke", &a, NO_KEY]);
    assert_eq!((ran.code, error_of(&ran).0.as_str()), (5, "partly_refused"));
    let answer: Value = serde_json::from_str(&ran.out).expect("JSON");
    let results = answer["results"].as_array().expect("a list");
    let result =
        |r: &Value| (r["id"].clone(), r["unchanged"].clone(), r["problem"]["code"].clone());
    let results: Vec<_> = results.iter().map(result).collect();
    let code = Value::from("key_not_found");
    let expected = [(a.into(), true.into(), Value::Null), (NO_KEY.into(), Value::Null, code)];
    assert_eq!(results, expected);
}
