//! Listings: they fit the terminal, filter, and continue from page to page.

use keywright::Timestamp;
use serde_json::Value;

use crate::desk::{Desk, NO_KEY, id_of, ran};

#[test]
fn table_fits_the_terminal() {
    let desk = Desk::open();
    let account = desk.done(&["account", "create", "nightly", "--role", "analyst"]);
    let owner = format!("account:{}", account.trim_end());
    let long = "a-name-of-very-many-words-and-very-many-letters-that-goes-on-and-on";
    let (token, a) = desk.generate(&["prod-main-app", "--expires-in", "90d"]);
    let args = ["--prefix", "acme_live_production_europe", "key", "generate", long];
    let b = desk.done(&[&args[..], &["--owner", &owner, "--not-before", "2999-01-01"]].concat());
    assert_eq!(desk.verify(&token, &[]).code, 0);
    desk.done(&["key", "rotate", &a, "--overlap", "1d"]);
    let expires = desk.json(&["key", "show", &a])["key"]["expires_at"].to_string();
    let created = desk.json(&["account", "list"])["items"][0]["account"]["created_at"].to_string();
    for columns in [40, 60, 80, 99, 100, 101, 120, 127, 128, 160, 200] {
        let show = |command| ran(desk.command(command).env("COLUMNS", columns.to_string())).out;
        let dates = [&expires[1..11], &created[1..11], &created[1..11]];
        for (command, date) in
            [&["key", "list"][..], &["events"], &["account", "list"]].iter().zip(dates)
        {
            let shown = show(command);
            let widest = shown.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!((1..=columns).contains(&widest), "{columns} {command:?}\n{shown}");
            for whole in [account.trim_end(), date] {
                assert!(shown.contains(whole), "{whole} at {columns} in {command:?}\n{shown}");
            }
        }
        for whole in [&a, &id_of(b.trim_end()), "scheduled", "finish-rotation"] {
            let shown = show(&["key", "list"]);
            assert!(columns < 60 || shown.contains(whole), "{whole} at {columns}\n{shown}");
        }
    }
    let without = desk.done(&["key", "list"]);
    assert_eq!(without, ran(desk.command(&["key", "list"]).env("COLUMNS", "100")).out);
    for column in ["name", "prefix", "owner", "status", "uses", "last used", "expires", "actions"] {
        assert!(without.lines().next().is_some_and(|head| head.contains(column)), "{without}");
    }
}

#[test]
fn every_time_is_iso_8601() {
    let desk = Desk::open();
    let (token, id) = desk.generate(&["a", "--expires-at", "2999-01-31"]);
    desk.verify(&token, &[]);
    desk.done(&["key", "rotate", &id, "--overlap", "12h"]);
    let shown = desk.done(&["key", "show", &id]);
    let times = shown.split_whitespace().filter(|w| w.ends_with('Z') && w.starts_with('2'));
    let times: Vec<Timestamp> = times.map(|word| word.parse().expect("RFC 3339")).collect();
    // Created, updated, expires, last used, rotated, overlap ends, old last used.
    assert_eq!(times.len(), 7, "{shown}");
    assert!(shown.contains("2999-01-31T00:00:00Z"), "{shown}");
    assert!(shown.contains("no, not yet"), "{shown}");
}

#[test]
fn page_names_its_next_page() {
    let desk = Desk::open();
    let ids = ["prod-a", "prod-b", "prod-c"].map(|name| desk.generate(&[name]).1);
    for _ in 0..2 {
        desk.done(&["account", "create", "nightly", "--role", "analyst"]);
    }
    let lists = [
        &["key", "list", "--sort", "name"][..],
        &["account", "list"],
        &["events", "--oldest-first"],
    ];
    for (list, count) in lists.into_iter().zip([3, 2, 7]) {
        let first = desk.run(&[list, &["--limit", "1"]].concat());
        let cursor = first.err.split_whitespace().skip_while(|word| *word != "--after").nth(1);
        let cursor = cursor.unwrap_or_else(|| panic!("no cursor: {first:?}"));
        let items = |args: &[&str]| {
            let page = desk.json(&[list, args].concat());
            let items = page["items"].as_array().cloned().expect("a list");
            (items, page["next"].clone())
        };
        let (mut one, next) = items(&["--limit", "1"]);
        assert_eq!((one.len(), next.as_str()), (1, Some(cursor)), "{list:?}");
        let (rest, end) = items(&["--after", cursor, "--all"]);
        one.extend(rest);
        assert_eq!((&one, &Value::Null), (&items(&["--all"]).0, &end), "{list:?}");
        assert_eq!(one.len(), count, "{list:?}");
    }
    let by_name = desk.json(&["key", "list", "--sort", "name", "--descending"]);
    let by_name: Vec<_> = (0..3).map(|n| by_name["items"][n]["key"]["id"].clone()).collect();
    assert_eq!(by_name, ids.iter().rev().map(|id| Value::from(id.as_str())).collect::<Vec<_>>());
}

