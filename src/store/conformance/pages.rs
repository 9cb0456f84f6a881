//! Rules of pages: every item is listed once and in order, even if others change meanwhile.

use super::test_tenants::{Space, at, delta, name, next, said, user};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::store::{
    AccountQuery, Batch, Change, DEFAULT_LIMIT, EventQuery, KeyQuery, KeySort, Listed, MAX_LIMIT,
    Page, StoredKey,
};
use crate::value::id::KeyId;

const SORTS: [KeySort; 5] =
    [KeySort::Created, KeySort::Updated, KeySort::Name, KeySort::Expires, KeySort::LastUsed];

/// The number of items to list.
const MANY: u32 = 12;

const SIZES: [u16; 5] = [1, 2, 5, 12, 13];

/// Writes keys that share some of the values by which keys are sorted. Half of them are used.
async fn many_keys(space: &Space<'_>) -> Vec<StoredKey> {
    let names = ["b", "B", "a", "b", "\u{1F511}", "é"];
    let keys: Vec<KeyRecord> = (0..MANY)
        .map(|n| {
            space.key_with(|key| {
                key.name = name(names[n as usize % names.len()]);
                key.created_at = at(n / 3);
                key.updated_at = at(20 - n / 2);
                key.expires_at = (n % 3 != 0).then(|| at(100 + n % 4));
            })
        })
        .collect();
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    let deltas = keys.iter().zip(0..).filter(|(_, n)| n % 2 == 0);
    let deltas = deltas.map(|(key, n)| delta(key.id(), 1, at(30 + n % 4)));
    space.done("usage", space.store.add_usage(&space.usage(deltas)).await);
    let mut stored = Vec::new();
    for key in &keys {
        stored.push(space.found(key.id()).await);
    }
    stored
}

/// Reads all pages of a listing. Checks that no page exceeds its size and that only the last may be
/// smaller.
async fn walk<T: Listed>(
    space: &Space<'_>,
    what: &str,
    size: u16,
    mut query: T::Query,
    mut read: impl AsyncFnMut(T::Query) -> Page<T>,
) -> Vec<T> {
    let (size, mut found) = (usize::from(size), Vec::new());
    loop {
        let page = read(query).await;
        let (len, more) = (page.items.len(), page.next.is_some());
        let fits = if more { len == size } else { len <= size };
        space.holds(format!("{what}: a page has {len} items, but its size is {size}"), fits);
        found.extend(page.items);
        let all = 4 * MANY as usize;
        space.holds(format!("{what}: the listing does not end"), found.len() < all);
        let Some(next) = page.next else { return found };
        query = next;
    }
}

async fn walk_keys(space: &Space<'_>, query: &KeyQuery, size: u16) -> Vec<KeyId> {
    let what = format!("{query:?}");
    let query = query.clone().limit(size);
    let found = walk(space, &what, size, query, async |query| {
        space.done("listing keys", space.store.keys(&space.tenant, &query, at(50)).await)
    });
    found.await.iter().map(|stored| *stored.record.id()).collect()
}

pub(super) async fn keys_come_once_and_in_order(space: &Space<'_>) {
    let mut stored = many_keys(space).await;
    for sort in SORTS {
        for query in [KeyQuery::new().sort(sort), KeyQuery::new().sort(sort).descending()] {
            stored.sort_by(|a, b| {
                let place = |stored: &StoredKey| query.position(&stored.record, &stored.usage);
                query.compare(&place(a), &place(b))
            });
            let expected: Vec<KeyId> = stored.iter().map(|stored| *stored.record.id()).collect();
            for size in SIZES {
                let found = walk_keys(space, &query, size).await;
                let reversed = query.order().1;
                let what = format!("{sort:?}, descending: {reversed}, in pages of {size}");
                space.same(what, &found, &expected);
            }
        }
    }
}

pub(super) async fn accounts_come_once_and_in_order(space: &Space<'_>) {
    let mut accounts: Vec<ServiceAccount> = (0..MANY)
        .map(|n| ServiceAccount { created_at: at(20 - n / 3), ..space.account() })
        .collect();
    space.put(accounts.iter().cloned().map(Change::InsertAccount)).await;
    accounts.sort_by_key(|account| (account.created_at, account.id));
    for size in SIZES {
        let query = AccountQuery::new().limit(size);
        let found = walk(space, "accounts", size, query, async |query| {
            space.done("listing accounts", space.store.accounts(&space.tenant, &query).await)
        });
        space.same(format!("accounts in pages of {size}"), &found.await, &accounts);
    }
}

pub(super) async fn events_come_once_and_in_order(space: &Space<'_>) {
    for n in 0..MANY / 2 {
        let events = vec![space.event(format!("{n} a")), space.event(format!("{n} b"))];
        let batch = Batch { events, ..space.batch([]) };
        space.done("a commit of events", space.store.commit(batch).await);
    }
    let mut expected: Vec<String> =
        (0..MANY / 2).flat_map(|n| [format!("{n} a"), format!("{n} b")]).collect();
    for oldest_first in [true, false] {
        for size in SIZES {
            let query = EventQuery::new().limit(size);
            let query = if oldest_first { query.oldest_first() } else { query };
            let found = walk(space, "events", size, query, async |query| {
                space.done("listing events", space.store.events(&space.tenant, &query).await)
            });
            let found: Vec<Event> = found.await;
            let found: Vec<_> = found.iter().map(said).collect();
            let what = format!("events, oldest first: {oldest_first}, in pages of {size}");
            space.same(what, &found, &expected);
        }
        expected.reverse();
    }
}

