//! Trying a change again on fresh data after another change was faster.

use crate::store::{Batch, KeyStore, StoreError};

/// How often a change is tried. More than a few conflicts in a row need as many writers of one record.
pub(crate) const ATTEMPTS: u32 = 64;

/// What one attempt came to.
#[derive(Debug)]
#[must_use = "an attempt that was overtaken has changed nothing"]
pub(crate) enum Attempted<T> {
    /// The change is stored, or nothing was to be changed.
    Done(T),
    /// Another change was faster and nothing was written: read again and decide again.
    Overtaken,
}

/// Writes a batch. `value` is what the change comes to if it is written.
pub(crate) async fn commit<T>(
    store: &dyn KeyStore,
    batch: Batch,
    value: T,
) -> Result<Attempted<T>, StoreError> {
    match store.commit(batch).await {
        Ok(_) => Ok(Attempted::Done(value)),
        Err(error) if error.is_conflict() => Ok(Attempted::Overtaken),
        Err(error) => Err(error),
    }
}

/// Makes attempts until one is done or fails. Returns `None` if [`ATTEMPTS`] were overtaken.
pub(crate) async fn retry<T, E, A>(attempt: impl Fn() -> A) -> Result<Option<T>, E>
where
    A: Future<Output = Result<Attempted<T>, E>>,
{
    for _ in 0..ATTEMPTS {
        if let Attempted::Done(value) = attempt().await? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
