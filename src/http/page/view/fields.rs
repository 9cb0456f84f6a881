//! The fields of a form: each with its label, its hint, and the fault beside it.

use maud::{Markup, html};

use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::frame::Frame;
use crate::http::page::texts::{Message, Text};
use crate::http::page::typed;
use crate::value::visible_text::hides_a_token;

/// A form with its values and its faults.
#[derive(Clone, Copy)]
pub(in crate::http::page) struct Fields<'a> {
    pub(in crate::http::page) frame: &'a Frame,
    pub(in crate::http::page) values: &'a Form,
    pub(in crate::http::page) faults: &'a Faults,
}

/// A radio button or a check box.
pub(in crate::http::page) struct Choice {
    pub(in crate::http::page) value: String,
    pub(in crate::http::page) label: Markup,
    pub(in crate::http::page) hint: Option<Markup>,
}

impl Choice {
    #[expect(clippy::needless_pass_by_value, reason = "callers pass values and references alike")]
    pub(in crate::http::page) fn new(value: impl ToString, label: impl maud::Render) -> Self {
        Self { value: value.to_string(), label: label.render(), hint: None }
    }

    pub(in crate::http::page) fn hint(self, hint: impl maud::Render) -> Self {
        Self { hint: Some(hint.render()), ..self }
    }
}

/// A kind of `<input>`, or a text of several lines.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(in crate::http::page) enum Kind {
    Line,
    Lines,
    Number,
    Date,
}

