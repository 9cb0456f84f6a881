//! After a close every operation fails, and the file can be opened again.

use std::slice;

use futures_lite::future::block_on;
use keywright::store::{
    AccountQuery, Batch, EventQuery, Freshness, KeyQuery, KeyStore, Marker, StoreError,
    StoreErrorKind, UsageBatch,
};
use keywright::{AccountId, Clock, VerifyError};

use crate::{Lived, open};

#[test]
fn calls_after_close_are_unavailable() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    let mut world = lived.world;
    world.reopen(store.clone());
    let tenant = world.admin.tenant();
    let key = world.id("plain");
    let now = world.clock.now();
    let account: AccountId = "0123456789ABCDEF".parse().expect("an account id");
    let added = UsageBatch { writer: [1; 16], sequence: 1, at: now, deltas: Vec::new() };
    let fresh = UsageBatch { sequence: 2, ..added.clone() };
    block_on(store.add_usage(&added)).expect("it is added");
    let conflicting = Batch {
        changes: vec![keywright::store::Change::DeleteKey(world.id("deleted"))],
        ..Batch::of(tenant.clone())
    };
    block_on(store.close()).expect("the store closes");
    block_on(store.close()).expect("it is closed already");

    let keys = KeyQuery::new();
    let events = EventQuery::new();
    let answers: [(&str, Result<(), StoreError>); 16] = [
        ("resolve", block_on(store.resolve(&key, Freshness::StoreDefault)).map(drop)),
        ("key", block_on(store.key(tenant, &key)).map(drop)),
        ("account", block_on(store.account(tenant, &account)).map(drop)),
        ("user", block_on(store.user(tenant, &common::user("alice"))).map(drop)),
        ("policies", block_on(store.policies(slice::from_ref(tenant))).map(drop)),
        ("keys", block_on(store.keys(tenant, &keys, now)).map(drop)),
        ("owned_keys", block_on(store.owned_keys(tenant, &[], 5, now)).map(drop)),
        ("count_keys", block_on(store.count_keys(tenant, &keys, now)).map(drop)),
        ("accounts", block_on(store.accounts(tenant, &AccountQuery::new())).map(drop)),
        ("events", block_on(store.events(tenant, &events)).map(drop)),
        ("events of a key", block_on(store.events(tenant, &events.key(key))).map(drop)),
        ("commit", block_on(store.commit(Batch::of(tenant.clone()))).map(drop)),
        ("commit of a batch that conflicts", block_on(store.commit(conflicting)).map(drop)),
        ("add_usage", block_on(store.add_usage(&fresh)).map(drop)),
        ("add_usage of a batch that was added", block_on(store.add_usage(&added)).map(drop)),
        ("changes", block_on(store.changes(&Marker::default())).map(drop)),
    ];
    for (call, answer) in answers {
        let kind = answer.map_err(|error| error.kind());
        assert_eq!(kind, Err(StoreErrorKind::Unavailable), "{call}");
    }
}

#[test]
fn verify_after_close_is_undecided() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    let mut world = lived.world;
    world.reopen(store.clone());
    let token = &world.token("plain").token;
    assert_eq!(world.says(token.expose()), "current");
    block_on(store.close()).expect("the store closes");
    let said = block_on(world.verifier.verify(token.expose()));
    assert!(matches!(said, Err(VerifyError::Unavailable(_))), "{said:?}");
}

#[test]
fn unflushed_uses_after_close_are_errors() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    let mut world = lived.world;
    world.reopen(store.clone());
    assert_eq!(world.says(world.token("plain").token.expose()), "current");
    block_on(store.close()).expect("the store closes");
    let error = block_on(world.verifier.flush()).expect_err("nothing can be written");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

#[test]
fn closed_store_reopens_while_clones_live() {
    let lived = Lived::new();
    let path = lived.path();
    for _ in 0..10 {
        let store = open(&path).expect("it opens");
        let clone = store.clone();
        block_on(store.close()).expect("the store closes");
        drop(store);
        let again = open(&path).expect("it opens while a clone lives");
        block_on(again.close()).expect("the store closes");
        drop(clone);
    }
}
