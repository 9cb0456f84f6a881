//! The links to the forms about one key or one service account.

use maud::{Markup, html};

use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;

/// Returns the links as a list. Each has the name of its subject, which only screen readers read.
pub(in crate::http::page) fn list(
    frame: &Frame,
    name: &str,
    links: impl IntoIterator<Item = (String, Text)>,
) -> Markup {
    let mut links = links.into_iter().peekable();
    html! {
        @if links.peek().is_some() {
            ul class="kw-actions" {
                @for (to, label) in links {
                    li { a href=(to) { (frame.say(label)) span class="kw-hidden" { " " (name) } } }
                }
            }
        }
    }
}
