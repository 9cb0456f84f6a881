//! Rules of `owned_keys`: the numbers of the keys of owners, and the newest of them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::slice;
use std::time::Duration;

use super::test_tenants::{Space, at, delta, name, next, put_user, user};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::store::{Change, OwnedKeys, StoredKey};
use crate::value::id::KeyId;
use crate::value::time::Timestamp;

/// More keys than a rule writes for one owner.
const ALL: u16 = 40;

async fn owned(space: &Space<'_>, owners: &[Owner], most: u16, at: Timestamp) -> Vec<OwnedKeys> {
    let found = space.store.owned_keys(&space.tenant, owners, most, at).await;
    let found = space.done("reading the keys of owners", found);
    space.same("the number of answers", &found.len(), &owners.len());
    found
}

/// Returns the keys of one owner.
async fn keys_of(space: &Space<'_>, owner: &Owner, most: u16, at: Timestamp) -> OwnedKeys {
    let mut found = owned(space, slice::from_ref(owner), most, at).await;
    found.remove(0)
}

fn ids(owned: &OwnedKeys) -> Vec<KeyId> {
    owned.keys.iter().map(|stored| *stored.record.id()).collect()
}

/// Builds a key for each change and writes them all.
async fn insert(space: &Space<'_>, count: u32, change: impl Fn(u32, &mut Key)) -> Vec<KeyRecord> {
    let keys: Vec<_> = (0..count).map(|n| space.key_with(|key| change(n, key))).collect();
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    keys
}

pub(super) async fn owned_keys_have_order_of_owners(space: &Space<'_>) {
    let account = space.account();
    space.put([Change::InsertAccount(account.clone())]).await;
    let of_account = Owner::Account(account.id);
    // The number of keys of each owner names it.
    let owners = [(user("bob"), 2), (of_account, 3), (Owner::Organization, 1), (user("alice"), 4)];
    for (owner, count) in &owners {
        insert(space, *count, |_, key| key.owner = owner.clone()).await;
    }
    let [bob, account, organization, alice] = owners.map(|(owner, _)| owner);
    let carol = user("carol");
    let calls: [(&[&Owner], &[u64]); 5] = [
        (&[&bob, &account, &organization, &alice], &[2, 3, 1, 4]),
        (&[&organization, &alice, &account, &bob], &[1, 4, 3, 2]),
        (&[&alice, &carol, &bob, &carol], &[4, 0, 2, 0]),
        (&[&bob, &alice, &bob], &[2, 4, 2]),
        (&[], &[]),
    ];
    for (owners, expected) in calls {
        let owners: Vec<Owner> = owners.iter().map(|owner| (*owner).clone()).collect();
        let found = owned(space, &owners, ALL, at(1)).await;
        let all: Vec<_> = found.iter().map(|owned| owned.all).collect();
        space.same(format!("the numbers of the keys of {owners:?}"), &all.as_slice(), &expected);
        for (owner, owned) in owners.iter().zip(&found) {
            let is_theirs = |stored: &StoredKey| stored.record.key().owner == *owner;
            let what = format!("the answer for {owner} has a key of another owner");
            space.holds(what, owned.keys.iter().all(is_theirs));
            space.same(format!("the keys of {owner}"), &(owned.keys.len() as u64), &owned.all);
        }
    }
}

pub(super) async fn owned_live_keys_count_at_given_time(space: &Space<'_>) {
    let alice = user("alice");
    insert(space, 12, |n, key| {
        key.disabled = n % 2 == 1;
        key.not_before = (n == 2).then(|| at(90));
        key.expires_at = match n {
            3 | 4 => Some(at(50)),
            5 => Some(at(60)),
            _ => None,
        };
        key.revoked_at = (n >= 9).then(|| at(10));
    })
    .await;
    let micro = Duration::from_micros(1);
    let times = [
        (at(0), 9),
        (at(50).saturating_sub(micro), 9),
        (at(50), 7),
        (at(59), 7),
        (at(60), 6),
        (Timestamp::MAX, 6),
    ];
    for (time, live) in times {
        let found = keys_of(space, &alice, ALL, time).await;
        let what = format!("the numbers of live keys and of all keys at {time}");
        space.same(what, &(found.live, found.all), &(live, 12));
    }
}

