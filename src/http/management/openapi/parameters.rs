//! Parameters of paths, queries and headers.

use serde_json::{Value, json};

use super::value_schemas as values;
use crate::http::management::extract::query::MAX_SEARCH;
use crate::http::management::route_table::names::Parameter;
use crate::record::status::KeyStatus;
use crate::store::{KeySort, MAX_LIMIT};

/// The sorts of a list of keys, the default first.
const SORTS: [KeySort; 5] =
    [KeySort::Created, KeySort::Updated, KeySort::Name, KeySort::Expires, KeySort::LastUsed];

/// Describes a parameter.
pub(super) fn parameter(parameter: Parameter) -> Value {
    let described = |place: &str, required: bool, description: &str, schema: Value| {
        json!({
            "name": parameter.as_str(), "in": place, "required": required,
            "description": description, "schema": schema,
        })
    };
    let path = |description, schema| described("path", true, description, schema);
    let query = |description, schema| described("query", false, description, schema);
    let switch = |description| query(description, json!({ "type": "boolean" }));
    match parameter {
        Parameter::KeyId => path("The key.", values::id()),
        Parameter::AccountId => path("The service account.", values::id()),
        Parameter::IfMatch => described(
            "header",
            false,
            "Only if it still has this version; without it, or with *, whichever it has.",
            entity_tag(r#"^(\*|(W/)?"[!#-~]*")$"#),
        ),
        Parameter::RequiredIfMatch => described(
            "header",
            true,
            "The version of the policy that this replaces.",
            entity_tag(r#"^(W/)?"[!#-~]*"$"#),
        ),
        Parameter::Search => query(
            "In names, ids and owners or roles.",
            json!({ "type": "string", "maxLength": MAX_SEARCH }),
        ),
        Parameter::Limit => query(
            "Items on the page.",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50 }),
        ),
        Parameter::Cursor => query("`next` of the page before.", values::cursor()),
        Parameter::Status => {
            let statuses = KeyStatus::ALL.map(KeyStatus::as_str);
            query(
                "Of any of these.",
                json!({ "type": "array", "items": { "type": "string", "enum": statuses } }),
            )
        }
        Parameter::Owner => query("Of this owner.", values::owner()),
        Parameter::ExpiringWithin => {
            query("Live, and expiring within so many seconds.", values::seconds(0))
        }
        Parameter::UnusedSince => query("Neither made nor used since.", values::time()),
        Parameter::NeverUsed => switch("Never used."),
        Parameter::Sort => {
            query("By what.", json!({ "type": "string", "enum": SORTS, "default": SORTS[0] }))
        }
        Parameter::Descending => switch("In reverse."),
        Parameter::EventKey => query("Of this key.", values::id()),
        Parameter::EventAccount => query("Of this service account.", values::id()),
        Parameter::EventActor => query("By this one.", values::event_actor()),
        Parameter::EventKind => query("Of this kind.", values::event_kind()),
        Parameter::Since => query("At this time or later.", values::time()),
        Parameter::Until => query("Before this time.", values::time()),
        Parameter::OldestFirst => switch("Oldest first."),
    }
}

fn entity_tag(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "examples": ["\"1\""] })
}
