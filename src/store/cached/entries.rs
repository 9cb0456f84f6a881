//! The entries in memory: the keys that the store has and, separately, some ids that it does not have.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use papaya::HashMap;

use super::lease::Forget;
use crate::record::snapshot::Snapshot;
use crate::store::Subject;
use crate::value::id::KeyId;

/// The maximum number of unknown ids. They have a limit of their own, so that invented ids cannot
/// displace keys.
const MOST_ABSENT: usize = 10_000;

pub(super) struct Entries {
    found: HashMap<KeyId, Arc<Snapshot>, RandomState>,
    absent: HashMap<KeyId, (), RandomState>,
    capacity: usize,
}

impl Entries {
    pub(super) fn new(capacity: usize) -> Self {
        Self { found: HashMap::default(), absent: HashMap::default(), capacity }
    }

    pub(super) fn get(&self, key: &KeyId) -> Option<Arc<Snapshot>> {
        self.found.pin().get(key).cloned()
    }

    pub(super) fn is_absent(&self, key: &KeyId) -> bool {
        self.absent.pin().contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Keeps an answer in place of an earlier one. Only one call may run at a time.
    pub(super) fn keep(&self, key: KeyId, found: Option<&Arc<Snapshot>>) {
        let Some(snapshot) = found else {
            let absent = self.absent.pin();
            if absent.len() >= MOST_ABSENT {
                absent.clear();
            }
            absent.insert(key, ());
            self.found.pin().remove(&key);
            return;
        };
        let entries = self.found.pin();
        if !entries.contains_key(&key) {
            // Any keys may go: a key that is in use is read again at its next use.
            let surplus = (entries.len() + 1).saturating_sub(self.capacity);
            let surplus: Vec<_> = entries.keys().take(surplus).copied().collect();
            for other in &surplus {
                entries.remove(other);
            }
        }
        entries.insert(key, Arc::clone(snapshot));
        self.absent.pin().remove(&key);
    }

    pub(super) fn forget(&self, forget: &Forget) {
        match forget {
            Forget::Nothing => {}
            Forget::These(subjects) => self.forget_these(subjects),
            Forget::Everything => {
                self.found.pin().clear();
                self.absent.pin().clear();
            }
        }
    }

    pub(super) fn forget_these(&self, subjects: &[Subject]) {
        let (found, absent) = (self.found.pin(), self.absent.pin());
        let (mut accounts, mut tenants) = (HashSet::new(), HashSet::new());
        let mut users = HashSet::new();
        for subject in subjects {
            match subject {
                Subject::Key(key) => {
                    found.remove(key);
                    absent.remove(key);
                }
                Subject::Account(account) => {
                    accounts.insert(account);
                }
                Subject::User(tenant, user) => {
                    users.insert((tenant, user));
                }
                Subject::Policy(tenant) => {
                    tenants.insert(tenant);
                }
                // Events are not cached.
                Subject::Events(_) => {}
            }
        }
        if accounts.is_empty() && users.is_empty() && tenants.is_empty() {
            return;
        }
        // A change of an account, a user or a policy is rare, so it may examine every key.
        let depends_on = |snapshot: &Snapshot| {
            let key = snapshot.record().key();
            tenants.contains(&key.tenant)
                || snapshot.account().is_some_and(|account| accounts.contains(&account.id))
                || key.owner.user().is_some_and(|user| users.contains(&(&key.tenant, user)))
        };
        found.retain(|_, snapshot| !depends_on(snapshot));
    }
}
