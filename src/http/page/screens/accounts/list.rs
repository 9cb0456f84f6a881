//! The list of the service accounts, each with its newest keys.

use maud::{Markup, html};

use super::gate;
use crate::authority::{AccountEntry, KeyEntry};
use crate::http::page::form::{Faults, Form};
use crate::http::page::texts::Text;
use crate::http::page::view::fields::{Fields, Kind};
use crate::http::page::view::{account, facts, key_table, listing, obstacles};
use crate::http::page::visit::{Answer, Visit};
use crate::record::operation::Operation;
use crate::store::{AccountQuery, Cursor};

/// The accounts of one page. With their keys a page has at most 200 rows.
const PAGE: u16 = 20;
/// The live keys that the list shows of one account. Its own screen shows the others.
const KEYS: usize = 10;

/// Shows the list.
pub(in crate::http::page) async fn show(visit: &Visit) -> Answer {
    gate::open(visit, Operation::AccountShow)?;
    let page = visit.authority().accounts(&visit.actor, &query(&visit.query)).await?;
    let (path, may_add) =
        (visit.urls.to("/accounts"), visit.actor.may_for_any(Operation::AccountCreate));
    let content = html! {
        h1 { (visit.say(Text::ACCOUNTS)) }
        p { (visit.say(Text::ACCOUNTS_LEAD)) }
        @if may_add {
            p { a class="kw-button" href=(visit.urls.to("/accounts/new")) { (visit.say(Text::NEW_ACCOUNT)) } }
        } @else {
            p { (visit.say(Text::ACCOUNTS_ONLY_SHOWN)) }
            (obstacles::administrators(visit))
        }
        (search(visit, &path))
        @for entry in &page.items { (section(visit, entry)) }
        @if page.items.is_empty() { p class="kw-panel" { (visit.say(nothing(&visit.query))) } }
        (listing::pages(visit, &visit.query.clone().set("done", ""), &path, page.next_cursor()))
    };
    Ok(visit.show(Text::ACCOUNTS, content))
}

/// Returns the query of the page that the address names. An invalid cursor is the first page.
fn query(form: &Form) -> AccountQuery {
    let mut query = AccountQuery::new().limit(PAGE);
    if let Some(text) = form.given("q") {
        query = query.search(text);
    }
    let cursor = form.given("after").and_then(|cursor| cursor.parse::<Cursor>().ok());
    cursor.and_then(|cursor| query.clone().after(&cursor).ok()).unwrap_or(query)
}

fn nothing(form: &Form) -> Text {
    let is_narrowed = form.given("q").or(form.given("after")).is_some();
    if is_narrowed { Text::NO_ACCOUNT_FOUND } else { Text::NO_ACCOUNTS_YET }
}

fn search(visit: &Visit, path: &str) -> Markup {
    let fields = Fields { frame: visit, values: &visit.query, faults: &Faults::default() };
    html! {
        form method="get" action=(path) class="kw-filter" role="search" {
            (fields.input(Kind::Line, "q", Text::ACCOUNT_SEARCH, None))
            button type="submit" class="kw-button kw-quiet" { (visit.say(Text::FILTER)) }
        }
    }
}

fn section(visit: &Visit, entry: &AccountEntry) -> Markup {
    let found = &entry.account;
    let title = format!("account-{}", found.id);
    let actions = account::actions(visit, entry);
    html! {
        section class="kw-panel" aria-labelledby=(title) {
            h2 id=(title) { a href=(visit.urls.account(&found.id)) { (found.name) } }
            dl class="kw-facts" {
                dt { (visit.say(Text::STATUS)) } dd { (account::standing(visit, entry)) }
                dt { (visit.say(Text::ROLE)) } dd { (found.role) }
                dt { (visit.say(Text::ACCESS)) } dd { (account::access(visit, found.access)) }
                dt { (visit.say(Text::CREATED)) } dd { (facts::time(found.created_at)) }
                @if entry.live_keys.is_some() {
                    dt { (visit.say(Text::KEYS)) } dd { (account::numbers(visit, entry)) }
                }
            }
            (account::generate(visit, entry))
            @if !actions.0.is_empty() {
                details {
                    summary { (visit.say(Text::MANAGE_ACCOUNT)) span class="kw-hidden" { " " (found.name) } }
                    (actions)
                }
            }
            (keys(visit, entry))
        }
    }
}

/// Returns the newest live keys of an account, and a link to all of its keys.
fn keys(visit: &Visit, entry: &AccountEntry) -> Markup {
    let live = entry.keys.iter().filter(|key| key.status.is_live());
    let shown: Vec<&KeyEntry> = live.take(KEYS).collect();
    let all = entry.all_keys.unwrap_or_default();
    let caption = visit.say(Text::KEYS_OF_ACCOUNT.with("name", &entry.account.name));
    html! {
        @if !shown.is_empty() {
            (key_table::short(visit, &caption, &shown))
        } @else if entry.live_keys == Some(0) {
            p class="kw-hint" { (visit.say(Text::NO_LIVE_KEYS)) }
        }
        @if all > shown.len() as u64 {
            p {
                a href={ (visit.urls.account(&entry.account.id)) "?status=all" } {
                    (visit.say(Text::SHOW_ALL_KEYS.count(all)))
                    span class="kw-hidden" { " " (caption) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_cursor_is_the_first_page() {
        let first = query(&Form::default().with("q", "nightly").with("after", "nonsense"));
        assert!(first.cursor().is_none());
        assert_eq!(first.page_size(), usize::from(PAGE));
    }

    #[test]
    fn empty_search_differs_from_no_accounts() {
        assert_eq!(nothing(&Form::default().with("q", "")), Text::NO_ACCOUNTS_YET);
        assert_eq!(nothing(&Form::default().with("q", "x")), Text::NO_ACCOUNT_FOUND);
    }
}
