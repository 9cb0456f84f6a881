//! Changes that cannot be undone: they need `--yes` where no terminal can be asked.

use std::process::Command;

use crate::desk::{Desk, error_of, in_no_environment, program, ran};

#[test]
fn destructive_command_needs_yes() {
    let desk = Desk::open();
    let (token, id) = desk.generate(&["prod-main-app"]);
    let account = desk.done(&["account", "create", "nightly", "--role", "analyst"]);
    let account = account.trim_end();
    let unasked = |args: &[&str]| {
        let mut command = Command::new(program());
        command.arg("--store").arg(&desk.store).args(["--output", "json"]).args(args);
        in_no_environment(&mut command);
        ran(&mut command)
    };
    let destructive: [&[&str]; 11] = [
        &["key", "revoke", &id],
        &["key", "revoke", &id, "--all-tenants"],
        &["key", "revoke", "--owner", "user:operator"],
        &["key", "revoke", "--owner", "user:operator", "--all-tenants"],
        &["key", "delete", &id],
        &["key", "rotate", &id],
        &["key", "finish-rotation", &id],
        &["account", "delete", account],
        &["owner", "transfer", "user:operator", "organization"],
        &["sweep"],
        &["sweep", "--all-tenants"],
    ];
    let before = desk.json(&["key", "show", &id])["key"].clone();
    for args in destructive {
        let refused = unasked(args);
        let (code, message) = error_of(&refused);
        assert_eq!((refused.code, code.as_str()), (2, "not_confirmed"), "{args:?}: {refused:?}");
        assert!(message.contains("add --yes"), "{message}");
    }
    assert_eq!(desk.json(&["key", "show", &id])["key"], before);
    let harmless: [&[&str]; 4] = [
        &["key", "disable", &id],
        &["key", "enable", &id],
        &["key", "rotate", &id, "--overlap", "1d"],
        &["user", "suspend", "alice"],
    ];
    for args in harmless {
        assert_eq!(unasked(args).code, 0, "{args:?}");
    }
    assert_eq!(desk.verify(&token, &[]).code, 0, "the old secret works during the overlap");
    assert_eq!(unasked(&["key", "revoke", &id, "--yes"]).code, 0);
}
