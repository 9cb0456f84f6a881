//! The actors of the tests, with their tenants, permissions and policies.

use keywright::{
    Actor, Name, NewKey, Plan, Policy, Role, RoleName, Scope, ScopeSet, Settings, TenantId, UserId,
};

use crate::time::{DAY, HOUR};

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
    policy.settings.api_enabled = Some(true);
    policy.plan.scopes = plan_with(SCOPES).scopes;
    add_role(&mut policy.plan, "analyst", "invoices:read reports:read");
    add_role(&mut policy.plan, "operator", SCOPES);
}

/// Returns the open policy, with the highest possible limit of keys for each user.
pub fn open_policy() -> Policy {
    let mut policy = Policy::default();
    open(&mut policy);
    policy.settings.max_keys_per_user = Some(Plan::MAX_KEYS);
    policy
}

/// Returns a policy with API access turned on and an empty catalog of scopes.
pub fn enabled() -> Policy {
    Policy { settings: Settings::enabled(), ..Policy::default() }
}

/// Returns a plan with these scopes. A scope whose name ends with `:write` is one for writing.
pub fn plan_with(scopes: &str) -> Plan {
    let (writing, reading): (Vec<_>, Vec<_>) =
        scopes.split(' ').partition(|scope| scope.ends_with(":write"));
    let set = |scopes: Vec<&str>| scopes.join(" ").parse().expect("scopes");
    Plan::allowing(set(reading), set(writing))
}

/// Adds a role to a plan, and its scopes to the catalog.
pub fn add_role(plan: &mut Plan, name: &str, scopes: &str) {
    plan.scopes.extend(plan_with(scopes).scopes);
    let role = Role::new(scopes.parse().expect("scopes"));
    plan.roles.insert(RoleName::new(name).expect("a role"), role);
}

/// Limits everything that a plan can limit.
pub fn limit_everything(plan: &mut Plan) {
    plan.default_scopes = "invoices:read".parse().expect("a scope");
    plan.max_rate = "100/60s".parse().ok();
    plan.max_keys_per_user = 3;
    plan.max_keys_per_account = Some(2);
    plan.max_keys_of_organization = Some(1);
    plan.require_expiry = true;
    plan.max_lifetime = Some(30 * DAY);
    plan.max_overlap = DAY;
    plan.min_alert_period = HOUR;
    plan.max_retention = Some(10 * DAY);
    plan.min_event_retention = 5 * DAY;
    plan.max_event_retention = Some(20 * DAY);
}

/// Cuts a plan to these scopes: its catalog, its roles and its default scopes.
pub fn cut_scopes(plan: &mut Plan, scopes: &str) {
    let kept: ScopeSet = scopes.parse().expect("scopes");
    let cut = |set: &ScopeSet| -> ScopeSet {
        let both = set.iter().filter(|scope| kept.contains(scope)).map(Scope::as_str);
        both.collect::<Vec<_>>().join(" ").parse().expect("scopes")
    };
    plan.scopes.retain(|scope, _| kept.contains(scope));
    plan.default_scopes = cut(&plan.default_scopes);
    plan.roles.values_mut().for_each(|role| role.scopes = cut(&role.scopes));
}

pub fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub fn named(text: &str) -> NewKey {
    NewKey::new(name(text))
}
