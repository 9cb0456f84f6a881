//! Rules of reads: every method sees an acknowledged change at once.

use super::test_tenants::{Space, at, delta, name, next, next_account, policy, renamed, user};
use crate::record::account::ServiceAccount;
use crate::record::key::{Key, Owner};
use crate::record::snapshot::Snapshot;
use crate::store::{AccountQuery, Change, EventQuery, Found, Freshness, KeyQuery};
use crate::value::id::{KeyId, UserId};

async fn resolved(space: &Space<'_>, key: &KeyId) -> Found {
    let found = space.done("resolving", space.store.resolve(key, Freshness::StoreDefault).await);
    match found {
        Some(found) => found,
        None => space.broken("a key that was written is not resolved"),
    }
}

fn account_of(snapshot: &Snapshot) -> Option<&ServiceAccount> {
    snapshot.account()
}

pub(super) async fn resolve_returns_key_account_and_policy(space: &Space<'_>) {
    let account = space.account();
    let [mine, of_account] = [space.key(), space.key_of(&Owner::Account(account.id))];
    space.put([Change::InsertKey(mine.clone())]).await;
    let found = resolved(space, mine.id()).await;
    space.same("the key", found.record().key(), mine.key());
    space.same("the account of a user's key", &account_of(&found), &None);
    space.same("the policy of a tenant without one", &found.policy().is_some(), &false);
    let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(1) };
    let inserts = [Change::InsertAccount(account.clone()), Change::InsertKey(of_account.clone())];
    space.put(inserts.into_iter().chain([put])).await;
    let found = resolved(space, of_account.id()).await;
    space.same("the key of an account", found.record().key(), of_account.key());
    space.same("its account", &account_of(&found), &Some(&account));
    space.same("its policy", &found.policy(), &Some(&policy(1)));
    let found = resolved(space, mine.id()).await;
    space.same("the policy of a user's key", &found.policy(), &Some(&policy(1)));
}

pub(super) async fn resolve_sees_acknowledged_changes(space: &Space<'_>) {
    let mut account = space.account();
    let mut key = space.key_of(&Owner::Account(account.id));
    let id = *key.id();
    space.put([Change::InsertAccount(account.clone()), Change::InsertKey(key.clone())]).await;
    for round in 1..4 {
        // A read follows each change, so that a copy which the store keeps is outdated by the next one.
        key = renamed(&key, &format!("round {round}"));
        space.put([Change::UpdateKey(key.clone())]).await;
        let found = resolved(space, &id).await;
        space.same("the key after its update", found.record().key(), key.key());
        account = next_account(&account, |account| account.enabled = round % 2 == 0);
        space.put([Change::UpdateAccount(account.clone())]).await;
        let found = resolved(space, &id).await;
        space.same("the account after its update", &account_of(&found), &Some(&account));
        let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(round) };
        space.put([put]).await;
        let found = resolved(space, &id).await;
        let seen = found.policy().map(|policy| policy.version);
        space.same("the policy after its change", &seen, &Some(round));
    }
    space.put([Change::RevokeKey { key: id, at: at(9) }]).await;
    let found = resolved(space, &id).await;
    space.same("the revocation", &found.record().key().revoked_at, &Some(at(9)));
    space.put([Change::DeleteKey(id)]).await;
    let found = space.done("resolving", space.store.resolve(&id, Freshness::StoreDefault).await);
    space.holds("a deleted key is resolved", found.is_none());
}

pub(super) async fn lookups_see_acknowledged_changes(space: &Space<'_>) {
    let mut account = space.account();
    let mut key = space.key();
    let (id, of_account) = (*key.id(), account.id);
    let look = async |step: &str, key: Option<&Key>, account: Option<&ServiceAccount>, rules| {
        let found = space.stored(&id).await;
        space.same(format!("the key {step}"), &found.as_ref().map(|s| s.record.key()), &key);
        let found = space.done("a lookup", space.store.account(&space.tenant, &of_account).await);
        space.same(format!("the account {step}"), &found.as_ref(), &account);
        let found = space.policy_of(&space.tenant).await;
        let found = found.map_or(0, |policy| policy.version);
        space.same(format!("the version of the policy {step}"), &found, &rules);
    };
    look("before any change", None, None, 0).await;
    space.put([Change::InsertKey(key.clone())]).await;
    look("after an insert", Some(key.key()), None, 0).await;
    space.put([Change::InsertAccount(account.clone())]).await;
    look("after two inserts", Some(key.key()), Some(&account), 0).await;
    for round in 1..3 {
        key = renamed(&key, &format!("round {round}"));
        account = next_account(&account, |account| account.name = name("renamed"));
        let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(round) };
        space
            .put([Change::UpdateKey(key.clone()), Change::UpdateAccount(account.clone()), put])
            .await;
        look("after updates", Some(key.key()), Some(&account), round).await;
    }
    space.put([Change::DeleteAccount(account.id)]).await;
    look("after one delete", Some(key.key()), None, 2).await;
    space.put([Change::DeleteKey(id)]).await;
    look("after both deletes", None, None, 2).await;
}

