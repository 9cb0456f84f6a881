//! The parameters of paths, queries and headers.

use serde_json::{Value, json};

use super::value_schemas as values;
use crate::http::management::extract::query::MAX_SEARCH;
use crate::http::management::route_table::names::Parameter;
use crate::record::status::KeyStatus;
use crate::store::{KeySort, MAX_LIMIT};
use crate::value::metadata::Metadata;

/// The sort orders of a list of keys, the default first.
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
    let flag = |description| query(description, json!({ "type": "boolean" }));
    match parameter {
        Parameter::KeyId => path("The id of the key.", values::id()),
        Parameter::AccountId => path("The id of the service account.", values::id()),
        Parameter::UserId => path("The id of the user, percent-encoded.", values::host_id()),
        Parameter::IfMatch => described(
            "header",
            false,
            "The version that the record must still have. Without this header, or with *, any version.",
            entity_tag(r#"^(\*|(W/)?"[!#-~]*")$"#),
        ),
        Parameter::RequiredIfMatch => described(
            "header",
            true,
            "The version of the plan that this request replaces.",
            entity_tag(r#"^(W/)?"[!#-~]*"$"#),
        ),
        Parameter::Search => query(
            "A text to search for: in names, ids, owners, descriptions and contacts of keys, or in names, ids and roles of accounts.",
            json!({ "type": "string", "maxLength": MAX_SEARCH }),
        ),
        Parameter::StartingWith => query(
            "Only tenants whose id starts with this text.",
            json!({ "type": "string", "maxLength": MAX_SEARCH }),
        ),
        Parameter::Limit => query(
            "The maximum number of items on the page.",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50 }),
        ),
        Parameter::Cursor => query("The `next` of the previous page.", values::cursor()),
        Parameter::Status => {
            let statuses = KeyStatus::ALL.map(KeyStatus::as_str);
            query(
                "Only keys with one of these statuses.",
                json!({ "type": "array", "items": { "type": "string", "enum": statuses } }),
            )
        }
        Parameter::Owner => query("Only keys of this owner.", values::owner()),
        Parameter::OwnerOfNewKey => {
            query("The owner of the key to generate. By default it is you.", values::owner())
        }
        Parameter::OwnerKind => query("Only keys of owners of this kind.", values::owner_kind()),
        Parameter::Contact => query("Only keys with exactly this contact.", values::contact()),
        Parameter::Metadata => query(
            "Only keys whose metadata has all of these entries, each as KEY:VALUE.",
            json!({
                "type": "array",
                "maxItems": Metadata::MAX_ENTRIES,
                "items": values::metadata_entry(),
            }),
        ),
        Parameter::Prefix => {
            query("Only keys whose tokens begin with this prefix.", values::prefix())
        }
        Parameter::ExpiringWithin => {
            query("Only live keys that expire within this time, in seconds.", values::seconds(0))
        }
        Parameter::UnusedSince => query(
            "Only keys that were created before this time and not used since.",
            values::time(),
        ),
        Parameter::NeverUsed => flag("Only keys that were never used."),
        Parameter::Sort => query(
            "The sort order.",
            json!({ "type": "string", "enum": SORTS, "default": SORTS[0] }),
        ),
        Parameter::Descending => flag("Reverses the sort order."),
        Parameter::Count => flag("Returns the number of items on all pages too, as `total`."),
        Parameter::EventKey => query("Only events of this key.", values::id()),
        Parameter::EventAccount => query("Only events of this service account.", values::id()),
        Parameter::EventActor => query("Only events of this actor.", values::event_actor()),
        Parameter::EventKind => query("Only events of this kind.", values::event_kind()),
        Parameter::Since => query("Only events at this time or later.", values::time()),
        Parameter::Until => query("Only events before this time.", values::time()),
        Parameter::OldestFirst => flag("Returns the oldest events first."),
    }
}

fn entity_tag(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "examples": ["\"1\""] })
}
