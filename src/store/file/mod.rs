//! A store in one file: for a service of one process that keeps its keys.
//!
//! Reading comes from memory, writing goes through the file: a batch is decided against the image,
//! written and synced, made visible, and then acknowledged. Blocking work runs on the threads of
//! the `blocking` crate, never on the caller's.

mod dry_run;
mod errors;
mod header;
mod journal;
mod open;
mod options;
#[cfg(unix)]
mod private;
mod reader;
mod seal;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_lock::Mutex;
use async_trait::async_trait;
use blocking::unblock;

use self::errors::guarded;
use self::journal::Journal;
pub use self::options::FileOptions;
use self::reader::Reader;
#[cfg(feature = "postgres")]
use super::image::MoveStage;
use super::image::{Contents, Effects, Image};
#[cfg(feature = "postgres")]
use super::moving::{MoveSource, Tells};
use super::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, Page, Resolve,
    StoreError, StoredKey, UsageBatch,
};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::policy::Policy;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// Keeps everything in one file, a [redb](https://docs.rs/redb) database. Clones share the store.
///
/// * **One process.** A second one that opens the file gets an error that says so.
/// * **Durable.** What was acknowledged survives a power cut, from the first change on.
/// * **Private.** On Unix a new file has mode 0600. A file that others can read or write is refused,
///   and so is one in a folder where others can replace it; see [`FileOptions`].
/// * **In memory too.** All keys, accounts, policies and usage are held in memory, so a verify costs
///   what it costs with [`MemoryStore`](super::MemoryStore). Events stay in the file.
/// * **Safe before available.** After a failed write nothing more is acknowledged until the store is
///   opened again; keys go on being verified as of the last change that was. Every record is sealed
///   against damage, and a damaged file is refused, never half read.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::FileStore;
///
/// # let folder = std::env::temp_dir().join(format!("keywright-file-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// let store = FileStore::open(folder.join("keys.db")).await?;
/// store.close().await?;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    image: Image,
    /// `None` once the store is closed.
    journal: RwLock<Option<Journal>>,
    /// Held while the file is read, so that closing waits for readers and writing does not.
    readers: RwLock<()>,
    /// Writers wait here without a thread of their own.
    turn: Arc<Mutex<()>>,
    closed: AtomicBool,
    /// A write failed: what it left in the file is unknown until the store is opened again.
    poisoned: AtomicBool,
}

impl FileStore {
    /// Opens the store at `path`, or makes one there if there is no file.
    ///
    /// Reads everything but events into memory and checks it.
    ///
    /// # Errors
    /// A [`StoreError`] of the kind
    /// * `Unavailable` if the file is open in another process, or can't be read, written or made;
    /// * `Unsupported` if it is a folder, a device or a pipe, a file of another program (an empty one
    ///   too), of a newer format, or one that others can access; it is left as it is;
    /// * `Corrupt` if it is damaged.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        FileOptions::new().open(path).await
    }

    /// Opens the store on a storage backend in place of a file, to see it under faults. With the
    /// feature `test-backend`, for tests alone.
    ///
    /// Nothing that [`FileStore::open`] does to a file is done here: no lock, no mode, no check that
    /// it is a store of ours before it is opened for writing.
    ///
    /// # Errors
    /// As [`FileStore::open`], as far as they can occur.
    #[cfg(feature = "test-backend")]
    pub async fn danger_open_backend(
        backend: impl redb::StorageBackend,
    ) -> Result<Self, StoreError> {
        unblock(move || Self::assemble(guarded(|| open::open_backend(backend))?)).await
    }

    /// Closes the store, for all its clones: every later call fails as unavailable. When this
    /// returns another process can open the file.
    ///
    /// Flush the verifiers first. A store that is dropped closes too, on the thread that drops it.
    ///
    /// # Errors
    /// `Corrupt` if an earlier write panicked. Closing a store that is closed does nothing.
    pub async fn close(&self) -> Result<(), StoreError> {
        let turn = self.0.turn.lock_arc().await;
        let inner = Arc::clone(&self.0);
        unblock(move || {
            let _turn = turn;
            inner.closed.store(true, Ordering::SeqCst);
            let _no_readers = inner.readers.write().map_err(|_| panicked())?;
            let journal = inner.journal.write().map_err(|_| panicked())?.take();
            guarded(|| {
                drop(journal);
                Ok(())
            })
        })
        .await
    }

    fn assemble((journal, contents): (Journal, Contents)) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Inner {
            image: Image::load(contents)?,
            journal: RwLock::new(Some(journal)),
            readers: RwLock::default(),
            turn: Arc::default(),
            closed: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
        })))
    }

    fn image(&self) -> Result<&Image, StoreError> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        Ok(&self.0.image)
    }

    /// Runs a write on a blocking thread when its turn comes. If the caller goes away, a write that
    /// has begun is finished and keeps its turn until then.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = self.0.turn.lock_arc().await;
        let inner = Arc::clone(&self.0);
        unblock(move || {
            let _turn = turn;
            inner.must_be_writable()?;
            write(&inner)
        })
        .await
    }
}

