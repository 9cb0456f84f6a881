//! The names of components of the document, and references to them.

use serde_json::{Value, json};

use crate::http::management::route_table::names::Schema;
use crate::http::management::wire::problem::Code;

/// In front of every name: a host's own document may have a `Key` too.
const PREFIX: &str = "Keywright";

pub(super) fn schema_name(schema: Schema) -> String {
    format!("{PREFIX}{}", schema.as_str())
}

/// Names the response of problems that have one status.
pub(super) fn response_name(codes: &[Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    format!("{PREFIX}{}", codes.join("."))
}

/// Refers to a schema.
pub(super) fn schema_ref(schema: Schema) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", schema_name(schema)) })
}

/// Refers to the response of problems that have one status.
pub(super) fn response_ref(codes: &[Code]) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", response_name(codes)) })
}
