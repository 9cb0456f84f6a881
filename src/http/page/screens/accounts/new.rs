//! The form of a new service account.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::fields::{self, Roles, Values};
use super::gate;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self as form_fields, Fields};
use crate::http::page::view::obstacles;
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::account::NewAccount;
use crate::record::operation::Operation;
use crate::value::scope::Access;

/// Shows the form.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    gate::open(visit, Operation::AccountCreate)?;
    visit.step_up(Operation::AccountCreate)?;
    let values = Form::default().with("ticket", visit.authority().ticket()?);
    let roles = fields::roles(visit).await?;
    Ok(shown(visit, StatusCode::OK, &roles, &values, &Faults::default()))
}

/// Creates the account as the form says, and shows its screen.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    gate::open(visit, Operation::AccountCreate)?;
    let mut faults = visit.step_up_again(Operation::AccountCreate);
    // Without its ticket, a form that is sent twice would make two accounts.
    let ticket = visit.form.value("ticket").parse().map_err(|_| Failure::Stale)?;
    let values = fields::parse(&visit.form, &mut faults).filter(|_| faults.is_empty());
    if let Some(values) = values {
        let new = new_account(values).ticket(ticket);
        match visit.authority().create_account(&visit.actor, new).await {
            Ok(entry) => {
                let screen = visit.urls.account(&entry.account.id);
                return Ok(go_to(&done(&screen, Text::ACCOUNT_MADE)));
            }
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    let roles = fields::roles(visit).await?;
    Ok(shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &roles, &visit.form, &faults))
}

fn new_account(values: Values) -> NewAccount {
    let new = NewAccount::new(values.name, values.role);
    if values.access == Access::ReadOnly { new.read_only() } else { new }
}

fn shown(
    visit: &Visit,
    status: StatusCode,
    roles: &Roles,
    values: &Form,
    faults: &Faults,
) -> Response {
    let name = visit.say(Text::NEW_ACCOUNT);
    let back = visit.urls.to("/accounts");
    let fields = Fields { frame: visit, values, faults };
    let has_roles = roles.as_ref().is_none_or(|roles| !roles.is_empty());
    let form = html! {
        (fields.hidden("ticket"))
        (fields::fields(visit, fields, roles))
        (form_fields::buttons(visit, Text::NEW_ACCOUNT, false, &back))
    };
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::ACCOUNTS_LEAD)) }
        @if has_roles {
            (fields.summary())
            (form_fields::form(&visit.urls.to("/accounts/new"), &form))
        } @else {
            p class="kw-panel" { (visit.say(Text::NO_ROLES)) }
            (obstacles::administrators(visit))
            p { a href=(back) { (visit.say(Text::BACK_TO_ACCOUNTS)) } }
        }
    };
    visit.show_with(status, form_fields::title(visit, &name, faults), content)
}