pub(super) async fn page_keeps_its_limit(space: &Space<'_>) {
    let many = MAX_LIMIT + 1;
    let keys = (0..many).map(|_| Change::InsertKey(space.key()));
    let events = (0..many).map(|n| space.event(n.to_string())).collect();
    let write = Batch { events, ..space.batch(keys) };
    space.done("a commit of many keys and events", space.store.commit(write).await);
    let limits = [
        (None, DEFAULT_LIMIT),
        (Some(0), 1),
        (Some(1), 1),
        (Some(MAX_LIMIT), MAX_LIMIT),
        (Some(u16::MAX), MAX_LIMIT),
    ];
    for (limit, expected) in limits {
        let (mut keys, mut events) = (KeyQuery::new(), EventQuery::new());
        if let Some(limit) = limit {
            (keys, events) = (keys.limit(limit), events.limit(limit));
        }
        let keys = space.store.keys(&space.tenant, &keys, at(0)).await;
        let keys = space.done("listing keys", keys);
        let what =
            format!("the number of keys and whether there are more, for a limit of {limit:?}");
        let seen = (keys.items.len(), keys.next.is_some());
        space.same(what, &seen, &(usize::from(expected), true));
        let events = space.store.events(&space.tenant, &events).await;
        let events = space.done("listing events", events);
        let what =
            format!("the number of events and whether there are more, for a limit of {limit:?}");
        let seen = (events.items.len(), events.next.is_some());
        space.same(what, &seen, &(usize::from(expected), true));
    }
}

pub(super) async fn full_last_page_has_no_next(space: &Space<'_>) {
    let keys = (0..4).map(|n| {
        let owner = user(if n < 3 { "alice" } else { "bob" });
        Change::InsertKey(space.key_with(|key| (key.owner, key.created_at) = (owner, at(n))))
    });
    let accounts = (0..4).map(|_| Change::InsertAccount(space.account()));
    space.put(keys.chain(accounts)).await;
    // The last key is on no page of the second query.
    for (query, matching) in [(KeyQuery::new(), 4), (KeyQuery::new().owner(user("alice")), 3)] {
        for sort in SORTS {
            for query in [query.clone().sort(sort), query.clone().sort(sort).descending()] {
                for (limit, has_next) in [(matching - 1, true), (matching, false)] {
                    let query = query.clone().limit(limit);
                    let page = space.store.keys(&space.tenant, &query, at(50)).await;
                    let page = space.done("listing keys", page);
                    let seen = (page.items.len(), page.next.is_some());
                    let what =
                        format!("the number of keys and whether there are more, of {query:?}");
                    space.same(what, &seen, &(usize::from(limit), has_next));
                }
            }
        }
    }
    let mut query = AccountQuery::new().limit(2);
    for has_next in [true, false] {
        let page = space.store.accounts(&space.tenant, &query).await;
        let page = space.done("listing accounts", page);
        let seen = (page.items.len(), page.next.is_some());
        let what = format!("the number of accounts and whether there are more, of {query:?}");
        space.same(what, &seen, &(2, has_next));
        let Some(next) = page.next else { break };
        query = next;
    }
}

/// Changes keys between two pages: renames one to another place in the order, inserts one, and deletes
/// one.
async fn move_others(space: &Space<'_>, movers: &mut Vec<KeyRecord>, page: usize) {
    let names = ["k00", "k55", "k99"];
    let Some(mover) = movers.pop() else { return };
    let to = next(&mover, |key| key.name = name(names[page % names.len()]));
    let comes = space.key_with(|key| key.name = name(names[(page + 1) % names.len()]));
    let goes = movers.pop().map(|gone| Change::DeleteKey(*gone.id()));
    let changes = [Change::UpdateKey(to), Change::InsertKey(comes)];
    space.put(changes.into_iter().chain(goes)).await;
}

pub(super) async fn unmoved_keys_appear_on_one_page(space: &Space<'_>) {
    for query in [KeyQuery::new().sort(KeySort::Name), KeyQuery::new().sort(KeySort::Created)] {
        for query in [query.clone(), query.descending()] {
            let build = |prefix: &str, n: u32| {
                space.key_with(|key| {
                    key.name = name(&format!("{prefix}{n:02}"));
                    key.created_at = at(n);
                })
            };
            let stay: Vec<_> = (0..MANY).map(|n| build("k", 5 * n)).collect();
            let mut movers: Vec<_> = (0..MANY).map(|n| build("k", 5 * n + 2)).collect();
            space.put(stay.iter().chain(&movers).cloned().map(Change::InsertKey)).await;
            let mut query = query.limit(3);
            let (mut found, mut pages) = (Vec::new(), 0);
            loop {
                let page = space.store.keys(&space.tenant, &query, at(50)).await;
                let page = space.done("listing keys", page);
                found.extend(page.items.iter().map(|stored| *stored.record.id()));
                pages += 1;
                space.holds("the listing does not end while keys move", pages < 100);
                let Some(next) = page.next else { break };
                query = next;
                move_others(space, &mut movers, pages).await;
            }
            for key in &stay {
                let times = found.iter().filter(|id| *id == key.id()).count();
                let what = format!(
                    "the number of times that {} is listed while others move",
                    key.key().name
                );
                space.same(what, &times, &1);
            }
        }
    }
}
