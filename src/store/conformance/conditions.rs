//! Rules of conditions: a commit checks them exactly, at the moment at which it writes.

use super::test_tenants::{Space, at, next, next_account, policy, put_user, user};
use crate::record::key::{KeyRecord, Owner};
use crate::store::{Batch, Change, Condition, StoreErrorKind};
use crate::value::id::{TenantId, UserId};
use crate::value::time::Timestamp;

/// Inserts a new key under a condition, and checks whether it was written.
async fn insert_if(space: &Space<'_>, condition: Condition, refused: Option<StoreErrorKind>) {
    insert_in(space, &space.tenant, condition, refused).await;
}

async fn insert_in(
    space: &Space<'_>,
    tenant: &TenantId,
    condition: Condition,
    refused: Option<StoreErrorKind>,
) {
    let key = space.key_with(|key| key.tenant = tenant.clone());
    let what = format!("an insert under {condition:?}");
    let changes = vec![Change::InsertKey(key.clone())];
    let batch = Batch { conditions: vec![condition], changes, ..Batch::of(tenant.clone()) };
    let said = space.store.commit(batch).await;
    match refused {
        Some(kind) => space.refused(&what, said, kind),
        None => space.done(&what, said),
    }
    let written = space.done("a lookup", space.store.key(tenant, key.id()).await).is_some();
    space.same(format!("whether {what} wrote the key"), &written, &refused.is_none());
}

const CONFLICT: Option<StoreErrorKind> = Some(StoreErrorKind::Conflict);
const LIMIT: Option<StoreErrorKind> = Some(StoreErrorKind::LimitReached);

pub(super) async fn account_version_condition_holds(space: &Space<'_>) {
    let first = space.account();
    let has = |version| Condition::AccountVersion { account: first.id, version };
    insert_if(space, has(1), CONFLICT).await;
    insert_if(space, has(0), CONFLICT).await;
    space.put([Change::InsertAccount(first.clone())]).await;
    insert_if(space, has(1), None).await;
    space.put([Change::UpdateAccount(next_account(&first, |_| {}))]).await;
    insert_if(space, has(1), CONFLICT).await;
    insert_if(space, has(3), CONFLICT).await;
    insert_if(space, has(2), None).await;
    space.put([Change::DeleteAccount(first.id)]).await;
    insert_if(space, has(2), CONFLICT).await;
}

pub(super) async fn key_owner_condition_holds(space: &Space<'_>) {
    let key = space.key_of(&user("alice"));
    let is_of = |owner: Owner| Condition::KeyOwner { key: *key.id(), owner };
    insert_if(space, is_of(user("alice")), CONFLICT).await;
    space.put([Change::InsertKey(key.clone())]).await;
    insert_if(space, is_of(user("alice")), None).await;
    insert_if(space, is_of(user("bob")), CONFLICT).await;
    insert_if(space, is_of(Owner::Organization), CONFLICT).await;
    space.put([Change::UpdateKey(next(&key, |key| key.owner = user("bob")))]).await;
    insert_if(space, is_of(user("alice")), CONFLICT).await;
    insert_if(space, is_of(user("bob")), None).await;
    // The condition looks at the owner only, so a change of anything else does not break it.
    space.put([Change::RevokeKey { key: *key.id(), at: at(3) }]).await;
    insert_if(space, is_of(user("bob")), None).await;
    space.put([Change::DeleteKey(*key.id())]).await;
    insert_if(space, is_of(user("bob")), CONFLICT).await;
}

pub(super) async fn policy_version_condition_holds(space: &Space<'_>) {
    let has = |version| Condition::PolicyVersion { tenant: space.tenant.clone(), version };
    let put = |version| Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(version) };
    insert_if(space, has(1), CONFLICT).await;
    insert_if(space, has(0), None).await;
    space.put([put(1)]).await;
    insert_if(space, has(0), CONFLICT).await;
    insert_if(space, has(2), CONFLICT).await;
    insert_if(space, has(1), None).await;
    space.put([put(2)]).await;
    insert_if(space, has(1), CONFLICT).await;
    // The version is that of the batch's tenant.
    let other = Condition::PolicyVersion { tenant: space.other.clone(), version: 2 };
    insert_in(space, &space.other, other, CONFLICT).await;
}

