//! `keywright policy`: shows the rules that are in force.

use std::time::Duration;

use keywright::{EffectivePolicy, InForce, Source};
use serde_json::{Value, json};

use crate::Session;
use crate::failure::Failure;
use crate::output::{Reply, in_words, or_none, switch};
use crate::policy_args::PolicyCommand;
use crate::tables::fields;
use crate::values::Period;

pub(crate) async fn run(session: &Session, command: PolicyCommand) -> Result<Reply, Failure> {
    let PolicyCommand::Show = command;
    let policy = session.authority.policy(&session.actor).await?;
    Ok(Reply::new(fields(&rows(&policy)), in_json(&policy)))
}

/// Returns all rules, by the names of the options that set them, each with its source.
fn rows(policy: &EffectivePolicy) -> Vec<(&'static str, String)> {
    fn row<T: Clone>(rule: &InForce<T>, show: impl Fn(T) -> String) -> String {
        let source = match rule.source {
            Source::Plan => "plan",
            Source::Setting => "setting",
            Source::Default => "default",
        };
        format!("{} ({source})", show(rule.value.clone()))
    }
    let time = |time: Duration| Period(time).to_string();
    let maybe = |time: Option<Duration>| or_none(time.map(Period), "none");
    vec![
        ("api-enabled", row(&policy.api_enabled, switch)),
        ("require-expiry", row(&policy.require_expiry, switch)),
        ("default-lifetime", row(&policy.default_lifetime, maybe)),
        ("max-lifetime", row(&policy.max_lifetime, maybe)),
        ("max-keys-per-user", row(&policy.max_keys_per_user, |keys| keys.to_string())),
        ("max-overlap", row(&policy.max_overlap, time)),
        (
            "name-pattern",
            row(&policy.name_pattern, |pattern| or_none(pattern.as_ref().map(in_words), "none")),
        ),
        ("default-rate", row(&policy.default_rate, |rate| or_none(rate, "none"))),
        ("extensive-use", row(&policy.extensive_use, |alert| or_none(alert, "none"))),
        ("suspicious-use", row(&policy.suspicious_use, |alert| or_none(alert, "none"))),
        ("retention", row(&policy.retention, time)),
        ("event-retention", row(&policy.event_retention, time)),
        ("plan version", policy.plan.version.to_string()),
        ("settings version", policy.settings.version.to_string()),
    ]
}

fn in_json(policy: &EffectivePolicy) -> Value {
    let rule = |value: Option<u64>, source: Source| json!({ "value": value, "source": source });
    let time = |of: &InForce<Duration>| rule(Some(of.value.as_secs()), of.source);
    let maybe =
        |of: &InForce<Option<Duration>>| rule(of.value.map(|time| time.as_secs()), of.source);
    json!({
        "in_force": {
            "api_enabled": policy.api_enabled,
            "require_expiry": policy.require_expiry,
            "default_lifetime": maybe(&policy.default_lifetime),
            "max_lifetime": maybe(&policy.max_lifetime),
            "max_keys_per_user": policy.max_keys_per_user,
            "max_overlap": time(&policy.max_overlap),
            "name_pattern": policy.name_pattern,
            "default_rate": policy.default_rate,
            "extensive_use": policy.extensive_use,
            "suspicious_use": policy.suspicious_use,
            "retention": time(&policy.retention),
            "event_retention": time(&policy.event_retention),
        },
        "plan": policy.plan,
        "settings": policy.settings,
    })
}
