//! The form that replaces the secret of a key.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::{issued, opened};
use crate::authority::{KeyEntry, KeyError};
use crate::http::page::failure::Failure;
use crate::http::page::form::{Fault, Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::view::facts;
use crate::http::page::view::fields::{self, Choice, Fields, Kind};
use crate::http::page::visit::{Answer, Visit};
use crate::record::operation::Operation;
use crate::value::redact::redact;

const OVERLAPS: [(Duration, Text, u64); 4] = [
    (Duration::ZERO, Text::OVERLAP_NOW, 0),
    (Duration::from_hours(1), Text::HOURS, 1),
    (Duration::from_hours(24), Text::HOURS, 24),
    (Duration::from_hours(7 * 24), Text::DAYS, 7),
];

/// Shows the form.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    let entry = opened::key_for(visit, &[Operation::KeyRotate]).await?;
    let values = Form::default().with("version", entry.key.version);
    shown(visit, StatusCode::OK, &entry, &values, &Faults::default()).await
}

/// Rotates the key, and shows its new token once.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    let id = visit.key_id()?;
    let entry = visit.authority().key(&visit.actor, &id).await?;
    let mut faults = visit.step_up_again(Operation::KeyRotate);
    let version: u64 = visit.form.value("version").parse().map_err(|_| Failure::Stale)?;
    if let Some(overlap) = faults.take(overlap(&visit.form)).filter(|_| faults.is_empty()) {
        let rotation = crate::Rotation::new(overlap).if_version(version);
        match visit.authority().rotate(&visit.actor, &id, rotation).await {
            Ok(made) => return Ok(issued::shown(visit, Text::KEY_ROTATED, &made)),
            // Most often this form was sent twice, by a reload or a second click.
            Err(KeyError::Stale { .. }) => return Err(Failure::RotatedSince(id)),
            Err(error) => faults.add(Failure::from(error).into_fault()?),
        }
    }
    shown(visit, StatusCode::UNPROCESSABLE_ENTITY, &entry, &visit.form, &faults).await
}

fn overlap(form: &Form) -> Result<Duration, Fault> {
    let hours = match form.value("overlap") {
        chosen if chosen != "other" && form.given("overlap_hours").is_some() => {
            return Err(Fault::new("overlap", Text::HOURS_WITHOUT_CHOICE));
        }
        "" => return Err(Fault::new("overlap", Text::OVERLAP_REQUIRED)),
        "other" if form.given("overlap_hours").is_none() => {
            return Err(Fault::new("overlap_hours", Text::HOURS_REQUIRED));
        }
        "other" => form.value("overlap_hours"),
        chosen => chosen,
    };
    let field = if form.has("overlap", "other") { "overlap_hours" } else { "overlap" };
    let wrong = || Fault::new(field, Text::HOURS_INVALID.with("got", redact(hours)));
    let seconds = hours.parse::<u64>().ok().and_then(|hours| hours.checked_mul(3_600));
    Ok(Duration::from_secs(seconds.ok_or_else(wrong)?))
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    entry: &KeyEntry,
    values: &Form,
    faults: &Faults,
) -> Result<Response, Failure> {
    let (key, now) = (&entry.key, visit.authority().now());
    let abilities = visit.authority().abilities(&visit.actor, &key.owner).await?;
    let max = abilities.choices.map_or(Duration::ZERO, |choices| choices.max_overlap);
    let max = if key.disabled { Duration::ZERO } else { max };
    let mut choices: Vec<_> = OVERLAPS
        .iter()
        .filter(|(overlap, ..)| *overlap <= max)
        .map(|(overlap, text, count)| {
            let until = || facts::minutes(now.saturating_add(*overlap));
            let hint = if overlap.is_zero() {
                Text::OVERLAP_NOW_HINT.into()
            } else {
                Text::OVERLAP_HINT.with("time", until())
            };
            Choice::new(overlap.as_secs() / 3_600, visit.say(text.count(*count)))
                .hint(visit.say(hint))
        })
        .collect();
    choices.push(Choice::new("other", visit.say(Text::OVERLAP_OTHER)));
    let back = visit.urls.key(&key.id);
    let name = visit.say(Text::ROTATE_KEY.with("name", &key.name));
    let fields = Fields { frame: visit, values, faults };
    let hours = Text::HOURS.count(max.as_secs() / 3_600);
    let bound = html! { (visit.say(Text::AT_MOST.saying("max", hours))) };
    let form = html! {
        (fields.hidden("version"))
        @if max.is_zero() {
            input type="hidden" name="overlap" value="0";
            (fields.group_fault("overlap"))
            p { strong { (visit.say(Text::OVERLAP_NONE)) } }
        } @else {
            (fields.radios("overlap", Text::OVERLAP_FIELD, None, &choices))
            (fields.input(Kind::Number, "overlap_hours", Text::OVERLAP_HOURS, Some(bound)))
        }
        (fields::buttons(visit, Text::ROTATE, false, &back))
    };
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::ROTATE_LEAD)) }
        @if let Some(contact) = &key.contact {
            p { (visit.say(Text::TELL_CONTACT.with("contact", contact))) }
        } @else {
            p { (visit.say(Text::TELL_OWNER)) }
        }
        @if entry.overlap.is_some() { p { strong { (visit.say(Text::SECOND_ROTATION)) } } }
        p { (visit.say(Text::LAST_USED)) ": " (facts::time_or(visit, entry.last_used_at, Text::NEVER)) }
        (fields.summary())
        (fields::form(&visit.urls.of_key(&key.id, "rotate"), &form))
    };
    Ok(visit.show_with(status, fields::title(visit, &name, faults), content))
}
