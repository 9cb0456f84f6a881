//! The form that hands all keys of a service account to another owner.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::{keys, opened};
use crate::authority::AccountEntry;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::screens::prompt::Seen;
use crate::http::page::screens::transfer::{new_owner, owner_fields};
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self, Fields};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::key::Owner;
use crate::record::operation::Operation;

/// Shows the form.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    let entry = opened::account_for(visit, Operation::KeyTransfer).await?;
    shown(visit, StatusCode::OK, &entry, &Form::default(), &Faults::default()).await
}

/// Hands the keys over.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    let entry = opened::account_sent(visit, Operation::KeyTransfer).await?;
    let id = &entry.account.id;
    let mut faults = visit.step_up_again(Operation::KeyTransfer);
    if let Some(fault) = seen(&entry).and_then(|seen| seen.fault(&visit.form)) {
        faults.add(fault);
    }
    let to = new_owner(visit, &mut faults).await?;
    if let Some(to) = to.filter(|_| faults.is_empty()) {
        let from = Owner::Account(*id);
        match visit.authority().transfer_owned(&visit.actor, &from, &to).await {
            Ok(_) => {
                let screen = visit.urls.account(id);
                return Ok(go_to(&done(&screen, Text::ACCOUNT_KEYS_HANDED_OVER)));
            }
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &entry, &visit.form, &faults).await
}

/// Returns the number of live keys; `None` for an actor who may not see them.
fn seen(entry: &AccountEntry) -> Option<Seen> {
    entry.live_keys.map(|number| Seen { number, grown: Text::HAS_MORE_KEYS })
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    entry: &AccountEntry,
    values: &Form,
    faults: &Faults,
) -> Result<Response, Failure> {
    let account = &entry.account;
    let name = visit.say(Text::TRANSFER_KEYS_OF_ACCOUNT.with("name", &account.name));
    let fields = Fields { frame: visit, values, faults };
    let back = visit.urls.account(&account.id);
    let form = html! {
        @if let Some(seen) = seen(entry) { (seen.field()) }
        (owner_fields(visit, fields, &Owner::Account(account.id)).await?)
        (fields::buttons(visit, Text::TRANSFER_ACCOUNT_KEYS, false, &back))
    };
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::TRANSFER_ACCOUNT_KEYS_LEAD)) }
        (keys::live(visit, entry, Text::TRANSFERS_KEYS))
        (fields.summary())
        (fields::form(&visit.urls.of_account(&account.id, "transfer"), &form))
    };
    Ok(visit.show_with(status, fields::title(visit, &name, faults), content))
}
