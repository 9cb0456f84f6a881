//! The changes of a store, for caches: the subjects that commits have touched, and a marker of the commits.

use std::fmt;
use std::sync::Arc;

use super::batch::Subject;

/// A set of commits that a cache knows.
///
/// Only the store that made the marker can read it. [`Marker::default`] stands for no commit. A cache keeps the marker of the last answer of
/// [`KeyStore::changes`](super::KeyStore::changes) and passes it to the next call. Two markers have no
/// order, because commits of different tenants have none.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::{KeyStore, Marker, MemoryStore};
///
/// let store = MemoryStore::new();
/// let begin = store.changes(&Marker::default()).await?;
/// let later = store.changes(&begin.at).await?;
/// assert_eq!(later.touched, Some(vec![])); // nothing has happened in between
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Marker(Arc<[u8]>);

impl Marker {
    /// Creates a marker from bytes of the store's own choice.
    ///
    /// An empty marker stands for no commit, as [`Marker::default`] does.
    ///
    /// ```
    /// use keywright::store::Marker;
    ///
    /// let marker = Marker::new(7_u64.to_be_bytes()); // the store counts its commits
    /// assert_eq!(marker.as_bytes(), [0, 0, 0, 0, 0, 0, 0, 7]);
    /// ```
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(bytes.as_ref().into())
    }

    /// Returns the bytes that the store chose.
    ///
    /// A store must expect the marker of another store, because a host may replace the store below a
    /// cache. It then answers with `None` in [`Changes::touched`].
    ///
    /// ```
    /// use keywright::store::Marker;
    ///
    /// assert!(Marker::default().as_bytes().is_empty());
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Shows the bytes as hexadecimal digits.
impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Marker(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The subjects that commits have touched since a marker, for caches.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::{Batch, Change, KeyStore, Marker, MemoryStore, Subject};
/// # use keywright::{TenantId, store::TenantPolicy};
///
/// # let store = MemoryStore::new();
/// # let globex = TenantId::new("globex")?;
/// # let policy = TenantPolicy { version: 1, ..TenantPolicy::default() };
/// let changes = vec![Change::PutPolicy { tenant: globex.clone(), policy }];
/// store.commit(Batch { changes, ..Batch::of(globex.clone()) }).await?;
///
/// let told = store.changes(&Marker::default()).await?;
/// assert_eq!(told.touched, Some(vec![Subject::Policy(globex)]));
/// assert_eq!(store.changes(&told.at).await?.touched, Some(vec![]));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Changes {
    /// The commits that the cache knows after this answer. Every commit that was acknowledged before
    /// the call is among them.
    pub at: Marker,
    /// The subjects that the commits in [`at`](Self::at) have touched, except for the commits in the
    /// marker of the question. They come in any order, and a subject may occur more than once. `None`
    /// if the store does not have them all: a cache then drops all its entries.
    pub touched: Option<Vec<Subject>>,
    /// Whether the store knows that it has lost commits of the marker, for example because it was
    /// restored from a backup. A cache then drops all its entries, and ignores
    /// [`touched`](Self::touched).
    pub has_lost: bool,
}