#[test]
fn q11_listing_counts_the_keys_on_all_pages() {
    let desk = Desk::open();
    for name in ["prod-a", "prod-b", "dev-c"] {
        desk.generate(&[name]);
    }
    let page = desk.json(&["key", "list", "--count", "--limit", "1", "--search", "prod"]);
    assert_eq!(
        (page["items"].as_array().map(Vec::len), &page["total"]),
        (Some(1), &Value::from(2))
    );
    let shown = desk.run(&["key", "list", "--count", "--limit", "2"]);
    assert!(shown.err.contains("2 of 3 keys"), "{shown:?}");
    let page = desk.json(&["--as", "bob:developer", "key", "list", "--count"]);
    assert_eq!(page["total"], 0);
    assert_eq!(desk.json(&["key", "list"]).get("total"), None);
    let refused = desk.run(&["key", "list", "--count", "--all-tenants"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn filters_narrow_a_listing() {
    let desk = Desk::open();
    let (token, _) =
        desk.generate(&["prod-used", "--expires-in", "10d", "--metadata", "team=billing"]);
    let (_, idle) = desk.generate(&["prod-idle", "--owner", "user:alice", "--no-expiry"]);
    desk.done(&["key", "disable", &idle]);
    desk.done(&["key", "describe", &idle, "--contact", "ops@example.com"]);
    assert_eq!(desk.verify(&token, &[]).code, 0);
    let found: [(&[&str], &[&str]); 20] = [
        (&["key", "list", "--owner-kind", "user"], &["prod-used", "prod-idle"]),
        (&["key", "list", "--owner-kind", "account"], &[]),
        (&["key", "list", "--contact", "ops@example.com"], &["prod-idle"]),
        (&["key", "list", "--metadata", "team=billing"], &["prod-used"]),
        (&["key", "list", "--metadata", "team=billing", "--metadata", "team=ops"], &[]),
        (&["key", "list", "--prefix", "other"], &[]),
        (&["key", "list", "--search", "OPS@"], &["prod-idle"]),
        (&["key", "list"], &["prod-used", "prod-idle"]),
        (&["key", "list", "--search", "USED"], &["prod-used"]),
        (&["key", "list", "--status", "disabled"], &["prod-idle"]),
        (
            &["key", "list", "--status", "disabled", "--status", "active"],
            &["prod-used", "prod-idle"],
        ),
        (&["key", "list", "--owner", "user:alice"], &["prod-idle"]),
        (&["key", "list", "--never-used"], &["prod-idle"]),
        (&["key", "list", "--expiring-within", "11d"], &["prod-used"]),
        (&["key", "list", "--expiring-within", "9d"], &[]),
        (&["key", "list", "--unused-since", "2999-01-01"], &["prod-used", "prod-idle"]),
        (&["key", "list", "--unused-since", "1d"], &[]),
        (&["--as", "alice:developer", "key", "list"], &["prod-idle"]),
        (&["--as", "bob:developer", "key", "list"], &[]),
        (&["--tenant", "other", "key", "list"], &[]),
    ];
    for (args, names) in found {
        let page = desk.json(args);
        let items = page["items"].as_array().expect("a list").iter();
        assert_eq!(items.map(|item| &item["key"]["name"]).collect::<Vec<_>>(), names, "{args:?}");
    }
    let counted: [(&[&str], usize); 8] = [
        (&["events", "--key", &idle], 3),
        (&["events", "--kind", "key.generate"], 2),
        (&["events", "--actor", "user:operator"], 6),
        (&["events", "--actor", "system"], 0),
        (&["events", "--account", NO_KEY], 0),
        (&["events", "--since", "1h"], 6),
        (&["events", "--since", "2999-01-01T00:00:00Z"], 0),
        (&["events", "--until", "1h"], 0),
    ];
    for (args, count) in counted {
        assert_eq!(desk.json(args)["items"].as_array().map(Vec::len), Some(count), "{args:?}");
    }
}

#[test]
fn q10_abilities_answer_before_a_try() {
    let desk = Desk::open();
    desk.generate(&["prod-main-app", "--owner", "user:alice"]);
    let told = desk.json(&["--as", "alice:developer", "abilities"]);
    assert_eq!((&told["owner"], &told["can_generate"]), (&"user:alice".into(), &true.into()));
    assert_eq!((&told["keys"]["live"], &told["keys"]["max"]), (&1.into(), &10.into()));
    assert_eq!(told["choices"]["scopes"]["invoices:write"]["access"], "read-write");
    let shown = desk.done(&["--as", "alice:developer", "abilities"]);
    assert!(shown.contains("live keys") && shown.contains("10"), "{shown}");

    desk.done(&["plan", "set", "--api-access", "off"]);
    let told = desk.json(&["--as", "audrey:auditor", "abilities", "user:alice"]);
    let codes: Vec<_> = told["obstacles"].as_array().expect("a list").iter().collect();
    let codes: Vec<_> = codes.iter().map(|obstacle| obstacle["code"].as_str()).collect();
    assert_eq!(codes, [Some("permission_denied"), Some("upgrade_required")]);
    let shown = desk.done(&["abilities", "organization"]);
    assert!(shown.contains("upgrade required"), "{shown}");
}
