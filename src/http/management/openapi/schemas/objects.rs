//! The schemas of objects, built from their properties. Every object is closed: it allows no other
//! property.

use serde_json::{Map, Value, json};

use crate::http::management::openapi::references::schema_ref;
use crate::http::management::openapi::value_schemas::{cursor, or_null};
use crate::http::management::route_table::names::Schema;

/// Builds a closed object with all of these properties required.
pub(super) fn record(properties: &Value) -> Value {
    let names: Vec<&str> =
        properties.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    body(properties, &names)
}

/// Builds a closed object with these properties, of which the listed ones are required.
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

/// Adds an example to a schema.
pub(super) fn such_as(mut schema: Value, example: Value) -> Value {
    schema["examples"] = Value::Array(vec![example]);
    schema
}

/// Builds the schema of a page.
pub(super) fn page(of: Schema) -> Value {
    record(&json!({
        "items": { "type": "array", "items": schema_ref(of) },
        "next": or_null(cursor()),
    }))
}

/// Builds the schema of an object or null.
pub(super) fn or_none(of: Schema) -> Value {
    json!({ "oneOf": [schema_ref(of), { "type": "null" }] })
}

pub(super) fn boolean() -> Value {
    json!({ "type": "boolean" })
}
