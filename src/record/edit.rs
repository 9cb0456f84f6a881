//! This module holds edits of a key and the rules that an edit must meet.

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::admin_limits::{AdminLimits, KeyLimit};
use crate::record::key::{Key, KeyRecord, WrongStatus};
use crate::record::operation::{Operation, Outcome};
use crate::record::policy_in_force::PolicyInForce;
use crate::record::rules::{
    RuleError, check_highest_rate, check_name, check_rate, check_scopes, is_administrator,
};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::scope::ScopeSet;
use crate::value::text_enum::text_enum;
use crate::value::time::Timestamp;

/// A change of the name, scopes, networks, rate, description, contact or metadata of a key, for
/// [`Authority::edit`](crate::Authority::edit).
///
/// The edit changes only the fields that are set.
///
/// ```
/// use keywright::KeyEdit;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let edit = KeyEdit::new()
///     .scopes("invoices:read".parse()?)
///     .networks("203.0.113.0/24".parse()?);
/// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
/// assert_eq!(key.scopes.to_string(), "invoices:read");
/// assert_eq!(key.name.as_str(), "prod-main-app");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "setters take and return by value"]
pub struct KeyEdit {
    pub(crate) name: Option<Name>,
    pub(crate) scopes: Option<ScopeSet>,
    pub(crate) networks: Option<Networks>,
    pub(crate) rate: Option<NewRate>,
    pub(crate) description: Option<NewDescription>,
    pub(crate) contact: Option<NewContact>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) if_version: Option<u64>,
}

/// The rate to set; `None` removes the key's rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NewRate(pub(crate) Option<Rate>);

/// The description to set; `None` removes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NewDescription(pub(crate) Option<Description>);

/// The contact to set; `None` removes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NewContact(pub(crate) Option<Contact>);

