//! Batches that wait are written in groups.
//!
//! Tasks take batches from the queues of the shards and write them together; see
//! [`try_commit`](Database::try_commit). Callers never write. So a caller that is no longer polled, or that
//! drops its future, keeps no batch of another waiting.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot::channel;
use tokio::time::timeout;

use super::commit::{Answers, Attempt};
use super::database::Database;
use super::errors::{Failure, Fault};
use super::queues::{Answer, Job, Queues};
use super::shard::{Share, shard_of};
use super::teller::Teller;
use crate::observe::{StoreRetry, count_store_retry};
use crate::store::batch::Batch;
use crate::store::error::StoreError;

/// The most time for an attempt to write. A statement waits at most 10 s for a lock, and one in a
/// transaction ends after 30 s. Beyond that, the server has vanished without closing the connection.
const BOUND: Duration = Duration::from_secs(40);

/// The time after which a task that waits for the database lets another one take batches.
const PATIENCE: Duration = Duration::from_millis(250);

/// The batches of all callers of a node.
pub(super) struct Groups {
    database: Arc<Database>,
    teller: Teller,
    queues: Queues,
}

impl Groups {
    pub(super) fn of(database: Arc<Database>) -> Self {
        let teller = Teller::new(database.pool.clone(), &database.schema, &database.channel);
        Self { database, teller, queues: Queues::default() }
    }

