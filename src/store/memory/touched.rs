//! The rows that changes have touched, which a transfer copies again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::store::plan::{DeletedId, Effects, Tombstone};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};

/// The rows that changes have touched. They may exist or be gone.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Touched {
    /// The keys whose record or usage was touched.
    pub(in crate::store) keys: BTreeSet<KeyId>,
    pub(in crate::store) accounts: BTreeSet<AccountId>,
    /// The users whose record was touched, each with the tenant of the record.
    pub(in crate::store) users: BTreeSet<(TenantId, UserId)>,
    /// The tenants whose policy was touched.
    pub(in crate::store) policies: BTreeSet<TenantId>,
    /// The deleted ids, with `None` for those that were forgotten.
    pub(in crate::store) deleted: BTreeMap<DeletedId, Option<Tombstone>>,
    pub(in crate::store) writers: BTreeSet<[u8; 16]>,
    /// The tenants that have new events, or whose oldest events were removed.
    pub(in crate::store) events: BTreeSet<TenantId>,
}

impl Touched {
    fn note(&mut self, effects: &Effects) {
        // The pattern names every field, so that a new kind of row cannot be forgotten here.
        let Effects {
            new_keys,
            changed_keys,
            deleted_keys,
            new_accounts,
            changed_accounts,
            deleted_accounts,
            users,
            policies,
            usage,
            writer,
            forgotten_writers,
            events: _,
            last_events,
            tombstones,
            forgotten_events,
            forgotten_ids,
        } = effects;
        self.keys.extend(new_keys.iter().chain(changed_keys).map(|record| *record.id()));
        self.keys.extend(deleted_keys.iter().copied());
        self.keys.extend(usage.iter().map(|(key, _)| *key));
        self.accounts.extend(new_accounts.iter().chain(changed_accounts).map(|account| account.id));
        self.accounts.extend(deleted_accounts.iter().copied());
        self.users.extend(users.iter().map(|user| (user.tenant.clone(), user.id.clone())));
        self.policies.extend(policies.iter().map(|(tenant, _)| tenant.clone()));
        self.deleted.extend(forgotten_ids.iter().map(|id| (*id, None)));
        self.deleted.extend(tombstones.iter().map(|new| (new.id, Some(new.clone()))));
        self.writers.extend(writer.iter().map(|(id, _)| *id));
        self.writers.extend(forgotten_writers.iter().copied());
        self.events.extend(last_events.keys().cloned());
        self.events.extend(forgotten_events.iter().map(|(tenant, _)| tenant.clone()));
    }

    /// Adds the rows of later changes.
    pub(in crate::store) fn absorb(&mut self, later: Self) {
        let Self { keys, accounts, users, policies, deleted, writers, events } = later;
        self.keys.extend(keys);
        self.accounts.extend(accounts);
        self.users.extend(users);
        self.policies.extend(policies);
        self.deleted.extend(deleted);
        self.writers.extend(writers);
        self.events.extend(events);
    }
}

/// The journal of one transfer: the rows that were touched since the last call of
/// [`take`](Self::take).
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Journal(Arc<Mutex<Touched>>);

impl Journal {
    /// Empties the journal and returns its rows.
    pub(in crate::store) fn take(&self) -> Touched {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The journals of all transfers of a state. A journal ends when its transfer is dropped.
#[derive(Debug, Default)]
pub(in crate::store) struct Journals(Vec<Weak<Mutex<Touched>>>);

impl Journals {
    pub(in crate::store) fn begin(&mut self) -> Journal {
        let journal = Journal::default();
        self.0.push(Arc::downgrade(&journal.0));
        journal
    }

    /// Notes the rows that a change touches.
    pub(in crate::store) fn note(&mut self, effects: &Effects) {
        self.0.retain(|journal| {
            let Some(journal) = journal.upgrade() else { return false };
            journal.lock().unwrap_or_else(PoisonError::into_inner).note(effects);
            true
        });
    }
}
