//! The generation of a store file, kept in another place, so that an older copy is recognized.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::errors::io_error;
use super::open::sync_folder;
use crate::store::error::StoreError;

/// A place outside of the store file that keeps the file's generation.
///
/// The generation of a store file is the number of its commits. A commit holds one change or several, or
/// counted uses. A file that is put in the place of the
/// store, such as an older copy of it, has a smaller generation than the one that this place keeps.
/// [`FileOptions::generations`](super::FileOptions::generations) refuses such a file.
///
/// [`GenerationFile`] is a place on another disk. Implement the trait for any other place, such as a
/// database. A person who can write to the place can make an older copy pass. Choose a place that is not
/// writable for everyone who can replace the store file.
///
/// ```
/// use std::io;
/// use std::sync::{Arc, Mutex};
/// use keywright::store::{FileOptions, Generations};
///
/// /// A place that lasts as long as the process.
/// #[derive(Clone, Default)]
/// struct InProcess(Arc<Mutex<Option<u64>>>);
///
/// impl Generations for InProcess {
///     fn newest(&self) -> io::Result<Option<u64>> {
///         Ok(*self.0.lock().map_err(|_| io::ErrorKind::Other)?)
///     }
///     fn record(&self, generation: u64) -> io::Result<()> {
///         *self.0.lock().map_err(|_| io::ErrorKind::Other)? = Some(generation);
///         Ok(())
///     }
/// }
///
/// # futures_lite::future::block_on(async {
/// # let folder = std::env::temp_dir().join(format!("keywright-generations-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// let place = InProcess::default();
/// let store = FileOptions::new().generations(place.clone()).open(folder.join("keys.db")).await?;
/// assert_eq!(place.newest()?, Some(0));
/// store.compact().await?; // a commit, as every change is
/// assert!(place.newest()? > Some(0));
/// # store.close().await?;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub trait Generations: Send + Sync + 'static {
    /// Returns the newest generation that was recorded; `None` if none was.
    ///
    /// # Errors
    /// The error of the place. The store is then not opened.
    fn newest(&self) -> io::Result<Option<u64>>;

    /// Records a generation durably.
    ///
    /// The store calls it after each commit and before the change is acknowledged. Each number is
    /// greater than the one before.
    ///
    /// # Errors
    /// The error of the place. The change is in the file, but its caller gets an error, and the
    /// store takes no more changes until it is opened again.
    fn record(&self, generation: u64) -> io::Result<()>;
}

/// A small file, on another disk than the store, that keeps the store's generation.
///
/// Each store needs a file of its own. The file has two places that are written in turn, so that a
/// power cut leaves the number before.
///
/// ```
/// # futures_lite::future::block_on(async {
/// use keywright::store::{FileOptions, GenerationFile, StoreErrorKind};
///
/// # let folder = std::env::temp_dir().join(format!("keywright-older-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let other_disk = &folder;
/// let path = folder.join("keys.db");
/// let options = FileOptions::new().generations(GenerationFile::new(other_disk.join("keys.generation")));
/// let store = options.clone().open(&path).await?;
/// store.close().await?;
/// let backup = std::fs::read(&path)?;
///
/// let store = options.clone().open(&path).await?;
/// store.compact().await?; // a commit, as every change is
/// store.close().await?;
///
/// // The older copy is put back, and refused.
/// std::fs::write(&path, backup)?;
/// let error = options.open(&path).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unsupported);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct GenerationFile(PathBuf);

impl GenerationFile {
    /// Creates a place at a path.
    ///
    /// The file is created with the first generation. Its folder must exist.
    ///
    /// ```
    /// use keywright::store::{GenerationFile, Generations};
    ///
    /// # let folder = std::env::temp_dir().join(format!("keywright-number-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// let file = GenerationFile::new(folder.join("keys.generation"));
    /// assert_eq!(file.newest()?, None);
    /// file.record(7)?;
    /// assert_eq!(file.newest()?, Some(7));
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

/// The distance of the two places in the file, in bytes. A disk writes a sector whole or not at all.
const SECTOR: u64 = 4_096;
/// The length of a line: the words, 20 digits, a checksum of 8 digits, and the spaces between.
const LINE: usize = WORDS.len() + 1 + 20 + 1 + 8 + 1;
const WORDS: &str = "keywright generation";

impl Generations for GenerationFile {
    fn newest(&self) -> io::Result<Option<u64>> {
        let mut file = match File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut newest = None;
        for place in [0, SECTOR] {
            let mut line = Vec::with_capacity(LINE);
            file.seek(SeekFrom::Start(place))?;
            (&mut file).take(LINE as u64).read_to_end(&mut line)?;
            newest = newest.max(parsed(&line));
        }
        let damaged = || {
            let message = "the generation file is damaged: remove it, and open the store once with \
                           FileOptions::danger_accept_older_copy";
            io::Error::new(ErrorKind::InvalidData, message)
        };
        newest.map(Some).ok_or_else(damaged)
    }

    fn record(&self, generation: u64) -> io::Result<()> {
        let is_new = !self.0.try_exists()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0)?;
        file.seek(SeekFrom::Start(generation % 2 * SECTOR))?;
        file.write_all(line(generation).as_bytes())?;
        file.sync_all()?;
        if is_new {
            sync_folder(&self.0)?;
        }
        Ok(())
    }
}

fn line(generation: u64) -> String {
    let text = format!("{WORDS} {generation:020}");
    format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
}

/// Returns the generation of a line; `None` if it is not one that `line` returns.
fn parsed(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let number = text.strip_prefix(WORDS)?.get(1..21)?.parse().ok()?;
    (line(number) == text).then_some(number)
}

/// The generations of an open store.
#[derive(Clone)]
pub(super) struct Guard(pub(super) Arc<dyn Generations>);

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// Returns the newest generation that was recorded; `None` if none was.
    pub(super) fn newest(&self) -> Result<Option<u64>, StoreError> {
        self.0.newest().map_err(|error| {
            io_error("the generation of the store can't be read from its other place", error)
        })
    }

    /// Refuses a file that is older than the newest generation.
    pub(super) fn check(&self, path: &Path, found: u64) -> Result<(), StoreError> {
        let path = path.display();
        let trouble = match self.newest()? {
            Some(newest) if newest > found => format!(
                "{path} is an older copy: it has generation {found}, and {newest} was recorded; \
                 restore the newest copy"
            ),
            // A store without a commit is new and empty.
            None if found > 0 => {
                format!("no generation of {path} was recorded, so it can be an older copy")
            }
            _ => return Ok(()),
        };
        Err(StoreError::unsupported(format!(
            "{trouble}, or accept it with FileOptions::danger_accept_older_copy"
        )))
    }

    pub(super) fn record(&self, generation: u64) -> Result<(), StoreError> {
        self.0.record(generation).map_err(|error| {
            io_error(
                "the change is in the store file, but its generation can't be recorded in its other place",
                error,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_line_has_no_number() {
        let line = line(u64::MAX);
        assert_eq!((line.len(), parsed(line.as_bytes())), (LINE, Some(u64::MAX)));
        for bit in 0..LINE * 8 {
            let mut flipped = line.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parsed(&flipped), None, "bit {bit}");
        }
        for len in 0..LINE {
            assert_eq!(parsed(&line.as_bytes()[..len]), None, "{len} bytes");
        }
    }
}
