//! This module defines actors and their permissions. It is the only place where a permission is
//! decided.

use std::fmt;
use std::net::IpAddr;
use std::ops::BitOr;

use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::value::id::{TenantId, UserId};
use crate::value::name::Name;

/// The caller of a management operation: a person, or the host application itself.
///
/// The host creates an actor for each call: the id comes from the host's own login, and the
/// permissions are those of the person. A [`Grant`](crate::Grant) cannot become an actor, so a key
/// never manages keys.
///
/// ```
/// use keywright::{Actor, NewKey, Permissions, UserId};
///
/// # use keywright::{Keywright, Policy, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// // Alice manages her own keys.
/// let alice = Actor::developer(UserId::new("alice")?);
/// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
///
/// // Carol is on call: she sees every key and can revoke any of them.
/// let on_call = Permissions::AUDITOR | Permissions::REVOKE_ANY;
/// let carol = Actor::new(UserId::new("carol")?, on_call);
/// authority.revoke(&carol, &issued.key.id).await?;
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// A host with tenants also names the tenant in which the actor acts. The actor cannot see or
/// change keys, accounts and events of other tenants. A host without tenants leaves the tenant out,
/// as above.
///
/// ```
/// use keywright::{Actor, TenantId, UserId};
///
/// let ada = Actor::tenant_admin(UserId::new("ada")?).in_tenant(TenantId::new("globex")?);
/// assert_eq!(ada.tenant().as_str(), "globex");
/// # Ok::<(), keywright::Error>(())
/// ```
///
/// See [Actors](crate::guide::actors) in the guide.
#[derive(Clone, Debug)]
pub struct Actor {
    id: UserId,
    tenant: TenantId,
    permissions: Permissions,
    licensed: bool,
    source: Option<IpAddr>,
    name: Option<Name>,
    /// Whether the actor is an operator of the host in this tenant.
    is_operator: bool,
}

