//! Seats: a small number for each thread, by which threads take different copies of what they write.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of seats. More threads than seats share them evenly.
pub(crate) const SEATS: usize = 8;

/// Returns the seat of this thread, from 0 to `SEATS - 1`. A thread keeps its seat.
pub(crate) fn of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SEAT: Cell<usize> = const { Cell::new(SEATS) };
    }
    SEAT.with(|seat| {
        if seat.get() == SEATS {
            seat.set(NEXT.fetch_add(1, Ordering::Relaxed) % SEATS);
        }
        seat.get()
    })
}
