//! The order of commits and the changes since one of them: each change is reported in its order,
//! none is left out, and unknown changes are reported as unknown.

use std::collections::BTreeMap;
use std::time::Duration;

use keywright::store::{
    CacheOptions, CachedStore, Change, Changes, Epoch, Freshness, KeyStore, PostgresStore, Subject,
};
use tokio::task::JoinSet;

use crate::stage::{Stage, batch, id, insert, key, next, number, run, until_one_waits};
use common::{Random, seed};

async fn changes(store: &PostgresStore, since: Epoch) -> Changes {
    store.changes(since).await.expect("the store works")
}

fn keys(numbers: impl IntoIterator<Item = u64>) -> Vec<Subject> {
    numbers.into_iter().map(|number| Subject::Key(id(number))).collect()
}

#[common::test(postgres)]
async fn t_m07_no_commit_overtakes_the_lock_holder() {
    let stage = Stage::new("overtaking").await;
    let (store, pool) = (stage.store().await, stage.pool(4).await);
    let first = store.commit(insert(1)).await.expect("a commit");
    let mut slow = pool.begin().await.expect("a transaction");
    // The statements of a commit, run by hand and slowly.
    let by_hand = "UPDATE keywright.state SET epoch = ((epoch >> 20) + 1) << 20;
        INSERT INTO keywright.changes (epoch, touched) SELECT epoch, '{key:0000000000000002}' FROM keywright.state;";
    sqlx::raw_sql(by_hand).execute(&mut *slow).await.expect("a commit");
    let fast = tokio::spawn({
        let store = store.clone();
        async move { store.commit(insert(3)).await }
    });
    until_one_waits(&pool).await;
    let meanwhile = changes(&store, first).await;
    assert_eq!(
        (meanwhile.epoch, meanwhile.touched),
        (first, Some(keys([]))),
        "neither change is reported"
    );
    slow.commit().await.expect("a commit");
    let last = fast.await.expect("no panic").expect("a commit");
    let after = changes(&store, first).await;
    assert_eq!((after.epoch, after.touched), (last, Some(keys([2, 3]))), "both, in order");
    assert!(first < last);
}

#[common::test(postgres)]
async fn t_m07_changes_since_any_commit_are_complete() {
    let stage = Stage::new("history").await;
    let store = stage.store().await;
    let mut nodes = JoinSet::new();
    for node in 0..4 {
        let store = stage.store().await;
        nodes.spawn(async move {
            let random = Random::seeded(seed() + node);
            let mut done = Vec::new();
            let mut own = Vec::new();
            for n in 0..25 {
                let number = 1_000 * (node + 1) + n;
                let record = key(number);
                let change = match own.pop() {
                    Some(key) if random.below(3) == 0 => Change::DeleteKey(key),
                    Some(key) if random.below(3) == 0 => {
                        Change::RevokeKey { key, at: common::start() }
                    }
                    _ => Change::InsertKey(record),
                };
                own.extend(matches!(change, Change::InsertKey(_)).then_some(id(number)));
                let subject = change.subject();
                done.push((store.commit(batch([change])).await.expect("a commit"), subject));
            }
            done
        });
    }
    // A cache that polls during all of the changes above.
    let follower = stage.store().await;
    let begin = follower.commit(insert(1)).await.expect("a commit");
    let following = tokio::spawn(async move {
        let (mut at, mut seen) = (begin, Vec::new());
        while seen.len() < 200 {
            let told = changes(&follower, at).await;
            let touched = told.touched.expect("the whole history is known");
            assert_eq!(touched.is_empty(), told.epoch == at);
            seen.extend(touched);
            at = told.epoch;
            if seen.last() == Some(&Subject::Key(id(2))) {
                break;
            }
        }
        seen
    });
    let mut history: BTreeMap<Epoch, Subject> =
        nodes.join_all().await.into_iter().flatten().collect();
    assert_eq!(history.len(), 100, "no two have the same epoch");
    history.insert(begin, Subject::Key(id(1)));
    let end = store.commit(insert(2)).await.expect("a commit");
    history.insert(end, Subject::Key(id(2)));
    let since = |begin: Epoch| -> Vec<Subject> {
        history.range(begin..).skip(1).map(|(_, subject)| subject.clone()).collect()
    };
    for epoch in history.keys() {
        let told = changes(&store, *epoch).await;
        assert_eq!((told.epoch, told.touched), (end, Some(since(*epoch))));
    }
    assert_eq!(following.await.expect("no panic"), since(begin), "each once, in order");
}

#[common::test(postgres)]
async fn t_m07_unknown_or_forgotten_epoch_is_unknown() {
    let stage = Stage::new("unknown").await;
    let (store, pool) = (stage.store().await, stage.pool(2).await);
    let empty = changes(&store, Epoch::default()).await;
    assert_eq!((empty.epoch, empty.touched), (Epoch(0), Some(keys([]))), "nothing has happened");
    let mut epochs = Vec::new();
    for n in 1..=4 {
        epochs.push(store.commit(insert(n)).await.expect("a commit"));
    }
    let last = epochs[3];
    let strangers =
        [0, 1, epochs[0].0 - 1, epochs[1].0 + 1, last.0 + 1, 9_223_372_036_854_775_807, u64::MAX];
    for stranger in strangers.map(Epoch) {
        let told = changes(&store, stranger).await;
        assert_eq!((told.epoch, told.touched), (last, None), "{stranger:?}");
    }
    run(&pool, format!("DELETE FROM keywright.changes WHERE epoch <= {}", epochs[1].0)).await;
    for (epoch, expected) in epochs.iter().zip([None, None, Some(keys([4])), Some(keys([]))]) {
        assert_eq!(changes(&store, *epoch).await.touched, expected);
    }
}

