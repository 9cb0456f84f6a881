//! Actors and their permissions. This is the only place where a permission is decided.

use std::fmt;
use std::ops::BitOr;

use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::value::id::{TenantId, UserId};

/// A person who manages keys, or the host itself.
///
/// The host creates an actor for each call, from its own login, with the permissions of that person. A
/// [`Grant`](crate::Grant) cannot become an actor: a key never manages keys.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::{Actor, Keywright, NewKey, Permissions, Policy, UserId};
///
/// # fn main() -> Result<(), keywright::Error> { futures_lite::future::block_on(async {
/// # let mut policy = Policy::default();
/// # policy.api_enabled = true;
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// // Alice manages her own keys.
/// let alice = Actor::developer(UserId::new("alice")?);
/// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
///
/// // Carol is on call: she sees every key and revokes any.
/// let on_call = Permissions::AUDITOR | Permissions::REVOKE_ANY;
/// let carol = Actor::new(UserId::new("carol")?, on_call);
/// authority.revoke(&carol, &issued.key.id).await?;
/// # Ok(()) }) }
/// ```
///
/// A host with tenants names the tenant in which the actor acts. What belongs to another tenant does not
/// exist for the actor. A host without tenants leaves the tenant out, as above.
///
/// ```
/// use keywright::{Actor, TenantId, UserId};
///
/// let ada = Actor::tenant_admin(UserId::new("ada")?).in_tenant(TenantId::new("globex")?);
/// assert_eq!(ada.tenant().as_str(), "globex");
/// # Ok::<(), keywright::IdError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Actor {
    id: UserId,
    tenant: TenantId,
    permissions: Permissions,
}

impl Actor {
    /// Creates an actor with these permissions. A host with tenants calls [`in_tenant`](Self::in_tenant) too.
    pub fn new(id: UserId, permissions: Permissions) -> Self {
        Self { id, tenant: TenantId::default(), permissions }
    }

    /// Creates an actor with every permission, including the plan, service accounts and their keys.
    pub fn administrator(id: UserId) -> Self {
        Self::new(id, Permissions::ADMINISTRATOR)
    }

    /// Creates an actor who sets the policy, lists all keys, revokes any key and reads events.
    pub fn tenant_admin(id: UserId) -> Self {
        Self::new(id, Permissions::TENANT_ADMIN)
    }

    /// Creates an actor who generates and manages keys of their own.
    pub fn developer(id: UserId) -> Self {
        Self::new(id, Permissions::DEVELOPER)
    }

    /// Creates an actor who sees everything and changes nothing.
    pub fn auditor(id: UserId) -> Self {
        Self::new(id, Permissions::AUDITOR)
    }

    /// Sets the tenant in which the actor acts. A host without tenants leaves it out: the actor then acts in
    /// [`TenantId::default`].
    pub fn in_tenant(self, tenant: TenantId) -> Self {
        Self { tenant, ..self }
    }

    /// Returns the actor's id, which is the host's.
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// Returns the tenant in which the actor acts.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns the actor's permissions.
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Returns the actor as an owner of keys.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert_eq!(alice.as_owner().to_string(), "user:alice");
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn as_owner(&self) -> Owner {
        Owner::User(self.id.clone())
    }

    /// Returns whether a key of `owner` is the actor's own. A service account's key is nobody's
    /// own.
    pub fn owns(&self, owner: &Owner) -> bool {
        matches!(owner, Owner::User(user) if *user == self.id)
    }

    /// Returns whether the actor has permission for `operation` on a key of `owner`.
    pub fn may(&self, operation: Operation, owner: &Owner) -> bool {
        self.permissions.allow(operation, self.owns(owner))
    }

    /// Checks the permission for `operation` on a key of `owner`.
    pub(crate) fn must(&self, operation: Operation, owner: &Owner) -> Result<(), PermissionDenied> {
        if self.may(operation, owner) { Ok(()) } else { Err(PermissionDenied { operation }) }
    }

    /// Checks the permission for `operation` whoever the owner is, or where there is none.
    pub(crate) fn must_for_any(&self, operation: Operation) -> Result<(), PermissionDenied> {
        if self.may_for_any(operation) { Ok(()) } else { Err(PermissionDenied { operation }) }
    }

    /// Returns whether the actor has permission for `operation` whoever the owner is, or where
    /// there is none.
    pub fn may_for_any(&self, operation: Operation) -> bool {
        self.permissions.allow(operation, false)
    }
}

/// The actor has no permission for an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the actor has no permission for {operation}")]
pub struct PermissionDenied {
    /// The operation that was asked for.
    pub operation: Operation,
}

