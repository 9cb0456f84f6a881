//! The values of fields, parsed from text into the types of the crate. Each fault names its field.

use std::time::Duration;

use time::format_description::well_known::Iso8601;
use time::{Date, Time};

use super::form::{Fault, Faults, Form};
use super::messages;
use super::options::CustomField;
use super::texts::Text;
use super::units::UNITS;
use crate::record::key::Owner;
use crate::record::plan::Plan;
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::redact::redact;
use crate::value::scope::ScopeSet;
use crate::value::time::Timestamp;
use crate::value::token::Presented;
use crate::value::use_alert::UseAlert;
use crate::value::visible_text::hides_a_token;

/// A year has 365 days here, as in the choices of an expiry.
const DAY: u64 = 86_400;
/// The longest duration of a setting, 10,000 years, so that no store overflows.
const MAX_SECONDS: u64 = DAY * 3_652_425;

pub(super) fn name(form: &Form) -> Result<Name, Fault> {
    Name::new(form.value("name")).map_err(|error| Fault::new("name", messages::of_name(&error)))
}

pub(super) fn owner(form: &Form) -> Result<Option<Owner>, Fault> {
    let parse = |text: &str| text.parse().map_err(|_| Fault::new("owner", Text::OWNER_UNKNOWN));
    form.given("owner").map(parse).transpose()
}

/// Parses the id of a user, or an owner with its kind, such as `account:4fQ2xk9ZrT7bWm1c`.
///
/// A token is refused. It could be the id of a user, and would then be shown as the owner.
pub(super) fn user_or_account(text: &str) -> Result<Owner, Fault> {
    let has_kind = ["user:", "account:"].iter().any(|kind| text.starts_with(kind));
    let owner = if has_kind { text.parse().ok() } else { text.parse().map(Owner::User).ok() };
    let owner = owner.filter(|_| !text.split(':').any(Presented::is_token));
    owner.ok_or_else(|| Fault::new("user", Text::OWNER_UNKNOWN))
}

pub(super) fn description(form: &Form) -> Result<Option<Description>, Fault> {
    let parse = |text: &str| {
        let text = text.replace("\r\n", "\n");
        Description::new(text).map_err(|error| Fault::new("description", messages::of_note(&error)))
    };
    form.given("description").map(parse).transpose()
}

pub(super) fn contact(form: &Form) -> Result<Option<Contact>, Fault> {
    let parse = |text: &str| {
        Contact::new(text).map_err(|error| Fault::new("contact", messages::of_note(&error)))
    };
    form.given("contact").map(parse).transpose()
}

/// Parses the check boxes of the scopes.
pub(super) fn scopes(form: &Form) -> Result<ScopeSet, Fault> {
    let words: Vec<&str> = form.all("scope").collect();
    words.join(" ").parse().map_err(|_| Fault::new("scope", Text::SCOPES_INVALID))
}

/// Parses networks: one a line, or with commas between them.
pub(super) fn networks(form: &Form) -> Result<Networks, Fault> {
    let text = form.value("networks");
    let parts = text.split([',', '\n', ' ', '\r']).filter(|part| !part.is_empty());
    let wrong =
        |part: &str| Fault::new("networks", Text::NETWORK_INVALID.with("network", redact(part)));
    let mut all = Vec::new();
    for part in parts {
        all.push(part.parse().map_err(|_| wrong(part))?);
    }
    Networks::new(all)
        .map_err(|_| Fault::new("networks", Text::TOO_MANY_NETWORKS.with("max", Networks::MAX)))
}

pub(super) fn rate(form: &Form) -> Result<Option<Rate>, Fault> {
    rate_in(form, "rate")
}

/// Parses a rate in a field of any name.
pub(super) fn rate_in(form: &Form, field: &'static str) -> Result<Option<Rate>, Fault> {
    let wrong = || Fault::new(field, Text::RATE_INVALID);
    form.given(field).map(|text| text.parse().map_err(|_| wrong())).transpose()
}

pub(super) fn alert(form: &Form, field: &'static str) -> Result<Option<UseAlert>, Fault> {
    let wrong = || Fault::new(field, Text::ALERT_INVALID);
    form.given(field).map(|text| text.parse().map_err(|_| wrong())).transpose()
}

/// Parses a choice of yes, no or neither.
pub(super) fn flag(form: &Form, field: &str) -> Option<bool> {
    form.given(field).and_then(|text| text.parse().ok())
}

