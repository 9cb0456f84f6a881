//! Moving another store into the database, while it is in use.
//!
//! One step is repeated: both sides are gone through in the order of their ids, and what differs is
//! made as the source has it. It copies everything at first, takes up where it was killed, follows
//! the source while it is used, and shows in the end that nothing differs.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::types::Json;
use sqlx::{Connection, PgPool, Row};

use super::errors::{Failure, database};
use super::moving_tables::{ACCOUNTS, DELETED, KEYS, POLICIES, TENANTS, Table, WRITERS};
use super::rows::{AccountRow, DeletedRow, EventRow, KeyRow, PolicyRow};
use super::session::Session;
use super::{Inner, PostgresOptions, PostgresStore};
use crate::event::Event;
use crate::id::TenantId;
use crate::store::image::{MoveStage, Outline};
use crate::store::{EventQuery, MAX_LIMIT, MoveSource, StoreError};
use crate::text::hex;

/// So many rows are compared and written together.
const CHUNK: usize = 1_000;
/// How often the source is gone through after it stands still, before it is given up: once to bring the
/// rest over, once to see that nothing differs, and once to spare.
const LAST_PASSES: u32 = 3;

const IS_IN_USE: &str = "
    SELECT NOT is_moving AND (EXISTS (SELECT 1 FROM {schema}.keys)
        OR EXISTS (SELECT 1 FROM {schema}.accounts) OR EXISTS (SELECT 1 FROM {schema}.policies)
        OR EXISTS (SELECT 1 FROM {schema}.events) OR EXISTS (SELECT 1 FROM {schema}.deleted))
    FROM {schema}.state";

const MARK: &str = "UPDATE {schema}.state SET is_moving = true";

/// The epoch moves on, so that no cache takes the tables for those before.
const UNMARK: &str = "
    UPDATE {schema}.state SET is_moving = false,
        epoch = (((epoch >> 20) + 1) << 20) + floor(random() * 1048576)::bigint";

const LAST_EVENT: &str = "SELECT coalesce(max(sequence), 0) FROM {schema}.events WHERE tenant = $1";

const FORGET_EVENTS: &str = "DELETE FROM {schema}.events WHERE tenant = $1 AND sequence < $2";

const READ_EVENTS: &str = "
    SELECT record FROM {schema}.events WHERE tenant = $1 AND sequence > $2
    ORDER BY sequence LIMIT $3";

const WRITE_EVENTS: &str = "
    INSERT INTO {schema}.events (tenant, sequence, at, actor, kind, key, account, record)
    SELECT tenant, sequence, at, actor, kind, key, account, record
    FROM jsonb_to_recordset($1) AS n (tenant text, sequence bigint, at bigint, actor text,
        kind text, key text, account text, record jsonb)";

/// A move that has not ended: another store's keys on their way into PostgreSQL.
///
/// Ids, digests, usage, events and what was deleted come over as they are, so every token goes on
/// working. Until the last step of [`finish`](Self::finish), the tables can't be opened as a store. A move
/// that was killed is begun again, and goes on with what is not yet there. If it was killed in that last
/// step, it may have ended: [`begin`](Self::begin) answers [`MoveError::InUse`] then, and the tables open.
///
/// ```no_run
/// # async fn keys_move(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::{FileStore, Move, PostgresOptions};
///
/// let file = FileStore::open("keys.db").await?;
/// let mut keys = Move::begin(file.clone(), PostgresOptions::new(), pool).await?;
/// keys.copy(|progress| eprintln!("{progress}")).await?;
/// // From here on the file takes no changes any more.
/// let store = keys.finish(|progress| eprintln!("{progress}")).await?;
/// # let _ = store; Ok(()) }
/// ```
#[derive(Debug)]
pub struct Move {
    source: MoveSource,
    target: PostgresStore,
    /// Holds the lock that keeps other moves out.
    _lock: PgConnection,
}

/// How far a move is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MoveProgress {
    /// What is being compared: `keys`, `events`, ...
    pub what: &'static str,
    /// How many have been.
    pub done: u64,
    /// How many there are in the source.
    pub all: u64,
    /// How many of them differed and were written.
    pub written: u64,
}

