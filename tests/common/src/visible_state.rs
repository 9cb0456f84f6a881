//! The visible state of a tenant as one value that tests can compare.

use futures_lite::future::block_on;
use keywright::store::{AccountQuery, EventQuery, KeyQuery, MAX_LIMIT};
use keywright::{Actor, Authority, Event, KeyEntry, KeyId};
use serde_json::{Value, json};

use crate::actors::user;
use crate::world::World;

/// Returns the policy, users, accounts, keys and events of a tenant. The actor must be allowed to see all of them.
pub async fn picture(authority: &Authority, actor: &Actor) -> Value {
    let accounts = AccountQuery::new().limit(MAX_LIMIT);
    let accounts = authority.accounts(actor, &accounts).await.expect("the accounts");
    assert!(accounts.next.is_none(), "all accounts fit on one page");
    let policy = authority.policy(actor).await.expect("the policy");
    let mut users = Vec::new();
    for id in ["alice", "bob", "me"] {
        users.push(authority.user(actor, &user(id)).await.expect("a user"));
    }
    json!({
        "plan": policy.plan,
        "settings": policy.settings,
        "in force": format!("{policy:?}"),
        "users": users.iter().filter(|user| user.version > 0).collect::<Vec<_>>(),
        "accounts": accounts,
        "keys": all_keys(authority, actor).await,
        "events": all_events(authority, actor, EventQuery::new()).await,
    })
}

/// Returns the policy, users, accounts and keys of a tenant, without its events.
pub async fn picture_of_now(authority: &Authority, actor: &Actor) -> Value {
    let mut picture = picture(authority, actor).await;
    picture.as_object_mut().expect("an object").remove("events");
    picture
}

/// Returns all keys of a tenant.
pub async fn all_keys(authority: &Authority, actor: &Actor) -> Vec<KeyEntry> {
    let mut query = KeyQuery::new().limit(MAX_LIMIT);
    let mut found = Vec::new();
    loop {
        let page = authority.keys(actor, &query).await.expect("the keys");
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        query = next;
    }
}

/// Returns all events that match a query, oldest first.
pub async fn all_events(authority: &Authority, actor: &Actor, query: EventQuery) -> Vec<Event> {
    let mut query = query.oldest_first().limit(MAX_LIMIT);
    let mut found = Vec::new();
    loop {
        let page = authority.events(actor, &query).await.expect("the events");
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        query = next;
    }
}

/// Returns the events of a key, oldest first.
pub fn events_of(world: &World, key: KeyId) -> Vec<Event> {
    block_on(all_events(&world.authority, &world.admin, EventQuery::new().key(key)))
}

impl World {
    /// Returns the visible state of both tenants, and the answer to a verification of each token.
    pub fn state(&self) -> Value {
        let said: Vec<_> = self
            .issued
            .iter()
            .map(|(name, issued)| json!([name, self.says(issued.token.expose())]))
            .collect();
        json!({ "globex": self.seen_by(&self.admin), "initech": self.seen_by(&self.other), "verify": said })
    }

    /// Returns everything of a tenant that its administrator can see.
    pub fn seen_by(&self, actor: &Actor) -> Value {
        block_on(picture(&self.authority, actor))
    }
}
