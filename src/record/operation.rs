//! This module names every management operation and defines its effect on a key in each status.

use crate::record::status::KeyStatus;
use crate::value::text_enum::text_enum;

text_enum! {
    /// A management operation, with a text form such as `key.rotate`.
    ///
    /// ```
    /// use keywright::Operation;
    ///
    /// let operation: Operation = "key.rotate".parse()?;
    /// assert_eq!(operation, Operation::KeyRotate);
    /// assert_eq!(operation.to_string(), "key.rotate");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub enum Operation {
        /// Generates a key.
        KeyGenerate = "key.generate";
        /// Shows a key, or lists keys.
        KeyShow = "key.show";
        /// Changes a key's name.
        KeyRename = "key.rename";
        /// Changes a key's description, contact or metadata.
        KeyAnnotate = "key.annotate";
        /// Changes a key's scopes, networks or rate.
        KeyEdit = "key.edit";
        /// Disables a key.
        KeyDisable = "key.disable";
        /// Enables a disabled key.
        KeyEnable = "key.enable";
        /// Replaces a key's secret.
        KeyRotate = "key.rotate";
        /// Ends the overlap of a rotation early.
        KeyFinishRotation = "key.finish_rotation";
        /// Revokes a key, which stays in the listing.
        KeyRevoke = "key.revoke";
        /// Deletes a key, which leaves the listing.
        KeyDelete = "key.delete";
        /// Hands a key to another owner.
        KeyTransfer = "key.transfer";
        /// Creates a service account.
        AccountCreate = "account.create";
        /// Shows a service account, or lists accounts.
        AccountShow = "account.show";
        /// Changes an account's name, role or access.
        AccountEdit = "account.edit";
        /// Disables an account, so that none of its keys works.
        AccountDisable = "account.disable";
        /// Enables a disabled account. Its keys work again, each in its own status.
        AccountEnable = "account.enable";
        /// Deletes an account and all its keys.
        AccountDelete = "account.delete";
        /// Shows the plan, the settings and the rules in force.
        PolicyShow = "policy.show";
        /// Changes the tenant's settings.
        SettingsEdit = "settings.edit";
        /// Changes the tenant's plan.
        PlanSet = "plan.set";
        /// Shows a tenant's record of a user.
        UserShow = "user.show";
        /// Changes a user's display name.
        UserName = "user.name";
        /// Suspends a user, so that none of the user's keys works.
        UserSuspend = "user.suspend";
        /// Restores a suspended user. The user's keys work again, each in its own status.
        UserRestore = "user.restore";
        /// Reads and searches audit events.
        EventsShow = "events.show";
        /// Removes events and dead (revoked or expired) keys after their retention.
        Sweep = "sweep";
    }
    OperationError: "an operation";
}

/// The effect of an operation on a key in a given status.
///
/// ```
/// use keywright::{KeyStatus, Operation, Transition};
///
/// assert_eq!(Operation::KeyRevoke.on(KeyStatus::Active), Transition::Allowed);
/// assert_eq!(Operation::KeyRevoke.on(KeyStatus::Revoked), Transition::Unchanged);
/// assert_eq!(Operation::KeyRevoke.on(KeyStatus::Expired), Transition::Refused);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transition {
    /// The operation changes the key.
    Allowed,
    /// The operation succeeds, and changes nothing.
    Unchanged,
    /// The operation is refused.
    Refused,
}

impl Operation {
    /// Returns whether the operation changes one existing key, unlike `KeyGenerate` or `SettingsEdit`.
    ///
    /// ```
    /// use keywright::Operation;
    ///
    /// assert!(Operation::KeyRotate.is_of_a_key());
    /// assert!(!Operation::KeyGenerate.is_of_a_key());
    /// ```
    pub const fn is_of_a_key(self) -> bool {
        matches!(
            self,
            Self::KeyRename
                | Self::KeyAnnotate
                | Self::KeyEdit
                | Self::KeyTransfer
                | Self::KeyDisable
                | Self::KeyEnable
                | Self::KeyRotate
                | Self::KeyFinishRotation
                | Self::KeyRevoke
                | Self::KeyDelete
        )
    }

