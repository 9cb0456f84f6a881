//! The token of a key, which one answer shows and no other.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::authority::Issued;
use crate::http::page::texts::Text;
use crate::http::page::view::facts;
use crate::http::page::visit::Visit;

/// Shows a key that was just generated or rotated, with its token.
///
/// The module of the page replaces the entry of the history by the key's own screen, and removes the
/// token when the user leaves.
pub(in crate::http::page) fn shown(visit: &Visit, title: Text, made: &Issued) -> Response {
    let key = &made.key;
    let screen = visit.urls.key(&key.id);
    let token = made.token.expose();
    let content = html! {
        h1 { (visit.say(title)) }
        div class="kw-once" data-kw-once=(screen) {
            p { strong { (visit.say(Text::SHOWN_ONCE)) } " " (visit.say(Text::SHOWN_ONCE_TEXT)) }
            dl class="kw-facts" {
                dt { (visit.say(Text::NAME)) } dd { (key.name) }
                dt { (visit.say(Text::EXPIRES)) }
                dd { (facts::time_or(visit, key.expires_at, Text::NO_EXPIRY)) }
                @if let Some(end) = key.overlap_ends_at {
                    dt { (visit.say(Text::OLD_SECRET_WORKS_UNTIL)) } dd { (facts::time(end)) }
                }
            }
            @if visit.page.shows_id_and_secret {
                (copied(visit, Text::KEY_ID, made.token.key_id().as_str(), false))
                (copied(visit, Text::KEY_SECRET, made.token.expose_key_secret(), true))
            }
            (copied(visit, Text::TOKEN, token, true))
            @if let Some(variable) = &visit.page.variable {
                (copied(visit, Text::ENVIRONMENT_LINE, &format!("{variable}={token}"), true))
            }
            p class="kw-status-line" role="status" data-kw-copied=(visit.say(Text::COPIED))
                data-kw-select=(visit.say(Text::PRESS_COPY)) {}
        }
        @if key.overlap_ends_at.is_some() { p { (visit.say(Text::DEPLOY_THEN_FINISH)) } }
        p { a class="kw-button" href=(screen) data-kw-stored { (visit.say(Text::I_HAVE_STORED_IT)) } }
    };
    visit.show_with(StatusCode::OK, visit.say(title), content)
}

/// Returns a text to copy. It is never the value of an input, which browsers save.
///
/// The script warns a user who leaves the page before a secret was copied.
fn copied(visit: &Visit, label: Text, value: &str, is_secret: bool) -> Markup {
    let label = visit.say(label);
    html! {
        div class="kw-secret" {
            span class="kw-label" { (label) }
            code translate="no" spellcheck="false" data-kw-secret[is_secret]
                data-kw-copy=(visit.say(Text::COPY.with("label", &label))) { (value) }
        }
    }
}
