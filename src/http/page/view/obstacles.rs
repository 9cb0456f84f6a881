//! The reasons for which there can be no new key, each with the people who can change it.

use maud::{Markup, html};

use crate::authority::Obstacle;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::requirement::Requirement;

/// Returns a panel with every obstacle.
pub(in crate::http::page) fn panel(frame: &Frame, obstacles: &[Obstacle]) -> Markup {
    html! {
        div class="kw-panel" {
            h2 { (frame.say(Text::NO_NEW_KEY)) }
            ul { @for obstacle in obstacles { li { (line(frame, obstacle)) } } }
        }
    }
}

fn line(frame: &Frame, obstacle: &Obstacle) -> Markup {
    let ask = |text: Text| html! { (frame.say(text)) " " (ask_whom(frame)) };
    match obstacle {
        Obstacle::Missing(Requirement::License) => html! {
            (frame.say(Text::UPGRADE_REQUIRED)) " "
            @if let Some(upgrade) = &frame.page.links.upgrade {
                a href=(upgrade) { (frame.say(Text::UPGRADE)) }
            } @else {
                (ask_whom(frame))
            }
        },
        Obstacle::Missing(Requirement::Switch) => ask(Text::API_KEYS_OFF),
        Obstacle::Missing(Requirement::Permission) => ask(Text::PERMISSION_MISSING),
        Obstacle::UserSuspended(user) => html! {
            (frame.say(Text::USER_IS_SUSPENDED.with("user", user))) " " (ask_whom(frame))
        },
        Obstacle::AccountNotFound(_) => html! { (frame.say(Text::ACCOUNT_NOT_FOUND)) },
        Obstacle::AccountDisabled(_) => html! { (frame.say(Text::ACCOUNT_IS_DISABLED)) },
        Obstacle::NoName(_) => ask(Text::NO_NAME_FITS),
        Obstacle::TooManyKeys { limit } => html! {
            (frame.say(Text::TOO_MANY_KEYS.count((*limit).into())))
        },
    }
}

/// Returns the sentence with the people to ask, as a paragraph.
pub(in crate::http::page) fn administrators(frame: &Frame) -> Markup {
    html! { p { (ask_whom(frame)) } }
}

fn ask_whom(frame: &Frame) -> Markup {
    html! {
        @match &frame.page.administrators {
            Some(people) => (frame.say(Text::ASK_ADMINISTRATORS.with("people", people))),
            None => (frame.say(Text::ASK_AN_ADMINISTRATOR)),
        }
    }
}
