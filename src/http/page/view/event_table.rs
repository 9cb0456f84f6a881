//! A table of audit events.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{author, event_details, event_texts, facts};
use crate::http::page::form::Form;
use crate::http::page::frame::Frame;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::record::event::{Event, EventActor, EventKind};
use crate::value::id::KeyId;
use crate::value::name::Name;

/// Returns a table of events. A key that still exists has its name in `keys`.
pub(in crate::http::page) fn table(
    frame: &Frame,
    events: &[Event],
    keys: &HashMap<KeyId, Name>,
) -> Markup {
    let heads = [
        Text::EVENT_TIME,
        Text::EVENT_ACTOR,
        Text::EVENT_KIND,
        Text::EVENT_KEY,
        Text::EVENT_OUTCOME,
        Text::EVENT_DETAILS,
    ];
    html! {
        table class="kw-table" {
            caption class="kw-hidden" { (frame.say(Text::EVENTS)) }
            thead { tr { @for head in heads { th scope="col" { (frame.say(head)) } } } }
            tbody {
                @for event in events {
                    tr {
                        @let cells = cells(frame, event, keys);
                        @for (head, cell) in heads.iter().zip(cells) {
                            td data-label=(frame.say(*head)) { (cell) }
                        }
                    }
                }
            }
        }
    }
}

fn cells(frame: &Frame, event: &Event, keys: &HashMap<KeyId, Name>) -> [Markup; 6] {
    [
        facts::time(event.at),
        who(frame, event),
        html! { (frame.say(event_texts::kind(event.kind))) },
        key(frame, event, keys),
        // An alert is no request, so it was not done.
        html! { @if !is_alert(event) { (frame.say(event_texts::outcome(event))) } },
        event_details::list(frame, event),
    ]
}

fn who(frame: &Frame, event: &Event) -> Markup {
    let name = author::name(frame, &event.actor);
    html! {
        @if let EventActor::User(_) = event.actor {
            a href=(of_actor(frame, &event.actor)) { (name) }
        } @else {
            (name)
        }
        @if let Some(address) = event.source_address {
            p class="kw-hint" { (frame.say(Text::FROM_ADDRESS.with("address", address))) }
        }
    }
}

fn of_actor(frame: &Frame, actor: &EventActor) -> String {
    format!("{}?{}", frame.urls.to("/events"), Form::default().with("actor", actor).to_query())
}

fn is_alert(event: &Event) -> bool {
    matches!(event.kind, EventKind::ExtensiveUse | EventKind::SuspiciousUse)
}

/// Returns true for an event after which an administrator looks at the key.
fn is_warning(event: &Event) -> bool {
    is_alert(event) || event.kind == EventKind::LeakReported
}

/// Returns the key of an event: with a link while it exists, and otherwise its id alone.
fn key(frame: &Frame, event: &Event, keys: &HashMap<KeyId, Name>) -> Markup {
    let Some(id) = &event.key else { return html! {} };
    let find = Form::default().with("q", id).with("status", "all").to_query();
    html! {
        @if let Some(name) = keys.get(id) {
            a href=(frame.urls.key(id)) { (name) } " "
        }
        code { (id) }
        @if is_warning(event) && keys.contains_key(id) && frame.has(Screens::ALL_KEYS) {
            " " a href={ (frame.urls.to("/all")) "?" (find) } { (frame.say(Text::FIND_THIS_KEY)) }
        }
    }
}
