//! A store that moves while it is in use: failures, bounds, and calls in progress.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::TenantId;
use keywright::store::conformance::InterceptedStore;
use keywright::store::{
    Batch, KeyStore, MemoryStore, MoveError, MoveOptions, MovingStore, StoreErrorKind, Transfer,
    TransferError,
};
use sqlx::{AssertSqlSafe, PgConnection};

use common::faults::{Fault, Faults};
use common::transfer::{Place, lived, seen};
use common::{TestResult, World};

use crate::{polled, use_first_key, uses};

/// Finishes a move into a place, with the bare database as the new store.
pub(crate) fn move_to(
    place: &Place,
    store: &MovingStore,
    hold: Duration,
) -> Result<Duration, MoveError> {
    let transfer = begin(place, store);
    let target = transfer.database();
    block_on(store.finish(transfer, target, MoveOptions::new().hold(hold)))
}

fn begin(place: &Place, store: &MovingStore) -> Transfer {
    loop {
        match block_on(store.begin(place.options(), place.pool.clone())) {
            // The server has not noticed yet that a transfer was dropped.
            Err(TransferError::Running) => {}
            begun => break begun.expect("a transfer"),
        }
    }
}

/// Returns whether a future is not ready when it is polled once.
pub(crate) fn waits<T>(future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    block_on(poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())))
}

/// Stops the next commit on its way to the old store. The first channel lets it go on, and the
/// second one tells that it has arrived.
fn stall_next_commit(faults: &Faults) -> (mpsc::Sender<()>, mpsc::Receiver<()>) {
    let ((go, wait), (arrive, arrived)) = (mpsc::channel(), mpsc::channel());
    faults.meanwhile(async move {
        arrive.send(()).expect("the test waits");
        wait.recv().expect("it may go on");
    });
    (go, arrived)
}

/// Waits until the store holds changes back.
pub(crate) fn wait_for_hold(store: &MovingStore) {
    while !waits(store.commit(Batch::of(TenantId::default()))) {
        thread::yield_now();
    }
}

/// Runs SQL in a transaction that stays open and keeps its locks.
pub(crate) fn lock(
    place: &Place,
    sql: &str,
) -> TestResult<sqlx::Transaction<'static, sqlx::Postgres>> {
    let mut transaction = block_on(place.pool.begin())?;
    let connection: &mut PgConnection = &mut transaction;
    let sql = sql.replace("{schema}", place.schema.as_str());
    block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection))?;
    Ok(transaction)
}

/// Asserts that the old store takes changes and uses, and still has everything.
fn assert_in_use(world: &World, store: &MovingStore) {
    assert!(!store.has_moved());
    let before = uses(store, world);
    use_first_key(world, 2);
    block_on(world.verifier.flush()).expect("the old store takes uses");
    assert_eq!(uses(store, world), before + 2);
    world.issue("prod-made-after");
}

#[common::test(postgres)]
fn b12_same_verifier_uses_the_new_store() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    let before = seen(&world);
    block_on(world.verifier.flush()).expect("the old store takes uses");
    let counted = uses(&store, &world);
    use_first_key(&world, 3);
    move_to(&place, &store, Duration::from_secs(5)).expect("it has moved");
    assert!(store.has_moved());
    use_first_key(&world, 4);
    block_on(world.verifier.flush()).expect("the uses go to the new store");
    let database = place.open().expect("the tables are open");
    assert_eq!(uses(&database, &world), counted + 7);
    assert_ne!(seen(&world), before, "the uses are shown");
    let new = world.issue("prod-made-later");
    let found = block_on(database.key(&new.key.tenant, &new.key.id)).expect("it answers");
    assert!(found.is_some(), "the new key is in the database");
}

#[common::test(postgres)]
fn b12_failing_target_leaves_old_store_in_use() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    for table in ["policies", "state"] {
        let place = Place::new();
        let transfer = begin(&place, &store);
        let target = transfer.database();
        let drop = format!("DROP TABLE {}.{table}", place.schema);
        block_on(sqlx::raw_sql(AssertSqlSafe(drop)).execute(&place.pool)).expect("it is gone");
        let failed = block_on(store.finish(transfer, target, MoveOptions::new()));
        assert!(matches!(failed, Err(MoveError::Transfer(_))), "{failed:?}");
        assert_in_use(&world, &store);
    }
    move_to(&place, &store, Duration::from_secs(5)).expect("the next attempt moves it");
}

#[common::test(postgres)]
fn b12_changes_in_progress_are_waited_for() {
    let place = Place::new();
    let _runtime = place.enter();
    let (source, faults) = (MemoryStore::new(), Faults::default());
    let old = InterceptedStore::new(source.clone(), faults.clone());
    let store = MovingStore::wrapped(old, source);
    let mut world = lived(store.clone());
    let (go, arrived) = stall_next_commit(&faults);
    let late = thread::scope(|scope| {
        let late = scope.spawn(|| world.issue("prod-in-progress"));
        arrived.recv().expect("the commit is on its way");
        let held = scope.spawn(|| {
            let _runtime = place.enter();
            wait_for_hold(&store);
            assert_eq!(world.says(world.issued[0].1.token.expose()), "current", "reads go on");
            go.send(()).expect("the commit waits");
            world.issue("prod-held-back")
        });
        move_to(&place, &store, Duration::from_secs(20)).expect("it has moved");
        [late.join().expect("a key"), held.join().expect("a key")]
    });
    world.reopen(place.open().expect("the tables are open"));
    for issued in late {
        assert_eq!(world.says(issued.token.expose()), "current");
    }
}

