//! Moving a store into PostgreSQL copies everything unchanged, however often the move is
//! interrupted, and keeps the tables closed until the move is complete.

mod caches;
mod contract;
mod in_use;
mod killed;
mod last_step;
mod moved_file;
mod moving;
mod observed;
mod traffic;
mod twice;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures_lite::future::block_on;
use keywright::store::{
    Batch, CacheOptions, CachedStore, Change, Condition, FileStore, KeyRecord, KeyStore, Marker,
    MemoryStore, StoreErrorKind, Transfer, TransferError, TransferSource,
};
use keywright::{Actor, Owner, TenantId, UserId};

use common::World;
use common::transfer::{Place, lived, seen};

common::suite!(contract::trials());

/// Polls a future this many times, then drops it. Returns the result if the future completed
/// before.
fn polled<T>(future: impl Future<Output = T>, times: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut left = times;
    block_on(poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    }))
}

fn assert_moves_whole(source: &(impl KeyStore + Clone + Into<TransferSource>)) {
    let place = Place::new();
    let _runtime = place.enter();
    let mut world = lived(source.clone());
    let before = seen(&world);
    let mut told = Vec::new();
    let mut moving = place.begin(source.clone()).expect("a move");
    block_on(moving.copy(|progress| told.push(progress))).expect("it is copied");
    assert!(told.iter().any(|progress| progress.what == "keys" && progress.written > 0));
    assert_eq!(seen(&world), before, "the source is used meanwhile");
    let store = block_on(moving.finish(|_| {})).expect("it has moved");
    // The source refuses changes and continues to answer reads.
    assert_eq!(seen(&world), before);
    let token = world.issued[0].1.key.id;
    let refused = block_on(world.authority.delete(&world.admin, &token));
    assert!(refused.expect_err("it was moved").to_string().contains("store"));
    world.reopen(store);
    assert_eq!(seen(&world), before);
    // New keys and events continue the source's sequences.
    let next = world.issue("prod-made-later");
    assert_eq!(world.says(next.token.expose()), "current");
    let reopened = place.open().expect("the tables are a store");
    world.reopen(reopened);
    assert_eq!(world.says(next.token.expose()), "current");
}

#[common::test(postgres)]
fn b12_store_in_memory_moves_with_everything() {
    assert_moves_whole(&MemoryStore::new());
}

#[common::test(postgres)]
fn b12_store_file_moves_with_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
    assert_moves_whole(&store);
}

#[common::test(postgres)]
fn interrupted_move_continues() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let before = seen(&world);
    let mut cuts = 0;
    let store = loop {
        match place.begin(source.clone()) {
            Ok(moving) => {
                cuts += 1;
                let closed = place.open().expect_err("the tables are closed until it has ended");
                assert_eq!(closed.kind(), StoreErrorKind::Unavailable);
                if let Some(ended) = polled(moving.finish(|_| {}), cuts) {
                    break ended.expect("it has moved");
                }
            }
            // The server may not have noticed yet that the previous move was dropped, and still
            // holds its lock.
            Err(TransferError::Running) => {}
            // The last step was interrupted after its commit had been sent.
            Err(TransferError::InUse) => break place.open().expect("the move has ended"),
            Err(error) => panic!("{error}"),
        }
    };
    // The number of polls depends on the server: a fast one needs fewer.
    assert!(cuts > 3, "it was cut off {cuts} times");
    world.reopen(store);
    assert_eq!(seen(&world), before);
}

#[common::test(postgres)]
fn changes_during_copy_are_moved() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let gone = world.issue("prod-goes-again");
    let mut moving = place.begin(source.clone()).expect("a move");
    block_on(moving.copy(|_| {})).expect("it is copied");
    block_on(world.authority.delete(&world.admin, &gone.key.id)).expect("it is deleted");
    let new = world.issue("prod-comes-late");
    block_on(world.authority.revoke(&world.admin, &world.issued[0].1.key.id)).ok();
    block_on(moving.copy(|_| {})).expect("it is copied");
    assert_eq!(world.says(new.token.expose()), "current");
    block_on(world.verifier.flush()).expect("the uses are written");
    let before = seen(&world);
    world.reopen(block_on(moving.finish(|_| {})).expect("it has moved"));
    assert_eq!(seen(&world), before);
    assert_eq!(world.says(gone.token.expose()), "unrecognized");
    assert_eq!(world.says(new.token.expose()), "current");
}

