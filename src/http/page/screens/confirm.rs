//! The questions before an operation on a key that needs no other value: disable, enable, end the
//! overlap, revoke and delete.

use maud::{Markup, html};

use super::opened;
use super::prompt::{Prompt, Question, Seen, is_recent};
use crate::authority::KeyEntry;
use crate::http::page::failure::Failure;
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::{facts, key_table, overlap};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::operation::Operation;
use crate::value::note::Contact;

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

/// Asks the question.
pub(in crate::http::page) async fn ask(visit: &Visit, question: Question) -> Answer {
    let entry = opened::key_for(visit, &[question.operation]).await?;
    Ok(prompt(visit, question, &entry).ask(visit))
}

/// Performs the operation.
pub(in crate::http::page) async fn act(visit: &Visit, question: Question) -> Answer {
    let id = visit.key_id()?;
    let entry = visit.authority().key(&visit.actor, &id).await?;
    if let Some(again) = prompt(visit, question, &entry).ask_again(visit) {
        return Ok(again);
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

fn prompt<'a>(visit: &Visit, question: Question, entry: &'a KeyEntry) -> Prompt<'a> {
    let key = &entry.key;
    let must_type = question.is_final() && is_recent(visit, entry.last_used_at);
    // A form that was opened before another rotation would end the secret that is in use now.
    let ends_overlap =
        question.operation == Operation::KeyFinishRotation && entry.overlap.is_some();
    let number = u64::from(key.secret_number);
    Prompt {
        question,
        name: &key.name,
        content: content(visit, question, entry),
        typed: must_type.then_some(Text::TYPE_NAME),
        seen: ends_overlap.then_some(Seen { number, grown: Text::ROTATED_MEANWHILE }),
        action: visit.urls.of_key(&key.id, question.path),
        back: visit.urls.key(&key.id),
    }
}

fn content(visit: &Visit, question: Question, entry: &KeyEntry) -> Markup {
    let key = &entry.key;
    let ends_overlap = question.operation == Operation::KeyFinishRotation;
    html! {
        @if question.is_final() { (checks(visit, key.contact.as_ref())) }
        (key_facts(visit, entry))
        @if question.is_final() && entry.actions.contains(&Operation::KeyDisable) {
            p {
                (visit.say(Text::NOT_SURE)) " "
                a href=(visit.urls.of_key(&key.id, "disable")) { (visit.say(Text::DISABLE_INSTEAD)) }
            }
        }
        @if let Some(found) = entry.overlap.as_ref().filter(|_| ends_overlap) {
            (overlap::progress(visit, found))
        }
    }
}

/// Returns the checks before a final operation.
fn checks(visit: &Visit, contact: Option<&Contact>) -> Markup {
    let asked = |contact| Text::CHECK_ASKED_CONTACT.with("contact", contact);
    let asked = contact.map_or_else(|| Text::CHECK_ASKED.into(), asked);
    html! {
        p { (visit.say(Text::CHECK_FIRST)) }
        ul {
            li { (visit.say(Text::CHECK_NOT_NEEDED)) }
            li { (visit.say(Text::CHECK_REPLACED)) }
            li { (visit.say(asked)) }
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
