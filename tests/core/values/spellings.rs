//! Each value has one spelling: any other is refused or normalized.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, NoncharacterCodePoint};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde_json::{Value, json};

use keywright::store::{AccountQuery, Cursor, KeyQuery, KeyRecord};
use keywright::{
    Access, AccountId, EventActor, EventKind, EventOutcome, KeyId, Metadata, Name, NameError,
    Network, NetworkError, Networks, NewAccount, Operation, Owner, Plan, Prefix, Rate, RoleName,
    Scope, TenantId, TimeError, Timestamp, UseAlert, UserId,
};

use super::{assert_says_something, refuses};
use common::{World, admin, block_on, named, time};

#[test]
fn t_k12_networks_have_no_leading_zeros_or_signs() {
    let malformed = [
        "010.0.0.0/8",
        "10.0.0.00/8",
        "10.00.0.0/8",
        "010.0.0.1",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/ 8",
        "10.0.0.0 /8",
        "10.0.0.0//8",
        "10.0.0.0/8/8",
        "10.0.0.0/8.0",
        "10.0.0.0/255.0.0.0",
        "10.0.0/8",
        "10/8",
        "0x0a.0.0.0/8",
        "167772160/8",
        "\u{661}0.0.0.0/8",
        "2001:db8::/032",
        "2001:db8::/+32",
        "2001:db8::/",
        "2001:db8::/99999999999999999999",
        "[2001:db8::]/32",
        "[2001:db8::1]",
        "fe80::1%1",
        "fe80::%1/64",
        "::ffff:010.0.0.1",
        "02001:db8::/32",
    ];
    refuses::<Network>(&malformed);
    for text in malformed {
        let error = text.parse::<Network>().expect_err(text);
        assert!(matches!(error, NetworkError::Malformed(_)), "{text:?}: {error:?}");
        assert!(format!("192.0.2.0/24 {text}").parse::<Networks>().is_err(), "{text:?}");
    }
}

#[test]
fn t_k12_ipv6_networks_are_written_canonically() {
    let table = [
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:0db8:0000:0000:0000:0000:0000:0000/32", "2001:db8::/32"),
        ("2001:db8:0:0:0:0:0:0/32", "2001:db8::/32"),
        ("0:0:0:0:0:0:0:0/0", "::/0"),
        ("2001:db8::192.0.2.1", "2001:db8::c000:201/128"),
    ];
    for (text, printed) in table {
        let network: Network = text.parse().expect(text);
        assert_eq!(network.to_string(), printed);
        assert_eq!(printed.parse::<Network>().expect(printed), network);
        assert_eq!(serde_json::from_value::<Network>(text.into()).expect(text), network);
    }
}

#[test]
fn t_k12_times_use_capital_t_and_z() {
    let malformed = [
        "2026-11-21Q12:00:00Z",
        "2026-11-21 12:00:00Z",
        "2026-11-21_12:00:00Z",
        "2026-11-21t12:00:00Z",
        "2026-11-21T12:00:00z",
        "2026-11-21T12:00:00,5Z",
        "2026-11-21T12:00:00.Z",
        "2026-11-21T12:00:00.1234567891Z",
        "2026-11-21T12:00Z",
        "2026-11-21T12:00:60Z",
        "2026-12-31T23:59:60Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T12:60:00Z",
        "2026-11-21T12:00:00-00:00",
        "2026-11-21T12:00:00+0200",
        "2026-11-21T12:00:00+02",
        "2026-11-21T12:00:00+2:00",
        "2026-11-21T12:00:00+24:00",
        "2026-11-21T12:00:00+02:60",
        "2026-11-21T12:00:00\u{2212}02:00",
        "2026-11-21T12:00:00UTC",
        "20261121T120000Z",
        "+002026-11-21T12:00:00Z",
        "2026-11-1T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-W47-6T12:00:00Z",
        " 2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00Z ",
        "2026-11-21T12:00:00Z\0",
        "2\u{660}26-11-21T12:00:00Z",
        "2026-11-21T1\u{e9}:00:00Z",
    ];
    refuses::<Timestamp>(&malformed);
    for text in malformed {
        let error = text.parse::<Timestamp>().expect_err(text);
        assert!(matches!(error, TimeError::NotRfc3339(_)), "{text:?}: {error:?}");
    }
}

