//! Rules of batches: a batch is written completely or not at all.

use super::test_tenants::{
    Space, at, event_in, next, next_account, policy, put_user, renamed, said,
};
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::store::{Batch, Change, Condition, Freshness, KeyQuery, StoreErrorKind};

/// A valid batch with changes of most kinds.
struct Everything {
    batch: Batch,
    inserted: KeyRecord,
    updated: KeyRecord,
    revoked: KeyRecord,
    deleted: KeyRecord,
}

async fn everything(space: &Space<'_>) -> Everything {
    let account = space.account();
    let [updated, revoked, deleted] = [0, 1, 2].map(|_| space.key());
    let old = [&updated, &revoked, &deleted].map(|key| Change::InsertKey(key.clone()));
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(old)).await;
    let inserted = space.key_of(&Owner::Account(account.id));
    let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(1) };
    let changes = [
        Change::InsertKey(inserted.clone()),
        Change::UpdateKey(renamed(&updated, "updated")),
        Change::RevokeKey { key: *revoked.id(), at: at(9) },
        Change::DeleteKey(*deleted.id()),
        Change::UpdateAccount(next_account(&account, |account| account.enabled = false)),
        Change::InsertAccount(space.account()),
        put_user(&space.tenant, "alice", 1),
        put,
    ];
    let events = vec![space.event("first"), space.event("second")];
    Everything {
        batch: Batch { events, ..space.batch(changes) },
        inserted,
        updated,
        revoked,
        deleted,
    }
}

/// Returns everything that the store shows of the rule's tenant, as text.
async fn seen(space: &Space<'_>) -> String {
    let page = space.store.keys(&space.tenant, &KeyQuery::new(), at(9)).await;
    let mut keys = Vec::new();
    for stored in space.done("listing keys", page).items {
        let looked_up = space.stored(stored.record.id()).await.map(|stored| stored.record);
        let resolved = space.done(
            "resolving",
            space.store.resolve(stored.record.id(), Freshness::StoreDefault).await,
        );
        let resolved = resolved.map(|found| (found.record().clone(), found.account().cloned()));
        keys.push((stored.record, looked_up, resolved));
    }
    let query = crate::store::AccountQuery::new();
    let accounts = space.store.accounts(&space.tenant, &query).await;
    let accounts = space.done("listing accounts", accounts).items;
    let policy = space.policy_of(&space.tenant).await;
    let user = space
        .done("a lookup", space.store.user(&space.tenant, &space.key().key().created_by).await);
    let events = space.events_of(&space.tenant).await;
    format!("{keys:#?} {accounts:#?} {policy:#?} {user:#?} {events:#?}")
}

pub(super) async fn failed_batch_writes_nothing(space: &Space<'_>) {
    let Everything { batch: whole, inserted, .. } = everything(space).await;
    let exists = space.key();
    let gone = space.key();
    space.put([Change::InsertKey(exists.clone()), Change::InsertKey(gone.clone())]).await;
    space.put([Change::DeleteKey(*gone.id())]).await;
    let before = seen(space).await;
    let tenant = || space.tenant.clone();
    let owner = || exists.key().owner.clone();
    let alice = || exists.key().created_by.clone();
    let changes = [
        (Change::InsertKey(exists.clone()), StoreErrorKind::AlreadyExists),
        (Change::InsertKey(gone.clone()), StoreErrorKind::AlreadyExists),
        (Change::UpdateKey(exists.clone()), StoreErrorKind::Conflict),
        (Change::RevokeKey { key: *gone.id(), at: at(9) }, StoreErrorKind::Conflict),
        (Change::DeleteKey(space.key_id()), StoreErrorKind::Conflict),
        (Change::UpdateAccount(space.account()), StoreErrorKind::Conflict),
        (Change::DeleteAccount(space.account().id), StoreErrorKind::Conflict),
    ];
    let conditions = [
        (Condition::PolicyVersion { tenant: tenant(), version: 7 }, StoreErrorKind::Conflict),
        (
            Condition::UserVersion { tenant: tenant(), user: alice(), version: 7 },
            StoreErrorKind::Conflict,
        ),
        (
            Condition::AccountVersion { account: space.account().id, version: 1 },
            StoreErrorKind::Conflict,
        ),
        (
            Condition::LiveKeysBelow { tenant: tenant(), owner: owner(), limit: 1, at: at(9) },
            StoreErrorKind::LimitReached,
        ),
        (
            Condition::NoLiveKeyLeft { tenant: tenant(), owner: owner(), at: at(9) },
            StoreErrorKind::Conflict,
        ),
    ];
    let mut batches = Vec::new();
    for (change, kind) in changes {
        for first in [true, false] {
            let mut batch = whole.clone();
            let place = if first { 0 } else { batch.changes.len() };
            batch.changes.insert(place, change.clone());
            batches.push((format!("a batch with {change:?}"), batch, kind));
        }
    }
    for (condition, kind) in conditions {
        let what = format!("a batch with {condition:?}");
        batches.push((what, Batch { conditions: vec![condition], ..whole.clone() }, kind));
    }
    for (what, batch, kind) in batches {
        let said = space.store.commit(batch).await;
        space.refused(&what, said, kind);
        let resolved = space
            .done("resolving", space.store.resolve(inserted.id(), Freshness::StoreDefault).await);
        space.holds(format!("{what} failed and wrote a key"), resolved.is_none());
        let after = seen(space).await;
        space.holds(
            format!("{what} failed, but the store changed; it now shows:\n{after}"),
            after == before,
        );
    }
    // Without the part that fails, the same batch is valid.
    space.done("the same batch without the part that fails", space.store.commit(whole).await);
}

