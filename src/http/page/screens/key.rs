//! One key: everything that is known about it, and what can be done.

use maud::{Markup, html};

use crate::authority::{KeyEntry, Overlap};
use crate::http::page::failure::Failure;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::{author, facts, key_table, overlap, span};
use crate::http::page::visit::{Answer, Visit};
use crate::record::event::{EventActor, EventOutcome};
use crate::record::operation::Operation;
use crate::record::status::KeyStatus;
use crate::store::EventQuery;

/// Shows one key.
pub(in crate::http::page) async fn show(visit: &Visit) -> Answer {
    let entry = visit.authority().key(&visit.actor, &visit.key_id()?).await?;
    let (key, revoker) = (&entry.key, revoker(visit, &entry).await?);
    let content = html! {
        h1 { (key.name) }
        @if let Some(overlap) = &entry.overlap { (overlap_panel(visit, &entry, overlap)) }
        (facts_of(visit, &entry, revoker.as_ref()))
        @if entry.actions.contains(&Operation::KeyRotate) {
            p class="kw-hint" { (visit.say(Text::SECRET_NOT_SHOWN_AGAIN)) }
        }
        @if key.admin_limits.scopes || key.admin_limits.networks || key.admin_limits.rate {
            p class="kw-hint" { (visit.say(Text::LIMITED_BY_ADMINISTRATOR)) }
        }
        @if !entry.actions.is_empty() { h2 { (visit.say(Text::ACTIONS)) } }
        @if entry.status == KeyStatus::Revoked { p { (visit.say(Text::REVOKED_IS_FINAL)) } }
        (key_table::links(visit, &entry, |operation| is_in_list(*operation)))
        @if visit.can_see(Screens::EVENTS) {
            p { a href={ (visit.urls.to("/events")) "?key=" (key.id) } { (visit.say(Text::EVENTS_OF_KEY)) } }
        }
        p { a href=(visit.list_of(&key.owner)) { (visit.say(Text::BACK_TO_KEYS)) } }
    };
    Ok(visit.show_with(axum::http::StatusCode::OK, key.name.to_string(), content))
}

/// Returns true for an operation whose link is in the list. The panel has the link to the end of the
/// overlap, beside the facts that decide about it.
fn is_in_list(operation: Operation) -> bool {
    operation != Operation::KeyFinishRotation
}

/// Returns the author of the revocation, if the key is revoked and the actor may see events.
async fn revoker(visit: &Visit, entry: &KeyEntry) -> Result<Option<EventActor>, Failure> {
    let is_revoked = entry.status == KeyStatus::Revoked;
    if !is_revoked || !visit.actor.may_for_any(Operation::EventsShow) {
        return Ok(None);
    }
    let query = EventQuery::new().key(entry.key.id).kind(Operation::KeyRevoke);
    let events = visit.authority().events(&visit.actor, &query).await?;
    let done = events.items.into_iter().find(|event| event.outcome == EventOutcome::Done);
    Ok(done.map(|event| event.actor))
}

fn facts_of(visit: &Visit, entry: &KeyEntry, revoker: Option<&EventActor>) -> Markup {
    let key = &entry.key;
    let fact = |name: Text, value: Markup| html! { dt { (visit.say(name)) } dd { (value) } };
    html! {
        dl class="kw-facts" {
            (fact(Text::STATUS, key_table::standing(visit, entry)))
            @if let Some(time) = key.revoked_at { (fact(Text::REVOKED_AT, facts::time(time))) }
            @if let Some(revoker) = revoker {
                (fact(Text::REVOKED_BY, html! { (author::name(visit, revoker)) }))
            }
            (fact(Text::KEY_ID, html! { code { (key.id) } }))
            (fact(Text::PREFIX, html! { code { (entry.prefix) } }))
            (fact(Text::OWNER, html! { (visit.name_of(&key.owner, entry.owner_name.as_ref())) }))
            (fact(Text::CREATED, html! { (facts::time(key.created_at)) " " (key_table::created_by(visit, entry)) }))
            (fact(Text::LAST_CHANGED, facts::time(key.updated_at)))
            @if let Some(time) = key.rotated_at { (fact(Text::ROTATED_AT, facts::time(time))) }
            @if let Some(time) = key.not_before { (fact(Text::NOT_BEFORE, facts::time(time))) }
            (fact(Text::EXPIRES, facts::time_or(visit, key.expires_at, Text::NO_EXPIRY)))
            (fact(Text::LAST_USED, facts::time_or(visit, entry.last_used_at, Text::NEVER)))
            (fact(Text::USES, html! { (entry.uses) }))
            @if entry.refused > 0 {
                (fact(Text::REFUSED_USES, html! { (entry.refused) ", " (facts::time_or(visit, entry.last_refused_at, Text::NEVER)) }))
            }
            (fact(Text::SCOPES_FIELD, html! {
                @if entry.scopes.is_empty() { (visit.say(Text::NO_SCOPES)) }
                @for scope in entry.scopes.iter() { code { (scope) } " " }
            }))
            @if !key.networks.is_anywhere() {
                (fact(Text::NETWORKS, html! { @for network in key.networks.iter() { code { (network) } " " } }))
            }
            @if let Some(rate) = entry.rate { (fact(Text::RATE, html! { (span::rate(visit, rate)) })) }
            @if let Some(description) = &key.description {
                (fact(Text::DESCRIPTION, html! { (description) }))
            }
            @if let Some(contact) = &key.contact { (fact(Text::CONTACT, html! { (contact) })) }
            @for field in &visit.page.custom_fields {
                @if let Some(value) = key.metadata.get(&field.key) { dt { (field.label) } dd { (value) } }
            }
        }
    }
}

/// Returns the panel of a rotation whose old secret still works.
fn overlap_panel(visit: &Visit, entry: &KeyEntry, found: &Overlap) -> Markup {
    let key = &entry.key;
    html! {
        section class="kw-panel" aria-labelledby="overlap" {
            h2 id="overlap" { (visit.say(Text::OVERLAP_TITLE)) }
            (overlap::progress(visit, found))
            @if entry.actions.contains(&Operation::KeyFinishRotation) {
                p {
                    a class=(if found.safe_to_finish { "kw-button" } else { "kw-button kw-quiet" })
                        href=(visit.urls.of_key(&key.id, "finish")) { (visit.say(Text::FINISH_ROTATION)) }
                }
            }
        }
    }
}
