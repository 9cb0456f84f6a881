//! The order of commits and the changes since a marker: each change is reported, none is left out,
//! and unknown changes are reported as unknown.

use std::collections::HashSet;
use std::time::Duration;

use keywright::TenantId;
use keywright::store::{
    Batch, CacheOptions, CachedStore, Change, Changes, Freshness, KeyStore, Marker, PostgresStore,
    Subject,
};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::stage::{
    Stage, batch, id, insert, insert_in, key, next, number, run, shard, until, until_one_waits,
};
use common::{Random, seed, tenant};

async fn changes(store: &PostgresStore, since: &Marker) -> Changes {
    store.changes(since).await.expect("the store works")
}

/// Commits a batch, and returns the marker of the store after it.
async fn commit(store: &PostgresStore, batch: Batch) -> Marker {
    store.commit(batch).await.expect("a commit");
    changes(store, &Marker::default()).await.at
}

fn keys(numbers: impl IntoIterator<Item = u64>) -> Vec<Subject> {
    numbers.into_iter().map(|number| Subject::Key(id(number))).collect()
}

/// Returns tenants in as many different shards, each with one key, and their markers after it. The keys
/// have the numbers from 9,001.
pub(crate) async fn tenants_apart(
    store: &PostgresStore,
    pool: &PgPool,
    count: usize,
) -> Vec<TenantId> {
    let (mut tenants, mut shards) = (Vec::new(), HashSet::new());
    for number in 9_001.. {
        let tenant = TenantId::new(format!("tenant-{number}")).expect("a tenant");
        store.commit(insert_in(&tenant, number)).await.expect("a commit");
        if shards.insert(shard(pool, &tenant).await) {
            tenants.push(tenant);
        }
        if tenants.len() == count {
            break;
        }
    }
    tenants
}

#[common::test(postgres)]
async fn t_m07_held_commit_delays_its_own_tenant_only() {
    let stage = Stage::new("overtaking").await;
    let (store, pool) = (stage.store().await, stage.pool(4).await);
    let tenants = tenants_apart(&store, &pool, 2).await;
    let sleep = "CREATE FUNCTION keywright.nap() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
            IF NEW.touched = '{key:0000000000000002}' THEN PERFORM pg_advisory_xact_lock(7); END IF;
            RETURN NEW;
        END $do$;
        CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON keywright.changes
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keywright.nap();";
    run(&pool, sleep).await;
    let before = changes(&store, &Marker::default()).await.at;
    let mut bed = pool.begin().await.expect("a transaction");
    sqlx::raw_sql("SELECT pg_advisory_xact_lock(7)").execute(&mut *bed).await.expect("a lock");
    let committing = |tenant: &TenantId, number, store: &PostgresStore| {
        let (store, batch) = (store.clone(), insert_in(tenant, number));
        tokio::spawn(async move { store.commit(batch).await })
    };
    let slow = committing(&tenants[0], 2, &store);
    until_one_waits(&pool).await;
    let waiting = committing(&tenants[0], 3, &stage.store().await);
    for number in [4, 5] {
        store.commit(insert_in(&tenants[1], number)).await.expect("another tenant's commit");
        let told = changes(&store, &before).await.touched.expect("they are known");
        assert_eq!(told.last(), keys([number]).last(), "it is told at once");
        assert!(!told.contains(&Subject::Key(id(2))), "the held commit is not told");
    }
    assert!(!slow.is_finished() && !waiting.is_finished());
    let meanwhile = changes(&store, &before).await.at;
    bed.commit().await.expect("it wakes");
    for commit in [slow, waiting] {
        commit.await.expect("no panic").expect("a commit");
    }
    let told = changes(&store, &meanwhile).await;
    assert_eq!((told.touched, told.has_lost), (Some(keys([2, 3])), false), "both, in order");
}

#[common::test(postgres)]
async fn t_m07_changes_since_any_commit_are_complete() {
    let stage = Stage::new("history").await;
    let store = stage.store().await;
    // A cache that polls during all of the changes above.
    let follower = stage.store().await;
    let begin = commit(&follower, insert(1)).await;
    let following = tokio::spawn(async move {
        let (mut at, mut seen, mut markers) = (begin, Vec::new(), Vec::new());
        while seen.last() != Some(&Subject::Key(id(2))) {
            let told = changes(&follower, &at).await;
            let touched = told.touched.expect("the whole history is known");
            assert_eq!(touched.is_empty(), told.at == at);
            markers.push((at, seen.len()));
            seen.extend(touched);
            at = told.at;
        }
        (seen, markers)
    });
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
                done.push(change.subject());
                store.commit(batch([change])).await.expect("a commit");
            }
            done
        });
    }
    let done: HashSet<Subject> = nodes.join_all().await.into_iter().flatten().collect();
    store.commit(insert(2)).await.expect("a commit");
    let (seen, markers) = following.await.expect("no panic");
    for (marker, known) in &markers {
        assert_eq!(changes(&store, marker).await.touched.as_deref(), Some(&seen[*known..]));
    }
    let told: HashSet<Subject> = seen.into_iter().collect();
    assert!(told.is_superset(&done), "no commit is left out");
}

