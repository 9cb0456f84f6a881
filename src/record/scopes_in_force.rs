//! The scopes that a key effectively has: its own or those that it follows, cut to the role, the
//! plan and the access of its owner.

use crate::record::account::ServiceAccount;
use crate::record::key::{Key, Owner};
use crate::record::plan::Plan;
use crate::record::role::Role;
use crate::value::scope::{Access, Scope, ScopeSet};

const NOTHING: &ScopeSet = &ScopeSet::empty();

/// The scopes of one key under one policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScopesInForce<'a> {
    /// The key's own scopes, or those that a key without scopes follows.
    base: &'a ScopeSet,
    /// The scopes of the role, if the key has scopes of its own.
    role: Option<&'a ScopeSet>,
    plan: &'a Plan,
    access: Access,
}

impl<'a> ScopesInForce<'a> {
    pub(crate) fn of(key: &'a Key, account: Option<&ServiceAccount>, plan: &'a Plan) -> Self {
        Self::with(&key.scopes, &key.owner, account, plan)
    }

    /// Returns the scopes of a key of this owner that has no scopes of its own.
    pub(crate) fn followed_by(
        owner: &Owner,
        account: Option<&ServiceAccount>,
        plan: &'a Plan,
    ) -> Self {
        Self::with(NOTHING, owner, account, plan)
    }

    fn with(
        own: &'a ScopeSet,
        owner: &Owner,
        account: Option<&ServiceAccount>,
        plan: &'a Plan,
    ) -> Self {
        let access = account.map_or(Access::ReadWrite, |account| account.access);
        let role = owner.account().map(|_| role_scopes(account, plan));
        let followed = role.unwrap_or(&plan.default_scopes);
        let (base, role) = if own.is_empty() { (followed, None) } else { (own, role) };
        Self { base, role, plan, access }
    }

    pub(crate) fn contains(self, scope: &Scope) -> bool {
        self.base.contains(scope)
            && self.role.is_none_or(|role| role.contains(scope))
            && self.plan.scope(scope).is_some_and(|found| self.access.covers(found.access))
    }

    /// Returns the scopes as the key, its role or the plan names them, if all of them are in force.
    pub(crate) fn whole(self) -> Option<&'a ScopeSet> {
        self.base.iter().all(|scope| self.contains(scope)).then_some(self.base)
    }

    pub(crate) fn to_set(self) -> ScopeSet {
        self.base.filter(|scope| self.contains(scope))
    }
}

/// Returns whether keys of an owner can have a scope. For a service account the role decides, for
/// any other owner the plan's catalog. A missing account, or a role that the plan does not define,
/// allows none.
pub(crate) fn can_have(
    owner: &Owner,
    account: Option<&ServiceAccount>,
    plan: &Plan,
    scope: &Scope,
) -> bool {
    plan.scopes.contains_key(scope)
        && (owner.account().is_none() || role_scopes(account, plan).contains(scope))
}

fn role_scopes<'a>(account: Option<&ServiceAccount>, plan: &'a Plan) -> &'a ScopeSet {
    let role: Option<&Role> = account.and_then(|account| plan.roles.get(&account.role));
    role.map_or(NOTHING, |role| &role.scopes)
}
