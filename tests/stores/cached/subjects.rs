//! The records that each change removes from memory: of a key, an account, a user or a policy. Also ids of
//! no key.

use keywright::store::{Batch, Change, Freshness, KeyRecord, KeyStore, MemoryStore};
use keywright::{AccountId, Actor, Issued, NewAccount, Owner, RoleName, TenantId};

use crate::node::Node;
use common::{World, admin, developer, named, user};

/// Returns a record that a store could have.
async fn record() -> KeyRecord {
    let store = MemoryStore::new();
    let issued = World::on(store.clone()).key().await;
    let found = store.resolve(&issued.key.id, Freshness::StoreDefault).await;
    found.expect("the store is up").expect("the key is there").record().clone()
}

fn insert(record: &KeyRecord) -> Batch {
    let tenant = record.key().tenant.clone();
    Batch { changes: vec![Change::InsertKey(record.clone())], ..Batch::of(tenant) }
}

#[tokio::test]
async fn t_m08_unknown_id_costs_one_read() {
    let node = Node::new();
    let id = *record().await.id();
    node.sync().await;
    for _ in 0..10 {
        assert!(node.is_absent(&id).await);
    }
    assert_eq!(node.asked(&id), 1);
    assert_eq!(node.cache.keys_kept(), 0);
}

#[tokio::test]
async fn t_m08_locally_created_key_is_known_at_once() {
    let (node, record) = (Node::new(), record().await);
    node.sync().await;
    assert!(node.is_absent(record.id()).await);
    node.cache.commit(insert(&record)).await.expect("it is new");
    assert!(!node.is_absent(record.id()).await);
}

#[tokio::test]
async fn t_m08_remotely_created_key_arrives_with_sync() {
    let (node, record) = (Node::new(), record().await);
    node.sync().await;
    assert!(node.is_absent(record.id()).await);
    node.behind.store().commit(insert(&record)).await.expect("it is new");
    assert!(node.is_absent(record.id()).await, "the node has not synced yet");
    node.sync().await;
    assert!(!node.is_absent(record.id()).await);
}

#[tokio::test]
async fn t_m08_deleted_key_is_absent() {
    let node = Node::new();
    let (here, elsewhere) = (node.cached_key().await, node.cached_key().await);
    node.here.authority.delete(&admin(), &here.key.id).await.expect("it is deleted");
    assert!(node.is_absent(&here.key.id).await);
    node.elsewhere.authority.delete(&admin(), &elsewhere.key.id).await.expect("it is deleted");
    node.sync().await;
    assert!(node.is_absent(&elsewhere.key.id).await);
}

/// Keys of two accounts, of a user, and of a user of another tenant, all in memory.
struct Keys {
    account: AccountId,
    of_account: Issued,
    others: [Issued; 2],
    of_stranger: Issued,
}

fn stranger() -> Actor {
    Actor::administrator(user("sam")).in_tenant(TenantId::new("initech").expect("a tenant"))
}

impl Keys {
    async fn of(node: &Node) -> Self {
        let (account, of_account) = Self::account(node, "nightly").await;
        let (_, of_another) = Self::account(node, "hourly").await;
        let of_user = node.elsewhere.key_of(&developer("alice"), named("prod-main-app")).await;
        let of_stranger = node.elsewhere.key_of(&stranger(), named("prod-main-app")).await;
        let keys = Self { account, of_account, others: [of_another, of_user], of_stranger };
        node.sync().await;
        for issued in keys.all() {
            assert!(node.asks(&issued.key.id).await);
        }
        keys
    }

    async fn account(node: &Node, name: &str) -> (AccountId, Issued) {
        let role = RoleName::new("analyst").expect("a role");
        let new = NewAccount::new(name.parse().expect("a name"), role);
        let authority = &node.elsewhere.authority;
        let account = authority.create_account(&admin(), new).await.expect("an account").account.id;
        let owner = Owner::Account(account);
        let issued = authority.generate(&admin(), named("prod-nightly").owner(owner.clone())).await;
        (account, issued.expect("a key"))
    }

    fn all(&self) -> impl Iterator<Item = &Issued> {
        [&self.of_account, &self.of_stranger].into_iter().chain(&self.others)
    }

    /// Returns which keys are read again: the account's, two others of the tenant, and the other
    /// tenant's.
    async fn asked(&self, node: &Node) -> [bool; 4] {
        let [another, user] = &self.others;
        let mut asked = [false; 4];
        let keys = [&self.of_account, another, user, &self.of_stranger];
        for (asked, issued) in asked.iter_mut().zip(keys) {
            *asked = node.asks(&issued.key.id).await;
        }
        asked
    }
}

