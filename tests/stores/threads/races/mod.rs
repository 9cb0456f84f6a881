//! Threads that race for the same keys, on each store: the promises for one caller hold for all.

mod changes;
mod counts;
mod ends;
mod limits;

use std::sync::Barrier;
use std::thread;

use keywright::{Event, EventKind, EventOutcome, KeyEdit, Metadata, Operation};

const THREADS: usize = 8;

/// Runs `work` on this many threads that start together, and returns their results in order.
fn together<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |number| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(number)
            })
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

fn is_accepted(said: &str) -> bool {
    matches!(said, "current" | "retiring")
}

/// Returns the number of completed events of `operation`.
fn done(events: &[Event], operation: Operation) -> usize {
    let kind = EventKind::Operation(operation);
    events.iter().filter(|e| e.kind == kind && e.outcome == EventOutcome::Done).count()
}

fn note(text: &str) -> KeyEdit {
    KeyEdit::new().metadata(Metadata::new([("note", text)]).expect("metadata"))
}
