//! `keywright policy`, `plan` and `settings`: shows the rules, and changes some of them.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{Reply, outcome};
use crate::policy_args::{
    PlanChange, PlanCommand, PolicyCommand, SettingsChange, SettingsCommand, Switch,
};
use crate::read::Read;
use crate::rules::{self, Rows};
use crate::session::Session;
use crate::target::call::Call;
use crate::values::{OrDefault, OrNone, Pattern, Period};

pub(crate) async fn run(session: &Session, command: PolicyCommand) -> Result<Reply, Failure> {
    let PolicyCommand::Show = command;
    let policy = session.target.call(Call::get("policy")).await?;
    Ok(Reply::fields(rules::in_force(&policy), policy))
}

pub(crate) async fn plan(session: &Session, command: PlanCommand) -> Result<Reply, Failure> {
    match command {
        PlanCommand::Show => {
            let plan = session.target.call(Call::get("plan")).await?;
            Ok(Reply::fields(rules::plan(&plan), plan))
        }
        PlanCommand::Set(change) => {
            let (before, answer) = set_plan(session, *change).await?;
            let after = rules::plan(&answer["plan"]);
            Ok(changed("plan", &rules::plan(&before), &after, answer))
        }
    }
}

/// Changes the plan, and returns the plan before and the answer.
pub(crate) async fn set_plan(
    session: &Session,
    change: PlanChange,
) -> Result<(Value, Value), Failure> {
    let current = session.target.answer(Call::get("plan")).await?;
    let mut plan = current.json.clone();
    change.apply(&mut plan)?;
    // With the version that was read, so that a concurrent change is not undone.
    let call = Call::put("plan", plan).if_match(current.tag);
    Ok((current.json, session.target.call(call).await?))
}

pub(crate) async fn settings(
    session: &Session,
    command: SettingsCommand,
) -> Result<Reply, Failure> {
    let before = session.target.call(Call::get("settings")).await?;
    match command {
        SettingsCommand::Show => Ok(Reply::fields(rules::settings(&before), before)),
        SettingsCommand::Set(change) => {
            // The edit sets each field to a given value, so it suits any version.
            let answer = session.target.call(Call::patch("settings", change.into_edit())).await?;
            let after = rules::settings(&answer["settings"]);
            Ok(changed("settings", &rules::settings(&before), &after, answer))
        }
    }
}

fn changed(what: &str, before: &Rows, after: &Rows, answer: Value) -> Reply {
    let rows = rules::changed(before, after);
    let text = match outcome(&answer) {
        "unchanged" => format!("unchanged: the {what} had these values already"),
        _ => rules::text(&rows),
    };
    let rows = rows.into_iter().map(|(name, value)| vec![name, value]).collect();
    Reply::text(text, &["field", "value"], rows, answer)
}

impl PlanChange {
    fn apply(self, plan: &mut Value) -> Result<(), Failure> {
        let period = |period: Period| json!(period.0.as_secs());
        let lifetime = |OrNone(time): OrNone<Period>| json!(time.map(|time| time.0.as_secs()));
        replace(plan, self.reads, "read-only");
        replace(plan, self.writes, "read-write");
        for described in self.scope_descriptions {
            let name = described.scope.to_string();
            *description(plan, "scopes", "scope", &name)? = json!(described.text);
        }
        for name in &self.removed_roles {
            plan["roles"].as_object_mut().and_then(|roles| roles.remove(name.as_str()));
        }
        for role in self.roles {
            let name = role.name.as_str();
            if plan["roles"].get(name).is_none() {
                plan["roles"][name] = json!({ "description": null });
            }
            plan["roles"][name]["scopes"] = json!(role.scopes);
        }
        for described in self.role_descriptions {
            *description(plan, "roles", "role", described.role.as_str())? = json!(described.text);
        }
        let given = [
            ("api_access", self.api_access.map(Value::Bool)),
            ("default_scopes", self.default_scopes.map(|scopes| json!(scopes))),
            ("max_rate", self.max_rate.map(|OrNone(rate)| json!(rate))),
            ("max_keys_per_user", self.max_keys_per_user.map(Value::from)),
            ("max_keys_per_account", self.max_keys_per_account.map(|keys| json!(keys.0))),
            ("max_keys_of_organization", self.max_keys_of_organization.map(|keys| json!(keys.0))),
            ("require_expiry", self.require_expiry.map(Value::Bool)),
            ("max_lifetime", self.max_lifetime.map(lifetime)),
            ("max_overlap", self.max_overlap.map(period)),
            (
                "name_pattern",
                self.name_pattern.map(|OrNone(found)| json!(found.map(|Pattern(pattern)| pattern))),
            ),
            ("min_alert_period", self.min_alert_period.map(period)),
            ("max_retention", self.max_retention.map(lifetime)),
            ("min_event_retention", self.min_event_retention.map(period)),
            ("max_event_retention", self.max_event_retention.map(lifetime)),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                plan[name] = value;
            }
        }
        Ok(())
    }
}

/// Replaces the scopes of the catalog with this access. A scope that stays keeps its description.
fn replace(plan: &mut Value, scopes: Option<keywright::ScopeSet>, access: &str) {
    let (Some(scopes), Some(found)) = (scopes, plan["scopes"].as_object_mut()) else { return };
    let names: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    found.retain(|name, scope| scope["access"] != access || names.contains(name));
    for name in names {
        found.entry(name).or_insert(json!({ "description": null }))["access"] = json!(access);
    }
}

/// Returns the description of a scope or a role of the plan.
fn description<'a>(
    plan: &'a mut Value,
    member: &str,
    what: &str,
    name: &str,
) -> Result<&'a mut Value, Failure> {
    let found = plan[member].get_mut(name).map(|found| &mut found["description"]);
    let message = format!("{what} {name} is not in the plan; add it first");
    found.ok_or_else(|| Failure::refused(format!("unknown_{what}"), message))
}

impl SettingsChange {
    fn into_edit(self) -> Value {
        let mut edit = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            edit.extend(value.map(|value| (name.to_owned(), value)));
        };
        let switch = |OrDefault(on): OrDefault<Switch>| json!(on.map(|Switch(on)| on));
        let period = |OrDefault(time): OrDefault<Period>| json!(time.map(|time| time.0.as_secs()));
        let pattern = |OrDefault(found): OrDefault<Pattern>| json!(found.map(|found| found.0));
        put("api_enabled", self.api_enabled.map(switch));
        put("require_expiry", self.require_expiry.map(switch));
        put("default_lifetime", self.default_lifetime.map(period));
        put("max_lifetime", self.max_lifetime.map(period));
        put("max_keys_per_user", self.max_keys_per_user.map(|keys| json!(keys.0)));
        put("max_overlap", self.max_overlap.map(period));
        put("name_pattern", self.name_pattern.map(pattern));
        put("default_rate", self.default_rate.map(|rate| json!(rate.0)));
        put("extensive_use", self.extensive_use.map(|alert| json!(alert.0)));
        put("suspicious_use", self.suspicious_use.map(|alert| json!(alert.0)));
        put("retention", self.retention.map(period));
        put("event_retention", self.event_retention.map(period));
        Value::Object(edit)
    }
}

/// Switches API access on, and returns whether it was off.
pub(crate) async fn switch_on(session: &Session) -> Result<bool, Failure> {
    let call = Call::patch("settings", json!({ "api_enabled": true }));
    Ok(!session.target.call(call).await?.is("/unchanged"))
}