/// Returns a marker whose commit of one shard has another epoch or mark.
fn altered(marker: &Marker, shard: i64, epochs: i64, marks: i32) -> Marker {
    let mut bytes = marker.as_bytes().to_vec();
    let place = usize::try_from(shard).expect("a shard") * 12;
    let epoch = i64::from_be_bytes(bytes[place..place + 8].try_into().expect("8 bytes")) + epochs;
    let mark = i32::from_be_bytes(bytes[place + 8..place + 12].try_into().expect("4 bytes"));
    bytes[place..place + 8].copy_from_slice(&epoch.to_be_bytes());
    bytes[place + 8..place + 12].copy_from_slice(&(mark ^ marks).to_be_bytes());
    Marker::new(bytes)
}

#[common::test(postgres)]
async fn t_m07_unknown_marker_is_unknown() {
    let stage = Stage::new("unknown").await;
    let (store, pool) = (stage.store().await, stage.pool(2).await);
    let empty = changes(&store, &Marker::default()).await;
    assert_eq!(empty.touched, Some(keys([])), "nothing has happened");
    let mut markers = Vec::new();
    for n in 1..=4 {
        markers.push(commit(&store, insert(n)).await);
    }
    let (last, shard) = (&markers[3], shard(&pool, &tenant()).await);
    let other = (shard + 1) % 64;
    for stranger in [vec![0; 8], vec![0; 767], vec![0; 769], vec![7; 12 * 63]] {
        let told = changes(&store, &Marker::new(&stranger)).await;
        assert_eq!((&told.at, told.touched, told.has_lost), (last, None, false), "{stranger:?}");
    }
    let cases =
        [(shard, 0, 1), (shard, 1, 0), (shard, 7, 3), (shard, -1, 0), (other, 0, 1), (other, 1, 0)];
    for (shard, epochs, marks) in cases {
        let told = changes(&store, &altered(last, shard, epochs, marks)).await;
        let is_lost = (&told.at, told.touched, told.has_lost) == (last, None, true);
        assert!(is_lost, "shard {shard}, {epochs}, {marks}");
    }
    run(&pool, format!("DELETE FROM keywright.changes WHERE shard = {shard} AND epoch <= 2")).await;
    for (marker, expected) in markers.iter().zip([None, None, Some(keys([4])), Some(keys([]))]) {
        let told = changes(&store, marker).await;
        assert_eq!((told.touched, told.has_lost), (expected, false));
    }
    assert_eq!(changes(&store, &Marker::default()).await.touched, None);
}

#[common::test(postgres)]
async fn t_m07_old_changes_are_forgotten_except_last() {
    let stage = Stage::new("forgotten").await;
    let (store, pool) = (stage.store().await, stage.pool(2).await);
    let old = commit(&store, insert(1)).await;
    let shard = shard(&pool, &tenant()).await;
    // The commit with the epoch 256 deletes old changes.
    let later = "UPDATE keywright.changes SET epoch = epoch + 252, at = now() - interval '2 hours'";
    run(&pool, format!("{later} WHERE shard = {shard} AND epoch = 1")).await;
    let old = altered(&old, shard, 252, 0);
    let young = commit(&store, insert(2)).await;
    let before = commit(&store, insert(3)).await;
    assert_eq!(changes(&store, &old).await.touched, Some(keys([2, 3])));
    let clearing = commit(&store, insert(4)).await;
    let count = format!("SELECT count(*) FROM keywright.changes WHERE shard = {shard}");
    until(&pool, &format!("({count}) = 3")).await;
    assert_eq!(changes(&store, &old).await.touched, None);
    assert_eq!(changes(&store, &young).await.touched, Some(keys([3, 4])));
    assert_eq!(changes(&store, &before).await.touched, Some(keys([4])));
    let later = "UPDATE keywright.changes SET epoch = epoch + 255, at = now() - interval '2 hours'";
    run(&pool, format!("{later} WHERE shard = {shard} AND epoch = 256")).await;
    run(&pool, "UPDATE keywright.changes SET at = now() - interval '2 hours'").await;
    let last = commit(&store, insert(5)).await;
    until(&pool, &format!("({count}) = 1")).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM keywright.changes").await, 64);
    assert_eq!(changes(&store, &clearing).await.touched, None);
    assert_eq!(changes(&store, &last).await.touched, Some(keys([])));
}