impl KeyEdit {
    /// Creates an edit that changes nothing until a setter is called.
    ///
    /// ```
    /// use keywright::KeyEdit;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edited = authority.edit(&alice, &issued.key.id, KeyEdit::new()).await?;
    /// assert!(edited.is_unchanged());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    ///
    /// ```
    /// use keywright::{KeyEdit, Name};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new().name(Name::new("prod-billing")?);
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert_eq!(key.name.as_str(), "prod-billing");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn name(self, name: Name) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the key's scopes.
    ///
    /// **An empty set does not take the scopes away.** The key then follows the plan's default
    /// scopes, or the role of its service account. To stop a key, disable or revoke it.
    ///
    /// ```
    /// use keywright::KeyEdit;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new().scopes("invoices:read".parse()?);
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert_eq!(key.scopes.to_string(), "invoices:read");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes: Some(scopes), ..self }
    }

    /// Sets the networks that the key may be used from.
    ///
    /// [`Networks::anywhere`] removes the restriction.
    ///
    /// ```
    /// use keywright::KeyEdit;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new().networks("203.0.113.0/24 2001:db8::/32".parse()?);
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert!(!key.networks.is_anywhere());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn networks(self, networks: Networks) -> Self {
        Self { networks: Some(networks), ..self }
    }

    /// Sets the key's rate, or removes it with `None`.
    ///
    /// Without a rate of its own, the key has the policy's default rate.
    ///
    /// ```
    /// use keywright::KeyEdit;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new().rate(Some("100/60s".parse()?));
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert_eq!(key.rate.map(|rate| rate.uses()), Some(100));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn rate(self, rate: Option<Rate>) -> Self {
        Self { rate: Some(NewRate(rate)), ..self }
    }

    /// Sets the description, or removes it with `None`.
    ///
    /// ```
    /// use keywright::{Description, KeyEdit};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let description = Description::new("Sends invoices to the archive")?;
    /// let edit = KeyEdit::new().description(Some(description.clone()));
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert_eq!(key.description, Some(description));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn description(self, description: Option<Description>) -> Self {
        Self { description: Some(NewDescription(description)), ..self }
    }

    /// Sets the contact, or removes it with `None`.
    ///
    /// ```
    /// use keywright::{Contact, KeyEdit};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let contact = Contact::new("billing-team@example.com")?;
    /// let edit = KeyEdit::new().contact(Some(contact.clone()));
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert_eq!(key.contact, Some(contact));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn contact(self, contact: Option<Contact>) -> Self {
        Self { contact: Some(NewContact(contact)), ..self }
    }

    /// Replaces all metadata.
    ///
    /// ```
    /// use keywright::{KeyEdit, Metadata};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, Role, RoleName, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("billing")?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert(RoleName::new("reports")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new().metadata(Metadata::new([("team", "billing")])?);
    /// let key = authority.edit(&alice, &issued.key.id, edit).await?.into_inner();
    /// assert_eq!(key.metadata.get("team"), Some("billing"));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    /// Makes the edit fail unless the key still has this version.
    ///
    /// If the key has another version, the edit is refused as [`Stale`](crate::KeyError::Stale). So
    /// two people who edit the same key cannot overwrite each other's changes.
    ///
    /// ```
    /// use keywright::{KeyEdit, Networks};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let edit = KeyEdit::new().networks("203.0.113.0/24".parse()?).if_version(issued.key.version);
    /// authority.edit(&alice, &issued.key.id, edit).await?;
    ///
    /// // The first edit raised the version, so an edit of the old version is refused.
    /// let late = KeyEdit::new().networks(Networks::anywhere()).if_version(issued.key.version);
    /// assert!(authority.edit(&alice, &issued.key.id, late).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        Self { if_version: Some(version), ..self }
    }

    /// Returns the operation that applies to the edit: that of the field with the strictest rule.
    /// Name, description, contact and metadata can be changed in any status, other fields only while
    /// the key is neither revoked nor expired.
    pub(crate) fn operation(&self) -> Operation {
        // Without `..`: a new field that is missing here does not compile.
        let Self {
            name,
            scopes,
            networks,
            rate,
            description: _,
            contact: _,
            metadata: _,
            if_version: _,
        } = self;
        if scopes.is_some() || networks.is_some() || rate.is_some() {
            Operation::KeyEdit
        } else if name.is_some() {
            Operation::KeyRename
        } else {
            Operation::KeyAnnotate
        }
    }

    /// Checks that the actor may widen each limit that the edit widens.
    fn check_limits(
        &self,
        key: &Key,
        policy: PolicyInForce<'_>,
        actor: &Actor,
    ) -> Result<(), RuleError> {
        if is_administrator(actor, &key.owner) {
            return Ok(());
        }
        let set = key.admin_limits;
        let widens = |is_set: bool, limit: KeyLimit, bound: &dyn ToString| {
            let wider = || RuleError::SetByAdministrator { limit, bound: bound.to_string() };
            if is_set { Err(wider()) } else { Ok(()) }
        };
        if let Some(scopes) = &self.scopes
            && (scopes.first_outside(&key.scopes).is_some() || scopes.is_empty())
            && *scopes != key.scopes
        {
            let bound: &dyn ToString =
                if key.scopes.is_empty() { &"the default scopes" } else { &key.scopes };
            widens(set.scopes, KeyLimit::Scopes, bound)?;
        }
        if let Some(networks) = &self.networks
            && !networks.is_within(&key.networks)
        {
            let blocks: Vec<String> = key.networks.iter().map(ToString::to_string).collect();
            widens(set.networks, KeyLimit::Networks, &blocks.join(" "))?;
        }
        match (self.rate, key.rate) {
            (Some(NewRate(rate)), Some(limit)) if set.rate => {
                let is_within = rate.is_some_and(|rate| rate.is_within(&limit));
                widens(!is_within, KeyLimit::Rate, &limit)
            }
            (Some(NewRate(rate)), _) => check_rate(rate, &key.owner, actor, policy),
            (None, _) => Ok(()),
        }
    }

    /// Writes the description, contact and metadata of the edit to the key.
    fn write_notes(&self, key: &mut Key) {
        if let Some(NewDescription(description)) = &self.description {
            key.description.clone_from(description);
        }
        if let Some(NewContact(contact)) = &self.contact {
            key.contact.clone_from(contact);
        }
        if let Some(metadata) = &self.metadata {
            key.metadata.clone_from(metadata);
        }
    }

    /// Marks the limits that an administrator sets with this edit. Removing networks or a rate
    /// leaves that limit to the owner again.
    fn mark_admin_limits(&self, set: &mut AdminLimits) {
        set.scopes |= self.scopes.is_some();
        if let Some(networks) = &self.networks {
            set.networks = !networks.is_anywhere();
        }
        if let Some(NewRate(rate)) = self.rate {
            set.rate = rate.is_some();
        }
    }
}