impl<'a> Fields<'a> {
    /// Returns the summary of the faults, with a link to each field that was rendered before.
    pub(in crate::http::page) fn summary(&self) -> Markup {
        html! {
            @if !self.faults.is_empty() {
                div class="kw-errors" role="alert" tabindex="-1" id="errors" aria-labelledby="errors-title" {
                    h2 id="errors-title" { (self.frame.say(Text::ERRORS_TITLE)) }
                    ul {
                        @for fault in self.faults.iter() {
                            li {
                                @let message = self.message(fault);
                                @match (&fault.link, fault.is_shown()) {
                                    (Some(link), _) => a href=(link) { (message) },
                                    (None, true) => a href={ "#" (fault.field) } { (message) },
                                    (None, false) => (message),
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn message(&self, fault: &Fault) -> String {
        self.frame.say((*fault.message).clone())
    }

    /// Returns a field for text.
    pub(in crate::http::page) fn input(
        &self,
        kind: Kind,
        name: &str,
        label: impl Into<Message>,
        hint: Option<Markup>,
    ) -> Markup {
        self.labeled(kind, name, &self.frame.say(label), hint)
    }

    /// Returns a field for text, with a label that is a text already.
    pub(in crate::http::page) fn labeled(
        &self,
        kind: Kind,
        name: &str,
        label: &str,
        hint: Option<Markup>,
    ) -> Markup {
        let fault = self.faults.of(name);
        let described = described(name, hint.is_some(), fault.is_some());
        let invalid = fault.map(|_| "true");
        // A token that was pasted into the wrong field is not repeated. In a field of the host, it has a
        // fault unless the host has stored it, and then an edit must not blank it.
        let is_stored = typed::is_custom(name) && fault.is_none();
        let value = self.values.value(name);
        let value = if is_stored || !hides_a_token(value) { value } else { "" };
        html! {
            div class="kw-field" {
                label for=(name) { (label) }
                (hint_line(name, hint))
                (self.fault_line(name, fault))
                @match kind {
                    Kind::Lines => textarea id=(name) name=(name) rows="3" aria-describedby=[described]
                        aria-invalid=[invalid] { (value) },
                    Kind::Line => input type="text" id=(name) name=(name) value=(value) autocomplete="off"
                        spellcheck="false" aria-describedby=[described] aria-invalid=[invalid];,
                    Kind::Number => input type="text" inputmode="numeric" id=(name) name=(name) value=(value)
                        autocomplete="off" aria-describedby=[described] aria-invalid=[invalid];,
                    Kind::Date => input type="date" id=(name) name=(name) value=(value)
                        aria-describedby=[described] aria-invalid=[invalid];,
                }
            }
        }
    }

    /// Returns radio buttons. The field's value chooses one.
    pub(in crate::http::page) fn radios(
        &self,
        name: &str,
        legend: impl Into<Message>,
        hint: Option<Markup>,
        choices: &[Choice],
    ) -> Markup {
        self.group("radio", name, &self.frame.say(legend), hint, choices)
    }

    /// Returns check boxes of one field.
    pub(in crate::http::page) fn checks(
        &self,
        name: &str,
        legend: impl Into<Message>,
        hint: Option<Markup>,
        choices: &[Choice],
    ) -> Markup {
        self.group("checkbox", name, &self.frame.say(legend), hint, choices)
    }

    fn group(
        &self,
        kind: &str,
        name: &str,
        legend: &str,
        hint: Option<Markup>,
        choices: &[Choice],
    ) -> Markup {
        let fault = self.faults.of(name);
        let described = described(name, hint.is_some(), fault.is_some());
        html! {
            // The summary of faults links to the group, which takes the focus then.
            fieldset class="kw-field" id=(name) tabindex="-1" aria-describedby=[described] {
                legend { (legend) }
                (hint_line(name, hint))
                (self.fault_line(name, fault))
                @for (at, choice) in choices.iter().enumerate() {
                    (self.choice(kind, name, at, choice))
                }
            }
        }
    }

    fn choice(&self, kind: &str, name: &str, at: usize, choice: &Choice) -> Markup {
        let id = format!("{name}-{at}");
        let hint = choice.hint.as_ref().map(|_| format!("{id}-hint"));
        html! {
            div class="kw-choice" {
                input type=(kind) id=(id) name=(name) value=(choice.value)
                    checked[self.values.has(name, &choice.value)] aria-describedby=[hint.as_deref()];
                label for=(id) { (choice.label) }
                @if let (Some(id), Some(hint)) = (&hint, &choice.hint) {
                    span class="kw-hint" id=(id) { (hint) }
                }
            }
        }
    }

    /// Returns one check box.
    pub(in crate::http::page) fn check(
        &self,
        name: &str,
        label: impl Into<Message>,
        hint: Option<Markup>,
    ) -> Markup {
        let fault = self.faults.of(name);
        let described = described(name, hint.is_some(), fault.is_some());
        html! {
            div class="kw-field" {
                div class="kw-choice" {
                    input type="checkbox" id=(name) name=(name) value="on" checked[self.values.has(name, "on")]
                        aria-describedby=[described] aria-invalid=[fault.map(|_| "true")];
                    label for=(name) { (self.frame.say(label)) }
                }
                (hint_line(name, hint))
                (self.fault_line(name, fault))
            }
        }
    }

    /// Returns a list to choose one value from.
    pub(in crate::http::page) fn select(
        &self,
        name: &str,
        label: impl Into<Message>,
        hint: Option<Markup>,
        options: &[(String, String)],
    ) -> Markup {
        let fault = self.faults.of(name);
        let described = described(name, hint.is_some(), fault.is_some());
        html! {
            div class="kw-field" {
                label for=(name) { (self.frame.say(label)) }
                (hint_line(name, hint))
                (self.fault_line(name, fault))
                select id=(name) name=(name) aria-describedby=[described] aria-invalid=[fault.map(|_| "true")] {
                    @for (value, label) in options {
                        option value=(value) selected[self.values.value(name) == value] { (label) }
                    }
                }
            }
        }
    }

    /// Returns the fault of fields that belong together, above them.
    pub(in crate::http::page) fn group_fault(&self, name: &str) -> Markup {
        html! {
            @if let Some(fault) = self.faults.of(name) {
                div id=(name) tabindex="-1" { (self.fault_line(name, Some(fault))) }
            }
        }
    }

    /// Returns a field that the user does not see.
    pub(in crate::http::page) fn hidden(&self, name: &str) -> Markup {
        html! { input type="hidden" name=(name) value=(self.values.value(name)); }
    }

    fn fault_line(&self, name: &str, fault: Option<&'a Fault>) -> Markup {
        fault.map(Fault::show);
        html! {
            @if let Some(fault) = fault {
                p class="kw-error" id={ (name) "-error" } {
                    span class="kw-hidden" { (self.frame.say(Text::ERROR_PREFIX)) " " }
                    (self.message(fault))
                }
            }
        }
    }
}

fn hint_line(name: &str, hint: Option<Markup>) -> Markup {
    html! { @if let Some(hint) = hint { p class="kw-hint" id={ (name) "-hint" } { (hint) } } }
}

/// Returns the ids of the hint and the fault of a field.
fn described(name: &str, has_hint: bool, has_fault: bool) -> Option<String> {
    match (has_hint, has_fault) {
        (true, true) => Some(format!("{name}-hint {name}-error")),
        (true, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-error")),
        (false, false) => None,
    }
}

/// Returns the title of a screen with a form, which begins with the word for an error if there is one.
pub(in crate::http::page) fn title(frame: &Frame, name: &str, faults: &Faults) -> String {
    if faults.is_empty() {
        name.to_owned()
    } else {
        format!("{} {name}", frame.say(Text::ERROR_PREFIX))
    }
}

/// Returns a form that is sent by `POST`, with its buttons.
pub(in crate::http::page) fn form(action: &str, content: &Markup) -> Markup {
    html! { form method="post" action=(action) novalidate { (content) } }
}

/// Returns the button that sends a form, and a link back.
pub(in crate::http::page) fn buttons(
    frame: &Frame,
    label: impl Into<Message>,
    is_final: bool,
    back: &str,
) -> Markup {
    let class = if is_final { "kw-button kw-danger" } else { "kw-button" };
    html! {
        div class="kw-buttons" {
            button type="submit" class=(class) { (frame.say(label)) }
            a href=(back) { (frame.say(Text::CANCEL)) }
        }
    }
}
