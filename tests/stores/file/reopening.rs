//! A reopened store equals the closed one, after every kind of change.

use futures_lite::future::block_on;
use keywright::store::{
    EventQuery, KeyStore, Marker, StoreErrorKind, Subject, UsageBatch, UsageDelta, UseKind,
};
use keywright::{Actor, Clock, Keywright, TenantId, UserId};

use crate::{ACCEPTED, Lived, difference, open};
use common::store_lifecycle::{DEAD, STEPS, live};
use common::{SECOND, World};

#[test]
fn t_f21_store_is_equal_after_every_reopen() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let mut store = open(&path).expect("a new store");
    let mut world = World::bare(store.clone());
    for (name, step) in STEPS {
        step(&mut world);
        let before = world.state();
        block_on(store.close()).expect("the store closes");
        store = open(&path).unwrap_or_else(|error| panic!("after \"{name}\": {error:?}"));
        world.reopen(store.clone());
        let after = world.state();
        assert!(after == before, "after \"{name}\":\n{}", difference(&before, &after));
        world.clock.advance(SECOND);
    }
    for name in DEAD {
        let said = world.says(world.token(name).token.expose());
        assert!(!ACCEPTED.contains(&said), "the token {name} is accepted at the end: {said}");
    }
    assert_eq!(world.says(world.token("retiring").token.expose()), "retiring");
    assert_eq!(world.says(world.token("after an overlap").token.expose()), "current");
}

#[test]
fn store_is_equal_after_plain_drop() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let mut world = World::bare(open(&path).expect("a new store"));
    live(&mut world);
    let before = world.state();
    // The world has to release the file before it is reopened.
    world.let_go();
    world.reopen(open(&path).expect("it opens"));
    let after = world.state();
    assert!(after == before, "{}", difference(&before, &after));
}

#[test]
fn reopened_store_knows_no_earlier_changes() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    let mut world = lived.world;
    let changes = |since: &Marker| block_on(store.changes(since)).expect("the store is up");
    let before = changes(&Marker::default()).at;
    // This store cannot report the changes since a marker of the previous one.
    for since in [Marker::default(), Marker::new(1_u64.to_be_bytes())] {
        let told = changes(&since);
        assert_eq!((&told.at, told.touched, told.has_lost), (&before, None, false), "{since:?}");
    }
    assert_eq!(changes(&before).touched, Some(vec![]));
    world.reopen(store.clone());
    let revoked = world.id("plain");
    block_on(world.authority.revoke(&world.admin, &revoked)).expect("it is revoked");
    assert_eq!(changes(&before).touched, Some(vec![Subject::Key(revoked)]));
    assert_eq!(changes(&Marker::default()).touched, None);
}

#[test]
fn deleted_id_is_reserved_after_reopen() {
    let lived = Lived::new();
    let store = open(&lived.path()).expect("it opens");
    let mut world = lived.world;
    world.reopen(store.clone());
    let alive = world.id("plain");
    let stored = block_on(store.key(world.admin.tenant(), &alive)).expect("the store is up");
    let record = stored.expect("the key").record;
    let json = serde_json::to_string(&record).expect("it serializes");
    let deleted = world.id("deleted");
    let again = json.replace(alive.as_str(), deleted.as_str());
    let batch = keywright::store::Batch {
        changes: vec![keywright::store::Change::InsertKey(
            serde_json::from_str(&again).expect("a record"),
        )],
        ..keywright::store::Batch::of(world.admin.tenant().clone())
    };
    let error = block_on(store.commit(batch)).expect_err("the id was used");
    assert_eq!(error.kind(), StoreErrorKind::AlreadyExists);
    assert_eq!(world.says(world.token("deleted").token.expose()), "unrecognized");
}

#[test]
fn t_c05_usage_batch_is_remembered_after_reopen() {
    let lived = Lived::new();
    let key = lived.world.id("plain");
    let batch = UsageBatch {
        writer: [7; 16],
        sequence: 1,
        at: lived.world.clock.now(),
        deltas: vec![UsageDelta {
            key,
            kind: UseKind::Accepted { secret_number: 1 },
            uses: 1_000,
            last_used_at: lived.world.clock.now(),
            alert: None,
        }],
    };
    let mut world = lived.world;
    let mut uses = Vec::new();
    for _ in 0..3 {
        let store = open(&lived.folder.path().join("keys.db")).expect("it opens");
        world.reopen(store.clone());
        block_on(store.add_usage(&batch)).expect("it is added");
        let entry = block_on(world.authority.key(&world.admin, &key)).expect("the key");
        uses.push(entry.uses);
        block_on(store.close()).expect("the store closes");
    }
    assert_eq!(uses, [uses[0]; 3]);
    assert!(uses[0] >= 1_000, "it was added once: {uses:?}");
}

#[test]
fn t_c05_usage_counts_continue_after_reopen() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    let mut world = World::new(open(&path).expect("a new store"));
    let issued = world.issue("prod-main-app");
    for round in 1..=5 {
        for _ in 0..7 {
            assert_eq!(world.says(issued.token.expose()), "current");
        }
        block_on(world.verifier.flush()).expect("the uses are written");
        world.let_go();
        world.reopen(open(&path).expect("it opens"));
        let entry = block_on(world.authority.key(&world.admin, &issued.key.id)).expect("the key");
        assert_eq!(entry.uses, 7 * round);
    }
}

#[test]
fn reopened_verifier_decides_the_same() {
    let lived = Lived::new();
    let before = &lived.state["verify"];
    let mut world = lived.world;
    world.reopen(open(&lived.folder.path().join("keys.db")).expect("it opens"));
    let verifier = world.keywright.verifier();
    for (place, (name, issued)) in world.issued.iter().enumerate() {
        let said = common::says(&verifier, issued.token.expose());
        assert_eq!(before[place][1], said, "the token {name}");
    }
}

#[test]
fn event_numbers_continue_for_each_tenant() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.db");
    // Some ids are prefixes of others, on both sides of the byte that terminates them.
    let tenants = ["a", "a-", "a~", "b", "ab", "A"].map(|id| TenantId::new(id).expect("an id"));
    for round in 1..=3 {
        let store = open(&path).expect("it opens");
        let authority = Keywright::builder(store.clone()).build().expect("a keywright").authority();
        for (place, tenant) in tenants.iter().enumerate() {
            let ada =
                Actor::administrator(UserId::new("ada").expect("an id")).in_tenant(tenant.clone());
            for _ in 0..=place {
                let unknown = "0123456789ABCDEF".parse().expect("an id");
                block_on(authority.revoke(&ada, &unknown)).expect_err("there is none");
            }
            let query = EventQuery::new().oldest_first();
            let page = block_on(authority.events(&ada, &query)).expect("a page");
            let numbers: Vec<_> = page.items.iter().map(|event| event.sequence).collect();
            let count = round * (place as u64 + 1);
            assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{tenant} in round {round}");
        }
        block_on(store.close()).expect("it closes");
    }
}