/// Returns whether the store refuses the id of a deleted key. The batch has a failing condition, so
/// that nothing is written.
fn is_taken(store: &impl KeyStore, record: &KeyRecord) -> bool {
    let changes = vec![Change::InsertKey(record.clone())];
    let failing = Condition::PolicyVersion { tenant: record.key().tenant.clone(), version: 99 };
    let batch = Batch::of(record.key().tenant.clone());
    let batch = Batch { conditions: vec![failing], changes, ..batch };
    let said = block_on(store.commit(batch)).expect_err("an error for one of two reasons");
    said.kind() == StoreErrorKind::AlreadyExists
}

#[common::test(postgres)]
fn new_owners_during_copy_are_moved() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let scopes = "invoices:read".parse().expect("scopes");
    let key = common::named("prod-changes-hands").scopes(scopes);
    let key = block_on(world.key_of(&world.admin, key)).key.id;
    let leaver = block_on(world.account("leaver", "analyst")).expect("an account");
    let owned = Owner::Account(leaver.id);
    let mut moving = place.begin(source).expect("a move");
    let (authority, admin) = (world.authority.clone(), world.admin.clone());
    let hand_over = |to: &Owner| {
        block_on(authority.transfer_key(&admin, &key, to)).expect("the key is handed over");
    };
    hand_over(&owned);
    block_on(moving.copy(|_| {})).expect("it is copied");
    // The target still holds the key under the account, and the user without a name.
    hand_over(&Owner::Organization);
    block_on(authority.delete_account(&admin, &leaver.id)).expect("it is deleted");
    let shown = Some(common::name("Bob Brown"));
    block_on(authority.set_display_name(&admin, world.bob.id(), shown)).expect("it is set");
    let before = seen(&world);
    world.reopen(block_on(moving.finish(|_| {})).expect("it has moved"));
    assert_eq!(seen(&world), before);
}

#[common::test(postgres)]
fn record_of_user_counts_as_use() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = place.open().expect("a store");
    let world = World::bare(store.clone());
    let shown = Some(common::name("Bob Brown"));
    let named = world.authority.set_display_name(&world.admin, world.bob.id(), shown);
    block_on(named).expect("it is set");
    let forget = format!("DELETE FROM {0}.events; DELETE FROM {0}.policies", place.schema);
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(forget)).execute(&place.pool)).expect("forgotten");
    let refused = place.begin(MemoryStore::new()).expect_err("the tables hold a user");
    assert!(matches!(refused, TransferError::InUse), "{refused}");
}

#[common::test(postgres)]
fn deletions_during_copy_are_moved() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let gone = world.issue("prod-goes-again").key;
    let stored = block_on(source.key(&gone.tenant, &gone.id)).expect("it works").expect("a key");
    block_on(world.authority.delete(&world.admin, &gone.id)).expect("it is deleted");
    let mut moving = place.begin(source.clone()).expect("a move");
    block_on(moving.copy(|_| {})).expect("it is copied");
    let kept = block_on(world.authority.policy(&world.admin)).expect("a policy").event_retention;
    let kept = kept.value;
    world.clock.advance(kept);
    world.issue("prod-comes-late");
    assert!(is_taken(&source, &stored.record));
    let swept = block_on(world.authority.sweep(&world.admin)).expect("a sweep");
    assert!(swept.events > 0 && !is_taken(&source, &stored.record));
    block_on(moving.copy(|_| {})).expect("it is copied");
    // The final pass must find a second sweep after the copy.
    world.clock.advance(kept);
    world.issue("prod-comes-later");
    block_on(world.authority.sweep(&world.admin)).expect("a sweep");
    let before = seen(&world);
    let store = block_on(moving.finish(|_| {})).expect("it has moved");
    assert!(!is_taken(&store, &stored.record));
    world.reopen(store);
    assert_eq!(seen(&world), before);
    world.issue("prod-made-later");
}

