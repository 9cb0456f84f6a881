//! Valid values read back as they were given, and invalid ones are refused with an error that names
//! the problem. Each limit is tried on both sides.

#[cfg(feature = "file")]
mod auto_traits;
mod limits;
mod notes;
mod records;
mod spellings;
mod tokens;
mod vectors;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use keywright::{
    AccountId, EventActor, EventDetails, EventKind, EventOutcome, KeyId, Name, NameError, Network,
    Operation, Owner, OwnerError, Prefix, Rate, RefusalCode, RoleName, Scope, ScopeError, ScopeSet,
    TenantId, Timestamp, UserId,
};

use common::{Random, World, block_on, seed};

/// Asserts that each text parses and prints unchanged, alone and as JSON.
#[track_caller]
fn reads_back<T>(texts: &[&str])
where
    T: Debug + DeserializeOwned + Display + FromStr<Err: Debug> + PartialEq + Serialize,
{
    for text in texts {
        let value: T = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
        assert_eq!(value.to_string(), *text);
        let json = serde_json::to_value(&value).expect("a value serializes");
        assert_eq!(json, *text);
        assert_eq!(serde_json::from_value::<T>(json).expect("and back"), value);
    }
}

/// Asserts that each text is refused, also as JSON, with an error of one line.
#[track_caller]
fn refuses<T>(texts: &[&str])
where
    T: Debug + DeserializeOwned + FromStr<Err: Display>,
{
    for text in texts {
        let error = text.parse::<T>().err().unwrap_or_else(|| panic!("{text:?} was taken"));
        assert_says_something(&error.to_string());
        let json = serde_json::Value::from(*text);
        assert!(serde_json::from_value::<T>(json).is_err(), "{text:?} was taken from JSON");
    }
}

#[track_caller]
fn assert_says_something(message: &str) {
    assert!(message.len() >= 15, "{message:?} is too short");
    assert!(!message.contains(|c: char| c.is_control()), "{message:?} is not one plain line");
}

#[test]
fn generated_ids_are_16_symbols() {
    let good = ["0123456789ABCDEF", "zzzzzzzzzzzzzzzz", "4fQ2xk9ZrT7bWm1c"];
    let bad = [
        "",
        "0123456789ABCDE",
        "0123456789ABCDEF0",
        "0123456789ABCDE_",
        "0123456789ABCDE ",
        " 123456789ABCDEF",
        "0123456789ABCD\u{e9}",
        "0123456789ABCDE\n",
        "0123456789ABCDE\0",
    ];
    reads_back::<KeyId>(&good);
    reads_back::<AccountId>(&good);
    refuses::<KeyId>(&bad);
    refuses::<AccountId>(&bad);
    let said = "x".parse::<KeyId>().expect_err("too short").to_string();
    assert!(said.contains("key id") && said.contains("16 characters"), "{said}");
    let said = "x".parse::<AccountId>().expect_err("too short").to_string();
    assert!(said.contains("account id"), "{said}");
}

#[test]
fn host_ids_are_visible_ascii() {
    let longest = "x".repeat(128);
    let too_long = "x".repeat(129);
    let good = ["a", "globex", "auth0|5f7c8ec7c33c6c004bbafe82", "alice@example.com", &longest];
    let bad = ["", " ", "a b", "a\n", "a\0", "\u{7f}", "zo\u{eb}", &too_long];
    reads_back::<TenantId>(&good);
    reads_back::<UserId>(&good);
    refuses::<TenantId>(&bad);
    refuses::<UserId>(&bad);
}

#[test]
fn prefix_is_lowercase_words_and_digits() {
    let longest = format!("a{}", "b".repeat(31));
    let too_long = format!("a{}", "b".repeat(32));
    reads_back::<Prefix>(&["a", "key", "acme_live", "a1_2_b3", &longest]);
    refuses::<Prefix>(&[
        "", "_", "1a", "A", "aB", "_a", "a_", "a__b", "a-b", "a.b", "a b", "a\n", "\u{e9}",
        &too_long,
    ]);
}

#[test]
fn name_is_one_visible_line() {
    let longest = "\u{e9}".repeat(100);
    reads_back::<Name>(&[
        "a",
        "prod-main-app",
        "Staging API (EU)",
        "Gr\u{f6}\u{df}e \u{4e2d}\u{6587} \u{1f511}",
        "a @ b",
        "@home",
        "1234567890123456789012345678901234567890",
        "thisisaverylongnamethathasonlysmalllettersinit",
        "'; DROP TABLE keys; --",
        "${jndi:ldap://x}",
        "<script>alert(1)</script>",
        &longest,
    ]);
}

