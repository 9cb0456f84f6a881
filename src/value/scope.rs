//! Scopes: what a key may be used for, and the only containment rule.
//!
//! A scope is a name. It contains itself and nothing else: no wildcard, no hierarchy, no prefix.
//! An empty set allows nothing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// One scope, such as `invoices:read`: 1 to 64 of `a-z 0-9 . _ : / -`, starting with a letter.
///
/// `*` is not a scope: a name that a reader takes for "everything" would be one that only looks so.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope(Arc<str>);

/// A text that is no scope, or too many scopes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Not 1 to 64 characters of the scope alphabet.
    #[error("{0:?} is not a scope: expected 1 to 64 of a-z 0-9 . _ : / - starting with a letter")]
    Malformed(String),
    /// More than [`ScopeSet::MAX`] scopes in one set.
    #[error("{0} scopes are too many: a set holds at most {max}", max = ScopeSet::MAX)]
    TooMany(usize),
}

impl Scope {
    /// The longest scope, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Takes a scope.
    ///
    /// # Errors
    /// [`ScopeError::Malformed`].
    pub fn new(text: impl AsRef<str>) -> Result<Self, ScopeError> {
        text.as_ref().parse()
    }

    /// Returns the scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let symbol =
            |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b':' | b'/' | b'-');
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || text.len() > Self::MAX_LEN || !text.bytes().all(symbol) {
            return Err(ScopeError::Malformed(redact(text)));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.0)
    }
}

/// At most 64 scopes, sorted, each once. The empty set allows nothing.
///
/// ```
/// use keywright::{Scope, ScopeSet};
///
/// let scopes: ScopeSet = "invoices:read reports:read".parse()?;
/// assert!(scopes.contains(&Scope::new("invoices:read")?));
/// assert!(!scopes.contains(&Scope::new("invoices:write")?));
/// # Ok::<(), keywright::ScopeError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// The most scopes that a set holds.
    pub const MAX: usize = 64;

    /// Creates a set of these scopes.
    ///
    /// # Errors
    /// [`ScopeError::TooMany`] past [`ScopeSet::MAX`] different ones.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopeError> {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() > Self::MAX {
            return Err(ScopeError::TooMany(scopes.len()));
        }
        Ok(Self(scopes))
    }

    /// Returns the empty set, which allows nothing.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// Returns whether the set holds exactly this scope.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.binary_search(scope).is_ok()
    }

    /// Returns the first scope of `self` that `ceiling` does not hold, if any.
    pub fn first_outside(&self, ceiling: &Self) -> Option<&Scope> {
        self.0.iter().find(|scope| !ceiling.contains(scope))
    }

    /// Returns the scopes that both sets hold.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.iter().filter(|scope| other.contains(scope)).cloned().collect())
    }

    /// Returns whether there is no scope.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of scopes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the scopes in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ScopeSet {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Scopes separated by spaces or commas, as RFC 6749 section 3.3 and people write them.
impl FromStr for ScopeSet {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        Self::new(words.map(str::parse).collect::<Result<Vec<_>, _>>()?)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(f, "{gap}{scope}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<Scope>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whether something may change anything, or only look.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Look only.
    ReadOnly,
    /// Look and change.
    #[default]
    ReadWrite,
}

impl Access {
    /// Returns whether this access is enough where `needed` is asked for.
    pub fn covers(self, needed: Self) -> bool {
        self == Self::ReadWrite || needed == Self::ReadOnly
    }
}

/// As text alone: derived, it would be read from an object of the name and null as well.
impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "read-only" => Ok(Self::ReadOnly),
            "read-write" => Ok(Self::ReadWrite),
            _ => Err(D::Error::custom("expected read-only or read-write")),
        }
    }
}

serde_as_text!(Scope);