    /// Returns the effect of this operation on a service account. An operation on anything else is
    /// refused.
    pub(crate) const fn on_account(self, enabled: bool) -> Transition {
        match self {
            Self::AccountEdit | Self::AccountDelete => Transition::Allowed,
            Self::AccountDisable if enabled => Transition::Allowed,
            Self::AccountEnable if !enabled => Transition::Allowed,
            Self::AccountDisable | Self::AccountEnable => Transition::Unchanged,
            _ => Transition::Refused,
        }
    }

    /// Returns the effect of this operation on a key in `status`.
    ///
    /// An operation that does not change one existing key is possible in any status. This function
    /// is the source of the table in the guide.
    ///
    /// ```
    /// use keywright::{KeyStatus, Operation, Transition};
    ///
    /// assert_eq!(Operation::KeyRotate.on(KeyStatus::Active), Transition::Allowed);
    /// assert_eq!(Operation::KeyRotate.on(KeyStatus::Expired), Transition::Refused);
    /// ```
    pub const fn on(self, status: KeyStatus) -> Transition {
        use KeyStatus::{Active, Disabled, Expired, Revoked, Scheduled};
        use Transition::{Allowed, Refused, Unchanged};
        // One row for each operation, in the layout of the guide's table.
        #[expect(clippy::match_same_arms, reason = "rows of a table")]
        match (self, status) {
            (Self::KeyEdit | Self::KeyTransfer, Expired | Revoked) => Refused,

            (Self::KeyDisable, Active | Scheduled) => Allowed,
            (Self::KeyDisable, Disabled) => Unchanged,
            (Self::KeyDisable, Expired | Revoked) => Refused,

            (Self::KeyEnable, Active | Scheduled) => Unchanged,
            (Self::KeyEnable, Disabled) => Allowed,
            (Self::KeyEnable, Expired | Revoked) => Refused,

            (Self::KeyRotate, Active | Scheduled | Disabled) => Allowed,
            (Self::KeyRotate, Expired | Revoked) => Refused,

            (Self::KeyFinishRotation, Active | Scheduled | Disabled) => Allowed,
            (Self::KeyFinishRotation, Expired | Revoked) => Refused,

            (Self::KeyRevoke, Active | Scheduled | Disabled) => Allowed,
            (Self::KeyRevoke, Expired) => Refused,
            (Self::KeyRevoke, Revoked) => Unchanged,

            _ => Allowed,
        }
    }
}

/// The result of a successful operation, and whether the operation changed anything.
///
/// ```
/// use keywright::Outcome;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let first = authority.disable(&alice, &issued.key.id).await?;
/// assert!(matches!(first, Outcome::Done(_)));
///
/// // The key is disabled already.
/// let second = authority.disable(&alice, &issued.key.id).await?;
/// assert!(matches!(second, Outcome::Unchanged(_)));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome<T> {
    /// The operation changed something.
    Done(T),
    /// The operation found everything as requested and changed nothing.
    Unchanged(T),
}

impl<T> Outcome<T> {
    /// Returns the value in either case.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let key = authority.disable(&alice, &issued.key.id).await?.into_inner();
    /// assert!(key.disabled);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Done(value) | Self::Unchanged(value) => value,
        }
    }

    /// Returns whether the operation changed nothing.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let revoked = authority.revoke(&alice, &issued.key.id).await?;
    /// assert!(!revoked.is_unchanged());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub const fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged(_))
    }

    /// Applies `f` to the value.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let name = authority.revoke(&alice, &issued.key.id).await?.map(|key| key.name);
    /// assert_eq!(name.into_inner().as_str(), "prod-main-app");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(f(value)),
            Self::Unchanged(value) => Outcome::Unchanged(f(value)),
        }
    }
}