/// A set of permissions. A host maps its own roles to sets, with `|`.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Permissions(u32);

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Permissions {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            /// Every single permission with its name.
            pub const EACH: &[(&str, Self)] = &[$((stringify!($name), Self::$name),)*];
        }
    };
}

permissions! {
    /// Look at own keys.
    SHOW_OWN = 0;
    /// Look at any key.
    SHOW_ANY = 1;
    /// Make keys for oneself.
    GENERATE_OWN = 2;
    /// Make keys for any owner, service accounts included.
    GENERATE_ANY = 3;
    /// Rename, annotate, edit, disable and enable own keys.
    EDIT_OWN = 4;
    /// Rename, annotate, edit, disable and enable any key.
    EDIT_ANY = 5;
    /// Rotate own keys and finish the rotation.
    ROTATE_OWN = 6;
    /// Rotate any key and finish the rotation.
    ROTATE_ANY = 7;
    /// Revoke own keys.
    REVOKE_OWN = 8;
    /// Revoke any key.
    REVOKE_ANY = 9;
    /// Delete own keys.
    DELETE_OWN = 10;
    /// Delete any key.
    DELETE_ANY = 11;
    /// Look at service accounts.
    SHOW_ACCOUNTS = 12;
    /// Create, edit, disable, enable and delete service accounts.
    MANAGE_ACCOUNTS = 13;
    /// Look at the policy.
    SHOW_POLICY = 14;
    /// Change the policy.
    SET_POLICY = 15;
    /// Say whether the plan includes API access: for the host, not for tenants.
    SET_PLAN = 16;
    /// Read events.
    SHOW_EVENTS = 17;
    /// Remove dead keys and events past their retention.
    SWEEP = 18;
}

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ADMINISTRATOR: Self = Self((1 << 19) - 1);
    /// Policy, list all, revoke any, read events.
    pub const TENANT_ADMIN: Self = Self::SHOW_ANY
        .and(Self::REVOKE_ANY)
        .and(Self::SHOW_ACCOUNTS)
        .and(Self::SHOW_POLICY)
        .and(Self::SET_POLICY)
        .and(Self::SHOW_EVENTS);
    /// Everything with own keys.
    pub const DEVELOPER: Self = Self::SHOW_OWN
        .and(Self::GENERATE_OWN)
        .and(Self::EDIT_OWN)
        .and(Self::ROTATE_OWN)
        .and(Self::REVOKE_OWN)
        .and(Self::DELETE_OWN)
        .and(Self::SHOW_POLICY);
    /// Look at everything.
    pub const AUDITOR: Self =
        Self::SHOW_ANY.and(Self::SHOW_ACCOUNTS).and(Self::SHOW_POLICY).and(Self::SHOW_EVENTS);

    /// Returns the union of both sets; `|` does the same where it need not be constant.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns whether the set allows `operation`. This is the only home of the guide's table.
    /// `own` says that the operation is on a key of the actor's own.
    fn allow(self, operation: Operation, own: bool) -> bool {
        let either =
            |of_own: Self, of_any: Self| own && self.contains(of_own) || self.contains(of_any);
        match operation {
            Operation::KeyGenerate => either(Self::GENERATE_OWN, Self::GENERATE_ANY),
            Operation::KeyShow => either(Self::SHOW_OWN, Self::SHOW_ANY),
            Operation::KeyRename
            | Operation::KeyAnnotate
            | Operation::KeyEdit
            | Operation::KeyDisable
            | Operation::KeyEnable => either(Self::EDIT_OWN, Self::EDIT_ANY),
            Operation::KeyRotate | Operation::KeyFinishRotation => {
                either(Self::ROTATE_OWN, Self::ROTATE_ANY)
            }
            Operation::KeyRevoke => either(Self::REVOKE_OWN, Self::REVOKE_ANY),
            Operation::KeyDelete => either(Self::DELETE_OWN, Self::DELETE_ANY),
            Operation::AccountShow => self.contains(Self::SHOW_ACCOUNTS),
            Operation::AccountCreate
            | Operation::AccountEdit
            | Operation::AccountDisable
            | Operation::AccountEnable
            | Operation::AccountDelete => self.contains(Self::MANAGE_ACCOUNTS),
            Operation::PolicyShow => self.contains(Self::SHOW_POLICY),
            Operation::PolicySet => self.contains(Self::SET_POLICY),
            Operation::PlanSet => self.contains(Self::SET_PLAN),
            Operation::EventsShow => self.contains(Self::SHOW_EVENTS),
            Operation::Sweep => self.contains(Self::SWEEP),
        }
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Self::EACH.iter().filter(|(_, one)| self.contains(*one));
        f.write_str("Permissions ")?;
        f.debug_set().entries(held.map(|(name, _)| name)).finish()
    }
}
