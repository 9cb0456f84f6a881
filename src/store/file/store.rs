//! A durable store in one file, for a service of one process.
//!
//! Reads of all data except events come from memory. A write plans the batch against the state in
//! memory, writes and syncs the effects, applies them to the state, and is then acknowledged.
//! Blocking work runs on the threads of the `blocking` crate, never on the caller's thread.

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
use crate::record::key::Owner;
use crate::record::policy::TenantPolicy;
use crate::record::usage::UsageBatch;
use crate::record::user::User;
use crate::store::KeyStore;
use crate::store::batch::{Batch, Changes, Epoch};
use crate::store::error::StoreError;
use crate::store::memory::{Loaded, State};
use crate::store::plan::Effects;
use crate::store::query::{
    AccountQuery, EventQuery, KeyQuery, OwnedKeys, Page, StoredKey, TenantEntry, TenantQuery,
};
use crate::store::resolve::Resolve;
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// A durable store in one file, for a service of one process.
///
/// The file is a [redb](https://docs.rs/redb) database. Clones share the store.
///
/// * **One process.** A second process that opens the file gets an error.
/// * **Durable.** An acknowledged change survives a power cut, also the first change of a new file.
/// * **Private.** On Unix, a new file has mode 0600. A file that other users can access or replace
///   is refused; see [`FileOptions`].
/// * **Fast.** All keys, accounts, policies and usage are in memory too, so a verification costs
///   the same as with [`MemoryStore`](crate::store::MemoryStore). Only events are read from the
///   file.
/// * **Stops after a failed write.** The store then acknowledges no more changes until it is opened
///   again. Verification continues with the last acknowledged state.
/// * **Checked.** Every record has a checksum. A damaged file is refused and never read in part.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::FileStore;
/// use keywright::{Keywright, Policy};
///
/// # let folder = std::env::temp_dir().join(format!("keywright-file-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// let store = FileStore::open(folder.join("keys.db")).await?;
/// let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// // Serve requests, then flush the counted uses and close the file.
/// keywright.verifier().flush().await?;
/// store.close().await?;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// See [Choosing a store](crate::guide::stores) and [Incidents](crate::guide::incidents) in the
/// guide.
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    state: State,
    /// `None` once the store is closed.
    database: RwLock<Option<Database>>,
    /// Locked for reading while the file is read. Closing waits for readers, and writing does not.
    readers: RwLock<()>,
    /// The lock that makes writers take turns. A waiting writer blocks no thread.
    turn: Arc<Mutex<()>>,
    closed: AtomicBool,
    /// Whether a write failed. Its result in the file is unknown until the store is opened again.
    poisoned: AtomicBool,
}