/// The error for an edit that cannot be applied to a key.
#[derive(Clone, Debug)]
pub(crate) enum EditError {
    WrongStatus(WrongStatus),
    Rule(RuleError),
}

impl From<WrongStatus> for EditError {
    fn from(error: WrongStatus) -> Self {
        Self::WrongStatus(error)
    }
}

impl From<RuleError> for EditError {
    fn from(error: RuleError) -> Self {
        Self::Rule(error)
    }
}

impl KeyRecord {
    /// Applies only the description, contact and metadata of an edit. No rule of a policy limits
    /// them, so none is checked.
    pub(crate) fn annotate(
        &self,
        edit: &KeyEdit,
        now: Timestamp,
    ) -> Result<Outcome<Self>, WrongStatus> {
        self.possible(Operation::KeyAnnotate, now)?;
        let mut next = self.key().clone();
        edit.write_notes(&mut next);
        Ok(self.changed_to(next, now))
    }

    /// Applies an edit. `account` is the key's owner, if the owner is a service account.
    pub(crate) fn edit(
        &self,
        edit: &KeyEdit,
        actor: &Actor,
        policy: PolicyInForce<'_>,
        account: Option<&ServiceAccount>,
        now: Timestamp,
    ) -> Result<Outcome<Self>, EditError> {
        self.possible(edit.operation(), now)?;
        let key = self.key();
        if let Some(name) = edit.name.as_ref().filter(|name| **name != key.name) {
            check_name(name, policy)?;
        }
        if let Some(scopes) = &edit.scopes {
            check_scopes(scopes, &key.owner, account, policy)?;
        }
        if let Some(NewRate(rate)) = edit.rate {
            check_highest_rate(rate, policy)?;
        }
        edit.check_limits(key, policy, actor)?;
        let mut next = key.clone();
        next.name.clone_from(edit.name.as_ref().unwrap_or(&key.name));
        next.scopes.clone_from(edit.scopes.as_ref().unwrap_or(&key.scopes));
        next.networks.clone_from(edit.networks.as_ref().unwrap_or(&key.networks));
        next.rate = edit.rate.map_or(key.rate, |NewRate(rate)| rate);
        edit.write_notes(&mut next);
        if is_administrator(actor, &key.owner) {
            edit.mark_admin_limits(&mut next.admin_limits);
        }
        Ok(self.changed_to(next, now))
    }
}

text_enum! {
    /// A field of a key that an edit can change. Audit events list the changed fields by these
    /// names.
    pub(crate) enum KeyField {
        /// The key's name.
        Name = "name";
        /// The key's scopes.
        Scopes = "scopes";
        /// The key's networks.
        Networks = "networks";
        /// The key's rate.
        Rate = "rate";
        /// The key's description.
        Description = "description";
        /// The key's contact.
        Contact = "contact";
        /// The key's metadata.
        Metadata = "metadata";
    }
}

impl KeyField {
    /// Returns the fields in which the two keys differ.
    pub(crate) fn changed(before: &Key, after: &Key) -> Vec<Self> {
        let differs = |field: &Self| match field {
            Self::Name => before.name != after.name,
            Self::Scopes => before.scopes != after.scopes,
            Self::Networks => before.networks != after.networks,
            Self::Rate => before.rate != after.rate,
            Self::Description => before.description != after.description,
            Self::Contact => before.contact != after.contact,
            Self::Metadata => before.metadata != after.metadata,
        };
        Self::ALL.iter().copied().filter(differs).collect()
    }
}
