//! Retries of a change on fresh data, after another change was committed first.

use crate::record::operation::Outcome;
use crate::store::{Batch, KeyStore, StoreError};

/// The number of attempts of a change. Each lost attempt needs another writer of the same records,
/// so many in a row are rare.
pub(crate) const ATTEMPTS: u32 = 64;

/// The result of one attempt.
#[derive(Debug)]
#[must_use = "an attempt that was overtaken has changed nothing"]
pub(crate) enum Attempted<T> {
    /// The change is stored.
    Done(T),
    /// There was nothing to change.
    Unchanged(T),
    /// Another change was committed first and nothing was written: read again and decide again.
    Overtaken,
}

/// Writes a batch. Returns `value` if the batch was written.
pub(crate) async fn commit<T>(
    store: &dyn KeyStore,
    batch: Batch,
    value: T,
) -> Result<Attempted<T>, StoreError> {
    match store.commit(batch).await {
        Ok(()) => Ok(Attempted::Done(value)),
        Err(error) if error.is_conflict() => Ok(Attempted::Overtaken),
        Err(error) => Err(error),
    }
}

/// Repeats an attempt until one is done or fails. Returns `None` if [`ATTEMPTS`] of them were
/// overtaken.
pub(crate) async fn retry<T, E, A>(attempt: impl Fn() -> A) -> Result<Option<Outcome<T>>, E>
where
    A: Future<Output = Result<Attempted<T>, E>>,
{
    for _ in 0..ATTEMPTS {
        match attempt().await? {
            Attempted::Done(value) => return Ok(Some(Outcome::Done(value))),
            Attempted::Unchanged(value) => return Ok(Some(Outcome::Unchanged(value))),
            Attempted::Overtaken => {}
        }
    }
    Ok(None)
}
