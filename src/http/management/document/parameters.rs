//! Parameters of paths, queries and headers, by their names in the document.

use serde_json::{Value, json};

use super::values;
use crate::http::management::query::MAX_SEARCH;
use crate::record::event::EventKind;
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;
use crate::store::MAX_LIMIT;

pub(in super::super) const IF_MATCH: &[&str] = &["IfMatch"];
pub(in super::super) const REQUIRED_IF_MATCH: &[&str] = &["RequiredIfMatch"];
pub(in super::super) const ACCOUNT_LIST: &[&str] = &["Search", "Limit", "Cursor"];
pub(in super::super) const KEY_LIST: &[&str] = &[
    "Search",
    "Status",
    "Owner",
    "ExpiringWithin",
    "UnusedSince",
    "NeverUsed",
    "Sort",
    "Descending",
    "Limit",
    "Cursor",
];
pub(in super::super) const EVENT_LIST: &[&str] = &[
    "EventKey",
    "EventAccount",
    "EventActor",
    "EventKind",
    "Since",
    "Until",
    "OldestFirst",
    "Limit",
    "Cursor",
];

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false,
        "description": description, "schema": schema,
    })
}

fn path(description: &str, schema: &Value) -> Value {
    json!({
        "name": "id", "in": "path", "required": true,
        "description": description, "schema": schema,
    })
}

fn if_match(required: bool, description: &str, pattern: &str) -> Value {
    json!({
        "name": "If-Match", "in": "header", "required": required, "description": description,
        "schema": { "type": "string", "pattern": pattern, "examples": ["\"1\""] },
    })
}

/// Every kind of event, as text.
pub(super) fn event_kinds() -> Vec<String> {
    let operations = Operation::ALL.iter().map(|operation| EventKind::from(*operation));
    operations
        .chain([EventKind::ExtensiveUse, EventKind::Refusals])
        .map(|kind| kind.to_string())
        .collect()
}

pub(super) fn all() -> Value {
    let yes_or_no = json!({ "type": "boolean" });
    let statuses = KeyStatus::ALL.map(KeyStatus::as_str);
    json!({
        "KeyId": path("The key.", &values::id()),
        "AccountId": path("The service account.", &values::id()),
        "IfMatch": if_match(
            false,
            "Only if it still has this version; without it, or with *, whichever it has.",
            r#"^(\*|(W/)?"[!#-~]*")$"#,
        ),
        "RequiredIfMatch": if_match(
            true,
            "The version of the policy that this replaces.",
            r#"^(W/)?"[!#-~]*"$"#,
        ),
        "Search": query("search", "In names, ids and owners or roles.", &json!({ "type": "string", "maxLength": MAX_SEARCH })),
        "Limit": query(
            "limit",
            "Items on the page.",
            &json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50 }),
        ),
        "Cursor": query("cursor", "`next` of the page before.", &values::cursor()),
        "Status": query(
            "status",
            "Of any of these.",
            &json!({ "type": "array", "items": { "type": "string", "enum": statuses } }),
        ),
        "Owner": query("owner", "Of this owner.", &values::owner()),
        "ExpiringWithin": query(
            "expiring_within",
            "Live, and expiring within so many seconds.",
            &values::seconds(0),
        ),
        "UnusedSince": query("unused_since", "Neither made nor used since.", &values::time()),
        "NeverUsed": query("never_used", "Never used.", &yes_or_no),
        "Sort": query(
            "sort",
            "By what.",
            &json!({
                "type": "string",
                "enum": ["created_at", "updated_at", "name", "expires_at", "last_used_at"],
                "default": "created_at",
            }),
        ),
        "Descending": query("descending", "In reverse.", &yes_or_no),
        "EventKey": query("key", "Of this key.", &values::id()),
        "EventAccount": query("account", "Of this service account.", &values::id()),
        "EventActor": query("actor", "By this one.", &values::event_actor()),
        "EventKind": query(
            "kind",
            "Of this kind.",
            &json!({ "type": "string", "enum": event_kinds() }),
        ),
        "Since": query("since", "At this time or later.", &values::time()),
        "Until": query("until", "Before this time.", &values::time()),
        "OldestFirst": query("oldest_first", "Oldest first.", &yes_or_no),
    })
}
