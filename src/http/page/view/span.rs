//! Durations, rates and alerts, in words of the language of the request.

use std::time::Duration;

use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::http::page::units;
use crate::value::rate::Rate;
use crate::value::use_alert::UseAlert;

/// Returns a duration in words, such as `90 days`.
pub(in crate::http::page) fn words(frame: &Frame, duration: Duration) -> String {
    frame.say(units::words(duration))
}

/// Returns a rate in words, such as `100 uses in 1 minute`.
pub(in crate::http::page) fn rate(frame: &Frame, rate: Rate) -> String {
    uses(frame, rate.uses().into(), rate.per())
}

/// Returns an alert in words, such as `more than 1000 uses in 1 hour`.
pub(in crate::http::page) fn alert(frame: &Frame, alert: UseAlert) -> String {
    frame.say(Text::MORE_THAN.with("uses", uses(frame, alert.uses(), alert.period())))
}

fn uses(frame: &Frame, count: u64, period: Duration) -> String {
    frame.say(Text::USES_IN.count(count).with("period", words(frame, period)))
}
