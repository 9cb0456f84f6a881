//! Schemas of bodies. Every object is closed.

use serde_json::{Map, Value, json};

use super::parameters::event_kinds;
use super::values::{
    access, count, cursor, event_actor, host_id, id, metadata, name, networks, or_null, owner,
    prefix, rate, role_name, scopes, seconds, time,
};
use super::{schema, values};
use crate::http::management::bodies::RevokeBody;
use crate::http::management::problem::Code;
use crate::record::event::{DetailField, EventOutcome, RefusalCode};
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::record::status::KeyStatus;

/// A closed object of which every property is there.
fn record(properties: &Value) -> Value {
    let names: Vec<&str> =
        properties.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    body(properties, &names)
}

/// A closed object of which these properties must be there.
fn body(properties: &Value, required: &[&str]) -> Value {
    let mut schema = json!({
        "type": "object", "additionalProperties": false, "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if properties == &json!({}) {
        schema = json!({ "type": "object", "additionalProperties": false });
    }
    schema
}

/// The same with an example.
fn such_as(mut schema: Value, example: Value) -> Value {
    schema["examples"] = Value::Array(vec![example]);
    schema
}

fn page(of: &str) -> Value {
    record(&json!({
        "items": { "type": "array", "items": schema(of) },
        "next": or_null(cursor()),
    }))
}

fn or_none(of: &str) -> Value {
    json!({ "oneOf": [schema(of), { "type": "null" }] })
}

fn boolean() -> Value {
    json!({ "type": "boolean" })
}

pub(super) fn all() -> Value {
    let mut all = Map::new();
    for part in [requests(), keys(), others(), policy()] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    all.into()
}

fn requests() -> Value {
    let new_key = json!({
        "name": name(),
        "scopes": scopes(),
        "networks": networks(),
        "rate": rate(),
        "metadata": metadata(),
        "not_before": time(),
        "expires_at": time(),
        "expires_in": seconds(1),
        "never_expires": boolean(),
    });
    let key_edit = json!({
        "name": name(),
        "scopes": scopes(),
        "networks": networks(),
        "rate": or_null(rate()),
        "metadata": metadata(),
    });
    let new_account = json!({ "name": name(), "role": role_name(), "access": access() });
    let mut key_edit = such_as(body(&key_edit, &[]), json!({ "name": "prod-main-app" }));
    let mut account_edit = such_as(body(&new_account, &[]), json!({ "access": "read-only" }));
    key_edit["minProperties"] = json!(1);
    account_edit["minProperties"] = json!(1);
    json!({
        "Nothing": body(&json!({}), &[]),
        "NewKey": such_as(
            body(&new_key, &["name"]),
            json!({ "name": "prod-main-app", "expires_in": 7_776_000 }),
        ),
        "KeyEdit": key_edit,
        "Rotate": such_as(
            body(&json!({ "overlap": seconds(0) }), &["overlap"]),
            json!({ "overlap": 3_600 }),
        ),
        "RevokeKeys": record(&json!({
            "ids": { "type": "array", "minItems": 1, "maxItems": RevokeBody::MAX, "items": id() },
        })),
        "NewAccount": such_as(
            body(&new_account, &["name", "role"]),
            json!({ "name": "nightly-report", "role": "analyst" }),
        ),
        "AccountEdit": account_edit,
    })
}

fn keys() -> Value {
    let operations: Vec<&str> = Operation::ALL
        .iter()
        .filter(|operation| operation.is_of_a_key())
        .map(|operation| operation.as_str())
        .collect();
    json!({
        "Key": record(&json!({
            "id": id(),
            "tenant": host_id(),
            "owner": owner(),
            "name": name(),
            "prefix": prefix(),
            "scopes": scopes(),
            "networks": networks(),
            "rate": or_null(rate()),
            "admin_limits": record(&json!({
                "scopes": boolean(),
                "networks": boolean(),
                "rate": boolean(),
            })),
            "metadata": metadata(),
            "created_at": time(),
            "created_by": host_id(),
            "updated_at": time(),
            "not_before": or_null(time()),
            "expires_at": or_null(time()),
            "disabled": boolean(),
            "revoked_at": or_null(time()),
            "rotated_at": or_null(time()),
            "overlap_ends_at": or_null(time()),
            "secret_number": count(),
            "version": count(),
        })),
        "Overlap": record(&json!({
            "overlap_ends_at": time(),
            "old_last_used_at": or_null(time()),
            "new_last_used_at": or_null(time()),
            "safe_to_finish": boolean(),
        })),
        "KeyEntry": record(&json!({
            "key": schema("Key"),
            "prefix": {
                "type": "string",
                "pattern": "^[a-z][a-z0-9_]{0,31}_[0-9A-Za-z]{16}$",
                "description": "What the key is shown as: the beginning of its token.",
            },
            "account": or_null(name()),
            "status": { "type": "string", "enum": KeyStatus::ALL.map(KeyStatus::as_str) },
            "uses": count(),
            "last_used_at": or_null(time()),
            "overlap": or_none("Overlap"),
            "obstacle": {
                "type": ["string", "null"],
                "description": "Why it would be refused now, in one word.",
            },
            "actions": { "type": "array", "items": { "type": "string", "enum": operations } },
        })),
        "KeyPage": page("KeyEntry"),
        "KeyChange": record(&json!({ "key": schema("Key"), "unchanged": boolean() })),
        "Issued": record(&json!({
            "key": schema("Key"),
            "token": { "type": "string", "description": "Shown once." },
        })),
        "Results": record(&json!({
            "results": {
                "type": "array",
                "items": { "oneOf": [
                    record(&json!({
                        "id": id(), "key": schema("Key"), "unchanged": boolean(),
                    })),
                    record(&json!({ "id": id(), "problem": schema("Problem") })),
                ] },
            },
        })),
    })
}

fn others() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "Account": record(&json!({
            "id": id(),
            "tenant": host_id(),
            "name": name(),
            "role": role_name(),
            "access": access(),
            "enabled": boolean(),
            "created_at": time(),
            "updated_at": time(),
            "version": count(),
        })),
        "AccountPage": page("Account"),
        "AccountChange": record(&json!({ "account": schema("Account"), "unchanged": boolean() })),
        "Event": record(&json!({
            "sequence": count(),
            "tenant": host_id(),
            "at": time(),
            "actor": event_actor(),
            "kind": { "type": "string", "enum": event_kinds() },
            "key": or_null(id()),
            "account": or_null(id()),
            "outcome": { "type": "string", "enum": event_outcomes() },
            "details": event_details(),
        })),
        "EventPage": page("Event"),
        "Document": { "type": "object", "required": ["openapi", "paths"] },
        "Problem": record(&json!({
            "type": { "type": "string", "enum": ["about:blank"] },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "code": { "type": "string", "enum": codes },
            "detail": { "type": "string" },
        })),
    })
}

