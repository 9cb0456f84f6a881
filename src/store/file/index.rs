//! The index: one table of keys, which lists records in several orders.
//!
//! Only the entries of keys by creation have a value; see `facts`.
//!
//! A key begins with a letter for the order, the tenant id and a zero byte. Ids, names and owners
//! have no zero byte. A time is its microseconds since 1970 in 8 bytes, most significant byte first
//! and with the sign bit flipped, so that times sort as bytes.
//!
//! | letter | order | then |
//! |---|---|---|
//! | `c` | keys by creation | time, key id |
//! | `m` | keys by last change | time, key id |
//! | `e` | keys by expiry, those without one last | time, key id |
//! | `l` | keys by last use, unused ones first | time, key id |
//! | `n` | keys by name | name, a zero byte, key id |
//! | `o` | keys by owner | owner as text, a zero byte, time of creation, key id |
//! | `v` | keys that are not revoked, by owner | owner as text, a zero byte, expiry, key id |
//! | `x` | keys that are not revoked and expire | expiry, key id |
//! | `a` | accounts by creation | time, account id |
//! | `d` | deleted ids by the event with which they are forgotten | sequence, id as text |
//! | `k` | events by key | key id, sequence |
//!
//! The letter `w` lists the writers of usage by their last batch: time, writer. It has no tenant and
//! no zero byte.

use crate::record::account::ServiceAccount;
use crate::record::key::{Key, Owner};
use crate::record::usage::Usage;
use crate::store::plan::Tombstone;
use crate::value::id::{KeyId, TenantId};
use crate::value::time::{NEVER, NEVER_YET, Timestamp};

/// An order in the index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Created,
    Updated,
    Expires,
    Used,
    Name,
    Owner,
    /// Keys that are not revoked, by owner and expiry. The live keys of an owner are a range of it.
    Unrevoked,
    /// Keys that are not revoked and have an expiry, by expiry.
    Ending,
    Accounts,
    Deleted,
    EventsOfKey,
}

impl Order {
    const fn letter(self) -> u8 {
        match self {
            Self::Created => b'c',
            Self::Updated => b'm',
            Self::Expires => b'e',
            Self::Used => b'l',
            Self::Name => b'n',
            Self::Owner => b'o',
            Self::Unrevoked => b'v',
            Self::Ending => b'x',
            Self::Accounts => b'a',
            Self::Deleted => b'd',
            Self::EventsOfKey => b'k',
        }
    }

    /// Returns whether an entry is one of this order.
    pub(super) fn has(self, entry: &[u8]) -> bool {
        entry.first() == Some(&self.letter())
    }

    /// Returns the prefix of a tenant's entries.
    pub(super) fn prefix(self, tenant: &TenantId) -> Vec<u8> {
        [&[self.letter()], tenant.as_str().as_bytes(), &[0]].concat()
    }

    /// Returns the prefix of an owner's entries, in the orders [`Owner`](Self::Owner) and
    /// [`Unrevoked`](Self::Unrevoked).
    pub(super) fn owner_prefix(self, tenant: &TenantId, owner: &Owner) -> Vec<u8> {
        let mut prefix = self.prefix(tenant);
        prefix.extend_from_slice(owner.to_string().as_bytes());
        prefix.push(0);
        prefix
    }
}

/// Returns the first key after all keys with a prefix that ends with a zero byte.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = 1;
    }
    end
}

/// Returns a time as bytes that sort as the time.
pub(super) fn sortable(micros: i64) -> [u8; 8] {
    (micros ^ i64::MIN).to_be_bytes()
}

/// Returns the time of [`sortable`].
pub(super) fn micros_of(sortable: [u8; 8]) -> i64 {
    i64::from_be_bytes(sortable) ^ i64::MIN
}

/// Returns the key of an entry with a time, and optionally with an id behind it.
pub(super) fn timed(mut prefix: Vec<u8>, micros: i64, id: &[u8]) -> Vec<u8> {
    prefix.extend_from_slice(&sortable(micros));
    prefix.extend_from_slice(id);
    prefix
}