impl FileStore {
    /// Opens the store at `path`, or creates it if there is no file.
    ///
    /// Opening checks the whole file, and reads all data except events into memory. The checksum of an
    /// event is checked when the event is read.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{FileStore, StoreErrorKind};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-open-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let path = folder.join("keys.db");
    /// let store = FileStore::open(&path).await?;
    ///
    /// // The file is open already.
    /// let error = FileStore::open(&path).await.unwrap_err();
    /// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`Unavailable`](crate::store::StoreErrorKind::Unavailable) if the file is open already, or
    ///   cannot be read, written or created.
    /// * [`Unsupported`](crate::store::StoreErrorKind::Unsupported) if the path is a folder, a
    ///   device or a pipe, or if the file belongs to another program, is empty, has a newer format,
    ///   can be accessed or replaced by other users, or has keys that were
    ///   [moved to PostgreSQL](crate::guide::moving_stores). The file is left unchanged.
    /// * [`Corrupt`](crate::store::StoreErrorKind::Corrupt) if the file is damaged.
    ///
    /// # Cancel safety
    /// If the future is dropped, opening may continue in the background. The file is closed
    /// afterwards.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        FileOptions::new().open(path).await
    }

    /// Opens the store on a storage backend instead of a file, to test its behavior under faults.
    ///
    /// It needs the feature `test-backend` and is only for tests. Unlike [`FileStore::open`], it
    /// takes no lock, checks no file mode, and does not check that the backend holds a keywright
    /// store before it opens it for writing.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::FileStore;
    ///
    /// let backend = redb::backends::InMemoryBackend::new();
    /// let store = FileStore::danger_open_backend(backend).await?;
    /// store.close().await?;
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`Unavailable`](crate::store::StoreErrorKind::Unavailable) if the backend fails.
    /// * [`Unsupported`](crate::store::StoreErrorKind::Unsupported) if it holds a database of
    ///   another program or a newer format.
    /// * [`Corrupt`](crate::store::StoreErrorKind::Corrupt) if its data is damaged.
    ///
    /// # Cancel safety
    /// If the future is dropped, opening may continue in the background. The backend is closed
    /// afterwards.
    #[cfg(feature = "test-backend")]
    pub async fn danger_open_backend(
        backend: impl redb::StorageBackend,
    ) -> Result<Self, StoreError> {
        unblock(move || Self::assemble(guarded(|| open::open_backend(backend))?)).await
    }

    /// Closes the store and all its clones.
    ///
    /// When this method returns, another process can open the file. Every later call fails with
    /// [`Unavailable`](crate::store::StoreErrorKind::Unavailable). Closing the store again has no
    /// effect.
    ///
    /// Flush the verifiers first, or the uses that they have counted are lost. Dropping the last
    /// clone also closes the store, on the thread that drops it.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::store::{FileStore, KeyStore};
    /// # let folder = std::env::temp_dir().join(format!("keywright-close-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileStore::open(folder.join("keys.db")).await?;
    /// store.close().await?;
    /// assert!(store.policies(&["globex".parse()?]).await.is_err());
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Corrupt`](crate::store::StoreErrorKind::Corrupt) if an earlier write panicked, or if the
    /// database panics while it closes.
    ///
    /// # Cancel safety
    /// If the future is dropped, the store is either closed or still open. Closing it again is
    /// safe.
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

    /// Returns the state in memory, or an error if the store is closed.
    pub(in crate::store) fn state(&self) -> Result<&State, StoreError> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        Ok(&self.0.state)
    }

    /// Returns the state in memory, even if the store is closed.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn last_state(&self) -> &State {
        &self.0.state
    }

    /// Waits until no other writer is active, and excludes writers until the result is dropped.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn turn(&self) -> impl Drop {
        self.0.turn.lock_arc().await
    }

    /// Returns the place to which the keys were moved, if the file records one.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn moved_to(&self) -> Option<String> {
        let database = self.0.database.read().ok()?;
        database.as_ref()?.moved_to().map(str::to_owned)
    }

    /// Records in the file the place to which the keys were moved, or forgets it. Returns when this
    /// is durable.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn set_moved_to(
        &self,
        place: Option<String>,
    ) -> Result<(), StoreError> {
        let turn = self.0.turn.lock_arc().await;
        let inner = Arc::clone(&self.0);
        unblock(move || {
            let _turn = turn;
            inner.set_moved_to(place.as_deref())
        })
        .await
    }

    /// Runs a write on a blocking thread when its turn comes. If the caller's future is dropped, a
    /// write that has begun is completed and keeps its turn until then.
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
    /// Closes the database. An error cannot be reported here, and a panic of redb must not reach
    /// the host's thread.
    fn drop(&mut self) {
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

impl Inner {
    /// Refuses a write if the store is closed or an earlier write failed. It comes before the batch
    /// is checked, so every batch gets the same error.
    fn must_be_writable(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("an earlier write failed: open the store again"));
        }
        let database = self.database.read().map_err(|_| panicked())?;
        match database.as_ref().and_then(Database::moved_to) {
            Some(place) => Err(StoreError::unavailable(open::moved("this file", place))),
            None => Ok(()),
        }
    }

    /// Records the place to which the keys were moved, or forgets it. After a failure, every later
    /// write is refused.
    #[cfg(feature = "postgres")]
    fn set_moved_to(&self, place: Option<&str>) -> Result<(), StoreError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("an earlier write failed: open the store again"));
        }
        let mut database = self.database.write().map_err(|_| panicked())?;
        let database = database.as_mut().ok_or_else(closed)?;
        self.poisoned.store(true, Ordering::Release);
        guarded(|| database.set_moved_to(place))?;
        self.poisoned.store(false, Ordering::Release);
        Ok(())
    }

    /// Writes effects to the file. After a failure, every later write is refused.
    fn write_down(&self, epoch: Epoch, effects: &Effects) -> Result<(), StoreError> {
        let mut database = self.database.write().map_err(|_| panicked())?;
        let database = database.as_mut().ok_or_else(closed)?;
        // Set before the write and cleared after it, so any failure in between refuses later
        // writes.
        self.poisoned.store(true, Ordering::Release);
        guarded(|| database.write(epoch, effects))?;
        self.poisoned.store(false, Ordering::Release);
        Ok(())
    }

    /// Starts a read of the events in the file.
    fn reader(&self) -> Result<Reader, StoreError> {
        let database = self.database.read().map_err(|_| panicked())?;
        Reader::of(database.as_ref().ok_or_else(closed)?)
    }
}

/// Returns the error of every call on a closed store.
fn closed() -> StoreError {
    StoreError::unavailable("the store is closed: open it again")
}

/// Returns the error of every call after a write that panicked.
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

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        self.state()?.user(tenant, user)
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<TenantPolicy>>, StoreError> {
        self.state()?.policies(tenants)
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.state()?.keys(tenant, query, at)
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        self.state()?.owned_keys(tenant, owners, most, at)
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.state()?.count_keys(tenant, query, at)
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

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.state()?.keys_of_all_tenants(query, at)
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        self.state()?.tenants(query, at)
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
        // After a transfer, the host may close this store before the last uses are flushed.
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
    /// Opens the store at `path` with these options, or creates it if there is no file.
    ///
    /// Opening checks the whole file, and reads all data except events into memory. The checksum of an
    /// event is checked when the event is read.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{FileOptions, StoreErrorKind};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-at-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileOptions::new().open(folder.join("keys.db")).await?;
    /// store.close().await?;
    ///
    /// // The file is created, but its folder is not.
    /// let path = folder.join("missing-folder").join("keys.db");
    /// let error = FileOptions::new().open(path).await.unwrap_err();
    /// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The errors of [`FileStore::open`]. With
    /// [`danger_allow_shared_files`](Self::danger_allow_shared_files), access by other users is not
    /// an error.
    ///
    /// # Cancel safety
    /// If the future is dropped, opening may continue in the background. The file is closed
    /// afterwards.
    pub async fn open(self, path: impl Into<PathBuf>) -> Result<FileStore, StoreError> {
        let path = path.into();
        let open = move || FileStore::assemble(guarded(|| open::open(&path, &self))?);
        unblock(open).await
    }
}
