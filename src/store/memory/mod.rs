//! Keys in memory: the state that answers reads, and the store that is nothing but this state.
//!
//! [`State`] is what a store of one process knows. `MemoryStore` keeps it alone; `FileStore` writes each change
//! to its file before the state shows it.

mod apply;
mod events;
#[cfg(feature = "file")]
mod loaded;
mod owned;
#[cfg(feature = "postgres")]
mod stage;
mod state;
mod store;
mod tables;
mod view;

#[cfg(feature = "file")]
pub(in crate::store) use self::loaded::Loaded;
#[cfg(feature = "postgres")]
pub(in crate::store) use self::stage::Stage;
#[cfg(any(feature = "file", feature = "postgres"))]
pub(in crate::store) use self::state::State;
pub use self::store::MemoryStore;
