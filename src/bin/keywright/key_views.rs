//! Views of keys: a table of many keys, and all details of one.

use serde_json::Value;

use crate::output::words;
use crate::read::{Read, rows};
use crate::tables::{Column, Sheet};

/// The actions on a key, and this program's commands for them.
const ACTIONS: [(&str, &str); 8] = [
    ("key.rename", "rename"),
    ("key.disable", "disable"),
    ("key.enable", "enable"),
    ("key.rotate", "rotate"),
    ("key.finish_rotation", "finish-rotation"),
    ("key.transfer", "transfer"),
    ("key.revoke", "revoke"),
    ("key.delete", "delete"),
];

fn columns(name: u16, handle: u16, times: fn(&'static str) -> Column) -> Vec<Column> {
    vec![
        Column::new("name").least(name),
        Column::new("prefix").least(handle),
        Column::new("owner").least(handle),
        Column::new("status"),
        Column::new("uses"),
        times("last used"),
        times("expires"),
        Column::new("actions"),
    ]
}

/// Returns a table of keys in two layouts. In a wide terminal, an id is on one line with its prefix.
/// In a narrow one it has its own line, and times break after the date.
pub(crate) fn listing(entries: &[Value]) -> Vec<Sheet> {
    let rows = |before_id| entries.iter().map(|entry| cells(entry, before_id)).collect();
    vec![
        Sheet { columns: columns(24, u16::MAX, Column::new), rows: rows("") },
        Sheet { columns: columns(8, 16, Column::times), rows: rows("\n") },
    ]
}

/// Returns a table of keys with their tenants.
pub(crate) fn listing_of_all_tenants(entries: &[Value]) -> Vec<Sheet> {
    let layout = |mut sheet: Sheet| {
        sheet.columns.insert(0, Column::new("tenant").least(8));
        for (row, entry) in sheet.rows.iter_mut().zip(entries) {
            row.insert(0, entry.text("/key/tenant", ""));
        }
        sheet
    };
    listing(entries).into_iter().map(layout).collect()
}

/// Returns the cells of a key. A line break before the id keeps it whole and easy to copy.
fn cells(entry: &Value, before_id: &str) -> Vec<String> {
    let owner = entry.text("/key/owner", "");
    let (prefix, id) = (entry.text("/key/prefix", ""), entry.text("/key/id", ""));
    vec![
        entry.text("/key/name", ""),
        format!("{prefix}_{before_id}{id}"),
        match owner.strip_prefix("account:") {
            Some(id) => format!("account:{before_id}{id}"),
            None => owner,
        },
        entry.text("/status", ""),
        entry.text("/uses", ""),
        entry.time("/last_used_at", "never"),
        entry.time("/key/expires_at", "never"),
        actions(entry),
    ]
}

/// Returns the possible actions, by the names of this program's commands.
fn actions(entry: &Value) -> String {
    let command = |action: &Value| {
        let found = ACTIONS.iter().find(|(operation, _)| action == operation);
        found.map(|(_, command)| *command)
    };
    words(entry.list("/actions").iter().filter_map(command), "none")
}

/// Returns all details of a key.
pub(crate) fn whole(entry: &Value) -> Vec<(String, String)> {
    let is_of_account = entry.text("/key/owner", "").starts_with("account:");
    let no_scopes =
        if is_of_account { "those of the account's role" } else { "the plan's default scopes" };
    let text = |place, none| entry.text(place, none);
    let time = |place, none| entry.time(place, none);
    let mut fields = rows([
        ("id", text("/key/id", "")),
        ("name", text("/key/name", "")),
        ("prefix", text("/prefix", "")),
        ("tenant", text("/key/tenant", "")),
        ("owner", text("/key/owner", "")),
        ("owner name", text("/owner_name", "none")),
        ("status", text("/status", "")),
        ("refused because", text("/refused_because", "no")),
        ("own scopes", text("/key/scopes", no_scopes)),
        ("scopes", text("/scopes", "none: it allows nothing")),
        ("access", text("/access", "")),
        ("networks", text("/key/networks", "anywhere")),
        ("own rate", text("/key/rate", "none")),
        ("rate", text("/rate", "no limit")),
        ("description", text("/key/description", "none")),
        ("contact", text("/key/contact", "none")),
        ("metadata", text("/key/metadata", "none")),
        ("created", time("/key/created_at", "")),
        ("created by", text("/key/created_by", "")),
        ("updated", time("/key/updated_at", "")),
        ("not before", time("/key/not_before", "none")),
        ("expires", time("/key/expires_at", "never")),
        ("revoked", time("/key/revoked_at", "no")),
        ("uses", text("/uses", "")),
        ("last used", time("/last_used_at", "never")),
        ("refused", text("/refused", "")),
        ("last refused", time("/last_refused_at", "never")),
        ("secret number", text("/key/secret_number", "")),
        ("rotated", time("/key/rotated_at", "never")),
    ]);
    if entry["overlap"].is_object() {
        let is_safe = entry.is("/overlap/safe_to_finish");
        let advice = if is_safe { "yes" } else { "no, not yet" };
        fields.extend(rows([
            ("overlap ends", time("/overlap/overlap_ends_at", "")),
            ("old last used", time("/overlap/old_last_used_at", "never")),
            ("new last used", time("/overlap/new_last_used_at", "never")),
            ("safe to finish", advice.to_owned()),
        ]));
    }
    fields.extend(rows([("actions", actions(entry)), ("version", text("/key/version", ""))]));
    fields
}
