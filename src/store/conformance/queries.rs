//! Rules of filters: a store returns exactly the items that a query matches.

use std::collections::BTreeSet;
use std::time::Duration;

use super::test_tenants::{Space, at, delta, name, user};
use crate::record::account::ServiceAccount;
use crate::record::event::{Event, EventActor, EventKind};
use crate::record::key::{KeyRecord, Owner};
use crate::record::operation::Operation;
use crate::record::role::RoleName;
use crate::record::status::KeyStatus;
use crate::store::{AccountQuery, Batch, Change, EventQuery, KeyQuery, MAX_LIMIT, StoredKey};
use crate::value::id::{KeyId, UserId};
use crate::value::time::Timestamp;

/// Writes keys of every status and of several owners. Half of them are used.
async fn many_keys(space: &Space<'_>) -> (ServiceAccount, Vec<StoredKey>) {
    let account = space.account();
    let keys: Vec<KeyRecord> = (0..24)
        .map(|n| {
            space.key_with(|key| {
                key.owner = match n % 3 {
                    0 => Owner::Account(account.id),
                    1 => user("Bob"),
                    _ => user("alice"),
                };
                key.name = name(["Prod-Main", "prod_100%", "tést", "main"][n % 4]);
                key.created_at = at(u32::try_from(n).unwrap_or(0));
                key.expires_at = (n % 4 != 0).then(|| at(40 + 10 * u32::from(n % 4 == 2)));
                key.not_before = (n % 5 == 0).then(|| at(45));
                key.disabled = n % 6 == 1;
                key.revoked_at = (n % 7 == 2).then(|| at(30));
            })
        })
        .collect();
    let inserts = keys.iter().cloned().map(Change::InsertKey);
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(inserts)).await;
    let used = keys.iter().enumerate().filter(|(n, _)| n % 2 == 1);
    let deltas = used.map(|(n, key)| delta(key.id(), 1, at(u32::try_from(n).unwrap_or(0) + 10)));
    space.done("usage", space.store.add_usage(&space.usage(deltas)).await);
    let mut stored = Vec::new();
    for key in &keys {
        stored.push(space.found(key.id()).await);
    }
    (account, stored)
}

async fn found(space: &Space<'_>, query: &KeyQuery, time: Timestamp) -> BTreeSet<KeyId> {
    let query = query.clone().limit(MAX_LIMIT);
    let page = space.store.keys(&space.tenant, &query, time).await;
    let page = space.done("listing keys", page);
    page.items.iter().map(|stored| *stored.record.id()).collect()
}

pub(super) async fn key_query_filters_are_obeyed(space: &Space<'_>) {
    let (account, stored) = many_keys(space).await;
    let shown = stored[5].record.key().display_prefix();
    let id = stored[7].record.id().to_string();
    let all = KeyQuery::new;
    let mut queries = vec![
        all(),
        all().owner(user("alice")),
        all().owner(Owner::Account(account.id)).status(KeyStatus::Revoked),
        all().owner(user("carol")),
        all().expiring_within(Duration::ZERO),
        all().expiring_within(Duration::from_secs(10)),
        all().unused_since(at(12)),
        all().never_used(),
        all().never_used().unused_since(at(10)).status(KeyStatus::Active),
        all().status(KeyStatus::Active).status(KeyStatus::Scheduled),
    ];
    queries.extend(KeyStatus::ALL.map(|status| all().status(status)));
    let account_id = account.id.to_string();
    let texts =
        ["MAIN", "%", "_", "TÉST", "bob", "user:bob", "", "nothing", &shown, &id, &account_id];
    queries.extend(texts.map(|text| all().search(text)));
    queries.push(all().search(id.to_lowercase()));
    // Both sides of each bound, and the bound itself.
    for time in [39, 40, 45, 49, 50, 51].map(at) {
        for query in &queries {
            let matching = stored
                .iter()
                .filter(|s| query.matches(&s.record, &s.usage, s.owner.as_ref(), time));
            let expected: BTreeSet<KeyId> = matching.map(|s| *s.record.id()).collect();
            for query in [query.clone(), query.clone().descending()] {
                let what = format!("the keys of {query:?} at {time}");
                space.same(what, &found(space, &query, time).await, &expected);
            }
        }
    }
    let first_micro = at(40).saturating_sub(Duration::from_micros(1));
    let live = all().status(KeyStatus::Active);
    let matching =
        stored.iter().filter(|s| live.matches(&s.record, &s.usage, s.owner.as_ref(), first_micro));
    let expected = matching.map(|s| *s.record.id()).collect();
    let what = "the active keys one microsecond before some expire";
    space.same(what, &found(space, &live, first_micro).await, &expected);
}

