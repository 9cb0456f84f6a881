//! A store in one file: for a service of one process that keeps its keys.
//!
//! Reading comes from memory, writing goes through the file: a batch is planned against the state in memory,
//! written and synced, made visible, and then acknowledged. Blocking work runs on the threads of
//! the `blocking` crate, never on the caller's.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_lock::Mutex;
use async_trait::async_trait;
use blocking::unblock;

use super::database::Database;
use super::errors::guarded;
use super::open;
use super::options::FileOptions;
use super::reader::Reader;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Freshness;
use crate::record::policy::Policy;
use crate::record::usage::UsageBatch;
use crate::store::KeyStore;
use crate::store::batch::{Batch, Changes, Epoch};
use crate::store::error::StoreError;
use crate::store::memory::{Loaded, State};
use crate::store::plan::Effects;
use crate::store::query::{AccountQuery, EventQuery, KeyQuery, Page, StoredKey};
use crate::store::resolve::Resolve;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// Keeps everything in one file, a [redb](https://docs.rs/redb) database. Clones share the store.
///
/// * **One process.** A second one that opens the file gets an error that says so.
/// * **Durable.** What was acknowledged survives a power cut, from the first change on.
/// * **Private.** On Unix a new file has mode 0600. A file that others can read or write is refused,
///   and so is one in a folder where others can replace it; see [`FileOptions`].
/// * **In memory too.** All keys, accounts, policies and usage are held in memory, so a verify costs
///   what it costs with [`MemoryStore`](crate::store::MemoryStore). Events stay in the file.
/// * **Safe before available.** After a failed write nothing more is acknowledged until the store is
///   opened again; keys go on being verified as of the last change that was. Every record has a
///   checksum, and a damaged file is refused, never half read.
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
    state: State,
    /// `None` once the store is closed.
    database: RwLock<Option<Database>>,
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
            let database = inner.database.write().map_err(|_| panicked())?.take();
            guarded(|| {
                drop(database);
                Ok(())
            })
        })
        .await
    }

    fn assemble((database, loaded): (Database, Loaded)) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Inner {
            state: State::load(loaded)?,
            database: RwLock::new(Some(database)),
            readers: RwLock::default(),
            turn: Arc::default(),
            closed: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
        })))
    }

    /// What the store knows, until it is closed.
    pub(in crate::store) fn state(&self) -> Result<&State, StoreError> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        Ok(&self.0.state)
    }

    /// The same, of a store that is closed too.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn last_state(&self) -> &State {
        &self.0.state
    }

    /// Waits for the turn of a writer.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn turn(&self) -> impl Drop {
        self.0.turn.lock_arc().await
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
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = guarded(|| {
            drop(database);
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

    fn write_down(&self, epoch: Epoch, effects: &Effects) -> Result<(), StoreError> {
        let mut database = self.database.write().map_err(|_| panicked())?;
        let database = database.as_mut().ok_or_else(closed)?;
        // Set before and taken back after: whatever goes wrong in between poisons.
        self.poisoned.store(true, Ordering::Release);
        guarded(|| database.write(epoch, effects))?;
        self.poisoned.store(false, Ordering::Release);
        Ok(())
    }

    fn reader(&self) -> Result<Reader, StoreError> {
        let database = self.database.read().map_err(|_| panicked())?;
        Reader::of(database.as_ref().ok_or_else(closed)?)
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
        Resolve::ready(self.state().and_then(|state| state.resolve(key)))
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.state()?.key(tenant, key)
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.state()?.account(tenant, account)
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.state()?.policy(tenant)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.state()?.keys(tenant, query, at)
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.state()?.accounts(tenant, query)
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
            let (epoch, effects) = inner.state.plan(batch)?;
            inner.write_down(epoch, &effects)?;
            inner.state.apply(epoch, effects)?;
            Ok(epoch)
        })
        .await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        // A file that was moved may be closed before the last uses are flushed.
        #[cfg(feature = "postgres")]
        if let Some(successor) = self.0.state.stage.successor() {
            return successor.add_usage(batch).await;
        }
        let batch = batch.clone();
        self.write(move |inner| {
            if let Some((epoch, effects)) = inner.state.plan_usage(&batch)? {
                inner.write_down(epoch, &effects)?;
                inner.state.apply(epoch, effects)?;
            }
            Ok(())
        })
        .await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.state()?.changes(since)
    }
}

impl FileOptions {
    /// Opens the store at `path`, or makes one there if there is no file.
    ///
    /// Reads everything but events into memory and checks it.
    ///
    /// # Errors
    /// As [`FileStore::open`].
    pub async fn open(self, path: impl Into<PathBuf>) -> Result<FileStore, StoreError> {
        let path = path.into();
        let open = move || FileStore::assemble(guarded(|| open::open(&path, self.allow_shared))?);
        unblock(open).await
    }
}
