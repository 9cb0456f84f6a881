//! `keywright plan`: shows the host's limits of the tenant, or sets some of them.

use keywright::{Access, Outcome, Plan, Role, RoleName, Scope, ScopeDefinition, ScopeSet};
use serde_json::json;

use crate::Session;
use crate::failure::Failure;
use crate::output::{Reply, changed_rows, in_words, or_none, outcome_word, switch, words};
use crate::policy_args::{PlanChange, PlanCommand};
use crate::tables::fields;
use crate::values::{OrNone, Period};

pub(crate) async fn run(session: &Session, command: PlanCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    let current = authority.policy(actor).await?.plan;
    let change = match command {
        PlanCommand::Show => return Ok(Reply::new(fields(&rows(&current)), json!(current))),
        PlanCommand::Set(change) => change,
    };
    let set = authority.set_plan(actor, change.applied_to(current.clone())?).await?;
    let outcome = outcome_word(&set);
    let (text, plan) = match set {
        Outcome::Unchanged(plan) => {
            (format!("unchanged: the plan is still at version {}", plan.version), plan)
        }
        Outcome::Done(plan) => (changed_rows(&rows(&current), &rows(&plan)), plan),
    };
    Ok(Reply::new(text, json!({ "outcome": outcome, "plan": plan })))
}

impl PlanChange {
    fn applied_to(self, mut plan: Plan) -> Result<Plan, Failure> {
        fn put<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let lifetime = |period: OrNone<Period>| period.0.map(|period| period.0);
        put(&mut plan.api_access, self.api_access);
        replace(&mut plan, self.reads, Access::ReadOnly);
        replace(&mut plan, self.writes, Access::ReadWrite);
        for described in self.scope_descriptions {
            let found = plan.scopes.get_mut(&described.scope);
            let found = found.ok_or_else(|| unknown("scope", &described.scope))?;
            found.description = described.text;
        }
        put(&mut plan.default_scopes, self.default_scopes);
        for name in &self.removed_roles {
            plan.roles.remove(name);
        }
        for role in self.roles {
            plan.roles.entry(role.name).or_insert_with(no_role).scopes = role.scopes;
        }
        for described in self.role_descriptions {
            let found = plan.roles.get_mut(&described.role);
            let found = found.ok_or_else(|| unknown("role", &described.role))?;
            found.description = described.text;
        }
        put(&mut plan.max_rate, self.max_rate.map(|rate| rate.0));
        put(&mut plan.max_keys_per_user, self.max_keys_per_user);
        put(&mut plan.max_keys_per_account, self.max_keys_per_account.map(|keys| keys.0));
        put(&mut plan.max_keys_of_organization, self.max_keys_of_organization.map(|keys| keys.0));
        put(&mut plan.require_expiry, self.require_expiry);
        put(&mut plan.max_lifetime, self.max_lifetime.map(lifetime));
        put(&mut plan.max_overlap, self.max_overlap.map(|period| period.0));
        let pattern = self.name_pattern.map(|pattern| pattern.0.map(|pattern| pattern.0));
        put(&mut plan.name_pattern, pattern);
        put(&mut plan.min_alert_period, self.min_alert_period.map(|period| period.0));
        put(&mut plan.max_retention, self.max_retention.map(lifetime));
        put(&mut plan.min_event_retention, self.min_event_retention.map(|period| period.0));
        put(&mut plan.max_event_retention, self.max_event_retention.map(lifetime));
        Ok(plan)
    }
}

/// Replaces the scopes of the catalog with this access. A scope that stays keeps its description.
fn replace(plan: &mut Plan, scopes: Option<ScopeSet>, access: Access) {
    let Some(scopes) = scopes else { return };
    plan.scopes.retain(|scope, found| found.access != access || scopes.contains(scope));
    for scope in &scopes {
        let found = plan.scopes.entry(scope.clone());
        found.or_insert_with(|| ScopeDefinition::new(access)).access = access;
    }
}

fn no_role() -> Role {
    Role::new(ScopeSet::empty())
}

fn unknown(what: &str, name: &impl std::fmt::Display) -> Failure {
    Failure::refused("policy_refused", format!("{what} {name} is not in the plan; add it first"))
}

/// Returns all fields, by the names of the options that set them.
fn rows(plan: &Plan) -> Vec<(&'static str, String)> {
    let pattern = plan.name_pattern.as_ref().map(in_words);
    let with = |access| {
        let scopes = plan.scopes.iter().filter(move |(_, found)| found.access == access);
        words(scopes.map(|(scope, _)| scope), "none")
    };
    let mut rows = vec![
        ("api-access", switch(plan.api_access)),
        ("reads", with(Access::ReadOnly)),
        ("writes", with(Access::ReadWrite)),
        ("default-scopes", words(&plan.default_scopes, "none")),
        ("max-rate", or_none(plan.max_rate, "none")),
        ("max-keys-per-user", plan.max_keys_per_user.to_string()),
        ("max-keys-per-account", or_none(plan.max_keys_per_account, "none")),
        ("max-keys-of-organization", or_none(plan.max_keys_of_organization, "none")),
        ("require-expiry", switch(plan.require_expiry)),
        ("max-lifetime", or_none(plan.max_lifetime.map(Period), "none")),
        ("max-overlap", Period(plan.max_overlap).to_string()),
        ("name-pattern", or_none(pattern, "none")),
        ("min-alert-period", Period(plan.min_alert_period).to_string()),
        ("max-retention", or_none(plan.max_retention.map(Period), "none")),
        ("min-event-retention", Period(plan.min_event_retention).to_string()),
        ("max-event-retention", or_none(plan.max_event_retention.map(Period), "none")),
    ];
    let described = |name: String, text: &str| format!("{name}={text}");
    let role = |(name, role): (&RoleName, &Role)| {
        ("role", described(name.to_string(), &words(&role.scopes, "")))
    };
    rows.extend(plan.roles.iter().map(role));
    let scope = |(name, scope): (&Scope, &ScopeDefinition)| {
        let text = scope.description.as_ref()?.as_str();
        Some(("scope-description", described(name.to_string(), text)))
    };
    rows.extend(plan.scopes.iter().filter_map(scope));
    let role = |(name, role): (&RoleName, &Role)| {
        let text = role.description.as_ref()?.as_str();
        Some(("role-description", described(name.to_string(), text)))
    };
    rows.extend(plan.roles.iter().filter_map(role));
    rows.push(("version", plan.version.to_string()));
    rows
}
