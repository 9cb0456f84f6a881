//! A service account, as the list and its own screen show it.

use maud::{Markup, html};

use super::{actions, facts};
use crate::authority::AccountEntry;
use crate::decision::Reason;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;
use crate::value::scope::Access;

/// The operations on an account that have a form, with their path and their label.
const ACTIONS: [(Operation, &str, Text); 6] = [
    (Operation::AccountEdit, "edit", Text::EDIT),
    (Operation::AccountDisable, "disable", Text::DISABLE),
    (Operation::AccountEnable, "enable", Text::ENABLE),
    (Operation::KeyTransfer, "transfer", Text::TRANSFER_ACCOUNT_KEYS),
    (Operation::KeyRevoke, "revoke", Text::REVOKE_ACCOUNT_KEYS),
    (Operation::AccountDelete, "delete", Text::DELETE),
];

/// Returns the links to the forms of the operations that are possible.
pub(in crate::http::page) fn actions(frame: &Frame, entry: &AccountEntry) -> Markup {
    let account = &entry.account;
    let possible = ACTIONS.iter().filter(|(operation, ..)| entry.actions.contains(operation));
    let links = possible.map(|(_, path, label)| (frame.urls.of_account(&account.id, path), *label));
    actions::list(frame, account.name.as_str(), links)
}

/// Returns the button that generates a key for the account, if it can have one now.
pub(in crate::http::page) fn generate(frame: &Frame, entry: &AccountEntry) -> Markup {
    let account = &entry.account;
    let new = format!("{}?owner={}", frame.urls.to("/new"), Owner::Account(account.id));
    html! {
        @if entry.actions.contains(&Operation::KeyGenerate) {
            p {
                a class="kw-button" href=(new) {
                    (frame.say(Text::NEW_KEY)) span class="kw-hidden" { " " (account.name) }
                }
            }
        }
    }
}

/// Returns the state of the account, and the reason beyond it for which its keys are refused.
pub(in crate::http::page) fn standing(frame: &Frame, entry: &AccountEntry) -> Markup {
    let status = if entry.account.enabled { KeyStatus::Active } else { KeyStatus::Disabled };
    let reason = entry.refused_because.as_ref();
    let beyond = reason.filter(|reason| !matches!(reason, Reason::AccountDisabled));
    html! {
        (facts::status(frame, status))
        @if let Some(reason) = facts::stopped(beyond) {
            " " span class="kw-stopped" { (frame.say(reason)) }
        }
    }
}

/// Returns the access of the account: a tag if it is read-only.
pub(in crate::http::page) fn access(frame: &Frame, access: Access) -> Markup {
    html! {
        @match access {
            Access::ReadOnly => span class="kw-tag" { (frame.say(Text::READ_ONLY)) },
            Access::ReadWrite => (frame.say(Text::READ_WRITE)),
        }
    }
}

/// Returns the number of the account's live keys and its limit; nothing if the actor may not see
/// keys.
pub(in crate::http::page) fn numbers(frame: &Frame, entry: &AccountEntry) -> Markup {
    html! {
        @if let Some(live) = entry.live_keys { (facts::numbers(frame, live, entry.max_keys)) }
    }
}