#[test]
fn deceptive_name_is_refused_with_reason() {
    let too_long = "\u{e9}".repeat(101);
    let token = block_on(async { World::in_memory().key().await.token.expose().to_owned() });
    let in_a_sentence = format!("my key {token} !");
    let table = [
        ("", NameError::Empty),
        (" ", NameError::Empty),
        ("\u{3000}\t\n", NameError::Empty),
        (&too_long, NameError::TooLong(101)),
        (" a", NameError::OuterSpace),
        ("a ", NameError::OuterSpace),
        ("a\u{a0}", NameError::OuterSpace),
        ("a\nb", NameError::Control('\n')),
        ("a\r\nb", NameError::Control('\r')),
        ("a\tb", NameError::Control('\t')),
        ("a\0b", NameError::Control('\0')),
        ("\u{1b}[31mred", NameError::Control('\u{1b}')),
        ("a\u{7f}b", NameError::Control('\u{7f}')),
        ("a\u{9b}b", NameError::Control('\u{9b}')),
        ("a\u{202e}b", NameError::Invisible('\u{202e}')),
        ("a\u{2066}b", NameError::Invisible('\u{2066}')),
        ("a\u{200b}b", NameError::Invisible('\u{200b}')),
        ("a\u{200d}b", NameError::Invisible('\u{200d}')),
        ("a\u{feff}b", NameError::Invisible('\u{feff}')),
        ("a\u{ad}b", NameError::Invisible('\u{ad}')),
        ("a\u{2028}b", NameError::Invisible('\u{2028}')),
        ("a\u{3164}b", NameError::Invisible('\u{3164}')),
        ("a\u{e0041}b", NameError::Invisible('\u{e0041}')),
        ("bob@example.com", NameError::LooksLikeEmail),
        ("key of bob@example.com, prod", NameError::LooksLikeEmail),
        ("\u{e9}ve@\u{e9}x", NameError::LooksLikeEmail),
        (&token, NameError::LooksLikeToken),
        (&in_a_sentence, NameError::LooksLikeToken),
        ("AKIAIOSFODNN7EXAMPLEkey", NameError::LooksLikeToken),
        ("d41d8cd98f00b204e9800998ecf8427e", NameError::LooksLikeToken),
    ];
    for (text, expected) in table {
        let error = Name::new(text).expect_err(text);
        assert_eq!(error, expected, "{text:?}");
        assert_says_something(&error.to_string());
        refuses::<Name>(&[text]);
    }
}

#[test]
fn t_a04_scope_is_never_a_wildcard() {
    let longest = format!("a{}", "b".repeat(63));
    let too_long = format!("a{}", "b".repeat(64));
    reads_back::<Scope>(&["a", "invoices:read", "a.b_c:d/e-f0", &longest]);
    let bad = [
        "",
        "*",
        "a:*",
        "invoices:*",
        "A",
        "1a",
        ":a",
        "-a",
        "a b",
        "a,b",
        "a\n",
        "\u{e9}",
        &too_long,
    ];
    refuses::<Scope>(&bad);
    for text in bad {
        assert!(matches!(Scope::new(text), Err(ScopeError::Malformed(_))), "{text:?}");
    }
}

#[test]
fn t_d06_scope_set_holds_64_different_scopes() {
    let text = |n: usize| (0..n).map(|n| format!("scope-{n}")).collect::<Vec<_>>().join(" ");
    let set: ScopeSet = text(64).parse().expect("64");
    assert_eq!(set.len(), 64);
    assert_eq!(text(65).parse::<ScopeSet>(), Err(ScopeError::TooMany(65)));
    let twice: ScopeSet = format!("{} {}", text(64), text(64)).parse().expect("64 different ones");
    assert_eq!(twice, set);
    let json = serde_json::to_value(text(65).split(' ').collect::<Vec<_>>()).expect("JSON");
    assert!(serde_json::from_value::<ScopeSet>(json).is_err());
}

