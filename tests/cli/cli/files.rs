//! Commands on a whole store file.

use serde_json::Value;

use crate::desk::{Desk, error_of};

#[test]
fn sound_file_is_checked_and_compacted() {
    let desk = Desk::open();
    desk.generate(&["prod-main-app"]);
    assert_eq!(desk.done(&["check"]), "the store file is sound\n");
    assert_eq!(desk.json(&["check"])["sound"], true);
    let sizes = desk.json(&["compact"]);
    let size = |name: &str| sizes[name].as_u64().expect("a number");
    assert!(size("bytes") > 0 && size("bytes") <= size("bytes_before"), "{sizes}");
    assert_eq!(desk.json(&["key", "list"])["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn transfer_url_has_no_password() {
    let desk = Desk::open();
    for url in ["postgres://keys:hunter2@db/app", "postgres://keys@db/app?password=hunter2"] {
        for args in [&["transfer", "--to", url][..], &["--store", url, "key", "list"]] {
            let refused = desk.run(&[&["--output", "json"], args].concat());
            let (code, message) = error_of(&refused);
            assert_eq!((refused.code, code.as_str()), (2, "usage"), "{args:?}");
            assert!(message.contains("PGPASSWORD") && !message.contains("hunter2"), "{message}");
        }
    }
    let wrong = desk.run(&["transfer", "--to", "mysql://keys@db/app"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[test]
fn unreachable_database_is_unavailable() {
    let desk = Desk::bare();
    let mut command = desk.command(&["--output", "json", "--store"]);
    command.args(["postgres://keys@127.0.0.1:1/app?connect_timeout=1", "key", "list"]);
    let failed = crate::desk::ran(command.env("PGPASSWORD", "hunter2"));
    let error: Value = serde_json::from_str(&failed.err).expect("JSON");
    assert_eq!((failed.code, &error["error"]), (4, &"unavailable".into()), "{failed:?}");
    assert!(!failed.err.contains("hunter2"), "{failed:?}");
}