impl Actor {
    /// Creates an actor with these permissions.
    ///
    /// The actor acts in [`TenantId::default`]. A host with tenants calls
    /// [`in_tenant`](Self::in_tenant) too.
    ///
    /// ```
    /// use keywright::{Actor, Operation, Permissions, UserId};
    ///
    /// let on_call = Permissions::AUDITOR | Permissions::REVOKE_ANY;
    /// let carol = Actor::new(UserId::new("carol")?, on_call);
    /// assert!(carol.may_for_any(Operation::KeyRevoke));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn new(id: UserId, permissions: Permissions) -> Self {
        Self {
            id,
            tenant: TenantId::default(),
            permissions,
            licensed: true,
            source: None,
            name: None,
            is_operator: false,
        }
    }

    /// Creates the actor of an operator in a tenant.
    pub(crate) fn of_operator(id: UserId, tenant: TenantId) -> Self {
        Self { tenant, is_operator: true, ..Self::administrator(id) }
    }

    /// Creates an actor with every permission, including those for the plan, for service accounts
    /// and for their keys.
    ///
    /// ```
    /// use keywright::{Actor, Operation, UserId};
    ///
    /// let ada = Actor::administrator(UserId::new("ada")?);
    /// assert!(ada.may_for_any(Operation::PlanSet));
    /// assert!(ada.may_for_any(Operation::AccountCreate));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn administrator(id: UserId) -> Self {
        Self::new(id, Permissions::ADMINISTRATOR)
    }

    /// Creates an actor who edits the settings, manages users, lists all keys, revokes any key and
    /// reads events.
    ///
    /// ```
    /// use keywright::{Actor, Operation, UserId};
    ///
    /// let admin = Actor::tenant_admin(UserId::new("ada")?);
    /// assert!(admin.may_for_any(Operation::SettingsEdit));
    /// assert!(!admin.may_for_any(Operation::PlanSet));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn tenant_admin(id: UserId) -> Self {
        Self::new(id, Permissions::TENANT_ADMIN)
    }

    /// Creates an actor who generates and manages their own keys.
    ///
    /// ```
    /// use keywright::{Actor, Operation, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// let bob = Actor::developer(UserId::new("bob")?);
    /// assert!(alice.may(Operation::KeyRotate, &alice.as_owner()));
    /// assert!(!alice.may(Operation::KeyRotate, &bob.as_owner()));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn developer(id: UserId) -> Self {
        Self::new(id, Permissions::DEVELOPER)
    }

    /// Creates an actor who sees all keys, accounts, users, events and the policy, and changes
    /// nothing.
    ///
    /// ```
    /// use keywright::{Actor, Operation, UserId};
    ///
    /// let carol = Actor::auditor(UserId::new("carol")?);
    /// assert!(carol.may_for_any(Operation::EventsShow));
    /// assert!(!carol.may_for_any(Operation::KeyRevoke));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn auditor(id: UserId) -> Self {
        Self::new(id, Permissions::AUDITOR)
    }

    /// Sets the tenant in which the actor acts.
    ///
    /// A host without tenants omits this call, and the actor acts in [`TenantId::default`].
    ///
    /// ```
    /// use keywright::{Actor, TenantId, UserId};
    ///
    /// let ada = Actor::tenant_admin(UserId::new("ada")?).in_tenant(TenantId::new("globex")?);
    /// assert_eq!(ada.tenant().as_str(), "globex");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn in_tenant(self, tenant: TenantId) -> Self {
        Self { tenant, ..self }
    }

    /// Denies the actor a license for API access, although the tenant's plan includes it.
    ///
    /// The actor then can't generate keys. Everything else stays as the permissions allow.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// let bob = Actor::developer(UserId::new("bob")?).without_license();
    /// assert!(!bob.is_licensed());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    #[must_use = "the setter takes and returns by value"]
    pub fn without_license(self) -> Self {
        Self { licensed: false, ..self }
    }

    /// Returns whether the actor has a license for API access, as every actor has by default.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// assert!(Actor::developer(UserId::new("alice")?).is_licensed());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn is_licensed(&self) -> bool {
        self.licensed
    }

    /// Sets the address that the actor's request came from.
    ///
    /// Every event of the actor then has this address. The host takes it from the connection, or
    /// from the header of a proxy that it trusts; see [Actors](crate::guide::actors) in the guide.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use keywright::{Actor, UserId};
    ///
    /// let address = IpAddr::from([203, 0, 113, 7]);
    /// let alice = Actor::developer(UserId::new("alice")?).source_address(address);
    /// assert_eq!(alice.source(), Some(address));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn source_address(self, address: IpAddr) -> Self {
        Self { source: Some(address), ..self }
    }

    /// Sets the name of the person, for pages that show it.
    ///
    /// Events do not have it: they name the actor by id, which stays when a name changes.
    ///
    /// ```
    /// use keywright::{Actor, Name, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("u-4711")?).display_name(Name::new("Alice Wong")?);
    /// assert_eq!(alice.shown_name().map(Name::as_str), Some("Alice Wong"));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn display_name(self, name: Name) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Returns the address that the actor's request came from, if the host gave one.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert_eq!(alice.source(), None);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Returns the name of the person, if the host gave one.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert_eq!(alice.shown_name(), None);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn shown_name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Returns the actor's id, which the host chose.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert_eq!(alice.id().as_str(), "alice");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// Returns the tenant in which the actor acts.
    ///
    /// ```
    /// use keywright::{Actor, TenantId, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert_eq!(*alice.tenant(), TenantId::default());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns the actor's permissions.
    ///
    /// ```
    /// use keywright::{Actor, Permissions, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert!(alice.permissions().contains(Permissions::GENERATE_OWN));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Returns the owner of the keys that the actor generates: the user with the actor's id, or the
    /// organization if the actor is an operator of the host.
    ///
    /// ```
    /// use keywright::{Actor, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert_eq!(alice.as_owner().to_string(), "user:alice");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn as_owner(&self) -> Owner {
        if self.is_operator { Owner::Organization } else { Owner::User(self.id.clone()) }
    }

    /// Returns whether the actor is the user that `owner` names.
    ///
    /// No actor owns the keys of a service account or of the organization, and no
    /// [`Operator`](crate::Operator) owns a key.
    ///
    /// ```
    /// use keywright::{Actor, Owner, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert!(alice.owns(&Owner::User(UserId::new("alice")?)));
    /// assert!(!alice.owns(&Owner::User(UserId::new("bob")?)));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn owns(&self, owner: &Owner) -> bool {
        !self.is_operator && matches!(owner, Owner::User(user) if *user == self.id)
    }

    /// Returns whether the actor is an operator of the host.
    pub(crate) fn is_operator(&self) -> bool {
        self.is_operator
    }

    /// Returns whether the actor has permission for `operation` on a key of `owner`.
    ///
    /// Handing a key of a service account over needs
    /// [`MANAGE_ACCOUNTS`](Permissions::MANAGE_ACCOUNTS) too.
    ///
    /// ```
    /// use keywright::{Actor, Operation, Owner, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// let bob = Owner::User(UserId::new("bob")?);
    /// assert!(alice.may(Operation::KeyRevoke, &alice.as_owner()));
    /// assert!(!alice.may(Operation::KeyRevoke, &bob));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn may(&self, operation: Operation, owner: &Owner) -> bool {
        self.permissions.allow(operation, self.owns(owner))
            && (owner.account().is_none() || self.manages_keys_of_accounts(operation))
    }

    /// Returns whether the actor may take a key from a service account, if `operation` does so.
    fn manages_keys_of_accounts(&self, operation: Operation) -> bool {
        operation != Operation::KeyTransfer
            || self.permissions.contains(Permissions::MANAGE_ACCOUNTS)
    }

    /// Checks the permission for `operation` on a key of `owner`.
    pub(crate) fn must(&self, operation: Operation, owner: &Owner) -> Result<(), PermissionDenied> {
        if self.may(operation, owner) { Ok(()) } else { Err(PermissionDenied { operation }) }
    }

    /// Checks the permission for `operation` on keys of any owner, or for an operation that has no
    /// owner.
    pub(crate) fn must_for_any(&self, operation: Operation) -> Result<(), PermissionDenied> {
        if self.may_for_any(operation) { Ok(()) } else { Err(PermissionDenied { operation }) }
    }

    /// Returns whether the actor has permission for `operation` on keys of any owner.
    ///
    /// For an operation that is not about keys, such as [`Operation::SettingsEdit`], it returns
    /// whether the actor has the permission.
    ///
    /// ```
    /// use keywright::{Actor, Operation, UserId};
    ///
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// assert!(!alice.may_for_any(Operation::KeyRevoke));
    /// assert!(alice.may_for_any(Operation::PolicyShow));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn may_for_any(&self, operation: Operation) -> bool {
        self.permissions.allow(operation, false) && self.manages_keys_of_accounts(operation)
    }
}

