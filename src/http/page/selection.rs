//! The parts of the page that a host selects: screens, fields of a key, and the form of the expiry.

use std::ops::BitOr;

/// The screens of a page.
///
/// A screen is shown if the host selects it and the actor may see it.
///
/// ```
/// use keywright::http::page::Screens;
///
/// let screens = Screens::OWN_KEYS | Screens::ACCOUNTS;
/// assert!(screens.contains(Screens::ACCOUNTS));
/// assert!(!screens.contains(Screens::EVENTS));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Screens(u8);

impl Screens {
    /// The keys of the actor.
    pub const OWN_KEYS: Self = Self(1);
    /// The keys of the organization, which belong to no user.
    pub const ORGANIZATION_KEYS: Self = Self(1 << 1);
    /// The service accounts, each with its keys.
    pub const ACCOUNTS: Self = Self(1 << 2);
    /// All keys of the tenant, with search, filters and the revocation of many at once.
    pub const ALL_KEYS: Self = Self(1 << 3);
    /// The settings of the tenant.
    pub const SETTINGS: Self = Self(1 << 4);
    /// The audit events of the tenant.
    pub const EVENTS: Self = Self(1 << 5);
    /// The screens of a tenant's administrator: all keys, settings and events.
    pub const TENANT_ADMIN: Self = Self(Self::ALL_KEYS.0 | Self::SETTINGS.0 | Self::EVENTS.0);
    /// All screens.
    pub const ALL: Self = Self(
        Self::OWN_KEYS.0 | Self::ORGANIZATION_KEYS.0 | Self::ACCOUNTS.0 | Self::TENANT_ADMIN.0,
    );

    /// Returns true if all screens of `other` are selected.
    ///
    /// ```
    /// use keywright::http::page::Screens;
    ///
    /// assert!(Screens::ALL.contains(Screens::TENANT_ADMIN));
    /// assert!(!Screens::OWN_KEYS.contains(Screens::OWN_KEYS | Screens::ALL_KEYS));
    /// ```
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Screens {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The fields of a key that the forms offer beside its name and its expiry.
///
/// ```
/// use keywright::http::page::KeyFields;
///
/// let fields = KeyFields::SCOPES | KeyFields::DESCRIPTION;
/// assert!(fields.contains(KeyFields::SCOPES));
/// assert!(!fields.contains(KeyFields::NETWORKS));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyFields(u8);

impl KeyFields {
    /// No field beside the name and the expiry.
    pub const NONE: Self = Self(0);
    /// The scopes of the key, as check boxes.
    pub const SCOPES: Self = Self(1);
    /// The description of the key.
    pub const DESCRIPTION: Self = Self(1 << 1);
    /// The technical contact of the key.
    pub const CONTACT: Self = Self(1 << 2);
    /// The networks from which the key works.
    pub const NETWORKS: Self = Self(1 << 3);
    /// The rate of the key.
    pub const RATE: Self = Self(1 << 4);
    /// All fields.
    pub const ALL: Self = Self((1 << 5) - 1);

    /// Returns true if all fields of `other` are selected.
    ///
    /// ```
    /// use keywright::http::page::KeyFields;
    ///
    /// assert!(KeyFields::ALL.contains(KeyFields::RATE));
    /// assert!(!KeyFields::NONE.contains(KeyFields::RATE));
    /// ```
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for KeyFields {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The way in which the form of a new key asks for its expiry.
///
/// ```
/// use keywright::Keywright;
/// use keywright::http::page::{ExpiryForm, Page};
/// use keywright::store::MemoryStore;
///
/// let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let page = Page::new(authority).expiry(ExpiryForm::Days);
/// # let _ = page;
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExpiryForm {
    /// Radio buttons: 7, 30, 60 or 90 days, a year, a date, or no expiry, as far as the policy
    /// allows each.
    #[default]
    Choices,
    /// One optional date. Without it the key follows the policy's default.
    Date,
    /// A check box that sets an expiry, and a lifetime in days.
    Days,
}
