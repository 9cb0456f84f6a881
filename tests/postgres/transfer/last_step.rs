//! The last step of a transfer, which opens the tables: it is dropped, refused or late.

use std::pin::pin;
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{
    EventQuery, FileStore, KeyStore, MemoryStore, MoveError, MoveOptions, MovingStore,
    StoreErrorKind, TransferError,
};
use keywright::{Actor, KeyError, NewKey, Owner, TenantId, UserId};
use sqlx::AssertSqlSafe;

use common::transfer::{Place, lived, seen};
use common::{TestResult, World};

use crate::moving::{lock, wait_for_hold, waits};

/// Keeps the tables from being opened, and from nothing else.
const LOCK: &str = "SELECT 1 FROM {schema}.state FOR UPDATE";

/// Returns whether a statement waits for a lock on the tables of a place.
fn waits_for_lock(place: &Place) -> bool {
    let waiting = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{}%'",
        place.schema
    );
    let waiting = sqlx::query_scalar(AssertSqlSafe(waiting));
    block_on(waiting.fetch_one(&place.pool)).expect("an answer")
}

#[common::test(postgres)]
fn b12_dropped_last_step_ends_in_the_background() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let before = seen(&world);
    let mut transfer = place.begin(source.clone())?;
    block_on(transfer.copy(|_| {}))?;
    let locked = lock(&place, LOCK)?;
    {
        let mut finish = pin!(transfer.finish(|_| {}));
        while !waits_for_lock(&place) {
            assert!(waits(finish.as_mut()), "the tables are locked");
        }
    }
    block_on(locked.rollback())?;
    // The database does not wait for the caller.
    let opened = loop {
        match place.open() {
            Ok(opened) => break opened,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}"),
        }
    };
    assert_eq!(seen(&world), before, "the source still answers reads");
    world.reopen(opened);
    assert_eq!(seen(&world), before);
    assert!(matches!(place.begin(source), Err(TransferError::InUse)));
    Ok(())
}

#[common::test(postgres)]
fn b12_refused_last_step_leaves_source_in_use() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("keys.db");
    let source = block_on(FileStore::open(&path))?;
    let world = lived(source.clone());
    let transfer = place.begin(source.clone())?;
    let fail = format!(
        "CREATE FUNCTION {0}.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER fail BEFORE UPDATE ON {0}.state FOR EACH ROW EXECUTE FUNCTION {0}.fail()",
        place.schema
    );
    block_on(sqlx::raw_sql(AssertSqlSafe(fail)).execute(&place.pool))?;
    block_on(transfer.finish(|_| {})).expect_err("the tables cannot be opened");
    world.issue("prod-made-after");
    block_on(source.close())?;
    block_on(FileStore::open(&path)).expect("the file is not marked");
    Ok(())
}

#[common::test(postgres)]
fn b12_late_last_step_fails_changes() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    let mut transfer = block_on(store.begin(place.options(), place.pool.clone()))?;
    block_on(transfer.copy(|_| {}))?;
    let target = transfer.database();
    let hold = Duration::from_secs(1);
    let locked = lock(&place, LOCK)?;
    let ended = thread::scope(|scope| {
        let change = scope.spawn(|| {
            let _runtime = place.enter();
            wait_for_hold(&store);
            let new = NewKey::named("prod-too-early").expect("a name");
            let refused = block_on(world.authority.generate(&world.admin, new));
            let error = refused.expect_err("neither store takes changes");
            let said = common::chain(&error).join(": ");
            assert!(said.contains("takes no changes"), "{said}");
            block_on(locked.rollback()).expect("the lock is released");
        });
        let ended = block_on(store.finish(transfer, target, MoveOptions::new().hold(hold)));
        change.join().expect("no panic");
        ended
    });
    if let Err(error) = ended {
        assert!(matches!(error, MoveError::Unconfirmed), "{error}");
    }
    while !store.has_moved() {}
    world.issue("prod-made-after");
    Ok(())
}

#[common::test(postgres)]
fn b12_events_of_another_source_are_removed() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let first = MemoryStore::new();
    let left = lived(first.clone());
    let mut interrupted = place.begin(first)?;
    block_on(interrupted.copy(|_| {}))?;
    drop(interrupted);

    let second = MemoryStore::new();
    let world = World::bare(second.clone());
    let hooli = Actor::administrator(UserId::new("ada")?).in_tenant(TenantId::new("hooli")?);
    let refused = block_on(world.authority.delete(&hooli, &"4fQ2xk9ZrT7bWm1c".parse()?));
    assert!(matches!(refused, Err(KeyError::NotFound(_))));
    let transfer = loop {
        match place.begin(second.clone()) {
            // The server has not noticed yet that the first transfer was dropped.
            Err(TransferError::Running) => {}
            begun => break begun?,
        }
    };
    let database = block_on(transfer.finish(|_| {}))?;
    let count = |tenant: &TenantId| -> TestResult<usize> {
        Ok(block_on(database.events(tenant, &EventQuery::new()))?.items.len())
    };
    assert_eq!(count(hooli.tenant())?, 1);
    for tenant in [left.tenant(), left.other.tenant()] {
        assert_eq!(count(tenant)?, 0, "{tenant}");
    }
    Ok(())
}

/// A key moves to a new account while the transfer copies touched rows again and again. A row that
/// refers to one that is copied later would make the database refuse it.
#[common::test(postgres)]
fn b12_touched_rows_are_of_one_moment() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let mut world = lived(source.clone());
    let account = block_on(world.account("nightly-report", "analyst"))?;
    let new = NewKey::named("prod-on-the-move")?;
    let key = block_on(world.generate_under(&account, new))?.key.id;
    let mut transfer = place.begin(source.clone())?;
    block_on(transfer.copy(|_| {}))?;
    thread::scope(|scope| {
        let moves = scope.spawn(|| {
            // Each move adds an account, and all of them are compared on one page.
            for _ in 0..400 {
                let account = block_on(world.account("nightly-report", "analyst"));
                let owner = Owner::Account(account.expect("an account").id);
                let handed = world.authority.transfer_key(&world.admin, &key, &owner);
                block_on(handed).expect("the account can take it");
            }
        });
        let mut copied = Ok(());
        while copied.is_ok() && !moves.is_finished() {
            copied = block_on(transfer.copy(|_| {}));
        }
        moves.join().expect("no panic");
        copied
    })?;
    let before = seen(&world);
    world.reopen(block_on(transfer.finish(|_| {}))?);
    assert_eq!(seen(&world), before);
    Ok(())
}
