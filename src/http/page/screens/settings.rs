//! The settings of the tenant, with the value in force of each.

use maud::{Markup, html};

use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::{obstacles, settings_table};
use crate::http::page::visit::{Answer, Visit};
use crate::record::operation::Operation;
use crate::record::policy_in_force::EffectivePolicy;

/// Shows the settings.
pub(in crate::http::page) async fn show(visit: &Visit) -> Answer {
    visit.must_see(Screens::SETTINGS)?;
    let policy = visit.authority().policy(&visit.actor).await?;
    let can_edit = visit.actor.may_for_any(Operation::SettingsEdit);
    let content = html! {
        h1 { (visit.say(Text::SETTINGS)) }
        p { (visit.say(Text::SETTINGS_LEAD)) }
        @if !can_edit {
            p { (visit.say(Text::SETTINGS_READ_ONLY)) }
            (obstacles::administrators(visit))
        }
        (switch(visit, &policy, can_edit))
        (settings_table::table(visit, &settings_table::settings(visit, &policy)))
        @if can_edit {
            div class="kw-buttons" {
                a class="kw-button" href=(visit.urls.to("/settings/edit")) { (visit.say(Text::CHANGE_SETTINGS)) }
            }
        }
    };
    Ok(visit.show(Text::SETTINGS, content))
}

/// Returns the panel of the switch for all keys of the tenant.
fn switch(visit: &Visit, policy: &EffectivePolicy, can_edit: bool) -> Markup {
    let (state, path, label) = if policy.api_enabled.value {
        (Text::SWITCH_IS_ON, "/settings/off", Text::SWITCH_OFF)
    } else {
        (Text::SWITCH_IS_OFF, "/settings/on", Text::SWITCH_ON)
    };
    html! {
        section class="kw-panel" aria-labelledby="switch" {
            h2 id="switch" { (visit.say(Text::API_KEYS)) }
            p { strong { (visit.say(state)) } }
            @if !policy.plan.api_access {
                p {
                    (visit.say(Text::UPGRADE_REQUIRED))
                    @if let Some(upgrade) = &visit.page.links.upgrade {
                        " " a href=(upgrade) { (visit.say(Text::UPGRADE)) }
                    }
                }
            }
            @if can_edit { p { a href=(visit.urls.to(path)) { (visit.say(label)) } } }
        }
    }
}
