//! The fields of a plan, of settings and of the rules in force, as text.

use serde_json::Value;

use crate::read::{Read, as_text, pattern, period};
use crate::tables::fields;

/// How a field is shown.
#[derive(Clone, Copy)]
enum Form {
    Switch,
    Plain,
    Period,
    Pattern,
}

/// The rows of a record: the names of the options that set the fields, and the values.
pub(crate) type Rows = Vec<(String, String)>;

const PLAN: [(&str, Form); 14] = [
    ("api_access", Form::Switch),
    ("default_scopes", Form::Plain),
    ("max_rate", Form::Plain),
    ("max_keys_per_user", Form::Plain),
    ("max_keys_per_account", Form::Plain),
    ("max_keys_of_organization", Form::Plain),
    ("require_expiry", Form::Switch),
    ("max_lifetime", Form::Period),
    ("max_overlap", Form::Period),
    ("name_pattern", Form::Pattern),
    ("min_alert_period", Form::Period),
    ("max_retention", Form::Period),
    ("min_event_retention", Form::Period),
    ("max_event_retention", Form::Period),
];

const SETTINGS: [(&str, Form); 12] = [
    ("api_enabled", Form::Switch),
    ("require_expiry", Form::Switch),
    ("default_lifetime", Form::Period),
    ("max_lifetime", Form::Period),
    ("max_keys_per_user", Form::Plain),
    ("max_overlap", Form::Period),
    ("name_pattern", Form::Pattern),
    ("default_rate", Form::Plain),
    ("extensive_use", Form::Plain),
    ("suspicious_use", Form::Plain),
    ("retention", Form::Period),
    ("event_retention", Form::Period),
];

impl Form {
    fn shown(self, value: &Value, none: &str) -> String {
        match (self, value) {
            (Self::Switch, Value::Bool(true)) => "on".to_owned(),
            (Self::Switch, Value::Bool(false)) => "off".to_owned(),
            (Self::Period, value) => period(value, none),
            (Self::Pattern, value) => pattern(value, none),
            (Self::Plain | Self::Switch, value) => as_text(value, none),
        }
    }
}

fn row((name, form): &(&str, Form), value: &Value, none: &str) -> (String, String) {
    (name.replace('_', "-"), form.shown(value, none))
}

/// Returns all fields of a plan.
pub(crate) fn plan(plan: &Value) -> Rows {
    let mut rows: Rows = PLAN.iter().map(|field| row(field, &plan[field.0], "none")).collect();
    let scopes = || plan["scopes"].as_object().into_iter().flatten();
    for (place, option, access) in [(1, "reads", "read-only"), (2, "writes", "read-write")] {
        let names = scopes().filter(|(_, found)| found["access"] == access).map(|(name, _)| name);
        rows.insert(place, (option.to_owned(), crate::output::words(names, "none")));
    }
    let roles = || plan["roles"].as_object().into_iter().flatten();
    let scopes_of_role =
        |(name, role): (&String, &Value)| format!("{name}={}", role.text("/scopes", ""));
    rows.extend(roles().map(|role| ("role".to_owned(), scopes_of_role(role))));
    let described = |option: &'static str| {
        move |(name, found): (&String, &Value)| {
            let text = found["description"].as_str()?;
            Some((option.to_owned(), format!("{name}={text}")))
        }
    };
    rows.extend(scopes().filter_map(described("scope-description")));
    rows.extend(roles().filter_map(described("role-description")));
    rows
}

/// Returns all settings. A setting that is not set is `default`.
pub(crate) fn settings(settings: &Value) -> Rows {
    SETTINGS.iter().map(|field| row(field, &settings[field.0], "default")).collect()
}

/// Returns all rules in force, each with its source.
pub(crate) fn in_force(policy: &Value) -> Rows {
    let rules = &policy["in_force"];
    let with_source = |field: &(&str, Form)| {
        let (name, value) = row(field, &rules[field.0]["value"], "none");
        (name, format!("{value} ({})", rules[field.0].text("/source", "")))
    };
    let mut rows: Rows = SETTINGS.iter().map(with_source).collect();
    for (name, member) in
        [("plan version", "plan_version"), ("settings version", "settings_version")]
    {
        rows.push((name.to_owned(), as_text(&policy[member], "")));
    }
    rows
}

/// Returns the rows that differ from those before, and as `removed` those that are gone.
pub(crate) fn changed(before: &Rows, after: &Rows) -> Rows {
    // Rows of one name are those of roles and descriptions, of which the part before `=` is the key.
    let key = |(name, value): &(String, String)| {
        let part = value.split_once('=').map(|(part, _)| part.to_owned());
        (name.clone(), part.unwrap_or_default())
    };
    let mut rows: Rows = after.iter().filter(|row| !before.contains(row)).cloned().collect();
    let is_gone = |row: &&(String, String)| {
        row.1.contains('=') && !after.iter().any(|other| key(other) == key(row))
    };
    let gone = before.iter().filter(is_gone);
    rows.extend(gone.map(|row| ("removed".to_owned(), format!("{} {}", row.0, key(row).1))));
    rows
}

/// Returns rows as text.
pub(crate) fn text(rows: &Rows) -> String {
    fields(rows.iter().map(|(name, value)| (&**name, &**value)))
}
