//! The names of the keys that an operation on a service account changes.

use maud::{Markup, html};

use crate::authority::{AccountEntry, KeyEntry};
use crate::http::page::texts::Text;
use crate::http::page::view::facts;
use crate::http::page::visit::Visit;

/// Returns the number of the live keys with the names of the newest; nothing if there are none or
/// the actor may not see them.
pub(super) fn live(visit: &Visit, entry: &AccountEntry, lead: Text) -> Markup {
    named(visit, lead, entry.live_keys, |key| key.status.is_live(), entry)
}

/// Returns the number of all keys with the names of the newest.
pub(super) fn all(visit: &Visit, entry: &AccountEntry, lead: Text) -> Markup {
    named(visit, lead, entry.all_keys, |_| true, entry)
}

fn named(
    visit: &Visit,
    lead: Text,
    count: Option<u64>,
    is_named: impl Fn(&KeyEntry) -> bool,
    entry: &AccountEntry,
) -> Markup {
    let count = count.unwrap_or_default();
    let named: Vec<_> = entry.keys.iter().filter(|key| is_named(key)).collect();
    let more = count.saturating_sub(named.len() as u64);
    html! {
        @if count > 0 {
            p { (visit.say(lead.count(count))) }
            ul {
                @for key in &named {
                    li {
                        a href=(visit.urls.key(&key.key.id)) { (key.key.name) } " "
                        span class="kw-hint" {
                            (visit.say(Text::LAST_USED)) ": "
                            (facts::time_or(visit, key.last_used_at, Text::NEVER))
                        }
                    }
                }
                @if more > 0 { li { (visit.say(Text::AND_MORE.count(more))) } }
            }
        }
    }
}
