//! The form of a new key.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::{issued, owner_name};
use crate::authority::{Abilities, GenerateError, KeyChoices};
use crate::http::page::expiry;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::key_form::{self, Entered, Part};
use crate::http::page::selection::{KeyFields, Screens};
use crate::http::page::texts::Text;
use crate::http::page::typed;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::view::obstacles;
use crate::http::page::visit::{Answer, Visit};
use crate::record::key::Owner;
use crate::record::new_key::NewKey;
use crate::record::operation::Operation;
use crate::value::metadata::Metadata;
use crate::value::scope::ScopeSet;

/// Shows the form of a new key.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    let owner = owner_of(visit, &visit.query)?;
    visit.step_up(Operation::KeyGenerate)?;
    let abilities = visit.authority().abilities(&visit.actor, &owner).await?;
    let values = expiry::default(visit, prefilled(visit), abilities.choices.as_ref());
    let values = values.set("owner", &owner).set("ticket", visit.authority().ticket()?);
    shown(visit, StatusCode::OK, &abilities, &values, &Faults::default()).await
}

/// Generates a key as the form says, and shows its token once.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    let owner = owner_of(visit, &visit.form)?;
    let mut faults = visit.step_up_again(Operation::KeyGenerate);
    // Without its ticket, a form that is sent twice would make two keys.
    let ticket = visit.form.value("ticket").parse().map_err(|_| Failure::Stale)?;
    let new = new_key(visit, owner.clone(), &mut faults).map(|new| new.ticket(ticket));
    if let Some(new) = new.filter(|_| faults.is_empty()) {
        match visit.authority().generate(&visit.actor, new).await {
            Ok(made) => return Ok(issued::shown(visit, Text::KEY_MADE, &made)),
            Err(error @ GenerateError::Store(_)) => {
                return Err(Failure::lost_answer(error, visit.form.value("name"), owner));
            }
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    let abilities = visit.authority().abilities(&visit.actor, &owner).await?;
    shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &abilities, &visit.form, &faults).await
}

/// Returns the fields that a link can fill in: the name alone, for the successor of an expired key.
fn prefilled(visit: &Visit) -> Form {
    Form::default().with("name", visit.query.value("name"))
}

/// Returns the owner of the new key: the one that the form names, or the one whose list the host
/// shows.
fn owner_of(visit: &Visit, form: &Form) -> Result<Owner, Failure> {
    match typed::owner(form).map_err(|_| Failure::NotFound)? {
        Some(owner) => Ok(owner),
        None if visit.has(Screens::OWN_KEYS) => Ok(visit.actor.as_owner()),
        None if visit.has(Screens::ORGANIZATION_KEYS) => Ok(Owner::Organization),
        None => Err(Failure::NotFound),
    }
}

fn new_key(visit: &Visit, owner: Owner, faults: &mut Faults) -> Option<NewKey> {
    let form = &visit.form;
    let name = faults.take(typed::name(form));
    let values = key_form::parse(visit, form, &Metadata::default(), faults);
    let new = NewKey::new(name?).owner(owner).scopes(values.scopes.unwrap_or_else(ScopeSet::empty));
    let mut new = faults.take(expiry::apply(visit, form, new))?;
    if let Some(Entered(Some(description))) = values.description {
        new = new.description(description);
    }
    if let Some(Entered(Some(contact))) = values.contact {
        new = new.contact(contact);
    }
    if let Some(Entered(Some(rate))) = values.rate {
        new = new.rate(rate);
    }
    if let Some(networks) = values.networks {
        new = new.networks(networks);
    }
    Some(new.metadata(values.metadata.unwrap_or_default()))
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    abilities: &Abilities,
    values: &Form,
    faults: &Faults,
) -> Result<Response, Failure> {
    let name = visit.say(Text::NEW_KEY);
    let title = fields::title(visit, &name, faults);
    let back = visit.list_of(&abilities.owner);
    let content = html! {
        h1 { (name) }
        @if abilities.owner != visit.actor.as_owner() && may_name(visit, &abilities.owner) {
            @let owner = owner_name::read(visit, &abilities.owner).await?;
            p { (visit.say(Text::KEY_FOR.with("owner", owner))) }
        }
        @if abilities.can_generate() {
            (form_of(visit, abilities, values, faults, &back))
        } @else {
            (obstacles::panel(visit, &abilities.obstacles))
            p { a href=(back) { (visit.say(Text::BACK_TO_KEYS)) } }
        }
    };
    Ok(visit.show_with(status, title, content))
}

/// Returns true if the actor may learn the name of an owner.
fn may_name(visit: &Visit, owner: &Owner) -> bool {
    [Operation::KeyGenerate, Operation::KeyShow].iter().any(|one| visit.actor.may(*one, owner))
}

fn form_of(
    visit: &Visit,
    abilities: &Abilities,
    values: &Form,
    faults: &Faults,
    back: &str,
) -> Markup {
    let fields = Fields { frame: visit, values, faults };
    let choices = abilities.choices.as_ref();
    let pattern = choices.and_then(|choices| choices.name_pattern.as_ref());
    let content = html! {
        (fields.hidden("ticket"))
        (fields.hidden("owner"))
        (fields.input(Kind::Line, "name", Text::NAME, Some(name_hint(visit, pattern.is_some()))))
        (key_form::fields(fields, Part::All, choices))
        @if let Some(scopes) = scopes_given(visit, choices) {
            p { (visit.say(Text::SCOPES_GIVEN.with("scopes", scopes))) }
        }
        (expiry::fields(fields, choices, visit.authority().now()))
        (fields::buttons(visit, Text::GENERATE, false, back))
    };
    html! { (fields.summary()) (fields::form(&visit.urls.of_owner("/new", &abilities.owner), &content)) }
}

/// Returns the scopes that a new key gets, if the form does not offer them.
fn scopes_given<'a>(visit: &Visit, choices: Option<&'a KeyChoices>) -> Option<&'a ScopeSet> {
    let scopes = &choices?.default_scopes;
    let is_hidden = !visit.page.fields.contains(KeyFields::SCOPES);
    (is_hidden && !scopes.is_empty()).then_some(scopes)
}

fn name_hint(visit: &Visit, has_pattern: bool) -> Markup {
    let examples = visit.page.name_examples.join(", ");
    html! {
        (visit.say(if has_pattern { Text::NAME_HINT_PATTERN } else { Text::NAME_HINT }))
        @if !examples.is_empty() { " " (visit.say(Text::NAME_EXAMPLES.with("examples", examples))) }
    }
}
