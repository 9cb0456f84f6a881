//! Schemas of objects, put together from their properties. Every object is closed.

use serde_json::{Map, Value, json};

use crate::http::management::openapi::references::schema_ref;
use crate::http::management::openapi::value_schemas::{cursor, or_null};
use crate::http::management::route_table::names::Schema;

/// A closed object with all of these properties.
pub(super) fn record(properties: &Value) -> Value {
    let names: Vec<&str> =
        properties.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    body(properties, &names)
}

/// A closed object with some of these properties, and always with the required ones.
pub(super) fn body(properties: &Value, required: &[&str]) -> Value {
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

/// Adds an example.
pub(super) fn such_as(mut schema: Value, example: Value) -> Value {
    schema["examples"] = Value::Array(vec![example]);
    schema
}

/// A page of a list.
pub(super) fn page(of: Schema) -> Value {
    record(&json!({
        "items": { "type": "array", "items": schema_ref(of) },
        "next": or_null(cursor()),
    }))
}

/// An object of this schema, or null.
pub(super) fn or_none(of: Schema) -> Value {
    json!({ "oneOf": [schema_ref(of), { "type": "null" }] })
}

pub(super) fn boolean() -> Value {
    json!({ "type": "boolean" })
}
