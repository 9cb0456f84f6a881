//! How a store file is opened.

/// How a store file is opened: by default only if no other user can touch it.
///
/// On Unix a file is refused if its mode gives group or others any access, and so is a file in a
/// folder that group or others can write, since they could replace it. In a folder with the sticky bit
/// (mode 1777, as `/tmp`) they can't. For a symbolic link its own folder counts too. Other systems have
/// no such check.
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
}

impl FileOptions {
    /// Returns the options that [`FileStore::open`](crate::store::FileStore::open) uses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens files that other users can read or write, and files in folders that others can write.
    ///
    /// Whoever can write the file can make any key valid. Use this only where modes say nothing, as on
    /// a volume that shows every file with mode 0777.
    pub fn danger_allow_shared_files(mut self) -> Self {
        self.allow_shared = true;
        self
    }
}
