//! Stamps: when each key, owner and tenant last changed, as far as the cache knows.
//!
//! Changes are numbered by generations. A stamp holds the generation of the last change of a subject.
//! An answer that was asked for in a generation is outdated once a subject that it depends on has a
//! later stamp. So a change of an owner or a policy takes one write, however many keys depend on it.
//!
//! A subject finds its stamp by its hash, so several subjects can share one. A change of one of them
//! then also outdates answers that depend on another. That costs a read of the store, and nothing else.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::key::Owner;
use crate::store::Subject;
use crate::value::id::{KeyId, TenantId};

/// The number of a change that is known to the cache. Later changes have greater numbers.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Generation(u64);

impl Generation {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The stamps of all subjects. Writers are excluded by the lock of the ledger. Readers take no lock.
#[derive(Debug)]
pub(super) struct Stamps {
    hasher: RandomState,
    keys: Box<[AtomicU64]>,
    owners: Box<[AtomicU64]>,
    tenants: Box<[AtomicU64]>,
    /// The last change that may have touched any subject.
    everything: AtomicU64,
}

/// The places of the stamps of a key's owner and tenant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    owner: u32,
    tenant: u32,
}

impl Stamps {
    /// Creates this many stamps of keys, of owners and of tenants.
    pub(super) fn new(count: usize) -> Self {
        let stamps = || (0..count.max(1)).map(|_| AtomicU64::new(0)).collect();
        Self {
            hasher: RandomState::default(),
            keys: stamps(),
            owners: stamps(),
            tenants: stamps(),
            everything: AtomicU64::new(0),
        }
    }

    /// Returns the places of the stamps on which a key of this owner depends.
    pub(super) fn places(&self, tenant: &TenantId, owner: &Owner) -> Places {
        let subject = match owner {
            Owner::User(user) => Subject::User(tenant.clone(), user.clone()),
            Owner::Account(account) => Subject::Account(*account),
            // No change names it, so that it may share any stamp.
            Owner::Organization => Subject::Policy(tenant.clone()),
        };
        let policy = Subject::Policy(tenant.clone());
        Places { owner: self.place(&subject), tenant: self.place(&policy) }
    }

    /// Notes that a subject changed.
    pub(super) fn move_to(&self, subject: &Subject, generation: Generation) {
        #[allow(unreachable_patterns, reason = "tests compile this file outside of the crate")]
        let stamps = match subject {
            Subject::Key(_) => &self.keys,
            Subject::Account(_) | Subject::User(..) => &self.owners,
            Subject::Policy(_) => &self.tenants,
            // Events are not cached.
            Subject::Events(_) => return,
            _ => return self.move_all_to(generation),
        };
        stamps[self.place(subject) as usize].store(generation.0, Ordering::Release);
    }

    /// Notes that any subject may have changed.
    pub(super) fn move_all_to(&self, generation: Generation) {
        self.everything.store(generation.0, Ordering::Release);
    }

    /// Returns whether no change of the key is known that is later than a generation.
    pub(super) fn has_kept_key(&self, key: &KeyId, since: Generation) -> bool {
        let place = self.place(&Subject::Key(*key)) as usize;
        self.keys[place].load(Ordering::Acquire) <= since.0 && self.has_kept_rest(since)
    }

    /// Returns whether no change of the owner or the tenant is known that is later than a generation.
    pub(super) fn has_kept(&self, places: Places, since: Generation) -> bool {
        let owner = self.owners[places.owner as usize].load(Ordering::Acquire);
        let tenant = self.tenants[places.tenant as usize].load(Ordering::Acquire);
        owner <= since.0 && tenant <= since.0 && self.has_kept_rest(since)
    }

    /// Returns whether no change is known that is later than a generation and may have touched any
    /// subject.
    pub(super) fn has_kept_rest(&self, since: Generation) -> bool {
        self.everything.load(Ordering::Acquire) <= since.0
    }

    /// Returns the place of a subject's stamp among those of its kind.
    fn place(&self, subject: &Subject) -> u32 {
        let count = self.keys.len() as u64;
        u32::try_from(self.hasher.hash_one(subject) % count).unwrap_or(0)
    }
}
