//! The expiry of a new key, in the form that the host chose.

use std::time::Duration;

use maud::{Markup, html};

use super::form::{Fault, Form};
use super::frame::Frame;
use super::selection::ExpiryForm;
use super::texts::Text;
use super::typed;
use super::units;
use super::view::facts;
use super::view::fields::{Choice, Fields, Kind};
use crate::authority::KeyChoices;
use crate::record::new_key::NewKey;
use crate::value::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);
const DAYS: [u32; 5] = [7, 30, 60, 90, 365];
/// The choice that is checked first, if the policy allows it.
const USUAL: u32 = 90;

/// Fills in the expiry of an empty form.
pub(super) fn default(frame: &Frame, form: Form, choices: Option<&KeyChoices>) -> Form {
    if frame.page.expiry != ExpiryForm::Choices {
        return form;
    }
    let max = choices.and_then(|choices| choices.max_lifetime);
    let usual = DAYS.iter().rev().find(|days| **days <= USUAL && is_within(**days, max));
    match usual {
        Some(days) => form.set("expiry", days),
        None => form.set("expiry", "date"),
    }
}

fn is_within(days: u32, max: Option<Duration>) -> bool {
    max.is_none_or(|max| DAY * days <= max)
}

/// Sets the expiry of a new key as the form says.
pub(super) fn apply(frame: &Frame, form: &Form, new: NewKey) -> Result<NewKey, Fault> {
    let date = || form.given("expires_on");
    match frame.page.expiry {
        ExpiryForm::Choices if date().is_some() && !form.has("expiry", "date") => {
            Err(Fault::new("expiry", Text::DATE_WITHOUT_CHOICE))
        }
        ExpiryForm::Choices => match form.value("expiry") {
            "never" => Ok(new.never_expires()),
            "date" => match date() {
                Some(date) => Ok(new.expires_at(typed::end_of_day("expires_on", date)?)),
                None => Err(Fault::new("expires_on", Text::DATE_REQUIRED)),
            },
            "" => Err(Fault::new("expiry", Text::EXPIRY_REQUIRED)),
            days => Ok(new.expires_in(typed::days("expiry", days)?)),
        },
        ExpiryForm::Date => match date() {
            Some(date) => Ok(new.expires_at(typed::end_of_day("expires_on", date)?)),
            None => Ok(new),
        },
        ExpiryForm::Days => match (form.has("set_expiry", "on"), form.given("lifetime_days")) {
            (true, Some(days)) => Ok(new.expires_in(typed::days("lifetime_days", days)?)),
            (true, None) => Err(Fault::new("lifetime_days", Text::DAYS_REQUIRED)),
            (false, Some(_)) => Err(Fault::new("set_expiry", Text::DAYS_WITHOUT_BOX)),
            (false, None) => Ok(new),
        },
    }
}

/// Returns the fields of the expiry. A rule of the policy that the expiry breaks is shown at the
/// first of them.
pub(super) fn fields(fields: Fields<'_>, choices: Option<&KeyChoices>, now: Timestamp) -> Markup {
    let frame = fields.frame;
    let max = choices.and_then(|choices| choices.max_lifetime);
    let bound = html! {
        @if let Some(max) = max {
            (frame.say(Text::LIFETIME_AT_MOST.saying("max", units::words(max))))
        }
    };
    let without = match choices.map(|choices| (choices.never_expires, choices.default_lifetime)) {
        Some((true, None)) => Text::BLANK_NEVER.into(),
        Some((_, Some(lifetime))) => Text::BLANK_DEFAULT.saying("lifetime", units::words(lifetime)),
        _ => Text::EXPIRY_NEEDED.into(),
    };
    match frame.page.expiry {
        ExpiryForm::Choices => {
            let all = all_choices(frame, choices, now);
            let hint = html! { (frame.say(Text::DATE_OF_CHOICE)) };
            html! {
                (fields.radios("expiry", Text::EXPIRY, Some(bound), &all))
                (fields.input(Kind::Date, "expires_on", Text::EXPIRES_ON, Some(hint)))
            }
        }
        ExpiryForm::Date => {
            let hint = html! { (frame.say(without)) " " (bound) " " (frame.say(Text::DATE_HINT)) };
            html! {
                (fields.group_fault("expiry"))
                (fields.input(Kind::Date, "expires_on", Text::EXPIRES_ON, Some(hint)))
            }
        }
        ExpiryForm::Days => {
            let hint = html! { (frame.say(without)) };
            html! {
                (fields.group_fault("expiry"))
                (fields.check("set_expiry", Text::SET_EXPIRY, Some(hint)))
                (fields.input(Kind::Number, "lifetime_days", Text::LIFETIME_DAYS, Some(bound)))
            }
        }
    }
}

fn all_choices(frame: &Frame, choices: Option<&KeyChoices>, now: Timestamp) -> Vec<Choice> {
    let max = choices.and_then(|choices| choices.max_lifetime);
    let days = DAYS.iter().filter(|days| is_within(**days, max)).map(|days| {
        let label = frame.say(Text::DAYS.count((*days).into()));
        let end = now.saturating_add(DAY * *days);
        Choice::new(days, label).hint(frame.say(Text::ENDS_AT.with("time", facts::minutes(end))))
    });
    let mut all: Vec<_> = days.collect();
    all.push(Choice::new("date", frame.say(Text::ON_A_DATE)));
    if choices.is_none_or(|choices| choices.never_expires) {
        let warning = frame.say(Text::NEVER_WARNING);
        all.push(Choice::new("never", frame.say(Text::NO_EXPIRY)).hint(warning));
    }
    all
}
