//! The description of a rotation.

use std::time::Duration;

/// A rotation of a key, for [`Authority::rotate`](crate::Authority::rotate).
///
/// A [`Duration`] alone is a rotation with this overlap, whether or not the key has changed.
///
/// ```
/// use std::time::Duration;
/// use keywright::Rotation;
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// // A form was shown with this version of the key. If it is sent twice, one secret is replaced.
/// let rotation = Rotation::new(Duration::from_hours(24)).if_version(issued.key.version);
/// let rotated = authority.rotate(&alice, &issued.key.id, rotation).await?;
/// assert!(authority.rotate(&alice, &issued.key.id, rotation).await.is_err());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "setters take and return by value"]
pub struct Rotation {
    pub(crate) overlap: Duration,
    pub(crate) if_version: Option<u64>,
}

impl Rotation {
    /// Creates a rotation with an overlap, in which the old secret also works.
    ///
    /// With [`Duration::ZERO`], the old secret is refused at once. The longest
    /// overlap is [`Settings::max_overlap`](crate::Settings::max_overlap).
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::Rotation;
    ///
    /// let rotation = Rotation::new(Duration::from_hours(24));
    /// assert_eq!(rotation, Duration::from_hours(24).into());
    /// ```
    pub fn new(overlap: Duration) -> Self {
        Self { overlap, if_version: None }
    }

    /// Limits the rotation to one version of the key.
    ///
    /// If the key has another version, the rotation fails with
    /// [`KeyError::Stale`](crate::KeyError::Stale). A form that is sent twice rotates the
    /// key once, and an outdated form rotates nothing.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::{KeyError, Rotation};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let late = Rotation::new(Duration::ZERO).if_version(issued.key.version + 1);
    /// let refused = authority.rotate(&alice, &issued.key.id, late).await;
    /// assert!(matches!(refused, Err(KeyError::Stale { .. })));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        Self { if_version: Some(version), ..self }
    }
}

impl From<Duration> for Rotation {
    fn from(overlap: Duration) -> Self {
        Self::new(overlap)
    }
}
