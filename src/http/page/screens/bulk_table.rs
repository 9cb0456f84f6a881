//! The table of the keys that are revoked together: the effect on each, or the result.

use std::error::Error;
use std::sync::Arc;

use maud::{Markup, html};

use crate::authority::{KeyEntry, KeyError};
use crate::http::page::failure::Failure;
use crate::http::page::texts::{Message, Text};
use crate::http::page::view::facts;
use crate::http::page::visit::Visit;
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::record::status::KeyStatus;

/// Returns what the revocation would do to a key.
pub(super) fn before(entry: &KeyEntry) -> Message {
    if entry.actions.contains(&Operation::KeyRevoke) {
        return Text::WILL_BE_REVOKED.into();
    }
    match entry.status {
        KeyStatus::Revoked => Text::RESULT_ALREADY.into(),
        status if status.is_live() => Text::RESULT_FORBIDDEN.into(),
        status => not_in(status),
    }
}

fn not_in(status: KeyStatus) -> Message {
    Text::RESULT_STATUS.saying("status", facts::status_text(status))
}

/// The cause of a failed revocation, for the log of the host.
pub(super) type Cause = Option<Arc<dyn Error + Send + Sync>>;

/// Returns what became of a key.
pub(super) fn after(result: Result<Outcome<Key>, KeyError>) -> (Message, Cause) {
    let text = match result {
        Ok(Outcome::Done(_)) => Text::RESULT_REVOKED.into(),
        Ok(Outcome::Unchanged(_)) => Text::RESULT_ALREADY.into(),
        Err(KeyError::WrongStatus(error)) => not_in(error.status),
        Err(error) => match Failure::from(error) {
            Failure::Forbidden => Text::RESULT_FORBIDDEN.into(),
            Failure::Busy(cause) => return (Text::RESULT_BUSY.into(), Some(cause)),
            Failure::Unavailable(cause) => return (Text::RESULT_UNKNOWN.into(), Some(cause)),
            _ => Text::RESULT_NOT_FOUND.into(),
        },
    };
    (text, None)
}

pub(super) fn name(visit: &Visit, key: &Key) -> Markup {
    html! { a href=(visit.urls.key(&key.id)) { (key.name) } " " code { (key.id) } }
}

pub(super) fn table(
    visit: &Visit,
    caption: &str,
    heads: &[Text],
    rows: &[(Markup, Vec<Markup>)],
) -> Markup {
    html! {
        table class="kw-table" {
            caption class="kw-hidden" { (caption) }
            thead {
                tr {
                    th scope="col" { (visit.say(Text::NAME)) }
                    @for head in heads { th scope="col" { (visit.say(*head)) } }
                }
            }
            tbody {
                @for (name, cells) in rows {
                    tr {
                        th scope="row" data-label=(visit.say(Text::NAME)) { (name) }
                        @for (head, cell) in heads.iter().zip(cells) {
                            td data-label=(visit.say(*head)) { (cell) }
                        }
                    }
                }
            }
        }
    }
}
