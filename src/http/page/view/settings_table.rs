//! The settings of a tenant: the value in force of each, its source, and the bound of the plan.

use std::time::Duration;

use maud::{Markup, html};

use super::span;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::plan::Plan;
use crate::record::policy_in_force::{EffectivePolicy, InForce, Source};
use crate::value::name::NamePattern;

/// A setting as the screens show it.
pub(in crate::http::page) struct Setting {
    /// The name of the field in a form.
    pub(in crate::http::page) field: &'static str,
    pub(in crate::http::page) name: Text,
    pub(in crate::http::page) value: String,
    source: Source,
    /// The value of the settings, where the plan puts another in force.
    own: Option<String>,
    pub(in crate::http::page) bound: Option<String>,
}

impl Setting {
    fn of<T: PartialEq>(
        name: (&'static str, Text),
        in_force: &InForce<T>,
        own: Option<T>,
        say: impl Fn(&T) -> String,
        bound: Option<String>,
    ) -> Self {
        Self {
            field: name.0,
            name: name.1,
            value: say(&in_force.value),
            source: in_force.source,
            own: own.filter(|own| *own != in_force.value).map(|own| say(&own)),
            bound,
        }
    }

    /// Returns the value in force with its source, such as `90 days (plan)`.
    pub(in crate::http::page) fn in_force(&self, frame: &Frame) -> String {
        let source = frame.say(source_text(self.source));
        frame.say(Text::IN_FORCE_NOW.with("value", &self.value).with("source", source))
    }
}

/// Returns every setting but the switch.
pub(in crate::http::page) fn settings(frame: &Frame, policy: &EffectivePolicy) -> Vec<Setting> {
    let (plan, own) = (&policy.plan, &policy.settings);
    let words = |time: &Duration| span::words(frame, *time);
    let or = |time: &Option<Duration>, none| time.map_or_else(|| frame.say(none), |t| words(&t));
    let yes = |yes: &bool| frame.say(if *yes { Text::YES } else { Text::NO });
    let at_most = |time: Option<Duration>| {
        time.map(|time| frame.say(Text::AT_MOST.with("max", words(&time))))
    };
    let alert = |alert: &Option<_>| {
        alert.map_or_else(|| frame.say(Text::NO_ALERT), |alert| span::alert(frame, alert))
    };
    let period = Text::PERIOD_AT_LEAST.with("min", words(&plan.min_alert_period));
    let period = Some(frame.say(period));
    vec![
        Setting::of(
            ("require_expiry", Text::REQUIRE_EXPIRY),
            &policy.require_expiry,
            own.require_expiry,
            yes,
            plan.require_expiry.then(|| frame.say(Text::PLAN_REQUIRES_EXPIRY)),
        ),
        Setting::of(
            ("max_lifetime", Text::MAX_LIFETIME),
            &policy.max_lifetime,
            own.max_lifetime.map(Some),
            |time| or(time, Text::NO_LIMIT),
            at_most(plan.max_lifetime),
        ),
        Setting::of(
            ("default_lifetime", Text::DEFAULT_LIFETIME),
            &policy.default_lifetime,
            own.default_lifetime.map(Some),
            |time| or(time, Text::NO_EXPIRY),
            at_most(plan.max_lifetime),
        ),
        Setting::of(
            ("max_keys_per_user", Text::MAX_KEYS_PER_USER),
            &policy.max_keys_per_user,
            own.max_keys_per_user,
            ToString::to_string,
            Some(frame.say(Text::FROM_TO.with("min", 1).with("max", plan.max_keys_per_user))),
        ),
        Setting::of(
            ("max_overlap", Text::MAX_OVERLAP),
            &policy.max_overlap,
            own.max_overlap,
            words,
            at_most(Some(plan.max_overlap)),
        ),
        Setting::of(
            ("name_pattern", Text::NAME_PATTERN_FIELD),
            &policy.name_pattern,
            own.name_pattern.clone().map(Some),
            |rule| pattern(frame, rule.as_ref()),
            plan.name_pattern.as_ref().map(|rule| {
                let rule = pattern(frame, Some(rule));
                frame.say(Text::PLAN_PATTERN.with("pattern", rule))
            }),
        ),
        Setting::of(
            ("default_rate", Text::DEFAULT_RATE),
            &policy.default_rate,
            own.default_rate.map(Some),
            |rate| rate.map_or_else(|| frame.say(Text::NO_LIMIT), |rate| span::rate(frame, rate)),
            plan.max_rate.map(|max| frame.say(Text::AT_MOST.with("max", span::rate(frame, max)))),
        ),
        Setting::of(
            ("extensive_use", Text::EXTENSIVE_USE_ALERT),
            &policy.extensive_use,
            own.extensive_use.map(Some),
            alert,
            period.clone(),
        ),
        Setting::of(
            ("suspicious_use", Text::SUSPICIOUS_USE_ALERT),
            &policy.suspicious_use,
            own.suspicious_use.map(Some),
            alert,
            period,
        ),
        Setting::of(
            ("retention", Text::RETENTION),
            &policy.retention,
            own.retention,
            words,
            at_most(plan.max_retention),
        ),
        Setting::of(
            ("event_retention", Text::EVENT_RETENTION),
            &policy.event_retention,
            own.event_retention,
            words,
            Some(event_retention(frame, plan)),
        ),
    ]
}

fn event_retention(frame: &Frame, plan: &Plan) -> String {
    let words = |time| span::words(frame, time);
    let least = words(plan.min_event_retention);
    match plan.max_event_retention {
        Some(most) => frame.say(Text::FROM_TO.with("min", least).with("max", words(most))),
        None => frame.say(Text::AT_LEAST.with("min", least)),
    }
}

/// Returns a rule for names in words.
pub(super) fn pattern(frame: &Frame, pattern: Option<&NamePattern>) -> String {
    match pattern {
        None => frame.say(Text::ANY_NAME),
        Some(pattern) if pattern.environments.is_empty() => frame.say(Text::NAME_OF_WORDS),
        Some(pattern) => {
            let first = pattern.environments.join(", ");
            frame.say(Text::NAME_OF_WORDS_AFTER.with("environments", first))
        }
    }
}

fn source_text(source: Source) -> Text {
    match source {
        Source::Plan => Text::SOURCE_PLAN,
        Source::Setting => Text::SOURCE_SETTING,
        Source::Default => Text::SOURCE_DEFAULT,
    }
}

/// Returns a table of settings.
pub(in crate::http::page) fn table(frame: &Frame, settings: &[Setting]) -> Markup {
    let head = |text: Text| html! { th scope="col" { (frame.say(text)) } };
    let cell =
        |text: Text, content: &Markup| html! { td data-label=(frame.say(text)) { (content) } };
    html! {
        table class="kw-table" {
            caption class="kw-hidden" { (frame.say(Text::SETTINGS)) }
            thead {
                tr {
                    (head(Text::SETTING)) (head(Text::VALUE_IN_FORCE)) (head(Text::SOURCE))
                    (head(Text::BOUND_OF_PLAN))
                }
            }
            tbody {
                @for setting in settings {
                    tr {
                        th scope="row" data-label=(frame.say(Text::SETTING)) { (frame.say(setting.name)) }
                        (cell(Text::VALUE_IN_FORCE, &html! {
                            (setting.value)
                            @if let Some(own) = &setting.own {
                                p class="kw-hint" { (frame.say(Text::SET_TO.with("value", own))) }
                            }
                        }))
                        (cell(Text::SOURCE, &html! { (frame.say(source_text(setting.source))) }))
                        (cell(Text::BOUND_OF_PLAN, &html! {
                            @match &setting.bound {
                                Some(bound) => (bound),
                                None => (frame.say(Text::NO_BOUND)),
                            }
                        }))
                    }
                }
            }
        }
    }
}