/// The error for an operation that the actor has no permission for.
///
/// ```
/// use keywright::{Actor, KeyError, NewKey, UserId};
///
/// # use keywright::{Keywright, Policy, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let auditor = Actor::auditor(UserId::new("carol")?);
/// let refused = authority.revoke(&auditor, &issued.key.id).await;
/// assert!(matches!(refused, Err(KeyError::PermissionDenied(_))));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the actor has no permission for {operation}")]
pub struct PermissionDenied {
    /// The operation that the actor asked for.
    pub operation: Operation,
}

/// A set of permissions.
///
/// The host maps each of its own roles to a set, and joins sets with `|`.
///
/// ```
/// use keywright::Permissions;
///
/// let on_call = Permissions::AUDITOR | Permissions::REVOKE_ANY;
/// assert!(on_call.contains(Permissions::SHOW_ANY));
/// assert!(!on_call.contains(Permissions::EDIT_ANY));
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Permissions(u32);

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Permissions {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*

            /// All permissions, each with its name.
            ///
            /// ```
            /// use keywright::Permissions;
            ///
            /// let held = Permissions::EACH.iter().filter(|(_, one)| Permissions::AUDITOR.contains(*one));
            /// let names: Vec<_> = held.map(|(name, _)| *name).collect();
            /// assert_eq!(names, ["SHOW_ANY", "SHOW_ACCOUNTS", "SHOW_POLICY", "SHOW_EVENTS"]);
            /// ```
            pub const EACH: &[(&str, Self)] = &[$((stringify!($name), Self::$name),)*];
        }
    };
}

permissions! {
    /// Permission to see the actor's own keys.
    SHOW_OWN = 0;
    /// Permission to see any key.
    SHOW_ANY = 1;
    /// Permission to generate keys that the actor owns.
    GENERATE_OWN = 2;
    /// Permission to generate keys for any owner, including service accounts.
    GENERATE_ANY = 3;
    /// Permission to rename, annotate, edit, disable and enable the actor's own keys.
    EDIT_OWN = 4;
    /// Permission to rename, annotate, edit, disable and enable any key.
    EDIT_ANY = 5;
    /// Permission to rotate the actor's own keys and to finish a rotation.
    ROTATE_OWN = 6;
    /// Permission to rotate any key and to finish a rotation.
    ROTATE_ANY = 7;
    /// Permission to revoke the actor's own keys.
    REVOKE_OWN = 8;
    /// Permission to revoke any key.
    REVOKE_ANY = 9;
    /// Permission to delete the actor's own keys.
    DELETE_OWN = 10;
    /// Permission to delete any key.
    DELETE_ANY = 11;
    /// Permission to see service accounts.
    SHOW_ACCOUNTS = 12;
    /// Permission to create, edit, disable, enable and delete service accounts.
    MANAGE_ACCOUNTS = 13;
    /// Permission to see the plan, the settings and the rules in force.
    SHOW_POLICY = 14;
    /// Permission to change the settings, within the plan.
    EDIT_SETTINGS = 15;
    /// Permission to set the plan. This permission is for the host, not for its tenants.
    SET_PLAN = 16;
    /// Permission to read audit events.
    SHOW_EVENTS = 17;
    /// Permission to remove events and dead (revoked or expired) keys after their retention.
    SWEEP = 18;
    /// Permission to give users a display name, to suspend and to restore them.
    MANAGE_USERS = 19;
    /// Permission to hand any key to another owner in the tenant. If one of the two owners is a
    /// service account, the actor needs [`MANAGE_ACCOUNTS`](Self::MANAGE_ACCOUNTS) too.
    TRANSFER_ANY = 20;
}