pub(super) async fn owned_keys_stay_with_their_owner(space: &Space<'_>) {
    let account = space.account();
    space.put([Change::InsertAccount(account.clone())]).await;
    let owners = [user("alice"), user("al"), user("organization"), Owner::Account(account.id)];
    for owner in &owners {
        insert(space, 1, |_, key| key.owner = owner.clone()).await;
    }
    for owner in [user("alice"), user("carol"), Owner::Organization] {
        insert(space, 2, |_, key| {
            key.tenant = space.other.clone();
            key.owner = owner.clone();
        })
        .await;
    }
    for owner in &owners {
        let found = keys_of(space, owner, ALL, at(1)).await;
        let what = format!("the numbers of the keys of {owner}, who has one");
        space.same(what, &(found.live, found.all, found.keys.len()), &(1, 1, 1));
    }
    let same_id = user(account.id.as_str());
    for owner in [user("carol"), Owner::Organization, same_id, user("alic_"), user("alic%")] {
        let found = keys_of(space, &owner, ALL, at(1)).await;
        let what = format!("the numbers of the keys of {owner}, who has none in this tenant");
        space.same(what, &(found.live, found.all, found.keys.len()), &(0, 0, 0));
    }
}

pub(super) async fn newest_owned_keys_come_first(space: &Space<'_>) {
    let alice = user("alice");
    // Several keys have one time of creation. Names and ids have other orders.
    let mut keys = insert(space, 14, |n, key| {
        key.created_at = at([5, 3, 9, 3, 9, 3, 0][n as usize % 7]);
        key.updated_at = at(100 - n);
        key.name = name(&format!("key {n}"));
        key.revoked_at = (n % 3 == 0).then(|| at(20));
    })
    .await;
    insert(space, 3, |_, key| key.owner = user("bob")).await;
    keys.sort_by_key(|key| Reverse((key.key().created_at, *key.id())));
    let newest: Vec<KeyId> = keys.iter().map(|key| *key.id()).collect();
    for most in [0, 1, 2, 5, 13, 14, 15, u16::MAX] {
        let found = keys_of(space, &alice, most, at(30)).await;
        let expected = &newest[..newest.len().min(most.into())];
        let what = format!("the newest {most} keys of an owner");
        space.same(what, &ids(&found).as_slice(), &expected);
        let what = format!("the numbers of an owner's keys, when the newest {most} are wanted");
        space.same(what, &(found.live, found.all), &(9, 14));
    }
}

pub(super) async fn owned_keys_are_as_stored(space: &Space<'_>) {
    let account = space.account();
    let key = space.key();
    let of_account = space.key_of(&Owner::Account(account.id));
    let owners = [Owner::Account(account.id), user("alice")];
    let look = async |step: &str, expected: [&[KeyId]; 2]| {
        let found = owned(space, &owners, ALL, at(1)).await;
        for (owned, expected) in found.iter().zip(expected) {
            let seen: BTreeSet<KeyId> = ids(owned).into_iter().collect();
            let expected = expected.iter().copied().collect();
            space.same(format!("the keys of an owner {step}"), &seen, &expected);
            for given in &owned.keys {
                let stored = space.found(given.record.id()).await;
                let what = format!("a key of an owner {step}");
                space.same(what, given.record.key(), stored.record.key());
                space.same(format!("its usage {step}"), &given.usage, &stored.usage);
                space.same(format!("its owner {step}"), &given.owner, &stored.owner);
            }
        }
    };
    look("before any change", [&[], &[]]).await;
    let inserts = [Change::InsertKey(key.clone()), Change::InsertKey(of_account.clone())];
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(inserts)).await;
    look("after inserts", [&[*of_account.id()], &[*key.id()]]).await;
    let used = [delta(key.id(), 3, at(1)), delta(of_account.id(), 2, at(1))];
    space.done("usage", space.store.add_usage(&space.usage(used)).await);
    space.put([put_user(&space.tenant, "alice", 1)]).await;
    look("after uses", [&[*of_account.id()], &[*key.id()]]).await;
    let moved = next(&key, |key| key.owner = owners[0].clone());
    space.put([Change::UpdateKey(moved)]).await;
    look("after a key was handed over", [&[*key.id(), *of_account.id()], &[]]).await;
    space.put([Change::DeleteKey(*of_account.id())]).await;
    look("after a delete", [&[*key.id()], &[]]).await;
}