pub(super) async fn user_version_condition_holds(space: &Space<'_>) {
    let alice = || UserId::new("alice").expect("the suite's user ids are valid");
    let of = |tenant: &TenantId, version| Condition::UserVersion {
        tenant: tenant.clone(),
        user: alice(),
        version,
    };
    let has = |version| of(&space.tenant, version);
    insert_if(space, has(1), CONFLICT).await;
    insert_if(space, has(0), None).await;
    space.put([put_user(&space.tenant, "alice", 1)]).await;
    insert_if(space, has(0), CONFLICT).await;
    insert_if(space, has(2), CONFLICT).await;
    insert_if(space, has(1), None).await;
    space.put([put_user(&space.tenant, "alice", 2)]).await;
    insert_if(space, has(1), CONFLICT).await;
    // The version is that of the user in the batch's tenant, and of no other user.
    insert_in(space, &space.other, of(&space.other, 2), CONFLICT).await;
    insert_in(space, &space.other, of(&space.other, 0), None).await;
    let (tenant, user) = (space.tenant.clone(), UserId::new("bob").expect("a valid user id"));
    insert_if(space, Condition::UserVersion { tenant, user, version: 2 }, CONFLICT).await;
}

pub(super) async fn limit_is_checked_before_the_batch(space: &Space<'_>) {
    let below = |limit| below(space, &user("alice"), limit, at(1));
    insert_if(space, below(0), LIMIT).await;
    insert_if(space, below(1), None).await;
    insert_if(space, below(1), LIMIT).await;
    insert_if(space, below(2), None).await;
    insert_if(space, below(2), LIMIT).await;
    // The limit counts the keys from before the batch: deleted ones still count, and new ones do not.
    let [old, new, more] = [0, 1, 2].map(|_| space.key());
    space.put([Change::InsertKey(old.clone())]).await;
    let swap = [Change::DeleteKey(*old.id()), Change::InsertKey(new.clone())];
    let swap = Batch { conditions: vec![below(3)], ..space.batch(swap) };
    let said = space.store.commit(swap).await;
    space.refused("a batch that replaces a key at the limit", said, StoreErrorKind::LimitReached);
    let two = [Change::InsertKey(new), Change::InsertKey(more)];
    let two = Batch { conditions: vec![below(4)], ..space.batch(two) };
    space.done("two keys where the limit leaves room for one", space.store.commit(two).await);
}

fn below(space: &Space<'_>, owner: &Owner, limit: u16, at: Timestamp) -> Condition {
    Condition::LiveKeysBelow { tenant: space.tenant.clone(), owner: owner.clone(), limit, at }
}

pub(super) async fn limit_counts_live_keys_of_owner(space: &Space<'_>) {
    let alice = user("alice");
    let live = [
        space.key_with(|key| key.disabled = true),
        space.key_with(|key| key.not_before = Some(at(100))),
        space.key_with(|key| key.expires_at = Some(at(11))),
    ];
    let account = space.account();
    let other = [
        space.key_of(&user("bob")),
        // A user whose id equals that of the account, and the account itself.
        space.key_of(&user(account.id.as_str())),
        space.key_of(&Owner::Account(account.id)),
        space.key_with(|key| key.tenant = space.other.clone()),
        space.key_with(|key| key.revoked_at = Some(at(1))),
        space.key_with(|key| key.expires_at = Some(at(10))),
        space.key_with(|key| {
            key.disabled = true;
            key.expires_at = Some(at(9));
        }),
    ];
    let keys: Vec<KeyRecord> = live.into_iter().chain(other).collect();
    let inserts = keys.into_iter().map(Change::InsertKey);
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(inserts)).await;
    // At 10, three keys are live. At 11 one of them has expired. At 8 and 9 others have not expired yet.
    let probe = async |owner: &Owner, time, live: u16| {
        for (limit, refused) in [(live, LIMIT), (live + 1, None)] {
            let condition = below(space, owner, limit, time);
            let what = format!("a commit under {condition:?}");
            let key = space.key_of(&user("carol"));
            let insert = space.batch([Change::InsertKey(key)]);
            let batch = Batch { conditions: vec![condition], ..insert };
            let said = space.store.commit(batch).await;
            match refused {
                Some(kind) => space.refused(what, said, kind),
                None => space.done(what, said),
            }
        }
    };
    for (time, live) in [(10, 3), (11, 2), (9, 4), (8, 5)] {
        probe(&alice, at(time), live).await;
    }
    probe(&Owner::Account(account.id), at(10), 1).await;
    probe(&user(account.id.as_str()), at(10), 1).await;
    probe(&user("dave"), at(10), 0).await;
}

