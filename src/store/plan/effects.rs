//! The effects of a batch: the rows that a store writes.

use std::collections::HashMap;

use super::deleted::{DeletedId, Tombstone};
use crate::record::account::ServiceAccount;
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::record::policy::TenantPolicy;
use crate::record::usage::{LastBatch, Usage};
use crate::record::user::User;
use crate::store::batch::Subject;
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// The effects of a batch: the rows to insert, replace and remove.
///
/// A store writes all effects or none. Destructure the effects with a pattern that names every
/// field. If a later version of the crate adds a field, the store then does not compile until it
/// writes that field too.
///
/// ```
/// use keywright::store::plan::Effects;
///
/// fn write(effects: Effects) {
///     let Effects {
///         new_keys, changed_keys, deleted_keys, new_accounts, changed_accounts,
///         deleted_accounts, users, policies, usage, writer, forgotten_writers, events, last_events,
///         tombstones, forgotten_events, forgotten_ids,
///     } = effects;
///     // Insert, replace and remove these rows in one transaction.
/// }
/// write(Effects::default());
/// ```
///
/// # Deleted ids and writers
///
/// [`Rows`](super::Rows) holds only the rows that were read. A store that plans on it finds
/// [`forgotten_ids`](Self::forgotten_ids) and [`forgotten_writers`](Self::forgotten_writers) always
/// empty. It removes these rows in the same transaction, with two statements of its own:
///
/// * For each tenant and number of [`forgotten_events`](Self::forgotten_events), it removes the
///   deleted ids whose [`Tombstone::event`] is at most this number:
///   `DELETE FROM deleted WHERE tenant = :tenant AND event <= :number`.
/// * With a [`writer`](Self::writer), it removes the writers whose [`Writer::at`] is more than 7 days
///   before that of the new one: `DELETE FROM writers WHERE at < :seven_days_before`.
///
/// A store may also keep both kinds of rows permanently. The two tables then grow without bound.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The keys to insert.
    pub new_keys: Vec<KeyRecord>,
    /// The keys to replace.
    pub changed_keys: Vec<KeyRecord>,
    /// The keys to remove, with their usage.
    pub deleted_keys: Vec<KeyId>,
    /// The service accounts to insert.
    pub new_accounts: Vec<ServiceAccount>,
    /// The service accounts to replace.
    pub changed_accounts: Vec<ServiceAccount>,
    /// The service accounts to remove.
    pub deleted_accounts: Vec<AccountId>,
    /// The records of users to insert or replace.
    pub users: Vec<User>,
    /// The policies to insert or replace.
    pub policies: Vec<(TenantId, TenantPolicy)>,
    /// The usage to insert or replace: the new totals, not what is added to them.
    pub usage: Vec<(KeyId, Usage)>,
    /// The writer of usage to insert or replace, with its id.
    pub writer: Option<([u8; 16], Writer)>,
    /// The ids of the writers of usage to remove. Empty if the view is [`Rows`](super::Rows).
    pub forgotten_writers: Vec<[u8; 16]>,
    /// The events to insert, with their sequence numbers.
    pub events: Vec<Event>,
    /// The number of the newest event of each tenant that has new events. A store that finds it as
    /// the highest number among a tenant's events does not write it.
    pub last_events: HashMap<TenantId, u64>,
    /// The deleted ids to remember, which inserts must not use again.
    pub tombstones: Vec<Tombstone>,
    /// The tenants whose oldest events are removed, each with the number of the last event to
    /// remove.
    pub forgotten_events: Vec<(TenantId, u64)>,
    /// The deleted ids to forget with these events. They may be used again. Empty if the view is
    /// [`Rows`](super::Rows).
    pub forgotten_ids: Vec<DeletedId>,
}

/// The row that a store keeps for a writer of usage.
///
/// The id of the writer is the primary key of the row.
///
/// ```
/// use keywright::store::UsageBatch;
/// use keywright::store::plan::Writer;
///
/// let at = "2027-01-15T08:00:00Z".parse()?;
/// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: Vec::new() };
/// let writer = Writer { last: batch.as_last(), at: batch.at };
/// assert_eq!(writer.last.sequence, 1);
/// # Ok::<(), keywright::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Writer {
    /// The last batch of this writer.
    pub last: LastBatch,
    /// The time at which the writer made that batch.
    pub at: Timestamp,
}

impl Effects {
    /// Returns the keys to insert or replace.
    pub fn written_keys(&self) -> impl Iterator<Item = &KeyRecord> {
        self.new_keys.iter().chain(&self.changed_keys)
    }

    /// Returns the service accounts to insert or replace.
    pub fn written_accounts(&self) -> impl Iterator<Item = &ServiceAccount> {
        self.new_accounts.iter().chain(&self.changed_accounts)
    }

    /// Returns the subjects that the batch touches, for
    /// [`KeyStore::changes`](crate::store::KeyStore::changes).
    ///
    /// ```
    /// use keywright::store::plan::Effects;
    ///
    /// let key = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// let effects = Effects { deleted_keys: vec![key], ..Effects::default() };
    /// let touched: Vec<String> = effects.subjects().map(|subject| subject.to_string()).collect();
    /// assert_eq!(touched, ["key:4fQ2xk9ZrT7bWm1c"]);
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        let keys = self.written_keys().map(KeyRecord::id).chain(&self.deleted_keys);
        let accounts = self.written_accounts().map(|account| &account.id);
        let accounts = accounts.chain(&self.deleted_accounts).copied().map(Subject::Account);
        let users = self.users.iter();
        let users = users.map(|user| Subject::User(user.tenant.clone(), user.id.clone()));
        let policies = self.policies.iter().map(|(tenant, _)| Subject::Policy(tenant.clone()));
        let events = self.forgotten_events.iter();
        let events = events.map(|(tenant, _)| Subject::Events(tenant.clone()));
        keys.copied().map(Subject::Key).chain(accounts).chain(users).chain(policies).chain(events)
    }
}
