//! Rules of handing a key to another owner, and of the organization as an owner.

use std::slice;

use super::test_tenants::{Space, at, next, put_user, user};
use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::store::{Batch, Change, Condition, Freshness, KeyQuery, StoreError, StoreErrorKind};
use crate::value::id::KeyId;

/// Returns the next version of a key, with another owner.
fn moved(key: &KeyRecord, owner: &Owner) -> KeyRecord {
    next(key, |key| key.owner = owner.clone())
}

/// Returns the keys that a listing by owner finds.
async fn keys_of(space: &Space<'_>, owner: &Owner) -> Vec<KeyId> {
    let query = KeyQuery::new().owner(owner.clone());
    let page = space.store.keys(&space.tenant, &query, at(1)).await;
    let page = space.done("listing the keys of an owner", page);
    page.items.iter().map(|stored| *stored.record.id()).collect()
}

/// Commits an event under a condition.
async fn commit_if(space: &Space<'_>, condition: Condition) -> Result<(), StoreError> {
    let batch = Batch {
        conditions: vec![condition],
        events: vec![space.event("a check")],
        ..space.batch([])
    };
    space.store.commit(batch).await
}

/// Checks the number of live keys that conditions count for an owner.
async fn counts(space: &Space<'_>, step: &str, owner: &Owner, live: u16) {
    let below = |limit| Condition::LiveKeysBelow {
        tenant: space.tenant.clone(),
        owner: owner.clone(),
        limit,
        at: at(1),
    };
    let what = |limit| format!("a limit of {limit} for {owner}, which has {live} live keys {step}");
    let said = commit_if(space, below(live)).await;
    space.refused(what(live), said, StoreErrorKind::LimitReached);
    space.done(what(live + 1), commit_if(space, below(live + 1)).await);
    let (tenant, owner_id) = (space.tenant.clone(), owner.clone());
    let none = Condition::NoLiveKeyLeft { tenant, owner: owner_id, at: at(1) };
    let said = commit_if(space, none).await;
    let what = format!("`NoLiveKeyLeft` for {owner}, which has {live} live keys {step}");
    match live {
        0 => space.done(what, said),
        _ => space.refused(what, said, StoreErrorKind::Conflict),
    }
}

/// Inserts two accounts.
async fn two_accounts(space: &Space<'_>) -> [ServiceAccount; 2] {
    let accounts = [space.account(), space.account()];
    space.put(accounts.clone().map(Change::InsertAccount)).await;
    accounts
}

pub(super) async fn moved_key_has_its_new_owner(space: &Space<'_>) {
    let accounts = two_accounts(space).await;
    let [first, second] = accounts.each_ref().map(|account| Owner::Account(account.id));
    let mut key = space.key();
    space.put([Change::InsertKey(key.clone()), put_user(&space.tenant, "bob", 1)]).await;
    let mut before = user("alice");
    for owner in [&first, &second, &user("bob"), &Owner::Organization, &user("alice"), &first] {
        key = moved(&key, owner);
        space.put([Change::UpdateKey(key.clone())]).await;
        let stored = space.found(key.id()).await;
        space.same("a key that was handed over", stored.record.key(), key.key());
        let what = format!("the keys of {before}, whose key was handed to {owner}");
        space.same(what, &keys_of(space, &before).await, &Vec::new());
        let what = format!("the keys of {owner}, the new owner of a key of {before}");
        space.same(what, &keys_of(space, owner).await, &vec![*key.id()]);
        for (owner, expected) in [(&before, (0, 0, 0)), (owner, (1, 1, 1))] {
            let owned = slice::from_ref(owner);
            let owned = space.store.owned_keys(&space.tenant, owned, 9, at(1)).await;
            let owned = space.done("reading the keys of an owner", owned);
            let numbers: Vec<_> = owned.iter().map(|o| (o.live, o.all, o.keys.len())).collect();
            let what = format!("the numbers of the keys of {owner} after a key was handed over");
            space.same(what, &numbers, &vec![expected]);
        }
        let found =
            space.done("resolving", space.store.resolve(key.id(), Freshness::StoreDefault).await);
        let Some(found) = found else { space.broken("a key that was handed over is absent") };
        let account = accounts.iter().find(|account| Owner::Account(account.id) == *owner);
        space.same("the account that is resolved with it", &found.account(), &account);
        space.same("the owner's record", &found.owner().is_some(), &stored.owner.is_some());
        before = owner.clone();
    }
}

pub(super) async fn moved_key_counts_for_its_new_owner(space: &Space<'_>) {
    let [first, second] = two_accounts(space).await.map(|account| Owner::Account(account.id));
    for (from, to) in [
        (&user("alice"), &user("bob")),
        (&user("carol"), &first),
        (&first, &second),
        (&second, &Owner::Organization),
        (&Owner::Organization, &user("dave")),
    ] {
        // The key that the last round has handed to this owner is deleted first.
        for key in keys_of(space, from).await {
            space.put([Change::DeleteKey(key)]).await;
        }
        let keys = [0, 1].map(|_| space.key_of(from));
        space.put(keys.clone().map(Change::InsertKey)).await;
        counts(space, "before one is handed over", from, 2).await;
        counts(space, "before it gets one", to, 0).await;
        space.put([Change::UpdateKey(moved(&keys[0], to))]).await;
        counts(space, "after one was handed over", from, 1).await;
        counts(space, "after it got one", to, 1).await;
        // The conditions of the batch that hands the key over: the limit counts the keys before
        // the batch, and `NoLiveKeyLeft` those after it.
        let last = moved(&keys[1], to);
        let hand_over = |condition| {
            let batch = space.batch([Change::UpdateKey(last.clone())]);
            space.store.commit(Batch { conditions: vec![condition], ..batch })
        };
        let tenant = || space.tenant.clone();
        let below =
            Condition::LiveKeysBelow { tenant: tenant(), owner: to.clone(), limit: 1, at: at(1) };
        let said = hand_over(below).await;
        let what = format!("handing a key of {from} to {to}, which has one key, at a limit of 1");
        space.refused(what, said, StoreErrorKind::LimitReached);
        let none = |owner: &Owner| Condition::NoLiveKeyLeft {
            tenant: tenant(),
            owner: owner.clone(),
            at: at(1),
        };
        let said = hand_over(none(to)).await;
        let what = format!("handing a key to {to} if no live key of it is left");
        space.refused(what, said, StoreErrorKind::Conflict);
        let what = format!("handing the last key of {from} over if no live key of it is left");
        space.done(what, hand_over(none(from)).await);
        counts(space, "after both were handed over", from, 0).await;
        counts(space, "after it got both", to, 2).await;
        for key in keys_of(space, to).await {
            space.put([Change::DeleteKey(key)]).await;
        }
    }
}

