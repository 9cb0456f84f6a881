//! The metrics without the feature `metrics`: nothing.
#![expect(clippy::unused_self, reason = "the methods take what those of `meters` take")]

use super::activity::{Activity, Ending};
use super::gauges::Gauges;
#[cfg(feature = "postgres")]
use super::retries::StoreRetry;
use super::verdict::Verdict;

#[derive(Clone)]
pub(crate) struct Counts;

impl Counts {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn count<'a>(&self, _: impl FnOnce() -> Verdict<'a>) {}

    pub(crate) fn publish(&self, _: &[&'static str], _: impl FnOnce() -> Gauges) {}
}

#[derive(Clone, Copy)]
pub(super) struct WorkMeter;

impl WorkMeter {
    pub(super) fn begin(_: Activity) -> Self {
        Self
    }

    pub(super) fn overtaken(self) {}

    pub(super) fn ended(self, _: Ending<'_>) {}
}

pub(crate) fn count_leak_report(_: &'static str) {}

#[cfg(feature = "reports")]
pub(crate) fn count_report_refusal(_: &'static str) {}

#[cfg(feature = "postgres")]
pub(crate) fn count_store_retry(_: StoreRetry) {}

#[cfg(feature = "postgres")]
pub(crate) struct PoolWait;

#[cfg(feature = "postgres")]
impl PoolWait {
    pub(crate) fn begin() -> Self {
        Self
    }

    pub(crate) fn ended(self) {}
}
