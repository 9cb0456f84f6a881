//! The bodies of requests. An unknown field is refused, so that no client can set the tenant, id or
//! creator of a record.

use std::time::Duration;

use serde::Deserialize;

use super::problem::{Code, Problem};
use super::strict_values::{NetworkList, OrNull, ScopeList, Seconds, given, nullable};
use crate::record::account::{AccountEdit, NewAccount};
use crate::record::edit::KeyEdit;
use crate::record::key::Owner;
use crate::record::new_key::NewKey;
use crate::record::role::RoleName;
use crate::record::rules::RuleError;
use crate::value::id::KeyId;
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::scope::Access;
use crate::value::ticket::Ticket;
use crate::value::time::Timestamp;

/// Creates an `invalid_body` problem.
pub(super) fn invalid(detail: &'static str) -> Problem {
    Problem::new(Code::InvalidBody, detail)
}

/// The body of an operation without settings: `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyBody {
    name: Name,
    #[serde(default, deserialize_with = "given")]
    owner: Option<Owner>,
    #[serde(default, deserialize_with = "given")]
    scopes: Option<ScopeList>,
    #[serde(default, deserialize_with = "given")]
    networks: Option<NetworkList>,
    #[serde(default, deserialize_with = "given")]
    rate: Option<Rate>,
    #[serde(default, deserialize_with = "given")]
    description: Option<Description>,
    #[serde(default, deserialize_with = "given")]
    contact: Option<Contact>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default, deserialize_with = "given")]
    not_before: Option<Timestamp>,
    #[serde(default, deserialize_with = "given")]
    expires_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "given")]
    expires_in: Option<Seconds>,
    #[serde(default, deserialize_with = "given")]
    never_expires: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    ticket: Option<Ticket>,
}

impl NewKeyBody {
    /// Converts the body into a key of the owner that the path names.
    pub(crate) fn into_new_of(self, owner: Owner) -> Result<NewKey, Problem> {
        if self.owner.is_some() {
            return Err(invalid("owner: the path names the owner; send the body without it"));
        }
        Ok(self.into_new()?.owner(owner))
    }

