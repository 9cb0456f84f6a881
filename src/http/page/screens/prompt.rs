//! A question before an operation: what it does, and the form that confirms it.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::visit::Visit;
use crate::record::operation::Operation;
use crate::value::name::Name;
use crate::value::time::Timestamp;

/// A final operation on keys that were used within this time asks for a name to be typed.
const RECENT: Duration = Duration::from_hours(24);

/// An operation with its texts.
#[derive(Clone, Copy)]
pub(in crate::http::page) struct Question {
    pub(super) operation: Operation,
    /// The last part of the path.
    pub(super) path: &'static str,
    pub(super) title: Text,
    pub(super) lead: Text,
    pub(super) label: Text,
    pub(super) done: Text,
}

impl Question {
    /// Returns true if the operation cannot be undone.
    pub(super) fn is_final(self) -> bool {
        use Operation::{AccountDelete, KeyDelete, KeyRevoke};
        matches!(self.operation, AccountDelete | KeyDelete | KeyRevoke)
    }
}

/// A question about one key or one service account.
pub(super) struct Prompt<'a> {
    pub(super) question: Question,
    /// The name of the key or the account.
    pub(super) name: &'a Name,
    /// The facts between the lead and the form.
    pub(super) content: Markup,
    /// The label of the field in which the name must be typed.
    pub(super) typed: Option<Text>,
    pub(super) seen: Option<Seen>,
    /// The path to which the form is sent.
    pub(super) action: String,
    pub(super) back: String,
}

/// A number that the user saw with the question, such as that of the keys to delete. The operation
/// is refused if it has grown, and the question is asked again.
///
/// The check is a courtesy to the user: a change right after it is not noticed.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) number: u64,
    pub(super) grown: Text,
}

impl Seen {
    /// Returns the hidden field with the number.
    pub(super) fn field(self) -> Markup {
        html! { input type="hidden" name="seen" value=(self.number); }
    }

    /// Returns the fault of a form that was opened when the number was lower.
    pub(super) fn fault(self, form: &Form) -> Option<Fault> {
        let seen: u64 = form.value("seen").parse().unwrap_or_default();
        (seen < self.number).then(|| Fault::new("", self.grown))
    }
}

impl Prompt<'_> {
    /// Asks the question.
    pub(super) fn ask(&self, visit: &Visit) -> Response {
        self.shown(visit, StatusCode::OK, &Form::default(), &Faults::default())
    }

    /// Asks again if the form that was sent does not confirm the operation.
    pub(super) fn ask_again(&self, visit: &Visit) -> Option<Response> {
        let mut faults = visit.step_up_again(self.question.operation);
        if self.typed.is_some() && visit.form.value("typed_name") != self.name.as_str() {
            faults.add(Fault::new("typed_name", Text::TYPED_NAME_WRONG.with("name", self.name)));
        }
        if let Some(fault) = self.seen.and_then(|seen| seen.fault(&visit.form)) {
            faults.add(fault);
        }
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        (!faults.is_empty()).then(|| self.shown(visit, status, &visit.form, &faults))
    }

    fn shown(&self, visit: &Visit, status: StatusCode, values: &Form, faults: &Faults) -> Response {
        let question = self.question;
        let fields = Fields { frame: visit, values, faults };
        let title = visit.say(question.title.with("name", self.name));
        let form = html! {
            @if let Some(seen) = self.seen { (seen.field()) }
            @if let Some(label) = self.typed {
                (fields.input(Kind::Line, "typed_name", label.with("name", self.name), None))
            }
            (fields::buttons(visit, question.label, question.is_final(), &self.back))
        };
        let content = html! {
            h1 { (title) }
            p { (visit.say(question.lead)) }
            (self.content)
            (fields.summary())
            (fields::form(&self.action, &form))
        };
        visit.show_with(status, fields::title(visit, &title, faults), content)
    }
}

/// Returns true for a last use that is so recent that a system still depends on it.
pub(super) fn is_recent(visit: &Visit, last_used_at: Option<Timestamp>) -> bool {
    let now = visit.authority().now();
    last_used_at.is_some_and(|last| now.since(last) < RECENT)
}
