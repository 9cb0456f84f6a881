//! The schemas of request bodies.

use serde_json::{Value, json};

use super::objects::{body, boolean, record, such_as};
use crate::http::management::openapi::value_schemas::{
    access, contact, description, id, metadata, name, networks, or_null, owner, rate, role_name,
    scopes, seconds, ticket, time,
};
use crate::http::management::wire::request_bodies::RevokeBody;

pub(super) fn nothing() -> Value {
    body(&json!({}), &[])
}

pub(super) fn new_key() -> Value {
    let mut schema = new_account_key();
    schema["properties"]["owner"] = owner();
    schema
}

/// Builds the schema of a new key whose owner the path names.
pub(super) fn new_account_key() -> Value {
    let properties = json!({
        "name": name(),
        "scopes": scopes(),
        "networks": networks(),
        "rate": rate(),
        "description": description(),
        "contact": contact(),
        "metadata": metadata(),
        "not_before": time(),
        "expires_at": time(),
        "expires_in": seconds(1),
        "never_expires": boolean(),
        "ticket": ticket(),
    });
    such_as(
        body(&properties, &["name"]),
        json!({ "name": "prod-main-app", "expires_in": 7_776_000 }),
    )
}

pub(super) fn key_edit() -> Value {
    let properties = json!({
        "name": name(),
        "scopes": scopes(),
        "networks": networks(),
        "rate": or_null(rate()),
        "description": or_null(description()),
        "contact": or_null(contact()),
        "metadata": metadata(),
    });
    edit(&properties, json!({ "name": "prod-main-app" }))
}

pub(super) fn rotate() -> Value {
    such_as(body(&json!({ "overlap": seconds(0) }), &["overlap"]), json!({ "overlap": 3_600 }))
}

pub(super) fn revoke_keys() -> Value {
    record(&json!({
        "ids": { "type": "array", "minItems": 1, "maxItems": RevokeBody::MAX, "items": id() },
    }))
}

pub(super) fn owner_of_keys() -> Value {
    such_as(record(&json!({ "owner": owner() })), json!({ "owner": "user:alice" }))
}

pub(super) fn hand_over() -> Value {
    such_as(
        record(&json!({ "from": owner(), "to": owner() })),
        json!({ "from": "user:alice", "to": "organization" }),
    )
}

pub(super) fn user_edit() -> Value {
    such_as(
        record(&json!({ "display_name": or_null(name()) })),
        json!({ "display_name": "Alice Jones" }),
    )
}

pub(super) fn new_account() -> Value {
    let mut properties = account_properties();
    properties["ticket"] = ticket();
    such_as(
        body(&properties, &["name", "role"]),
        json!({ "name": "nightly-report", "role": "analyst" }),
    )
}

pub(super) fn account_edit() -> Value {
    edit(&account_properties(), json!({ "access": "read-only" }))
}

fn account_properties() -> Value {
    json!({ "name": name(), "role": role_name(), "access": access() })
}

/// Builds the schema of an edit, which needs at least one property.
pub(super) fn edit(properties: &Value, example: Value) -> Value {
    let mut schema = such_as(body(properties, &[]), example);
    schema["minProperties"] = json!(1);
    schema
}
