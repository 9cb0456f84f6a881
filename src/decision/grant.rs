//! Grants: the proof that a credential was accepted, and what its key may do.

use std::sync::Arc;

use crate::record::account::ServiceAccount;
use crate::record::freshness::Age;
use crate::record::key::{Key, Owner};
use crate::record::policy::Policy;
use crate::record::rules::scope_ceiling;
use crate::record::snapshot::Snapshot;
use crate::value::digest::Digest;
use crate::value::id::{KeyId, TenantId};
use crate::value::scope::{Access, Scope, ScopeSet};
use crate::value::time::Timestamp;

use super::denial::{Denial, Reason};

/// Which of a key's secrets was presented.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SecretUsed {
    /// The key's secret.
    Current,
    /// The secret before it, during the overlap of a rotation.
    Retiring,
}

/// Proof that a credential was accepted. It can only come from a verification.
///
/// A grant is for one key at one moment. Use it for the request that it was made for: a grant that
/// is kept longer outlives a revocation. It cannot be created, deserialized or turned into an
/// [`Actor`](crate::Actor), so a key never manages keys.
///
/// ```compile_fail
/// fn forge(key: keywright::Key) -> keywright::Grant { keywright::Grant { key } }
/// ```
/// ```compile_fail
/// fn forge() -> keywright::Grant { serde_json::from_str("{}").unwrap() }
/// ```
/// ```compile_fail
/// fn manage(grant: keywright::Grant) -> keywright::Actor { grant.into() }
/// ```
#[derive(Clone)]
pub struct Grant {
    pub(super) snapshot: Arc<Snapshot>,
    /// The host's default policy, where the tenant has none stored.
    pub(super) default_policy: Option<Arc<Policy>>,
    pub(super) secret_used: SecretUsed,
    pub(super) at: Timestamp,
    pub(super) age: Age,
}

impl Grant {
    /// Returns the key.
    pub fn key(&self) -> &Key {
        self.snapshot.record().key()
    }

    /// Returns the key's id.
    pub fn key_id(&self) -> &KeyId {
        &self.key().id
    }

    /// Returns the key's tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.key().tenant
    }

    /// Returns the user or service account that the key acts for. The same id in another tenant is
    /// another owner: keep a user's data under [`tenant`](Self::tenant) and owner.
    pub fn owner(&self) -> &Owner {
        &self.key().owner
    }

    /// Returns the service account that owns the key, if one does.
    pub fn account(&self) -> Option<&ServiceAccount> {
        self.snapshot.account().map(Arc::as_ref)
    }

    /// Returns which of the key's secrets was presented.
    pub fn secret_used(&self) -> SecretUsed {
        self.secret_used
    }

    /// Returns when the credential was checked.
    pub fn decided_at(&self) -> Timestamp {
        self.at
    }

    /// Returns how old the store's answer was: zero unless the store caches. A revocation that was
    /// acknowledged longer than this before [`decided_at`](Self::decided_at) would have been seen.
    pub fn age(&self) -> Age {
        self.age
    }

    /// Returns whether the key may write, or only read.
    pub fn access(&self) -> Access {
        access(&self.snapshot)
    }

    /// Returns whether the key has this scope. A read-only account may still not write what the
    /// scope allows: see [`Grant::require_write`].
    pub fn allows(&self, scope: &Scope) -> bool {
        self.policy().is_some_and(|policy| has_scope(&self.snapshot, policy, scope))
    }

    /// Returns all scopes that the key has. [`Grant::allows`] costs less.
    pub fn scopes(&self) -> ScopeSet {
        let cut = self.policy().map(|policy| scopes(&self.snapshot, policy));
        match cut {
            Some((Some(own), ceiling)) => own.intersection(ceiling),
            Some((None, ceiling)) => ceiling.clone(),
            None => ScopeSet::empty(),
        }
    }

    /// Checks that the key has a scope, where the handler finds out which one is needed.
    ///
    /// # Errors
    /// [`Denial`] with [`Reason::MissingScope`].
    pub fn require(&self, scope: &Scope) -> Result<(), Denial> {
        if self.allows(scope) {
            return Ok(());
        }
        Err(Denial::of(*self.key_id(), Reason::MissingScope(scope.clone())))
    }

    /// Checks that the key may write, where the handler finds out that it must.
    /// [`AccessRequest::write`](crate::AccessRequest::write) asks for it before.
    ///
    /// # Errors
    /// [`Denial`] with [`Reason::ReadOnly`].
    pub fn require_write(&self) -> Result<(), Denial> {
        if self.access().covers(Access::ReadWrite) {
            return Ok(());
        }
        Err(Denial::of(*self.key_id(), Reason::ReadOnly))
    }

    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Returns the number of the secret that was presented.
    pub(crate) fn secret_number(&self) -> u32 {
        match self.secret_used {
            SecretUsed::Current => self.key().secret_number,
            SecretUsed::Retiring => self.key().secret_number.saturating_sub(1),
        }
    }

    /// Returns the stored digest of the secret that was presented.
    pub(crate) fn digest_used(&self) -> &Digest {
        let record = self.snapshot.record();
        record.digest_of(self.secret_number()).unwrap_or(record.digest())
    }

    fn policy(&self) -> Option<&Policy> {
        self.snapshot.policy().or(self.default_policy.as_ref()).map(Arc::as_ref)
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("key", self.key_id())
            .field("tenant", self.tenant())
            .field("owner", self.owner())
            .field("secret_used", &self.secret_used)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// Returns the access of a key: an account's key has the account's, a user's key can write.
pub(super) fn access(snapshot: &Snapshot) -> Access {
    snapshot.account().map_or(Access::ReadWrite, |account| account.access)
}

/// Returns the key's own scopes, if they restrict it, and the ceiling that cuts them down. An
/// account's key without scopes has those of the role.
fn scopes<'a>(snapshot: &'a Snapshot, policy: &'a Policy) -> (Option<&'a ScopeSet>, &'a ScopeSet) {
    let Key { owner, scopes: own, .. } = snapshot.record().key();
    let ceiling = scope_ceiling(owner, snapshot.account().map(Arc::as_ref), policy);
    let follows_role = own.is_empty() && owner.account().is_some();
    ((!follows_role).then_some(own), ceiling)
}

pub(super) fn has_scope(snapshot: &Snapshot, policy: &Policy, scope: &Scope) -> bool {
    let (own, ceiling) = scopes(snapshot, policy);
    ceiling.contains(scope) && own.is_none_or(|own| own.contains(scope))
}
