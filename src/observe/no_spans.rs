//! The spans and events without the feature `tracing`: nothing.
#![expect(clippy::unused_self, reason = "the methods take what those of `spans` take")]

use super::activity::{Activity, Ending};
#[cfg(feature = "cached")]
use super::events::CacheEvent;
use super::verdict::Verdict;
use crate::value::id::{AccountId, KeyId, TenantId};

pub(super) struct CheckSpan;

impl CheckSpan {
    #[inline]
    pub(super) fn begin() -> Self {
        Self
    }

    #[inline]
    pub(super) fn within<T>(&self, part: impl FnOnce() -> T) -> T {
        part()
    }

    #[inline]
    pub(super) fn run<F: Future>(&self, part: F) -> F {
        part
    }

    #[inline]
    pub(super) fn ended<'a>(&self, _: impl FnOnce() -> Verdict<'a>) {}
}

#[derive(Clone)]
pub(super) struct WorkSpan;

impl WorkSpan {
    pub(super) fn begin(_: Activity, _: Option<&TenantId>) -> Self {
        Self
    }

    pub(super) fn run<F: Future>(&self, work: F) -> F {
        work
    }

    pub(super) fn is_about(&self, _: Option<&KeyId>, _: Option<&AccountId>) {}

    pub(super) fn overtaken(&self) {}

    pub(super) fn ended(&self, _: Ending<'_>) {}
}

#[cfg(feature = "cached")]
pub(crate) fn tell(_: &CacheEvent<'_>) {}
