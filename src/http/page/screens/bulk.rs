//! The revocation of many keys at once, with one line for each.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::bulk_table::{Cause, after, before, name, table};
use super::prompt::is_recent;
use crate::authority::{KeyEntry, KeyError};
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::refusal::Refusal;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::facts;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::visit::{Answer, Visit, retried};
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::value::id::KeyId;

/// The most keys of one revocation, as in the management API.
const MAX_KEYS: usize = 100;
/// The most keys that are revoked without typing their number.
const MAX_UNTYPED: usize = 10;

/// The keys that a form selects.
struct Selection {
    entries: Vec<KeyEntry>,
    /// The number of keys that do not exist or that the actor cannot see.
    missing: usize,
}

impl Selection {
    /// Returns the number of keys that the revocation would end and that a system still uses.
    fn recent(&self, visit: &Visit) -> usize {
        let ends = |entry: &&KeyEntry| entry.actions.contains(&Operation::KeyRevoke);
        let ended = self.entries.iter().filter(ends);
        ended.filter(|entry| is_recent(visit, entry.last_used_at)).count()
    }
}

/// Asks whether the selected keys are to be revoked.
pub(in crate::http::page) async fn ask(visit: &Visit) -> Answer {
    visit.must_see(Screens::ALL_KEYS)?;
    visit.step_up(Operation::KeyRevoke)?;
    let ids = ids(&visit.query);
    if let Some(refused) = refused(visit, ids.len()) {
        return Ok(refused);
    }
    let selection = selected(visit, &ids).await?;
    if selection.entries.is_empty() {
        return Err(Failure::NotFound);
    }
    Ok(question(visit, StatusCode::OK, &selection, &Form::default(), &Faults::default()))
}

/// Revokes the selected keys, and shows what became of each.
pub(in crate::http::page) async fn act(visit: &Visit) -> Answer {
    visit.must_see(Screens::ALL_KEYS)?;
    let ids = ids(&visit.form);
    if let Some(refused) = refused(visit, ids.len()) {
        return Ok(refused);
    }
    let mut faults = visit.step_up_for(Operation::KeyRevoke, &address(visit, &ids));
    let selection = selected(visit, &ids).await?;
    // The number is that of the form, so that a form which is sent twice passes twice.
    let must_type = ids.len() > MAX_UNTYPED || selection.recent(visit) > 0;
    if must_type && visit.form.value("typed_count") != ids.len().to_string() {
        faults.add(Fault::new("typed_count", Text::TYPED_COUNT_WRONG.with("keys", ids.len())));
    }
    if !faults.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(question(visit, status, &selection, &visit.form, &faults));
    }
    let results = visit.authority().revoke_many(&visit.actor, &ids).await;
    Ok(shown(visit, &selection, results))
}

