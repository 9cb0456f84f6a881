//! Edits of a key, and the rules that they must meet.

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::admin_limits::{AdminLimits, KeyLimit};
use crate::record::key::{Key, KeyRecord, WrongStatus};
use crate::record::operation::{Operation, Outcome};
use crate::record::policy::Policy;
use crate::record::rules::{RuleError, check_name, check_rate, check_scopes, is_administrator};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::rate::Rate;
use crate::value::scope::ScopeSet;
use crate::value::text_enum::text_enum;
use crate::value::time::Timestamp;

/// An edit of a key. Fields that are not set stay as they are.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct KeyEdit {
    pub(crate) name: Option<Name>,
    pub(crate) scopes: Option<ScopeSet>,
    pub(crate) networks: Option<Networks>,
    pub(crate) rate: Option<NewRate>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) if_version: Option<u64>,
}

/// The rate that a key is to have, where none is a rate to set too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRate(pub(crate) Option<Rate>);

impl KeyEdit {
    /// Creates an edit that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    pub fn name(self, name: Name) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the key's own scopes.
    ///
    /// **An empty set takes everything from a user's key, and gives an account's key the whole
    /// role.** To stop a key, disable or revoke it.
    pub fn scopes(self, scopes: ScopeSet) -> Self {
        Self { scopes: Some(scopes), ..self }
    }

    /// Sets the networks that the key may be used from. [`Networks::anywhere`] removes the
    /// restriction.
    pub fn networks(self, networks: Networks) -> Self {
        Self { networks: Some(networks), ..self }
    }

    /// Sets the key's own rate, or removes it.
    pub fn rate(self, rate: Option<Rate>) -> Self {
        Self { rate: Some(NewRate(rate)), ..self }
    }

    /// Replaces all metadata.
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    /// Makes the edit fail unless the key still has this version, for a caller who edits what they
    /// read.
    pub fn if_version(self, version: u64) -> Self {
        Self { if_version: Some(version), ..self }
    }

    /// Returns the operation that the edit is, by the strictest field that it sets. Name and
    /// metadata can be changed in any status, the rest not of a dead key.
    pub(crate) fn operation(&self) -> Operation {
        // Without `..`: a new field that is missing here does not compile.
        let Self { name, scopes, networks, rate, metadata: _, if_version: _ } = self;
        if scopes.is_some() || networks.is_some() || rate.is_some() {
            Operation::KeyEdit
        } else if name.is_some() {
            Operation::KeyRename
        } else {
            Operation::KeyAnnotate
        }
    }

    /// Checks that the edit widens nothing that is not the actor's to widen.
    fn check_limits(&self, key: &Key, policy: &Policy, actor: &Actor) -> Result<(), RuleError> {
        if is_administrator(actor, &key.owner) {
            return Ok(());
        }
        let set = key.admin_limits;
        let widens = |is_set: bool, limit: KeyLimit| {
            if is_set { Err(RuleError::SetByAdministrator(limit)) } else { Ok(()) }
        };
        if let Some(scopes) = &self.scopes
            && scopes.first_outside(&key.scopes).is_some()
        {
            widens(set.scopes, KeyLimit::Scopes)?;
        }
        if let Some(networks) = &self.networks
            && !networks.is_within(&key.networks)
        {
            widens(set.networks, KeyLimit::Networks)?;
        }
        match (self.rate, key.rate) {
            (Some(NewRate(rate)), Some(limit)) if set.rate => {
                widens(!rate.is_some_and(|rate| rate.is_within(&limit)), KeyLimit::Rate)
            }
            (Some(NewRate(rate)), _) => check_rate(rate, &key.owner, actor, policy),
            (None, _) => Ok(()),
        }
    }

    /// Marks the limits that an administrator sets with the edit. An administrator who removes a
    /// limit leaves it to the owner again.
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

/// A key cannot be edited like this.
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
    /// Applies the metadata of an edit, and nothing else of it. No rule of a policy is about metadata.
    pub(crate) fn annotate(
        &self,
        edit: &KeyEdit,
        now: Timestamp,
    ) -> Result<Outcome<Self>, WrongStatus> {
        self.possible(Operation::KeyAnnotate, now)?;
        let key = self.key();
        let metadata = edit.metadata.as_ref().unwrap_or(&key.metadata).clone();
        Ok(self.changed_to(Key { metadata, ..key.clone() }, now))
    }

    /// Applies an edit. `account` is the owner of the key, if it is a service account.
    pub(crate) fn edit(
        &self,
        edit: &KeyEdit,
        actor: &Actor,
        policy: &Policy,
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
        edit.check_limits(key, policy, actor)?;
        let mut next = key.clone();
        next.name.clone_from(edit.name.as_ref().unwrap_or(&key.name));
        next.scopes.clone_from(edit.scopes.as_ref().unwrap_or(&key.scopes));
        next.networks.clone_from(edit.networks.as_ref().unwrap_or(&key.networks));
        next.rate = edit.rate.map_or(key.rate, |NewRate(rate)| rate);
        next.metadata.clone_from(edit.metadata.as_ref().unwrap_or(&key.metadata));
        if is_administrator(actor, &key.owner) {
            edit.mark_admin_limits(&mut next.admin_limits);
        }
        Ok(self.changed_to(next, now))
    }
}

text_enum! {
    /// A field of a key that an edit can change. Prints as in events.
    pub(crate) enum KeyField {
        /// The name.
        Name = "name";
        /// The scopes.
        Scopes = "scopes";
        /// The networks.
        Networks = "networks";
        /// The rate.
        Rate = "rate";
        /// The metadata.
        Metadata = "metadata";
    }
}

impl KeyField {
    /// Returns the fields that an edit has changed.
    pub(crate) fn changed(before: &Key, after: &Key) -> Vec<Self> {
        let differs = |field: &Self| match field {
            Self::Name => before.name != after.name,
            Self::Scopes => before.scopes != after.scopes,
            Self::Networks => before.networks != after.networks,
            Self::Rate => before.rate != after.rate,
            Self::Metadata => before.metadata != after.metadata,
        };
        Self::ALL.iter().copied().filter(differs).collect()
    }
}
