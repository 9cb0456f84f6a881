//! The queue of jobs, and the thread that takes turns for all of them.
//!
//! The caller that finds no leader starts one on the `blocking` pool. The leader takes all jobs that
//! wait, runs them together, and returns for the next ones until the queue is empty. So callers that
//! wait together share one commit, and a waiting caller blocks no thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The jobs that wait, in the order in which they came.
#[derive(Debug)]
pub(super) struct Queue<J>(Mutex<Waiting<J>>);

#[derive(Debug)]
struct Waiting<J> {
    jobs: VecDeque<J>,
    is_led: bool,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self(Mutex::new(Waiting { jobs: VecDeque::new(), is_led: false }))
    }
}

impl<J> Queue<J> {
    /// Adds a job. Returns whether the caller must start a leader.
    pub(super) fn push(&self, job: J) -> bool {
        let mut waiting = self.lock();
        waiting.jobs.push_back(job);
        !std::mem::replace(&mut waiting.is_led, true)
    }

    /// Leads until the queue is empty. `take` chooses how many of the jobs in front run together, at
    /// least one.
    pub(super) fn lead(&self, count: impl Fn(&VecDeque<J>) -> usize, mut run: impl FnMut(Vec<J>)) {
        let _resign = Resign(self);
        loop {
            let jobs: Vec<J> = {
                let mut waiting = self.lock();
                let count = count(&waiting.jobs);
                if count == 0 {
                    waiting.is_led = false;
                    return;
                }
                waiting.jobs.drain(..count).collect()
            };
            run(jobs);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        // Each change of the queue is one call, so a panic cannot leave it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the lead of a leader that panicked, and drops the jobs that wait for it.
struct Resign<'a, J>(&'a Queue<J>);

impl<J> Drop for Resign<'_, J> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let jobs = {
                let mut waiting = self.0.lock();
                waiting.is_led = false;
                std::mem::take(&mut waiting.jobs)
            };
            drop(jobs);
        }
    }
}