pub(super) async fn batch_stays_in_its_tenant(space: &Space<'_>) {
    let abroad = ServiceAccount { tenant: space.other.clone(), ..space.account() };
    let key = space.key_with(|key| key.tenant = space.other.clone());
    space.put([Change::InsertAccount(abroad.clone()), Change::InsertKey(key.clone())]).await;
    let (home, other) = (|| space.tenant.clone(), || space.other.clone());
    let (unsupported, conflict) = (StoreErrorKind::Unsupported, StoreErrorKind::Conflict);
    let new = || space.key_with(|key| key.tenant = other());
    let at_home = next(&key, |key| key.tenant = home());
    let account_at_home = next_account(&abroad, |account| account.tenant = home());
    let changes = [
        (Change::InsertKey(new()), unsupported),
        (Change::UpdateKey(renamed(&key, "second")), unsupported),
        (Change::InsertAccount(ServiceAccount { tenant: other(), ..space.account() }), unsupported),
        (Change::UpdateAccount(next_account(&abroad, |_| {})), unsupported),
        (put_user(&space.other, "alice", 1), unsupported),
        (Change::PutPolicy { tenant: other(), policy: policy(1) }, unsupported),
        (Change::ForgetEvents { tenant: other(), through: 1 }, unsupported),
        (Change::UpdateKey(at_home), conflict),
        (Change::RevokeKey { key: *key.id(), at: at(9) }, conflict),
        (Change::DeleteKey(*key.id()), conflict),
        (Change::UpdateAccount(account_at_home), conflict),
        (Change::DeleteAccount(abroad.id), conflict),
    ];
    let (owner, alice) = (key.key().owner.clone(), key.key().created_by.clone());
    let of_owner = owner.clone();
    let conditions = [
        (Condition::AccountVersion { account: abroad.id, version: 1 }, conflict),
        (Condition::KeyOwner { key: *key.id(), owner: owner.clone() }, conflict),
        (Condition::PolicyVersion { tenant: other(), version: 0 }, unsupported),
        (Condition::UserVersion { tenant: other(), user: alice, version: 0 }, unsupported),
        (Condition::LiveKeysBelow { tenant: other(), owner, limit: 9, at: at(9) }, unsupported),
        (Condition::NoLiveKeyLeft { tenant: other(), owner: of_owner, at: at(0) }, unsupported),
    ];
    let with_change = |(change, kind): (Change, _)| {
        (format!("{change:?} in a batch of another tenant"), space.batch([change]), kind)
    };
    let with_condition = |(condition, kind): (Condition, _)| {
        let what = format!("{condition:?} in a batch of another tenant");
        (what, Batch { conditions: vec![condition], ..space.batch([]) }, kind)
    };
    let of_event = Batch { events: vec![event_in(&space.other, "abroad")], ..space.batch([]) };
    let of_event = ("an event in a batch of another tenant".to_owned(), of_event, unsupported);
    let batches = changes.map(with_change).into_iter();
    let batches = batches.chain(conditions.map(with_condition)).chain([of_event]);
    for (what, mut batch, kind) in batches {
        // A valid change beside it is not written either.
        let beside = space.key();
        batch.changes.push(Change::InsertKey(beside.clone()));
        space.refused(&what, space.store.commit(batch).await, kind);
        let found = space.stored(beside.id()).await;
        space.holds(format!("{what} failed and wrote a key"), found.is_none());
    }
    let stored = space.done("a lookup", space.store.key(&space.other, key.id()).await);
    let stored = stored.map(|stored| stored.record.key().clone());
    space.same("the other tenant's key", &stored.as_ref(), &Some(key.key()));
    let stored = space.done("a lookup", space.store.account(&space.other, &abroad.id).await);
    space.same("the other tenant's account", &stored, &Some(abroad));
    let events = space.events_of(&space.other).await;
    space.same("the other tenant's events", &events, &Vec::new());
}

