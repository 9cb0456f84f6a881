//! Page sizes outside the bounds and cursors from another listing are refused.

use keywright::ListError;
use keywright::store::{
    AccountQuery, Cursor, CursorError, EventQuery, KeyQuery, KeySort, MAX_LIMIT,
};

use super::{assert_is_said, world};
use common::{admin, block_on, named, start};

#[test]
fn page_has_1_to_500_items() {
    block_on(async {
        let (world, ..) = world().await;
        let authority = &world.authority;
        assert_eq!(MAX_LIMIT, 500);
        for limit in [0, 501, u16::MAX] {
            let errors = [
                authority.keys(&admin(), &KeyQuery::new().limit(limit)).await.err(),
                authority.accounts(&admin(), &AccountQuery::new().limit(limit)).await.err(),
                authority.events(&admin(), &EventQuery::new().limit(limit)).await.err(),
            ];
            for error in errors {
                let error = error.expect("no such page");
                assert!(matches!(error, ListError::Limit(given) if given == limit), "{error:?}");
                assert_is_said(&error);
            }
        }
        for limit in [1, 500] {
            authority.keys(&admin(), &KeyQuery::new().limit(limit)).await.expect("keys");
            authority
                .accounts(&admin(), &AccountQuery::new().limit(limit))
                .await
                .expect("accounts");
            authority.events(&admin(), &EventQuery::new().limit(limit)).await.expect("events");
        }
    });
}

/// Returns a cursor of a page of keys, one of accounts and one of events.
async fn cursors() -> [Cursor; 3] {
    let (world, ..) = world().await;
    let authority = &world.authority;
    let role = super::role("analyst");
    let second = keywright::NewAccount::new(super::name("second"), role);
    authority.create_account(&admin(), second).await.expect("an account");
    world.key_of(&admin(), named("another")).await;
    let keys = authority.keys(&admin(), &KeyQuery::new().limit(1)).await.expect("keys");
    let accounts = authority.accounts(&admin(), &AccountQuery::new().limit(1)).await;
    let events = authority.events(&admin(), &EventQuery::new().limit(1)).await.expect("events");
    [keys.next_cursor(), accounts.expect("accounts").next_cursor(), events.next_cursor()]
        .map(|next| next.expect("more"))
}

#[test]
fn cursor_fits_only_its_own_query_kind() {
    let [keys, accounts, events] = block_on(cursors());
    let taken = |cursor: &Cursor| {
        [
            KeyQuery::new().after(cursor).is_ok(),
            AccountQuery::new().after(cursor).is_ok(),
            EventQuery::new().after(cursor).is_ok(),
        ]
    };
    assert_eq!(taken(&keys), [true, false, false]);
    assert_eq!(taken(&accounts), [false, true, false]);
    assert_eq!(taken(&events), [false, false, true]);
    assert_is_said(&CursorError);
}

#[test]
fn cursor_keeps_its_sort_order() {
    block_on(async {
        let (world, ..) = world().await;
        let query = KeyQuery::new().sort(KeySort::Name).descending().limit(1);
        let first = world.authority.keys(&admin(), &query).await.expect("keys");
        let next = first.next_cursor().expect("more");
        // The cursor decides the order, even if the client asks for another one.
        for query in [KeyQuery::new(), KeyQuery::new().sort(KeySort::Updated)] {
            let query = query.after(&next).expect("the cursor is of this kind");
            let page = world.authority.keys(&admin(), &query).await.expect("keys");
            let names: Vec<&str> = page.items.iter().map(|entry| entry.key.name.as_str()).collect();
            assert_eq!(names, ["prod-main-app"]);
        }
    });
}