#[tokio::test]
async fn t_m05_key_change_forgets_only_this_key() {
    let node = Node::new();
    let keys = Keys::of(&node).await;
    let [_, user] = &keys.others;
    node.here.authority.disable(&admin(), &user.key.id).await.expect("it is disabled");
    assert_eq!(keys.asked(&node).await, [false, false, true, false]);
    node.elsewhere.authority.enable(&admin(), &user.key.id).await.expect("it is enabled");
    node.sync().await;
    assert_eq!(keys.asked(&node).await, [false, false, true, false]);
    assert_eq!(keys.asked(&node).await, [false; 4]);
}

#[tokio::test]
async fn t_m05_account_change_forgets_only_its_keys() {
    let node = Node::new();
    let keys = Keys::of(&node).await;
    node.here.authority.disable_account(&admin(), &keys.account).await.expect("it is disabled");
    assert_eq!(node.says(&keys.of_account).await, "account_disabled");
    let others = keys.asked(&node).await;
    assert_eq!(others, [false; 4], "that key is in memory again, and the others still are");
    node.elsewhere.authority.enable_account(&admin(), &keys.account).await.expect("it is enabled");
    node.sync().await;
    assert_eq!(keys.asked(&node).await, [true, false, false, false]);
    assert_eq!(node.says(&keys.of_account).await, "accepted");
}

#[tokio::test]
async fn t_m05_user_change_forgets_only_their_keys() {
    let node = Node::new();
    let keys = Keys::of(&node).await;
    let [_, of_user] = &keys.others;
    let alice = user("alice");
    node.here.authority.suspend_user(&admin(), &alice).await.expect("the user is suspended");
    assert_eq!(node.says(of_user).await, "user_suspended");
    assert_eq!(keys.asked(&node).await, [false; 4], "only that key was read again");
    node.elsewhere.authority.restore_user(&admin(), &alice).await.expect("the user is restored");
    // A user of another tenant with the same id.
    let stranger = node.elsewhere.authority.suspend_user(&stranger(), &alice).await;
    stranger.expect("the user is suspended");
    node.sync().await;
    assert_eq!(keys.asked(&node).await, [false, false, true, false]);
    assert_eq!(node.says(of_user).await, "accepted");
}

#[tokio::test]
async fn t_m05_handed_over_key_follows_its_new_owner() {
    let node = Node::new();
    let keys = Keys::of(&node).await;
    let (key, heir) = (keys.of_account.key.id, Owner::User(user("bob")));
    let there = &node.elsewhere.authority;
    there.transfer_key(&admin(), &key, &heir).await.expect("the key is handed over");
    node.sync().await;
    assert_eq!(keys.asked(&node).await, [true, false, false, false]);
    there.disable_account(&admin(), &keys.account).await.expect("the account is disabled");
    node.sync().await;
    assert_eq!(node.says(&keys.of_account).await, "accepted");
    there.suspend_user(&admin(), &user("bob")).await.expect("the user is suspended");
    node.sync().await;
    assert_eq!(node.says(&keys.of_account).await, "user_suspended");
}

#[tokio::test]
async fn t_m05_policy_change_forgets_only_its_tenant() {
    let node = Node::new();
    let keys = Keys::of(&node).await;
    node.here
        .set_policy(|policy| policy.settings.api_enabled = Some(false))
        .await
        .expect("the policy is set");
    assert_eq!(keys.asked(&node).await, [true, true, true, false]);
    assert_eq!(node.says(&keys.of_account).await, "access_off");
    node.elsewhere
        .set_policy(|policy| policy.settings.api_enabled = Some(true))
        .await
        .expect("the policy is set");
    node.sync().await;
    assert_eq!(keys.asked(&node).await, [true, true, true, false]);
    assert_eq!(node.says(&keys.of_account).await, "accepted");
}

#[tokio::test]
async fn t_m05_unknown_changes_make_node_forget_all() {
    let node = Node::new();
    let keys = Keys::of(&node).await;
    let [_, user] = &keys.others;
    // More changes than a store in memory keeps.
    for _ in 0..2_100 {
        node.elsewhere.authority.disable(&admin(), &user.key.id).await.expect("it is disabled");
        node.elsewhere.authority.enable(&admin(), &user.key.id).await.expect("it is enabled");
    }
    node.sync().await;
    assert_eq!(node.cache.keys_kept(), 0);
    assert_eq!(node.cache.regressions(), 0, "nothing was lost");
    assert_eq!(keys.asked(&node).await, [true; 4]);
}