fn event_outcomes() -> Vec<String> {
    let refused = RefusalCode::ALL.iter().copied().map(EventOutcome::Refused);
    let all = [EventOutcome::Done, EventOutcome::Unchanged].into_iter().chain(refused);
    all.map(|outcome| outcome.to_string()).collect()
}

/// Every field can be missing.
fn event_details() -> Value {
    let fields = DetailField::ALL.iter();
    let fields: Map<String, Value> =
        fields.map(|field| (field.to_string(), json!({ "type": field.json_type() }))).collect();
    body(&fields.into(), &[])
}

fn policy() -> Value {
    let environments = json!({
        "type": "array", "minItems": 1, "maxItems": 16,
        "items": { "type": "string", "pattern": "^[a-z0-9]{1,32}$" },
    });
    let policy = record(&json!({
        "api_in_plan": boolean(),
        "api_enabled": boolean(),
        "require_expiry": boolean(),
        "default_lifetime": or_null(seconds(1)),
        "max_lifetime": or_null(seconds(1)),
        "max_keys_per_owner": {
            "type": "integer", "minimum": 1, "maximum": Policy::MAX_KEYS_PER_OWNER,
        },
        "max_overlap": seconds(0),
        "name_pattern": or_none("NamePattern"),
        "scope_ceiling": scopes(),
        "roles": {
            "type": "object",
            "maxProperties": Policy::MAX_ROLES,
            "propertyNames": role_name(),
            "additionalProperties": scopes(),
        },
        "default_rate": or_null(rate()),
        "extensive_use": or_null(values::seconds(1)),
        "retention": seconds(0),
        "event_retention": seconds(Policy::MIN_EVENT_RETENTION.as_secs()),
    }));
    let example = json!({
        "api_in_plan": true,
        "api_enabled": true,
        "require_expiry": false,
        "default_lifetime": null,
        "max_lifetime": 7_776_000,
        "max_keys_per_owner": 10,
        "max_overlap": 604_800,
        "name_pattern": null,
        "scope_ceiling": ["invoices:read", "invoices:write"],
        "roles": { "analyst": ["invoices:read"] },
        "default_rate": "100/60s",
        "extensive_use": null,
        "retention": 7_776_000,
        "event_retention": 34_560_000,
    });
    json!({
        "PolicyChange": record(&json!({ "policy": schema("Policy"), "unchanged": boolean() })),
        "NamePattern": record(&json!({ "environments": environments })),
        "Policy": such_as(policy, example),
    })
}
