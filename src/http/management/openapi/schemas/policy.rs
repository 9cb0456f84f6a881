//! The schemas of the plan, the settings and the rules in force.

use serde_json::{Value, json};

use super::objects::{boolean, or_none, record, such_as};
use super::requests::edit;
use crate::http::management::openapi::references::schema_ref;
use crate::http::management::openapi::value_schemas::{
    access, count, description, or_null, rate, role_name, scope, scopes, seconds, use_alert,
};
use crate::http::management::route_table::names::Schema;
use crate::record::plan::Plan;
use crate::value::use_alert::UseAlert;

pub(super) fn name_pattern() -> Value {
    record(&json!({
        "environments": {
            "type": "array", "maxItems": 16,
            "description": "One of them must be the first word. If there are none, any word can be.",
            "items": { "type": "string", "pattern": "^[a-z0-9]{1,32}$" },
        },
    }))
}

pub(super) fn plan() -> Value {
    let plan = record(&json!({
        "api_access": boolean(),
        "scopes": scope_catalog(),
        "default_scopes": scopes(),
        "roles": {
            "type": "object",
            "maxProperties": Plan::MAX_ROLES,
            "propertyNames": role_name(),
            "additionalProperties": record(&json!({
                "description": or_null(description()), "scopes": scopes(),
            })),
        },
        "max_rate": or_null(rate()),
        "max_keys_per_user": keys(),
        "max_keys_per_account": or_null(keys()),
        "max_keys_of_organization": or_null(keys()),
        "require_expiry": boolean(),
        "max_lifetime": or_null(seconds(1)),
        "max_overlap": seconds(0),
        "name_pattern": or_none(Schema::NamePattern),
        "min_alert_period": seconds(UseAlert::MIN_PERIOD.as_secs()),
        "max_retention": or_null(seconds(0)),
        "min_event_retention": seconds(Plan::MIN_EVENT_RETENTION.as_secs()),
        "max_event_retention": or_null(seconds(Plan::MIN_EVENT_RETENTION.as_secs())),
    }));
    let example = json!({
        "api_access": true,
        "scopes": {
            "invoices:read": { "description": "Shows invoices", "access": "read-only" },
            "invoices:write": { "description": "Changes invoices", "access": "read-write" },
        },
        "default_scopes": ["invoices:read"],
        "roles": {
            "analyst": { "description": "Reads for reports", "scopes": ["invoices:read"] },
        },
        "max_rate": "1000/60s",
        "max_keys_per_user": 100,
        "max_keys_per_account": null,
        "max_keys_of_organization": null,
        "require_expiry": false,
        "max_lifetime": 31_536_000,
        "max_overlap": 2_592_000,
        "name_pattern": null,
        "min_alert_period": 60,
        "max_retention": null,
        "min_event_retention": 86_400,
        "max_event_retention": null,
    });
    such_as(plan, example)
}

pub(super) fn plan_change() -> Value {
    record(&json!({ "plan": schema_ref(Schema::Plan), "unchanged": boolean() }))
}

pub(super) fn settings() -> Value {
    record(&settings_properties())
}

pub(super) fn settings_edit() -> Value {
    edit(&settings_properties(), json!({ "api_enabled": true, "max_lifetime": 7_776_000 }))
}

pub(super) fn settings_change() -> Value {
    record(&json!({ "settings": schema_ref(Schema::Settings), "unchanged": boolean() }))
}

pub(super) fn policy() -> Value {
    let sources = ["plan", "setting", "default"];
    let rule = |value: Value| {
        let source = json!({ "type": "string", "enum": sources });
        record(&json!({ "value": value, "source": source }))
    };
    record(&json!({
        "in_force": record(&json!({
            "api_enabled": rule(boolean()),
            "require_expiry": rule(boolean()),
            "default_lifetime": rule(or_null(seconds(1))),
            "max_lifetime": rule(or_null(seconds(1))),
            "max_keys_per_user": rule(keys()),
            "max_overlap": rule(seconds(0)),
            "name_pattern": rule(or_none(Schema::NamePattern)),
            "default_rate": rule(or_null(rate())),
            "extensive_use": rule(or_null(use_alert())),
            "suspicious_use": rule(or_null(use_alert())),
            "retention": rule(seconds(0)),
            "event_retention": rule(seconds(Plan::MIN_EVENT_RETENTION.as_secs())),
        })),
        "plan": schema_ref(Schema::Plan),
        "plan_version": count(),
        "settings": schema_ref(Schema::Settings),
        "settings_version": count(),
    }))
}

/// Builds the properties of the settings. Each may be null, which is its default.
fn settings_properties() -> Value {
    json!({
        "api_enabled": or_null(boolean()),
        "require_expiry": or_null(boolean()),
        "default_lifetime": or_null(seconds(1)),
        "max_lifetime": or_null(seconds(1)),
        "max_keys_per_user": or_null(keys()),
        "max_overlap": or_null(seconds(0)),
        "name_pattern": or_none(Schema::NamePattern),
        "default_rate": or_null(rate()),
        "extensive_use": or_null(use_alert()),
        "suspicious_use": or_null(use_alert()),
        "retention": or_null(seconds(0)),
        "event_retention": or_null(seconds(Plan::MIN_EVENT_RETENTION.as_secs())),
    })
}

/// Describes scopes with their descriptions and accesses.
pub(super) fn scope_catalog() -> Value {
    json!({
        "type": "object",
        "maxProperties": Plan::MAX_SCOPES,
        "propertyNames": scope(),
        "additionalProperties": record(&json!({
            "description": or_null(description()), "access": access(),
        })),
    })
}

pub(super) fn keys() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": Plan::MAX_KEYS })
}
