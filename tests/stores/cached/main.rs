//! `CachedStore`: the answers that it can give from memory, and for how long.

/// The items of the crate that the source files of the lease import.
mod store {
    pub(crate) use keywright::store::{Age, Changes, Freshness, Marker, Subject};
}

mod record {
    pub(crate) mod key {
        pub(crate) use keywright::Owner;
    }
}

mod value {
    pub(crate) mod id {
        pub(crate) use keywright::{KeyId, TenantId};
    }
}

#[path = "../../../src/store/cached/lease.rs"]
mod lease;
#[path = "../../../src/store/cached/stamps.rs"]
mod stamps;

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
