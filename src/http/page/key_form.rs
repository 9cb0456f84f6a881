//! The fields of a key that the forms of a new key and of an edit share.

use maud::{Markup, html};

use super::form::{Fault, Faults, Form};
use super::frame::Frame;
use super::options::CustomField;
use super::selection::KeyFields;
use super::texts::Text;
use super::typed;
use super::view::fields::{Choice, Fields, Kind};
use crate::authority::KeyChoices;
use crate::record::key::Key;
use crate::value::metadata::Metadata;
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::scope::{Scope, ScopeSet};

/// The values of the fields that the host selected and the form has.
#[derive(Debug)]
pub(super) struct KeyValues {
    pub(super) scopes: Option<ScopeSet>,
    pub(super) description: Option<Entered<Description>>,
    pub(super) contact: Option<Entered<Contact>>,
    pub(super) networks: Option<Networks>,
    pub(super) rate: Option<Entered<Rate>>,
    pub(super) metadata: Option<Metadata>,
}

/// The hidden field of a form that has the boxes of the scopes, none of which may be checked.
const HAS_SCOPES: &str = "has_scopes";

/// The value of a field; `None` if the user left it blank.
#[derive(Debug)]
pub(super) struct Entered<T>(pub(super) Option<T>);

/// The fields that a form has, of those that the host selected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    All,
    /// Those that can be changed in any status.
    Notes,
}

impl Part {
    /// Returns the fields that a form had when it was sent.
    pub(super) fn of(form: &Form) -> Self {
        let is_sent = |name: &&str| form.is_sent(name);
        let has_more = [HAS_SCOPES, "networks", "rate"].iter().any(is_sent);
        if has_more { Self::All } else { Self::Notes }
    }

    /// Returns true if the form has these fields.
    fn has(self, frame: &Frame, fields: KeyFields) -> bool {
        let is_note = [KeyFields::DESCRIPTION, KeyFields::CONTACT].contains(&fields);
        frame.page.fields.contains(fields) && (self == Self::All || is_note)
    }
}

/// Parses the fields of a form. A field with a fault has no value.
///
/// A field that the form lacks has no value either. A blank one would widen a key: no networks mean
/// all of them, and no scopes the default ones.
pub(super) fn parse(
    frame: &Frame,
    form: &Form,
    stored: &Metadata,
    faults: &mut Faults,
) -> KeyValues {
    let has = |fields, name| frame.page.fields.contains(fields) && form.is_sent(name);
    let custom = &*frame.page.custom_fields;
    KeyValues {
        description: when(
            has(KeyFields::DESCRIPTION, "description"),
            || typed::description(form).map(Entered),
            faults,
        ),
        contact: when(
            has(KeyFields::CONTACT, "contact"),
            || typed::contact(form).map(Entered),
            faults,
        ),
        metadata: match custom {
            [] => None,
            custom => typed::metadata(form, custom, stored, faults),
        },
        scopes: when(has(KeyFields::SCOPES, HAS_SCOPES), || typed::scopes(form), faults),
        networks: when(has(KeyFields::NETWORKS, "networks"), || typed::networks(form), faults),
        rate: when(has(KeyFields::RATE, "rate"), || typed::rate(form).map(Entered), faults),
    }
}

fn when<T>(
    is_selected: bool,
    parse: impl FnOnce() -> Result<T, Fault>,
    faults: &mut Faults,
) -> Option<T> {
    if is_selected { faults.take(parse()) } else { None }
}

/// Returns a form with the values of a key.
pub(super) fn values(frame: &Frame, key: &Key, part: Part) -> Form {
    let has = |fields| part.has(frame, fields);
    let mut form = Form::default().with("name", &key.name).with("version", key.version);
    if has(KeyFields::DESCRIPTION) {
        let description = key.description.as_ref().map_or("", Description::as_str);
        form = form.with("description", description);
    }
    if has(KeyFields::CONTACT) {
        form = form.with("contact", key.contact.as_ref().map_or("", Contact::as_str));
    }
    for field in &frame.page.custom_fields {
        let value = key.metadata.get(&field.key).unwrap_or_default();
        form = form.with(&typed::custom_name(field), value);
    }
    if has(KeyFields::SCOPES) {
        form = key.scopes.iter().fold(form, |form, scope| form.with("scope", scope));
        form = if key.scopes.is_empty() { form.with("scope", "") } else { form };
    }
    if has(KeyFields::NETWORKS) {
        form = form.with("networks", lines(&key.networks));
    }
    if has(KeyFields::RATE) {
        form = form.with("rate", key.rate.map(|rate| rate.to_string()).unwrap_or_default());
    }
    form
}

