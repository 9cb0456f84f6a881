//! Handing a key to another owner.

use crate::record::account::ServiceAccount;
use crate::record::key::{Key, KeyRecord, Owner, WrongStatus};
use crate::record::operation::{Operation, Outcome};
use crate::record::policy_in_force::PolicyInForce;
use crate::record::scopes_in_force::ScopesInForce;
use crate::value::time::Timestamp;

/// The reason for which a key cannot be handed to another owner.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TransferKeyError {
    WrongStatus(WrongStatus),
    /// The new owner can have none of the key's scopes. Without scopes of its own, the key would
    /// have all those that the new owner's keys follow.
    NoScopeLeft,
}

/// The accounts on both sides of a transfer, if they are accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides<'a> {
    pub(crate) from: Option<&'a ServiceAccount>,
    pub(crate) to: Option<&'a ServiceAccount>,
}

impl KeyRecord {
    /// Returns the record with a new owner. The key keeps the scopes that it effectively has, cut
    /// to those that keys of the new owner can have.
    pub(crate) fn transfer(
        &self,
        owner: &Owner,
        sides: Sides<'_>,
        policy: PolicyInForce<'_>,
        now: Timestamp,
    ) -> Result<Outcome<Self>, TransferKeyError> {
        self.possible(Operation::KeyTransfer, now).map_err(TransferKeyError::WrongStatus)?;
        let key = self.key();
        let mut next = Key { owner: owner.clone(), ..key.clone() };
        // Without a role on either side, nothing changes: the plan is the same for both.
        let has_role = key.owner.account().is_some() || owner.account().is_some();
        if key.owner != *owner && has_role {
            next.scopes = ScopesInForce::of(key, sides.from, policy.plan).to_set();
            let followed = next.scopes.is_empty();
            let after = ScopesInForce::of(&next, sides.to, policy.plan).to_set();
            if followed != after.is_empty() || (followed && !key.scopes.is_empty()) {
                return Err(TransferKeyError::NoScopeLeft);
            }
            next.scopes = after;
        }
        Ok(self.changed_to(next, now))
    }
}
