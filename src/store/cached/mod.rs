//! A cache in front of a store that other nodes write to: answers from memory, and a bound on their age.
//!
//! The rule is in [`lease`]. A hit reads the clock and one number, and looks into a map: no lock
//! and no allocation. The cache removes every key that is known to have changed before it renews the
//! lease that proves it.

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