/// Returns the stored values of the fields that a form had when it was sent.
pub(super) fn stored(frame: &Frame, key: &Key, sent: &Form) -> Form {
    let is_sent = |name: &str| sent.is_sent(if name == "scope" { HAS_SCOPES } else { name });
    values(frame, key, Part::of(sent)).only(is_sent)
}

/// Returns a form with its networks written as the stored ones are, so that both can be compared.
pub(super) fn written(sent: &Form) -> Form {
    match typed::networks(sent) {
        Ok(networks) if sent.is_sent("networks") => sent.clone().set("networks", lines(&networks)),
        _ => sent.clone(),
    }
}

fn lines(networks: &Networks) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Returns the fields of a form, apart from the name and the expiry.
pub(super) fn fields(fields: Fields<'_>, part: Part, choices: Option<&KeyChoices>) -> Markup {
    let frame = fields.frame;
    let has = |selected| part.has(frame, selected);
    let hint = |text: Text| Some(html! { (frame.say(text)) });
    html! {
        @if has(KeyFields::DESCRIPTION) {
            (fields.input(Kind::Lines, "description", Text::DESCRIPTION_FIELD, hint(Text::DESCRIPTION_HINT)))
        }
        @if has(KeyFields::CONTACT) {
            (fields.input(Kind::Line, "contact", Text::CONTACT_FIELD, hint(Text::CONTACT_HINT)))
        }
        @for field in &frame.page.custom_fields {
            (fields.labeled(Kind::Line, &typed::custom_name(field), &label(frame, field),
                field.hint.as_ref().map(|hint| html! { (hint) })))
        }
        @if let Some(choices) = choices.filter(|_| has(KeyFields::SCOPES)) {
            (scopes(fields, choices))
        }
        @if has(KeyFields::NETWORKS) {
            (fields.input(Kind::Lines, "networks", Text::NETWORKS_FIELD, hint(Text::NETWORKS_HINT)))
        }
        @if has(KeyFields::RATE) {
            (fields.input(Kind::Line, "rate", Text::RATE_FIELD, Some(rate_hint(frame, choices))))
        }
    }
}

/// Returns the label of a field of the host, which says if the field is optional, as the other labels
/// do.
fn label(frame: &Frame, field: &CustomField) -> String {
    if field.is_required {
        field.label.clone()
    } else {
        frame.say(Text::OPTIONAL_FIELD.with("field", &field.label))
    }
}

fn scopes(fields: Fields<'_>, choices: &KeyChoices) -> Markup {
    let frame = fields.frame;
    let offered = choices.scopes.iter().map(|(scope, definition)| {
        let choice = Choice::new(scope, html! { code { (scope) } });
        match &definition.description {
            Some(description) => choice.hint(description.as_str()),
            None => choice,
        }
    });
    // A key keeps a scope that its plan or role has lost, until its box is cleared.
    let is_lost = |scope: &Scope| !choices.scopes.contains_key(scope);
    let kept = fields.values.all("scope").filter_map(|scope| Scope::new(scope).ok());
    let kept = kept.filter(is_lost).map(|scope| {
        Choice::new(&scope, html! { code { (scope) } }).hint(frame.say(Text::SCOPE_LOST))
    });
    let all: Vec<_> = offered.chain(kept).collect();
    let default = choices.default_scopes.to_string();
    let hint = match &*default {
        "" => frame.say(Text::SCOPES_HINT_NONE),
        default => frame.say(Text::SCOPES_HINT.with("scopes", default)),
    };
    html! {
        input type="hidden" name=(HAS_SCOPES) value="on";
        (fields.checks("scope", Text::SCOPES_FIELD, Some(html! { (hint) }), &all))
    }
}

fn rate_hint(frame: &Frame, choices: Option<&KeyChoices>) -> Markup {
    let max = choices.and_then(|choices| choices.max_rate);
    html! {
        (frame.say(Text::RATE_HINT))
        @if let Some(max) = max { " " (frame.say(Text::AT_MOST.with("max", max))) }
    }
}