#[common::test(postgres)]
async fn t_m07_old_changes_are_forgotten_except_last() {
    let stage = Stage::new("forgotten").await;
    let (store, pool) = (stage.store().await, stage.pool(2).await);
    let old = store.commit(insert(1)).await.expect("a commit");
    let young = store.commit(insert(2)).await.expect("a commit");
    let age = format!(
        "UPDATE keywright.changes SET at = now() - interval '2 hours' WHERE epoch = {}",
        old.0
    );
    run(&pool, age).await;
    // The commit after this one is one of those that delete old changes.
    run(&pool, "UPDATE keywright.state SET epoch = 254::bigint << 20").await;
    let before = store.commit(insert(3)).await.expect("a commit");
    assert_eq!(changes(&store, old).await.touched, Some(keys([2, 3])));
    let clearing = store.commit(insert(4)).await.expect("a commit");
    assert_eq!(changes(&store, old).await.touched, None);
    assert_eq!(changes(&store, young).await.touched, Some(keys([3, 4])));
    assert_eq!(changes(&store, before).await.touched, Some(keys([4])));
    run(&pool, "UPDATE keywright.changes SET at = now() - interval '2 hours'").await;
    run(&pool, "UPDATE keywright.state SET epoch = (511::bigint << 20) + (epoch & 1048575)").await;
    let last = store.commit(insert(5)).await.expect("a commit");
    assert_eq!(number(&pool, "SELECT count(*) FROM keywright.changes").await, 1);
    assert_eq!(changes(&store, clearing).await.touched, None);
    assert_eq!(changes(&store, last).await.touched, Some(keys([])));
}

#[common::test(postgres)]
async fn t_m07_failed_commit_takes_no_epoch() {
    let stage = Stage::new("failed").await;
    let store = stage.store().await;
    let first = store.commit(insert(1)).await.expect("a commit");
    store.commit(insert(1)).await.expect_err("it is there");
    let skipping = Change::UpdateKey(next(&next(&key(1), |_| {}), |_| {}));
    assert!(store.commit(batch([skipping])).await.expect_err("the version is 1").is_conflict());
    let told = changes(&store, first).await;
    assert_eq!((told.epoch, told.touched), (first, Some(keys([]))));
}

#[common::test(postgres)]
async fn t_m07_epochs_identify_the_commit() {
    let one = Stage::new("timeline_one").await;
    let other = Stage::new("timeline_other").await;
    let (one, other) = (one.store().await, other.store().await);
    let mut alike = 0;
    for n in 1..=10 {
        let here = one.commit(insert(n)).await.expect("a commit");
        let there = other.commit(insert(n)).await.expect("a commit");
        assert_eq!((here.0 >> 20, there.0 >> 20), (n, n));
        alike += u32::from(changes(&other, here).await.touched.is_some());
    }
    // Each match has a chance of one in a million.
    assert!(alike < 3, "the commits of one are known to the other");
}

/// A node fills its cache from a commit that is not yet reported to it. Then a standby without that
/// commit takes over. The last commit that was reported to the node is the standby's last one too.
#[common::test(postgres)]
async fn t_m11_lost_commit_seen_in_key_is_forgotten() {
    let stage = Stage::new("seen_and_lost").await;
    let (store, pool) = (stage.store().await, stage.pool(4).await);
    let options = CacheOptions::new().max_staleness(Duration::from_secs(3_600));
    let node = CachedStore::new(stage.store().await, options).expect("a cache");
    store.commit(insert(1)).await.expect("a commit");
    node.sync().await.expect("the store answers");
    let version = async || {
        let found = node.resolve(&id(1), Freshness::StoreDefault).await.expect("the store answers");
        found.expect("a key").record().version()
    };
    run(
        &pool,
        "CREATE TABLE kept AS SELECT k.*, s.epoch FROM keywright.keys AS k, keywright.state AS s",
    )
    .await;
    let renamed = next(&key(1), |key| key["name"] = "renamed".into());
    store.commit(batch([Change::UpdateKey(renamed)])).await.expect("a commit");
    assert_eq!(version().await, 2);
    let back = "DELETE FROM keywright.changes AS c USING kept WHERE c.epoch > kept.epoch;
        UPDATE keywright.state AS s SET epoch = kept.epoch FROM kept;
        UPDATE keywright.keys AS k SET version = kept.version, record = kept.record FROM kept;";
    run(&pool, back).await;
    node.sync().await.expect("the store answers");
    assert_eq!(version().await, 1, "the lost version is no longer cached");
    assert_eq!(node.regressions(), 1);
    node.sync().await.expect("the store answers");
    assert_eq!(node.regressions(), 1, "one loss counts once");
}