    /// Writes a batch, together with others that wait.
    pub(super) async fn commit(self: &Arc<Self>, batch: Batch) -> Result<(), StoreError> {
        let runtime = Handle::try_current().map_err(|error| {
            StoreError::unavailable("a commit needs a tokio runtime").with_source(error)
        })?;
        let (answer, answered) = channel();
        self.queues.push(shard_of(&batch.tenant), Job { batch, answer });
        self.lead(&runtime);
        answered.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Starts a task if batches wait and too few tasks take them.
    fn lead(self: &Arc<Self>, runtime: &Handle) {
        if self.queues.enter() {
            drop(runtime.spawn(Leader { groups: Arc::clone(self), counts: true }.run()));
        }
    }

    /// Writes a group. A shard that is not written in the first attempt is repeated apart, so that a shard
    /// that another node changes or holds delays only its own batches.
    async fn write(self: Arc<Self>, group: Vec<(Share, Vec<Answer>)>) {
        let callers = |(share, answers): (Share, _)| {
            let turn = Turn { groups: Arc::clone(&self), shard: share.shard };
            (share, Callers { answers, turn })
        };
        let mut group: Vec<_> = group.into_iter().map(callers).collect();
        if group.len() == 1
            && let Some((share, callers)) = group.pop()
        {
            return callers.write(share, 0).await;
        }
        let (shares, callers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let attempted = bounded(self.database.try_commit(&shares)).await;
        let group = shares.into_iter().zip(callers);
        match attempted {
            Ok(attempts) => {
                for (attempt, (share, callers)) in attempts.into_iter().zip(group) {
                    match attempt {
                        Attempt::Done(answers) => callers.answer(answers),
                        Attempt::Lost => {
                            count_store_retry(StoreRetry::Overtaken);
                            drop(tokio::spawn(callers.write(share, 1)));
                        }
                    }
                }
            }
            Err(Trouble { fault: Fault::Batch | Fault::Shard, .. }) => {
                group.for_each(|(share, callers)| drop(tokio::spawn(callers.write(share, 0))));
            }
            Err(trouble) => group.for_each(|(_, callers)| callers.fail(trouble.copy())),
        }
    }

    /// Tells listeners that something was written, or may have been.
    fn tell(&self) {
        self.teller.tell();
        self.database.forget_soon();
    }
}

/// The callers of the batches of a shard, which no other task writes.
struct Callers {
    answers: Vec<Answer>,
    turn: Turn,
}

impl Callers {
    /// Writes the batches of these callers. If one of them may be the reason of a failure, writes each alone.
    async fn write(mut self, share: Share, lost: u32) {
        let database = &Arc::clone(&self.turn.groups).database;
        match bounded(database.commit(&share, lost)).await {
            Ok(answers) => self.answer(answers),
            Err(Trouble { fault: Fault::Batch, .. }) if share.batches.len() > 1 => {
                for batch in share.batches {
                    let one = Share { shard: share.shard, batches: vec![batch] };
                    match bounded(database.commit(&one, 0)).await {
                        Ok(answers) => self.answer_next(answers),
                        Err(Trouble { fault: Fault::Batch, error }) => {
                            self.answer_next(vec![Err(error)]);
                        }
                        Err(trouble) => return self.fail(trouble),
                    }
                }
            }
            Err(trouble) => self.fail(trouble),
        }
    }

    fn answer(mut self, answers: Answers) {
        self.answer_next(answers);
    }

    /// Answers to the first of these callers.
    fn answer_next(&mut self, answers: Answers) {
        if answers.iter().any(Result::is_ok) {
            self.turn.groups.tell();
        }
        let callers = self.answers.drain(..answers.len().min(self.answers.len()));
        for (caller, answer) in callers.zip(answers) {
            // The caller may have dropped its future.
            let _ = caller.send(answer);
        }
    }

    /// Answers to all of these callers that their batches failed. Unless another connection may help, the
    /// batches that wait for the shard fail too, as each would otherwise wait for the same failure.
    fn fail(self, trouble: Trouble) {
        let Self { answers, turn } = self;
        let mut waiting = VecDeque::new();
        if trouble.fault == Fault::Connection {
            // The batches may have been written.
            turn.groups.tell();
        } else {
            waiting = turn.groups.queues.take_waiting(turn.shard);
        }
        let mut callers = answers.into_iter().chain(waiting.into_iter().map(|job| job.answer));
        let first = callers.next();
        for caller in callers {
            let _ = caller.send(Err(trouble.copy().error));
        }
        // Only one caller can have the source of the error.
        if let Some(first) = first {
            let _ = first.send(Err(trouble.error));
        }
    }
}

/// A failure, and what it is about.
struct Trouble {
    fault: Fault,
    error: StoreError,
}

impl Trouble {
    fn copy(&self) -> Self {
        let error = StoreError::new(self.error.kind(), self.error.to_string());
        Self { fault: self.fault, error }
    }
}

/// Awaits an attempt to write, for a bounded time.
async fn bounded<T>(attempt: impl Future<Output = Result<T, Failure>>) -> Result<T, Trouble> {
    match timeout(BOUND, attempt).await {
        Ok(ended) => {
            ended.map_err(|failure| Trouble { fault: failure.fault(), error: failure.into() })
        }
        Err(_) => Err(Trouble { fault: Fault::Connection, error: interrupted() }),
    }
}

fn interrupted() -> StoreError {
    StoreError::unavailable("the commit was interrupted; it may have been written")
}

/// The turn of a task to write a shard.
struct Turn {
    groups: Arc<Groups>,
    shard: i16,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.groups.queues.free(self.shard);
        // The task may be one that takes no further batch.
        if self.groups.queues.is_deserted()
            && let Ok(runtime) = Handle::try_current()
        {
            self.groups.lead(&runtime);
        }
    }
}

/// A task that takes batches until none waits.
struct Leader {
    groups: Arc<Groups>,
    /// Whether it counts as one that takes batches.
    counts: bool,
}

impl Leader {
    async fn run(mut self) {
        while let Some(group) = self.groups.queues.take() {
            let mut writing = pin!(Arc::clone(&self.groups).write(group));
            if timeout(PATIENCE, writing.as_mut()).await.is_err() {
                self.counts = false;
                self.groups.queues.leave();
                self.groups.lead(&Handle::current());
                return writing.await;
            }
        }
        self.counts = false;
    }
}

/// A task that its runtime drops leaves no batch waiting for it.
impl Drop for Leader {
    fn drop(&mut self) {
        if self.counts {
            self.groups.queues.abandon();
        }
    }
}
