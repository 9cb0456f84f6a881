//! The schemas of response bodies: records, changes, pages and problems.

use serde_json::{Map, Value, json};

use super::objects::{body, boolean, or_none, page, record};
use crate::authority::AccountEntry;
use crate::http::management::openapi::references::schema_ref;
use crate::http::management::openapi::value_schemas::{
    access, address, contact, count, description, event_actor, event_kind, host_id, id, metadata,
    name, networks, or_null, owner, prefix, rate, requirement, role_name, scopes, time,
};
use crate::http::management::route_table::names::Schema;
use crate::http::management::wire::problem::Code;
use crate::record::event::{DetailField, EventOutcome, RefusalCode};
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;

pub(super) fn key() -> Value {
    record(&json!({
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
        "description": or_null(description()),
        "contact": or_null(contact()),
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
    }))
}

pub(super) fn overlap() -> Value {
    record(&json!({
        "overlap_ends_at": time(),
        "old_last_used_at": or_null(time()),
        "new_last_used_at": or_null(time()),
        "safe_to_finish": boolean(),
    }))
}

pub(super) fn key_entry() -> Value {
    record(&entry_properties())
}

/// Builds the schema of an entry with more properties.
fn entry_and(more: &Value) -> Value {
    let mut properties = entry_properties();
    for (name, schema) in more.as_object().into_iter().flatten() {
        properties[name] = schema.clone();
    }
    record(&properties)
}

fn entry_properties() -> Value {
    let operations = Operation::ALL.iter().filter(|operation| operation.is_of_a_key());
    let operations: Vec<&str> = operations.map(|operation| operation.as_str()).collect();
    json!({
        "key": schema_ref(Schema::Key),
        "prefix": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]{0,31}_[0-9A-Za-z]{16}$",
            "description": "The beginning of the token, without the secret, to recognize the key by.",
        },
        "owner_name": or_null(name()),
        "scopes": scopes(),
        "access": access(),
        "rate": or_null(rate()),
        "status": { "type": "string", "enum": KeyStatus::ALL.map(KeyStatus::as_str) },
        "uses": count(),
        "last_used_at": or_null(time()),
        "refused": count(),
        "last_refused_at": or_null(time()),
        "overlap": or_none(Schema::Overlap),
        "refused_because": {
            "type": ["string", "null"],
            "description": "The reason why a verification would refuse the key now, in one word, or null.",
        },
        "actions": { "type": "array", "items": { "type": "string", "enum": operations } },
    })
}

pub(super) fn key_page() -> Value {
    let mut page = page(Schema::KeyEntry);
    page["properties"]["total"] = json!({
        "type": "integer",
        "minimum": 0,
        "description": "The number of keys on all pages. Only with `count=true`.",
    });
    page
}

pub(super) fn key_change() -> Value {
    entry_and(&json!({ "unchanged": boolean() }))
}

pub(super) fn keys_change() -> Value {
    record(&json!({ "keys": { "type": "array", "items": schema_ref(Schema::KeyEntry) } }))
}

pub(super) fn issued() -> Value {
    entry_and(&json!({
        "token": { "type": "string", "description": "The token of the key. No other response shows it again." },
        "key_id": {
            "type": "string",
            "pattern": "^[0-9A-Za-z]{16}$",
            "description": "The first part of the token for clients with two fields: the user name of HTTP Basic.",
        },
        "key_secret": {
            "type": "string",
            "pattern": "^[0-9A-Za-z]{38}$",
            "description": "The second part of the token: the password of HTTP Basic. No other response shows it again.",
        },
    }))
}

pub(super) fn results() -> Value {
    record(&json!({
        "results": {
            "type": "array",
            "items": { "oneOf": [
                entry_and(&json!({ "id": id(), "unchanged": boolean() })),
                record(&json!({ "id": id(), "unchanged": boolean() })),
                record(&json!({ "id": id(), "problem": schema_ref(Schema::Problem) })),
            ] },
        },
    }))
}