/// Returns the key of an entry with a name, and optionally with an id behind it.
pub(super) fn named(mut prefix: Vec<u8>, name: &str, id: &[u8]) -> Vec<u8> {
    prefix.extend_from_slice(name.as_bytes());
    prefix.push(0);
    prefix.extend_from_slice(id);
    prefix
}

/// Returns the id at the end of an entry, and the part before it.
pub(super) fn split_id(entry: &[u8]) -> Option<(&[u8], KeyId)> {
    let (front, id) = entry.split_last_chunk::<16>()?;
    Some((front, std::str::from_utf8(id).ok()?.parse().ok()?))
}

/// Returns the time and the key id at the end of an entry.
pub(super) fn split_time(entry: &[u8]) -> Option<(i64, KeyId)> {
    let (front, id) = split_id(entry)?;
    Some((micros_of(*front.last_chunk()?), id))
}

/// Returns the entries of a key, except the one for its last use.
pub(super) fn entries_of_key(key: &Key) -> Vec<Vec<u8>> {
    let id = key.id.as_bytes();
    let expiry = key.expires_at.map_or(NEVER, Timestamp::unix_micros);
    let by_time = |order: Order, micros| timed(order.prefix(&key.tenant), micros, id);
    let by_owner =
        |order: Order, micros| timed(order.owner_prefix(&key.tenant, &key.owner), micros, id);
    let mut entries = vec![
        by_time(Order::Created, key.created_at.unix_micros()),
        by_time(Order::Updated, key.updated_at.unix_micros()),
        by_time(Order::Expires, expiry),
        named(Order::Name.prefix(&key.tenant), key.name.as_str(), id),
        by_owner(Order::Owner, key.created_at.unix_micros()),
    ];
    if key.revoked_at.is_none() {
        entries.push(by_owner(Order::Unrevoked, expiry));
        if key.expires_at.is_some() {
            entries.push(by_time(Order::Ending, expiry));
        }
    }
    entries
}

/// Returns the entry of a key for its last use.
pub(super) fn entry_of_use(tenant: &TenantId, id: &KeyId, usage: Option<&Usage>) -> Vec<u8> {
    let last = usage.and_then(Usage::last_used_at).map_or(NEVER_YET, Timestamp::unix_micros);
    timed(Order::Used.prefix(tenant), last, id.as_bytes())
}

pub(super) fn entry_of_account(account: &ServiceAccount) -> Vec<u8> {
    let created = account.created_at.unix_micros();
    timed(Order::Accounts.prefix(&account.tenant), created, account.id.as_str().as_bytes())
}

pub(super) fn entry_of_tombstone(Tombstone { id, tenant, event }: &Tombstone) -> Vec<u8> {
    let mut entry = Order::Deleted.prefix(tenant);
    entry.extend_from_slice(&event.to_be_bytes());
    entry.extend_from_slice(id.to_string().as_bytes());
    entry
}

/// Returns the prefix of the entries of a key's events. It begins with the tenant of the events, so
/// another tenant's failed calls on the same key id have another prefix.
pub(super) fn prefix_of_events(tenant: &TenantId, key: &KeyId) -> Vec<u8> {
    let mut prefix = Order::EventsOfKey.prefix(tenant);
    prefix.extend_from_slice(key.as_bytes());
    prefix
}

/// Returns the entry of a writer of usage.
pub(super) fn entry_of_writer(at: Timestamp, writer: &[u8]) -> Vec<u8> {
    timed(vec![b'w'], at.unix_micros(), writer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_bytes() {
        let times = [i64::MIN, -2, NEVER_YET, 0, 1, 255, 256, NEVER];
        assert!(times.is_sorted_by_key(|time| sortable(*time)));
        assert!(times.iter().all(|time| micros_of(sortable(*time)) == *time));
    }

    #[test]
    fn names_sort_before_their_extensions() {
        let entry = |name| named(vec![b'n'], name, b"4fQ2xk9ZrT7bWm1c");
        assert!(entry("a") < entry("a b") && entry("a b") < entry("ab"));
    }
}