#[common::test(postgres)]
fn used_tables_are_left_untouched() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = place.open().expect("a store");
    let world = World::new(store);
    let key = world.issue("prod-main-app");
    let source = MemoryStore::new();
    let _other = lived(source.clone());
    assert!(matches!(place.begin(source), Err(TransferError::InUse)));
    assert_eq!(world.says(key.token.expose()), "current");
}

#[common::test(postgres)]
fn running_commit_blocks_a_move() {
    let place = Place::new();
    let _runtime = place.enter();
    place.open().expect("a store");
    let source = MemoryStore::new();
    let _world = lived(source.clone());
    // A commit inserts its row into the changes of its shard, and writes the rest.
    let mut commit = block_on(place.pool.begin()).expect("a transaction");
    let change = format!(
        "INSERT INTO {0}.changes (shard, epoch, mark, touched) VALUES (7, 1, 1, '{{}}');
        INSERT INTO {0}.deleted VALUES ('key:gone', 'globex', 7, 1)",
        place.schema
    );
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&mut *commit)).expect("a change");
    let holder = sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()");
    let holder = block_on(holder.fetch_one(&mut *commit)).expect("a process");
    let (options, pool) = (place.options(), place.pool.clone());
    let moving = place.runtime.spawn(Transfer::begin(source, options, pool));
    let is_waiting = || {
        let blocked =
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))";
        let blocked = sqlx::query_scalar::<_, bool>(blocked).bind(holder);
        block_on(blocked.fetch_one(&place.pool)).expect("the locks")
    };
    while !moving.is_finished() && !is_waiting() {}
    block_on(commit.commit()).expect("it is committed");
    let begun = block_on(moving).expect("it ends");
    assert!(matches!(begun, Err(TransferError::InUse)), "{begun:?}");
}

#[common::test(postgres)]
fn second_concurrent_move_waits() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let _world = lived(source.clone());
    let first = place.begin(source.clone()).expect("a move");
    assert!(matches!(place.begin(source.clone()), Err(TransferError::Running)));
    drop(first);
}

#[common::test(postgres)]
fn old_store_writes_nothing_after_move() {
    let place = Place::new();
    let _runtime = place.enter();
    let early = World::bare(place.open().expect("a store"));
    let source = MemoryStore::new();
    let _world = lived(source.clone());
    let _moving = place.begin(source).expect("a move");
    let mut plan = block_on(early.authority.policy(&early.admin)).expect("the policy").plan;
    plan.api_access = !plan.api_access;
    let refused = block_on(early.authority.set_plan(&early.admin, plan));
    assert!(refused.is_err(), "the source refuses changes during the move");
    let closed = place.open().expect_err("it moves");
    assert_eq!(closed.kind(), StoreErrorKind::Unavailable);
    assert!(closed.to_string().contains("moved"), "{closed}");
}

#[common::test(postgres)]
fn foreign_rows_are_found_before_opening() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let before = seen(&world);
    let mut moving = place.begin(source).expect("a move");
    block_on(moving.copy(|_| {})).expect("it is copied");
    let change = format!(
        "UPDATE {0}.keys SET record = jsonb_set(record, '{{key,revoked_at}}', 'null'); DELETE FROM {0}.usage",
        place.schema
    );
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&place.pool))
        .expect("it is changed");
    world.reopen(block_on(moving.finish(|_| {})).expect("it has moved"));
    assert_eq!(seen(&world), before, "the changed records equal the source again");
}

/// Covers the types that need a running server.
#[common::test(postgres)]
fn t_l02_debug_output_of_move_has_no_secret() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    let mut printed = Vec::new();
    let mut moving = place.begin(source).expect("a move");
    block_on(moving.copy(|progress| printed.push(format!("{progress:?} {progress}"))))
        .expect("it is copied");
    printed.push(format!("{moving:#?}"));
    let store = block_on(moving.finish(|_| {})).expect("it has moved");
    let hints = block_on(store.hints()).expect("the server listens");
    let printed = format!("{} {store:#?} {hints:#?}", printed.concat());
    for (name, issued) in &world.issued {
        let secret = &issued.token.expose_key_secret()[..16];
        assert!(!printed.contains(secret), "the secret {name} is printed");
    }
    assert!(printed.contains("PostgresStore") && printed.contains("keys"), "{printed}");
}

