//! The schemas of single values, as the types of the crate parse and print them.

use serde_json::{Value, json};

use crate::record::event::EventKind;
use crate::record::key::OwnerKind;
use crate::record::requirement::Requirement;
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::scope::ScopeSet;

pub(super) fn id() -> Value {
    json!({ "type": "string", "pattern": "^[0-9A-Za-z]{16}$", "examples": ["4fQ2xk9ZrT7bWm1c"] })
}

/// Builds the schema of a ticket.
pub(super) fn ticket() -> Value {
    json!({
        "type": "string", "pattern": "^[0-9A-Za-z]{22}$", "examples": ["4fQ2xk9ZrT7bWm1c8PzAq0"],
        "description": "A text drawn at random for this form. If the form is sent again, the request is refused.",
    })
}

/// Builds the schema of an id that the host chooses.
pub(super) fn host_id() -> Value {
    json!({ "type": "string", "pattern": "^[!-~]{1,128}$" })
}

pub(super) fn owner() -> Value {
    json!({
        "type": "string",
        "pattern": "^(user:[!-~]{1,128}|account:[0-9A-Za-z]{16}|organization)$",
        "examples": ["user:alice"],
    })
}

pub(super) fn event_actor() -> Value {
    json!({
        "type": "string",
        "pattern": "^((user|operator):[!-~]{1,128}|possessor|system)$",
        "examples": ["user:alice"],
    })
}

pub(super) fn event_kind() -> Value {
    let kinds: Vec<&str> = EventKind::all().map(EventKind::as_str).collect();
    json!({ "type": "string", "enum": kinds })
}

pub(super) fn cursor() -> Value {
    json!({ "type": "string", "pattern": "^[!-~]{1,2048}$" })
}

pub(super) fn time() -> Value {
    json!({
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$",
    })
}

pub(super) fn seconds(least: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": u64::MAX })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Builds the schema of a name. The crate also refuses invisible characters, e-mail addresses and
/// tokens, which the pattern does not express.
pub(super) fn name() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": Name::MAX_CHARS,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
        "description": "One line of visible text. It must not be an e-mail address or a token.",
        "examples": ["prod-main-app"],
    })
}

/// Builds the schema of a description. The crate also refuses invisible characters and tokens.
pub(super) fn description() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": Description::MAX_CHARS,
        "pattern": r"^[^\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]+$",
        "description": "Visible text of one or more lines for people. It must not contain a token.",
        "examples": ["Sends invoices to the archive"],
    })
}

/// Builds the schema of a contact. The crate also refuses invisible characters and tokens.
pub(super) fn contact() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": Contact::MAX_CHARS,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
        "description": "The technical owner, who is told before a rotation: one line of visible text, \
            such as an e-mail address. It must not contain a token.",
        "examples": ["billing-team@example.com"],
    })
}

pub(super) fn owner_kind() -> Value {
    let kinds: Vec<&str> = OwnerKind::ALL.iter().map(|kind| kind.as_str()).collect();
    json!({ "type": "string", "enum": kinds })
}

/// Builds the schema of an entry of metadata in a query.
pub(super) fn metadata_entry() -> Value {
    json!({
        "type": "string",
        "pattern": r"^[^:\u0000-\u001f\u007f-\u009f]{1,64}:[^\u0000-\u001f\u007f-\u009f]{0,512}$",
        "examples": ["team:billing"],
    })
}

pub(super) fn prefix() -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]{0,31}$", "examples": ["acme_live"] })
}

pub(super) fn scope() -> Value {
    json!({
        "type": "string",
        "pattern": "^[a-z][a-z0-9._:/-]{0,63}$",
        "examples": ["invoices:read"],
    })
}

pub(super) fn scopes() -> Value {
    json!({ "type": "array", "maxItems": ScopeSet::MAX, "items": scope() })
}

pub(super) fn requirement() -> Value {
    let requirements: Vec<&str> = Requirement::ALL.iter().map(|one| one.as_str()).collect();
    json!({ "type": "string", "enum": requirements })
}

pub(super) fn networks() -> Value {
    json!({
        "type": "array",
        "maxItems": Networks::MAX,
        "description": "CIDR blocks or addresses. An empty list allows every address.",
        "items": {
            "type": "string",
            "pattern": r"^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$",
            "examples": ["203.0.113.0/24"],
        },
    })
}

pub(super) fn rate() -> Value {
    json!({
        "type": "string",
        "pattern": "^[1-9][0-9]{0,6}/[1-9][0-9]{0,6}s$",
        "description": "Uses per period: at most 1000000 uses in at most 2678400 s.",
        "examples": ["100/60s"],
    })
}

pub(super) fn use_alert() -> Value {
    json!({
        "type": "string",
        "pattern": "^[1-9][0-9]{0,12}/[1-9][0-9]{1,6}s$",
        "description": "Uses and a period: at most 1000000000000 uses in 60 s to 2678400 s.",
        "examples": ["1000/3600s"],
    })
}

/// Builds the schema of an IP address, in version 4 or 6.
pub(super) fn address() -> Value {
    json!({
        "type": "string",
        "pattern": "^[0-9A-Fa-f:.]{2,45}$",
        "examples": ["203.0.113.7"],
    })
}

pub(super) fn role_name() -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$", "examples": ["analyst"] })
}

pub(super) fn access() -> Value {
    json!({ "type": "string", "enum": ["read-only", "read-write"] })
}

/// Builds the schema of metadata. JSON Schema counts characters and the crate counts bytes, of
/// which a text has at least as many.
pub(super) fn metadata() -> Value {
    json!({
        "type": "object",
        "maxProperties": Metadata::MAX_ENTRIES,
        "description": "Notes in plain text. A key has at most 64 bytes, a value at most 512 bytes.",
        "propertyNames": {
            "type": "string",
            "minLength": 1,
            "maxLength": Metadata::MAX_KEY,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
        },
        "additionalProperties": {
            "type": "string",
            "maxLength": Metadata::MAX_VALUE,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
        },
        "examples": [{ "team": "billing" }],
    })
}

/// Allows null in addition to the values of a schema, which must not be an `enum`.
pub(super) fn or_null(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}
