//! The fields of the settings, with their values as text and parsed.

use std::time::Duration;

use super::form::{Fault, Faults, Form};
use super::texts::Text;
use super::typed;
use super::units;
use crate::record::settings::{Settings, SettingsEdit};
use crate::value::name::NamePattern;

/// The choices of the name pattern.
pub(super) const WORDS: &str = "words";
pub(super) const ENVIRONMENTS: &str = "environments";

/// Returns the form with the values of settings. A setting without a value is blank.
pub(super) fn values(settings: &Settings) -> Form {
    let text = |value: Option<&dyn ToString>| value.map(ToString::to_string).unwrap_or_default();
    let (pattern, environments) = match &settings.name_pattern {
        None => ("", String::new()),
        Some(pattern) if pattern.environments.is_empty() => (WORDS, String::new()),
        Some(pattern) => (ENVIRONMENTS, pattern.environments.join(", ")),
    };
    let form = Form::default()
        .with("require_expiry", text(settings.require_expiry.as_ref().map(|v| v as _)))
        .with("max_keys_per_user", text(settings.max_keys_per_user.as_ref().map(|v| v as _)))
        .with("name_pattern", pattern)
        .with("environments", environments)
        .with("default_rate", text(settings.default_rate.as_ref().map(|v| v as _)))
        .with("extensive_use", text(settings.extensive_use.as_ref().map(|v| v as _)))
        .with("suspicious_use", text(settings.suspicious_use.as_ref().map(|v| v as _)))
        .with("version", settings.version);
    let amounts = [
        ("max_lifetime", settings.max_lifetime),
        ("default_lifetime", settings.default_lifetime),
        ("max_overlap", settings.max_overlap),
        ("retention", settings.retention),
        ("event_retention", settings.event_retention),
    ];
    amounts.into_iter().fold(form, |form, (field, time)| amount(form, field, time))
}

fn amount(form: Form, field: &str, time: Option<Duration>) -> Form {
    let unit = typed::unit_of(field);
    match time.map(units::in_units) {
        Some((count, name)) => form.with(field, count).with(&unit, name),
        None => form.with(field, "").with(&unit, "days"),
    }
}

/// Parses the settings of a form. The switch and the version stay those of the stored settings.
pub(super) fn parse(form: &Form, stored: &Settings, faults: &mut Faults) -> Option<Settings> {
    let expiry = typed::flag(form, "require_expiry");
    let mut amount = |field, label| faults.take(typed::amount(form, field, label));
    let max = amount("max_lifetime", Text::MAX_LIFETIME);
    let default = amount("default_lifetime", Text::DEFAULT_LIFETIME);
    let keys = faults.take(typed::keys(form));
    let overlap = faults.take(typed::amount(form, "max_overlap", Text::MAX_OVERLAP));
    let pattern = faults.take(pattern(form));
    let rate = faults.take(typed::rate_in(form, "default_rate"));
    let extensive = faults.take(typed::alert(form, "extensive_use"));
    let suspicious = faults.take(typed::alert(form, "suspicious_use"));
    let retention = faults.take(typed::amount(form, "retention", Text::RETENTION));
    let event_retention =
        faults.take(typed::amount(form, "event_retention", Text::EVENT_RETENTION));
    Some(Settings {
        api_enabled: stored.api_enabled,
        require_expiry: expiry,
        max_lifetime: max?,
        default_lifetime: default?,
        max_keys_per_user: keys?,
        max_overlap: overlap?,
        name_pattern: pattern?,
        default_rate: rate?,
        extensive_use: extensive?,
        suspicious_use: suspicious?,
        retention: retention?,
        event_retention: event_retention?,
        version: stored.version,
    })
}

fn pattern(form: &Form) -> Result<Option<NamePattern>, Fault> {
    let given = form.value("environments").split([',', ' ']);
    let given = given.filter(|word| !word.is_empty()).map(str::to_owned);
    let environments: Vec<String> = given.collect();
    match (form.value("name_pattern"), environments.is_empty()) {
        (ENVIRONMENTS, false) | (WORDS, true) => Ok(Some(NamePattern { environments })),
        (ENVIRONMENTS, true) => Err(Fault::new("environments", Text::ENVIRONMENTS_REQUIRED)),
        (_, false) => Err(Fault::new("name_pattern", Text::ENVIRONMENTS_UNUSED)),
        (_, true) => Ok(None),
    }
}

/// Returns the edit of the settings that differ.
///
/// A setting that is beyond the plan, because the plan has shrunk, stays until it is changed.
pub(super) fn edit(stored: &Settings, next: &Settings) -> SettingsEdit {
    let mut edit = SettingsEdit::new();
    macro_rules! set_if_different {
        ($($field:ident)+) => {
            $(if next.$field != stored.$field {
                edit = edit.$field(next.$field.clone());
            })+
        };
    }
    set_if_different! {
        require_expiry max_lifetime default_lifetime max_keys_per_user max_overlap name_pattern default_rate
        extensive_use suspicious_use retention event_retention
    }
    edit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<Settings>, Vec<String>) {
        let mut faults = Faults::default();
        let parsed = parse(&Form::parse(text.as_bytes()), &Settings::enabled(), &mut faults);
        (parsed, faults.iter().map(|fault| fault.field.to_string()).collect())
    }

    #[test]
    fn values_are_parsed_back() {
        let mut settings = Settings::enabled();
        settings.require_expiry = Some(true);
        settings.max_lifetime = Some(Duration::from_hours(36));
        settings.max_overlap = Some(Duration::ZERO);
        settings.max_keys_per_user = Some(7);
        settings.name_pattern =
            Some(NamePattern { environments: vec!["prod".into(), "test".into()] });
        settings.default_rate = "100/60s".parse().ok();
        settings.extensive_use = "1000/3600s".parse().ok();
        for settings in [settings, Settings::enabled()] {
            let (parsed, faults) = parsed(&values(&settings).to_query());
            assert!(faults.is_empty(), "{faults:?}");
            assert_eq!(parsed, Some(settings.clone()));
        }
    }

    #[test]
    fn each_fault_names_its_field() {
        let text = "max_lifetime=x&retention=1&retention_unit=weeks&max_keys_per_user=0.5&default_rate=9&\
                    suspicious_use=1/1s&name_pattern=environments";
        let (settings, faults) = parsed(text);
        assert!(settings.is_none());
        let fields = [
            "max_lifetime",
            "max_keys_per_user",
            "environments",
            "default_rate",
            "suspicious_use",
            "retention",
        ];
        assert_eq!(faults, fields);
    }

    #[test]
    fn edit_names_what_differs() {
        let stored = Settings::enabled();
        let mut next = stored.clone();
        next.max_keys_per_user = Some(3);
        let edit = edit(&stored, &next);
        let default = Settings::default();
        assert_eq!(edit.applied_to(&default).max_keys_per_user, Some(3));
        assert_eq!(edit.applied_to(&default).api_enabled, None);
    }
}