impl fmt::Display for MoveProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, done, all, written } = self;
        write!(f, "{what}: {done} of {all}, {written} written")
    }
}

/// A move can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The tables hold keys and no move into them is unfinished: they are not touched. A move that was
    /// cut off in its last step has ended; its tables are opened as a store.
    #[error(
        "the schema holds keys already: move into an empty one, or open it if a move was cut off as it ended"
    )]
    InUse,
    /// Another move into the same tables is running.
    #[error("another move into the same schema is running")]
    Running,
    /// Something differs though the source stands still. The tables stay closed.
    #[error("{0} still differ after the source was copied: something else writes into the schema")]
    Different(&'static str),
    /// The source or the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for MoveError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

/// How much is compared.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Depth {
    /// Events by their numbers: they are never changed.
    Numbers,
    /// Everything.
    All,
}

impl Move {
    /// Makes the tables and closes them for all but this move.
    ///
    /// # Errors
    /// [`MoveError::InUse`] if the tables hold keys and no move into them is unfinished,
    /// [`MoveError::Running`] if one is running, [`MoveError::Store`] as [`PostgresOptions::open`].
    pub async fn begin(
        source: impl Into<MoveSource>,
        options: PostgresOptions,
        pool: PgPool,
    ) -> Result<Self, MoveError> {
        let lock = options.lock_for_move(&pool).await.map_err(database)?;
        let Some(lock) = lock else { return Err(MoveError::Running) };
        let target = options.open_tables(pool).await?;
        if !target.0.close().await? {
            return Err(MoveError::InUse);
        }
        Ok(Self { source: source.into(), target, _lock: lock })
    }

    /// Brings over what differs, while the source is in use. Call it as often as you like: what changed
    /// meanwhile comes over with the next call.
    ///
    /// # Errors
    /// [`MoveError::Store`] if either side fails. What has come over stays.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn copy(&mut self, progress: impl FnMut(MoveProgress)) -> Result<(), MoveError> {
        Pass {
            from: &self.source,
            to: &self.target.0,
            depth: Depth::Numbers,
            progress,
            differs: None,
        }
        .run()
        .await?;
        Ok(())
    }

    /// Makes the source stand still, brings over the rest, sees that nothing differs, and opens the
    /// tables.
    ///
    /// From the call on the source takes no changes, and goes on answering. Its verifiers go on counting: once the tables are
    /// open, the source passes on to them what a flush brings, so no use is lost between this call and the moment at
    /// which you use the store that it returns. Flush the old verifiers once more then.
    ///
    /// # Errors
    /// [`MoveError::Different`] if something else writes into the tables, [`MoveError::Store`] if either
    /// side fails, or another move of the same source is in this step. The move can be begun again. The tables stay closed
    /// and the source takes changes again if it did before, unless the database went away during the very last step, which
    /// opens the tables: then the move may have ended, which [`begin`](Self::begin) tells, and the source stays as it is.
    ///
    /// # Cancel safety
    /// As after a failure.
    pub async fn finish(
        self,
        mut progress: impl FnMut(MoveProgress),
    ) -> Result<PostgresStore, MoveError> {
        let before = self.source.0.stand_still().await?;
        let still = Standstill(Some((&self.source, before)));
        let (from, to) = (&self.source, &self.target.0);
        let mut differs = None;
        for _ in 0..LAST_PASSES {
            let pass = Pass { from, to, depth: Depth::All, progress: &mut progress, differs: None };
            differs = pass.run().await?;
            if differs.is_none() {
                // Before the tables are open: whether they are is what decides who has the uses from here on.
                still.end_with(self.target.clone());
                to.open().await?;
                return Ok(self.target);
            }
        }
        Err(MoveError::Different(differs.unwrap_or_default()))
    }
}

/// A source that stands still, and its stage before. If the move ends here it goes back to that: a store that was moved
/// before takes no changes again.
struct Standstill<'a>(Option<(&'a MoveSource, MoveStage)>);

