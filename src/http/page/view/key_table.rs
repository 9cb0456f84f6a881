//! A table of keys.

use maud::{Markup, html};

use super::{actions, facts};
use crate::authority::KeyEntry;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;

/// The columns of a table that not every screen has.
#[derive(Clone, Copy, Default)]
pub(in crate::http::page) struct Columns {
    /// A check box for each live key, in the form with the id `bulk`.
    pub(in crate::http::page) is_selectable: bool,
    /// The id, the owner and the last change of each key, instead of its prefix and its uses.
    pub(in crate::http::page) has_owner: bool,
}

/// The operations that have a form, with their path and their label.
pub(in crate::http::page) const ACTIONS: [(Operation, &str, Text); 9] = [
    (Operation::KeyEdit, "edit", Text::EDIT),
    (Operation::KeyRename, "edit", Text::EDIT),
    (Operation::KeyRotate, "rotate", Text::ROTATE),
    (Operation::KeyFinishRotation, "finish", Text::FINISH_ROTATION),
    (Operation::KeyDisable, "disable", Text::DISABLE),
    (Operation::KeyEnable, "enable", Text::ENABLE),
    (Operation::KeyTransfer, "transfer", Text::TRANSFER),
    (Operation::KeyRevoke, "revoke", Text::REVOKE),
    (Operation::KeyDelete, "delete", Text::DELETE),
];

/// The operations that a short table links to.
const SHORT_ACTIONS: [Operation; 2] = [Operation::KeyRotate, Operation::KeyDelete];

/// Returns the links to the forms of the operations that are possible.
pub(in crate::http::page) fn actions(frame: &Frame, entry: &KeyEntry) -> Markup {
    links(frame, entry, |_| true)
}

/// Returns the links to the forms of the operations that are possible and pass a test.
pub(in crate::http::page) fn links(
    frame: &Frame,
    entry: &KeyEntry,
    is_shown: impl Fn(&Operation) -> bool,
) -> Markup {
    let (id, name) = (&entry.key.id, &entry.key.name);
    let has = |operation: &Operation| entry.actions.contains(operation) && is_shown(operation);
    let mut possible: Vec<_> = ACTIONS.iter().filter(|(one, ..)| has(one)).collect();
    // Both edit the same form.
    possible.dedup_by_key(|(_, path, _)| *path);
    let links = possible.into_iter().map(|(_, path, label)| (frame.urls.of_key(id, path), *label));
    actions::list(frame, name.as_str(), links)
}

/// Returns a table of keys.
pub(in crate::http::page) fn table(
    frame: &Frame,
    caption: &str,
    entries: &[KeyEntry],
    columns: Columns,
) -> Markup {
    let head = |text: Text| html! { th scope="col" { (frame.say(text)) } };
    html! {
        table class="kw-table" {
            caption class="kw-hidden" { (caption) }
            thead {
                tr {
                    @if columns.is_selectable { (head(Text::SELECT)) }
                    (head(Text::NAME))
                    @if columns.has_owner {
                        (head(Text::KEY_ID)) (head(Text::OWNER))
                    } @else {
                        (head(Text::PREFIX))
                    }
                    (head(Text::CREATED))
                    @if columns.has_owner { (head(Text::LAST_CHANGED)) }
                    (head(Text::LAST_USED))
                    @if !columns.has_owner { (head(Text::USES)) }
                    (head(Text::EXPIRES))
                    (head(Text::STATUS)) (head(Text::ACTIONS))
                }
            }
            tbody { @for entry in entries { (row(frame, entry, columns)) } }
        }
    }
}

/// Returns a table of the keys of one owner, below the name of that owner: fewer columns, and links
/// to rotate and delete alone.
pub(in crate::http::page) fn short(frame: &Frame, caption: &str, entries: &[&KeyEntry]) -> Markup {
    let columns =
        [Text::NAME, Text::PREFIX, Text::LAST_USED, Text::EXPIRES, Text::STATUS, Text::ACTIONS];
    html! {
        table class="kw-table" {
            caption class="kw-hidden" { (caption) }
            thead { tr { @for column in columns { th scope="col" { (frame.say(column)) } } } }
            tbody { @for entry in entries { (short_row(frame, entry)) } }
        }
    }
}