#[common::test(postgres)]
async fn t_m07_failed_commit_takes_no_epoch() {
    let stage = Stage::new("failed").await;
    let store = stage.store().await;
    let first = commit(&store, insert(1)).await;
    store.commit(insert(1)).await.expect_err("it is there");
    let skipping = Change::UpdateKey(next(&next(&key(1), |_| {}), |_| {}));
    assert!(store.commit(batch([skipping])).await.expect_err("the version is 1").is_conflict());
    let told = changes(&store, &first).await;
    assert_eq!((told.at, told.touched), (first, Some(keys([]))));
}

#[common::test(postgres)]
async fn t_m07_marks_identify_the_commit() {
    let one = Stage::new("timeline_one").await;
    let other = Stage::new("timeline_other").await;
    let (one, other) = (one.store().await, other.store().await);
    for n in 1..=10 {
        let here = commit(&one, insert(n)).await;
        commit(&other, insert(n)).await;
        let told = changes(&other, &here).await;
        assert!(told.has_lost && told.touched.is_none(), "both have {n} commits");
    }
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
    let keep = "CREATE TABLE kept AS SELECT * FROM keywright.keys;
        CREATE TABLE kept_changes AS SELECT * FROM keywright.changes";
    run(&pool, keep).await;
    let renamed = next(&key(1), |key| key["name"] = "renamed".into());
    store.commit(batch([Change::UpdateKey(renamed)])).await.expect("a commit");
    assert_eq!(version().await, 2);
    let back =
        "TRUNCATE keywright.changes; INSERT INTO keywright.changes SELECT * FROM kept_changes;
        UPDATE keywright.keys AS k SET version = kept.version, record = kept.record FROM kept;";
    run(&pool, back).await;
    node.sync().await.expect("the store answers");
    assert_eq!(version().await, 1, "the lost version is no longer cached");
    assert_eq!(node.regressions(), 1);
    node.sync().await.expect("the store answers");
    assert_eq!(node.regressions(), 1, "one loss counts once");
    // Again, and the new primary has made more commits than were lost before the node looks again.
    let renamed = next(&key(1), |key| key["name"] = "renamed".into());
    store.commit(batch([Change::UpdateKey(renamed)])).await.expect("a commit");
    assert_eq!(version().await, 1, "the cache is not told yet");
    node.sync().await.expect("the store answers");
    assert_eq!(version().await, 2);
    run(&pool, back).await;
    let elsewhere = stage.store().await;
    for number in 2..=4 {
        elsewhere.commit(insert(number)).await.expect("a commit");
    }
    assert!(node.resolve(&id(4), Freshness::StoreDefault).await.expect("it answers").is_some());
    node.sync().await.expect("the store answers");
    assert_eq!(version().await, 1, "a later commit is no proof of the earlier one");
    assert_eq!(node.regressions(), 2);
}

/// Two caches take answers from one store. Each must check all of them.
#[common::test(postgres)]
async fn t_m11_lost_commit_is_forgotten_by_each_cache() {
    let stage = Stage::new("two_caches").await;
    let (elsewhere, pool) = (stage.store().await, stage.pool(4).await);
    let shared = stage.store().await;
    let nodes = [(), ()].map(|()| {
        let options = CacheOptions::new().max_staleness(Duration::from_secs(3_600));
        CachedStore::new(shared.clone(), options).expect("a cache")
    });
    elsewhere.commit(insert(1)).await.expect("a commit");
    for node in &nodes {
        node.sync().await.expect("the store answers");
    }
    let keep = "CREATE TABLE kept AS SELECT * FROM keywright.keys;
        CREATE TABLE kept_changes AS SELECT * FROM keywright.changes";
    run(&pool, keep).await;
    let renamed = next(&key(1), |key| key["name"] = "renamed".into());
    elsewhere.commit(batch([Change::UpdateKey(renamed)])).await.expect("a commit");
    let version = async |node: &CachedStore| {
        let found = node.resolve(&id(1), Freshness::StoreDefault).await.expect("the store answers");
        found.expect("a key").record().version()
    };
    for node in &nodes {
        assert_eq!(version(node).await, 2);
    }
    let back =
        "TRUNCATE keywright.changes; INSERT INTO keywright.changes SELECT * FROM kept_changes;
        UPDATE keywright.keys AS k SET version = kept.version, record = kept.record FROM kept;";
    run(&pool, back).await;
    for node in &nodes {
        node.sync().await.expect("the store answers");
        assert_eq!((version(node).await, node.regressions()), (1, 1));
        node.sync().await.expect("the store answers");
        assert_eq!(node.regressions(), 1, "one loss counts once");
    }
}