#[common::test(postgres)]
fn b12_hold_ends_while_change_is_running() {
    let place = Place::new();
    let _runtime = place.enter();
    let (source, faults) = (MemoryStore::new(), Faults::default());
    let old = InterceptedStore::new(source.clone(), faults.clone());
    let store = MovingStore::wrapped(old, source);
    let world = lived(store.clone());
    let (go, arrived) = stall_next_commit(&faults);
    thread::scope(|scope| {
        let late = scope.spawn(|| world.issue("prod-in-progress"));
        arrived.recv().expect("the commit is on its way");
        let waiting = scope.spawn(|| {
            wait_for_hold(&store);
            // Carried out by the old store when it is in use again.
            world.issue("prod-held-back")
        });
        let hold = Duration::from_millis(50);
        let failed = move_to(&place, &store, hold).expect_err("the change takes too long");
        assert!(
            matches!(failed, MoveError::HoldExceeded { hold: said, doing }
                if said == hold && doing.contains("in progress")),
            "{failed}"
        );
        assert_eq!(world.says(waiting.join().expect("a key").token.expose()), "current");
        go.send(()).expect("the commit waits");
        assert_eq!(world.says(late.join().expect("a key").token.expose()), "current");
    });
    assert_in_use(&world, &store);
    move_to(&place, &store, Duration::from_secs(5)).expect("the next attempt moves it");
}

#[common::test(postgres)]
fn b12_hold_ends_while_changes_are_copied() {
    let place = Place::new();
    let _runtime = place.enter();
    let (source, faults) = (MemoryStore::new(), Faults::default());
    let old = InterceptedStore::new(source.clone(), faults.clone());
    let store = MovingStore::wrapped(old, source);
    let world = lived(store.clone());
    let (go, arrived) = stall_next_commit(&faults);
    thread::scope(|scope| {
        let late = scope.spawn(|| world.issue("prod-in-progress"));
        arrived.recv().expect("the commit is on its way");
        let locks = scope.spawn(|| {
            let _runtime = place.enter();
            wait_for_hold(&store);
            let locked = lock(&place, "LOCK TABLE {schema}.keys IN ACCESS EXCLUSIVE MODE");
            go.send(()).expect("the commit waits");
            locked.expect("a lock")
        });
        let failed = move_to(&place, &store, Duration::from_millis(500));
        let failed = failed.expect_err("the table is locked");
        assert!(
            matches!(failed, MoveError::HoldExceeded { doing, .. } if doing.contains("copying")),
            "{failed}"
        );
        assert_eq!(world.says(late.join().expect("a key").token.expose()), "current");
        assert_in_use(&world, &store);
        block_on(locks.join().expect("a lock").rollback()).expect("it is released");
    });
    move_to(&place, &store, Duration::from_secs(5)).expect("the next attempt moves it");
}

/// Moves into tables whose state is locked when the last step begins. Returns when the
/// move has reported that the database does not answer.
fn unconfirmed(place: &Place, world: &World, store: &MovingStore, locking: &str) -> TestResult {
    let transfer = begin(place, store);
    let target = transfer.database();
    let lock = lock(place, locking)?;
    // Nothing differs after this, so the last step is the first to need the lock.
    let options = MoveOptions::new().hold(Duration::from_millis(300));
    let failed = block_on(store.finish(transfer, target, options));
    assert!(matches!(failed, Err(MoveError::Unconfirmed)), "{failed:?}");
    // The first attempt to open the tables was given up, and the database is asked.
    let waiting = format!(
        "SELECT count(*) > 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{}%'",
        place.schema
    );
    let waiting = || {
        let waiting = sqlx::query_scalar::<_, bool>(AssertSqlSafe(waiting.clone()));
        block_on(waiting.fetch_one(&place.pool))
    };
    while !waiting()? {}
    // Reads continue, changes fail, and the uses stay counted.
    use_first_key(world, 1);
    let refused = block_on(world.verifier.flush()).expect_err("it is not known where to");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    block_on(lock.commit())?;
    Ok(())
}

/// Copies everything, so that the next transfer has nothing to write.
fn copy_all(place: &Place, store: &MovingStore) {
    block_on(begin(place, store).copy(|_| {})).expect("it is copied");
}

#[common::test(postgres)]
fn b12_silent_database_has_closed_tables() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    copy_all(&place, &store);
    unconfirmed(&place, &world, &store, "SELECT 1 FROM {schema}.state FOR UPDATE")?;
    while block_on(world.verifier.flush()).is_err() {}
    assert_in_use(&world, &store);
    move_to(&place, &store, Duration::from_secs(5)).expect("the next attempt moves it");
    Ok(())
}

