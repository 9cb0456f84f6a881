//! The rows that a batch needs, for a store that reads them before it plans.

use super::deleted::DeletedId;
use super::uses::alerts_due;
use super::view::View;
use crate::record::key::{KeyRecord, Owner};
use crate::record::usage::UsageBatch;
use crate::store::batch::{Batch, Change, Condition};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::time::Timestamp;

/// The rows that a store must read to plan a batch.
///
/// A store leaves out rows that do not exist. It may read more rows than these.
///
/// ```
/// use keywright::store::plan::ReadSet;
/// use keywright::store::{Batch, Change};
/// use keywright::KeyId;
///
/// let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// let revoke = Change::RevokeKey { key, at: "2027-01-15T08:00:00Z".parse()? };
/// let wanted = ReadSet::of(&Batch { changes: vec![revoke], ..Batch::default() });
/// assert_eq!(wanted, ReadSet { keys: vec![key], ..ReadSet::default() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReadSet {
    /// Keys to read, each with the service account that owns it.
    pub keys: Vec<KeyId>,
    /// Keys for whose tenants the store also reads the number of the newest event.
    pub numbered_keys: Vec<KeyId>,
    /// Owners of whom live keys must be read.
    pub owners: Vec<OwnerKeys>,
    /// Service accounts to read.
    pub accounts: Vec<AccountId>,
    /// Service accounts that the batch removes. For each, the store reads the number of its
    /// tenant's newest event, and one key of the account that is not in [`keys`](Self::keys), dead
    /// or live. If there is such a key, the batch is refused.
    pub emptied_accounts: Vec<AccountId>,
    /// Tenants whose policies must be read.
    pub policies: Vec<TenantId>,
    /// Ids to look up among the deleted ids.
    pub deleted: Vec<DeletedId>,
    /// Tenants of which the number of the newest event must be read.
    pub tenants: Vec<TenantId>,
}

/// A request for the live keys of an owner, which a condition counts.
///
/// ```
/// use keywright::store::plan::ReadSet;
/// use keywright::store::{Batch, Condition};
///
/// let (tenant, owner) = ("globex".parse()?, "user:alice".parse()?);
/// let at = "2027-01-15T08:00:00Z".parse()?;
/// let below = Condition::LiveKeysBelow { tenant, owner, limit: 10, at };
/// let wanted = ReadSet::of(&Batch { conditions: vec![below], ..Batch::default() });
/// // Ten live keys are enough to know that the limit is reached.
/// assert_eq!(wanted.owners[0].most, 10);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnerKeys {
    /// The tenant.
    pub tenant: TenantId,
    /// The owner.
    pub owner: Owner,
    /// The time at which the keys' statuses are computed.
    pub at: Timestamp,
    /// The number of live keys to read, or all if the owner has fewer. Keys in [`ReadSet::keys`] do
    /// not count.
    pub most: u16,
}

impl ReadSet {
    /// Returns the rows that [`batch`](super::batch) needs to plan a batch.
    ///
    /// ```
    /// use keywright::store::plan::ReadSet;
    /// use keywright::store::{Batch, Change};
    ///
    /// let account = "7bWm1c4fQ2xk9ZrT".parse()?;
    /// let delete = Change::DeleteAccount(account);
    /// let wanted = ReadSet::of(&Batch { changes: vec![delete], ..Batch::default() });
    /// assert_eq!((wanted.accounts, wanted.emptied_accounts), (vec![account], vec![account]));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn of(batch: &Batch) -> Self {
        let mut set = Self::default();
        for condition in &batch.conditions {
            set.add_condition(condition);
        }
        for change in &batch.changes {
            set.add_change(change);
        }
        set.tenants.extend(batch.events.iter().map(|event| event.tenant.clone()));
        set
    }

    /// Returns the rows that the alerts of a batch of usage need.
    ///
    /// The set is empty if no alert is due.
    ///
    /// `view` must have the usage of the batch's keys.
    ///
    /// ```
    /// use std::num::NonZeroU64;
    /// use keywright::store::plan::{ReadSet, Rows};
    /// use keywright::store::{Usage, UsageBatch, UsageDelta};
    /// # use keywright::{KeyId, Timestamp};
    ///
    /// # let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// # let at: Timestamp = "2027-01-15T08:00:00Z".parse()?;
    /// // 120 uses pass the threshold of 100.
    /// let alert_every = NonZeroU64::new(100);
    /// let delta = UsageDelta { key, secret_number: 1, uses: 120, last_used_at: at, alert_every };
    /// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: vec![delta] };
    ///
    /// let mut rows = Rows::default();
    /// rows.usage.insert(key, Usage::default());
    /// assert_eq!(ReadSet::of_alerts(&rows, &batch).keys, [key]);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn of_alerts(view: &impl View, batch: &UsageBatch) -> Self {
        let keys = alerts_due(view, batch);
        Self { numbered_keys: keys.clone(), keys, ..Self::default() }
    }

    fn add_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::AccountVersion { account, .. } => self.accounts.push(*account),
            Condition::PolicyVersion { tenant, .. } => self.policies.push(tenant.clone()),
            Condition::LiveKeysBelow { tenant, owner, limit, at } => {
                self.add_owner(tenant, owner, *at, *limit);
            }
            Condition::NoLiveKeyLeft { tenant, owner, at } => self.add_owner(tenant, owner, *at, 1),
        }
    }

    fn add_owner(&mut self, tenant: &TenantId, owner: &Owner, at: Timestamp, most: u16) {
        self.owners.push(OwnerKeys { tenant: tenant.clone(), owner: owner.clone(), at, most });
    }

    fn add_change(&mut self, change: &Change) {
        match change {
            Change::InsertKey(record) => {
                self.deleted.push(DeletedId::Key(*record.id()));
                self.add_key(record);
            }
            Change::UpdateKey(record) => self.add_key(record),
            Change::RevokeKey { key, .. } => self.keys.push(*key),
            Change::DeleteKey(key) => {
                self.keys.push(*key);
                self.numbered_keys.push(*key);
            }
            Change::InsertAccount(account) => {
                self.accounts.push(account.id);
                self.deleted.push(DeletedId::Account(account.id));
            }
            Change::UpdateAccount(account) => self.accounts.push(account.id),
            Change::DeleteAccount(account) => {
                self.accounts.push(*account);
                self.emptied_accounts.push(*account);
            }
            Change::PutPolicy { tenant, .. } => self.policies.push(tenant.clone()),
            Change::ForgetEvents { tenant, .. } => self.tenants.push(tenant.clone()),
        }
    }

    fn add_key(&mut self, record: &KeyRecord) {
        self.keys.push(*record.id());
        self.accounts.extend(record.key().owner.account());
    }
}