impl Standstill<'_> {
    /// The source stays as it is, and passes on the uses that are still counted there.
    fn end_with(mut self, target: PostgresStore) {
        if let Some((source, _)) = self.0.take() {
            source.0.hand_over(Arc::new(target));
        }
    }
}

impl Drop for Standstill<'_> {
    fn drop(&mut self) {
        if let Some((source, before)) = self.0.take() {
            source.0.set_move(before);
        }
    }
}

impl PostgresOptions {
    /// A connection of its own that holds the lock of moves, or `None` if another one does.
    async fn lock_for_move(&self, pool: &PgPool) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let query = sqlx::query_scalar(
            "SELECT pg_try_advisory_lock(hashtextextended('keywright move ' || $1, 0))",
        );
        let query = query.persistent(false).bind(self.schema.as_str());
        let is_held: bool = query.fetch_one(&mut connection).await?;
        Ok(is_held.then_some(connection))
    }
}

/// Going through both sides once.
struct Pass<'a, P> {
    from: &'a MoveSource,
    to: &'a Inner,
    depth: Depth,
    progress: P,
    /// The last that differed.
    differs: Option<&'static str>,
}

impl<P: FnMut(MoveProgress)> Pass<'_, P> {
    /// What differed, if anything did.
    async fn run(mut self) -> Result<Option<&'static str>, Failure> {
        let Outline { keys, accounts, policies, deleted, writers, last_events } =
            self.from.0.image()?.outline()?;
        // What others refer to comes first, and goes last.
        let account_ids: Vec<_> = accounts.iter().map(|account| account.id.to_string()).collect();
        self.table(&ACCOUNTS, &account_ids, |place| {
            Ok(Some((json!(accounts[place]), json!(AccountRow::of(&accounts[place])))))
        })
        .await?;
        let tenants: Vec<_> = policies.iter().map(|(tenant, _)| tenant.to_string()).collect();
        self.table(&POLICIES, &tenants, |place| {
            let (tenant, policy) = &policies[place];
            Ok(Some((json!(policy), json!(PolicyRow::new(tenant, policy)))))
        })
        .await?;
        let ids: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let image = self.from.0.image()?;
        self.table(&KEYS, &ids, |place| {
            let Some((record, usage)) = image.key_to_move(&keys[place])? else { return Ok(None) };
            let mut row = json!(KeyRow::of(&record));
            row["usage"] = json!(usage);
            row["last_used"] = json!(super::rows::last_used(&usage));
            Ok(Some((json!([record, usage]), row)))
        })
        .await?;
        let ids: Vec<_> = deleted.iter().map(|(id, ..)| id.to_string()).collect();
        self.table(&DELETED, &ids, |place| {
            let (id, tenant, event) = &deleted[place];
            Ok(Some((json!([tenant, event]), json!(DeletedRow::new(*id, tenant, *event)))))
        })
        .await?;
        let names: Vec<_> = writers.iter().map(|(writer, _)| hex::encode(writer)).collect();
        self.table(&WRITERS, &names, |place| {
            let last = json!(writers[place].1);
            let mut row = last.clone();
            row["writer"] = json!(names[place]);
            Ok(Some((last, row)))
        })
        .await?;
        self.events(&last_events).await?;
        let tenants: Vec<_> = last_events.iter().map(|(tenant, _)| tenant.to_string()).collect();
        self.table(&TENANTS, &tenants, |place| {
            let (tenant, last) = &last_events[place];
            Ok(Some((json!(last), json!({ "tenant": tenant, "last_event": last }))))
        })
        .await?;
        self.without(&ACCOUNTS, &account_ids).await?;
        Ok(self.differs)
    }

    /// Makes a table as the source has it. `row` gives what is compared and what is written, for the id
    /// at a place; none if it is gone.
    async fn table(
        &mut self,
        table: &Table,
        ids: &[String],
        mut row: impl FnMut(usize) -> Result<Option<(Value, Value)>, StoreError>,
    ) -> Result<(), Failure> {
        let mut progress =
            MoveProgress { what: table.name, done: 0, all: ids.len() as u64, written: 0 };
        let mut behind = String::new();
        let chunks = ids.chunks(CHUNK).count().max(1);
        for chunk in 0..chunks {
            let begin = chunk * CHUNK;
            let end = ids.len().min(begin + CHUNK);
            // The last one takes whatever the tables have beyond.
            let upto = (chunk + 1 < chunks).then(|| ids[end - 1].clone());
            let mut stored = self.to.stored(table, &behind, upto.as_deref()).await?;
            let mut rows = Vec::new();
            for (place, id) in ids.iter().enumerate().take(end).skip(begin) {
                let Some((compared, row)) = row(place)? else { continue };
                if stored.remove(id) != Some(compared) {
                    rows.push(row);
                }
            }
            let surplus: Vec<_> = stored.into_keys().collect();
            if !rows.is_empty() || !surplus.is_empty() {
                self.differs = Some(table.name);
                let surplus = if table.is_referred_to { &[][..] } else { &surplus };
                self.to.make(table, &rows, surplus).await?;
            }
            progress.done = end as u64;
            progress.written += rows.len() as u64;
            (self.progress)(progress);
            behind = upto.unwrap_or_default();
        }
        Ok(())
    }

    /// Takes away what the source does not have.
    async fn without(&mut self, table: &Table, ids: &[String]) -> Result<(), Failure> {
        let stored = self.to.stored(table, "", None).await?;
        let ids: std::collections::HashSet<_> = ids.iter().collect();
        let surplus: Vec<_> = stored.into_keys().filter(|id| !ids.contains(id)).collect();
        if surplus.is_empty() {
            return Ok(());
        }
        self.differs = Some(table.name);
        self.to.make(table, &[], &surplus).await
    }

    async fn events(&mut self, last_events: &[(TenantId, u64)]) -> Result<(), Failure> {
        let all = last_events.iter().map(|(_, last)| last).sum();
        let mut progress = MoveProgress { what: "events", done: 0, all, written: 0 };
        for (tenant, last) in last_events {
            let mut behind = match self.depth {
                Depth::Numbers => self.to.last_event(tenant).await?,
                Depth::All => 0,
            };
            let oldest = EventQuery::new().oldest_first();
            let first = self.from.0.events(tenant, &oldest.clone().limit(1)).await?.items;
            let first = first.first().map_or(1, |event| event.sequence);
            behind = self.without_events_before(tenant, first).await?.max(behind);
            progress.done += behind;
            while behind < *last {
                let query = oldest.clone().behind(behind).limit(MAX_LIMIT);
                let events = self.from.0.events(tenant, &query).await?.items;
                let (Some(oldest), Some(newest)) = (events.first(), events.last()) else { break };
                let newest = newest.sequence;
                if oldest.sequence > behind + 1 {
                    // The source has forgotten some meanwhile.
                    behind = self.without_events_before(tenant, oldest.sequence).await?;
                }
                let stored = self.to.stored_events(tenant, behind, events.len()).await?;
                // Events are never changed: those that are stored are the first of these, or others.
                let same = stored.iter().zip(&events).take_while(|(a, b)| a == b).count();
                if same < stored.len() {
                    let message = format!("tenant {tenant} has other events in the database");
                    return Err(StoreError::conflict(message).into());
                }
                if same < events.len() {
                    self.differs = Some("events");
                    self.to.write_events(&events[same..]).await?;
                }
                progress.done += events.len() as u64;
                progress.written += (events.len() - same) as u64;
                (self.progress)(progress);
                behind = newest;
            }
        }
        Ok(())
    }

    /// Takes away the events that the source has forgotten: those before its first. The number before
    /// it is where to go on.
    async fn without_events_before(
        &mut self,
        tenant: &TenantId,
        first: u64,
    ) -> Result<u64, Failure> {
        if self.to.forget_events_before(tenant, first).await? {
            self.differs = Some("events");
        }
        Ok(first.saturating_sub(1))
    }
}

