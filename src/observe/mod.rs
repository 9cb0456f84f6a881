//! Observation: the spans, events and metrics by which an operator sees the work of this crate.
//!
//! With the feature `tracing`, each piece of work has a span, and work that fails in the background has an
//! event. With the feature `metrics`, both are counted. Without these features, every call into
//! this module compiles to nothing.
//!
//! Nothing here takes a token, a secret, or a free text of a caller. Names are constants, and codes come from
//! closed sets. A caller chooses at most a well-formed key id, of 16 characters, and only spans have ids.

mod activity;
mod check;
#[cfg(feature = "cached")]
mod events;
mod gauges;
#[cfg(feature = "postgres")]
mod retries;
mod verdict;
mod work;

#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "no_meters.rs"]
mod meters;
#[cfg(not(feature = "tracing"))]
#[path = "no_spans.rs"]
mod spans;
#[cfg(feature = "tracing")]
mod spans;

pub(crate) use self::activity::{Activity, Ending};
pub(crate) use self::check::Check;
#[cfg(feature = "cached")]
pub(crate) use self::events::CacheEvent;
pub(crate) use self::gauges::{CacheGauges, Gauges, PoolGauges};
#[cfg(feature = "metrics")]
pub(crate) use self::meters::MOST_REASONS;
#[cfg(feature = "reports")]
pub(crate) use self::meters::count_report_refusal;
pub(crate) use self::meters::{Counts, count_leak_report};
#[cfg(feature = "postgres")]
pub(crate) use self::meters::{PoolWait, count_store_retry};
#[cfg(feature = "postgres")]
pub(crate) use self::retries::StoreRetry;
#[cfg(feature = "cached")]
pub(crate) use self::spans::tell;
pub(crate) use self::verdict::Verdict;
pub(crate) use self::work::Work;
