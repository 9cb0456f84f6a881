//! Rules of updates: an update applies only to the version from which it was built.

use super::test_tenants::{Space, at, name, next, next_account, policy, renamed};
use crate::store::{Change, StoreErrorKind};

pub(super) async fn key_update_needs_the_previous_version(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    let second = renamed(&first, "second");
    space.put([Change::UpdateKey(second.clone())]).await;
    let stored = space.found(first.id()).await;
    space.same("the key after an update", stored.record.key(), second.key());
    let third = |version| {
        next(&first, |key| {
            key.name = name("third");
            key.version = version;
        })
    };
    for version in [0, 1, 2, 4, u64::MAX] {
        let said = space.store.commit(space.batch([Change::UpdateKey(third(version))])).await;
        let what = format!("an update of version 2 to version {version}");
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    let stored = space.found(first.id()).await;
    space.same("the key after refused updates", stored.record.key(), second.key());
    space.put([Change::UpdateKey(third(3))]).await;
}

pub(super) async fn account_update_needs_the_previous_version(space: &Space<'_>) {
    let first = space.account();
    space.put([Change::InsertAccount(first.clone())]).await;
    let second = next_account(&first, |account| account.name = name("second"));
    space.put([Change::UpdateAccount(second.clone())]).await;
    for version in [0, 1, 2, 4] {
        let third = next_account(&first, |account| account.version = version);
        let said = space.store.commit(space.batch([Change::UpdateAccount(third)])).await;
        let what = format!("an update of an account from version 2 to {version}");
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    let stored = space.done("a lookup", space.store.account(&space.tenant, &first.id).await);
    space.same("the account after refused updates", &stored, &Some(second));
}

pub(super) async fn policy_write_needs_the_previous_version(space: &Space<'_>) {
    let put = |version| {
        space.batch([Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(version) }])
    };
    for version in [0, 2] {
        let said = space.store.commit(put(version)).await;
        let what = format!("writing version {version} of a policy that does not exist");
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    space.done("the first policy", space.store.commit(put(1)).await);
    space.done("the second policy", space.store.commit(put(2)).await);
    for version in [0, 1, 2, 4] {
        let said = space.store.commit(put(version)).await;
        let what = format!("writing version {version} over version 2 of a policy");
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    let stored = space.policy_of(&space.tenant).await;
    space.same("the policy after refused ones", &stored, &Some(policy(2)));
}

pub(super) async fn update_of_absent_record_conflicts(space: &Space<'_>) {
    let key = space.key();
    let account = space.account();
    let of_key = next(&key, |_| {});
    let of_account = next_account(&account, |_| {});
    for change in [
        Change::UpdateKey(of_key),
        Change::UpdateKey(key.clone()),
        Change::UpdateAccount(of_account),
        Change::UpdateAccount(account.clone()),
        Change::DeleteKey(*key.id()),
        Change::DeleteAccount(account.id),
    ] {
        let what = format!("{change:?} of an absent record");
        let said = space.store.commit(space.batch([change])).await;
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    space.holds("an update created a key", space.stored(key.id()).await.is_none());
    let stored = space.done("a lookup", space.store.account(&space.tenant, &account.id).await);
    space.holds("an update created an account", stored.is_none());
}

pub(super) async fn update_changes_no_identity(space: &Space<'_>) {
    let first = space.key();
    let account = space.account();
    space.put([Change::InsertKey(first.clone()), Change::InsertAccount(account.clone())]).await;
    let elsewhere = next(&first, |key| key.tenant = space.other.clone());
    let later = next(&first, |key| key.created_at = at(1));
    let abroad = next_account(&account, |account| account.tenant = space.other.clone());
    for change in
        [Change::UpdateKey(elsewhere), Change::UpdateKey(later), Change::UpdateAccount(abroad)]
    {
        let what = format!("{change:?} with another tenant or creation time");
        let said = space.store.commit(space.batch([change])).await;
        space.refused(what, said, StoreErrorKind::Unsupported);
    }
    let stored = space.found(first.id()).await;
    space.same("the key after refused updates", stored.record.key(), first.key());
}