#[common::test(postgres)]
fn b12_silent_database_has_open_tables() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    copy_all(&place, &store);
    let before = uses(&store, &world);
    // The same change as that of the last step, whose answer is lost.
    let open = "UPDATE {schema}.state SET is_moving = false";
    unconfirmed(&place, &world, &store, open)?;
    while block_on(world.verifier.flush()).is_err() {}
    assert!(store.has_moved());
    assert_eq!(uses(&place.open()?, &world), before + 1);
    Ok(())
}

#[common::test(postgres)]
fn b12_dropped_move_loses_nothing() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    let before = uses(&store, &world);
    let mut counted = 0;
    for polls in (0..).step_by(7) {
        let transfer = match block_on(store.begin(place.options(), place.pool.clone())) {
            Ok(transfer) => transfer,
            Err(TransferError::Running) => continue,
            // The last step has continued in the background.
            Err(TransferError::InUse) => break,
            Err(error) => panic!("{error}"),
        };
        let target = transfer.database();
        use_first_key(&world, 2);
        let _ = polled(store.finish(transfer, target, MoveOptions::new()), polls);
        use_first_key(&world, 1);
        counted += 3;
        // Whichever store is in use takes the uses and a change.
        block_on(world.verifier.flush()).expect("the uses are written");
        let keys = block_on(world.policy()).max_keys_per_user.value + 1;
        world.change_policy(|policy| policy.settings.max_keys_per_user = Some(keys));
    }
    while !store.has_moved() {}
    use_first_key(&world, 1);
    block_on(world.verifier.flush()).expect("the uses are written");
    let database = place.open().expect("the tables are open");
    assert_eq!(uses(&database, &world), before + counted + 1);
}

#[common::test(postgres)]
fn b12_second_move_is_refused() {
    let (place, other) = (Place::new(), Place::new());
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    let second = begin(&other, &store);
    move_to(&place, &store, Duration::from_secs(5)).expect("it has moved");
    let target = second.database();
    let refused = block_on(store.finish(second, target, MoveOptions::new()));
    assert!(matches!(refused, Err(MoveError::AlreadyMoved)), "{refused:?}");
    let again = block_on(store.begin(place.options(), place.pool.clone()));
    assert!(matches!(again, Err(TransferError::InUse)), "{again:?}");
    world.issue("prod-made-after");
}

#[common::test(postgres)]
fn b12_concurrent_moves_end_in_one_store() {
    let places = [Place::new(), Place::new()];
    let _runtime = places[0].enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    let moved = thread::scope(|scope| {
        let moves = places.each_ref().map(|place| {
            let store = &store;
            scope.spawn(move || {
                let _runtime = place.enter();
                move_to(place, store, Duration::from_secs(5))
            })
        });
        moves.map(|moving| moving.join().expect("it ends"))
    });
    let done: Vec<_> = moved.iter().map(Result::is_ok).collect();
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{moved:?}");
    let new = world.issue("prod-made-after").key;
    for (place, done) in places.iter().zip(done) {
        let Ok(database) = place.open() else {
            assert!(!done);
            continue;
        };
        assert!(done, "only one is open");
        let found = block_on(database.key(&new.tenant, &new.id)).expect("it answers");
        assert!(found.is_some());
    }
}

#[common::test(postgres)]
fn b12_move_checks_its_arguments() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = lived(store.clone());
    let another = MovingStore::new(MemoryStore::new());
    let transfer = begin(&place, &another);
    let target = transfer.database();
    let refused = block_on(store.finish(transfer, target, MoveOptions::new()));
    assert!(matches!(refused, Err(MoveError::OtherSource)), "{refused:?}");
    for hold in [Duration::from_millis(9), Duration::from_secs(61)] {
        let refused = move_to(&place, &store, hold).expect_err("it is out of bounds");
        let said = format!("hold must be between 10 ms and 1 min, got {hold:?}");
        assert_eq!(refused.to_string(), said);
    }
    assert_in_use(&world, &store);
}

#[common::test(postgres)]
fn b12_closed_old_store_fails_no_read() {
    let place = Place::new();
    let _runtime = place.enter();
    let (source, faults) = (MemoryStore::new(), Faults::default());
    let old = InterceptedStore::new(source.clone(), faults.clone());
    let store = MovingStore::wrapped(old, source);
    let world = lived(store.clone());
    let transfer = begin(&place, &store);
    let target = transfer.database();
    let policy = block_on(store.policies(&[world.tenant().clone()])).expect("it answers");
    // The old store fails when it is read, because the host closes it directly after the switch.
    let store = &store;
    thread::scope(|scope| {
        let read = scope.spawn(|| {
            let _runtime = place.enter();
            let mut answers = 0;
            while !store.has_moved() || answers == 0 {
                let answer = block_on(store.policies(&[world.tenant().clone()]))
                    .expect("a read never fails");
                assert_eq!(answer, policy);
                assert_eq!(world.says(world.issued[0].1.token.expose()), "current");
                answers += 1;
            }
        });
        block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
        faults.set(Fault::Down);
        read.join().expect("every read has its answer");
    });
}
