//! The options for opening a store file.

use std::sync::Arc;

use super::generation::{Generations, Guard};

/// Options for opening a [`FileStore`](crate::store::FileStore).
///
/// By default, a file on Unix is refused if other users can access or replace it:
///
/// * The mode of the file must give no access to group and others.
/// * The folder of the file must not be writable for group or others, because they could replace
///   the file. A folder with the sticky bit (mode 1777, such as `/tmp`) is allowed, because other
///   users cannot replace a file in it. If the path is a symbolic link, the folder of the link is
///   checked too.
///
/// On other systems, the modes are not checked.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::FileOptions;
///
/// # let folder = std::env::temp_dir().join(format!("keywright-options-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// let store = FileOptions::new().open(folder.join("keys.db")).await?;
/// store.close().await?;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct FileOptions {
    pub(super) allow_shared: bool,
    pub(super) if_moved: IfMoved,
    pub(super) cache_keys: usize,
    pub(super) search_bytes: u64,
    pub(super) guard: Option<Guard>,
    pub(super) accept_older_copy: bool,
}

/// The number of keys that a store keeps in memory by default. At about 1 KB for each, they take
/// about 100 MB.
const CACHE_KEYS: usize = 100_000;

/// The memory for searches by default: 256 MiB, which fits about 1,500,000 keys.
const SEARCH_BYTES: u64 = 256 << 20;

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            allow_shared: false,
            if_moved: IfMoved::default(),
            cache_keys: CACHE_KEYS,
            search_bytes: SEARCH_BYTES,
            guard: None,
            accept_older_copy: false,
        }
    }
}

/// The way in which a file is opened whose keys were moved to another store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum IfMoved {
    #[default]
    Refuse,
    /// The file answers reads and refuses changes.
    Read,
    /// The file forgets that its keys were moved.
    Forget,
}

impl FileOptions {
    /// Creates the options that [`FileStore::open`](crate::store::FileStore::open) uses.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{FileOptions, KeyStore};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-new-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileOptions::new().open(folder.join("keys.db")).await?;
    /// assert_eq!(store.policies(&["globex".parse()?]).await?, [None]);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of keys that are kept in memory, at least 1; 100,000 by default.
    ///
    /// A key that is in memory is verified as fast as with
    /// [`MemoryStore`](crate::store::MemoryStore). Any other key is read from the file, and then
    /// kept in place of one that was not used lately. A key takes about 1 KB.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::FileOptions;
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-cache-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileOptions::new().cache_keys(1_000_000).open(folder.join("keys.db")).await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn cache_keys(mut self, keys: usize) -> Self {
        self.cache_keys = keys.max(1);
        self
    }

    /// Sets the memory that the store may use for searches and filters, in bytes; 256 MiB by default.
    ///
    /// Most lists come from an index in the file. A search, and a filter that few keys match, would
    /// read every key of the tenant. So the store keeps what searches look at in memory, about 150
    /// bytes per key, for the tenants that were searched last. The first search in a tenant builds
    /// it, which takes a few seconds per million keys. A tenant that needs more than this memory is
    /// read part by part with each search.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::FileOptions;
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-search-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let options = FileOptions::new().search_memory(1 << 30);
    /// let store = options.open(folder.join("keys.db")).await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn search_memory(mut self, bytes: u64) -> Self {
        self.search_bytes = bytes;
        self
    }

    /// Keeps the generation of the store in a place outside of the file, and refuses an older copy of
    /// the file.
    ///
    /// Without such a place, nothing tells an older copy from the store, and keys that were revoked
    /// after the copy work again. [`GenerationFile`](super::GenerationFile) is a place on another
    /// disk.
    ///
    /// The generation is recorded after each commit and before the change is acknowledged. If that
    /// fails, the caller gets an error, and the store takes no more changes until it is opened again.
    /// A store that has keys already, and whose place is empty, is refused once: open it with
    /// [`danger_accept_older_copy`](Self::danger_accept_older_copy) to begin.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{FileOptions, GenerationFile};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-guarded-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// # let other_disk = &folder;
    /// let place = GenerationFile::new(other_disk.join("keys.generation"));
    /// let store = FileOptions::new().generations(place).open(folder.join("keys.db")).await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn generations(mut self, place: impl Generations) -> Self {
        self.guard = Some(Guard(Arc::new(place)));
        self
    }

    /// Accepts a file although it is an older copy, or although no generation of it was recorded.
    ///
    /// The file continues with a greater generation than any that was recorded. Keys that were
    /// revoked after the copy was made are valid again, so follow [the steps for a restored
    /// backup](crate::guide::incidents#a-lost-or-damaged-database) before clients reach the service.
    /// Without [`generations`](Self::generations), this option has no effect.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{FileOptions, FileStore, GenerationFile};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-accept-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// # let other_disk = &folder;
    /// # let path = folder.join("keys.db");
    /// # let store = FileStore::open(&path).await?;
    /// # store.compact().await?;
    /// # store.close().await?;
    /// let place = GenerationFile::new(other_disk.join("keys.generation"));
    /// let options = FileOptions::new().generations(place);
    /// assert!(options.clone().open(&path).await.is_err(), "no generation was recorded");
    /// let store = options.danger_accept_older_copy().open(&path).await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn danger_accept_older_copy(mut self) -> Self {
        self.accept_older_copy = true;
        self
    }

    /// Allows files that other users can read or write, and files in folders that other users can
    /// write.
    ///
    /// A user who can write the file can make any key valid. Use this option only if file modes
    /// have no meaning, for example on a volume that shows every file with mode 0777.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::FileOptions;
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-shared-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let mounted_volume = folder.join("keys.db");
    /// let store = FileOptions::new().danger_allow_shared_files().open(mounted_volume).await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn danger_allow_shared_files(mut self) -> Self {
        self.allow_shared = true;
        self
    }

    /// Opens a file also if its keys were moved to PostgreSQL.
    ///
    /// The file then answers reads and refuses changes. It does not see changes in the database: a
    /// key that is revoked there is still accepted here. Use this option to finish a move that was
    /// interrupted in its last step; see [Moving
    /// stores](crate::guide::moving_stores#when-it-is-interrupted).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::{FileOptions, KeyStore};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-moved-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileOptions::new().danger_open_moved_file().open(folder.join("keys.db")).await?;
    /// assert_eq!(store.policies(&["globex".parse()?]).await?, [None]);
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn danger_open_moved_file(mut self) -> Self {
        self.if_moved = IfMoved::Read;
        self
    }

    /// Makes a file forget that its keys were moved to PostgreSQL.
    ///
    /// The file then takes changes again. Use this option only to go back to the file for good, after
    /// the database was lost or its tables were dropped. The changes that were made in the database
    /// are not in the file: keys that were revoked there are valid again.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use keywright::store::FileOptions;
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-back-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let store = FileOptions::new().danger_forget_move().open(folder.join("keys.db")).await?;
    /// # store.close().await?;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn danger_forget_move(mut self) -> Self {
        self.if_moved = IfMoved::Forget;
        self
    }
}
