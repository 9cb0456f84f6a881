//! Each filter and order of key queries matches a plain search through all keys.

use std::cmp::Ordering;

use keywright::store::{KeyQuery, KeySort};
use keywright::{
    KeyEntry, KeyId, KeyStatus, ListError, Name, NewAccount, NewKey, Owner, RoleName, Timestamp,
};

use super::{SORTS, on_each_store, walk};
use common::{DAY, HOUR, SECOND, World, admin, developer, named, start};

/// Fills a tenant with keys of two developers and an account, in every status, used and unused.
/// Some share an instant of creation, some share a name.
async fn populate(world: &World) -> Vec<KeyId> {
    let (authority, clock) = (&world.authority, &world.clock);
    let role = RoleName::new("analyst").expect("a role");
    let account = NewAccount::new(Name::new("nightly").expect("a name"), role);
    let account = authority.create_account(&admin(), account).await.expect("an account").account.id;
    let owners =
        [developer("alice").as_owner(), developer("Bob").as_owner(), Owner::Account(account)];
    let names =
        ["prod-app", "Prod-App", "staging-api", "\u{e4}pfel", "prod-app", "zebra", "\u{df}"];
    let mut made = Vec::new();
    for n in 0..28_usize {
        if n % 3 == 0 {
            clock.advance(SECOND);
        }
        let new = match n % 5 {
            0 => named(names[n % 7]).expires_in(HOUR),
            1 => named(names[n % 7]).expires_in(10 * DAY),
            2 => named(names[n % 7]).expires_in(40 * DAY),
            3 => named(names[n % 7]).not_before(start().saturating_add(2 * DAY)),
            _ => named(names[n % 7]),
        };
        made.push(
            authority.generate(&admin(), new.owner(owners[n % 3].clone())).await.expect("a key"),
        );
    }
    for (n, issued) in made.iter().enumerate() {
        if n % 4 == 1 {
            clock.advance(SECOND);
            // A key that is not yet valid is refused, so its use is not counted.
            let _ = world.verifier.verify(issued.token.expose()).await;
            world.verifier.flush().await.expect("the store works");
        }
        if n % 7 == 2 {
            authority.disable(&admin(), &issued.key.id).await.expect("active");
        }
        if n % 7 == 3 {
            authority.revoke(&admin(), &issued.key.id).await.expect("active");
        }
        if n % 6 == 5 {
            clock.advance(SECOND);
            let renamed = Name::new("renamed").expect("a name");
            authority.rename(&admin(), &issued.key.id, renamed).await.expect("any status");
        }
    }
    clock.set(start().saturating_add(DAY));
    made.iter().map(|issued| issued.key.id).collect()
}

async fn all(world: &World) -> Vec<KeyEntry> {
    let page = world.authority.keys(&admin(), &KeyQuery::new().limit(500)).await;
    page.expect("a page").items
}

/// Compares two entries as the documentation of the order defines it.
fn order(sort: KeySort, a: &KeyEntry, b: &KeyEntry) -> Ordering {
    let by = match sort {
        KeySort::Created => a.key.created_at.cmp(&b.key.created_at),
        KeySort::Updated => a.key.updated_at.cmp(&b.key.updated_at),
        KeySort::Name => a.key.name.as_str().chars().cmp(b.key.name.as_str().chars()),
        KeySort::Expires => match (a.key.expires_at, b.key.expires_at) {
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (a, b) => a.cmp(&b),
        },
        KeySort::LastUsed => match (a.last_used_at, b.last_used_at) {
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (a, b) => a.cmp(&b),
        },
    };
    by.then(a.key.id.cmp(&b.key.id))
}

fn ids(entries: &[KeyEntry]) -> Vec<KeyId> {
    entries.iter().map(|entry| entry.key.id).collect()
}

#[test]
fn listing_has_every_key_once() {
    on_each_store(async |world| {
        let mut made = populate(world).await;
        let mut listed = ids(&all(world).await);
        made.sort();
        listed.sort();
        assert_eq!(listed, made);
    });
}

