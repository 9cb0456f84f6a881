//! The form that hands a key to another owner.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::{opened, owner_name};
use crate::authority::KeyEntry;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::typed;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::store::AccountQuery;

/// The most service accounts that the form lists. Another one is named by its id.
const MAX_LISTED: u16 = 200;

/// The hidden field with the id that the user was asked to check.
const CHECKED: &str = "checked_user";

/// Shows the form.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    let entry = opened::key_for(visit, &[Operation::KeyTransfer]).await?;
    shown(visit, StatusCode::OK, &entry, &Form::default(), &Faults::default()).await
}

/// Hands the key over.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    let id = visit.key_id()?;
    let entry = visit.authority().key(&visit.actor, &id).await?;
    let mut faults = visit.step_up_again(Operation::KeyTransfer);
    let owner = new_owner(visit, &mut faults).await?;
    if let Some(owner) = owner.filter(|_| faults.is_empty()) {
        match visit.authority().transfer_key(&visit.actor, &id, &owner).await {
            Ok(_) => {
                // The actor may not see the keys of the new owner.
                let is_seen = visit.actor.may(Operation::KeyShow, &owner);
                let next = if is_seen { visit.urls.key(&id) } else { visit.urls.to("/") };
                return Ok(go_to(&done(&next, Text::HANDED_OVER)));
            }
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &entry, &visit.form, &faults).await
}

/// Returns the owner that the form names. An id that belongs to no known user is a fault, until the
/// same id is sent again.
pub(in crate::http::page) async fn new_owner(
    visit: &Visit,
    faults: &mut Faults,
) -> Result<Option<Owner>, Failure> {
    let form = &visit.form;
    let Some(owner) = faults.take(named_owner(form)) else { return Ok(None) };
    let is_checked = form.value(CHECKED) == form.value("user");
    if !is_checked && owner_name::is_unknown(visit, &owner).await? {
        faults.add(Fault::new("user", Text::USER_UNKNOWN.with("id", owner.id())));
    }
    Ok(Some(owner))
}

/// Returns the owner that the form names: a user, or one of the list.
fn named_owner(form: &Form) -> Result<Owner, Fault> {
    match (form.given("user"), typed::owner(form)?) {
        (Some(user), None) => typed::user_or_account(user),
        (None, Some(owner)) => Ok(owner),
        (Some(_), Some(_)) => Err(Fault::new("owner", Text::ONE_OWNER)),
        (None, None) => Err(Fault::new("owner", Text::OWNER_REQUIRED)),
    }
}

/// Returns the fields of the new owner, which is another one than the present.
pub(in crate::http::page) async fn owner_fields(
    visit: &Visit,
    fields: Fields<'_>,
    present: &Owner,
) -> Result<maud::Markup, Failure> {
    let mut owners = vec![
        (String::new(), visit.say(Text::CHOOSE_OWNER)),
        (Owner::Organization.to_string(), visit.say(Text::ORGANIZATION)),
    ];
    if visit.actor.may_for_any(Operation::AccountShow) {
        let query = AccountQuery::new().limit(MAX_LISTED);
        let accounts = visit.authority().accounts(&visit.actor, &query).await?;
        owners.extend(accounts.items.into_iter().map(|entry| {
            (Owner::Account(entry.account.id).to_string(), entry.account.name.to_string())
        }));
    }
    let present = present.to_string();
    owners.retain(|(owner, _)| *owner != present);
    let hint = html! { (visit.say(Text::USER_HINT)) };
    // A token in this field is another fault, and is not repeated.
    let is_asked =
        |user: &&str| fields.faults.of("user").is_some() && typed::user_or_account(user).is_ok();
    let checked = fields.values.given("user").filter(is_asked);
    Ok(html! {
        @if let Some(checked) = checked { input type="hidden" name=(CHECKED) value=(checked); }
        (fields.select("owner", Text::NEW_OWNER, None, &owners))
        (fields.input(Kind::Line, "user", Text::OR_USER, Some(hint)))
    })
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    entry: &KeyEntry,
    values: &Form,
    faults: &Faults,
) -> Result<Response, Failure> {
    let key = &entry.key;
    let name = visit.say(Text::TRANSFER_KEY.with("name", &key.name));
    let fields = Fields { frame: visit, values, faults };
    let form = html! {
        (owner_fields(visit, fields, &key.owner).await?)
        (fields::buttons(visit, Text::TRANSFER, false, &visit.urls.key(&key.id)))
    };
    let owner = visit.name_of(&key.owner, entry.owner_name.as_ref());
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::TRANSFER_LEAD.with("owner", owner))) }
        (fields.summary())
        (fields::form(&visit.urls.of_key(&key.id, "transfer"), &form))
    };
    Ok(visit.show_with(status, fields::title(visit, &name, faults), content))
}
