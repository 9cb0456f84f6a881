//! The question before all keys of the tenant are turned on or off.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::urls::done;
use crate::http::page::view::fields::{self, Fields};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::operation::Operation;
use crate::record::settings::SettingsEdit;
use crate::store::KeyQuery;

/// Shows the question, with the number of live keys.
pub(in crate::http::page) async fn ask(visit: &Visit, is_on: bool) -> Answer {
    visit.must_see(Screens::SETTINGS)?;
    if !visit.actor.may_for_any(Operation::SettingsEdit) {
        return Err(Failure::Forbidden);
    }
    visit.step_up(Operation::SettingsEdit)?;
    shown(visit, StatusCode::OK, is_on, &Faults::default()).await
}

/// Turns all keys of the tenant on or off.
pub(in crate::http::page) async fn act(visit: &Visit, is_on: bool) -> Answer {
    visit.must_see(Screens::SETTINGS)?;
    let faults = visit.step_up_again(Operation::SettingsEdit);
    if !faults.is_empty() {
        return shown(visit, StatusCode::UNPROCESSABLE_ENTITY, is_on, &faults).await;
    }
    let edit = SettingsEdit::new().api_enabled(Some(is_on));
    visit.authority().edit_settings(&visit.actor, edit).await?;
    let text = if is_on { Text::SWITCHED_ON } else { Text::SWITCHED_OFF };
    Ok(go_to(&done(&visit.urls.to("/settings"), text)))
}

async fn shown(
    visit: &Visit,
    status: StatusCode,
    is_on: bool,
    faults: &Faults,
) -> Result<Response, Failure> {
    let (path, title, lead) = if is_on {
        ("/settings/on", Text::SWITCH_ON, Text::SWITCH_ON_LEAD)
    } else {
        ("/settings/off", Text::SWITCH_OFF, Text::SWITCH_OFF_LEAD)
    };
    let can_count = visit.actor.may_for_any(Operation::KeyShow);
    let live = if can_count {
        Some(visit.authority().count_keys(&visit.actor, &KeyQuery::new().live()).await?)
    } else {
        None
    };
    let name = visit.say(title);
    let fields = Fields { frame: visit, values: &Form::default(), faults };
    let buttons = fields::buttons(visit, title, !is_on, &visit.urls.to("/settings"));
    let content = html! {
        h1 { (name) }
        p { (visit.say(lead)) }
        @if let Some(live) = live { p { strong { (visit.say(Text::KEYS_OF_SWITCH.count(live))) } } }
        (fields.summary())
        (fields::form(&visit.urls.to(path), &buttons))
    };
    Ok(visit.show_with(status, fields::title(visit, &name, faults), content))
}
