//! The details of an audit event, in the words of the screens.

use std::time::Duration;

use maud::{Markup, html};

use super::policy_words::{self, Record};
use super::{event_texts, facts, span};
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::edit::KeyField;
use crate::record::event::{DetailField, DetailValue, Event, EventKind, EventOutcome, RefusalCode};
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::requirement::Requirement;
use crate::record::status::KeyStatus;
use crate::value::time::Timestamp;

/// The problems of requests that have no code of a refusal, by their code in the management API.
const PROBLEMS: [(&str, Text); 10] = [
    ("invalid_query", Text::PROBLEM_QUERY),
    ("malformed_json", Text::PROBLEM_JSON),
    ("invalid_body", Text::PROBLEM_BODY),
    ("body_too_large", Text::PROBLEM_BODY_SIZE),
    ("unsupported_media_type", Text::PROBLEM_BODY_TYPE),
    ("invalid_precondition", Text::PROBLEM_VERSION),
    ("precondition_required", Text::PROBLEM_VERSION_MISSING),
    ("precondition_not_supported", Text::PROBLEM_VERSION_UNKNOWN),
    ("cross_site", Text::PROBLEM_CROSS_SITE),
    ("user_not_found", Text::PROBLEM_USER),
];

/// Returns the details of an event as a list.
pub(super) fn list(frame: &Frame, event: &Event) -> Markup {
    let details: Vec<_> = event.details.iter().filter(has_value).collect();
    html! {
        @if event.account.is_some() || !details.is_empty() {
            ul class="kw-details" {
                @if let Some(account) = event.account {
                    li { (frame.say(Text::ACCOUNT_ID)) ": " code { (account) } }
                }
                @for (field, value) in details {
                    li { (frame.say(label_in(event, field))) ": " (shown(frame, event, field, value)) }
                }
            }
        }
    }
}

