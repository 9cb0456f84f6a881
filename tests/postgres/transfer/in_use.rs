//! Tables that are in use: a move into them is refused, and leaves them as they are.

use futures_lite::future::block_on;
use keywright::store::{MemoryStore, Transfer, TransferError};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};
use tokio::task::JoinHandle;

use common::transfer::Place;
use common::{TestResult, World};

use crate::moving::lock;

/// The tables of a store's records. A move writes all of them.
const TABLES: [&str; 6] = ["deleted", "events", "keys", "users", "policies", "accounts"];

/// Inserts the record of a deleted key, as a commit does.
const DELETED: &str = "INSERT INTO {schema}.deleted VALUES ('key:gone', 'globex', 7, 1)";

/// Inserts the row of a commit without changes.
fn commit_of(shard: i16, epoch: i64) -> String {
    format!(
        "INSERT INTO {{schema}}.changes (shard, epoch, mark, touched) VALUES ({shard}, {epoch}, 1, '{{}}')"
    )
}

/// A transaction that is open, with its process on the server.
struct Open {
    transaction: Transaction<'static, Postgres>,
    process: i32,
}

impl Open {
    fn with(place: &Place, sql: &str) -> TestResult<Self> {
        let mut transaction = lock(place, sql)?;
        let connection: &mut PgConnection = &mut transaction;
        let process = sqlx::query_scalar("SELECT pg_backend_pid()");
        let process = block_on(process.fetch_one(connection))?;
        Ok(Self { transaction, process })
    }

    /// Waits until a move waits for this transaction, or has ended.
    fn wait_for(&self, place: &Place, moving: &Moving) -> TestResult {
        let waits =
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))";
        let waits = || {
            let waits = sqlx::query_scalar::<_, bool>(waits).bind(self.process);
            block_on(waits.fetch_one(&place.pool))
        };
        while !moving.is_finished() && !waits()? {}
        Ok(())
    }
}

type Moving = JoinHandle<Result<Transfer, TransferError>>;

/// Begins a move in the background.
fn begin(place: &Place) -> Moving {
    let (options, pool) = (place.options(), place.pool.clone());
    place.runtime.spawn(Transfer::begin(MemoryStore::new(), options, pool))
}

/// Asserts that the move was refused, and that the tables are open.
#[track_caller]
fn assert_refused(place: &Place, moving: Moving) {
    let begun = block_on(moving).expect("it ends");
    assert!(matches!(begun, Err(TransferError::InUse)), "{begun:?}");
    place.open().expect("the tables are open");
}

#[common::test(postgres)]
fn each_table_counts_as_use() -> TestResult {
    for table in TABLES {
        let place = Place::new();
        let _runtime = place.enter();
        let world = World::new(place.open()?);
        block_on(world.account("nightly-report", "analyst"))?;
        let shown = Some(common::name("Bob Brown"));
        block_on(world.authority.set_display_name(&world.admin, world.bob.id(), shown))?;
        let gone = world.issue("prod-goes-again").key.id;
        block_on(world.authority.delete(&world.admin, &gone))?;
        world.issue("prod-main-app");
        let others = TABLES.into_iter().filter(|other| *other != table);
        let others = others.map(|it| format!("DELETE FROM {}.{it}", place.schema));
        let others = others.collect::<Vec<_>>().join("; ");
        block_on(sqlx::raw_sql(AssertSqlSafe(others)).execute(&place.pool))?;
        let count = format!("SELECT count(*) FROM {}.{table}", place.schema);
        let count: i64 = block_on(sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&place.pool))?;
        assert!(count > 0, "{table}");
        assert_refused(&place, begin(&place));
    }
    Ok(())
}

#[common::test(postgres)]
fn refused_move_leaves_no_commit() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    World::new(place.open()?).issue("prod-main-app");
    let commits = || {
        let commits = format!("SELECT count(*), sum(epoch)::bigint FROM {}.changes", place.schema);
        let commits = sqlx::query_as::<_, (i64, i64)>(AssertSqlSafe(commits));
        block_on(commits.fetch_one(&place.pool))
    };
    let before = commits()?;
    assert_refused(&place, begin(&place));
    assert_eq!(commits()?, before);
    Ok(())
}

/// The commit ends after the move has seen empty tables, and before it keeps other commits out.
#[common::test(postgres)]
fn commit_between_two_looks_blocks_a_move() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    place.open()?;
    let lock = "LOCK TABLE {schema}.changes IN ACCESS EXCLUSIVE MODE";
    let commit = Open::with(&place, &format!("{lock}; {}; {DELETED}", commit_of(7, 1)))?;
    let moving = begin(&place);
    commit.wait_for(&place, &moving)?;
    block_on(commit.transaction.commit())?;
    assert_refused(&place, moving);
    Ok(())
}

/// The first commit changes nothing, so the tables are empty still. The second one was planned after it,
/// before the move keeps other commits out.
#[common::test(postgres)]
fn second_running_commit_blocks_a_move() -> TestResult {
    let place = Place::new();
    let _runtime = place.enter();
    place.open()?;
    let first = Open::with(&place, &commit_of(7, 1))?;
    let other = Open::with(&place, &commit_of(40, 1))?;
    let moving = begin(&place);
    first.wait_for(&place, &moving)?;
    block_on(first.transaction.commit())?;
    // The move has gone past shard 7, and waits at shard 40.
    other.wait_for(&place, &moving)?;
    let second = Open::with(&place, &format!("{}; {DELETED}", commit_of(7, 2)))?;
    block_on(other.transaction.rollback())?;
    second.wait_for(&place, &moving)?;
    block_on(second.transaction.commit())?;
    assert_refused(&place, moving);
    Ok(())
}
