//! Bad input is refused with a specific error that names the problem, and changes nothing: no key
//! is stored, and the keys, accounts, policy and accepted events stay as they were.

mod absent;
mod failing;
mod new_keys;
mod pages;
mod panicking;
mod repeating;
mod settings;

use std::error::Error;
use std::time::Duration;

use keywright::store::{AccountQuery, EventQuery, KeyQuery};
use keywright::{
    AccountId, Authority, EventOutcome, Issued, Name, NewAccount, Owner, RoleName, Timestamp,
};

use common::{World, admin, chain, named, start};

/// Renders everything that a tenant can see of its own data, except refused operations.
async fn picture(authority: &Authority) -> String {
    let admin = admin();
    let keys = authority.keys(&admin, &KeyQuery::new().limit(500)).await.expect("keys");
    let accounts = authority.accounts(&admin, &AccountQuery::new()).await.expect("accounts");
    let policy = authority.policy(&admin).await.expect("the policy");
    let events = authority.events(&admin, &EventQuery::new().limit(500)).await.expect("events");
    let refused = |outcome: &EventOutcome| matches!(outcome, EventOutcome::Refused(_));
    let done: Vec<_> = events.items.iter().filter(|event| !refused(&event.outcome)).collect();
    let policy = format!("{policy:?}");
    let seen = (&keys, &accounts, &policy, &done);
    serde_json::to_string_pretty(&seen).expect("the state serializes")
}

/// Asserts that each error of the chain is a sentence on one line.
#[track_caller]
fn assert_is_said(error: &dyn Error) {
    for said in chain(error) {
        assert!(said.len() >= 15, "{said:?} is too short");
        assert!(!said.contains(|c: char| c.is_control()), "{said:?} is not one plain line");
    }
}

/// Builds a world with one key of alice's and one service account that has a key.
async fn world() -> (World, Issued, AccountId) {
    let world = World::in_memory();
    let issued = world.key().await;
    let new = NewAccount::new(name("nightly-report"), role("analyst"));
    let account =
        world.authority.create_account(&admin(), new).await.expect("an account").account.id;
    let owner = Owner::Account(account);
    world
        .authority
        .generate(&admin(), named("prod-nightly").owner(owner.clone()))
        .await
        .expect("a key");
    (world, issued, account)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn role(text: &str) -> RoleName {
    RoleName::new(text).expect("a role")
}

fn after(by: Duration) -> Timestamp {
    start().saturating_add(by)
}
