//! A check of a credential, from its begin to its verdict.

use super::meters::Counts;
use super::spans::CheckSpan;
use super::verdict::Verdict;

/// A check that is observed.
///
/// This is on the path of every request: without the features it is empty, and no call does anything.
pub(crate) struct Check(CheckSpan);

impl Check {
    #[inline]
    pub(crate) fn begin() -> Self {
        Self(CheckSpan::begin())
    }

    /// Runs the part of a check that does not wait.
    #[inline]
    pub(crate) fn within<T>(&self, part: impl FnOnce() -> T) -> T {
        self.0.within(part)
    }

    /// Runs the part of a check that asks the store.
    #[inline]
    pub(crate) fn run<F: Future>(&self, part: F) -> impl Future<Output = F::Output> + use<F> {
        self.0.run(part)
    }

    #[inline]
    pub(crate) fn ended<'a>(&self, counts: &Counts, verdict: impl Fn() -> Verdict<'a>) {
        counts.count(&verdict);
        self.0.ended(verdict);
    }
}
