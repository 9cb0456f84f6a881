//! The form that changes a key.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::opened;
use crate::authority::{Abilities, KeyEntry, KeyError};
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::key_form::{self, Entered, Part};
use crate::http::page::texts::Text;
use crate::http::page::typed;
use crate::http::page::urls::done;
use crate::http::page::view::facts;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::view::stale;
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::edit::KeyEdit;
use crate::record::key::Key;
use crate::record::operation::Operation;

/// Shows the form with the values of the key.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    let entry = opened::key_for(visit, &[Operation::KeyEdit, Operation::KeyRename]).await?;
    let values = key_form::values(visit, &entry.key, possible(&entry));
    shown(visit, StatusCode::OK, &entry, &values, &Faults::default(), None).await
}

/// Changes the key as the form says.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    let id = visit.key_id()?;
    let (authority, actor) = (visit.authority(), &visit.actor);
    let entry = authority.key(actor, &id).await?;
    let mut faults = visit.step_up_again(operation_of(&entry));
    let version: u64 = visit.form.value("version").parse().map_err(|_| Failure::Stale)?;
    let edit = edit_of(visit, &entry.key, &mut faults);
    if let Some(edit) = edit.filter(|_| faults.is_empty()) {
        let saved = || go_to(&done(&visit.urls.key(&id), Text::SAVED));
        match authority.edit(actor, &id, edit.if_version(version)).await {
            Ok(_) => return Ok(saved()),
            Err(KeyError::Stale { .. }) => {
                let entry = authority.key(actor, &id).await?;
                // A form that is sent twice finds its own values.
                if edit_of(visit, &entry.key, &mut faults) == Some(KeyEdit::new()) {
                    return Ok(saved());
                }
                let status = StatusCode::PRECONDITION_FAILED;
                let stored = key_form::stored(visit, &entry.key, &visit.form);
                let sent = key_form::written(&visit.form);
                return shown(visit, status, &entry, &sent, &faults, Some(&stored)).await;
            }
            // The form was opened before the key expired, so it has fields that are fixed now.
            Err(KeyError::WrongStatus(error)) => {
                let status = facts::status_text(error.status);
                let fault = Fault::new("", Text::FIELDS_FIXED.saying("status", status));
                faults.add(Fault { link: Some(visit.urls.of_key(&id, "edit")), ..fault });
            }
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &entry, &visit.form, &faults, None).await
}

/// Returns the fields that can be changed. Name and notes can be changed in any status.
fn possible(entry: &KeyEntry) -> Part {
    if entry.actions.contains(&Operation::KeyEdit) { Part::All } else { Part::Notes }
}

/// Returns the operation of the form, of which the host is asked for a fresh login.
fn operation_of(entry: &KeyEntry) -> Operation {
    match possible(entry) {
        Part::All => Operation::KeyEdit,
        Part::Notes => Operation::KeyRename,
    }
}

/// Returns the edit of the fields that differ from the key; `None` if a field has a fault.
fn edit_of(visit: &Visit, key: &Key, faults: &mut Faults) -> Option<KeyEdit> {
    let form = &visit.form;
    let name = faults.take(typed::name(form));
    let values = key_form::parse(visit, form, &key.metadata, faults);
    let mut edit = KeyEdit::new();
    if let Some(name) = name.filter(|name| *name != key.name) {
        edit = edit.name(name);
    }
    if let Some(scopes) = values.scopes.filter(|scopes| *scopes != key.scopes) {
        edit = edit.scopes(scopes);
    }
    if let Some(networks) = values.networks.filter(|networks| *networks != key.networks) {
        edit = edit.networks(networks);
    }
    if let Some(Entered(rate)) = values.rate.filter(|rate| rate.0 != key.rate) {
        edit = edit.rate(rate);
    }
    if let Some(Entered(description)) = values.description.filter(|text| text.0 != key.description)
    {
        edit = edit.description(description);
    }
    if let Some(Entered(contact)) = values.contact.filter(|text| text.0 != key.contact) {
        edit = edit.contact(contact);
    }
    if let Some(metadata) = values.metadata.filter(|metadata| *metadata != key.metadata) {
        edit = edit.metadata(metadata);
    }
    Some(edit).filter(|_| faults.is_empty())
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    entry: &KeyEntry,
    values: &Form,
    faults: &Faults,
    stored: Option<&Form>,
) -> Result<Response, Failure> {
    let key = &entry.key;
    let abilities: Abilities = visit.authority().abilities(&visit.actor, &key.owner).await?;
    let (name, back) = (visit.say(Text::EDIT_KEY.with("name", &key.name)), visit.urls.key(&key.id));
    let values = match stored {
        Some(_) => values.clone().set("version", key.version),
        None => values.clone(),
    };
    let fields = Fields { frame: visit, values: &values, faults };
    let part = if visit.is_post() { Part::of(&visit.form) } else { possible(entry) };
    let form = html! {
        (fields.hidden("version"))
        (fields.input(Kind::Line, "name", Text::NAME, None))
        (key_form::fields(fields, part, abilities.choices.as_ref()))
        p {
            (visit.say(Text::EXPIRES)) ": " (facts::time_or(visit, key.expires_at, Text::NO_EXPIRY)) ". "
            (visit.say(Text::EXPIRY_IS_FIXED))
        }
        (fields::buttons(visit, Text::SAVE, false, &back))
    };
    let content = html! {
        h1 { (name) }
        @if let Some(stored) = stored { (stale::panel(visit, stored, &values)) }
        (fields.summary())
        (fields::form(&visit.urls.of_key(&key.id, "edit"), &form))
    };
    Ok(visit.show_with(status, fields::title(visit, &name, faults), content))
}
