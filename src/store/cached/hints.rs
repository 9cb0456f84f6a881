//! Hints that something may have changed.

use std::future::pending;

use async_trait::async_trait;

/// Says that something may have changed, sooner than the refresh task would find out.
///
/// A hint may be wrong, late, lost or repeated: the bound on the age holds without any. `PostgresHints`
/// listens to the server.
#[async_trait]
pub trait ChangeHints: Send + 'static {
    /// Waits for the next hint. A source that has no more hints waits without end.
    ///
    /// # Cancel safety
    /// A call that is dropped has lost at most hints.
    async fn next(&mut self);
}

/// No hints.
pub(super) struct NoHints;

#[async_trait]
impl ChangeHints for NoHints {
    async fn next(&mut self) {
        pending::<()>().await;
    }
}