impl Inner {
    /// Begins a transaction of a move, under the lock that every commit holds. So one that was cut off
    /// while it ended has ended, or is undone, before the next move looks.
    async fn move_session(&self) -> Result<Session, sqlx::Error> {
        Session::begin(&self.pool, self.commits.begin_usage(true)).await
    }

    /// Closes the tables for all but a move. `false` if they are in use.
    async fn close(&self) -> Result<bool, Failure> {
        let mut session = self.move_session().await?;
        let is_in_use: bool = sqlx::query_scalar(self.schema.sql(IS_IN_USE).safe())
            .persistent(false)
            .fetch_one(session.connection())
            .await?;
        if !is_in_use {
            sqlx::query(self.schema.sql(MARK).safe())
                .persistent(false)
                .execute(session.connection())
                .await?;
        }
        session.commit().await?;
        Ok(!is_in_use)
    }

    /// Opens the tables as a store.
    async fn open(&self) -> Result<(), Failure> {
        let mut session = self.move_session().await?;
        sqlx::query(self.schema.sql(UNMARK).safe())
            .persistent(false)
            .execute(session.connection())
            .await?;
        Ok(session.commit().await?)
    }

    /// The rows of a table from behind an id up to another one, as they are compared.
    async fn stored(
        &self,
        table: &Table,
        behind: &str,
        upto: Option<&str>,
    ) -> Result<std::collections::HashMap<String, Value>, Failure> {
        let mut session = self.session().await?;
        let rows = sqlx::query(self.schema.sql(table.read).safe())
            .persistent(self.persistent)
            .bind(behind)
            .bind(upto)
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        rows.iter()
            .map(|row| Ok((row.try_get("id")?, row.try_get::<Json<Value>, _>("compared")?.0)))
            .collect()
    }