#[test]
fn forged_cursor_is_refused_without_panic() {
    let id = "0000000000000000";
    let made_up = [
        String::from("x"),
        String::from("...."),
        String::from("created_at"),
        format!("created_at.asc.{id}"),
        format!("created_at.asc.{id}."),
        format!("created_at.up.{id}.0"),
        format!("color.asc.{id}.0"),
        String::from("created_at.asc.short.0"),
        format!("created_at.asc.{id}.99999999999999999999"),
        format!("created_at.asc.{id}.0.0"),
        format!("name.asc.{id}.zz"),
        format!("name.asc.{id}.ff"),
        format!("name.asc.{id}.6f00"),
        String::from("account."),
        format!("account.x.{id}"),
        format!("account.-1.{id}"),
        String::from("account.0.short"),
        String::from("event.asc"),
        String::from("event.asc.-1"),
        String::from("event.up.1"),
        String::from("event.asc.18446744073709551616"),
    ];
    for text in made_up {
        let cursor: Cursor = text.parse().expect("visible ASCII");
        assert_eq!(KeyQuery::new().after(&cursor).err(), Some(CursorError), "{text}");
        assert_eq!(AccountQuery::new().after(&cursor).err(), Some(CursorError), "{text}");
        assert_eq!(EventQuery::new().after(&cursor).err(), Some(CursorError), "{text}");
    }
    for text in ["a b", "a\n", "\u{e9}", &"x".repeat(2_049)] {
        assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
        assert!(serde_json::from_value::<Cursor>(text.into()).is_err(), "{text:?}");
    }
}

#[test]
fn name_cursor_has_one_spelling() {
    let id = "0000000000000000";
    let cursor: Cursor = format!("name.asc.{id}.6f").parse().expect("visible ASCII");
    assert!(KeyQuery::new().after(&cursor).is_ok());
    for half in ["f", "+f", "6f6", "6F", "0x6f"] {
        let cursor: Cursor = format!("name.asc.{id}.{half}").parse().expect("visible ASCII");
        assert_eq!(KeyQuery::new().after(&cursor).err(), Some(CursorError), "{half}");
    }
}

#[test]
fn cursor_numbers_have_one_spelling() {
    let id = "0000000000000000";
    let taken = |text: &str| {
        let cursor: Cursor = text.parse().expect("visible ASCII");
        KeyQuery::new().after(&cursor).is_ok()
            || AccountQuery::new().after(&cursor).is_ok()
            || EventQuery::new().after(&cursor).is_ok()
    };
    for good in ["5", "0"] {
        for sort in ["created_at", "updated_at", "expires_at", "last_used_at"] {
            assert!(taken(&format!("{sort}.asc.{id}.{good}")), "{sort} {good}");
        }
        assert!(taken(&format!("account.{good}.{id}")), "{good}");
        assert!(taken(&format!("event.desc.{good}")), "{good}");
    }
    for bad in ["+5", "05", "00", "-0", "+0", "-05", "5_0", "0x5", "5e0"] {
        for sort in ["created_at", "updated_at", "expires_at", "last_used_at"] {
            assert!(!taken(&format!("{sort}.asc.{id}.{bad}")), "{sort} {bad}");
        }
        assert!(!taken(&format!("account.{bad}.{id}")), "{bad}");
        assert!(!taken(&format!("event.desc.{bad}")), "{bad}");
    }
}

#[test]
fn cursor_at_either_end_is_valid() {
    block_on(async {
        let (world, ..) = world().await;
        let id = "0000000000000000";
        // Both keys were created and changed at the start, do not expire, and were never used.
        let begin = start().unix_micros();
        let places = [
            ("created_at", begin),
            ("updated_at", begin),
            ("expires_at", i64::MAX),
            ("last_used_at", -1),
        ];
        for value in [0, -1, i64::MAX, i64::MIN] {
            for (sort, own) in places {
                // The id in the cursor sorts before every other id, so keys with an equal value
                // come after it.
                for (direction, behind) in [("asc", own >= value), ("desc", own < value)] {
                    let text = format!("{sort}.{direction}.{id}.{value}");
                    let cursor: Cursor = text.parse().expect("visible ASCII");
                    let query = KeyQuery::new().after(&cursor).expect("a place");
                    let page = world.authority.keys(&admin(), &query).await.expect("a page");
                    assert_eq!(page.items.len(), if behind { 2 } else { 0 }, "{text}");
                }
            }
        }
        for (text, found) in [("asc.18446744073709551615", 0), ("desc.0", 0), ("asc.0", 3)] {
            let cursor: Cursor = format!("event.{text}").parse().expect("visible ASCII");
            let query = EventQuery::new().after(&cursor).expect("a place");
            let page = world.authority.events(&admin(), &query).await.expect("a page");
            assert_eq!(page.items.len(), found, "{text}");
        }
    });
}
