//! Scopes, and the only rule for when one scope contains another.
//!
//! A scope contains itself and nothing else: there is no wildcard, no hierarchy and no prefix. An
//! empty set of scopes allows nothing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// The name of one permission of a key, such as `invoices:read`.
///
/// A scope has 1 to 64 characters of `a-z 0-9 . _ : / -` and starts with a letter.
///
/// `*` is not a scope. Readers would take it for "everything", but it would contain only itself.
///
/// ```
/// use keywright::Scope;
///
/// let scope = Scope::new("invoices:read")?;
/// assert_eq!(scope.as_str(), "invoices:read");
/// assert!(Scope::new("*").is_err());
/// # Ok::<(), keywright::ScopeError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope(Arc<str>);

/// A text that is not a scope, or a set with too many scopes.
///
/// ```
/// use keywright::{Scope, ScopeError};
///
/// assert_eq!(Scope::new("Invoices"), Err(ScopeError::Malformed("Invoices".to_owned())));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The text does not have 1 to 64 characters of `a-z 0-9 . _ : / -`, or does not start with a
    /// letter.
    #[error("{0:?} is not a scope: expected 1 to 64 of a-z 0-9 . _ : / - starting with a letter")]
    Malformed(String),
    /// The set holds more than [`ScopeSet::MAX`] different scopes. The value is their number.
    #[error("a scope set can have at most {max} scopes, got {0}", max = ScopeSet::MAX)]
    TooMany(usize),
}

impl Scope {
    /// The maximum length of a scope, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Creates a scope from text.
    ///
    /// ```
    /// use keywright::Scope;
    ///
    /// assert_eq!(Scope::new("reports/daily:read")?.to_string(), "reports/daily:read");
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScopeError::Malformed`] unless the text has 1 to 64 characters of `a-z 0-9 . _ : / -` and
    /// starts with a letter.
    pub fn new(text: impl AsRef<str>) -> Result<Self, ScopeError> {
        text.as_ref().parse()
    }

    /// Returns the scope as text.
    ///
    /// ```
    /// use keywright::Scope;
    ///
    /// assert_eq!(Scope::new("invoices:read")?.as_str(), "invoices:read");
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
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

/// A set of at most 64 scopes, in ascending order.
///
/// The empty set allows nothing. The text form is a list of scopes separated by spaces or commas.
///
/// ```
/// use keywright::{Scope, ScopeSet};
///
/// let scopes: ScopeSet = "invoices:read reports:read".parse()?;
/// assert!(scopes.contains(&Scope::new("invoices:read")?));
/// assert!(!scopes.contains(&Scope::new("invoices:write")?));
/// # Ok::<(), keywright::ScopeError>(())
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct ScopeSet(
    /// The scopes, which clones share; `None` for the empty set. Many keys have the same set, and each
    /// holds it twice, so it is one word and not two.
    Option<Arc<Vec<Scope>>>,
);

impl ScopeSet {
    /// The maximum number of scopes in a set.
    pub const MAX: usize = 64;

    /// Creates a set of these scopes, without duplicates.
    ///
    /// ```
    /// use keywright::{Scope, ScopeSet};
    ///
    /// let scopes = ScopeSet::new([Scope::new("reports:read")?, Scope::new("invoices:read")?])?;
    /// assert_eq!(scopes.to_string(), "invoices:read reports:read");
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScopeError::TooMany`] if there are more than [`ScopeSet::MAX`] different scopes.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopeError> {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.shrink_to_fit();
        if scopes.len() > Self::MAX {
            return Err(ScopeError::TooMany(scopes.len()));
        }
        Ok(Self::of(scopes))
    }

    /// Creates a set of scopes that are sorted and differ.
    fn of(scopes: Vec<Scope>) -> Self {
        Self((!scopes.is_empty()).then(|| Arc::new(scopes)))
    }

    fn as_slice(&self) -> &[Scope] {
        self.0.as_ref().map_or(&[], |scopes| scopes)
    }

    /// Returns the empty set, which allows nothing.
    ///
    /// ```
    /// use keywright::ScopeSet;
    ///
    /// assert!(ScopeSet::empty().is_empty());
    /// ```
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Returns whether the set holds exactly this scope.
    ///
    /// ```
    /// use keywright::{Scope, ScopeSet};
    ///
    /// let scopes: ScopeSet = "invoices:read".parse()?;
    /// assert!(scopes.contains(&Scope::new("invoices:read")?));
    /// assert!(!scopes.contains(&Scope::new("invoices")?), "there is no hierarchy");
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn contains(&self, scope: &Scope) -> bool {
        // Faster than a binary search in sets of the usual size: scopes of another length are told
        // apart without reading them.
        self.as_slice().contains(scope)
    }

