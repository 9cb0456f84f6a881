//! The questions before an operation on a service account: disable, enable, revoke all its keys, and
//! delete it with its keys.

use maud::{Markup, html};

use super::{keys, opened};
use crate::authority::AccountEntry;
use crate::http::page::failure::Failure;
use crate::http::page::screens::prompt::{Prompt, Question, Seen, is_recent};
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::key::Owner;
use crate::record::operation::Operation;

/// The most keys that are revoked without typing the name of their account.
const MAX_UNTYPED: u64 = 10;

pub(in crate::http::page) const DISABLE: Question = Question {
    operation: Operation::AccountDisable,
    path: "disable",
    title: Text::DISABLE_ACCOUNT,
    lead: Text::DISABLE_ACCOUNT_LEAD,
    label: Text::DISABLE,
    done: Text::DISABLED,
};
pub(in crate::http::page) const ENABLE: Question = Question {
    operation: Operation::AccountEnable,
    path: "enable",
    title: Text::ENABLE_ACCOUNT,
    lead: Text::ENABLE_ACCOUNT_LEAD,
    label: Text::ENABLE,
    done: Text::ENABLED,
};
pub(in crate::http::page) const REVOKE: Question = Question {
    operation: Operation::KeyRevoke,
    path: "revoke",
    title: Text::REVOKE_KEYS_OF_ACCOUNT,
    lead: Text::REVOKE_ACCOUNT_KEYS_LEAD,
    label: Text::REVOKE_ACCOUNT_KEYS,
    done: Text::ACCOUNT_KEYS_REVOKED,
};
pub(in crate::http::page) const DELETE: Question = Question {
    operation: Operation::AccountDelete,
    path: "delete",
    title: Text::DELETE_ACCOUNT,
    lead: Text::DELETE_ACCOUNT_LEAD,
    label: Text::DELETE,
    done: Text::ACCOUNT_DELETED,
};

/// Asks the question.
pub(in crate::http::page) async fn ask(visit: &Visit, question: Question) -> Answer {
    let entry = opened::account_for(visit, question.operation).await?;
    Ok(prompt(visit, question, &entry).ask(visit))
}

/// Performs the operation.
pub(in crate::http::page) async fn act(visit: &Visit, question: Question) -> Answer {
    let entry = opened::account_sent(visit, question.operation).await?;
    if let Some(again) = prompt(visit, question, &entry).ask_again(visit) {
        return Ok(again);
    }
    let id = entry.account.id;
    let (authority, actor) = (visit.authority(), &visit.actor);
    let screen = visit.urls.account(&id);
    let back = match question.operation {
        Operation::AccountDisable => {
            authority.disable_account(actor, &id).await.map(|_| screen).map_err(Failure::from)?
        }
        Operation::AccountEnable => {
            authority.enable_account(actor, &id).await.map(|_| screen).map_err(Failure::from)?
        }
        Operation::KeyRevoke => {
            authority.revoke_owned(actor, &Owner::Account(id)).await.map(|_| screen)?
        }
        _ => {
            authority.delete_account(actor, &id).await?;
            visit.urls.to("/accounts")
        }
    };
    Ok(go_to(&done(&back, question.done)))
}

fn prompt<'a>(visit: &Visit, question: Question, entry: &'a AccountEntry) -> Prompt<'a> {
    let id = &entry.account.id;
    // An actor who may not see the keys cannot know their number either.
    let counted = match question.operation {
        Operation::AccountDelete => entry.all_keys,
        Operation::KeyRevoke => entry.live_keys,
        _ => None,
    };
    let seen = counted.filter(|number| *number > 0);
    Prompt {
        question,
        name: &entry.account.name,
        content: content(visit, question, entry),
        typed: must_type(visit, question, entry).then_some(Text::TYPE_ACCOUNT_NAME),
        seen: seen.map(|number| Seen { number, grown: Text::HAS_MORE_KEYS }),
        action: visit.urls.of_account(id, question.path),
        back: visit.urls.account(id),
    }
}

/// Returns true if the name of the account must be typed: to delete it with keys, and to revoke many
/// keys or one in use.
fn must_type(visit: &Visit, question: Question, entry: &AccountEntry) -> bool {
    match question.operation {
        Operation::AccountDelete => entry.all_keys != Some(0),
        Operation::KeyRevoke => {
            entry.live_keys.is_none_or(|live| live > MAX_UNTYPED)
                || entry.keys.iter().any(|key| is_recent(visit, key.last_used_at))
        }
        _ => false,
    }
}

fn content(visit: &Visit, question: Question, entry: &AccountEntry) -> Markup {
    let may_disable = entry.actions.contains(&Operation::AccountDisable);
    html! {
        @match question.operation {
            Operation::AccountDisable => (keys::live(visit, entry, Text::LIVE_KEYS_OF_ACCOUNT)),
            Operation::AccountDelete => (keys::all(visit, entry, Text::DELETES_KEYS)),
            Operation::KeyRevoke => (keys::live(visit, entry, Text::REVOKES_KEYS)),
            _ => {}
        }
        @if question.is_final() && may_disable {
            p {
                (visit.say(Text::NOT_SURE)) " "
                a href=(visit.urls.of_account(&entry.account.id, "disable")) {
                    (visit.say(Text::DISABLE_ACCOUNT_INSTEAD))
                }
            }
        }
    }
}
