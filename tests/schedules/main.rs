//! The crate's own source under a scheduler that decides which thread takes the next step: thousands
//! of schedules of each scenario, drawn at random, and each of them can be run again.
//!
//! The source is compiled here once more, as it is, against another `std`: this crate root. It has
//! [shuttle]'s locks and atomics in the place of std's, so that every one of them is a point at which
//! another thread may come between, and a map of ours in the place of papaya's, which shuttle can't
//! look into. So papaya is taken at its word, that each of its operations is one step, and so are all
//! orderings of atomics, which are sequentially consistent here.
//!
//! `KEYWRIGHT_SCHEDULES` says how many are drawn for each scenario. A failure prints its schedule;
//! `KEYWRIGHT_SCHEDULE` with that text and the name of the scenario behind
//! `cargo test -p keywright-test-schedules --` runs it again.

#![allow(
    dead_code,
    hidden_glob_reexports,
    unreachable_pub,
    unused_imports,
    reason = "a part of the crate's source is used, and by this crate alone"
)]

extern crate self as papaya;
extern crate self as std;
extern crate std as real_std;

pub use real_std::*;

/// `std::sync`, with those of shuttle for what the source waits with.
pub mod sync {
    pub use real_std::sync::*;

    pub use shuttle::sync::{
        LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic,
    };
}

/// `std::thread_local`, of a thread that shuttle runs.
pub use shuttle::thread_local;

/// `std::time` and the crate's own.
pub mod time {
    pub use real_std::time::*;

    pub use crate::value::time::*;
}

mod map;

/// `papaya::HashMap`, and what it is pinned with.
pub(crate) use self::map::{HashMap, HashMapRef, LocalGuard};

#[path = "../../src/authority/mod.rs"]
mod authority;
#[path = "../../src/decision/mod.rs"]
mod decision;
#[path = "../../src/keywright.rs"]
mod keywright;
#[path = "../../src/record/mod.rs"]
mod record;
#[path = "../../src/setup/mod.rs"]
mod setup;
#[path = "../../src/store/mod.rs"]
mod store;
#[path = "../../src/value/mod.rs"]
mod value;
#[path = "../../src/verifier/mod.rs"]
mod verifier;

mod failing;
mod runner;
mod scenarios;
#[cfg(feature = "cached")]
mod slow;
mod world;

fn main() {
    // The cache's patience is a runtime's. Nobody drives this one: no time passes in a schedule.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let _entered = runtime.enter();
    runner::run(scenarios::ALL);
}
