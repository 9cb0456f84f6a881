//! A cache in front of a store that other nodes write to. It bounds the age of its answers.
//!
//! The rule is in [`lease`]. A hit reads the clock, the lease, one map entry and its [`stamps`]. It takes
//! no lock and allocates nothing. A sync removes the changed keys from memory and moves the stamps of the
//! changed owners and tenants before it renews the lease.

mod cache;
mod entries;
mod hints;
mod lease;
mod monotonic_clock;
mod options;
mod refresh;
mod single_flight;
mod stamps;
mod state;

pub use self::cache::CachedStore;
pub use self::hints::ChangeHints;
pub use self::monotonic_clock::{ManualMonotonicClock, MonotonicClock, SystemMonotonicClock};
pub use self::options::{CacheOptions, CacheOptionsError};
pub use self::state::CacheState;
