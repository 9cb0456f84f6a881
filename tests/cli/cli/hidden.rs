//! Secrets among the arguments: they are refused, and never repeated.

use crate::desk::{Desk, error_of};

#[test]
fn token_among_the_arguments_is_refused() {
    let desk = Desk::open();
    let (token, id) = desk.generate(&["prod-main-app", "--prefix", "acme_live"]);
    let secret = &token[token.len() - 38..];
    let tried: [&[&str]; 12] = [
        &["key", "show", &token],
        &["key", "show", secret],
        &["key", "revoke", &token],
        &["key", "rename", &id, &token],
        &["key", "generate", &token],
        &["key", "list", "--owner", &format!("account:{token}")],
        &["verify", &token],
        &["verify", "--scope", &token],
        &["--prefix", &token, "events"],
        &["--tenant", &format!("{token} "), "events"],
        &["--as", &format!("operator:{token}"), "events"],
        &[&format!("--login-file={token}"), "events"],
    ];
    for args in tried {
        let text = desk.run(args);
        let json = desk.run(&[&["--output", "json"], args].concat());
        for ran in [&text, &json] {
            assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
            // Not even a part of the secret is shown.
            assert!(!format!("{}{}", ran.out, ran.err).contains(&secret[..6]), "{args:?}: {ran:?}");
        }
        let (code, message) = error_of(&json);
        assert_eq!(code, "usage");
        assert!(message.contains("looks like an API key"), "{message}");
        assert!(message.contains("key rotate"), "{message}");
    }
    assert_eq!(desk.verify(&token, &[]).code, 0);
}

#[test]
fn mangled_token_is_not_repeated() {
    let desk = Desk::open();
    let (token, id) = desk.generate(&["prod-main-app"]);
    let secret = &token[token.len() - 38..];
    let tried: [&[&str]; 7] = [
        &["key", "show", &token[4..]],
        &["events", "--kind", &token[..40]],
        &["key", "generate", "a", "--rate", &secret[..30]],
        &["account", "disable", &format!("{token}x")],
        &["key", "show", &id],
        &["key", "list"],
        &["events"],
    ];
    for args in tried {
        for form in ["table", "json", "csv"] {
            let ran = desk.run(&[&["--output", form], args].concat());
            let shown = format!("{}{}", ran.out, ran.err);
            assert!(!shown.contains(&secret[..6]), "{args:?}: {ran:?}");
        }
    }
    for ran in [desk.verify(&token, &[]), desk.verify(&format!("{token}x"), &[])] {
        assert!(!format!("{}{}", ran.out, ran.err).contains(&secret[..6]), "{ran:?}");
    }
}
