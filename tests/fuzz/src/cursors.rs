//! Any text as a cursor: it is refused, or the query has the same cursor and returns the rest of its listing.

use std::sync::OnceLock;
use std::time::Duration;

use common::{World, block_on, named};
use keywright::store::{AccountQuery, Cursor, EventQuery, KeyQuery, TenantQuery};

/// A world with a few keys, accounts and events. Nothing changes it.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = World::in_memory();
        block_on(async {
            for name in ["prod-b", "prod-a", "dev-c", "prod-d"] {
                let new = named(name).expires_in(Duration::from_secs(7_200));
                world.key_of(&world.admin, new).await;
                world.account(name, "analyst").await.expect("an account");
                world.clock.advance(Duration::from_secs(1));
            }
        });
        world
    })
}

/// Takes the text for each kind of query.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(cursor) = text.parse::<Cursor>() else { return };
    let (authority, admin) = (&world().authority, &world().admin);
    let mut taken = 0;
    if let Ok(query) = KeyQuery::new().limit(2).after(&cursor) {
        assert_eq!(query.cursor().as_ref(), Some(&cursor));
        let (sort, descending) = query.order();
        let whole = KeyQuery::new().sort(sort);
        let whole = if descending { whole.descending() } else { whole };
        let ids = |query: &KeyQuery| {
            let page = block_on(authority.keys(admin, query)).expect("a page");
            page.items.iter().map(|entry| entry.key.id).collect::<Vec<_>>()
        };
        assert_is_within(&ids(&query), &ids(&whole));
        taken += 1;
    }
    if let Ok(query) = EventQuery::new().limit(2).after(&cursor) {
        assert_eq!(query.cursor().as_ref(), Some(&cursor));
        let whole = EventQuery::new();
        let whole = if query.is_oldest_first() { whole.oldest_first() } else { whole };
        let numbers = |query: &EventQuery| {
            let page = block_on(authority.events(admin, query)).expect("a page");
            page.items.iter().map(|event| event.sequence).collect::<Vec<_>>()
        };
        assert_is_within(&numbers(&query), &numbers(&whole));
        taken += 1;
    }
    if let Ok(query) = AccountQuery::new().limit(2).after(&cursor) {
        assert_eq!(query.cursor().as_ref(), Some(&cursor));
        let ids = |query: &AccountQuery| {
            let page = block_on(authority.accounts(admin, query)).expect("a page");
            page.items.iter().map(|entry| entry.account.id).collect::<Vec<_>>()
        };
        assert_is_within(&ids(&query), &ids(&AccountQuery::new()));
        taken += 1;
    }
    if let Ok(query) = TenantQuery::new().after(&cursor) {
        assert_eq!(query.cursor().as_ref(), Some(&cursor));
        taken += 1;
    }
    assert!(taken < 2, "several kinds of queries take the cursor {text}");
}

/// Asserts that a page of at most two items is a run of the whole listing, and all of its rest if it is shorter.
#[track_caller]
fn assert_is_within<T: PartialEq>(page: &[T], whole: &[T]) {
    let is_run = page.is_empty() || whole.windows(page.len()).any(|run| run == page);
    assert!(is_run && (page.len() == 2 || whole.ends_with(page)), "items are out of order");
}
