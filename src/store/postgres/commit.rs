//! Commits: the batches of a group are read, planned and written.
//!
//! Usually this takes two statements, each a transaction of its own: one reads the rows, the other writes
//! the batches of each shard in which nothing has changed since; see [`write`](super::write). No lock is
//! held between them. If other nodes win that race twice, a transaction first inserts the commit's row, and
//! holds it as a lock while it reads and writes. So a commit cannot lose forever.

use sqlx::PgConnection;

use super::database::Database;
use super::draft::Draft;
use super::errors::{Failure, is_given_up, is_taken, too_busy};
use super::reading::{Read, Wanted};
use super::session::{Attempts, Session};
use super::shard::{Commit, Share};
use super::write::{Claim, Next, write};
use crate::observe::{StoreRetry, count_store_retry};
use crate::store::error::StoreError;
use crate::store::plan::{Effects, Rows};
use crate::value::id::KeyId;

/// The maximum number of attempts at a transaction that the database rolls back in favor of others.
pub(super) const ATTEMPTS: u32 = 8;

/// The number of lost races after which the commit's row is inserted first.
const RACES: u32 = 2;

/// The maximum number of attempts to insert the commit's row first. Each fails only if another node has
/// committed meanwhile.
const CLAIMS: u32 = 64;

/// The time for which a commit of one shard waits for another transaction.
const ALONE: Claim = Claim::Insert { patience: "10s" };
/// The time for which commits of several shards wait for another transaction. It is short, as a commit must
/// not wait long for another shard than its own. After it, each shard is written alone.
const TOGETHER: Claim = Claim::Insert { patience: "250ms" };

/// Inserts the row of the next commit of a shard, which waits for a commit that is inserting it.
const CLAIM: &str = "
    INSERT INTO {schema}.changes (shard, epoch, mark, touched)
    SELECT shard, epoch + 1, $2, '{}' FROM {schema}.changes WHERE shard = $1 ORDER BY epoch DESC LIMIT 1
    ON CONFLICT DO NOTHING";

/// Locks the usage of removed keys before the commit's row, in the order in which a flush locks it.
const HOLD_USAGE: &str = "
    SELECT 1 FROM {schema}.usage WHERE key = ANY($1) ORDER BY key FOR UPDATE";

/// The answers to the batches of a shard.
pub(super) type Answers = Vec<Result<(), StoreError>>;

/// The result of an attempt for a shard.
#[derive(Debug)]
pub(super) enum Attempt {
    Done(Answers),
    /// Another commit of the shard came first. Nothing was written.
    Lost,
}

impl Database {
    /// Writes batches of one shard, and returns the answer to each. Two of them must not change the same
    /// subject. `lost` is the number of races that they have lost already.
    ///
    /// After a failure, no batch was written, unless the failure says that it is unknown.
    pub(super) async fn commit(&self, share: &Share, mut lost: u32) -> Result<Answers, Failure> {
        let shares = std::slice::from_ref(share);
        for attempt in lost + 1..=ATTEMPTS {
            let attempted = if lost < RACES {
                self.try_commit(shares).await.map(|mut attempts| attempts.pop())
            } else {
                self.commit_claimed(share).await.map(Attempt::Done).map(Some)
            };
            match attempted {
                Ok(Some(Attempt::Done(answers))) => return Ok(answers),
                Err(Failure::Database(error))
                    if attempt == ATTEMPTS || !(is_given_up(&error) || is_taken(&error)) =>
                {
                    return Err(error.into());
                }
                Err(failure @ Failure::Store(_)) => return Err(failure),
                Ok(_) | Err(_) => {
                    count_store_retry(StoreRetry::Overtaken);
                    lost += 1;
                }
            }
        }
        Err(too_busy().into())
    }

    /// Makes one attempt to write the batches of some shards: reads in one statement, and writes in another.
    /// Returns the result for each shard. Two batches must not change the same subject.
    pub(super) async fn try_commit(&self, shares: &[Share]) -> Result<Vec<Attempt>, Failure> {
        let wanted = Wanted::of(shares.iter().map(|share| (share.shard, &*share.batches)));
        let (mut session, last, mut rows) = self.read(&wanted).await?;
        let drafts: Vec<_> =
            shares.iter().map(|share| Draft::of(&mut rows, &share.batches)).collect();
        let marks = shares.iter().map(|_| mark()).collect::<Result<Vec<_>, _>>()?;
        let next: Vec<_> = last
            .into_iter()
            .zip(marks)
            .zip(&drafts)
            .filter(|(_, draft)| draft.has_effects())
            .map(|((last, mark), draft)| Next { last, mark, effects: &draft.effects })
            .collect();
        if next.is_empty() {
            session.roll_back().await;
            return Ok(drafts.into_iter().map(|draft| Attempt::Done(draft.answers)).collect());
        }
        let claim = if shares.len() > 1 { TOGETHER } else { ALONE };
        let written = match write(self, session.connection(), claim, &next).await {
            Ok(written) if written.is_empty() => {
                session.roll_back().await;
                written
            }
            Ok(written) => {
                session.commit().await?;
                written
            }
            Err(error) => {
                let failure = error.into();
                session.fail(&failure).await;
                return Err(failure);
            }
        };
        let is_written = |shard| written.iter().any(|commit| commit.shard == shard);
        for next in next.iter().filter(|next| is_written(next.last.shard)) {
            self.note(next.last, next.commit());
        }
        let attempt = |(share, draft): (&Share, Draft)| {
            if draft.has_effects() && !is_written(share.shard) {
                return Attempt::Lost;
            }
            Attempt::Done(draft.answers)
        };
        Ok(shares.iter().zip(drafts).map(attempt).collect())
    }

