//! Rules of tenants: no call in one tenant returns anything of another.

use std::sync::Arc;

use super::test_tenants::{Space, at, event_in, policy, user};
use crate::record::key::{KeyRecord, Owner};
use crate::store::{AccountQuery, Batch, Change, EventQuery, Freshness, KeyQuery};
use crate::value::id::TenantId;

/// Writes an account, a policy, an event and two keys in the other tenant. Returns the key of a user
/// and the key of the account.
async fn write_abroad(space: &Space<'_>) -> (KeyRecord, KeyRecord) {
    let mut account = space.account();
    account.tenant = space.other.clone();
    let of_user = space.key_with(|key| key.tenant = space.other.clone());
    let of_account = space.key_with(|key| {
        key.tenant = space.other.clone();
        key.owner = Owner::Account(account.id);
    });
    let changes = vec![
        Change::InsertAccount(account),
        Change::InsertKey(of_user.clone()),
        Change::InsertKey(of_account.clone()),
        Change::PutPolicy { tenant: space.other.clone(), policy: policy(1) },
    ];
    let mut event = event_in(&space.other, "abroad");
    event.key = Some(*of_user.id());
    event.account = of_account.key().owner.account();
    let batch = Batch { changes, events: vec![event], ..Batch::of(space.other.clone()) };
    space.done("a commit in the other tenant", space.store.commit(batch).await);
    (of_user, of_account)
}

pub(super) async fn lookup_stays_in_its_tenant(space: &Space<'_>) {
    let (of_user, of_account) = write_abroad(space).await;
    for key in [&of_user, &of_account] {
        let found = space.done("a lookup", space.store.key(&space.tenant, key.id()).await);
        space.holds("a lookup finds a key of another tenant", found.is_none());
        let found = space.done("a lookup", space.store.key(&space.other, key.id()).await);
        space.holds("a lookup does not find a key of its own tenant", found.is_some());
    }
    if let Some(account) = of_account.key().owner.account() {
        let found = space.done("a lookup", space.store.account(&space.tenant, &account).await);
        space.same("a lookup of another tenant's account", &found, &None);
    }
    let found = space.policy_of(&space.tenant).await;
    space.same("the policy of a tenant without one", &found, &None);
    // A key of this tenant must not come with the policy of the other.
    let mine = space.key();
    space.put([Change::InsertKey(mine.clone())]).await;
    let found =
        space.done("resolving", space.store.resolve(mine.id(), Freshness::StoreDefault).await);
    let rules = found.and_then(|found| found.policy().cloned());
    space.same("the policy that is resolved with a key", &rules, &None);
}

pub(super) async fn query_stays_in_its_tenant(space: &Space<'_>) {
    let (of_user, of_account) = write_abroad(space).await;
    let mine = space.key();
    let batch = Batch {
        changes: vec![Change::InsertKey(mine.clone()), Change::InsertAccount(space.account())],
        events: vec![space.event("at home")],
        ..space.batch([])
    };
    space.done("a commit", space.store.commit(batch).await);
    let queries = [
        KeyQuery::new(),
        KeyQuery::new().owner(user("alice")),
        KeyQuery::new().owner(of_account.key().owner.clone()),
        KeyQuery::new().search(of_user.id().to_string()),
        KeyQuery::new().never_used().descending(),
    ];
    for query in queries {
        let page = space.store.keys(&space.tenant, &query, at(1)).await;
        let page = space.done("listing keys", page);
        let mut abroad = page.items.iter().filter(|stored| stored.record.id() != mine.id());
        space.holds(format!("{query:?} finds another tenant's key"), abroad.next().is_none());
    }
    let page = space.store.accounts(&space.tenant, &AccountQuery::new()).await;
    let page = space.done("listing accounts", page);
    let home = page.items.iter().all(|account| account.tenant == space.tenant);
    space.holds("accounts of another tenant are listed", home && page.items.len() == 1);
    let mut queries = vec![
        EventQuery::new(),
        EventQuery::new().oldest_first(),
        EventQuery::new().key(*of_user.id()),
    ];
    queries.extend(of_account.key().owner.account().map(|id| EventQuery::new().account(id)));
    for query in queries {
        let page = space.store.events(&space.tenant, &query).await;
        let page = space.done("listing events", page);
        let home = page.items.iter().all(|event| event.tenant == space.tenant);
        space.holds(format!("{query:?} finds another tenant's event"), home);
    }
}

pub(super) async fn policies_have_order_of_tenants(space: &Space<'_>) {
    let (first, second) = (&space.tenant, &space.other);
    let third: TenantId = format!("{first}-third").parse().expect("the suite's ids are valid");
    let look = async |step: &str, expected: [u64; 2]| {
        let version = |tenant: &TenantId| match tenant {
            tenant if tenant == first => expected[0],
            tenant if tenant == second => expected[1],
            _ => 0,
        };
        let calls: [&[&TenantId]; 5] = [
            &[first, second, &third],
            &[&third, second, first],
            &[second, &third, second, first, second],
            &[&third],
            &[],
        ];
        for tenants in calls {
            let tenants: Vec<TenantId> = tenants.iter().map(|id| (*id).clone()).collect();
            let found = space.done("reading policies", space.store.policies(&tenants).await);
            let stored = |version| (version > 0).then(|| Arc::new(policy(version)));
            let expected: Vec<_> = tenants.iter().map(|id| stored(version(id))).collect();
            space.same(format!("the policies of {tenants:?} {step}"), &found, &expected);
        }
    };
    let put = |tenant: &TenantId, version| Change::PutPolicy {
        tenant: tenant.clone(),
        policy: policy(version),
    };
    look("before any is set", [0, 0]).await;
    space.put([put(second, 1)]).await;
    look("after one was set", [0, 1]).await;
    space.put([put(second, 2), put(first, 1)]).await;
    look("after both were set", [1, 2]).await;
}
