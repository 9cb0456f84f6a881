//! A cache in front of a store that other nodes write to. It bounds the age of its answers.
//!
//! The rule is in [`lease`]. A hit reads the clock, one atomic number and one map entry. It takes no
//! lock and allocates nothing. A sync removes the changed keys from memory before it renews the lease.

mod cache;
mod entries;
mod hints;
mod lease;
mod monotonic_clock;
mod options;
mod refresh;
mod single_flight;
mod state;

pub use self::cache::CachedStore;
pub use self::hints::ChangeHints;
pub use self::monotonic_clock::{ManualMonotonicClock, MonotonicClock, SystemMonotonicClock};
pub use self::options::{CacheOptions, CacheOptionsError};
pub use self::state::CacheState;