#[test]
fn t_k12_times_are_written_in_canonical_form() {
    let table = [
        ("2026-11-21T12:00:00.500Z", "2026-11-21T12:00:00.5Z"),
        ("2026-11-21T12:00:00.000000000Z", "2026-11-21T12:00:00Z"),
        ("2026-11-21T12:00:00.123456789Z", "2026-11-21T12:00:00.123456Z"),
        ("2026-11-21T12:00:00+00:00", "2026-11-21T12:00:00Z"),
        ("2026-11-21T12:00:00-23:59", "2026-11-22T11:59:00Z"),
        ("2026-11-21T12:00:00.25+05:30", "2026-11-21T06:30:00.25Z"),
    ];
    for (text, printed) in table {
        assert_eq!(time(text).to_string(), printed);
        assert_eq!(time(printed), time(text));
    }
}

/// Compares with Unicode's own tables, so that a new version of Unicode with more hidden characters
/// fails here.
#[test]
fn names_hold_no_hidden_character() {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let noncharacters = CodePointSetData::new::<NoncharacterCodePoint>();
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_hidden = |c: char| {
        let category = categories.get(c);
        let categories = [
            GeneralCategory::Control,
            GeneralCategory::Format,
            GeneralCategory::LineSeparator,
            GeneralCategory::ParagraphSeparator,
        ];
        ignorable.contains(c)
            || noncharacters.contains(c)
            || categories.contains(&category)
            // The Braille blank is a letter by its category and invisible in every font.
            || c == '\u{2800}'
    };
    let mut hidden = 0;
    for c in '\0'..=char::MAX {
        let refused = match Name::new(format!("a{c}b")) {
            Err(NameError::Control(found) | NameError::Invisible(found)) => found == c,
            _ => false,
        };
        assert_eq!(refused, is_hidden(c), "{c:?}");
        hidden += usize::from(refused);
    }
    assert!(hidden > 4_000, "{hidden}");
}

#[test]
fn names_hold_no_disguised_at_sign() {
    let around = |c: char| Name::new(format!("bob{c}example.com"));
    // The planes above contain only private use.
    let assigned = ('\0'..='\u{3FFFF}').chain('\u{E0000}'..='\u{E0FFF}');
    let found = assigned.filter(|c| around(*c) == Err(NameError::LooksLikeEmail));
    assert_eq!(found.collect::<String>(), "@\u{FE6B}\u{FF20}");
    assert!(Name::new("deploy \u{FE6B} night").is_ok(), "not an email address without the rest");
}

#[test]
fn names_hold_no_token_in_full_width() {
    let token = "AKIAIOSFODNN7EXAMPLEkey".chars();
    let wide = |c: char| char::from_u32(u32::from(c) + 0xFEE0).expect("full width");
    assert_eq!(Name::new(token.map(wide).collect::<String>()), Err(NameError::LooksLikeToken));
}

#[test]
fn t_k12_names_are_stored_in_nfc() {
    let table = [
        ("Cafe\u{301}", "Caf\u{e9}"),
        ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
        ("\u{212b}", "\u{c5}"),
        ("q\u{307}\u{323}", "q\u{323}\u{307}"),
        ("\u{fb01}", "\u{fb01}"),
    ];
    for (given, stored) in table {
        let name = Name::new(given).expect(given);
        assert_eq!(name.as_str(), stored);
        assert_eq!(name, Name::new(stored).expect(stored));
        assert_eq!(serde_json::from_value::<Name>(given.into()).expect(given), name);
    }
    // The limit is for the stored form, and it is checked before the expensive work.
    assert!(Name::new("e\u{301}".repeat(100)).is_ok());
    assert_eq!(Name::new("e\u{301}".repeat(101)), Err(NameError::TooLong(101)));
    assert_eq!(Name::new("\u{958}".repeat(60)), Err(NameError::TooLong(120)));
    assert_eq!(Name::new("\u{301}".repeat(100_000)), Err(NameError::TooLong(100_000)));
}