    /// Writes rows, and takes others away, all or nothing.
    async fn make(&self, table: &Table, rows: &[Value], surplus: &[String]) -> Result<(), Failure> {
        let mut session = self.move_session().await?;
        if !surplus.is_empty() {
            sqlx::query(self.schema.sql(table.remove).safe())
                .persistent(self.persistent)
                .bind(surplus)
                .execute(session.connection())
                .await?;
        }
        if !rows.is_empty() {
            sqlx::query(self.schema.sql(table.write).safe())
                .persistent(self.persistent)
                .bind(Json(rows))
                .execute(session.connection())
                .await?;
        }
        Ok(session.commit().await?)
    }

    async fn last_event(&self, tenant: &TenantId) -> Result<u64, Failure> {
        let mut session = self.session().await?;
        let last: i64 = sqlx::query_scalar(self.schema.sql(LAST_EVENT).safe())
            .persistent(self.persistent)
            .bind(tenant.as_str())
            .fetch_one(session.connection())
            .await?;
        session.commit().await?;
        Ok(last.cast_unsigned())
    }

    /// Whether there were events of the tenant before this one, which are gone now.
    async fn forget_events_before(&self, tenant: &TenantId, first: u64) -> Result<bool, Failure> {
        let mut session = Session::begin(&self.pool, self.commits.begin_usage(false)).await?;
        let gone = sqlx::query(self.schema.sql(FORGET_EVENTS).safe())
            .persistent(self.persistent)
            .bind(tenant.as_str())
            .bind(first.cast_signed())
            .execute(session.connection())
            .await?;
        session.commit().await?;
        Ok(gone.rows_affected() > 0)
    }

    async fn stored_events(
        &self,
        tenant: &TenantId,
        behind: u64,
        most: usize,
    ) -> Result<Vec<Event>, Failure> {
        let mut session = self.session().await?;
        let events: Vec<Json<Event>> = sqlx::query_scalar(self.schema.sql(READ_EVENTS).safe())
            .persistent(self.persistent)
            .bind(tenant.as_str())
            .bind(behind.cast_signed())
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(session.connection())
            .await?;
        session.commit().await?;
        Ok(events.into_iter().map(|event| event.0).collect())
    }

    async fn write_events(&self, events: &[Event]) -> Result<(), Failure> {
        let mut session = self.move_session().await?;
        sqlx::query(self.schema.sql(WRITE_EVENTS).safe())
            .persistent(self.persistent)
            .bind(Json(events.iter().map(EventRow::of).collect::<Vec<_>>()))
            .execute(session.connection())
            .await?;
        Ok(session.commit().await?)
    }
}
