//! The options for opening a store file.

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
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct FileOptions {
    pub(super) allow_shared: bool,
    pub(super) if_moved: IfMoved,
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
