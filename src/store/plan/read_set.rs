//! The rows that a batch needs, for a store that reads them before it plans.

use super::deleted::DeletedId;
use super::uses::alerts_due;
use super::view::View;
use crate::record::key::{KeyRecord, Owner};
use crate::record::usage::UsageBatch;
use crate::store::batch::{Batch, Change, Condition};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::time::Timestamp;

/// The rows that a store must read to plan a batch.
///
/// Each field leads to rows of a table, which the store puts into a field of
/// [`Rows`](super::Rows). The store leaves out rows that do not exist. It may read more rows than
/// these. The guide has [a statement of SQL](crate::guide::custom_store#reading-the-rows) for each
/// field.
///
/// ```
/// use keywright::store::plan::ReadSet;
/// use keywright::store::{Batch, Change};
/// use keywright::KeyId;
///
/// let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// let revoke = Change::RevokeKey { key, at: "2027-01-15T08:00:00Z".parse()? };
/// let globex = "globex".parse()?;
/// let wanted = ReadSet::of(&Batch { changes: vec![revoke], ..Batch::of(globex) });
/// assert_eq!(wanted, ReadSet { keys: vec![key], ..ReadSet::default() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReadSet {
    /// Keys to read into [`Rows::keys`](super::Rows::keys). If a service account owns the key, the
    /// store also reads the account, into [`Rows::accounts`](super::Rows::accounts).
    pub keys: Vec<KeyId>,
    /// Owners of whom live keys must be read, into [`Rows::keys`](super::Rows::keys).
    pub owners: Vec<OwnerKeys>,
    /// Service accounts to read into [`Rows::accounts`](super::Rows::accounts).
    pub accounts: Vec<AccountId>,
    /// Service accounts that the batch removes. Each of them is in [`accounts`](Self::accounts)
    /// too. For each, the store reads one key that the account owns, dead or live, and that is not
    /// in [`keys`](Self::keys), into [`Rows::keys`](super::Rows::keys). If there is such a key, the
    /// batch is refused.
    pub emptied_accounts: Vec<AccountId>,
    /// The users whose records to read, each with the tenant that keeps the record.
    pub users: Vec<(TenantId, UserId)>,
    /// Tenants whose policies must be read, into [`Rows::policies`](super::Rows::policies).
    pub policies: Vec<TenantId>,
    /// Ids to look up among the deleted ids. The store puts those that it finds into
    /// [`Rows::deleted`](super::Rows::deleted).
    pub deleted: Vec<DeletedId>,
    /// The tenant of the batch, if the number of its newest event must be read into
    /// [`Rows::last_events`](super::Rows::last_events). A tenant without events is left out there.
    pub numbered: Option<TenantId>,
}

/// A request for the live keys of an owner, which a condition counts.
///
/// The store reads keys that meet all of these conditions:
/// * The key is one of this tenant and this owner.
/// * The key is live at [`at`](Self::at): it is not revoked, and it has no
///   [`expires_at`](crate::Key::expires_at) or one after `at`. A disabled key is live, and so is a
///   key that is not valid yet. In SQL:
///   `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at)`.
/// * The key is not in [`ReadSet::keys`].
///
/// ```
/// use keywright::TenantId;
/// use keywright::store::plan::ReadSet;
/// use keywright::store::{Batch, Condition};
///
/// let (globex, owner) = (TenantId::new("globex")?, "user:alice".parse()?);
/// let at = "2027-01-15T08:00:00Z".parse()?;
/// let below = Condition::LiveKeysBelow { tenant: globex.clone(), owner, limit: 10, at };
/// let wanted = ReadSet::of(&Batch { conditions: vec![below], ..Batch::of(globex) });
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
    /// The number of live keys after which the store can stop reading. The keys of
    /// [`ReadSet::keys`] do not count toward it, because the batch may revoke or remove them.
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
    /// let globex = "globex".parse()?;
    /// let wanted = ReadSet::of(&Batch { changes: vec![delete], ..Batch::of(globex) });
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
        let has_number = |change: &Change| {
            matches!(
                change,
                Change::DeleteKey(_) | Change::DeleteAccount(_) | Change::ForgetEvents { .. }
            )
        };
        let needs_number = !batch.events.is_empty() || batch.changes.iter().any(has_number);
        set.numbered = needs_number.then(|| batch.tenant.clone());
        set
    }

    /// Returns the rows that the alerts of a batch of usage need.
    ///
    /// The store calls it after it has read the usage of the batch's keys into `view`, and before
    /// it calls [`usage`](super::usage). The set is empty if no alert is due.
    ///
    /// The keys may belong to several tenants. For the tenant of each record in
    /// [`keys`](Self::keys), the store also reads the number of the newest event.
    ///
    /// ```
    /// use keywright::store::plan::{ReadSet, Rows};
    /// use keywright::store::{Usage, UsageBatch, UsageDelta, UseKind};
    /// # use keywright::{KeyId, Timestamp};
    ///
    /// # let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    /// # let at: Timestamp = "2027-01-15T08:00:00Z".parse()?;
    /// // 120 refused uses in an hour are more than 100.
    /// let alert = Some("100/3600s".parse()?);
    /// let delta = UsageDelta { key, kind: UseKind::Refused, uses: 120, last_used_at: at, alert };
    /// let batch = UsageBatch { writer: [7; 16], sequence: 1, at, deltas: vec![delta] };
    ///
    /// let mut rows = Rows::default();
    /// rows.usage.insert(key, Usage::default());
    /// assert_eq!(ReadSet::of_alerts(&rows, &batch).keys, [key]);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn of_alerts(view: &impl View, batch: &UsageBatch) -> Self {
        Self { keys: alerts_due(view, batch), ..Self::default() }
    }

    fn add_condition(&mut self, condition: &Condition) {
        match condition {
            Condition::AccountVersion { account, .. } => self.accounts.push(*account),
            Condition::KeyOwner { key, .. } => self.keys.push(*key),
            Condition::PolicyVersion { tenant, .. } => self.policies.push(tenant.clone()),
            Condition::UserVersion { tenant, user, .. } => {
                self.users.push((tenant.clone(), user.clone()));
            }
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
            Change::RevokeKey { key, .. } | Change::DeleteKey(key) => self.keys.push(*key),
            Change::InsertAccount(account) => {
                self.accounts.push(account.id);
                self.deleted.push(DeletedId::Account(account.id));
            }
            Change::UpdateAccount(account) => self.accounts.push(account.id),
            Change::DeleteAccount(account) => {
                self.accounts.push(*account);
                self.emptied_accounts.push(*account);
            }
            Change::PutUser(user) => self.users.push((user.tenant.clone(), user.id.clone())),
            Change::PutPolicy { tenant, .. } => self.policies.push(tenant.clone()),
            Change::ForgetEvents { .. } => {}
        }
    }

    fn add_key(&mut self, record: &KeyRecord) {
        self.keys.push(*record.id());
        self.accounts.extend(record.key().owner.account());
    }
}