#[common::test(postgres)]
fn cache_distinguishes_tables_before_move() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    let moving = place.begin(source).expect("a move");
    let store = block_on(moving.finish(|_| {})).expect("it has moved");
    let cache = CachedStore::new(store.clone(), CacheOptions::new()).expect("a cache");
    block_on(cache.sync()).expect("the store answers");
    let changes = block_on(store.changes(&Marker::default())).expect("the store answers");
    assert!(changes.touched.is_none());
    let tenant = TenantId::new("globex").expect("a tenant");
    let actor = Actor::administrator(UserId::new("ada").expect("an id")).in_tenant(tenant);
    assert_eq!(world.seen_by(&actor), world.seen_by(&world.admin));
}

/// Returns the stored number of uses of a world's first key.
fn uses(store: &impl KeyStore, world: &World) -> u64 {
    let key = &world.issued[0].1.key;
    let stored = block_on(store.key(&key.tenant, &key.id)).expect("the store answers");
    stored.expect("the key").usage.uses()
}

/// Uses the first key this many times.
fn use_first_key(world: &World, times: u64) {
    for _ in 0..times {
        block_on(world.verifier.verify(world.issued[0].1.token.expose())).expect("accepted");
    }
}

#[common::test(postgres)]
fn t_m19_uses_after_move_arrive_once() {
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
    let world = lived(source.clone());
    let before = uses(&source, &world);
    let moving = place.begin(source.clone()).expect("a move");
    // These uses are counted before the switch and not yet flushed.
    use_first_key(&world, 3);
    let store = block_on(moving.finish(|_| {})).expect("it has moved");
    use_first_key(&world, 4);
    block_on(world.verifier.flush()).expect("the uses go to the new store");
    assert_eq!(uses(&store, &world), before + 7);
    // The uses also survive a closed source, because a host may close it when it switches.
    use_first_key(&world, 5);
    block_on(source.close()).expect("it closes");
    block_on(world.verifier.flush()).expect("the uses go to the new store");
    block_on(world.verifier.flush()).expect("nothing is left to flush");
    assert_eq!(uses(&store, &world), before + 12);
}

#[common::test(postgres)]
fn t_m19_uses_during_move_arrive_once() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    let before = uses(&source, &world);
    let mut counted = 0;
    // The move is dropped at each step and begun again, during traffic and flushes.
    for polls in (0..).step_by(5) {
        let moving = match place.begin(source.clone()) {
            Ok(moving) => moving,
            // The previous step opened the tables before it was dropped.
            Err(TransferError::InUse) => break,
            // The server has not noticed yet that the previous move is gone.
            Err(TransferError::Running) => continue,
            Err(error) => panic!("{error}"),
        };
        use_first_key(&world, 2);
        counted += 2;
        let ended = polled(moving.finish(|_| {}), polls).is_some();
        use_first_key(&world, 1);
        counted += 1;
        // During the move a flush can fail; the uses then stay counted in memory.
        let _ = block_on(world.verifier.flush());
        if ended {
            break;
        }
    }
    block_on(world.verifier.flush()).expect("the tables are open");
    let store = place.open().expect("the tables are open");
    assert_eq!(uses(&store, &world), before + counted);
}

#[common::test(postgres)]
fn t_m19_failed_move_leaves_source_in_use() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    let before = uses(&source, &world);
    let moving = place.begin(source.clone()).expect("a move");
    let drop = format!("DROP TABLE {}.policies", place.schema);
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&place.pool)).expect("it is gone");
    block_on(moving.finish(|_| {})).expect_err("a table is missing");
    use_first_key(&world, 2);
    block_on(world.verifier.flush()).expect("the source takes usage");
    assert_eq!(uses(&source, &world), before + 2);
    world.issue("prod-made-after");
}
