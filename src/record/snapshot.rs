//! A key with its account and its policy, as of one moment: all that a decision rests on.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::key::{KeyRecord, Owner};
use crate::record::policy::Policy;
use crate::record::tally::{AlertThreshold, Tally};

/// A key record with its account and its tenant's policy, as of one moment.
///
/// Stores hand it out behind one [`Arc`]; accounts and policies are shared between snapshots. It
/// also carries the counter of the key's uses, so that counting needs no lookup.
#[derive(Debug)]
pub struct Snapshot {
    record: KeyRecord,
    account: Option<Arc<ServiceAccount>>,
    policy: Option<Arc<Policy>>,
    tally: Arc<Tally>,
}

/// The parts of a snapshot do not belong together: the store is corrupt.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("key {0} and the service account that came with it do not belong together")]
pub struct SnapshotError(String);

impl Snapshot {
    /// Creates a snapshot. `policy` is the tenant's stored policy, if it has one.
    ///
    /// # Errors
    /// [`SnapshotError`] unless `account` is the owner of the key, in its tenant, or absent for a
    /// key that a user owns. So a lost account can never widen a key.
    pub fn new(
        record: KeyRecord,
        account: Option<Arc<ServiceAccount>>,
        policy: Option<Arc<Policy>>,
    ) -> Result<Self, SnapshotError> {
        let key = record.key();
        let fits = match (&key.owner, &account) {
            (Owner::User(_), None) => true,
            (Owner::Account(id), Some(account)) => {
                account.id == *id && account.tenant == key.tenant
            }
            _ => false,
        };
        if !fits {
            return Err(SnapshotError(key.id.to_string()));
        }
        let alert = policy.as_ref().map_or(AlertThreshold::OfDefault, |policy| {
            AlertThreshold::Stored(policy.extensive_use)
        });
        let tally = Arc::new(Tally::new(key.id, key.secret_number, alert));
        Ok(Self { record, account, policy, tally })
    }

    /// Returns the key's record.
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns the service account that owns the key, if one does.
    pub fn account(&self) -> Option<&Arc<ServiceAccount>> {
        self.account.as_ref()
    }

    /// Returns the tenant's stored policy, if it has one.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }
}
