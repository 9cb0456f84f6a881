//! Identifiers, one type for each kind, so that a key's id is never taken for an account's.
//!
//! [`KeyId`] and [`AccountId`] are made here, at random. [`TenantId`] and [`UserId`] are the host's
//! own and only checked.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::value::base62;
use crate::value::random::{Random, RandomError};
use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// A text that is not an identifier of the kind asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no {kind}: {expected}")]
pub struct IdError {
    kind: &'static str,
    expected: &'static str,
    text: String,
}

impl IdError {
    pub(crate) fn new(kind: &'static str, expected: &'static str, text: &str) -> Self {
        Self { kind, expected, text: redact(text) }
    }
}

/// An id of 16 base62 characters (95 bits) that the crate draws at random.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Length in characters.
            pub const LEN: usize = 16;

            pub(crate) fn generate(random: &Random) -> Result<Self, RandomError> {
                let mut id = [0; 16];
                base62::fill(random, &mut id)?;
                Ok(Self(id))
            }

            pub(crate) fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
                base62::is_base62(&bytes).then_some(Self(bytes))
            }

            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("base62 is ASCII")
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.as_bytes()
                    .try_into()
                    .ok()
                    .and_then(Self::from_bytes)
                    .ok_or_else(|| IdError::new($kind, "expected 16 characters of 0-9A-Za-z", text))
            }
        }

        text_traits!($name);
    };
}

/// An id that the host chooses: 1 to 128 visible ASCII characters.
macro_rules! host_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest id, in bytes.
            pub const MAX_LEN: usize = 128;

            /// Creates an id from the host's own.
            ///
            /// # Errors
            /// [`IdError`] unless it has 1 to 128 visible ASCII characters (no space).
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                text.as_ref().parse()
            }

            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits = (1..=Self::MAX_LEN).contains(&text.len());
                if !fits || !text.bytes().all(|b| b.is_ascii_graphic()) {
                    let expected = "expected 1 to 128 visible ASCII characters";
                    return Err(IdError::new($kind, expected, text));
                }
                Ok(Self(text.into()))
            }
        }

        text_traits!($name);
    };
}

/// Printing, and serde as the same text.
macro_rules! text_traits {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        serde_as_text!($name);
    };
}

random_id! {
    /// The public handle of a key: shown, logged, searched and looked up by. It is no secret.
    KeyId, "key id"
}

impl KeyId {
    /// No id comes before it.
    pub(crate) const FIRST: Self = Self([b'0'; 16]);

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns which of so many stripes the id falls on. The last character is as random as any.
    pub(crate) fn stripe(&self, stripes: usize) -> usize {
        usize::from(self.0[Self::LEN - 1]) % stripes
    }

    /// Takes bytes that are known to be base62.
    pub(crate) fn from_base62(bytes: [u8; 16]) -> Self {
        debug_assert!(base62::is_base62(&bytes));
        Self(bytes)
    }
}

random_id! {
    /// The id of a service account.
    AccountId, "account id"
}

host_id! {
    /// A customer organization of the host application.
    ///
    /// A host without tenants leaves it out: actors and keys are then in [`TenantId::default`].
    TenantId, "tenant id"
}

host_id! {
    /// A person, or the host itself, by the host's own id.
    UserId, "user id"
}

impl Default for TenantId {
    fn default() -> Self {
        Self("default".into())
    }
}