pub(super) fn account() -> Value {
    record(&json!({
        "id": id(),
        "tenant": host_id(),
        "name": name(),
        "role": role_name(),
        "access": access(),
        "enabled": boolean(),
        "created_at": time(),
        "updated_at": time(),
        "version": count(),
    }))
}

pub(super) fn account_entry() -> Value {
    record(&account_entry_properties())
}

fn account_entry_properties() -> Value {
    let operations: Vec<&str> = Operation::ALL.iter().map(|operation| operation.as_str()).collect();
    json!({
        "account": schema_ref(Schema::Account),
        "scopes": scopes(),
        "live_keys": or_null(count()),
        "max_keys": or_null(count()),
        "all_keys": or_null(count()),
        "keys": {
            "type": "array",
            "maxItems": AccountEntry::NEWEST_KEYS,
            "description": "The newest keys of the account, newest first.",
            "items": schema_ref(Schema::KeyEntry),
        },
        "refused_because": {
            "type": ["string", "null"],
            "description": "The reason why every key of the account is refused now, in one word, or null.",
        },
        "actions": { "type": "array", "items": { "type": "string", "enum": operations } },
    })
}

pub(super) fn account_page() -> Value {
    page(Schema::AccountEntry)
}

pub(super) fn account_change() -> Value {
    let mut properties = account_entry_properties();
    properties["unchanged"] = boolean();
    record(&properties)
}

pub(super) fn user() -> Value {
    record(&json!({
        "id": host_id(),
        "tenant": host_id(),
        "display_name": or_null(name()),
        "suspended": boolean(),
        "updated_at": time(),
        "version": count(),
    }))
}

pub(super) fn user_change() -> Value {
    record(&json!({ "user": schema_ref(Schema::User), "unchanged": boolean() }))
}

pub(super) fn event() -> Value {
    record(&json!({
        "sequence": count(),
        "tenant": host_id(),
        "at": time(),
        "actor": event_actor(),
        "kind": event_kind(),
        "key": or_null(id()),
        "account": or_null(id()),
        "previous_account": or_null(id()),
        "source_address": or_null(address()),
        "outcome": { "type": "string", "enum": event_outcomes() },
        "details": event_details(),
    }))
}

pub(super) fn event_page() -> Value {
    page(Schema::Event)
}

pub(super) fn problem() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let quantity =
        |description: &str| json!({ "type": ["integer", "string"], "description": description });
    let properties = json!({
        "type": { "type": "string", "enum": ["about:blank"] },
        "title": { "type": "string" },
        "status": { "type": "integer", "minimum": 400, "maximum": 599 },
        "code": { "type": "string", "enum": codes },
        "detail": { "type": "string" },
        "field": {
            "type": "string",
            "description": "The field or parameter of the request that is wrong, if the problem is about one.",
        },
        "value": quantity("The value of the field, if it may be repeated: a duration in seconds, a number or a text."),
        "bound": quantity("The limit that the value breaks, if there is one: a number in the same unit, or a text."),
        "missing": {
            "type": "array",
            "minItems": 1,
            "description": "Everything that is missing to generate a key. The code is that of the first.",
            "items": requirement(),
        },
    });
    body(&properties, &["type", "title", "status", "code", "detail"])
}

pub(super) fn document() -> Value {
    json!({ "type": "object", "required": ["openapi", "paths"] })
}

fn event_outcomes() -> Vec<String> {
    let refused = RefusalCode::ALL.iter().copied().map(EventOutcome::Refused);
    let all = [EventOutcome::Done, EventOutcome::Unchanged].into_iter().chain(refused);
    all.map(|outcome| outcome.to_string()).collect()
}

/// Builds the schema of the details of an event. Every field may be absent.
fn event_details() -> Value {
    let fields = DetailField::ALL.iter();
    let fields: Map<String, Value> =
        fields.map(|field| (field.to_string(), json!({ "type": field.json_type() }))).collect();
    body(&fields.into(), &[])
}
