//! `keywright policy`: shows the policy, or sets fields of it.

use keywright::{Outcome, Policy};
use serde_json::json;

use crate::Session;
use crate::args::{PolicyChange, PolicyCommand};
use crate::failure::Failure;
use crate::output::{Reply, or_none, outcome_word, words};
use crate::tables::fields;
use crate::values::{OrNone, Period};

pub(crate) async fn run(session: &Session, command: PolicyCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    let current = authority.policy(actor).await?;
    let change = match command {
        PolicyCommand::Show => {
            let mut rows = rows(&current);
            rows.push(version(&current));
            return Ok(Reply::new(fields(&rows), json!(current)));
        }
        PolicyCommand::Set(change) => change,
    };
    let set = authority.set_policy(actor, change.applied_to(current.clone())).await?;
    let outcome = outcome_word(&set);
    let (text, policy) = match set {
        Outcome::Unchanged(policy) => {
            (format!("unchanged: the policy is still at version {}", policy.version), policy)
        }
        Outcome::Done(policy) => (changed(&current, &policy), policy),
    };
    Ok(Reply::new(text, json!({ "outcome": outcome, "policy": policy })))
}

impl PolicyChange {
    fn applied_to(self, mut policy: Policy) -> Policy {
        fn put<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        put(&mut policy.api_enabled, self.api_access);
        put(&mut policy.api_in_plan, self.plan);
        put(&mut policy.require_expiry, self.require_expiry);
        let lifetime = |period: OrNone<Period>| period.0.map(|period| period.0);
        put(&mut policy.default_lifetime, self.default_lifetime.map(lifetime));
        put(&mut policy.max_lifetime, self.max_lifetime.map(lifetime));
        put(&mut policy.max_keys_per_owner, self.max_keys);
        put(&mut policy.max_overlap, self.max_overlap.map(|period| period.0));
        let pattern = self.name_pattern.map(|pattern| pattern.0.map(|pattern| pattern.0));
        put(&mut policy.name_pattern, pattern);
        put(&mut policy.scope_ceiling, self.scopes);
        for name in &self.removed_roles {
            policy.roles.remove(name);
        }
        policy.roles.extend(self.roles.into_iter().map(|role| (role.name, role.scopes)));
        put(&mut policy.default_rate, self.default_rate.map(|rate| rate.0));
        put(&mut policy.extensive_use, self.extensive_use.map(|alert| alert.0));
        put(&mut policy.suspicious_use, self.suspicious_use.map(|alert| alert.0));
        put(&mut policy.retention, self.retention.map(|period| period.0));
        put(&mut policy.event_retention, self.event_retention.map(|period| period.0));
        policy
    }
}

/// Returns all fields, by the names of the options that set them.
fn rows(policy: &Policy) -> Vec<(&'static str, String)> {
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let pattern = policy.name_pattern.as_ref().map(|pattern| match &*pattern.environments {
        [] => "any".to_owned(),
        environments => environments.join(","),
    });
    let mut rows = vec![
        ("api-access", switch(policy.api_enabled)),
        ("plan", switch(policy.api_in_plan)),
        ("require-expiry", switch(policy.require_expiry)),
        ("default-lifetime", or_none(policy.default_lifetime.map(Period), "none")),
        ("max-lifetime", or_none(policy.max_lifetime.map(Period), "none")),
        ("max-keys", policy.max_keys_per_owner.to_string()),
        ("max-overlap", Period(policy.max_overlap).to_string()),
        ("name-pattern", or_none(pattern, "none")),
        ("scopes", words(&policy.scope_ceiling, "none")),
        ("default-rate", or_none(policy.default_rate, "none")),
        ("extensive-use", or_none(policy.extensive_use, "none")),
        ("suspicious-use", or_none(policy.suspicious_use, "none")),
        ("retention", Period(policy.retention).to_string()),
        ("event-retention", Period(policy.event_retention).to_string()),
    ];
    let roles = policy.roles.iter();
    rows.extend(roles.map(|(name, scopes)| ("role", format!("{name}={}", words(scopes, "")))));
    rows
}

fn version(policy: &Policy) -> (&'static str, String) {
    ("version", policy.version.to_string())
}

/// Returns the changed fields with their new values, and the removed roles.
fn changed(before: &Policy, after: &Policy) -> String {
    let so_far = rows(before);
    let gone = before.roles.keys().filter(|name| !after.roles.contains_key(*name));
    let gone: Vec<_> = gone.map(|name| ("remove-role", name.to_string())).collect();
    let mut lines = rows(after);
    lines.retain(|row| !so_far.contains(row));
    lines.extend(gone);
    lines.push(version(after));
    fields(&lines)
}