pub(super) async fn account_is_deleted_after_its_keys_moved(space: &Space<'_>) {
    let [leaver, heir] = two_accounts(space).await;
    let owner = Owner::Account(leaver.id);
    let keys = [0, 1, 2].map(|_| space.key_of(&owner));
    space.put(keys.clone().map(Change::InsertKey)).await;
    space.put([Change::RevokeKey { key: *keys[2].id(), at: at(1) }]).await;
    let to_heir = moved(&keys[0], &Owner::Account(heir.id));
    let to_alice = moved(&keys[1], &user("alice"));
    let delete = |changes: &[Change]| {
        let changes = changes.iter().cloned();
        space.store.commit(space.batch(changes.chain([Change::DeleteAccount(leaver.id)])))
    };
    // Each key must leave, also if it is revoked. An update that keeps the owner moves nothing.
    let moves = [Change::UpdateKey(to_heir.clone()), Change::UpdateKey(to_alice.clone())];
    let stays = moved(&keys[1], &owner);
    let delete_last = Change::DeleteKey(*keys[2].id());
    let stays = [moves[0].clone(), Change::UpdateKey(stays), delete_last.clone()];
    for changes in [&moves[..], &moves[..1], &stays[..]] {
        let said = delete(changes).await;
        let what = format!("deleting an account that keeps a key, with {changes:?}");
        space.refused(what, said, StoreErrorKind::Conflict);
        let found = space.done("a lookup", space.store.account(&space.tenant, &leaver.id).await);
        space.holds("an account that keeps a key was deleted", found.is_some());
    }
    let [first, second] = moves;
    let said = delete(&[first, second, delete_last]).await;
    space.done("deleting an account in the batch that hands its keys over", said);
    let found = space.done("a lookup", space.store.account(&space.tenant, &leaver.id).await);
    space.same("the account that was deleted", &found, &None);
    for key in [&to_heir, &to_alice] {
        let stored = space.found(key.id()).await;
        space.same("a key of an account that was deleted", stored.record.key(), key.key());
    }
}

pub(super) async fn key_needs_its_new_owner(space: &Space<'_>) {
    let [gone, there] = two_accounts(space).await;
    let abroad = ServiceAccount { tenant: space.other.clone(), ..space.account() };
    let key = space.key();
    let insert = [Change::InsertAccount(abroad.clone()), Change::InsertKey(key.clone())];
    space.put(insert).await;
    space.put([Change::DeleteAccount(gone.id)]).await;
    for account in [space.account().id, gone.id, abroad.id] {
        let update = moved(&key, &Owner::Account(account));
        let said = space.store.commit(space.batch([Change::UpdateKey(update)])).await;
        let what = "handing a key to an account that is absent, deleted or of another tenant";
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    let update = moved(&key, &Owner::Account(there.id));
    let both = space.batch([Change::UpdateKey(update.clone()), Change::DeleteAccount(there.id)]);
    let said = space.store.commit(both).await;
    space.refused("handing a key to an account of the batch that deletes it", said, CONFLICT);
    let stored = space.found(key.id()).await;
    space.same("the key after refused updates", stored.record.key(), key.key());
    // The order within a batch does not matter.
    let new = space.account();
    let update = moved(&key, &Owner::Account(new.id));
    space.put([Change::UpdateKey(update), Change::InsertAccount(new)]).await;
}

const CONFLICT: StoreErrorKind = StoreErrorKind::Conflict;

pub(super) async fn organization_can_own_keys(space: &Space<'_>) {
    let organization = Owner::Organization;
    let elsewhere = space.key_with(|key| {
        key.tenant = space.other.clone();
        key.owner = Owner::Organization;
    });
    // A user with the text of the owner as its id is another owner.
    let of_user = space.key_of(&user("organization"));
    let keys = [0, 1].map(|_| space.key_of(&organization));
    space.put([Change::InsertKey(elsewhere), Change::InsertKey(of_user.clone())]).await;
    counts(space, "while others have two", &organization, 0).await;
    space.put(keys.clone().map(Change::InsertKey)).await;
    counts(space, "while others have two", &organization, 2).await;
    counts(space, "beside those of the organization", &user("organization"), 1).await;
    let mut found = keys_of(space, &organization).await;
    let mut expected = keys.each_ref().map(|key| *key.id()).to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    space.same("the keys of the organization", &found, &expected);
    let found = keys_of(space, &user("organization")).await;
    space.same("the keys of the user organization", &found, &vec![*of_user.id()]);
    let stored = space.found(keys[0].id()).await;
    space.same("a key of the organization", stored.record.key(), keys[0].key());
    space.same("the record of the organization", &stored.owner, &None);
}
