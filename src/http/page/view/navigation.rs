//! The links to the screens that the host selects and the actor may see.

use maud::{Markup, html};

use crate::http::page::frame::Frame;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::record::actor::Actor;
use crate::record::key::Owner;
use crate::record::operation::Operation;

/// A screen, its path below the base, and its name.
pub(in crate::http::page) const SCREENS: [(Screens, &str, Text); 6] = [
    (Screens::OWN_KEYS, "/", Text::OWN_KEYS),
    (Screens::ORGANIZATION_KEYS, "/organization", Text::ORGANIZATION_KEYS),
    (Screens::ACCOUNTS, "/accounts", Text::ACCOUNTS),
    (Screens::ALL_KEYS, "/all", Text::ALL_KEYS),
    (Screens::SETTINGS, "/settings", Text::SETTINGS),
    (Screens::EVENTS, "/events", Text::EVENTS),
];

/// Returns true if the actor may see a screen. Each user may see the screen of its own keys, which
/// says what is missing.
pub(in crate::http::page) fn may_see(actor: &Actor, screen: Screens) -> bool {
    match screen {
        Screens::OWN_KEYS => true,
        Screens::ORGANIZATION_KEYS => actor.may(Operation::KeyShow, &Owner::Organization),
        Screens::ACCOUNTS => actor.may_for_any(Operation::AccountShow),
        Screens::ALL_KEYS => actor.may_for_any(Operation::KeyShow),
        Screens::SETTINGS => actor.may_for_any(Operation::PolicyShow),
        _ => actor.may_for_any(Operation::EventsShow),
    }
}

/// Returns the links, or nothing if there is one screen alone.
pub(in crate::http::page) fn links(frame: &Frame, actor: &Actor) -> Markup {
    let is_shown = |screen| frame.has(screen) && may_see(actor, screen);
    let shown: Vec<_> = SCREENS.iter().filter(|(screen, ..)| is_shown(*screen)).collect();
    let path = frame.request.uri.path();
    html! {
        @if shown.len() > 1 {
            nav class="kw-nav" aria-label=(frame.say(Text::NAVIGATION)) {
                ul {
                    @for (_, to, name) in shown {
                        li {
                            a href=(frame.urls.to(to)) aria-current=[(path == *to).then_some("page")] {
                                (frame.say(*name))
                            }
                        }
                    }
                }
            }
        }
    }
}
