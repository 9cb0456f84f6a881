//! A durable store in one file, for a service of one process.
//!
//! The file is the database. Keys that were used lately are in memory too, and so are the policies and
//! owners that were read lately; all other reads come from the file. Blocking work runs on the threads
//! of the `blocking` crate, never on the caller's thread.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use blocking::unblock;

use super::access::{Access, Reading};
use super::core::{Core, Job, panicked};
use super::database::Database;
use super::errors::guarded;
#[cfg(feature = "postgres")]
use super::export;
use super::lists;
use super::open;
use super::options::FileOptions;
use super::slot::slot;
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::freshness::Freshness;
use crate::record::key::Owner;
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::UsageBatch;
use crate::record::user::User;
use crate::store::KeyStore;
use crate::store::batch::Batch;
use crate::store::changes::{Changes, Marker};
use crate::store::error::StoreError;
#[cfg(feature = "postgres")]
use crate::store::memory::{Journal, Stage, StageCell, Touched};
use crate::store::query::{
    AccountQuery, EventQuery, KeyQuery, OwnedKeys, Page, StoredKey, TenantEntry, TenantQuery,
};
use crate::store::resolve::{Look, Resolve};
#[cfg(feature = "postgres")]
use crate::store::transfer::{Export, ExportedKey};
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
/// * **Fast.** Keys that were used lately are in memory too, so their verification costs the same as
///   with [`MemoryStore`](crate::store::MemoryStore). Other keys are read from the file; see
///   [`FileOptions::cache_keys`]. Opening takes the same time for any number of keys.
/// * **Shared commits.** Writers that wait at the same time share one sync of the disk.
/// * **Lists from an index.** A page in any order comes from an index in the file. The first search in
///   a tenant reads the facts of its keys into memory, which takes a few seconds per million keys; see
///   [`FileOptions::search_memory`].
/// * **Stops after a failed write.** The store then acknowledges no more changes until it is opened
///   again. Verification continues with the last acknowledged state.
/// * **Checked.** Every record has a checksum and a second witness in the file, which are compared
///   whenever it is read. Damage is an error of the call that finds it, and never brings a revoked
///   key back.
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
pub struct FileStore(Arc<Handle>);

/// Closes the store when the last clone is dropped. The thread that leads may keep the core a moment
/// longer.
struct Handle(Arc<Core>);

impl Deref for Handle {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0
    }
}

