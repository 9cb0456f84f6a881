//! Rules of the lists of all tenants.
//!
//! Other rules use the same store, so each rule selects the records of its own run.

use std::time::Duration;

use super::test_tenants::{Space, at, delta, event_in, user};
use crate::record::key::KeyRecord;
use crate::record::status::KeyStatus;
use crate::store::{
    Batch, Change, KeyQuery, KeySort, StoredKey, TenantEntry, TenantQuery, UsageDelta,
};
use crate::value::id::{KeyId, TenantId};

const SORTS: [KeySort; 5] =
    [KeySort::Created, KeySort::Updated, KeySort::Name, KeySort::Expires, KeySort::LastUsed];

/// Writes keys of one owner in two tenants, which take turns in every order.
async fn keys_in_two_tenants(space: &Space<'_>, owner: &str) -> Vec<StoredKey> {
    let keys: Vec<KeyRecord> = (0..12)
        .map(|n| {
            space.key_with(|key| {
                let tenant = if n % 2 == 0 { &space.tenant } else { &space.other };
                key.tenant = tenant.clone();
                key.owner = user(owner);
                key.created_at = at(n / 3);
                key.updated_at = at(40 - n);
                key.expires_at = (n % 4 != 3).then(|| at(60 + n % 5));
                key.revoked_at = (n % 6 == 4).then(|| at(45));
            })
        })
        .collect();
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    let used = keys.iter().zip(0..).filter(|(_, n)| n % 3 != 0);
    let deltas: Vec<UsageDelta> = used.map(|(key, n)| delta(key.id(), 1, at(30 + n % 4))).collect();
    space.done("usage", space.store.add_usage(&space.usage(deltas)).await);
    let mut stored = Vec::new();
    for key in &keys {
        let found = space.store.key(&key.key().tenant, key.id()).await;
        match space.done("a lookup", found) {
            Some(found) => stored.push(found),
            None => space.broken("a key that was written is absent"),
        }
    }
    stored
}

async fn walk(space: &Space<'_>, query: &KeyQuery, size: u16) -> Vec<KeyId> {
    let (mut query, mut found) = (query.clone().limit(size), Vec::new());
    loop {
        let page = space.store.keys_of_all_tenants(&query, at(61)).await;
        let page = space.done("listing the keys of all tenants", page);
        let (len, size) = (page.items.len(), usize::from(size));
        let fits = if page.next.is_some() { len == size } else { len <= size };
        space.holds(format!("a page has {len} keys, but its size is {size}"), fits);
        found.extend(page.items.iter().map(|stored| *stored.record.id()));
        space.holds("the list of all tenants' keys does not end", found.len() < 60);
        let Some(next) = page.next else { return found };
        query = next;
    }
}

pub(super) async fn keys_of_all_tenants_have_one_order(space: &Space<'_>) {
    let owner = space.key_id().to_string();
    let mut stored = keys_in_two_tenants(space, &owner).await;
    let mine = KeyQuery::new().owner(user(&owner));
    let queries = [
        mine.clone(),
        KeyQuery::new().search(&owner),
        mine.clone().expiring_within(Duration::from_secs(2)),
        mine.clone().unused_since(at(32)),
        mine.clone().never_used(),
        mine.clone().status(KeyStatus::Revoked).status(KeyStatus::Expired),
    ];
    for query in queries.into_iter().flat_map(|q| SORTS.map(|sort| q.clone().sort(sort))) {
        for query in [query.clone(), query.descending()] {
            let place = |s: &StoredKey| query.position(&s.record, &s.usage);
            stored.sort_by(|a, b| query.compare(&place(a), &place(b)));
            let matching = stored
                .iter()
                .filter(|s| query.matches(&s.record, &s.usage, s.owner.as_ref(), at(61)));
            let expected: Vec<KeyId> = matching.map(|s| *s.record.id()).collect();
            for size in [1, 5, 6, 12, 13] {
                let found = walk(space, &query, size).await;
                let what = format!("the keys of all tenants for {query:?} in pages of {size}");
                space.same(what, &found, &expected);
            }
        }
    }
}

async fn tenants(space: &Space<'_>, prefix: &str, size: u16) -> Vec<TenantEntry> {
    let mut query = TenantQuery::new().starting_with(prefix).limit(size);
    let mut found = Vec::new();
    loop {
        let page = space.done("listing tenants", space.store.tenants(&query, at(50)).await);
        let (len, size) = (page.items.len(), usize::from(size));
        let fits = if page.next.is_some() { len == size } else { len <= size };
        space.holds(format!("a page has {len} tenants, but its size is {size}"), fits);
        found.extend(page.items);
        space.holds("the list of tenants does not end", found.len() < 60);
        let Some(next) = page.next else { return found };
        query = next;
    }
}

pub(super) async fn tenants_are_listed_with_their_numbers(space: &Space<'_>) {
    let run = space.key_id();
    let tenant = |name: &str| -> TenantId {
        format!("{run}{name}").parse().expect("the suite's tenant ids are valid")
    };
    // The order is that of the bytes, and no character has a special meaning.
    let [busy, quiet, percent, silent] = ["-a", "-Z", "%_", "-silent"].map(tenant);
    let mut keys: Vec<KeyRecord> = (0..5)
        .map(|n| {
            space.key_with(|key| {
                key.tenant = busy.clone();
                key.disabled = n == 1;
                key.not_before = (n == 2).then(|| at(90));
                key.expires_at = (n == 3).then(|| at(50));
                key.revoked_at = (n == 4).then(|| at(10));
            })
        })
        .collect();
    let mut account = space.account();
    account.tenant = busy.clone();
    let changes = keys.iter().cloned().map(Change::InsertKey);
    let changes = changes.chain([Change::InsertAccount(account.clone())]);
    let mut changes: Vec<_> = changes.collect();
    for (tenant, events) in [(&busy, 2), (&quiet, 1), (&percent, 1)] {
        let events = vec![event_in(tenant, "an event"); events];
        let changes = std::mem::take(&mut changes);
        let write = Batch { changes, events, ..Batch::of(tenant.clone()) };
        space.done("a commit", space.store.commit(write).await);
    }
    let entry = |tenant: &TenantId, live_keys, keys, accounts, last_event| TenantEntry {
        tenant: tenant.clone(),
        live_keys,
        keys,
        accounts,
        last_event,
    };
    let mut expected =
        vec![entry(&percent, 0, 0, 0, 1), entry(&quiet, 0, 0, 0, 1), entry(&busy, 3, 5, 1, 2)];
    for size in [1, 2, 3, 4] {
        let found = tenants(space, run.as_str(), size).await;
        space.same(format!("the tenants in pages of {size}"), &found, &expected);
    }
    for (prefix, expected) in [
        (format!("{run}-"), &expected[1..]),
        (format!("{run}%"), &expected[..1]),
        (format!("{run}-A"), &[]),
        (silent.to_string(), &[]),
    ] {
        let found = tenants(space, &prefix, 10).await;
        space.same(format!("the tenants that start with {prefix:?}"), &found.as_slice(), &expected);
    }
    let last = keys.remove(0);
    let changes = vec![Change::DeleteKey(*last.id()), Change::DeleteAccount(account.id)];
    let events = vec![event_in(&busy, "deleted")];
    let delete = Batch { changes, events, ..Batch::of(busy.clone()) };
    space.done("a delete", space.store.commit(delete).await);
    expected[2] = entry(&busy, 2, 4, 0, 3);
    let found = tenants(space, run.as_str(), 10).await;
    space.same("the tenants after a delete", &found, &expected);
}