pub(super) async fn queries_see_acknowledged_changes(space: &Space<'_>) {
    let (key, account) = (space.key(), space.account());
    let look = async |step: &str, key: &[&str], account: &[&str], events: usize| {
        let page = space.store.keys(&space.tenant, &KeyQuery::new(), at(1)).await;
        let page = space.done("listing keys", page);
        let names: Vec<_> = page.items.iter().map(|s| s.record.key().name.as_str()).collect();
        space.same(format!("the keys {step}"), &names.as_slice(), &key);
        let count = space.store.count_keys(&space.tenant, &KeyQuery::new(), at(1)).await;
        let count = space.done("counting keys", count);
        space.same(format!("the number of keys {step}"), &count, &(key.len() as u64));
        let page = space.store.accounts(&space.tenant, &AccountQuery::new()).await;
        let page = space.done("listing accounts", page);
        let names: Vec<_> = page.items.iter().map(|account| account.name.as_str()).collect();
        space.same(format!("the accounts {step}"), &names.as_slice(), &account);
        let page = space.store.events(&space.tenant, &EventQuery::new()).await;
        let page = space.done("listing events", page);
        space.same(format!("the events {step}"), &page.items.len(), &events);
    };
    look("before any change", &[], &[], 0).await;
    let insert = [Change::InsertKey(key.clone()), Change::InsertAccount(account.clone())];
    let insert = space.batch(insert);
    let insert = crate::store::Batch { events: vec![space.event("created")], ..insert };
    space.done("an insert", space.store.commit(insert).await);
    look("after inserts", &["a key"], &["an account"], 1).await;
    space
        .put([
            Change::UpdateKey(next(&key, |key| key.name = name("another key"))),
            Change::UpdateAccount(next_account(&account, |account| account.name = name("another"))),
        ])
        .await;
    look("after updates", &["another key"], &["another"], 1).await;
    space.put([Change::DeleteKey(*key.id()), Change::DeleteAccount(account.id)]).await;
    look("after deletes", &[], &[], 1).await;
}

pub(super) async fn unknown_record_is_absent_not_error(space: &Space<'_>) {
    let tenant = &space.tenant;
    let (id, account) = (space.key_id(), space.account().id);
    let found = space
        .done("resolving an unknown id", space.store.resolve(&id, Freshness::StoreDefault).await);
    space.holds("an unknown id is resolved", found.is_none());
    let found = space.done("an unknown key", space.store.key(tenant, &id).await);
    space.holds("an unknown key is found", found.is_none());
    let found = space.done("an unknown account", space.store.account(tenant, &account).await);
    space.same("an unknown account", &found, &None);
    let found = space.policy_of(tenant).await;
    space.same("an unknown policy", &found, &None);
    let alice = UserId::new("alice").expect("the suite's user ids are valid");
    let found = space.done("an unknown user", space.store.user(tenant, &alice).await);
    space.same("an unknown user", &found, &None);
    let page = space.store.keys(tenant, &KeyQuery::new(), at(0)).await;
    let page = space.done("keys of an unknown tenant", page);
    space.holds("an unknown tenant has keys", page.items.is_empty() && page.next.is_none());
    let count = space.store.count_keys(tenant, &KeyQuery::new(), at(0)).await;
    let count = space.done("counting the keys of an unknown tenant", count);
    space.same("the number of keys of an unknown tenant", &count, &0);
    let owned = space.store.owned_keys(tenant, &[user("alice")], 9, at(0)).await;
    let owned = space.done("the keys of an unknown owner", owned);
    let numbers: Vec<_> = owned.iter().map(|o| (o.live, o.all, o.keys.len())).collect();
    space.same("the numbers of the keys of an unknown owner", &numbers, &vec![(0, 0, 0)]);
    let page = space.store.accounts(tenant, &AccountQuery::new()).await;
    let page = space.done("accounts of an unknown tenant", page);
    space.holds("an unknown tenant has accounts", page.items.is_empty() && page.next.is_none());
    let page = space.store.events(tenant, &EventQuery::new().key(id)).await;
    let page = space.done("events of an unknown tenant", page);
    space.holds("an unknown tenant has events", page.items.is_empty() && page.next.is_none());
    let usage = space.usage([delta(&id, 1, at(1))]);
    space.done("usage of an unknown key", space.store.add_usage(&usage).await);
}
