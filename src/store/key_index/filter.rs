//! The filters of a query that the columns decide.

use super::bits::Bits;
use super::columns::{Columns, DISABLED, KIND, REVOKED, kind_bits};
use crate::record::status::KeyStatus;
use crate::store::query::KeyQuery;
use crate::value::time::{NEVER_YET, Timestamp};

/// The filters of a query, without its search.
pub(super) struct Filter<'a> {
    columns: &'a Columns,
    at: i64,
    /// A bit for each status; 0 if every status is selected.
    statuses: u8,
    kind: Option<u8>,
    owner: Option<u32>,
    prefix: Option<u32>,
    contact: Option<u32>,
    metadata: u64,
    expiring_until: Option<i64>,
    unused_since: Option<i64>,
    never_used: bool,
    /// Whether the columns alone decide every filter.
    pub(super) is_exact: bool,
}

impl<'a> Filter<'a> {
    /// Returns the filters of a query; `None` if the index has no key that passes them.
    pub(super) fn new(query: &KeyQuery, at: Timestamp, columns: &'a Columns) -> Option<Self> {
        // Every field is named, so that a new filter cannot be forgotten.
        let KeyQuery {
            search: _,
            statuses,
            owner,
            owner_kind,
            contact,
            metadata,
            prefix,
            expiring_within,
            unused_since,
            never_used,
            sort: _,
            descending: _,
            after: _,
            limit: _,
        } = query;
        let bits = metadata.iter().map(|(name, value)| columns.metadata_bits(name, value));
        let owner = match owner {
            Some(owner) => Some(*columns.numbers.owners.get(owner)?),
            None => None,
        };
        let prefix = match prefix {
            Some(prefix) => Some(*columns.numbers.prefixes.get(prefix)?),
            None => None,
        };
        Some(Self {
            columns,
            at: at.unix_micros(),
            statuses: statuses.iter().fold(0, |all, status| all | status_bit(*status)),
            kind: owner_kind.map(kind_bits),
            owner,
            prefix,
            contact: contact.as_ref().map(|contact| columns.contact_hash(contact)),
            metadata: bits.fold(0, |all, bits| all | bits),
            expiring_until: expiring_within.map(|d| at.saturating_add(d).unix_micros()),
            unused_since: unused_since.map(Timestamp::unix_micros),
            never_used: *never_used,
            is_exact: contact.is_none() && metadata.is_empty(),
        })
    }

    /// Returns whether a slot passes the filters.
    pub(super) fn passes(&self, slot: u32) -> bool {
        self.columns.is_alive(slot)
            && self.owner.is_none_or(|owner| self.has_owner(slot, owner))
            && self.kind.is_none_or(|kind| self.has_kind(slot, kind))
            && (self.statuses == 0 || self.has_status(slot))
            && self.prefix.is_none_or(|prefix| self.has_prefix(slot, prefix))
            && self.contact.is_none_or(|contact| self.has_contact(slot, contact))
            && (self.metadata == 0 || self.has_metadata(slot))
            && self.expiring_until.is_none_or(|until| self.is_expiring(slot, until))
            && self.unused_since.is_none_or(|since| self.is_unused(slot, since))
            && (!self.never_used || self.is_never_used(slot))
    }

    /// Returns all slots that pass the filters. Each filter reads its columns in one go, which takes
    /// about a nanosecond for each key.
    pub(super) fn select(&self) -> Bits {
        let mut found = Bits::all(self.columns.len());
        if self.columns.dead() > 0 {
            found.retain(|slot| self.columns.is_alive(slot));
        }
        if let Some(owner) = self.owner {
            found.retain(|slot| self.has_owner(slot, owner));
        }
        if let Some(kind) = self.kind {
            found.retain(|slot| self.has_kind(slot, kind));
        }
        if self.statuses != 0 {
            found.retain(|slot| self.has_status(slot));
        }
        if let Some(prefix) = self.prefix {
            found.retain(|slot| self.has_prefix(slot, prefix));
        }
        if let Some(contact) = self.contact {
            found.retain(|slot| self.has_contact(slot, contact));
        }
        if self.metadata != 0 {
            found.retain(|slot| self.has_metadata(slot));
        }
        if let Some(until) = self.expiring_until {
            found.retain(|slot| self.is_expiring(slot, until));
        }
        if let Some(since) = self.unused_since {
            found.retain(|slot| self.is_unused(slot, since));
        }
        if self.never_used {
            found.retain(|slot| self.is_never_used(slot));
        }
        found
    }

    fn has_owner(&self, slot: u32, owner: u32) -> bool {
        self.columns.owners[slot as usize] == owner
    }

    fn has_kind(&self, slot: u32, kind: u8) -> bool {
        self.columns.flags[slot as usize] & KIND == kind
    }

    fn has_prefix(&self, slot: u32, prefix: u32) -> bool {
        self.columns.prefixes.get(slot) == prefix
    }

    fn has_contact(&self, slot: u32, contact: u32) -> bool {
        self.columns.contacts.get(slot) == contact
    }

    fn is_never_used(&self, slot: u32) -> bool {
        self.columns.used[slot as usize] == NEVER_YET
    }

    /// Computes the status in the order of [`Key::status`](crate::Key::status).
    fn has_status(&self, slot: u32) -> bool {
        let flags = self.columns.flags[slot as usize];
        let status = if flags & REVOKED != 0 {
            KeyStatus::Revoked
        } else if self.columns.expires[slot as usize] <= self.at {
            KeyStatus::Expired
        } else if flags & DISABLED != 0 {
            KeyStatus::Disabled
        } else if self.columns.begins.get(slot) > self.at {
            KeyStatus::Scheduled
        } else {
            KeyStatus::Active
        };
        self.statuses & status_bit(status) != 0
    }

    fn has_metadata(&self, slot: u32) -> bool {
        self.columns.metadata.get(slot) & self.metadata == self.metadata
    }

    fn is_expiring(&self, slot: u32, until: i64) -> bool {
        let expires = self.columns.expires[slot as usize];
        expires > self.at && expires <= until && self.columns.flags[slot as usize] & REVOKED == 0
    }

    fn is_unused(&self, slot: u32, since: i64) -> bool {
        self.columns.created[slot as usize] < since && self.columns.used[slot as usize] < since
    }
}

fn status_bit(status: KeyStatus) -> u8 {
    match status {
        KeyStatus::Active => 1,
        KeyStatus::Scheduled => 2,
        KeyStatus::Disabled => 4,
        KeyStatus::Expired => 8,
        KeyStatus::Revoked => 16,
    }
}
