//! Keys in memory: the state that answers reads, and the store made of this state only.
//!
//! [`State`] holds the data of a store of one process. `MemoryStore` holds a state and the events.
//! `FileStore` writes each change to its file before it applies the change to its state.

mod all_tenants;
mod apply;
mod events;
#[cfg(feature = "file")]
mod loaded;
mod owned;
mod owned_keys;
#[cfg(feature = "postgres")]
mod stage;
mod state;
mod store;
mod tables;
#[cfg(feature = "postgres")]
mod touched;
mod view;

#[cfg(feature = "file")]
pub(in crate::store) use self::loaded::Loaded;
#[cfg(feature = "postgres")]
pub(in crate::store) use self::stage::Stage;
#[cfg(any(feature = "file", feature = "postgres"))]
pub(in crate::store) use self::state::State;
pub use self::store::MemoryStore;
#[cfg(feature = "postgres")]
pub(in crate::store) use self::touched::{Journal, Touched};
