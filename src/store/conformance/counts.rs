//! Rules of `count_keys`: the number of the keys that pass the filters of a query.

use std::time::Duration;

use super::test_tenants::{Space, at, delta, name, put_user, user};
use crate::record::key::{KeyRecord, Owner, OwnerKind};
use crate::record::status::KeyStatus;
use crate::store::{Change, KeyQuery, KeySort, StoredKey};
use crate::value::id::TenantId;
use crate::value::metadata::Metadata;
use crate::value::note::{Contact, Description};
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

async fn count(space: &Space<'_>, tenant: &TenantId, query: &KeyQuery, at: Timestamp) -> u64 {
    space.done("counting keys", space.store.count_keys(tenant, query, at).await)
}

/// Writes keys that differ in every field that a query filters by. Half of them are used.
async fn many_keys(space: &Space<'_>) -> Vec<StoredKey> {
    let mut account = space.account();
    account.name = name("Nightly 100% Bílling");
    let owners = [user("Bob:1"), Owner::Account(account.id), Owner::Organization, user("alice")];
    let keys: Vec<KeyRecord> = (0..36)
        .map(|n| {
            space.key_with(|key| {
                let place = n as usize;
                key.owner = owners[place % 4].clone();
                key.name = name(["Prod-Main", "prod_100%", "tést", "a:b"][place / 2 % 4]);
                key.prefix = ["acme_live", "acme", "globex_test"][place % 3]
                    .parse::<Prefix>()
                    .expect("the suite's prefixes are valid");
                key.contact = ["Ops@example.com", "tést"]
                    .get(place % 5)
                    .map(|text| Contact::new(*text).expect("the suite's contacts are valid"));
                let notes = ["Sends invoices\nto the Archive", "user 100%\na\\b"];
                key.description = notes.get(place % 3).map(|text| {
                    Description::new(*text).expect("the suite's descriptions are valid")
                });
                let metadata = [("team", ["billing", "Billing"][place % 2])];
                key.metadata = Metadata::new(metadata).expect("the suite's metadata is valid");
                key.created_at = at(n);
                key.expires_at = (n % 4 != 0).then(|| at(40 + 10 * u32::from(n % 4 == 2)));
                key.not_before = (n % 5 == 0).then(|| at(45));
                key.disabled = n % 6 == 1;
                key.revoked_at = (n % 7 == 2).then(|| at(30));
            })
        })
        .collect();
    let owners = [Change::InsertAccount(account), put_user(&space.tenant, "alice", 1)];
    space.put(owners.into_iter().chain(keys.iter().cloned().map(Change::InsertKey))).await;
    let used = keys.iter().zip(0..).filter(|(_, n)| n % 2 == 1);
    let deltas = used.map(|(key, n)| delta(key.id(), 1, at(n + 10)));
    space.done("usage", space.store.add_usage(&space.usage(deltas)).await);
    let mut stored = Vec::new();
    for key in &keys {
        stored.push(space.found(key.id()).await);
    }
    stored
}

fn queries(stored: &[StoredKey]) -> Vec<KeyQuery> {
    let all = KeyQuery::new;
    let key = stored[7].record.key();
    let contact = Contact::new("tést").expect("the suite's contacts are valid");
    let mut queries = vec![
        all(),
        all().owner(user("alice")),
        all().owner(user("carol")),
        all().owner(Owner::Organization).status(KeyStatus::Revoked),
        all().owner_kind(OwnerKind::User),
        all().owner_kind(OwnerKind::Account).search("prod"),
        all().contact(contact),
        all().metadata("team", "billing"),
        all().metadata("team", "BILLING"),
        all().metadata("team\0", "billing"),
        all().prefix(key.prefix.clone()),
        all().expiring_within(Duration::ZERO),
        all().expiring_within(Duration::from_secs(10)),
        all().unused_since(at(12)),
        all().never_used(),
        all().never_used().unused_since(at(20)).status(KeyStatus::Active).search("o"),
    ];
    queries.extend(KeyStatus::ALL.map(|status| all().status(status)));
    let shown = key.display_prefix();
    let (id, short) = (key.id.as_str(), &shown[..shown.len() - 15]);
    // Also parts of the texts that a store may keep beside the record, and texts across two of them.
    let texts = [
        "MAIN",
        "%",
        "_",
        "\\",
        "TÉST",
        "",
        "nothing",
        "a:b",
        ":",
        "b:1",
        "bob:1",
        "user:bob",
        "user:",
        "er:al",
        "user",
        "account",
        "account:",
        "organization",
        "acme",
        "acme_",
        "live",
        "person",
        "ílling",
        "operator",
        "100%",
        "invoices",
        "invoices\nto",
        "com\nsends",
        "tést\nacme",
        "archive",
        "\nto",
        "\n",
        "a\\b",
        "\0",
    ];
    let texts = texts.into_iter().chain([shown.as_str(), short, &shown[3..], id]);
    queries.extend(texts.map(|text| all().search(text)));
    queries
}

pub(super) async fn count_is_number_of_matching_keys(space: &Space<'_>) {
    let stored = many_keys(space).await;
    for query in queries(&stored) {
        // Both sides of each bound, and the bound itself.
        for time in [39, 40, 45, 49, 50, 51].map(at) {
            let expected = stored
                .iter()
                .filter(|s| query.matches(&s.record, &s.usage, s.owner.as_ref(), time))
                .count() as u64;
            let counted = count(space, &space.tenant, &query, time).await;
            space.same(format!("the number of keys of {query:?} at {time}"), &counted, &expected);
        }
    }
}

pub(super) async fn count_has_no_cursor_and_limit(space: &Space<'_>) {
    let keys: Vec<_> = (0..9)
        .map(|n| {
            space.key_with(|key| {
                key.created_at = at(n);
                key.name = name(["prod", "test", "PROD"][n as usize % 3]);
            })
        })
        .collect();
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    for (filter, expected) in [(KeyQuery::new(), 9), (KeyQuery::new().search("prod"), 6)] {
        for sort in [KeySort::Created, KeySort::Name, KeySort::LastUsed] {
            let sorted = filter.clone().sort(sort);
            for query in [sorted.clone(), sorted.descending()] {
                let first = query.clone().limit(2);
                let page = space.store.keys(&space.tenant, &first, at(1)).await;
                let Some(second) = space.done("listing keys", page).next else {
                    space.broken("the first of several pages has no next query");
                };
                for query in [query, first, second] {
                    let counted = count(space, &space.tenant, &query, at(1)).await;
                    space.same(format!("the number of keys of {query:?}"), &counted, &expected);
                }
            }
        }
    }
}

pub(super) async fn count_stays_in_its_tenant(space: &Space<'_>) {
    let abroad = [user("alice"), user("carol"), Owner::Organization].map(|owner| {
        space.key_with(|key| {
            key.tenant = space.other.clone();
            key.owner = owner;
        })
    });
    let mine = space.key();
    space.put([mine].into_iter().chain(abroad).map(Change::InsertKey)).await;
    let all = KeyQuery::new;
    let counts = [
        (all(), 1, 3),
        (all().owner(user("alice")), 1, 1),
        (all().owner(user("carol")), 0, 1),
        (all().owner_kind(OwnerKind::User), 1, 2),
        (all().search("a key"), 1, 3),
        (all().never_used(), 1, 3),
    ];
    for (query, here, there) in counts {
        let mut counted = Vec::new();
        for tenant in [&space.tenant, &space.other] {
            counted.push(count(space, tenant, &query, at(1)).await);
        }
        space.same(
            format!("the numbers of {query:?} in two tenants"),
            &counted,
            &vec![here, there],
        );
    }
}