/// Parses the highest number of keys of a user. Its bounds are those of the policy.
pub(super) fn keys(form: &Form) -> Result<Option<u16>, Fault> {
    let wrong = || {
        let message = Text::KEYS_INVALID.with("max", Plan::MAX_KEYS);
        Fault::new("max_keys_per_user", message)
    };
    form.given("max_keys_per_user").map(|text| text.parse().map_err(|_| wrong())).transpose()
}

/// Parses a whole number in one field and its unit in another.
pub(super) fn amount(
    form: &Form,
    field: &'static str,
    label: Text,
) -> Result<Option<Duration>, Fault> {
    let Some(text) = form.given(field) else { return Ok(None) };
    let message = || Text::AMOUNT_INVALID.saying("field", label).with("got", redact(text));
    let wrong = || Fault::new(field, message());
    let unit = UNITS.iter().find(|(unit, ..)| form.has(&unit_of(field), unit));
    let (_, unit, _) = unit.ok_or_else(wrong)?;
    let seconds = text.parse::<u64>().ok().and_then(|count| count.checked_mul(*unit));
    let fits = seconds.filter(|seconds| *seconds <= MAX_SECONDS);
    Ok(Some(Duration::from_secs(fits.ok_or_else(wrong)?)))
}

/// Returns the name of the field for the unit of an amount.
pub(super) fn unit_of(field: &str) -> String {
    format!("{field}_unit")
}

/// Parses the fields of the host into metadata, beside the entries that have no field. Each fault is
/// noted, so that no field shows a value again that was refused.
pub(super) fn metadata(
    form: &Form,
    fields: &[CustomField],
    stored: &Metadata,
    faults: &mut Faults,
) -> Option<Metadata> {
    let is_of_field = |key: &str| fields.iter().any(|field| field.key == key);
    let mut entries: Vec<(&str, &str)> =
        stored.iter().filter(|(key, _)| !is_of_field(key)).collect();
    for field in fields {
        let value = faults.take(custom(form, field, stored.get(&field.key))).flatten();
        entries.extend(value.map(|value| (&*field.key, value)));
    }
    let wrong = |_| Fault::new("", Text::METADATA_INVALID.with("max", Metadata::MAX_VALUE));
    faults.take(Metadata::new(entries).map_err(wrong))
}

/// Parses a field of the host. A form that lacks the field keeps the stored value.
fn custom<'a>(
    form: &'a Form,
    field: &CustomField,
    stored: Option<&'a str>,
) -> Result<Option<&'a str>, Fault> {
    let name = custom_name(field);
    let given = form.given(&name);
    // The given value has lost the white space around it.
    let is_kept = !form.is_sent(&name) || given == stored.map(str::trim);
    let value = if is_kept { stored } else { given };
    let message = match value {
        None if field.is_required => Text::FIELD_REQUIRED,
        Some(value) if !is_kept && hides_a_token(value) => Text::FIELD_LIKE_TOKEN,
        value => return Ok(value),
    };
    Err(Fault::new(name, message.with("field", &field.label)))
}

/// The beginning of the name of a form's field for a field of the host.
const CUSTOM: &str = "custom-";

/// Returns the name of the form's field for a field of the host.
pub(super) fn custom_name(field: &CustomField) -> String {
    format!("{CUSTOM}{}", field.key)
}

/// Returns true if a form's field is one of the host.
pub(super) fn is_custom(name: &str) -> bool {
    name.starts_with(CUSTOM)
}

/// Parses a whole number of days.
pub(super) fn days(field: &'static str, text: &str) -> Result<Duration, Fault> {
    let wrong = || Fault::new(field, Text::DAYS_INVALID.with("got", redact(text)));
    let days: u64 = text.parse().map_err(|_| wrong())?;
    let seconds = days.checked_mul(DAY).filter(|seconds| *seconds > 0);
    Ok(Duration::from_secs(seconds.ok_or_else(wrong)?))
}

/// Parses a date as the end of that day in UTC.
pub(super) fn end_of_day(field: &'static str, text: &str) -> Result<Timestamp, Fault> {
    day(field, text, Time::from_hms(23, 59, 59).unwrap_or(Time::MIDNIGHT))
}

/// Parses a date as the beginning of that day in UTC.
pub(super) fn start_of_day(field: &'static str, text: &str) -> Result<Timestamp, Fault> {
    day(field, text, Time::MIDNIGHT)
}

fn day(field: &'static str, text: &str, time: Time) -> Result<Timestamp, Fault> {
    let wrong = || Fault::new(field, Text::DATE_INVALID.with("got", redact(text)));
    let date = Date::parse(text, &Iso8601::DATE).map_err(|_| wrong())?;
    Timestamp::from_unix_seconds(date.with_time(time).as_utc().unix_timestamp()).ok_or_else(wrong)
}
