//! The schema of the abilities of an actor.

use serde_json::{Value, json};

use super::objects::{boolean, or_none, record};
use super::policy::{keys, scope_catalog};
use crate::http::management::openapi::references::schema_ref;
use crate::http::management::openapi::value_schemas::{
    access, count, or_null, owner, owner_kind, rate, scopes, seconds,
};
use crate::http::management::route_table::names::Schema;
use crate::record::operation::Operation;

pub(super) fn abilities() -> Value {
    let operations = || {
        let all: Vec<&str> = Operation::ALL.iter().map(|operation| operation.as_str()).collect();
        json!({ "type": "array", "items": { "type": "string", "enum": all } })
    };
    record(&json!({
        "owner": owner(),
        "operations": operations(),
        "operations_for_any": operations(),
        "owner_kinds": { "type": "array", "items": owner_kind() },
        "can_generate": boolean(),
        "obstacles": {
            "type": "array",
            "description": "Everything that prevents a new key of the owner: the problems that \
                generating one would answer with.",
            "items": schema_ref(Schema::Problem),
        },
        "keys": object_or_null(&numbers()),
        "choices": object_or_null(&choices()),
    }))
}

fn numbers() -> Value {
    record(&json!({ "live": count(), "max": or_null(keys()), "all": count() }))
}

fn choices() -> Value {
    record(&json!({
        "scopes": scope_catalog(),
        "default_scopes": scopes(),
        "access": access(),
        "never_expires": boolean(),
        "default_lifetime": or_null(seconds(1)),
        "max_lifetime": or_null(seconds(1)),
        "max_overlap": seconds(0),
        "default_rate": or_null(rate()),
        "max_rate": or_null(rate()),
        "name_pattern": or_none(Schema::NamePattern),
    }))
}

fn object_or_null(object: &Value) -> Value {
    json!({ "oneOf": [object, { "type": "null" }] })
}
