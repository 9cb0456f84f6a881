//! Identifiers, one type for each kind, so that an account's id cannot be used as a key's.
//!
//! The crate draws [`KeyId`] and [`AccountId`] at random, or derives them from a ticket. The host chooses [`TenantId`] and
//! [`UserId`], and the crate checks their form.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::value::base62;
use crate::value::random::{Random, RandomError};
use crate::value::redact::redact;
use crate::value::text::serde_as_text;

/// A text that is not an identifier of the expected kind.
///
/// ```
/// use keywright::KeyId;
///
/// let error = "abc".parse::<KeyId>().expect_err("it is too short");
/// let text = r#""abc" is not a valid key id: expected 16 characters of 0-9A-Za-z"#;
/// assert_eq!(error.to_string(), text);
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is not a valid {kind}: {expected}")]
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

/// Declares an id of 16 base62 characters (95 bits) that the crate draws or derives.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The length of an id in characters.
            pub const LEN: usize = 16;

            pub(crate) fn generate(random: &Random) -> Result<Self, RandomError> {
                let mut id = [0; 16];
                base62::fill(random, &mut id)?;
                Ok(Self(id))
            }

            pub(crate) fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
                base62::is_base62(&bytes).then_some(Self(bytes))
            }

            /// Creates an id from bytes that are known to be base62.
            pub(crate) fn from_base62(bytes: [u8; 16]) -> Self {
                debug_assert!(base62::is_base62(&bytes));
                Self(bytes)
            }

            /// Returns the id as text.
            ///
            /// ```
            #[doc = concat!("use keywright::", stringify!($name), ";")]
            ///
            #[doc = concat!("let id: ", stringify!($name), " = \"4fQ2xk9ZrT7bWm1c\".parse()?;")]
            /// assert_eq!(id.as_str(), "4fQ2xk9ZrT7bWm1c");
            /// # Ok::<(), keywright::IdError>(())
            /// ```
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

/// Declares an id that the host chooses: 1 to 128 visible ASCII characters.
macro_rules! host_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The maximum length of an id in bytes.
            pub const MAX_LEN: usize = 128;

            /// Creates an id from the text by which the host knows the tenant or user.
            ///
            /// ```
            #[doc = concat!("use keywright::", stringify!($name), ";")]
            ///
            #[doc = concat!("let id = ", stringify!($name), "::new(\"acme-42\")?;")]
            /// assert_eq!(id.to_string(), "acme-42");
            #[doc = concat!("assert!(", stringify!($name), "::new(\"two words\").is_err());")]
            /// # Ok::<(), keywright::IdError>(())
            /// ```
            ///
            /// # Errors
            /// [`IdError`] unless the text is 1 to 128 visible ASCII characters, without spaces.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                text.as_ref().parse()
            }

            /// Returns the id as text.
            ///
            /// ```
            #[doc = concat!("use keywright::", stringify!($name), ";")]
            ///
            #[doc = concat!("let id = ", stringify!($name), "::new(\"acme-42\")?;")]
            /// assert_eq!(id.as_str(), "acme-42");
            /// # Ok::<(), keywright::IdError>(())
            /// ```
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

/// Implements `Display`, `Debug` and serde for an id, all with the same text.
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
    /// The public identifier of a key: 16 characters of `0-9A-Za-z`, drawn at random (95 bits).
    ///
    /// The id of a key that is generated with a [ticket](crate::Ticket) is derived from the ticket.
    ///
    /// A key id is not secret. It appears in listings, events and logs, and the store looks keys up
    /// by it.
    ///
    /// ```
    /// use keywright::KeyId;
    ///
    /// let id: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// assert_eq!(id.as_str().len(), KeyId::LEN);
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    KeyId, "key id"
}

impl KeyId {
    /// The first id in ascending order.
    pub(crate) const FIRST: Self = Self([b'0'; 16]);

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the stripe of the id, from 0 to `stripes - 1`. Stripes have about the same size, and ids
    /// in ascending order are in stripes in ascending order.
    pub(crate) fn stripe(&self, stripes: usize) -> usize {
        base62::value_of_two([self.0[0], self.0[1]]) * stripes / (62 * 62)
    }
}

random_id! {
    /// The identifier of a service account: 16 characters of `0-9A-Za-z`, drawn at random.
    ///
    /// ```
    /// use keywright::{AccountId, Owner};
    ///
    /// let id: AccountId = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// assert_eq!(Owner::Account(id).to_string(), "account:4fQ2xk9ZrT7bWm1c");
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    AccountId, "account id"
}

impl AccountId {
    /// The first id in ascending order.
    pub(crate) const FIRST: Self = Self([b'0'; 16]);
}

host_id! {
    /// The identifier of a tenant: a customer organization of the host application.
    ///
    /// The host chooses the id: 1 to 128 visible ASCII characters. A host without tenants does not
    /// set it: all its actors and keys are in [`TenantId::default`].
    ///
    /// ```
    /// use keywright::{Actor, TenantId, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?).in_tenant(TenantId::new("globex")?);
    /// assert_eq!(alice.tenant().as_str(), "globex");
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    TenantId, "tenant id"
}

host_id! {
    /// The identifier of a user of the host application: a person, or the host itself when it
    /// manages keys.
    ///
    /// The host chooses the id: 1 to 128 visible ASCII characters.
    ///
    /// ```
    /// use keywright::{Owner, UserId};
    ///
    /// let owner = Owner::User(UserId::new("alice")?);
    /// assert_eq!(owner.to_string(), "user:alice");
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    UserId, "user id"
}

impl Default for TenantId {
    /// Returns `default`, the tenant of a host without tenants.
    fn default() -> Self {
        Self("default".into())
    }
}
