//! Metadata: notes of the host on a key, which the crate stores and never interprets.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::redact::redact;
use crate::value::serde_strict::unique;

/// Key-value notes that the host keeps on an API key: at most 32 entries.
///
/// The key of an entry has 1 to 64 bytes of UTF-8, and its value up to 512. Neither has control
/// characters.
///
/// ```
/// use keywright::{Metadata, NewKey};
///
/// let metadata = Metadata::new([("ticket", "OPS-1234"), ("team", "billing")])?;
/// assert_eq!(metadata.get("team"), Some("billing"));
/// let new = NewKey::named("prod-main-app")?.metadata(metadata);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Metadata(
    /// The entries; `None` if there are none, which takes no memory.
    #[expect(
        clippy::box_collection,
        reason = "most keys have no metadata, and a box is 8 bytes and not 24"
    )]
    Option<Box<BTreeMap<String, String>>>,
);

/// Metadata that exceeds a limit.
///
/// The messages do not repeat a value, since it may be a secret.
///
/// ```
/// use keywright::{Metadata, MetadataError};
///
/// let metadata = Metadata::new([("note", "two\nlines")]);
/// assert_eq!(metadata, Err(MetadataError::Value("note".to_owned())));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// There are more than [`Metadata::MAX_ENTRIES`] entries. The field holds their number.
    #[error("metadata must have at most {max} entries, got {0}", max = Metadata::MAX_ENTRIES)]
    TooMany(usize),
    /// A key is empty, longer than [`Metadata::MAX_KEY`] bytes, or has a control character.
    #[error(
        "metadata key {0:?} must be 1 to {max} bytes without control characters",
        max = Metadata::MAX_KEY
    )]
    Key(String),
    /// A value is longer than [`Metadata::MAX_VALUE`] bytes or has a control character. The field
    /// holds the key of the entry.
    #[error(
        "metadata value of {0:?} must be at most {max} bytes without control characters",
        max = Metadata::MAX_VALUE
    )]
    Value(String),
}

impl Metadata {
    /// The maximum number of entries.
    pub const MAX_ENTRIES: usize = 32;
    /// The maximum length of the key of an entry, in bytes of UTF-8.
    pub const MAX_KEY: usize = 64;
    /// The maximum length of a value, in bytes of UTF-8.
    pub const MAX_VALUE: usize = 512;

    /// Creates metadata from entries of key and value.
    ///
    /// Of two entries with the same key, the later one is kept.
    ///
    /// ```
    /// use keywright::Metadata;
    ///
    /// let metadata = Metadata::new([("ticket", "OPS-1"), ("ticket", "OPS-2")])?;
    /// assert_eq!(metadata.get("ticket"), Some("OPS-2"));
    /// # Ok::<(), keywright::MetadataError>(())
    /// ```
    ///
    /// # Errors
    /// * [`MetadataError::Key`] or [`MetadataError::Value`] for the first entry that exceeds a
    ///   limit.
    /// * [`MetadataError::TooMany`] if there are more than [`Metadata::MAX_ENTRIES`] entries.
    pub fn new<K, V>(entries: impl IntoIterator<Item = (K, V)>) -> Result<Self, MetadataError>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let plain = |text: &str| !text.contains(char::is_control);
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let (key, value) = (key.into(), value.into());
            if key.is_empty() || key.len() > Self::MAX_KEY || !plain(&key) {
                return Err(MetadataError::Key(redact(&key)));
            }
            if value.len() > Self::MAX_VALUE || !plain(&value) {
                return Err(MetadataError::Value(redact(&key)));
            }
            map.insert(key, value);
        }
        if map.len() > Self::MAX_ENTRIES {
            return Err(MetadataError::TooMany(map.len()));
        }
        Ok(Self((!map.is_empty()).then(|| Box::new(map))))
    }

    /// Returns the value of the entry with this key, or `None` if there is none.
    ///
    /// ```
    /// use keywright::Metadata;
    ///
    /// let metadata = Metadata::new([("team", "billing")])?;
    /// assert_eq!(metadata.get("team"), Some("billing"));
    /// assert_eq!(metadata.get("ticket"), None);
    /// # Ok::<(), keywright::MetadataError>(())
    /// ```
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref()?.get(key).map(String::as_str)
    }

    /// Returns an iterator over the entries, ordered by key.
    ///
    /// ```
    /// use keywright::Metadata;
    ///
    /// let metadata = Metadata::new([("ticket", "OPS-1"), ("team", "billing")])?;
    /// let keys: Vec<_> = metadata.iter().map(|(key, _)| key).collect();
    /// assert_eq!(keys, ["team", "ticket"]);
    /// # Ok::<(), keywright::MetadataError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|map| map.iter()).map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns whether there are no entries.
    ///
    /// ```
    /// use keywright::Metadata;
    ///
    /// assert!(Metadata::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metadata(")?;
        f.debug_map().entries(self.iter()).finish()?;
        f.write_str(")")
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.as_ref().map_or(0, |map| map.len());
        let mut map = serializer.serialize_map(Some(entries))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = unique::<_, String, String>(deserializer)?;
        Self::new(entries).map_err(serde::de::Error::custom)
    }
}