#[test]
fn orders_hold_in_both_directions() {
    on_each_store(async |world| {
        let count = u16::try_from(populate(world).await.len()).expect("a few");
        let entries = all(world).await;
        for sort in SORTS {
            let mut expected = entries.clone();
            expected.sort_by(|a, b| order(sort, a, b));
            let ascending = KeyQuery::new().sort(sort);
            for size in (1..=count + 1).chain([50, 500]) {
                let found = ids(&walk(world, &ascending, size).await);
                assert_eq!(found, ids(&expected), "{sort:?} in pages of {size}");
            }
            expected.reverse();
            let descending = ascending.descending();
            for size in (1..=count + 1).chain([50, 500]) {
                let found = ids(&walk(world, &descending, size).await);
                assert_eq!(found, ids(&expected), "{sort:?}, descending, in pages of {size}");
            }
        }
    });
}

/// A filter's name, its query, and the predicate that it must match.
type Filter = (&'static str, KeyQuery, Box<dyn Fn(&KeyEntry) -> bool>);

fn has(text: &'static str) -> Box<dyn Fn(&KeyEntry) -> bool> {
    Box::new(move |entry| {
        let key = &entry.key;
        [key.name.to_string(), key.id.to_string(), key.owner.id().to_owned()]
            .iter()
            .any(|field| field.to_lowercase().contains(text))
    })
}

fn filters(world_now: Timestamp, one: &KeyEntry) -> Vec<Filter> {
    let status = |status| KeyQuery::new().status(status);
    let (id, owner) = (one.key.id, one.key.owner.clone());
    let alice = developer("alice").as_owner();
    let within = move |entry: &KeyEntry, period| {
        entry.status.is_live()
            && entry.key.expires_at.is_some_and(|end| end <= world_now.saturating_add(period))
    };
    let unused = |entry: &KeyEntry, since: Timestamp| {
        entry.key.created_at < since && entry.last_used_at.is_none_or(|used| used < since)
    };
    let since = start().saturating_add(6 * SECOND);
    vec![
        ("all", KeyQuery::new(), Box::new(|_| true)),
        ("active", status(KeyStatus::Active), Box::new(|e| e.status == KeyStatus::Active)),
        ("scheduled", status(KeyStatus::Scheduled), Box::new(|e| e.status == KeyStatus::Scheduled)),
        ("disabled", status(KeyStatus::Disabled), Box::new(|e| e.status == KeyStatus::Disabled)),
        ("expired", status(KeyStatus::Expired), Box::new(|e| e.status == KeyStatus::Expired)),
        ("revoked", status(KeyStatus::Revoked), Box::new(|e| e.status == KeyStatus::Revoked)),
        (
            "dead",
            status(KeyStatus::Expired).status(KeyStatus::Revoked),
            Box::new(|e| !e.status.is_live()),
        ),
        ("alice's", KeyQuery::new().owner(alice.clone()), Box::new(move |e| e.key.owner == alice)),
        ("one owner's", KeyQuery::new().owner(owner.clone()), {
            Box::new(move |e| e.key.owner == owner)
        }),
        ("named prod", KeyQuery::new().search("prod"), has("prod")),
        ("named PROD", KeyQuery::new().search("PROD"), has("prod")),
        ("named äpfel", KeyQuery::new().search("\u{c4}PFEL"), has("\u{e4}pfel")),
        ("owned by bob", KeyQuery::new().search("bob"), has("bob")),
        ("without a match", KeyQuery::new().search("no match"), has("no match")),
        ("by id", KeyQuery::new().search(id.as_str()), Box::new(move |e| e.key.id == id)),
        ("expiring in 9 days and 5 s", KeyQuery::new().expiring_within(9 * DAY + 5 * SECOND), {
            Box::new(move |e| within(e, 9 * DAY + 5 * SECOND))
        }),
        ("expiring in 20 days", KeyQuery::new().expiring_within(20 * DAY), {
            Box::new(move |e| within(e, 20 * DAY))
        }),
        ("unused since", KeyQuery::new().unused_since(since), Box::new(move |e| unused(e, since))),
        ("unused before the start", KeyQuery::new().unused_since(start()), {
            Box::new(move |e| unused(e, start()))
        }),
        ("never used", KeyQuery::new().never_used(), Box::new(|e| e.last_used_at.is_none())),
        (
            "active, of bob, named prod",
            status(KeyStatus::Active).owner(developer("Bob").as_owner()).search("prod"),
            Box::new(move |e| {
                e.status == KeyStatus::Active && e.key.owner.id() == "Bob" && has("prod")(e)
            }),
        ),
    ]
}

#[test]
fn key_filters_work_in_every_order() {
    on_each_store(async |world| {
        populate(world).await;
        let entries = all(world).await;
        let statuses = KeyStatus::ALL.map(|s| entries.iter().filter(|e| e.status == s).count());
        assert!(statuses.iter().all(|count| *count > 0), "each status occurs: {statuses:?}");
        let now = start().saturating_add(DAY);
        for (what, query, lets_through) in filters(now, &entries[7]) {
            let mut expected: Vec<_> =
                entries.iter().filter(|e| lets_through(e)).cloned().collect();
            let count = expected.len();
            let none = ["without a match", "unused before the start"].contains(&what);
            assert_eq!(count == 0, none, "{what}: {count}");
            assert!(count < entries.len() || what == "all", "{what} filters nothing");
            for sort in SORTS {
                expected.sort_by(|a, b| order(sort, a, b));
                for size in [1, 4, 500] {
                    let found = walk(world, &query.clone().sort(sort), size).await;
                    assert_eq!(ids(&found), ids(&expected), "{what} by {sort:?}");
                    let mut found = walk(world, &query.clone().sort(sort).descending(), size).await;
                    found.reverse();
                    assert_eq!(ids(&found), ids(&expected), "{what} by {sort:?}, descending");
                }
            }
        }
    });
}

#[test]
fn default_page_has_50_items() {
    on_each_store(async |world| {
        for n in 0..51 {
            world.key_of(&developer("alice"), named(&format!("key-{n}"))).await;
        }
        let page = world.authority.keys(&admin(), &KeyQuery::new()).await.expect("a page");
        assert_eq!(page.items.len(), 50);
        let query = page.next.expect("one more");
        let page = world.authority.keys(&admin(), &query).await.expect("a page");
        assert_eq!((page.items.len(), page.next.is_none()), (1, true));
    });
}

#[test]
fn developer_lists_only_own_keys() {
    on_each_store(async |world| {
        populate(world).await;
        let alice = developer("alice");
        let expected: Vec<_> =
            all(world).await.into_iter().filter(|e| e.key.owner == alice.as_owner()).collect();
        for query in [KeyQuery::new(), KeyQuery::new().owner(alice.as_owner())] {
            let page = world.authority.keys(&alice, &query).await.expect("own keys");
            assert_eq!(ids(&page.items), ids(&expected));
        }
        let others = KeyQuery::new().owner(developer("Bob").as_owner());
        let error = world.authority.keys(&alice, &others).await.expect_err("another's keys");
        assert!(matches!(error, ListError::PermissionDenied(_)), "{error:?}");
    });
}

#[test]
fn new_key_is_listed_as_generated() {
    on_each_store(async |world| {
        let new: NewKey = named("prod-main-app").expires_in(DAY);
        let issued = world.key_of(&developer("alice"), new).await;
        let entries = all(world).await;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].key, issued.key);
        assert_eq!(entries[0].prefix, issued.key.display_prefix());
        assert_eq!((entries[0].uses, entries[0].last_used_at), (0, None));
        assert_eq!(entries[0].status, KeyStatus::Active);
    });
}