    pub(crate) fn into_new(self) -> Result<NewKey, Problem> {
        let mut new = NewKey::new(self.name).metadata(self.metadata);
        if let Some(owner) = self.owner {
            new = new.owner(owner);
        }
        if let Some(ScopeList(scopes)) = self.scopes {
            new = new.scopes(scopes);
        }
        if let Some(NetworkList(networks)) = self.networks {
            new = new.networks(networks);
        }
        if let Some(rate) = self.rate {
            new = new.rate(rate);
        }
        if let Some(description) = self.description {
            new = new.description(description);
        }
        if let Some(contact) = self.contact {
            new = new.contact(contact);
        }
        if let Some(ticket) = self.ticket {
            new = new.ticket(ticket);
        }
        if let Some(time) = self.not_before {
            new = new.not_before(time);
        }
        match (self.expires_at, self.expires_in, self.never_expires) {
            (None, None, None | Some(false)) => Ok(new),
            (Some(time), None, None) => Ok(new.expires_at(time)),
            // The key would be expired from the start, under any policy.
            (None, Some(Seconds(Duration::ZERO)), None) => Err(RuleError::ZeroLifetime.into()),
            (None, Some(Seconds(lifetime)), None) => Ok(new.expires_in(lifetime)),
            (None, None, Some(true)) => Ok(new.never_expires()),
            _ => Err(invalid(
                "the body must have at most one of expires_at, expires_in and never_expires",
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyEditBody {
    #[serde(default, deserialize_with = "given")]
    name: Option<Name>,
    #[serde(default, deserialize_with = "given")]
    scopes: Option<ScopeList>,
    #[serde(default, deserialize_with = "given")]
    networks: Option<NetworkList>,
    /// The new rate, or null to remove the rate of the key.
    #[serde(default, deserialize_with = "given")]
    rate: Option<OrNull<Rate>>,
    /// The new description, or null to remove it.
    #[serde(default, deserialize_with = "given")]
    description: Option<OrNull<Description>>,
    /// The new contact, or null to remove it.
    #[serde(default, deserialize_with = "given")]
    contact: Option<OrNull<Contact>>,
    #[serde(default, deserialize_with = "given")]
    metadata: Option<Metadata>,
}

impl KeyEditBody {
    pub(crate) fn into_edit(self) -> Result<KeyEdit, Problem> {
        let Self { name, scopes, networks, rate, description, contact, metadata } = self;
        let named = [
            name.is_some(),
            scopes.is_some(),
            networks.is_some(),
            rate.is_some(),
            description.is_some(),
            contact.is_some(),
            metadata.is_some(),
        ];
        if named == [false; 7] {
            return Err(nothing_to_change());
        }
        let mut edit = KeyEdit::new();
        if let Some(name) = name {
            edit = edit.name(name);
        }
        if let Some(ScopeList(scopes)) = scopes {
            edit = edit.scopes(scopes);
        }
        if let Some(NetworkList(networks)) = networks {
            edit = edit.networks(networks);
        }
        if let Some(OrNull(rate)) = rate {
            edit = edit.rate(rate);
        }
        if let Some(OrNull(description)) = description {
            edit = edit.description(description);
        }
        if let Some(OrNull(contact)) = contact {
            edit = edit.contact(contact);
        }
        if let Some(metadata) = metadata {
            edit = edit.metadata(metadata);
        }
        Ok(edit)
    }
}

/// Creates the problem of an edit without fields.
pub(super) fn nothing_to_change() -> Problem {
    invalid("the body must have at least one field to change")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody {
    overlap: Seconds,
}

impl RotateBody {
    /// Returns how long the old secret still works. Zero is not the default, because it is
    /// dangerous: if the response with the new token is lost, no known secret of the key works.
    pub(crate) fn overlap(self) -> Duration {
        self.overlap.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeBody {
    ids: Vec<KeyId>,
}

impl RevokeBody {
    /// The maximum number of keys in one request. Each one is a separate commit.
    pub(crate) const MAX: usize = 100;

    pub(crate) fn into_ids(self) -> Result<Vec<KeyId>, Problem> {
        if (1..=Self::MAX).contains(&self.ids.len()) {
            Ok(self.ids)
        } else {
            Err(invalid("ids must have 1 to 100 entries"))
        }
    }
}

/// The new owner of one key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody {
    pub(crate) owner: Owner,
}

/// An owner, all of whose keys are revoked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerBody {
    pub(crate) owner: Owner,
}

/// Two owners, of which the second gets the keys of the first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOverBody {
    pub(crate) from: Owner,
    pub(crate) to: Owner,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserEditBody {
    /// The new name, or null to remove it.
    #[serde(deserialize_with = "nullable")]
    pub(crate) display_name: Option<Name>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccountBody {
    name: Name,
    role: RoleName,
    #[serde(default, deserialize_with = "given")]
    access: Option<Access>,
    #[serde(default, deserialize_with = "given")]
    ticket: Option<Ticket>,
}

impl NewAccountBody {
    pub(crate) fn into_new(self) -> NewAccount {
        let mut new = NewAccount::new(self.name, self.role);
        if let Some(ticket) = self.ticket {
            new = new.ticket(ticket);
        }
        match self.access {
            Some(Access::ReadOnly) => new.read_only(),
            Some(Access::ReadWrite) | None => new,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountEditBody {
    #[serde(default, deserialize_with = "given")]
    name: Option<Name>,
    #[serde(default, deserialize_with = "given")]
    role: Option<RoleName>,
    #[serde(default, deserialize_with = "given")]
    access: Option<Access>,
}

impl AccountEditBody {
    pub(crate) fn into_edit(self) -> Result<AccountEdit, Problem> {
        let Self { name, role, access } = self;
        if name.is_none() && role.is_none() && access.is_none() {
            return Err(nothing_to_change());
        }
        let mut edit = AccountEdit::new();
        if let Some(name) = name {
            edit = edit.name(name);
        }
        if let Some(role) = role {
            edit = edit.role(role);
        }
        if let Some(access) = access {
            edit = edit.access(access);
        }
        Ok(edit)
    }
}
