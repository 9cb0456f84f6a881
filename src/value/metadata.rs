//! What the host notes on a key: a small map of texts that the crate stores and never reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::value::redact::redact;
use crate::value::serde_strict::unique;

/// At most 32 entries, keys of 1 to 64 bytes, values of up to 512 bytes, without control characters.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

/// Metadata past its limits. No message repeats a value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// More than [`Metadata::MAX_ENTRIES`].
    #[error("metadata has {0} entries, at most {max} are possible", max = Metadata::MAX_ENTRIES)]
    TooMany(usize),
    /// A key that is empty, over [`Metadata::MAX_KEY`] bytes, or has a control character.
    #[error("metadata key {0:?} is not 1 to {max} bytes of plain text", max = Metadata::MAX_KEY)]
    Key(String),
    /// A value over [`Metadata::MAX_VALUE`] bytes, or with a control character.
    #[error("the metadata value of {0:?} is not plain text of at most {max} bytes", max = Metadata::MAX_VALUE)]
    Value(String),
}

impl Metadata {
    /// The most entries.
    pub const MAX_ENTRIES: usize = 32;
    /// The longest key, in bytes of UTF-8.
    pub const MAX_KEY: usize = 64;
    /// The longest value, in bytes of UTF-8.
    pub const MAX_VALUE: usize = 512;

    /// Takes entries; of two with the same key the later one stands.
    ///
    /// # Errors
    /// [`MetadataError`], by what is past its limit.
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
        Ok(Self(map))
    }

    /// Returns the value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Returns the entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = unique::<_, String, String>(deserializer)?;
        Self::new(entries).map_err(serde::de::Error::custom)
    }
}
