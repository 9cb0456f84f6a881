//! Observation: the spans and events by which an operator sees the work of this crate.
//!
//! With the feature `tracing`, each piece of work has a span, and work that fails in the background has an
//! event. Without the feature, every call into this module compiles to nothing.
//!
//! Nothing here takes a token, a secret, or a free text of a caller. Names are constants, and codes come from
//! closed sets. A caller chooses at most a well-formed key id, of 16 characters, and only spans have ids.

mod activity;
mod check;
#[cfg(feature = "cached")]
mod events;
mod verdict;
mod work;

#[cfg(not(feature = "tracing"))]
#[path = "no_spans.rs"]
mod spans;
#[cfg(feature = "tracing")]
mod spans;

pub(crate) use self::activity::{Activity, Ending};
pub(crate) use self::check::Check;
#[cfg(feature = "cached")]
pub(crate) use self::events::CacheEvent;
#[cfg(feature = "cached")]
pub(crate) use self::spans::tell;
pub(crate) use self::verdict::Verdict;
pub(crate) use self::work::Work;