impl Drop for Inner {
    /// What the database says when it closes after a panic of its own, nobody is there to hear: and on
    /// the host's thread it must not panic.
    fn drop(&mut self) {
        let journal = self.journal.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = guarded(|| {
            drop(journal);
            Ok(())
        });
    }
}

impl Inner {
    /// Looked at before a batch is: what is closed or poisoned gives one answer to all.
    fn must_be_writable(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("an earlier write failed: open the store again"));
        }
        Ok(())
    }

    fn write_down(&self, effects: &Effects) -> Result<(), StoreError> {
        let mut journal = self.journal.write().map_err(|_| panicked())?;
        let journal = journal.as_mut().ok_or_else(closed)?;
        // Set before and taken back after: whatever goes wrong in between poisons.
        self.poisoned.store(true, Ordering::Release);
        guarded(|| journal.write(effects))?;
        self.poisoned.store(false, Ordering::Release);
        Ok(())
    }

    fn reader(&self) -> Result<Reader, StoreError> {
        let journal = self.journal.read().map_err(|_| panicked())?;
        Reader::of(journal.as_ref().ok_or_else(closed)?)
    }
}

fn closed() -> StoreError {
    StoreError::unavailable("the store is closed")
}

fn panicked() -> StoreError {
    StoreError::corrupt("an earlier write of this store panicked: open it again")
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileStore")
    }
}

#[async_trait]
impl KeyStore for FileStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        Resolve::ready(self.image().and_then(|image| image.resolve(key)))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.image()?.key(tenant, key)
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.image()?.account(tenant, account)
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.image()?.policy(tenant)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.image()?.keys(tenant, query, at)
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.image()?.accounts(tenant, query)
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let inner = Arc::clone(&self.0);
        let (tenant, query) = (tenant.clone(), query.clone());
        unblock(move || {
            let _reading = inner.readers.read().map_err(|_| panicked())?;
            guarded(|| inner.reader()?.events(&tenant, &query))
        })
        .await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.write(|inner| {
            let effects = inner.image.plan(batch)?;
            inner.write_down(&effects)?;
            inner.image.apply(effects)
        })
        .await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        // A file that was moved may be closed before the last uses are flushed.
        #[cfg(feature = "postgres")]
        if let Some(successor) = self.0.image.successor() {
            return successor.add_usage(batch).await;
        }
        let batch = batch.clone();
        self.write(move |inner| {
            if let Some(effects) = inner.image.plan_usage(&batch)? {
                inner.write_down(&effects)?;
                inner.image.apply(effects)?;
            }
            Ok(())
        })
        .await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.image()?.changes(since)
    }
}

#[cfg(feature = "postgres")]
impl From<FileStore> for MoveSource {
    fn from(store: FileStore) -> Self {
        Self(Arc::new(store))
    }
}

#[cfg(feature = "postgres")]
#[async_trait]
impl Tells for FileStore {
    fn image(&self) -> Result<&Image, StoreError> {
        Self::image(self)
    }

    async fn stand_still(&self) -> Result<MoveStage, StoreError> {
        let _turn = self.0.turn.lock().await;
        self.image()?.stand_still()
    }

    fn set_move(&self, stage: MoveStage) {
        self.0.image.set_move(stage);
    }
}