#[test]
fn t_a04_scope_set_reads_back_without_widening() {
    let table = [("", ""), ("  ,, ", ""), ("b a", "a b"), ("a,b", "a b"), ("a, a  a", "a")];
    for (text, printed) in table {
        let set: ScopeSet = text.parse().expect("scopes");
        assert_eq!(set.to_string(), printed);
        assert_eq!(set.to_string().parse::<ScopeSet>().expect("scopes"), set);
        let json = serde_json::to_string(&set).expect("JSON");
        assert_eq!(serde_json::from_str::<ScopeSet>(&json).expect("scopes"), set);
    }
    assert!("a *".parse::<ScopeSet>().is_err());
    assert!(serde_json::from_str::<ScopeSet>(r#"["a","*"]"#).is_err());
}

#[test]
fn role_name_follows_its_alphabet() {
    let longest = "r".repeat(64);
    let too_long = "r".repeat(65);
    reads_back::<RoleName>(&["analyst", "org-admin_2", &longest]);
    refuses::<RoleName>(&["", "Analyst", "1st", "-a", "a b", "a\n", "*", "\u{e9}", &too_long]);
}

#[test]
fn owner_text_names_its_kind() {
    let good = ["user:alice", "account:4fQ2xk9ZrT7bWm1c", "user:a:b"];
    for text in good {
        assert_eq!(text.parse::<Owner>().expect(text).to_string(), text);
    }
    reads_back::<Owner>(&good);
    refuses::<Owner>(&["", "alice", "User:alice", "user:", "account:alice", ":alice", "key:x"]);
    assert_eq!("alice".parse::<Owner>(), Err(OwnerError::Kind));
    assert!(matches!("account:x".parse::<Owner>(), Err(OwnerError::Id(_))));
}

#[test]
fn operations_and_outcomes_read_back() {
    let operations: Vec<&str> = Operation::ALL.iter().map(|operation| operation.as_str()).collect();
    assert_eq!(operations.len(), 27);
    reads_back::<Operation>(&operations);
    refuses::<Operation>(&["", "key", "key.", "Key.rotate", "key.rotate ", "key.extensive_use"]);
    reads_back::<EventKind>(&operations);
    let kinds: Vec<&str> = EventKind::all().map(EventKind::as_str).collect();
    let others = ["key.extensive_use", "key.suspicious_use", "actor.refusals", "key.leak_reported"];
    assert_eq!(kinds, [&*operations, &others].concat());
    reads_back::<EventKind>(&others);
    refuses::<EventKind>(&["", "key.use"]);
    reads_back::<EventActor>(&[
        "user:alice",
        "operator:carol",
        "possessor",
        "system",
        "user:system",
    ]);
    refuses::<EventActor>(&["", "user:", "user:a b", "operator:", "operator:a b"]);
    let codes: Vec<&str> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
    reads_back::<RefusalCode>(&codes);
    refuses::<RefusalCode>(&["", "Stale", "stale "]);
    for code in codes {
        reads_back::<EventOutcome>(&[format!("refused: {code}").as_str()]);
    }
    reads_back::<EventOutcome>(&["done", "unchanged"]);
    let not_codes = ["refused", "refused: ", "refused: no", "refused:stale", "refused: stale "];
    refuses::<EventOutcome>(&not_codes);
    refuses::<EventOutcome>(&["", "Done"]);
}

#[test]
fn details_of_events_read_back() {
    let texts = [
        "{}",
        r#"{"name":"prod-main-app","owner":"user:ada"}"#,
        r#"{"enabled":true,"keys":18446744073709551615}"#,
    ];
    for text in texts {
        let details: EventDetails = serde_json::from_str(text).expect(text);
        assert_eq!(serde_json::to_string(&details).expect("JSON"), text);
    }
    let wrong = [
        "null",
        "[]",
        r#""name""#,
        r#"{"nam":"a"}"#,
        r#"{"Name":"a"}"#,
        r#"{"name":1}"#,
        r#"{"name":null}"#,
        r#"{"keys":"1"}"#,
        r#"{"keys":-1}"#,
        r#"{"keys":1.5}"#,
        r#"{"enabled":"true"}"#,
        r#"{"name":"a","name":"a"}"#,
    ];
    for text in wrong {
        assert!(serde_json::from_str::<EventDetails>(text).is_err(), "{text}");
    }
}

#[test]
fn t_l08_details_line_cannot_be_forged() {
    let name = "x\", owner=\"user:ada\" \nexpires_at=\u{202e}never";
    let details = serde_json::json!({ "name": name, "keys": 3, "enabled": true });
    let details: EventDetails = serde_json::from_value(details).expect("details");
    let line = r#"name="x\", owner=\"user:ada\" \nexpires_at=\u{202e}never" enabled=true keys=3"#;
    assert_eq!(details.to_string(), line);
}

#[test]
fn t_d01_parsers_never_panic_on_text() {
    let random = Random::seeded(seed());
    let pieces = [
        "a", "_", ":", "/", "s", "*", " ", "1", "\u{e9}", "\0", "\u{202e}", "-", ".", "@", "T",
        "Z", "+",
    ];
    for _ in 0..20_000 {
        let text: String =
            (0..random.below(40)).map(|_| pieces[random.below(pieces.len())]).collect();
        // A parsed value prints as a text that parses to an equal value.
        macro_rules! check {
            ($($kind:ty),+) => {$(
                if let Ok(value) = text.parse::<$kind>() {
                    assert_eq!(value.to_string().parse::<$kind>().ok(), Some(value));
                }
            )+};
        }
        check!(
            KeyId,
            TenantId,
            Prefix,
            Name,
            Scope,
            ScopeSet,
            Network,
            Rate,
            RoleName,
            Owner,
            Operation,
            Timestamp,
            EventActor,
            EventKind,
            EventOutcome
        );
    }
}
