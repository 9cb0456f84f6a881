//! Usage: sums of many writers, repeated batches, batches of thousands, keys that are deleted
//! meanwhile, and alerts that share the sequence of the commits' events.

use keywright::store::{
    Batch, Change, EventQuery, KeyStore, MAX_LIMIT, MemoryStore, PostgresStore, StoreErrorKind,
    UsageBatch, UsageDelta, UseKind,
};
use keywright::{DetailField, Event, EventKind, UseAlert};
use tokio::task::JoinSet;

use crate::stage::{Stage, batch, delta, event, id, insert, key, next, number, run, usage};
use common::{Random, SECOND, seed, start, tenant};

/// Returns all events, oldest first.
async fn events(store: &impl KeyStore) -> Vec<Event> {
    let mut query = EventQuery::new().oldest_first().limit(MAX_LIMIT);
    let mut all = Vec::new();
    loop {
        let page = store.events(&tenant(), &query).await.expect("a page");
        all.extend(page.items);
        let Some(next) = page.next else { return all };
        query = next;
    }
}

async fn uses(store: &PostgresStore, number: u64) -> u64 {
    let stored = store.key(&tenant(), &id(number)).await.expect("it works");
    stored.expect("a key").usage.uses()
}

/// Builds uses in the minute with this number, in which more than `most` are an alert.
fn alerting(number: u64, uses: u64, most: u64, minute: u32) -> UsageDelta {
    let alert = UseAlert::new(most, 60 * SECOND).ok();
    UsageDelta { alert, ..delta(number, uses, start().saturating_add(60 * minute * SECOND)) }
}

#[common::test(postgres)]
async fn t_m16_repeated_usage_batches_match_memory() {
    let stage = Stage::new("two_writers").await;
    let (store, memory) = (stage.store().await, MemoryStore::new());
    for n in 1..=5 {
        store.commit(insert(n)).await.expect("a commit");
        memory.commit(insert(n)).await.expect("a commit");
    }
    let random = Random::seeded(seed());
    let mut sent: Vec<UsageBatch> = Vec::new();
    let mut sequences = [0, 0];
    for _ in 0..150 {
        let writer = random.below(2);
        let next = if sent.is_empty() || random.below(3) > 0 {
            sequences[writer] += 1 + random.below(3) as u64;
            let deltas = (0..=random.below(6)).map(|_| UsageDelta {
                // Some keys occur twice, and some do not exist.
                key: id(1 + random.below(7) as u64),
                kind: match random.below(5) {
                    0 => UseKind::Refused,
                    n => UseKind::Accepted { secret_number: u32::try_from(n).expect("small") },
                },
                uses: random.below(4) as u64,
                last_used_at: start()
                    .saturating_add(SECOND * u32::try_from(random.below(600)).expect("small")),
                alert: UseAlert::new(random.below(8) as u64, 60 * SECOND).ok(),
            });
            let deltas = deltas.collect();
            usage(u8::try_from(writer).expect("small"), sequences[writer], deltas)
        } else {
            sent[random.below(sent.len())].clone()
        };
        let said = store.add_usage(&next).await.map_err(|error| error.kind());
        let expected = memory.add_usage(&next).await.map_err(|error| error.kind());
        assert_eq!(said, expected, "a batch of number {}", next.sequence);
        sent.push(next);
    }
    for n in 1..=5 {
        let found = store.key(&tenant(), &id(n)).await.expect("it works").expect("a key");
        let expected = memory.key(&tenant(), &id(n)).await.expect("it works").expect("a key");
        assert_eq!(found.usage, expected.usage);
        assert!(found.usage.uses() > 20);
    }
    let (found, expected) = (events(&store).await, events(&memory).await);
    // The order of the alerts of one batch is undefined.
    let sorted = |events: &[Event]| {
        let mut told: Vec<_> = events
            .iter()
            .map(|event| (event.kind.to_string(), event.key, event.details.to_string()))
            .collect();
        told.sort();
        told
    };
    assert_eq!(sorted(&found), sorted(&expected));
    assert!(found.iter().map(|event| event.sequence).eq(1..=found.len() as u64), "without gaps");
}

#[common::test(postgres)]
async fn t_m16_concurrent_usage_counts_once_each() {
    let stage = Stage::new("many_writers").await;
    let store = stage.store().await;
    let many = (1..=6).map(|n| Change::InsertKey(key(n)));
    store.commit(batch(many)).await.expect("a commit");
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        // Two tasks send the same batches, like a node that retries after a lost answer.
        for _ in 0..2 {
            let store = store.clone();
            writers.spawn(async move {
                for sequence in 1..=15 {
                    // Each batch begins with another key, so the store has to sort its locks.
                    let mut deltas: Vec<_> = (1..=6).map(|n| delta(n, n, start())).collect();
                    deltas.rotate_left(usize::from(writer) % 6);
                    let said = store.add_usage(&usage(writer, sequence, deltas)).await;
                    // The other task may be ahead; the store then reports a conflict.
                    assert!(said.is_ok() || said.is_err_and(|error| error.is_conflict()));
                }
            });
        }
    }
    writers.join_all().await;
    for n in 1..=6 {
        assert_eq!(uses(&store, n).await, 8 * 15 * n);
    }
}

