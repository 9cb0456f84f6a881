//! The crate's own source under a scheduler that decides which thread takes the next step. Each
//! scenario runs in thousands of random schedules, and each schedule can be repeated.
//!
//! The unchanged source is compiled again with this crate root in place of `std`. The root provides
//! [shuttle]'s locks and atomics, so that another thread can run at each of them. It replaces
//! papaya's map by a simple one, because shuttle cannot see into papaya. Each operation of the map
//! is therefore assumed to be one step, and all atomics are sequentially consistent here.
//!
//! `KEYWRIGHT_SCHEDULES` sets the number of schedules for each scenario. A failure prints its
//! schedule; `KEYWRIGHT_SCHEDULE` with that text and the name of the scenario after `cargo test -p
//! keywright-test-schedules --` repeats it.

#![allow(
    dead_code,
    hidden_glob_reexports,
    unreachable_pub,
    unused_imports,
    reason = "only this crate root uses this part of the source"
)]

extern crate self as papaya;
extern crate self as std;
extern crate std as real_std;

pub use real_std::*;

/// `std::sync`, with shuttle's versions of the types that the source blocks on.
pub mod sync {
    pub use real_std::sync::*;

    pub use shuttle::sync::{
        LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic,
    };
}

/// `std::thread_local`, for threads that shuttle runs.
pub use shuttle::thread_local;

/// `std::time` and the crate's own module.
pub mod time {
    pub use real_std::time::*;

    pub use crate::value::time::*;
}

mod map;

/// A replacement of `papaya::HashMap` and its guards.
pub(crate) use self::map::{HashMap, HashMapRef, LocalGuard};

#[path = "../../src/authority/mod.rs"]
mod authority;
#[path = "../../src/decision/mod.rs"]
mod decision;
#[path = "../../src/keywright.rs"]
mod keywright;
#[path = "../../src/observe/mod.rs"]
mod observe;
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
    // The cache's timeout needs a runtime with a timer. This runtime is never driven, so no time
    // passes in a schedule.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let _entered = runtime.enter();
    runner::run(scenarios::ALL);
}