impl Permissions {
    /// The empty set.
    pub const NONE: Self = Self(0);
    /// Every permission: the set of [`Actor::administrator`].
    pub const ADMINISTRATOR: Self = Self((1 << 21) - 1);
    /// Permissions to see the policy, change the settings, see all keys and accounts, revoke any key,
    /// manage users and read events: the set of [`Actor::tenant_admin`].
    pub const TENANT_ADMIN: Self = Self::SHOW_ANY
        .union(Self::REVOKE_ANY)
        .union(Self::SHOW_ACCOUNTS)
        .union(Self::SHOW_POLICY)
        .union(Self::EDIT_SETTINGS)
        .union(Self::MANAGE_USERS)
        .union(Self::SHOW_EVENTS);
    /// Permissions for every operation on the actor's own keys, and to see the policy: the set of
    /// [`Actor::developer`].
    pub const DEVELOPER: Self = Self::SHOW_OWN
        .union(Self::GENERATE_OWN)
        .union(Self::EDIT_OWN)
        .union(Self::ROTATE_OWN)
        .union(Self::REVOKE_OWN)
        .union(Self::DELETE_OWN)
        .union(Self::SHOW_POLICY);
    /// Permissions to see everything: the set of [`Actor::auditor`].
    pub const AUDITOR: Self =
        Self::SHOW_ANY.union(Self::SHOW_ACCOUNTS).union(Self::SHOW_POLICY).union(Self::SHOW_EVENTS);

    /// Returns the union of both sets.
    ///
    /// The operator `|` does the same outside of constants.
    ///
    /// ```
    /// use keywright::Permissions;
    ///
    /// const ON_CALL: Permissions = Permissions::AUDITOR.union(Permissions::REVOKE_ANY);
    /// assert_eq!(ON_CALL, Permissions::AUDITOR | Permissions::REVOKE_ANY);
    /// ```
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether this set holds every permission of `other`.
    ///
    /// ```
    /// use keywright::Permissions;
    ///
    /// assert!(Permissions::ADMINISTRATOR.contains(Permissions::AUDITOR));
    /// assert!(!Permissions::DEVELOPER.contains(Permissions::AUDITOR));
    /// ```
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns whether the set allows `operation`; `own` tells whether the key is the actor's own.
    /// This function is the source of the table in the guide.
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
            Operation::KeyTransfer => self.contains(Self::TRANSFER_ANY),
            Operation::UserShow => {
                self.contains(Self::SHOW_ANY) || self.contains(Self::MANAGE_USERS)
            }
            Operation::UserName | Operation::UserSuspend | Operation::UserRestore => {
                self.contains(Self::MANAGE_USERS)
            }
            Operation::AccountShow => self.contains(Self::SHOW_ACCOUNTS),
            Operation::AccountCreate
            | Operation::AccountEdit
            | Operation::AccountDisable
            | Operation::AccountEnable
            | Operation::AccountDelete => self.contains(Self::MANAGE_ACCOUNTS),
            Operation::PolicyShow => self.contains(Self::SHOW_POLICY),
            Operation::SettingsEdit => self.contains(Self::EDIT_SETTINGS),
            Operation::PlanSet => self.contains(Self::SET_PLAN),
            Operation::EventsShow => self.contains(Self::SHOW_EVENTS),
            Operation::Sweep => self.contains(Self::SWEEP),
        }
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Self::EACH.iter().filter(|(_, one)| self.contains(*one));
        f.write_str("Permissions ")?;
        f.debug_set().entries(held.map(|(name, _)| name)).finish()
    }
}
