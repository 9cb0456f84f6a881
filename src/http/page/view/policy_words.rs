//! The fields of plans and settings in the words of the screens. Events record them as text.

use std::time::Duration;

use super::{settings_table, span};
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::http::page::units::UNITS;
use crate::record::policy_field::PolicyField;
use crate::value::name::NamePattern;

/// The mark of a text that was too long for its event.
const CUT: &str = "...";

/// The record that a field is of. A field without a value has another meaning in each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Record {
    Plan,
    Settings,
}

/// Returns the field with a name such as `max_lifetime`.
pub(super) fn field(name: &str) -> Option<PolicyField> {
    PolicyField::ALL.iter().copied().find(|field| field.as_str() == name)
}

/// Returns the name of a field, as the screen of the settings shows it.
pub(super) fn label(field: PolicyField) -> Text {
    use PolicyField as F;
    match field {
        F::ApiAccess => Text::PLAN_API_ACCESS,
        F::Scopes => Text::SCOPES_FIELD,
        F::DefaultScopes => Text::PLAN_DEFAULT_SCOPES,
        F::Roles => Text::PLAN_ROLES,
        F::MaxRate => Text::DETAIL_MAX_RATE,
        F::MaxKeysPerUser => Text::MAX_KEYS_PER_USER,
        F::MaxKeysPerAccount => Text::PLAN_MAX_KEYS_PER_ACCOUNT,
        F::MaxKeysOfOrganization => Text::PLAN_MAX_KEYS_OF_ORGANIZATION,
        F::ApiEnabled => Text::API_KEYS,
        F::RequireExpiry => Text::REQUIRE_EXPIRY,
        F::DefaultLifetime => Text::DEFAULT_LIFETIME,
        F::MaxLifetime => Text::MAX_LIFETIME,
        F::MaxOverlap => Text::MAX_OVERLAP,
        F::NamePattern => Text::NAME_PATTERN_FIELD,
        F::DefaultRate => Text::DEFAULT_RATE,
        F::MinAlertPeriod => Text::PLAN_MIN_ALERT_PERIOD,
        F::ExtensiveUse => Text::EXTENSIVE_USE_ALERT,
        F::SuspiciousUse => Text::SUSPICIOUS_USE_ALERT,
        F::MaxRetention => Text::PLAN_MAX_RETENTION,
        F::Retention => Text::RETENTION,
        F::MinEventRetention => Text::PLAN_MIN_EVENT_RETENTION,
        F::MaxEventRetention => Text::PLAN_MAX_EVENT_RETENTION,
        F::EventRetention => Text::EVENT_RETENTION,
    }
}

/// Returns fields such as `max_lifetime=90 days; max_keys_per_user=3`, each with its name and its
/// value in words.
pub(super) fn fields(frame: &Frame, record: Record, text: &str) -> String {
    let (fields, is_cut) = parse(text);
    let words = |(field, text)| {
        format!("{}: {}", frame.say(label(field)), value(frame, record, field, text))
    };
    let cut = is_cut.then(|| CUT.to_owned());
    fields.into_iter().map(words).chain(cut).collect::<Vec<_>>().join("; ")
}

/// Returns the fields of a text with their values, and whether the text was cut. A field that was
/// cut is left out.
fn parse(text: &str) -> (Vec<(PolicyField, &str)>, bool) {
    let mut parts = outside_quotes(text, "; ");
    let is_cut = text.ends_with(CUT);
    if is_cut {
        parts.pop();
    }
    let known = |part| {
        let (name, value) = str::split_once(part, '=')?;
        Some((field(name)?, value))
    };
    (parts.into_iter().filter_map(known).collect(), is_cut)
}

/// Returns a value in words: one of a record, or a bound of the plan, whose durations are numbers of
/// seconds.
pub(super) fn value(frame: &Frame, record: Record, field: PolicyField, text: &str) -> String {
    use PolicyField as F;
    let none = match (record, field) {
        (Record::Settings, _) => Text::DEFAULT_CHOICE,
        (Record::Plan, F::NamePattern) => Text::ANY_NAME,
        (Record::Plan, _) => Text::NO_LIMIT,
    };
    let known = match (text, field) {
        ("none", _) => Some(frame.say(none)),
        ("true", _) => Some(frame.say(Text::YES)),
        ("false", _) => Some(frame.say(Text::NO)),
        ("", F::Scopes | F::DefaultScopes | F::Roles) => Some(frame.say(Text::NO_SCOPES)),
        (_, F::Scopes | F::Roles) => Some(catalog(frame, text)),
        (_, F::NamePattern) => Some(pattern(frame, text)),
        (_, F::MaxRate | F::DefaultRate) => text.parse().ok().map(|rate| span::rate(frame, rate)),
        (_, F::ExtensiveUse | F::SuspiciousUse) if text.contains('/') => {
            text.parse().ok().map(|alert| span::alert(frame, alert))
        }
        (_, field) if is_duration(field) => duration(text).map(|time| span::words(frame, time)),
        _ => None,
    };
    known.unwrap_or_else(|| text.to_owned())
}

