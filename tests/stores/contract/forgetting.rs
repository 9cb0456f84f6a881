//! The rows that the stores of the crate remove by themselves: outdated writers of usage, and deleted ids
//! whose events are gone. The contract allows a store to keep them.

use std::time::Duration;

use keywright::store::{
    Batch, Change, FileStore, KeyStore, MemoryStore, StoreErrorKind, UsageBatch, UsageDelta,
    UseKind,
};
use keywright::{KeyId, Timestamp};

use common::{TestResult, World, block_on};

/// Runs a test on a store in memory and on one in a file.
fn on_stores(test: &impl AsyncFn(World, &dyn KeyStore) -> TestResult) -> TestResult {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let memory = MemoryStore::new();
        test(World::new(memory.clone()), &memory).await?;
        let file = FileStore::open(folder.path().join("keys.db")).await?;
        test(World::new(file.clone()), &file).await
    })
}

/// Returns a batch with one use of a key.
fn one_use(key: KeyId, writer: u8, sequence: u64, at: Timestamp) -> UsageBatch {
    let kind = UseKind::Accepted { secret_number: 1 };
    let delta = UsageDelta { key, kind, uses: 1, last_used_at: at, alert: None };
    UsageBatch { writer: [writer; 16], sequence, at, deltas: vec![delta] }
}

/// Adds batches in order, and returns the number of uses after each.
async fn uses_after<const N: usize>(
    store: &dyn KeyStore,
    world: &World,
    batches: [&UsageBatch; N],
) -> TestResult<[u64; N]> {
    let mut uses = [0; N];
    for (uses, batch) in uses.iter_mut().zip(batches) {
        store.add_usage(batch).await?;
        let stored = store.key(world.tenant(), &batch.deltas[0].key).await?;
        *uses = stored.ok_or("the key is absent")?.usage.uses();
    }
    Ok(uses)
}

#[test]
fn writer_is_forgotten_after_7_days() -> TestResult {
    on_stores(&async |world, store| {
        let key = world.key().await.key.id;
        let week = Duration::from_hours(7 * 24);
        let first = one_use(key, 1, 1, world.now());
        let at_end = one_use(key, 2, 1, first.at.saturating_add(week));
        let later = one_use(key, 2, 2, at_end.at.saturating_add(Duration::from_micros(1)));
        let batches = [&first, &at_end, &first, &later, &first];
        // The last repetition is unknown to the store, and counts again.
        assert_eq!(uses_after(store, &world, batches).await?, [1, 2, 2, 3, 4]);
        Ok(())
    })
}

#[test]
fn writer_outlives_its_own_pause() -> TestResult {
    on_stores(&async |world, store| {
        let key = world.key().await.key.id;
        let first = one_use(key, 1, 1, world.now());
        let next = one_use(key, 1, 2, first.at.saturating_add(Duration::from_hours(8 * 24)));
        assert_eq!(uses_after(store, &world, [&first, &next, &next]).await?, [1, 2, 2]);
        Ok(())
    })
}

#[test]
fn forgotten_event_frees_the_deleted_id() -> TestResult {
    on_stores(&async |world, store| {
        let (tenant, id) = (world.tenant(), world.key().await.key.id);
        let record = store.key(tenant, &id).await?.ok_or("the key is absent")?.record;
        world.authority.delete(&world.admin, &id).await?;
        let commit = async |change: Change| {
            store.commit(Batch { changes: vec![change], ..Batch::of(tenant.clone()) }).await
        };
        let insert = Change::InsertKey(record);
        // The newest event is never forgotten, so another one follows that of the deletion.
        let refused = commit(insert.clone()).await.expect_err("the id is taken");
        assert_eq!(refused.kind(), StoreErrorKind::AlreadyExists);
        world.key().await;
        commit(Change::ForgetEvents { tenant: tenant.clone(), through: u64::MAX }).await?;
        commit(insert).await?;
        Ok(())
    })
}
