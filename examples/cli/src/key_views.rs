//! Views of keys: a table of many keys, and all details of one.

use keywright::{KeyEntry, Operation, Owner, Timestamp};

use crate::output::{access, or_none, to_minute, to_second, words};
use crate::tables::{Column, fields, records, tabulate};

fn columns(name: u16, handle: u16, times: fn(&'static str) -> Column) -> [Column; 8] {
    [
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

/// Returns a table of keys, or one record for each if the table does not fit.
pub(crate) fn listing(entries: &[KeyEntry]) -> String {
    let rows =
        |before_id| -> Vec<_> { entries.iter().map(|entry| cells(entry, before_id)).collect() };
    // In a wide terminal, an id is on one line with its prefix. In a narrow one it has its own
    // line, and times break after the date.
    let (wide, tight) = (columns(24, u16::MAX, Column::new), columns(8, 16, Column::times));
    let whole = rows("");
    let table = tabulate(&wide, &whole).or_else(|| tabulate(&tight, &rows("\n")));
    table.unwrap_or_else(|| records(&wide, &whole))
}

/// Returns a table of keys with their tenants, or one record for each if the table does not fit.
pub(crate) fn listing_of_all_tenants(entries: &[KeyEntry]) -> String {
    let columns = after(Column::new("tenant").least(8), columns(8, 16, Column::times));
    let row = |entry: &KeyEntry| after(entry.key.tenant.to_string(), cells(entry, "\n"));
    let rows: Vec<_> = entries.iter().map(row).collect();
    tabulate(&columns, &rows).unwrap_or_else(|| records(&columns, &rows))
}

fn after<T>(first: T, others: [T; 8]) -> [T; 9] {
    let mut all = std::iter::once(first).chain(others);
    std::array::from_fn(|_| all.next().expect("nine cells"))
}

/// Returns the cells of a key. A line break before the id keeps it whole and easy to copy.
fn cells(entry: &KeyEntry, before_id: &str) -> [String; 8] {
    let key = &entry.key;
    [
        key.name.to_string(),
        format!("{}_{before_id}{}", key.prefix, key.id),
        match &key.owner {
            Owner::Account(id) => format!("account:{before_id}{id}"),
            owner => owner.to_string(),
        },
        entry.status.to_string(),
        entry.uses.to_string(),
        or_none(entry.last_used_at.map(to_minute), "never"),
        or_none(key.expires_at.map(to_minute), "never"),
        words(actions(entry), "none"),
    ]
}

/// Returns the possible actions, by the names of this tool's commands.
fn actions(entry: &KeyEntry) -> impl Iterator<Item = &'static str> {
    entry.actions.iter().filter_map(|operation| match operation {
        Operation::KeyRename => Some("rename"),
        Operation::KeyDisable => Some("disable"),
        Operation::KeyEnable => Some("enable"),
        Operation::KeyRotate => Some("rotate"),
        Operation::KeyFinishRotation => Some("finish-rotation"),
        Operation::KeyTransfer => Some("transfer"),
        Operation::KeyRevoke => Some("revoke"),
        Operation::KeyDelete => Some("delete"),
        _ => None,
    })
}

/// Returns all details of a key.
pub(crate) fn whole(entry: &KeyEntry) -> String {
    let key = &entry.key;
    let time = |time: Option<Timestamp>, none: &str| or_none(time.map(to_second), none);
    let metadata = key.metadata.iter().map(|(key, value)| format!("{key}={value}"));
    let metadata: Vec<_> = metadata.collect();
    let mut rows = vec![
        ("id", key.id.to_string()),
        ("name", key.name.to_string()),
        ("prefix", entry.prefix.clone()),
        ("tenant", key.tenant.to_string()),
        ("owner", key.owner.to_string()),
        ("owner name", or_none(entry.owner_name.as_ref(), "none")),
        ("status", entry.status.to_string()),
        ("refused", or_none(entry.refused_because.as_ref(), "no")),
        ("own scopes", words(&key.scopes, no_scopes(&key.owner))),
        ("scopes", words(&entry.scopes, "none: it allows nothing")),
        ("access", access(entry.access).to_owned()),
        ("networks", words(&key.networks, "anywhere")),
        ("own rate", or_none(key.rate, "none")),
        ("rate", or_none(entry.rate, "no limit")),
        ("description", or_none(key.description.as_ref(), "none")),
        ("contact", or_none(key.contact.as_ref(), "none")),
        ("metadata", if metadata.is_empty() { "none".to_owned() } else { metadata.join("\n") }),
        ("created", format!("{} by {}", to_second(key.created_at), key.created_by)),
        ("updated", to_second(key.updated_at)),
        ("not before", time(key.not_before, "none")),
        ("expires", time(key.expires_at, "never")),
        ("revoked", time(key.revoked_at, "no")),
        ("uses", entry.uses.to_string()),
        ("last used", time(entry.last_used_at, "never")),
        ("refused", entry.refused.to_string()),
        ("last refused", time(entry.last_refused_at, "never")),
        ("secret", format!("number {}", key.secret_number)),
        ("rotated", time(key.rotated_at, "never")),
    ];
    if let Some(overlap) = &entry.overlap {
        let advice = if overlap.safe_to_finish { "yes" } else { "no, not yet" };
        rows.extend([
            ("overlap ends", to_second(overlap.overlap_ends_at)),
            ("old last used", time(overlap.old_last_used_at, "never")),
            ("new last used", time(overlap.new_last_used_at, "never")),
            ("safe to finish", advice.to_owned()),
        ]);
    }
    rows.push(("actions", words(actions(entry), "none")));
    rows.push(("version", key.version.to_string()));
    fields(&rows)
}

fn no_scopes(owner: &Owner) -> &'static str {
    match owner {
        Owner::Account(_) => "those of the account's role",
        _ => "the plan's default scopes",
    }
}
