//! The form that changes the settings of the tenant.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::selection::Screens;
use crate::http::page::settings_form::{self, ENVIRONMENTS, WORDS};
use crate::http::page::texts::Text;
use crate::http::page::typed;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::view::settings_table::{self, Setting};
use crate::http::page::view::stale;
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::operation::Operation;
use crate::record::policy_in_force::EffectivePolicy;

/// Shows the form with the stored settings.
pub(in crate::http::page) async fn form(visit: &Visit) -> Answer {
    visit.must_see(Screens::SETTINGS)?;
    if !visit.actor.may_for_any(Operation::SettingsEdit) {
        return Err(Failure::Forbidden);
    }
    visit.step_up(Operation::SettingsEdit)?;
    let policy = visit.authority().policy(&visit.actor).await?;
    let values = settings_form::values(&policy.settings);
    Ok(shown(visit, StatusCode::OK, &policy, &values, &Faults::default(), None))
}

/// Changes the settings as the form says.
pub(in crate::http::page) async fn submit(visit: &Visit) -> Answer {
    visit.must_see(Screens::SETTINGS)?;
    let (authority, actor) = (visit.authority(), &visit.actor);
    let policy = authority.policy(actor).await?;
    let version = visit.form.value("version").parse().map_err(|_| Failure::Stale)?;
    let mut faults = visit.step_up_again(Operation::SettingsEdit);
    let next = settings_form::parse(&visit.form, &policy.settings, &mut faults);
    if let Some(next) = next.filter(|_| faults.is_empty()) {
        let saved = || go_to(&done(&visit.urls.to("/settings"), Text::SAVED));
        let edit = settings_form::edit(&policy.settings, &next);
        // A form that is sent twice finds its own values.
        let is_new = next != policy.settings;
        let edit = if is_new { edit.if_version(version) } else { edit };
        match authority.edit_settings(actor, edit).await.map_err(Failure::from) {
            Ok(_) => return Ok(saved()),
            Err(Failure::Stale) => {
                let policy = authority.policy(actor).await?;
                let stored = settings_form::values(&policy.settings);
                let status = StatusCode::PRECONDITION_FAILED;
                return Ok(shown(visit, status, &policy, &visit.form, &faults, Some(&stored)));
            }
            Err(failure) => faults.add(failure.into_fault()?),
        }
    }
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(shown(visit, status, &policy, &visit.form, &faults, None))
}

fn shown(
    visit: &Visit,
    status: StatusCode,
    policy: &EffectivePolicy,
    values: &Form,
    faults: &Faults,
    stored: Option<&Form>,
) -> Response {
    let values = match stored {
        Some(_) => values.clone().set("version", policy.settings.version),
        None => values.clone(),
    };
    let fields = Fields { frame: visit, values: &values, faults };
    let settings = settings_table::settings(visit, policy);
    let form = html! {
        (fields.hidden("version"))
        @for setting in &settings { (field(visit, fields, setting)) }
        (fields::buttons(visit, Text::SAVE, false, &visit.urls.to("/settings")))
    };
    let name = visit.say(Text::CHANGE_SETTINGS);
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::BLANK_IS_DEFAULT)) }
        @if let Some(stored) = stored { (stale::panel(visit, stored, &values)) }
        (fields.summary())
        (fields::form(&visit.urls.to("/settings/edit"), &form))
    };
    visit.show_with(status, fields::title(visit, &name, faults), content)
}

/// Returns the field of a setting.
fn field(visit: &Visit, fields: Fields<'_>, setting: &Setting) -> Markup {
    let (name, label) = (setting.field, setting.name);
    let hint = |text: Text| {
        Some(html! {
            (visit.say(text)) " "
            @if let Some(bound) = &setting.bound { (bound) " " }
            (setting.in_force(visit))
        })
    };
    let amount = |text| amount(visit, fields, setting, hint(text));
    match name {
        "require_expiry" => fields.select(
            name,
            label,
            hint(Text::REQUIRE_EXPIRY_HINT),
            &[
                (String::new(), visit.say(Text::DEFAULT_CHOICE)),
                (true.to_string(), visit.say(Text::YES)),
                (false.to_string(), visit.say(Text::NO)),
            ],
        ),
        "max_lifetime" => amount(Text::MAX_LIFETIME_HINT),
        "default_lifetime" => amount(Text::DEFAULT_LIFETIME_HINT),
        "max_keys_per_user" => fields.input(Kind::Number, name, label, hint(Text::MAX_KEYS_HINT)),
        "max_overlap" => amount(Text::MAX_OVERLAP_HINT),
        "name_pattern" => pattern(visit, fields, hint(Text::NAME_PATTERN_HINT)),
        "default_rate" => fields.input(Kind::Line, name, label, hint(Text::DEFAULT_RATE_HINT)),
        "extensive_use" => fields.input(Kind::Line, name, label, hint(Text::EXTENSIVE_USE_HINT)),
        "suspicious_use" => fields.input(Kind::Line, name, label, hint(Text::SUSPICIOUS_USE_HINT)),
        "retention" => amount(Text::RETENTION_HINT),
        _ => amount(Text::EVENT_RETENTION_HINT),
    }
}

/// Returns the fields of a number and its unit.
fn amount(visit: &Visit, fields: Fields<'_>, setting: &Setting, hint: Option<Markup>) -> Markup {
    let units = [
        ("days", Text::UNIT_DAYS),
        ("hours", Text::UNIT_HOURS),
        ("minutes", Text::UNIT_MINUTES),
        ("seconds", Text::UNIT_SECONDS),
    ];
    let units = units.map(|(unit, name)| (unit.to_owned(), visit.say(name)));
    let label = Text::UNIT_OF.with("setting", visit.say(setting.name));
    html! {
        div class="kw-pair" {
            (fields.input(Kind::Number, setting.field, setting.name, hint))
            (fields.select(&typed::unit_of(setting.field), label, None, &units))
        }
    }
}

fn pattern(visit: &Visit, fields: Fields<'_>, hint: Option<Markup>) -> Markup {
    let choices = [
        ("", Text::DEFAULT_CHOICE),
        (WORDS, Text::NAME_OF_WORDS),
        (ENVIRONMENTS, Text::NAME_OF_ENVIRONMENT),
    ];
    let choices = choices.map(|(value, name)| (value.to_owned(), visit.say(name)));
    let environments = Some(html! { (visit.say(Text::ENVIRONMENTS_HINT)) });
    html! {
        (fields.select("name_pattern", Text::NAME_PATTERN_FIELD, hint, &choices))
        (fields.input(Kind::Line, "environments", Text::ENVIRONMENTS, environments))
    }
}
