//! A table of audit events.

use std::collections::HashMap;
use std::time::Duration;

use maud::{Markup, html};

use super::{author, event_texts, facts, span};
use crate::http::page::form::Form;
use crate::http::page::frame::Frame;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::record::event::{DetailField, DetailValue, Event, EventActor, EventKind};
use crate::record::status::KeyStatus;
use crate::value::id::KeyId;
use crate::value::name::Name;
use crate::value::time::Timestamp;

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
        html! { (frame.say(event_texts::outcome(event.outcome))) },
        details(frame, event),
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

/// Returns the key of an event: with a link while it exists, and otherwise its id alone.
fn key(frame: &Frame, event: &Event, keys: &HashMap<KeyId, Name>) -> Markup {
    let Some(id) = &event.key else { return html! {} };
    let is_alert = matches!(event.kind, EventKind::ExtensiveUse | EventKind::SuspiciousUse);
    let find = Form::default().with("q", id).with("status", "all").to_query();
    html! {
        @if let Some(name) = keys.get(id) {
            a href=(frame.urls.key(id)) { (name) } " "
        }
        code { (id) }
        @if is_alert && keys.contains_key(id) && frame.has(Screens::KEYS) {
            " " a href={ (frame.urls.to("/all")) "?" (find) } { (frame.say(Text::FIND_THIS_KEY)) }
        }
    }
}

fn details(frame: &Frame, event: &Event) -> Markup {
    html! {
        @if event.account.is_some() || !event.details.is_empty() {
            ul class="kw-details" {
                @if let Some(account) = event.account {
                    li { (frame.say(Text::ACCOUNT_ID)) ": " code { (account) } }
                }
                @for (field, value) in event.details.iter() {
                    li { (frame.say(event_texts::detail(field))) ": " (shown(frame, field, value)) }
                }
            }
        }
    }
}

/// Returns the value of a detail, in the language of the request as far as it is no text of a record.
fn shown(frame: &Frame, field: DetailField, value: DetailValue<'_>) -> Markup {
    use DetailField as D;
    let seconds = matches!(field, D::MaxSeconds | D::PeriodSeconds);
    match value {
        DetailValue::Flag(flag) => {
            html! { (frame.say(if flag { Text::YES } else { Text::NO })) }
        }
        DetailValue::Number(number) if seconds => {
            html! { (span::words(frame, Duration::from_secs(number))) }
        }
        DetailValue::Number(number) => html! { (number) },
        DetailValue::Text(text) => {
            let status = KeyStatus::ALL.iter().find(|status| status.as_str() == text);
            // A name can look like a time.
            let time = text.parse::<Timestamp>().ok().filter(|_| is_time(field));
            match (field, status, time) {
                (D::Status, Some(status), _) => facts::status(frame, *status),
                (.., Some(time)) => facts::time(time),
                _ => html! { code { (text) } },
            }
        }
    }
}

fn is_time(field: DetailField) -> bool {
    use DetailField as D;
    matches!(
        field,
        D::ExpiresAt | D::NotBefore | D::OverlapEnds | D::Since | D::Until | D::WindowStart
    )
}