pub(super) async fn account_query_filters_are_obeyed(space: &Space<'_>) {
    let named = |text: &str, role: &str| ServiceAccount {
        name: name(text),
        role: RoleName::new(role).expect("the suite's roles are valid"),
        ..space.account()
    };
    let accounts = [
        named("Billing", "operator"),
        named("BILLING 100%", "analyst"),
        named("tést", "operator"),
        named("x", "billing"),
    ];
    space.put(accounts.iter().cloned().map(Change::InsertAccount)).await;
    let id = accounts[2].id.to_string();
    let (upper, lower) = (id.to_uppercase(), id.to_lowercase());
    let texts = ["", "billing", "BILL", "%", "_", "TÉS", "operator", "PERAT", &upper, &lower, "?"];
    for text in texts {
        let query = AccountQuery::new().search(text);
        let expected = query.page(&accounts).items;
        let page = space.store.accounts(&space.tenant, &query).await;
        let page = space.done("listing accounts", page);
        space.same(format!("the accounts that {text:?} finds"), &page.items, &expected);
    }
}

pub(super) async fn event_query_filters_are_obeyed(space: &Space<'_>) {
    let keys = [0, 1].map(|_| space.key_id());
    let accounts = [0, 1].map(|_| space.account().id);
    let bob = EventActor::User(UserId::new("bob").expect("the suite's user ids are valid"));
    let actors = [bob, EventActor::System, EventActor::Possessor];
    let kinds = [
        EventKind::Operation(Operation::KeyGenerate),
        EventKind::Operation(Operation::KeyRevoke),
        EventKind::ExtensiveUse,
    ];
    let events: Vec<Event> = (0..24_usize)
        .map(|n| Event {
            key: (n % 3 != 0).then(|| keys[n % 2]),
            account: (n % 4 != 0).then(|| accounts[n / 2 % 2]),
            previous_account: (n % 5 == 0).then(|| accounts[n % 2]),
            actor: actors[n % 3].clone(),
            kind: kinds[n / 3 % 3],
            at: at(u32::try_from(n / 2).unwrap_or(0)),
            ..space.event(n.to_string())
        })
        .collect();
    let write = Batch { events, ..space.batch([]) };
    space.done("a commit of events", space.store.commit(write).await);
    let all = EventQuery::new;
    let mut queries = vec![
        all(),
        all().key(keys[0]).account(accounts[1]),
        all().key(keys[1]).kind(kinds[2]).since(at(4)),
        all().since(at(5)),
        all().until(at(5)),
        all().since(at(5)).until(at(5)),
        all().since(at(3)).until(at(9)).actor(actors[0].clone()),
        all().key(space.key_id()),
    ];
    queries.extend(keys.map(|key| all().key(key)));
    queries.extend(accounts.map(|account| all().account(account)));
    queries.extend(actors.map(|actor| all().actor(actor)));
    queries.extend(kinds.map(|kind| all().kind(kind)));
    let stored = space.events_of(&space.tenant).await;
    space.same("the number of events", &stored.len(), &24);
    for query in queries {
        let mut expected: Vec<&Event> = stored.iter().filter(|e| query.matches(e)).collect();
        for query in [query.clone().oldest_first(), query] {
            let page = space.store.events(&space.tenant, &query).await;
            let page = space.done("listing events", page);
            let found: Vec<&Event> = page.items.iter().collect();
            space.same(format!("the events of {query:?}"), &found, &expected);
            expected.reverse();
        }
    }
}