#[test]
fn search_finds_names_in_either_form() {
    block_on(async {
        let world = World::in_memory();
        world.key_of(&admin(), named("Cafe\u{301} till")).await;
        let role = RoleName::new("analyst").expect("a role");
        let account = NewAccount::new(Name::new("Caf\u{e9} report").expect("a name"), role);
        world.authority.create_account(&admin(), account).await.expect("an account");
        for text in ["CAF\u{c9}", "caf\u{e9}", "cafe\u{301}"] {
            let keys = world.authority.keys(&admin(), &KeyQuery::new().search(text)).await;
            assert_eq!(keys.expect("keys").items.len(), 1, "{text:?}");
            let query = AccountQuery::new().search(text);
            let accounts = world.authority.accounts(&admin(), &query).await;
            assert_eq!(accounts.expect("accounts").items.len(), 1, "{text:?}");
        }
    });
}

#[test]
fn event_actor_text_names_its_kind() {
    let bad = ["alice", "null", "User:alice", "user :alice", "Possessor", "system ", "key:alice"];
    refuses::<EventActor>(&bad);
    assert_eq!("user:user:a".parse::<EventActor>().expect("a user").to_string(), "user:user:a");
}

#[test]
fn access_is_one_word() {
    assert!(serde_json::from_value::<Access>(json!("read-only")).is_ok());
    for bad in [json!({ "read-only": null }), json!("ReadOnly"), json!(0), json!(null)] {
        assert!(serde_json::from_value::<Access>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn t_k12_duplicate_metadata_keys_are_refused() {
    let table = [
        (r#"{"team":"a","team":"b"}"#, "team"),
        (r#"{"team":"a","te\u0061m":"a"}"#, "team"),
        (r#"{"a":"1","b":"2","a":"1"}"#, "a"),
    ];
    for (json, twice) in table {
        let said = serde_json::from_str::<Metadata>(json).expect_err(json).to_string();
        assert!(said.contains("more than once") && said.contains(twice), "{said}");
        assert_says_something(&said);
    }
    let secret = "4fQ2xk9ZrT7bWm1c8PzAq0LdVh3sKyNeJ5uGiXo6";
    let json = format!(r#"{{"{secret}":"1","{secret}":"1"}}"#);
    let said = serde_json::from_str::<Metadata>(&json).expect_err("twice").to_string();
    assert!(!said.contains(secret), "{said}");
}

#[test]
fn t_k12_duplicate_roles_and_scopes_are_refused() {
    let plan = serde_json::to_string(&Plan::default()).expect("JSON");
    let role = r#"{"description":null,"scopes":[]}"#;
    let scope = r#"{"description":null,"access":"read-only"}"#;
    for (field, value) in [("roles", role), ("scopes", scope)] {
        let with = |names: &[&str]| {
            let each: Vec<_> = names.iter().map(|name| format!(r#""{name}":{value}"#)).collect();
            let map = format!(r#""{field}":{{{}}}"#, each.join(","));
            plan.replacen(&format!(r#""{field}":{{}}"#), &map, 1)
        };
        assert!(serde_json::from_str::<Plan>(&with(&["a", "b"])).is_ok());
        let twice = serde_json::from_str::<Plan>(&with(&["a", "b", "a"]));
        let said = twice.expect_err("twice").to_string();
        assert!(said.contains("\"a\"") && said.contains("more than once"), "{said}");
    }
}

#[test]
fn t_k12_stored_digests_have_one_spelling() {
    block_on(async {
        let world = World::in_memory();
        let issued = world.key().await;
        let stored = world.stored(&issued.key.id).await;
        let digest = stored["digest"].as_str().expect("a digest").to_owned();
        let hex = digest.strip_prefix("1.0.").expect("SHA-256");
        let read = |text: String| {
            let mut record = stored.clone();
            record["digest"] = Value::from(text);
            serde_json::from_value::<KeyRecord>(record)
        };
        for good in ["1.0", "2.0", "2.7", "2.4294967295", "255.0"] {
            assert!(read(format!("{good}.{hex}")).is_ok(), "{good}");
        }
        let bad = [
            "+1.0",
            "01.0",
            "1.00",
            "1.+0",
            "1.-0",
            "-1.0",
            "1.1",
            "1. 0",
            "2.07",
            "2.+7",
            "2.4294967296",
            "256.0",
            "1",
            "1.0.0",
            ".0",
            "1.",
            "\u{661}.0",
            "1.0.",
        ];
        for bad in bad {
            assert!(read(format!("{bad}.{hex}")).is_err(), "{bad}");
        }
        for bad in
            [hex.to_uppercase(), format!("+{}", &hex[1..]), format!(" {hex}"), hex[2..].into()]
        {
            assert!(read(format!("1.0.{bad}")).is_err() || bad == hex, "{bad}");
        }
    });
}

/// Returns the texts that differ from `text` in one place: one character more, one less, or another
/// one.
fn neighbors(text: &str) -> Vec<String> {
    const OTHERS: &str = "0179aAsTtZz+-_.,:/ @*\u{e9}\u{661}\u{ff10}\u{200b}\n\0";
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for place in 0..=chars.len() {
        let (before, after) = chars.split_at(place);
        let behind = after.get(1..).unwrap_or_default();
        let mut put = |middle: Option<char>, after: &[char]| {
            found.push(before.iter().copied().chain(middle).chain(after.iter().copied()).collect());
        };
        put(None, behind);
        for other in OTHERS.chars() {
            put(Some(other), after);
            put(Some(other), behind);
        }
    }
    found
}

#[test]
fn neighboring_values_are_never_equal() {
    let mut taken = 0;
    macro_rules! check {
        ($($kind:ty: $text:expr),+ $(,)?) => {$(
            let value: $kind = $text.parse().expect($text);
            for text in neighbors($text).into_iter().filter(|text| text != $text) {
                let Ok(other) = text.parse::<$kind>() else { continue };
                taken += 1;
                assert_eq!(other.to_string(), text);
                assert_ne!(other.to_string(), value.to_string(), "{text:?} is {value:?} too");
            }
        )+};
    }
    check!(
        AccountId: "4fQ2xk9ZrT7bWm1c",
        KeyId: "4fQ2xk9ZrT7bWm1c",
        TenantId: "globex-1",
        UserId: "auth0|alice",
        Prefix: "acme_live_2",
        Scope: "invoices:read/a.b-1",
        RoleName: "org-admin_2",
        Owner: "user:alice",
        Owner: "account:4fQ2xk9ZrT7bWm1c",
        Operation: "key.rotate",
        EventActor: "user:alice",
        EventActor: "operator:carol",
        EventActor: "possessor",
        EventKind: "key.extensive_use",
        EventKind: "key.suspicious_use",
        EventOutcome: "refused: stale",
        Rate: "100/60s",
        UseAlert: "1000/3600s",
        Network: "10.0.0.0/8",
        Network: "192.168.0.0/16",
        Network: "0.0.0.0/0",
        Cursor: "event.asc.10",
        Name: "prod-main-app",
        Timestamp: "2026-11-21T12:00:00Z",
    );
    assert!(taken > 3_000, "{taken}");
}