fn is_duration(field: PolicyField) -> bool {
    use PolicyField as F;
    matches!(
        field,
        F::DefaultLifetime
            | F::MaxLifetime
            | F::MaxOverlap
            | F::MinAlertPeriod
            // The bound of an alert is the shortest period.
            | F::ExtensiveUse
            | F::SuspiciousUse
            | F::MaxRetention
            | F::Retention
            | F::MinEventRetention
            | F::MaxEventRetention
            | F::EventRetention
    )
}

/// Parses a duration such as `90 days`, or a number of seconds.
fn duration(text: &str) -> Option<Duration> {
    let (count, unit) = text.split_once(' ').unwrap_or((text, "seconds"));
    let is_unit =
        |(name, ..): &&(&str, u64, Text)| name.trim_end_matches('s') == unit.trim_end_matches('s');
    let (_, seconds, _) = UNITS.iter().find(is_unit)?;
    count.parse::<u64>().ok()?.checked_mul(*seconds).map(Duration::from_secs)
}

/// Returns the words of a rule for names, which events record as `one of prod, test first`.
fn pattern(frame: &Frame, text: &str) -> String {
    let first = text.strip_prefix("one of ").and_then(|rest| rest.strip_suffix(" first"));
    let environments = first.into_iter().flat_map(|first| first.split(", "));
    let environments = environments.map(str::to_owned).collect();
    settings_table::pattern(frame, Some(&NamePattern { environments }))
}

/// Returns the words of scopes such as `a:b (ReadOnly, "See b")`, and of roles such as
/// `viewer (a:b, "Sees b")`.
fn catalog(frame: &Frame, text: &str) -> String {
    let words = |(name, inner, description): (&str, &str, &str)| {
        let inner = match inner {
            "ReadOnly" => frame.say(Text::READ_ONLY),
            "ReadWrite" => frame.say(Text::READ_WRITE),
            "" => frame.say(Text::NO_SCOPES),
            scopes => scopes.replace(' ', ", "),
        };
        let colon = if description.is_empty() { "" } else { ": " };
        format!("{name} ({inner}){colon}{description}")
    };
    entries(text).into_iter().map(words).collect::<Vec<_>>().join(", ")
}

/// Returns the name of each entry of a catalog, its access or scopes, and its description.
fn entries(text: &str) -> Vec<(&str, &str, &str)> {
    let entry = |text| {
        let (name, rest) = str::split_once(text, " (")?;
        let (inner, description) = rest.trim_end_matches(')').split_once(", \"")?;
        Some((name, inner, description.strip_suffix('"')?))
    };
    outside_quotes(text, "), ").into_iter().filter_map(entry).collect()
}

/// Splits a text at a separator, where it is not in a quoted description.
fn outside_quotes<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if !is_quoted && at >= start && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTED: &str = r#"All; \"max_rate=1/1s\"), x (ReadOnly, \\"#;

    #[test]
    fn quoted_text_is_no_field() {
        let scopes = format!("a:b (ReadOnly, \"{QUOTED}\"), c:d (ReadWrite, \"\")");
        let text = format!("scopes={scopes}; roles=; max_rate=none");
        let fields = [
            (PolicyField::Scopes, &*scopes),
            (PolicyField::Roles, ""),
            (PolicyField::MaxRate, "none"),
        ];
        assert_eq!(parse(&text), (fields.to_vec(), false));
        assert_eq!(entries(&scopes), [("a:b", "ReadOnly", QUOTED), ("c:d", "ReadWrite", "")]);
        assert_eq!(entries("viewer (, \"\")"), [("viewer", "", "")]);
    }

    #[test]
    fn cut_text_ends_at_a_whole_field() {
        let kept = vec![(PolicyField::MaxKeysPerUser, "3")];
        assert_eq!(parse("max_keys_per_user=3; max_lifet..."), (kept, true));
        assert_eq!(parse("scopes=a:b (ReadOnly, \"Ope..."), (Vec::new(), true));
        assert_eq!(parse(""), (Vec::new(), false));
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (text, seconds) in [
            ("90 days", Some(90 * 86_400)),
            ("1 day", Some(86_400)),
            ("36 hours", Some(36 * 3_600)),
            ("1 minute", Some(60)),
            ("0 seconds", Some(0)),
            ("60", Some(60)),
            ("7 weeks", None),
            ("x", None),
        ] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
