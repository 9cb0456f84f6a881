//! The actors of the tests, with their tenants, permissions and policies.

use keywright::{Actor, Name, NewKey, Policy, RoleName, TenantId, UserId};

/// Every scope of the open policy. Users' keys may have all of them.
pub const SCOPES: &str = "invoices:read invoices:write reports:read";

/// Returns the tenant of most tests.
pub fn tenant() -> TenantId {
    TenantId::new("globex").expect("a tenant")
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).expect("a user id")
}

/// Returns Ada, an administrator of the tenant.
pub fn admin() -> Actor {
    Actor::administrator(user("ada")).in_tenant(tenant())
}

/// Returns Tara, who may set the policy, list all keys, revoke any key and read events.
pub(crate) fn tenant_admin() -> Actor {
    Actor::tenant_admin(user("tara")).in_tenant(tenant())
}

/// Returns a developer of the tenant.
pub fn developer(id: &str) -> Actor {
    Actor::developer(user(id)).in_tenant(tenant())
}

pub(crate) fn auditor() -> Actor {
    Actor::auditor(user("audrey")).in_tenant(tenant())
}

/// Returns Otto, an administrator of another tenant.
pub(crate) fn other_admin() -> Actor {
    Actor::administrator(user("otto")).in_tenant(TenantId::new("initech").expect("a tenant"))
}

/// Turns API access on, with three scopes and two roles.
pub(crate) fn open(policy: &mut Policy) {
    policy.api_enabled = true;
    policy.scope_ceiling = SCOPES.parse().expect("scopes");
    for (name, scopes) in [("analyst", "invoices:read reports:read"), ("operator", SCOPES)] {
        let role = RoleName::new(name).expect("a role");
        policy.roles.insert(role, scopes.parse().expect("scopes"));
    }
}

/// Returns the open policy, with the highest possible limit of keys for each owner.
pub fn open_policy() -> Policy {
    let mut policy = Policy::default();
    open(&mut policy);
    policy.max_keys_per_owner = Policy::MAX_KEYS_PER_OWNER;
    policy
}

pub fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub fn named(text: &str) -> NewKey {
    NewKey::new(name(text))
}