#[common::test(postgres)]
async fn t_m16_usage_batch_names_thousands_of_keys() {
    let stage = Stage::new("thousands").await;
    let store = stage.store().await;
    for begin in [1, 1_501] {
        let many = (begin..begin + 1_500).map(|n| Change::InsertKey(key(n)));
        store.commit(batch(many)).await.expect("a commit");
    }
    store.commit(batch([Change::DeleteKey(id(77))])).await.expect("a commit");
    let deltas = (1..=3_500).flat_map(|n| [delta(n, 1, start()), delta(n, n, start())]).collect();
    store.add_usage(&usage(1, 1, deltas)).await.expect("usage");
    let pool = stage.pool(1).await;
    let sum = "SELECT sum((record ->> 'uses')::bigint) FROM keywright.usage";
    assert_eq!(number(&pool, sum).await, 3_000 * 3_001 / 2 + 3_000 - 78);
    assert_eq!(uses(&store, 3_000).await, 3_001);
}

#[common::test(postgres)]
async fn t_m16_keys_are_deleted_while_counted() {
    let stage = Stage::new("deleted_meanwhile").await;
    let store = stage.store().await;
    let many = (1..=40).map(|n| Change::InsertKey(key(n)));
    store.commit(batch(many)).await.expect("a commit");
    let mut tasks = JoinSet::new();
    for writer in 0..3 {
        let store = store.clone();
        tasks.spawn(async move {
            for sequence in 1..=20 {
                let deltas = (1..=40).map(|n| alerting(n, 1, 1_000, 0)).collect();
                let calm = (1..=40).rev().map(|n| delta(n, 1, start())).collect();
                let deltas = if sequence % 2 == 0 { deltas } else { calm };
                store.add_usage(&usage(writer, sequence, deltas)).await.expect("usage");
            }
        });
    }
    let deleting = store.clone();
    tasks.spawn(async move {
        for n in 1..=30 {
            deleting.commit(batch([Change::DeleteKey(id(n))])).await.expect("a commit");
        }
    });
    tasks.join_all().await;
    for n in 1..=30 {
        assert!(store.key(&tenant(), &id(n)).await.expect("it works").is_none());
    }
    for n in 31..=40 {
        assert_eq!(uses(&store, n).await, 60);
    }
}

#[common::test(postgres)]
async fn t_m16_alerts_are_numbered_without_gaps() {
    let stage = Stage::new("alerts").await;
    let store = stage.store().await;
    for n in 1..=20 {
        store.commit(insert(n)).await.expect("a commit");
    }
    let mut tasks = JoinSet::new();
    for writer in 0..3 {
        let store = store.clone();
        tasks.spawn(async move {
            for sequence in 1..=20 {
                let batch = usage(writer, sequence, vec![alerting(sequence, 5, 12, 0)]);
                store.add_usage(&batch).await.expect("usage");
            }
        });
        let committing = stage.store().await;
        tasks.spawn(async move {
            for n in 0..20 {
                let n = 100 + 20 * u64::from(writer) + n;
                let told = vec![event("one"), event("two")];
                let insert = Batch { events: told, ..batch([Change::InsertKey(key(n))]) };
                committing.commit(insert).await.expect("a commit");
            }
        });
    }
    tasks.join_all().await;
    let told = events(&store).await;
    assert!(told.iter().map(|event| event.sequence).eq(1..=told.len() as u64));
    assert_eq!(uses(&store, 1).await, 15);
    let alerts: Vec<_> =
        told.iter().filter(|event| event.kind == EventKind::ExtensiveUse).collect();
    let mut said: Vec<_> = alerts
        .iter()
        .map(|event| (event.key, event.details.get_number(DetailField::Uses)))
        .collect();
    said.sort();
    let expected: Vec<_> = (1..=20).map(|n| (Some(id(n)), Some(15))).collect();
    assert_eq!(said, expected, "each key once, with the uses of all writers");
    assert_eq!(told.len(), 20 + 20 + 120);
}

#[common::test(postgres)]
async fn t_m16_usage_batch_is_remembered_for_days() {
    let stage = Stage::new("reconnects").await;
    let store = stage.store().await;
    store.commit(insert(1)).await.expect("a commit");
    let one = usage(1, 1, vec![delta(1, 1, start())]);
    store.add_usage(&one).await.expect("usage");
    store.pool().close().await;
    let pool = stage.pool(2).await;
    let age = async |days: u32| {
        run(&pool, format!("UPDATE keywright.writers SET at = now() - interval '{days} days'"))
            .await;
    };
    age(7).await;
    let store = stage.store().await;
    // The first batch of a new writer deletes outdated writers.
    store.add_usage(&usage(2, 1, Vec::new())).await.expect("usage");
    store.add_usage(&one).await.expect("it is known");
    assert_eq!(uses(&store, 1).await, 1);
    age(9).await;
    store.add_usage(&usage(3, 1, Vec::new())).await.expect("usage");
    let writers = "SELECT count(*) FROM keywright.writers";
    assert_eq!(number(&pool, writers).await, 1, "old writers are deleted");
}

#[common::test(postgres)]
async fn usage_and_record_stay_independent() {
    let stage = Stage::new("apart").await;
    let store = stage.store().await;
    store.commit(insert(1)).await.expect("a commit");
    store.add_usage(&usage(1, 1, vec![delta(1, 3, start())])).await.expect("usage");
    let rename = Change::UpdateKey(next(&key(1), |key| key["name"] = "new".into()));
    store.commit(batch([rename])).await.expect("a commit");
    store.add_usage(&usage(1, 2, vec![delta(1, 4, start())])).await.expect("usage");
    let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
    assert_eq!((stored.usage.uses(), stored.record.key().name.as_str()), (7, "new"));
    let late = store.add_usage(&usage(1, u64::MAX, Vec::new())).await.expect_err("no bigint");
    assert_eq!(late.kind(), StoreErrorKind::Unsupported);
}