impl FileStore {
    /// Opens the store at `path`, or creates it if there is no file.
    ///
    /// Opening checks the format, the state record, and that each table has as many rows as the last
    /// commit counted. It takes the same time for any number of keys. A record is checked when it is
    /// read; see [`FileStore::check`] for a check of everything.
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
        unblock(move || {
            let database = guarded(|| open::open_backend(backend))?;
            Ok(Self::of(database, &FileOptions::new()))
        })
        .await
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
        self.alone(|core| {
            core.is_closed.store(true, Ordering::SeqCst);
            let database = core.database.write().map_err(|_| panicked())?.take();
            guarded(|| {
                drop(database);
                Ok(())
            })
        })
        .await
    }

    /// Reads the whole file, and checks every record, the index and all numbers.
    ///
    /// Each record is checked whenever it is read, so a check is not needed for a correct answer. It
    /// finds damage in records that are seldom read, and in the lists. Reads and writes go on
    /// meanwhile. A check takes some seconds for a million keys.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::store::FileStore;
    /// # let folder = std::env::temp_dir().join(format!("keywright-check-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileStore::open(folder.join("keys.db")).await?;
    /// store.check().await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// * [`Corrupt`](crate::store::StoreErrorKind::Corrupt) if the file is damaged. Restore it from
    ///   a backup.
    /// * [`Unavailable`](crate::store::StoreErrorKind::Unavailable) if the file cannot be read, or
    ///   the store is closed.
    ///
    /// # Cancel safety
    /// If the future is dropped, the check continues in the background.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.read(Reading::check).await
    }

    /// Moves the data to the front of the file, and gives the free rest of it back to the system.
    ///
    /// Space that is freed is used again, so the file stays as large as it ever had to be. Compact it
    /// after many keys or events were removed. All other calls wait meanwhile, except verifications of
    /// keys in memory. It takes some seconds for a million keys.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::store::FileStore;
    /// # let folder = std::env::temp_dir().join(format!("keywright-compact-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileStore::open(folder.join("keys.db")).await?;
    /// store.compact().await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Unavailable`](crate::store::StoreErrorKind::Unavailable) if the file cannot be written, or
    /// the store is closed. After a failed write, the store takes no more changes until it is opened
    /// again. No data is lost.
    ///
    /// # Cancel safety
    /// If the future is dropped, the compaction continues in the background.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.alone(Core::compact).await
    }

    fn of(database: Database, options: &FileOptions) -> Self {
        Self(Arc::new(Handle(Arc::new(Core::new(database, options)))))
    }

    /// Returns the stage in a transfer, also if the store is closed.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn stage(&self) -> &StageCell {
        &self.0.stage
    }

    /// Pauses changes until another stage is set. Returns the stage before.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn pause(&self) -> Result<Stage, StoreError> {
        self.alone(|core| {
            core.must_be_open()?;
            core.stage.pause()
        })
        .await
    }

    /// Begins a journal, which notes the rows that every later change touches.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn begin_journal(&self) -> Result<Journal, StoreError> {
        self.0.must_be_open()?;
        Ok(self.0.begin_journal())
    }

    /// Lists all data at one moment.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn export(&self) -> Result<Export, StoreError> {
        self.read(export::export).await
    }

    /// Takes the rows of the journal into `touched`, and lists these rows, all at one moment.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn export_touched(
        &self,
        journal: &Journal,
        touched: &mut Touched,
    ) -> Result<Export, StoreError> {
        // No commit is between its end in the file and its note in the journal.
        let (core, journal) = (Arc::clone(&self.0), journal.clone());
        let (reading, later) = self
            .alone(move |_| {
                core.with_database(|database| Ok((database.begin_read()?, journal.take())))
            })
            .await?;
        touched.absorb(later);
        let rows = touched.clone();
        self.run(move |core| {
            core.with_database(|_| export::export_touched(&Reading::of(reading), &rows))
        })
        .await
    }

    /// Returns keys with their usage as they are now, in the order of the ids.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn exported_keys(
        &self,
        ids: &[KeyId],
    ) -> Result<Vec<Option<ExportedKey>>, StoreError> {
        let ids = ids.to_vec();
        self.read(move |tables| export::exported_keys(tables, &ids)).await
    }

    /// Returns the place to which the keys were moved, if the file records one.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn moved_to(&self) -> Option<String> {
        let database = self.0.database.read().ok()?;
        database.as_ref()?.last().moved_to.clone()
    }

    /// Records in the file the place to which the keys were moved, or forgets it. Returns when this
    /// is durable.
    #[cfg(feature = "postgres")]
    pub(in crate::store) async fn set_moved_to(
        &self,
        place: Option<String>,
    ) -> Result<(), StoreError> {
        self.alone(move |core| {
            core.must_be_sound()?;
            core.write(|database| database.set_moved_to(place.as_deref()))
        })
        .await
    }

    /// Returns the record of an owner, from memory or from the file.
    async fn owner(
        &self,
        tenant: &TenantId,
        owner: Owner,
    ) -> Result<Option<OwnerRecord>, StoreError> {
        self.0.must_be_open()?;
        if let Some(record) = self.0.cache.owner(tenant, &owner) {
            return Ok(record);
        }
        let tenant = tenant.clone();
        self.run(move |core| core.read_owner(&tenant, &owner)).await
    }

    /// Excludes writers while the work runs.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (slot, answer) = slot();
        self.push(Job::Alone(Box::new(move |core| slot.answer(work(core)))));
        answer.await
    }

    /// Adds a job to the queue. If nothing leads the queue, a blocking thread begins to.
    fn push(&self, job: Job) {
        if self.0.queue.push(job) {
            let core = Arc::clone(&self.0.0);
            unblock(move || core.queue.lead(Job::together, |jobs| core.run(jobs))).detach();
        }
    }

    /// Reads the file on a blocking thread, as of one moment.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |core| core.read(work)).await
    }

    /// Runs work that reads the file several times, on a blocking thread.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.must_be_open()?;
        let core = Arc::clone(&self.0.0);
        unblock(move || work(&core)).await
    }
}