fn short_row(frame: &Frame, entry: &KeyEntry) -> Markup {
    let key = &entry.key;
    let cell =
        |label: Text, content: Markup| html! { td data-label=(frame.say(label)) { (content) } };
    html! {
        tr {
            th scope="row" data-label=(frame.say(Text::NAME)) {
                a href=(frame.urls.key(&key.id)) { (key.name) }
            }
            (cell(Text::PREFIX, html! { code { (entry.prefix) } }))
            (cell(Text::LAST_USED, facts::time_or(frame, entry.last_used_at, Text::NEVER)))
            (cell(Text::EXPIRES, facts::time_or(frame, key.expires_at, Text::NO_EXPIRY)))
            (cell(Text::STATUS, standing(frame, entry)))
            (cell(Text::ACTIONS, links(frame, entry, |one| SHORT_ACTIONS.contains(one))))
        }
    }
}

fn row(frame: &Frame, entry: &KeyEntry, columns: Columns) -> Markup {
    let key = &entry.key;
    let cell =
        |label: Text, content: Markup| html! { td data-label=(frame.say(label)) { (content) } };
    let can_revoke = entry.actions.contains(&Operation::KeyRevoke);
    html! {
        tr {
            @if columns.is_selectable {
                td data-label=(frame.say(Text::SELECT)) {
                    @if can_revoke {
                        input type="checkbox" name="id" value=(key.id) form="bulk"
                            aria-label=(frame.say(Text::SELECT_KEY.with("name", &key.name)));
                    }
                }
            }
            th scope="row" data-label=(frame.say(Text::NAME)) {
                a href=(frame.urls.key(&key.id)) { (key.name) }
                @if let Some(description) = &key.description { p class="kw-hint" { (description) } }
            }
            @if columns.has_owner {
                (cell(Text::KEY_ID, html! { code { (key.id) } }))
                (cell(Text::OWNER, html! {
                    a href=(frame.urls.of_owner("/all", &key.owner)) {
                        (frame.name_of(&key.owner, entry.owner_name.as_ref()))
                    }
                }))
            } @else {
                (cell(Text::PREFIX, html! { code { (entry.prefix) } }))
            }
            (cell(Text::CREATED, html! {
                (facts::time(key.created_at))
                @if key.owner != Owner::User(key.created_by.clone()) {
                    " " (created_by(frame, entry))
                }
            }))
            @if columns.has_owner { (cell(Text::LAST_CHANGED, facts::time(key.updated_at))) }
            (cell(Text::LAST_USED, facts::time_or(frame, entry.last_used_at, Text::NEVER)))
            @if !columns.has_owner { (cell(Text::USES, html! { (entry.uses) })) }
            (cell(Text::EXPIRES, facts::time_or(frame, key.expires_at, Text::NO_EXPIRY)))
            (cell(Text::STATUS, standing(frame, entry)))
            (cell(Text::ACTIONS, html! {
                (actions(frame, entry))
                @if entry.status == KeyStatus::Expired {
                    a href={ (frame.urls.to("/new")) "?" (again(entry)) } { (frame.say(Text::MAKE_NEW_ONE)) }
                }
            }))
        }
    }
}

/// Returns the sentence that names who generated a key.
pub(in crate::http::page) fn created_by(frame: &Frame, entry: &KeyEntry) -> Markup {
    let creator = Owner::User(entry.key.created_by.clone());
    html! { (frame.say(Text::BY_WHOM.with("who", frame.name_of(&creator, None)))) }
}

/// Returns the query with which the form of a new key begins as a copy of an expired one.
fn again(entry: &KeyEntry) -> String {
    let key = &entry.key;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("name", key.name.as_str());
    query.append_pair("owner", &key.owner.to_string());
    query.finish()
}

/// Returns the status of a key, and the reason beyond it for which its requests are refused.
pub(in crate::http::page) fn standing(frame: &Frame, entry: &KeyEntry) -> Markup {
    html! {
        (facts::status(frame, entry.status))
        @if let Some(reason) = facts::stopped(entry.refused_because.as_ref()) {
            " " span class="kw-stopped" { (frame.say(reason)) }
        }
        @if let Some(overlap) = &entry.overlap {
            " " span class="kw-hint" {
                (frame.say(Text::OLD_SECRET_UNTIL.with("time", facts::minutes(overlap.overlap_ends_at))))
            }
        }
    }
}