    /// Returns the first scope, in ascending order, that is in this set and not in `ceiling`;
    /// `None` if `ceiling` has them all.
    ///
    /// ```
    /// use keywright::ScopeSet;
    ///
    /// let ceiling: ScopeSet = "invoices:read reports:read".parse()?;
    /// let wanted: ScopeSet = "invoices:read invoices:write".parse()?;
    /// let outside = wanted.first_outside(&ceiling).map(|scope| scope.as_str());
    /// assert_eq!(outside, Some("invoices:write"));
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn first_outside(&self, ceiling: &Self) -> Option<&Scope> {
        self.iter().find(|scope| !ceiling.contains(scope))
    }

    /// Returns the scopes that are in both sets.
    ///
    /// ```
    /// use keywright::ScopeSet;
    ///
    /// let own: ScopeSet = "invoices:read invoices:write".parse()?;
    /// let ceiling: ScopeSet = "invoices:read reports:read".parse()?;
    /// assert_eq!(own.intersection(&ceiling), "invoices:read".parse()?);
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn intersection(&self, other: &Self) -> Self {
        self.filter(|scope| other.contains(scope))
    }

    /// Returns the scopes for which `keep` returns true.
    pub(crate) fn filter(&self, keep: impl Fn(&Scope) -> bool) -> Self {
        Self::of(self.iter().filter(|scope| keep(scope)).cloned().collect())
    }

    /// Returns whether the set has no scopes, and so allows nothing.
    ///
    /// ```
    /// use keywright::ScopeSet;
    ///
    /// assert!("".parse::<ScopeSet>()?.is_empty());
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the number of scopes, from 0 to 64.
    ///
    /// ```
    /// use keywright::ScopeSet;
    ///
    /// assert_eq!("invoices:read, reports:read".parse::<ScopeSet>()?.len(), 2);
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Returns an iterator over the scopes in ascending order.
    ///
    /// ```
    /// use keywright::ScopeSet;
    ///
    /// let scopes: ScopeSet = "reports:read invoices:read".parse()?;
    /// let texts: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    /// assert_eq!(texts, ["invoices:read", "reports:read"]);
    /// # Ok::<(), keywright::ScopeError>(())
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.as_slice().iter()
    }
}

impl<'a> IntoIterator for &'a ScopeSet {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Parses scopes separated by spaces (RFC 6749 section 3.3) or commas. An empty text is the empty
/// set.
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

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopeSet").field(&self.as_slice()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<Scope>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Read-only or read-write access: the access that a service account has, or that a request needs.
///
/// ```
/// use keywright::Access;
///
/// assert!(Access::ReadWrite.covers(Access::ReadOnly));
/// assert!(!Access::ReadOnly.covers(Access::ReadWrite));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write. This is the default.
    #[default]
    ReadWrite,
}

impl Access {
    /// Returns whether this access includes the access that a request needs.
    ///
    /// ```
    /// use keywright::Access;
    ///
    /// assert!(Access::ReadOnly.covers(Access::ReadOnly));
    /// assert!(!Access::ReadOnly.covers(Access::ReadWrite));
    /// ```
    pub fn covers(self, needed: Self) -> bool {
        self == Self::ReadWrite || needed == Self::ReadOnly
    }
}

/// Deserializes from text only. A derived implementation would also accept an object with the name
/// as its member.
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
