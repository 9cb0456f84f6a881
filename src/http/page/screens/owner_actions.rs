//! The forms of the operations on one owner.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::owner::{Action, SUSPEND, Subject};
use super::prompt::Seen;
use super::transfer;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::key::Owner;
use crate::record::operation::Operation;

/// The most keys that are revoked without typing the id of their owner.
const MAX_UNTYPED: u64 = 10;

/// Shows the question before the action.
pub(in crate::http::page) async fn ask(visit: &Visit, action: Action) -> Answer {
    let owner = owner_of(visit)?;
    visit.step_up(action.operation)?;
    let subject = Subject::of(visit, &owner).await?;
    let (values, faults) = (Form::default(), Faults::default());
    shown(visit, StatusCode::OK, action, &subject, &values, &faults).await
}

/// Runs the action, if the form confirms it.
pub(in crate::http::page) async fn act(visit: &Visit, action: Action) -> Answer {
    let owner = owner_of(visit)?;
    let subject = Subject::of(visit, &owner).await?;
    let mut faults = visit.step_up_again(action.operation);
    if needs_id(action, &subject) && visit.form.value("typed_name") != owner.id() {
        faults.add(Fault::new("typed_name", Text::TYPED_OWNER_WRONG.with("id", owner.id())));
    }
    if let Some(fault) = seen(action, &subject).and_then(|seen| seen.fault(&visit.form)) {
        faults.add(fault);
    }
    let to = match action.operation {
        Operation::KeyTransfer => transfer::new_owner(visit, &mut faults).await?,
        _ => None,
    };
    if faults.is_empty() {
        let back = visit.urls.of_owner("/all", &owner);
        match done_to(visit, action, &subject, to).await {
            Ok(()) => return Ok(go_to(&done(&back, action.done))),
            Err(failure) => faults.add(failure.into_fault()?),
        }
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    shown(visit, status, action, &subject, &visit.form, &faults).await
}

/// Returns the owner that the address names, for an actor who may see the keys of all. The form has
/// a field of this name for the new owner.
fn owner_of(visit: &Visit) -> Result<Owner, Failure> {
    visit.must_see(Screens::ALL_KEYS)?;
    visit.query.value("owner").parse().map_err(|_| Failure::NotFound)
}

async fn done_to(
    visit: &Visit,
    action: Action,
    subject: &Subject,
    to: Option<Owner>,
) -> Result<(), Failure> {
    let (authority, actor, owner) = (visit.authority(), &visit.actor, &subject.owner);
    let user = || subject.user_id().ok_or(Failure::NotFound);
    match action.operation {
        Operation::UserSuspend => drop(authority.suspend_user(actor, user()?).await?),
        Operation::UserRestore => drop(authority.restore_user(actor, user()?).await?),
        Operation::KeyRevoke => drop(authority.revoke_owned(actor, owner).await?),
        _ => {
            let to = to.ok_or(Failure::NotFound)?;
            drop(authority.transfer_owned(actor, owner, &to).await?);
        }
    }
    Ok(())
}

/// Returns true if the id of the owner must be typed: for the revocation of many keys.
fn needs_id(action: Action, subject: &Subject) -> bool {
    action.operation == Operation::KeyRevoke && subject.live > MAX_UNTYPED
}

/// Returns the number of live keys, for an action on all keys of the owner.
fn seen(action: Action, subject: &Subject) -> Option<Seen> {
    let is_of_keys = matches!(action.operation, Operation::KeyRevoke | Operation::KeyTransfer);
    is_of_keys.then_some(Seen { number: subject.live, grown: Text::OWNER_HAS_MORE_KEYS })
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    action: Action,
    subject: &Subject,
    values: &Form,
    faults: &Faults,
) -> Result<Response, Failure> {
    if !visit.actor.may(action.operation, &subject.owner) {
        return Err(Failure::Forbidden);
    }
    let (owner, id) = (&subject.owner, subject.owner.id());
    let name = visit.say(action.title.with("owner", &subject.name));
    let fields = Fields { frame: visit, values, faults };
    let is_revocation = action.operation == Operation::KeyRevoke;
    let form = html! {
        @if let Some(seen) = seen(action, subject) { (seen.field()) }
        @if action.operation == Operation::KeyTransfer { (transfer::owner_fields(visit, fields, owner).await?) }
        @if needs_id(action, subject) {
            (fields.input(Kind::Line, "typed_name", Text::TYPE_OWNER.with("id", id), None))
        }
        (fields::buttons(visit, action.label, is_revocation, &visit.urls.of_owner("/all", owner)))
    };
    let content = html! {
        h1 { (name) }
        p { (visit.say(action.lead)) }
        p { (visit.say(Text::KEY_COUNT.count(subject.live))) ". " code { (id) } }
        @if is_revocation && subject.allows(visit, SUSPEND) {
            p {
                (visit.say(Text::NOT_SURE)) " "
                a href=(visit.urls.of_owner(SUSPEND.path, owner)) { (visit.say(Text::SUSPEND_INSTEAD)) }
            }
        }
        (fields.summary())
        (fields::form(&visit.urls.of_owner(action.path, owner), &form))
    };
    Ok(visit.show_with(status, fields::title(visit, &name, faults), content))
}
