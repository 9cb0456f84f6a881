//! The questions before an operation on a key that needs no other value: disable, enable, end the
//! overlap, revoke and delete.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::authority::KeyEntry;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::view::{facts, key_table};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::operation::Operation;

/// A key that was used within this time is revoked only after its name was typed.
const RECENT: Duration = Duration::from_hours(24);

/// An operation with its texts.
#[derive(Clone, Copy)]
pub(in crate::http::page) struct Question {
    operation: Operation,
    path: &'static str,
    title: Text,
    lead: Text,
    label: Text,
    done: Text,
}

pub(in crate::http::page) const DISABLE: Question = Question {
    operation: Operation::KeyDisable,
    path: "disable",
    title: Text::DISABLE_KEY,
    lead: Text::DISABLE_LEAD,
    label: Text::DISABLE,
    done: Text::DISABLED,
};
pub(in crate::http::page) const ENABLE: Question = Question {
    operation: Operation::KeyEnable,
    path: "enable",
    title: Text::ENABLE_KEY,
    lead: Text::ENABLE_LEAD,
    label: Text::ENABLE,
    done: Text::ENABLED,
};
pub(in crate::http::page) const FINISH: Question = Question {
    operation: Operation::KeyFinishRotation,
    path: "finish",
    title: Text::FINISH_KEY,
    lead: Text::FINISH_LEAD,
    label: Text::FINISH_ROTATION,
    done: Text::FINISHED,
};
pub(in crate::http::page) const REVOKE: Question = Question {
    operation: Operation::KeyRevoke,
    path: "revoke",
    title: Text::REVOKE_KEY,
    lead: Text::REVOKE_LEAD,
    label: Text::REVOKE,
    done: Text::REVOKED,
};
pub(in crate::http::page) const DELETE: Question = Question {
    operation: Operation::KeyDelete,
    path: "delete",
    title: Text::DELETE_KEY,
    lead: Text::DELETE_LEAD,
    label: Text::DELETE,
    done: Text::DELETED,
};

impl Question {
    fn is_final(self) -> bool {
        matches!(self.operation, Operation::KeyRevoke | Operation::KeyDelete)
    }

    /// Returns true if the name of the key must be typed: for a final operation on a key in use.
    fn needs_name(self, visit: &Visit, entry: &KeyEntry) -> bool {
        let now = visit.authority().now();
        self.is_final() && entry.last_used_at.is_some_and(|last| now.since(last) < RECENT)
    }
}

/// Asks the question.
pub(in crate::http::page) async fn ask(visit: &Visit, question: Question) -> Answer {
    visit.step_up(question.operation)?;
    let entry = visit.authority().key(&visit.actor, &visit.key_id()?).await?;
    let (values, faults) = (Form::default(), Faults::default());
    Ok(shown(visit, StatusCode::OK, question, &entry, &values, &faults))
}

/// Does the operation.
pub(in crate::http::page) async fn act(visit: &Visit, question: Question) -> Answer {
    let id = visit.key_id()?;
    let entry = visit.authority().key(&visit.actor, &id).await?;
    let mut faults = Faults::default();
    if let Some(fault) = visit.step_up_again(question.operation) {
        faults.add(fault);
    }
    let is_named = visit.form.value("typed_name") == entry.key.name.as_str();
    if question.needs_name(visit, &entry) && !is_named {
        faults.add(Fault::new("typed_name", Text::TYPED_NAME_WRONG.with("name", &entry.key.name)));
    }
    if !faults.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(shown(visit, status, question, &entry, &visit.form, &faults));
    }
    let (authority, actor) = (visit.authority(), &visit.actor);
    let screen = visit.urls.key(&id);
    let back = match question.operation {
        Operation::KeyDisable => authority.disable(actor, &id).await.map(|_| screen),
        Operation::KeyEnable => authority.enable(actor, &id).await.map(|_| screen),
        Operation::KeyRevoke => authority.revoke(actor, &id).await.map(|_| screen),
        Operation::KeyFinishRotation => authority.finish_rotation(actor, &id).await.map(|_| screen),
        _ => {
            let list = visit.list_of(&entry.key.owner);
            authority.delete(actor, &id).await.map(|()| list)
        }
    };
    let back = back.map_err(Failure::from)?;
    Ok(go_to(&done(&back, question.done)))
}

fn shown(
    visit: &Visit,
    status: StatusCode,
    question: Question,
    entry: &KeyEntry,
    values: &Form,
    faults: &Faults,
) -> Response {
    let key = &entry.key;
    let name = visit.say(question.title.with("name", &key.name));
    let fields = Fields { frame: visit, values, faults };
    let form = html! {
        @if question.needs_name(visit, entry) {
            (fields.input(Kind::Line, "typed_name", Text::TYPE_NAME.with("name", &key.name), None))
        }
        (fields::buttons(visit, question.label, question.is_final(), &visit.urls.key(&key.id)))
    };
    let content = html! {
        h1 { (name) }
        p { (visit.say(question.lead)) }
        @if question.is_final() { (checks(visit)) }
        (key_facts(visit, entry))
        @if question.is_final() && entry.actions.contains(&Operation::KeyDisable) {
            p {
                (visit.say(Text::NOT_SURE)) " "
                a href=(visit.urls.of_key(&key.id, "disable")) { (visit.say(Text::DISABLE_INSTEAD)) }
            }
        }
        @if question.operation == Operation::KeyFinishRotation {
            @if entry.overlap.as_ref().is_some_and(|overlap| overlap.safe_to_finish) {
                p { strong { (visit.say(Text::SAFE_TO_FINISH)) } }
            } @else {
                p { strong { (visit.say(Text::NOT_SAFE_TO_FINISH)) } }
            }
        }
        (fields.summary())
        (fields::form(&visit.urls.of_key(&key.id, question.path), &form))
    };
    visit.show_with(status, fields::title(visit, &name, faults), content)
}

/// The checks before a final operation.
fn checks(visit: &Visit) -> Markup {
    html! {
        p { (visit.say(Text::CHECK_FIRST)) }
        ul {
            li { (visit.say(Text::CHECK_NOT_NEEDED)) }
            li { (visit.say(Text::CHECK_REPLACED)) }
            li { (visit.say(Text::CHECK_ASKED)) }
        }
    }
}

fn key_facts(visit: &Visit, entry: &KeyEntry) -> Markup {
    let key = &entry.key;
    html! {
        dl class="kw-facts" {
            dt { (visit.say(Text::PREFIX)) } dd { code { (entry.prefix) } }
            dt { (visit.say(Text::OWNER)) } dd { (visit.name_of(&key.owner, entry.owner_name.as_ref())) }
            dt { (visit.say(Text::LAST_USED)) } dd { (facts::time_or(visit, entry.last_used_at, Text::NEVER)) }
            dt { (visit.say(Text::USES)) } dd { (entry.uses) }
            dt { (visit.say(Text::STATUS)) } dd { (key_table::standing(visit, entry)) }
        }
    }
}
