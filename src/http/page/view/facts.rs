//! Times, statuses and reasons, as every screen shows them.

use maud::{Markup, html};
use time::OffsetDateTime;

use crate::decision::Reason;
use crate::http::page::frame::Frame;
use crate::http::page::texts::{Message, Text};
use crate::record::status::KeyStatus;
use crate::value::time::Timestamp;

/// Returns a time in UTC, to the minute. The script of the page adds the local time.
pub(in crate::http::page) fn time(time: Timestamp) -> Markup {
    let utc = in_utc(time);
    // HTML takes at most three digits of a fraction, so there is none.
    let datetime =
        format!("{}T{:02}:{:02}:{:02}Z", utc.date(), utc.hour(), utc.minute(), utc.second());
    let whole = minutes(time);
    let (date, hour) = whole.split_once(' ').unwrap_or((&whole, ""));
    html! { time datetime=(datetime) { span class="kw-date" { (date) } " " (hour) } }
}

/// Returns a time, or a text where there is none.
pub(in crate::http::page) fn time_or(frame: &Frame, time: Option<Timestamp>, none: Text) -> Markup {
    time.map_or_else(|| html! { (frame.say(none)) }, self::time)
}

/// Returns a time as text, such as `2026-11-22 16:40 UTC`.
pub(in crate::http::page) fn minutes(time: Timestamp) -> String {
    let time = in_utc(time);
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}

fn in_utc(time: Timestamp) -> OffsetDateTime {
    let seconds = time.unix_micros().div_euclid(1_000_000);
    // Each timestamp is before the year 10000, so it has a date.
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Returns the status of a key, as text with a class for its color.
pub(in crate::http::page) fn status(frame: &Frame, status: KeyStatus) -> Markup {
    html! { span class={ "kw-status kw-" (status) } { (frame.say(status_text(status))) } }
}

/// Returns the name of a status.
pub(in crate::http::page) fn status_text(status: KeyStatus) -> Text {
    match status {
        KeyStatus::Active => Text::STATUS_ACTIVE,
        KeyStatus::Disabled => Text::STATUS_DISABLED,
        KeyStatus::Scheduled => Text::STATUS_SCHEDULED,
        KeyStatus::Expired => Text::STATUS_EXPIRED,
        KeyStatus::Revoked => Text::STATUS_REVOKED,
    }
}

/// Returns the reason for which every request with a key is refused, unless its status says it.
pub(in crate::http::page) fn stopped(reason: Option<&Reason>) -> Option<Message> {
    let text = match reason? {
        Reason::AccountDisabled => Text::STOPPED_BY_ACCOUNT,
        Reason::UserSuspended => Text::STOPPED_BY_USER,
        Reason::AccessOff => Text::STOPPED_BY_SWITCH,
        Reason::UpgradeRequired => Text::STOPPED_BY_PLAN,
        _ => return None,
    };
    Some(text.into())
}

/// Returns the number of an owner's live keys, with the limit if there is one.
pub(in crate::http::page) fn numbers(frame: &Frame, live: u64, max: Option<u16>) -> String {
    match max {
        Some(max) => frame.say(Text::KEYS_OF_MAX.with("live", live).with("max", max)),
        None => frame.say(Text::KEY_COUNT.count(live)),
    }
}
