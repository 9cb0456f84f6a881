//! Dead records do not accumulate and cost no work: sweeps, the limit, and pages of events.

use keywright::Operation;
use keywright::store::{
    Batch, Change, EventQuery, KeyStore, MAX_LIMIT, PostgresStore, StoreErrorKind,
};

use crate::stage::{Stage, event_with, number};
use common::{DAY, HOUR, World, admin, developer, named, tenant};

/// Returns the number of items of each page, and whether more pages follow.
async fn pages(store: &PostgresStore, query: &EventQuery) -> Vec<(usize, bool)> {
    let mut query = query.clone();
    let mut pages = Vec::new();
    loop {
        let page = store.events(&tenant(), &query).await.expect("a page");
        pages.push((page.items.len(), page.next.is_some()));
        let Some(next) = page.next else { return pages };
        query = next;
    }
}

#[common::test(postgres)]
async fn page_ends_after_examining_its_maximum() {
    let stage = Stage::new("bounded_pages").await;
    let store = stage.store().await;
    let of_kind = |kind: Operation| event_with(|event| event["kind"] = kind.as_str().into());
    let mut events = vec![of_kind(Operation::KeyGenerate)];
    events.resize(2 * EventQuery::MAX_EXAMINED + 1, of_kind(Operation::Sweep));
    store.commit(Batch { events, ..Batch::of(tenant()) }).await.expect("many events");
    let made = EventQuery::new().kind(Operation::KeyGenerate);
    assert_eq!(pages(&store, &made).await, [(0, true), (0, true), (1, false)]);
    assert_eq!(pages(&store, &made.oldest_first()).await, [(1, true), (0, true), (0, false)]);
    // The last page is full when it reaches its scan limit.
    let sweeps = EventQuery::new().kind(Operation::Sweep).limit(MAX_LIMIT);
    let full = pages(&store, &sweeps).await;
    assert_eq!(full.iter().map(|(items, _)| items).sum::<usize>(), 2 * EventQuery::MAX_EXAMINED);
    let all = EventQuery::new().limit(MAX_LIMIT);
    let full = store.events(&tenant(), &all).await.expect("a page");
    assert_eq!((full.items.len(), full.next.is_some()), (MAX_LIMIT.into(), true));
}

#[common::test(postgres)]
async fn t_f23_sweep_removes_rows() {
    let stage = Stage::new("swept_rows").await;
    let (store, pool) = (stage.store().await, stage.pool(1).await);
    let world = World::on(store.clone());
    world
        .set_policy(|policy| policy.settings.event_retention = Some(DAY))
        .await
        .expect("the policy is set");
    let alice = developer("alice");
    let first = world.key_of(&alice, named("prod-first")).await.key.id;
    let record = store.key(&tenant(), &first).await.expect("it works").expect("a key").record;
    world.authority.delete(&alice, &first).await.expect("it is deleted");
    let mut early = None;
    for cycle in 1..=200 {
        let key = world.key_of(&alice, named("prod-main-app")).await.key.id;
        world.authority.delete(&alice, &key).await.expect("it is deleted");
        world.clock.advance(HOUR);
        if cycle % 20 != 0 {
            continue;
        }
        let insert = vec![Change::InsertKey(record.clone())];
        let insert = Batch { changes: insert, ..Batch::of(tenant()) };
        if cycle == 20 {
            let said = store.commit(insert).await.expect_err("the id was used");
            assert_eq!(said.kind(), StoreErrorKind::AlreadyExists);
        } else if cycle == 60 {
            store.commit(insert).await.expect("the event of its deletion is gone");
        }
        let swept = world.authority.sweep(&admin()).await.expect("a sweep").events;
        assert!(cycle == 20 || swept > 0, "cycle {cycle}");
        let mut rows = [0, 0];
        for (rows, table) in rows.iter_mut().zip(["events", "deleted"]) {
            *rows = number(&pool, format!("SELECT count(*) FROM keywright.{table}")).await;
        }
        if cycle == 60 {
            early = Some(rows);
        }
        if let Some(early) = early {
            assert!(rows[0] <= early[0] + 2 && rows[1] <= early[1], "{early:?}, then {rows:?}");
        }
    }
    let oldest = EventQuery::new().oldest_first().limit(1);
    let first = store.events(&tenant(), &oldest).await.expect("a page").items[0].sequence;
    let all = number(&pool, "SELECT count(*) FROM keywright.events").await;
    let last = number(&pool, "SELECT last_event FROM keywright.tenants").await;
    assert_eq!(last - first.cast_signed() + 1, all, "without gaps");
}