/// Returns the ids of the form, each once. A text that is no id can only be of a broken link.
fn ids(form: &Form) -> Vec<KeyId> {
    let mut ids: Vec<KeyId> = Vec::new();
    for id in form.all("id").filter_map(|id| id.parse().ok()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Returns the address of the question about these keys.
fn address(visit: &Visit, ids: &[KeyId]) -> String {
    let query = ids.iter().fold(Form::default(), |query, id| query.with("id", id)).to_query();
    format!("{}?{query}", visit.urls.to("/all/revoke"))
}

/// Answers a form with no key, or with too many.
fn refused(visit: &Visit, count: usize) -> Option<Response> {
    let (title, message) = match count {
        0 => (Text::NONE_SELECTED, Text::NONE_SELECTED_TEXT.into()),
        1..=MAX_KEYS => return None,
        _ => {
            let message = Text::TOO_MANY_SELECTED.with("max", MAX_KEYS).with("got", count);
            (Text::NOT_DONE, message)
        }
    };
    let content = html! {
        h1 { (visit.say(title)) }
        p role="alert" { (visit.say(message)) }
        (back(visit))
    };
    Some(visit.show_with(StatusCode::UNPROCESSABLE_ENTITY, visit.say(title), content))
}

async fn selected(visit: &Visit, ids: &[KeyId]) -> Result<Selection, Failure> {
    let mut selection = Selection { entries: Vec::with_capacity(ids.len()), missing: 0 };
    for id in ids {
        match visit.authority().key(&visit.actor, id).await {
            Ok(entry) => selection.entries.push(entry),
            Err(KeyError::NotFound(_)) => selection.missing += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(selection)
}

fn question(
    visit: &Visit,
    status: StatusCode,
    selection: &Selection,
    values: &Form,
    faults: &Faults,
) -> Response {
    let entries = &selection.entries;
    let count = entries.len();
    let fields = Fields { frame: visit, values, faults };
    let label = match selection.recent(visit) {
        0 => (count > MAX_UNTYPED).then(|| Text::TYPE_COUNT.into()),
        recent => Some(Text::TYPE_COUNT_RECENT.count(recent as u64)),
    };
    let form = html! {
        @for entry in entries { input type="hidden" name="id" value=(entry.key.id); }
        @if let Some(label) = label {
            (fields.input(Kind::Number, "typed_count", label.with("keys", count), None))
        }
        (fields::buttons(visit, Text::REVOKE_KEYS.count(count as u64), true, &visit.urls.to("/all")))
    };
    let name = visit.say(Text::REVOKE_KEYS.count(count as u64));
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::REVOKE_KEYS_LEAD)) }
        @if selection.missing > 0 {
            p { (visit.say(Text::LEFT_OUT.count(selection.missing as u64))) }
        }
        (fields.summary())
        (table(visit, &name, &[Text::OWNER, Text::LAST_USED, Text::EFFECT], &rows_before(visit, entries)))
        (fields::form(&visit.urls.to("/all/revoke"), &form))
    };
    visit.show_with(status, fields::title(visit, &name, faults), content)
}

fn rows_before(visit: &Visit, entries: &[KeyEntry]) -> Vec<(Markup, Vec<Markup>)> {
    let row = |entry: &KeyEntry| {
        let cells = vec![
            html! { (visit.name_of(&entry.key.owner, entry.owner_name.as_ref())) },
            facts::time_or(visit, entry.last_used_at, Text::NEVER),
            html! { (visit.say(before(entry))) },
        ];
        (name(visit, &entry.key), cells)
    };
    entries.iter().map(row).collect()
}

fn shown(
    visit: &Visit,
    selection: &Selection,
    results: Vec<(KeyId, Result<Outcome<Key>, KeyError>)>,
) -> Response {
    let mut failed: Cause = None;
    let mut revoked: u64 = 0;
    let mut rows = Vec::with_capacity(results.len());
    for (id, result) in results {
        let known = selection.entries.iter().find(|entry| entry.key.id == id);
        let first = known.map_or_else(|| html! { code { (id) } }, |entry| name(visit, &entry.key));
        revoked += u64::from(matches!(result, Ok(Outcome::Done(_))));
        let (message, cause) = after(result);
        failed = failed.or(cause);
        rows.push((first, vec![html! { (visit.say(message)) }]));
    }
    let summary = visit.say(Text::REVOKED_NOW.count(revoked));
    let title = visit.say(Text::REVOKE_RESULT);
    let content = html! {
        h1 { (title) }
        p class="kw-done" role="status" { (summary) }
        (table(visit, &title, &[Text::RESULT], &rows))
        (back(visit))
    };
    match failed {
        Some(cause) => {
            let response = visit.show_with(StatusCode::SERVICE_UNAVAILABLE, title, content);
            retried(response, Refusal::caused("a key could not be revoked", cause))
        }
        None => visit.show_with(StatusCode::OK, title, content),
    }
}

fn back(visit: &Visit) -> Markup {
    html! { p { a href=(visit.urls.to("/all")) { (visit.say(Text::BACK_TO_KEYS)) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_revoked_once() {
        let form = Form::parse(b"id=aaaaaaaaaaaaaaaa&id=x&id=bbbbbbbbbbbbbbbb&id=aaaaaaaaaaaaaaaa");
        let ids: Vec<_> = ids(&form).iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"]);
    }
}
