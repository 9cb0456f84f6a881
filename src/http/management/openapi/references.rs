//! The names of the components of the document, and references to them.

use serde_json::{Value, json};

use crate::http::management::route_table::names::Schema;
use crate::http::management::wire::problem::Code;

/// The prefix of every name, because the document of a host may also have a `Key`.
const PREFIX: &str = "Keywright";

/// Returns the component name of a schema.
pub(super) fn schema_name(schema: Schema) -> String {
    format!("{PREFIX}{}", schema.as_str())
}

/// Returns the component name of the response for problems with the same status.
pub(super) fn response_name(codes: &[Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    format!("{PREFIX}{}", codes.join("."))
}

/// Creates a reference to a schema.
pub(super) fn schema_ref(schema: Schema) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", schema_name(schema)) })
}

/// Creates a reference to the response for problems with the same status.
pub(super) fn response_ref(codes: &[Code]) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", response_name(codes)) })
}