pub(super) async fn batch_names_nothing_twice(space: &Space<'_>) {
    let (account, key, new) = (space.account(), space.key(), space.key());
    space.put([Change::InsertAccount(account.clone()), Change::InsertKey(key.clone())]).await;
    let renamed_key = renamed(&key, "first");
    let disabled = next_account(&account, |account| account.enabled = false);
    let enabled = next_account(&disabled, |account| account.enabled = true);
    let put = |version| Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(version) };
    // Most of these pairs would be valid as two batches.
    let batches = [
        [Change::InsertKey(new.clone()), Change::InsertKey(new.clone())],
        [Change::InsertKey(new.clone()), Change::UpdateKey(renamed(&new, "second"))],
        [Change::InsertKey(new.clone()), Change::DeleteKey(*new.id())],
        [
            Change::UpdateKey(renamed_key.clone()),
            Change::UpdateKey(renamed(&renamed_key, "second")),
        ],
        [Change::UpdateKey(renamed_key.clone()), Change::RevokeKey { key: *key.id(), at: at(9) }],
        [Change::RevokeKey { key: *key.id(), at: at(9) }, Change::DeleteKey(*key.id())],
        [Change::DeleteKey(*key.id()), Change::DeleteKey(*key.id())],
        [Change::UpdateAccount(disabled.clone()), Change::UpdateAccount(enabled)],
        [Change::UpdateAccount(disabled), Change::DeleteAccount(account.id)],
        [put(1), put(2)],
        [put_user(&space.tenant, "alice", 1), put_user(&space.tenant, "alice", 2)],
    ];
    let before = seen(space).await;
    for changes in batches {
        for others in [0, 1] {
            // With and without another change between the two.
            let between = (0..others).map(|_| Change::InsertKey(space.key()));
            let [first, second] = changes.clone();
            let what = format!("a batch with {first:?} and {second:?}");
            let changes = std::iter::once(first).chain(between).chain([second]);
            let said = space.store.commit(space.batch(changes)).await;
            space.refused(&what, said, StoreErrorKind::Unsupported);
            let after = seen(space).await;
            space.holds(
                format!("{what} failed, but the store changed; it now shows:\n{after}"),
                after == before,
            );
        }
    }
}

pub(super) async fn batch_is_written_whole(space: &Space<'_>) {
    let Everything { batch, inserted, updated, revoked, deleted } = everything(space).await;
    space.done("a batch with a change of each kind", space.store.commit(batch).await);
    let found = space.found(inserted.id()).await;
    space.same("the inserted key", found.record.key(), inserted.key());
    let found = space.found(updated.id()).await;
    space.same("the version of the updated key", &found.record.version(), &2);
    let found = space.found(revoked.id()).await;
    space.same("the revoked key", found.record.key(), revoked.revoked(at(9)).key());
    space.holds("a deleted key is still found", space.stored(deleted.id()).await.is_none());
    let stored = space.policy_of(&space.tenant).await;
    space.same("the policy", &stored, &Some(policy(1)));
    let alice = &inserted.key().created_by;
    let stored = space.done("a lookup", space.store.user(&space.tenant, alice).await);
    space.same("the version of the user's record", &stored.map(|user| user.version), &Some(1));
    let query = crate::store::AccountQuery::new();
    let accounts = space.store.accounts(&space.tenant, &query).await;
    let accounts = space.done("listing accounts", accounts).items;
    let mut seen: Vec<_> = accounts.iter().map(|a| (a.version, a.enabled)).collect();
    seen.sort_unstable();
    space.same("the accounts", &seen, &vec![(1, true), (2, false)]);
    let events = space.events_of(&space.tenant).await;
    let details: Vec<_> = events.iter().map(said).collect();
    space.same("the events", &details, &vec!["first".to_owned(), "second".to_owned()]);
}