    /// Reads the rows and the last commit of each shard, and returns them with the session that has read.
    async fn read(&self, wanted: &Wanted) -> Result<(Session, Vec<Commit>, Rows), Failure> {
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.writing_session().await?;
            let mut rows = Rows::default();
            match wanted.read(self, session.connection(), &mut rows).await {
                Ok(Read { last, is_committed: true }) => return Ok((session, last, rows)),
                // The next session begins a transaction.
                Ok(_) => {
                    self.note_isolation();
                    session.roll_back().await;
                }
                Err(Failure::Database(error)) if attempts.has_next(&error) => {}
                Err(failure) => {
                    session.fail(&failure).await;
                    return Err(failure);
                }
            }
        }
    }

    /// Inserts the commit's row, then reads and writes, in one transaction.
    async fn commit_claimed(&self, share: &Share) -> Result<Answers, Failure> {
        let mut session = self.begin_writing().await?;
        match self.write_claimed(session.connection(), share).await {
            Ok((answers, Some((last, commit)))) => {
                session.commit().await?;
                self.note(last, commit);
                Ok(answers)
            }
            Ok((answers, None)) => {
                session.roll_back().await;
                Ok(answers)
            }
            Err(failure) => {
                session.fail(&failure).await;
                Err(failure)
            }
        }
    }

    async fn write_claimed(
        &self,
        connection: &mut PgConnection,
        share: &Share,
    ) -> Result<(Answers, Option<(Commit, Commit)>), Failure> {
        let wanted = Wanted::of([(share.shard, &*share.batches)]);
        let deleted: Vec<_> = wanted.deleted_keys.iter().map(KeyId::to_string).collect();
        if !deleted.is_empty() {
            let hold = self.schema.sql(HOLD_USAGE);
            let hold = sqlx::query(hold.safe()).persistent(self.persistent).bind(deleted);
            hold.execute(&mut *connection).await?;
        }
        let mark = mark()?;
        self.claim(connection, share.shard, mark).await?;
        let mut rows = Rows::default();
        let last = self.read_claimed(connection, &wanted, &mut rows).await?;
        let draft = Draft::of(&mut rows, &share.batches);
        if !draft.has_effects() {
            return Ok((draft.answers, None));
        }
        let next = Next { last, mark, effects: &draft.effects };
        self.write_held(connection, next).await?;
        Ok((draft.answers, Some((last, next.commit()))))
    }

    /// Writes alerts of one shard in a transaction that has written their usage. `plan` returns their
    /// events for the rows that were read. Returns the commit and the one before it.
    pub(super) async fn add_alerts(
        &self,
        connection: &mut PgConnection,
        (shard, wanted): (i16, &Wanted),
        rows: &mut Rows,
        mut plan: impl FnMut(&Rows) -> Result<Effects, StoreError>,
    ) -> Result<(Commit, Commit), Failure> {
        let mark = mark()?;
        for _ in 0..RACES {
            let read = wanted.read(self, connection, rows).await?;
            let last = first(read)?;
            let next = Next { last, mark, effects: &plan(rows)? };
            if !write(self, connection, ALONE, &[next]).await?.is_empty() {
                return Ok((last, next.commit()));
            }
        }
        self.claim(connection, shard, mark).await?;
        let last = self.read_claimed(connection, wanted, rows).await?;
        let next = Next { last, mark, effects: &plan(rows)? };
        self.write_held(connection, next).await?;
        Ok((last, next.commit()))
    }

    /// Inserts the row of the next commit of a shard. The transaction then holds it as a lock.
    async fn claim(
        &self,
        connection: &mut PgConnection,
        shard: i16,
        mark: i32,
    ) -> Result<(), Failure> {
        let claim = self.schema.sql(CLAIM);
        for _ in 0..CLAIMS {
            let claim = sqlx::query(claim.safe()).persistent(self.persistent);
            if claim.bind(shard).bind(mark).execute(&mut *connection).await?.rows_affected() == 1 {
                return Ok(());
            }
        }
        Err(too_busy().into())
    }

    /// Reads the rows after [`claim`](Self::claim), and returns the commit before the claimed one. Its mark
    /// is that of the claimed one, as the row before needs no comparison any more.
    async fn read_claimed(
        &self,
        connection: &mut PgConnection,
        wanted: &Wanted,
        rows: &mut Rows,
    ) -> Result<Commit, Failure> {
        let claimed = first(wanted.read(self, connection, rows).await?)?;
        Ok(Commit { epoch: claimed.epoch - 1, ..claimed })
    }

    async fn write_held(
        &self,
        connection: &mut PgConnection,
        next: Next<'_>,
    ) -> Result<(), Failure> {
        if write(self, connection, Claim::Held, &[next]).await?.is_empty() {
            let message = "another process changed the row of this commit; nothing was written";
            return Err(StoreError::conflict(message).into());
        }
        Ok(())
    }

    /// Notes a commit that was written after `last`.
    pub(super) fn note(&self, last: Commit, commit: Commit) {
        self.seen.note_own(last, commit);
        self.retention.note(commit);
    }
}

/// Returns the last commit of the one shard that was asked for.
fn first(read: Read) -> Result<Commit, StoreError> {
    let missing = || StoreError::corrupt("a shard has no last commit");
    read.last.into_iter().next().ok_or_else(missing)
}

/// Draws the mark of a commit.
fn mark() -> Result<i32, StoreError> {
    let drawn = getrandom::u32().map_err(|error| {
        StoreError::unavailable("the system gave no random number").with_source(error)
    })?;
    // Marks are not negative.
    Ok((drawn >> 1).cast_signed())
}
