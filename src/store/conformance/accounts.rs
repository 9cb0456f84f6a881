//! Rules of deleting service accounts: a service account is not deleted before its keys.

use super::test_tenants::{Space, at, next_account};
use crate::record::key::Owner;
use crate::store::{AccountQuery, Change, Freshness, StoreErrorKind};

pub(super) async fn account_with_keys_is_kept(space: &Space<'_>) {
    let account = space.account();
    let keys = [0, 1].map(|_| space.key_of(&Owner::Account(account.id)));
    let inserts = keys.iter().cloned().map(Change::InsertKey);
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(inserts)).await;
    // A revoked key counts too.
    space.put([Change::RevokeKey { key: *keys[0].id(), at: at(1) }]).await;
    for goes_too in [vec![], vec![*keys[0].id()], vec![*keys[1].id()]] {
        let deletes = goes_too.iter().copied().map(Change::DeleteKey);
        let delete = space.batch([Change::DeleteAccount(account.id)].into_iter().chain(deletes));
        let said = space.store.commit(delete).await;
        space.refused("deleting an account that owns keys", said, StoreErrorKind::Conflict);
    }
    let found = space.done("a lookup", space.store.account(&space.tenant, &account.id).await);
    space.same("an account that owns keys", &found, &Some(account));
    for key in &keys {
        space.found(key.id()).await;
    }
}

pub(super) async fn account_is_deleted_with_its_keys(space: &Space<'_>) {
    let account = space.account();
    let keys = [0, 1].map(|_| space.key_of(&Owner::Account(account.id)));
    let inserts = keys.iter().cloned().map(Change::InsertKey);
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(inserts)).await;
    let deletes = keys.iter().map(|key| Change::DeleteKey(*key.id()));
    space.put([Change::DeleteAccount(account.id)].into_iter().chain(deletes)).await;
    let found = space.done("a lookup", space.store.account(&space.tenant, &account.id).await);
    space.same("an account that was deleted with its keys", &found, &None);
    for key in &keys {
        let resolved =
            space.done("resolving", space.store.resolve(key.id(), Freshness::StoreDefault).await);
        space.holds("a key of a deleted account is resolved", resolved.is_none());
    }
}

pub(super) async fn deleted_account_is_gone(space: &Space<'_>) {
    let account = space.account();
    space.put([Change::InsertAccount(account.clone())]).await;
    space.put([Change::DeleteAccount(account.id)]).await;
    for change in [
        Change::UpdateAccount(next_account(&account, |_| {})),
        Change::DeleteAccount(account.id),
        Change::InsertKey(space.key_of(&Owner::Account(account.id))),
    ] {
        let what = format!("{change:?} after its account was deleted");
        let said = space.store.commit(space.batch([change])).await;
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    let found = space.done("a lookup", space.store.account(&space.tenant, &account.id).await);
    space.same("a deleted account", &found, &None);
    let page = space.store.accounts(&space.tenant, &AccountQuery::new()).await;
    let page = space.done("listing accounts", page);
    space.same("the listed accounts", &page.items, &Vec::new());
}