impl Drop for Handle {
    /// Closes the database. An error cannot be reported here, and a panic of redb must not reach
    /// the host's thread.
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
        let database = self.0.database.write().unwrap_or_else(PoisonError::into_inner).take();
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileStore")
    }
}

#[async_trait]
impl KeyStore for FileStore {
    fn resolve<'a>(&'a self, key: &KeyId, _: Freshness) -> Resolve<'a> {
        if let Err(error) = self.0.must_be_open() {
            return Resolve::ready(Err(error));
        }
        if let Some(snapshot) = self.0.cache.get(key) {
            return Resolve::ready(Ok(Some(snapshot.into())));
        }
        let (core, key) = (Arc::clone(&self.0.0), *key);
        Resolve::boxed(unblock(move || core.read_key(&key)))
    }

    fn peek(&self, key: &KeyId, _: Freshness, look: &mut Look<'_>) -> bool {
        self.0.must_be_open().is_ok() && self.0.cache.peek(key, look)
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let (tenant, key) = (tenant.clone(), *key);
        self.read(move |tables| {
            let record = tables.key(&key)?.filter(|record| record.key().tenant == tenant);
            record.map(|record| tables.stored_key(record)).transpose()
        })
        .await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        Ok(match self.owner(tenant, Owner::Account(*account)).await? {
            Some(OwnerRecord::Account(account)) => Some(ServiceAccount::clone(&account)),
            Some(OwnerRecord::User(_)) | None => None,
        })
    }

    async fn user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<User>, StoreError> {
        Ok(match self.owner(tenant, Owner::User(user.clone())).await? {
            Some(OwnerRecord::User(user)) => Some(User::clone(&user)),
            Some(OwnerRecord::Account(_)) | None => None,
        })
    }

    async fn policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        self.0.must_be_open()?;
        if let Some(policies) = self.0.cache.policies(tenants) {
            return Ok(policies);
        }
        let tenants = tenants.to_vec();
        self.run(move |core| core.read_policies(&tenants)).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.run(move |core| core.keys(&tenant, &query, at)).await
    }

    async fn owned_keys(
        &self,
        tenant: &TenantId,
        owners: &[Owner],
        most: u16,
        at: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let (tenant, owners) = (tenant.clone(), owners.to_vec());
        self.run(move |core| core.owned_keys(&tenant, &owners, most, at)).await
    }

    async fn count_keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.run(move |core| core.count_keys(&tenant, &query, at)).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read(move |tables| lists::accounts(tables, &tenant, &query)).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read(move |tables| lists::events(tables, &tenant, &query)).await
    }

    async fn keys_of_all_tenants(
        &self,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        let query = query.clone();
        self.run(move |core| core.keys_of_all_tenants(&query, at)).await
    }

    async fn tenants(
        &self,
        query: &TenantQuery,
        at: Timestamp,
    ) -> Result<Page<TenantEntry>, StoreError> {
        let query = query.clone();
        self.read(move |tables| lists::tenants(tables, &query, at)).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (slot, answer) = slot();
        self.push(Job::Commit(batch, slot));
        answer.await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        // After a transfer, the host may close this store before the last uses are flushed.
        #[cfg(feature = "postgres")]
        if let Some(successor) = self.0.stage.successor() {
            return successor.add_usage(batch).await;
        }
        let (slot, answer) = slot();
        self.push(Job::Usage(batch.clone(), slot));
        answer.await
    }

    async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        self.0.must_be_open()?;
        Ok(self.0.changes(since))
    }
}

impl FileOptions {
    /// Opens the store at `path` with these options, or creates it if there is no file.
    ///
    /// Opening checks the format, the state record, and that each table has as many rows as the last
    /// commit counted. It takes the same time for any number of keys. A record is checked when it is
    /// read; see [`FileStore::check`] for a check of everything.
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
        unblock(move || {
            let database = guarded(|| open::open(&path, &self))?;
            Ok(FileStore::of(database, &self))
        })
        .await
    }
}
