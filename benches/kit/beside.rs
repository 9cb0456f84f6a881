//! Work on other threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Work on another thread, until this value is dropped.
#[derive(Debug)]
pub struct Beside(Arc<AtomicBool>, Option<thread::JoinHandle<()>>);

impl Beside {
    /// Repeats the work on a new thread.
    pub fn start(mut work: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                work();
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        if let Some(thread) = self.1.take() {
            thread.join().expect("the other thread has not panicked");
        }
    }
}

/// Returns the calls per second of `threads` threads that call `work` with their number for `time`.
///
/// # Panics
/// Panics if a call panics.
pub fn rate_of(threads: usize, time: Duration, work: impl Fn(usize) + Sync) -> f64 {
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let calls: u32 = thread::scope(|scope| {
        let (is_over, work) = (&is_over, &work);
        let begin = |number| {
            scope.spawn(move || {
                let mut calls = 0;
                while !is_over.load(Ordering::Relaxed) {
                    work(number);
                    calls += 1;
                }
                calls
            })
        };
        let threads: Vec<_> = (0..threads).map(begin).collect();
        thread::sleep(time);
        is_over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).sum()
    });
    f64::from(calls) / start.elapsed().as_secs_f64()
}

/// Returns the calls per second of two threads that begin together and call `calls` times each.
pub fn rate_of_two(calls: u32, works: [&mut (dyn FnMut() + Send); 2]) -> f64 {
    let begin = Barrier::new(3);
    let start = thread::scope(|scope| {
        for work in works {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                for _ in 0..calls {
                    work();
                }
            });
        }
        begin.wait();
        Instant::now()
    });
    2.0 * f64::from(calls) / start.elapsed().as_secs_f64()
}
