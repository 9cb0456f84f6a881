//! Hints: a task that tells listeners of commits, after the commits and apart from them.
//!
//! A notification takes a lock of the whole server until the end of its transaction. Within a commit, that
//! lock would be held until the commit is on disk, and all commits would happen one after another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;

use super::schema::{SchemaName, Sql};
use super::session::Session;

/// The shortest time between two hints of a node.
const PAUSE: Duration = Duration::from_millis(20);

/// Sends hints after commits.
pub(super) struct Teller(Arc<Inner>);

struct Inner {
    pool: PgPool,
    tell: Sql,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// No task runs.
    Silent,
    /// A task runs, and every commit is told.
    Told,
    /// A task runs, and a commit is still to be told.
    Untold,
}

impl Teller {
    pub(super) fn new(pool: PgPool, schema: &SchemaName, channel: &str) -> Self {
        // The text is empty, so that the server keeps one of several equal hints. A hint may be lost, so
        // its transaction does not wait for the disk.
        let tell = format!(
            "SELECT set_config('synchronous_commit', 'off', true), pg_notify('{channel}', '')"
        );
        let tell = schema.sql(&tell);
        Self(Arc::new(Inner { pool, tell, state: Mutex::new(State::Silent) }))
    }

    /// Tells listeners soon that something has changed. Returns at once.
    pub(super) fn tell(&self) {
        let before = std::mem::replace(&mut *self.0.state(), State::Untold);
        // The lock is free again: a runtime that ends drops the task at once.
        if before == State::Silent {
            drop(tokio::spawn(Task(Arc::clone(&self.0)).run()));
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that sends hints. If its runtime drops it, the next commit starts another.
struct Task(Arc<Inner>);

impl Task {
    async fn run(self) {
        loop {
            *self.0.state() = State::Told;
            // If it fails, the listeners find the commit when they ask for changes.
            if let Ok(mut session) = Session::plain(&self.0.pool).await {
                let told = sqlx::raw_sql(self.0.tell.safe()).execute(session.connection()).await;
                if told.is_ok() {
                    session.roll_back().await;
                }
            }
            sleep(PAUSE).await;
            let mut state = self.0.state();
            if *state == State::Told {
                *state = State::Silent;
                return;
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        *self.0.state() = State::Silent;
    }
}
