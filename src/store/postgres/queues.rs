//! The queues of batches, one for each shard.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::Sender;

use super::shard::{SHARDS, Share};
use crate::store::batch::{Batch, Change, Subject};
use crate::store::error::StoreError;

/// The most tasks that take batches. While they write, the batches that come form the next groups.
const MOST_TASKS: usize = 4;
/// The most batches in a group.
const MOST_BATCHES: usize = 64;
/// The number of changes and events after which a group takes no further batch.
const ENOUGH_ROWS: usize = 256;

/// Receives the answer to a batch.
pub(super) type Answer = Sender<Result<(), StoreError>>;

/// A batch that waits.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) answer: Answer,
}

/// The queues of all shards. A batch is in the queue of its shard until a task takes it.
pub(super) struct Queues(Mutex<State>);

struct State {
    queues: Vec<Queue>,
    /// The shards with waiting batches that no task writes. The shard that waits for the longest time is
    /// the first.
    ready: VecDeque<i16>,
    /// The number of tasks that take batches.
    tasks: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Job>,
    /// Whether a task writes batches of this shard.
    is_busy: bool,
}

impl Default for Queues {
    fn default() -> Self {
        let queues = (0..SHARDS).map(|_| Queue::default()).collect();
        Self(Mutex::new(State { queues, ready: VecDeque::new(), tasks: 0 }))
    }
}

impl Queues {
    pub(super) fn push(&self, shard: i16, job: Job) {
        let mut state = self.lock();
        let queue = state.queue(shard);
        let is_ready = queue.waiting.is_empty() && !queue.is_busy;
        queue.waiting.push_back(job);
        if is_ready {
            state.ready.push_back(shard);
        }
    }

    /// Returns whether a further task must take batches. It counts from now on.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.lock();
        let is_needed = !state.ready.is_empty() && state.tasks < MOST_TASKS;
        state.tasks += usize::from(is_needed);
        is_needed
    }

    /// Notes that a task takes no further batch. If it was the last one, drops the batches that it would
    /// have taken; their callers learn that they are interrupted.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.tasks -= 1;
        let ready =
            if state.tasks == 0 { std::mem::take(&mut state.ready) } else { VecDeque::new() };
        let dropped: Vec<_> = ready
            .into_iter()
            .map(|shard| std::mem::take(&mut state.queue(shard).waiting))
            .collect();
        drop(state);
        drop(dropped);
    }

    /// Notes that a task takes no further batch, and leaves those that wait to others.
    pub(super) fn leave(&self) {
        self.lock().tasks -= 1;
    }

    /// Returns whether batches wait that no task will take.
    pub(super) fn is_deserted(&self) -> bool {
        let state = self.lock();
        state.tasks == 0 && !state.ready.is_empty()
    }

    /// Takes the next group: batches of shards that no other task writes. If there are none, the task no
    /// longer counts.
    pub(super) fn take(&self) -> Option<Vec<(Share, Vec<Answer>)>> {
        let mut state = self.lock();
        let (mut group, mut taken) = (Group::default(), Vec::new());
        while !group.is_full()
            && let Some(shard) = state.ready.pop_front()
        {
            let queue = state.queue(shard);
            let (mut batches, mut answers) = (Vec::new(), Vec::new());
            while let Some(job) = queue.waiting.pop_front() {
                // The caller has dropped its future.
                if job.answer.is_closed() {
                    continue;
                }
                if !group.takes(&job.batch) {
                    queue.waiting.push_front(job);
                    break;
                }
                batches.push(job.batch);
                answers.push(job.answer);
            }
            queue.is_busy = !batches.is_empty();
            let is_over = !queue.is_busy && !queue.waiting.is_empty();
            if queue.is_busy {
                taken.push((Share { shard, batches }, answers));
            }
            if is_over {
                state.ready.push_front(shard);
                break;
            }
        }
        if taken.is_empty() {
            state.tasks -= 1;
            return None;
        }
        Some(taken)
    }

    /// Notes that no task writes a shard any more.
    pub(super) fn free(&self, shard: i16) {
        let mut state = self.lock();
        let queue = state.queue(shard);
        queue.is_busy = false;
        if !queue.waiting.is_empty() {
            state.ready.push_back(shard);
        }
    }

    /// Takes the batches of a shard that wait for a task that writes it.
    pub(super) fn take_waiting(&self, shard: i16) -> VecDeque<Job> {
        std::mem::take(&mut self.lock().queue(shard).waiting)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, shard: i16) -> &mut Queue {
        &mut self.queues[usize::try_from(shard).unwrap_or_default()]
    }
}

/// The contents of a group. Two batches of it change different subjects. A batch that forgets events is alone, as
/// it would otherwise miss those of its own group.
#[derive(Default)]
struct Group {
    subjects: HashSet<Subject>,
    batches: usize,
    rows: usize,
}

impl Group {
    fn is_full(&self) -> bool {
        self.batches == MOST_BATCHES || self.rows >= ENOUGH_ROWS
    }

    /// Takes a batch, unless it must not be in this group.
    fn takes(&mut self, batch: &Batch) -> bool {
        let changes = &batch.changes;
        let is_alone = changes.iter().any(|change| matches!(change, Change::ForgetEvents { .. }));
        let subjects: HashSet<_> = changes.iter().map(Change::subject).collect();
        let has_room = !is_alone && !self.is_full() && self.subjects.is_disjoint(&subjects);
        if self.batches > 0 && !has_room {
            return false;
        }
        self.batches += 1;
        self.rows += if is_alone { ENOUGH_ROWS } else { changes.len() + batch.events.len() };
        self.subjects.extend(subjects);
        true
    }
}
