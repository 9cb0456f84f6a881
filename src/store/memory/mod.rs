//! Keys in memory: the state that answers reads, and the store made of this state and the events.

mod all_tenants;
mod apply;
mod event_chunk;
mod events;
#[cfg(feature = "postgres")]
mod export;
mod indexed;
mod listed;
mod owned;
mod owned_keys;
mod sorted;
#[cfg(feature = "postgres")]
mod stage;
mod state;
mod store;
mod tables;
#[cfg(feature = "postgres")]
mod touched;
mod usage;
mod view;

#[cfg(feature = "postgres")]
pub(in crate::store) use self::stage::{Stage, StageCell};
pub use self::store::MemoryStore;
#[cfg(all(feature = "file", feature = "postgres"))]
pub(in crate::store) use self::touched::Journals;
#[cfg(feature = "postgres")]
pub(in crate::store) use self::touched::{Journal, Touched};
