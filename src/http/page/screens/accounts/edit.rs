//! The form that changes a service account, for all its keys at once.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::fields::{self, Values};
use super::opened;
use crate::authority::{AccountEntry, AccountError};
use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self as form_fields, Fields};
use crate::http::page::view::stale;
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::account::{AccountEdit, ServiceAccount};
use crate::record::operation::Operation;

/// Shows the form with the values of the account.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    let entry = opened::account_for(visit, Operation::AccountEdit).await?;
    let values = fields::values(&entry.account);
    shown(visit, StatusCode::OK, &entry, &values, &Faults::default()).await
}

/// Changes the account as the form says.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    let entry = opened::account_sent(visit, Operation::AccountEdit).await?;
    let account = &entry.account;
    let mut faults = visit.step_up_again(Operation::AccountEdit);
    let version: u64 = visit.form.value("version").parse().map_err(|_| Failure::Stale)?;
    let values = fields::parse(&visit.form, &mut faults).filter(|_| faults.is_empty());
    if let Some(values) = values {
        let (authority, actor) = (visit.authority(), &visit.actor);
        let saved = || go_to(&done(&visit.urls.account(&account.id), Text::SAVED));
        let edit = edit_of(account, &values).if_version(version);
        match authority.edit_account(actor, &account.id, edit).await {
            Ok(_) => return Ok(saved()),
            Err(AccountError::Stale { .. }) => {
                let entry = authority.account(actor, &account.id).await?;
                // A form that is sent twice finds its own values.
                if edit_of(&entry.account, &values) == AccountEdit::new() {
                    return Ok(saved());
                }
                let status = StatusCode::PRECONDITION_FAILED;
                return shown(visit, status, &entry, &visit.form, &faults).await;
            }
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &entry, &visit.form, &faults).await
}

/// Returns the edit of the fields that differ from the account, so that an account whose role the
/// plan has lost can be renamed.
fn edit_of(account: &ServiceAccount, values: &Values) -> AccountEdit {
    let mut edit = AccountEdit::new();
    if values.name != account.name {
        edit = edit.name(values.name.clone());
    }
    if values.role != account.role {
        edit = edit.role(values.role.clone());
    }
    if values.access != account.access {
        edit = edit.access(values.access);
    }
    edit
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    entry: &AccountEntry,
    values: &Form,
    faults: &Faults,
) -> Result<Response, Failure> {
    let account = &entry.account;
    let is_stale = status == StatusCode::PRECONDITION_FAILED;
    let values =
        &if is_stale { values.clone().set("version", account.version) } else { values.clone() };
    let name = visit.say(Text::EDIT_ACCOUNT.with("name", &account.name));
    let fields = Fields { frame: visit, values, faults };
    let roles = fields::roles(visit).await?;
    let form = html! {
        (fields.hidden("version"))
        (fields::fields(visit, fields, &roles))
        (form_fields::buttons(visit, Text::SAVE, false, &visit.urls.account(&account.id)))
    };
    let content = html! {
        h1 { (name) }
        (warning(visit, entry))
        @if is_stale { (stale::panel(visit, &fields::values(account), values)) }
        (fields.summary())
        (form_fields::form(&visit.urls.of_account(&account.id, "edit"), &form))
    };
    Ok(visit.show_with(status, form_fields::title(visit, &name, faults), content))
}

/// Returns the sentence that tells how many keys the edit changes.
fn warning(visit: &Visit, entry: &AccountEntry) -> Markup {
    html! {
        @match entry.live_keys {
            Some(0) => {},
            Some(live) => p { strong { (visit.say(Text::CHANGES_KEYS.count(live))) } },
            None => p { strong { (visit.say(Text::CHANGES_ALL_KEYS)) } },
        }
    }
}