pub(super) async fn no_live_key_left_after_batch(space: &Space<'_>) {
    let keys = [space.key(), space.key_with(|key| key.expires_at = Some(at(10)))];
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    let none_left = |time| {
        let (tenant, owner) = (space.tenant.clone(), user("alice"));
        vec![Condition::NoLiveKeyLeft { tenant, owner, at: at(time) }]
    };
    let revoke = |key: &KeyRecord| Change::RevokeKey { key: *key.id(), at: at(5) };
    let first = space.batch([revoke(&keys[0])]);
    let early = Batch { conditions: none_left(9), ..first.clone() };
    let said = space.store.commit(early).await;
    space.refused("a revoke that leaves a live key", said, StoreErrorKind::Conflict);
    let stored = space.found(keys[0].id()).await;
    space.same("the key that was not revoked", &stored.record.key().revoked_at, &None);

    let late = Batch { conditions: none_left(10), ..first };
    space.done("a revoke of the only live key", space.store.commit(late).await);
    let delete =
        Batch { conditions: none_left(9), ..space.batch([Change::DeleteKey(*keys[1].id())]) };
    space.done("deleting the last live key", space.store.commit(delete).await);
    let insert =
        Batch { conditions: none_left(9), ..space.batch([Change::InsertKey(space.key())]) };
    let said = space.store.commit(insert).await;
    space.refused("a batch that adds a live key", said, StoreErrorKind::Conflict);
}

pub(super) async fn untouched_live_key_is_counted(space: &Space<'_>) {
    let keys = [0, 1, 2].map(|_| space.key());
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    let none_left = || {
        let (tenant, owner) = (space.tenant.clone(), user("alice"));
        Condition::NoLiveKeyLeft { tenant, owner, at: at(5) }
    };
    let revoke = |key: &KeyRecord| Change::RevokeKey { key: *key.id(), at: at(5) };
    let delete = |key: &KeyRecord| Change::DeleteKey(*key.id());
    let commit = async |condition, changes: &[Change]| {
        let batch = Batch { conditions: vec![condition], ..space.batch(changes.to_vec()) };
        space.store.commit(batch).await
    };
    // Each key is once the one that is left, because a store reads its rows in any order.
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let (one, other) = (&keys[one], &keys[other]);
        for two in [[revoke(one), revoke(other)], [delete(one), delete(other)]] {
            let what = format!("{two:?}, which leave a third live key");
            let said = commit(none_left(), &two).await;
            space.refused(format!("`NoLiveKeyLeft` with {what}"), said, StoreErrorKind::Conflict);
            let said = commit(below(space, &user("alice"), 3, at(5)), &two).await;
            space.refused(format!("a limit of 3 with {what}"), said, StoreErrorKind::LimitReached);
        }
    }
    let all = [revoke(&keys[0]), delete(&keys[1]), revoke(&keys[2])];
    space.done("a batch that leaves no live key", commit(none_left(), &all).await);
}
