//! `CachedStore`: the answers that it can give from memory, and for how long.

/// The items of the crate that the lease's source file imports.
mod store {
    pub(crate) use keywright::store::{Age, Changes, Epoch, Freshness, Subject};
}

#[path = "../../../src/store/cached/lease.rs"]
mod lease;

mod capacity;
mod contract;
mod fills;
mod held;
mod hits;
mod model;
mod node;
mod options;
mod outages;
mod refresh;
mod running;
mod single_flight;
mod subjects;