/// Returns false for the values of an edit that changes nothing.
fn has_value((field, value): &(DetailField, DetailValue<'_>)) -> bool {
    *field == DetailField::Scope || *value != DetailValue::Text("")
}

/// Returns the value of a detail, in the language of the request as far as it is no text of a record.
fn shown(frame: &Frame, event: &Event, field: DetailField, value: DetailValue<'_>) -> Markup {
    use DetailField as D;
    match (field, value) {
        (_, DetailValue::Flag(flag)) => {
            html! { (frame.say(if flag { Text::YES } else { Text::NO })) }
        }
        (D::MaxSeconds | D::PeriodSeconds, DetailValue::Number(seconds)) => time(frame, seconds),
        (D::Given, DetailValue::Number(seconds)) if is_time_given(event) => time(frame, seconds),
        (_, DetailValue::Number(number)) => html! { (number) },
        (_, DetailValue::Text(text)) => match words(frame, event, field, text) {
            Some(words) => html! { (words) },
            None => of_record(frame, field, text),
        },
    }
}

fn time(frame: &Frame, seconds: u64) -> Markup {
    html! { (span::words(frame, Duration::from_secs(seconds))) }
}

/// Returns true if the value that was given is a number of seconds.
fn is_time_given(event: &Event) -> bool {
    use RefusalCode as R;
    matches!(
        event.outcome,
        EventOutcome::Refused(R::EventRetentionTooShort | R::InvalidAlertPeriod)
    )
}

/// Returns the words for a text that the crate has written; `None` for a text of a record.
fn words(frame: &Frame, event: &Event, field: DetailField, text: &str) -> Option<String> {
    use DetailField as D;
    let record = match event.kind {
        EventKind::Operation(Operation::PlanSet) => Some(Record::Plan),
        EventKind::Operation(Operation::SettingsEdit) => Some(Record::Settings),
        _ => None,
    };
    match (field, record) {
        (D::From | D::To, Some(record)) => Some(policy_words::fields(frame, record, text)),
        (D::Value | D::Bound, Some(record)) => {
            let field = event.details.get_text(D::Field).and_then(policy_words::field)?;
            Some(policy_words::value(frame, record, field, text))
        }
        (D::Changed | D::Field, _) => Some(each(frame, text, field_label)),
        (D::Missing, _) => Some(each(frame, text, missing)),
        (D::Problem, _) => Some(each(frame, text, problem)),
        (D::Access, _) => Some(each(frame, text, access)),
        (D::Rate | D::MaxRate, _) => text.parse().ok().map(|rate| span::rate(frame, rate)),
        (D::Scope, _) if text.is_empty() => Some(frame.say(Text::NO_SCOPES)),
        (D::Owner | D::From | D::To, None) => owner(frame, text),
        _ => None,
    }
}

/// Returns each name of a list in words. A name of a later version of the crate stays, without its
/// underscores.
fn each(frame: &Frame, text: &str, known: impl Fn(&str) -> Option<Text>) -> String {
    let words =
        |name| known(name).map_or_else(|| str::replace(name, '_', " "), |text| frame.say(text));
    text.split(", ").map(words).collect::<Vec<_>>().join(", ")
}

/// Returns the name of a field of a key, of a plan or of settings.
fn field_label(name: &str) -> Option<Text> {
    let of_key = KeyField::ALL.iter().find(|field| field.as_str() == name);
    let of_key = of_key.map(|field| match field {
        KeyField::Name => Text::NAME,
        KeyField::Scopes => Text::SCOPES_FIELD,
        KeyField::Networks => Text::NETWORKS,
        KeyField::Rate => Text::RATE,
        KeyField::Description => Text::DESCRIPTION,
        KeyField::Contact => Text::CONTACT,
        KeyField::Metadata => Text::CHANGED_METADATA,
    });
    of_key.or_else(|| policy_words::field(name).map(policy_words::label))
}

fn missing(name: &str) -> Option<Text> {
    let missing = Requirement::ALL.iter().find(|requirement| requirement.as_str() == name)?;
    Some(match missing {
        Requirement::Permission => Text::MISSING_PERMISSION,
        Requirement::License => Text::MISSING_LICENSE,
        Requirement::Switch => Text::MISSING_SWITCH,
    })
}

fn problem(code: &str) -> Option<Text> {
    let own = PROBLEMS.iter().find(|(own, _)| *own == code).map(|(_, text)| *text);
    let refusal = RefusalCode::ALL.iter().find(|refusal| refusal.as_str() == code);
    own.or_else(|| refusal.copied().map(event_texts::refusal))
}

fn access(text: &str) -> Option<Text> {
    match text {
        "read-only" => Some(Text::READ_ONLY),
        "read-write" => Some(Text::READ_WRITE),
        _ => None,
    }
}

fn owner(frame: &Frame, text: &str) -> Option<String> {
    let owner: Owner = text.parse().ok()?;
    let name = frame.name_of(&owner, None);
    Some(match owner {
        Owner::Account(_) => format!("{} {name}", frame.say(Text::ACCOUNT_ID)),
        Owner::User(_) | Owner::Organization => name,
    })
}

/// Returns a text of a record: a status, a time, or a text that a user chose.
fn of_record(frame: &Frame, field: DetailField, text: &str) -> Markup {
    let status = KeyStatus::ALL.iter().find(|status| status.as_str() == text);
    // A name can look like a time.
    let time = text.parse::<Timestamp>().ok().filter(|_| is_time(field));
    match (field, status, time) {
        (DetailField::Status, Some(status), _) => facts::status(frame, *status),
        (.., Some(time)) => facts::time(time),
        _ => html! { code { (text) } },
    }
}

fn is_time(field: DetailField) -> bool {
    use DetailField as D;
    matches!(
        field,
        D::ExpiresAt | D::NotBefore | D::OverlapEnds | D::Since | D::Until | D::WindowStart
    )
}

/// Returns the name of a detail of an event. A refused value was never in force.
fn label_in(event: &Event, field: DetailField) -> Text {
    match field {
        DetailField::To if event.outcome != EventOutcome::Done => Text::DETAIL_ASKED,
        _ => label(field),
    }
}

/// Returns the name of a detail.
fn label(field: DetailField) -> Text {
    use DetailField as D;
    match field {
        D::Name => Text::DETAIL_NAME,
        D::PreviousName => Text::DETAIL_PREVIOUS_NAME,
        D::Owner => Text::DETAIL_OWNER,
        D::ExpiresAt => Text::DETAIL_EXPIRES_AT,
        D::NotBefore => Text::DETAIL_NOT_BEFORE,
        D::Role => Text::DETAIL_ROLE,
        D::Access => Text::DETAIL_ACCESS,
        D::Enabled => Text::DETAIL_ENABLED,
        D::Keys => Text::DETAIL_KEYS,
        D::SecretNumber => Text::DETAIL_SECRET_NUMBER,
        D::OverlapEnds => Text::DETAIL_OVERLAP_ENDS,
        D::Changed => Text::DETAIL_CHANGED,
        D::Uses => Text::DETAIL_USES,
        D::Status => Text::DETAIL_STATUS,
        D::Field => Text::DETAIL_FIELD,
        D::Given => Text::DETAIL_GIVEN,
        D::Missing => Text::DETAIL_MISSING,
        D::Value => Text::DETAIL_VALUE,
        D::Bound => Text::DETAIL_BOUND,
        D::From => Text::DETAIL_FROM,
        D::To => Text::DETAIL_TO,
        D::Limit => Text::DETAIL_LIMIT,
        D::MaxSeconds => Text::DETAIL_MAX_SECONDS,
        D::GivenVersion => Text::DETAIL_GIVEN_VERSION,
        D::CurrentVersion => Text::DETAIL_CURRENT_VERSION,
        D::Scope => Text::DETAIL_SCOPE,
        D::Rate => Text::DETAIL_RATE,
        D::MaxRate => Text::DETAIL_MAX_RATE,
        D::Problem => Text::DETAIL_PROBLEM,
        D::Refusals => Text::DETAIL_REFUSALS,
        D::Since => Text::DETAIL_SINCE,
        D::Until => Text::DETAIL_UNTIL,
        D::PeriodSeconds => Text::DETAIL_PERIOD_SECONDS,
        D::WindowStart => Text::DETAIL_WINDOW_START,
        D::LeakSource => Text::DETAIL_LEAK_SOURCE,
        D::Reporter => Text::DETAIL_REPORTER,
    }
}
