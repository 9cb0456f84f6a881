//! A list of keys with its filter and its pages. The filter is in the query of the address.

use std::time::Duration;

use maud::{Markup, html};

use super::facts;
use super::fields::{Fields, Kind};
use crate::http::page::form::{Faults, Form};
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::status::KeyStatus;
use crate::store::{Cursor, KeyQuery, KeySort};
use crate::value::time::Timestamp;

/// The keys that a list shows.
#[derive(Debug)]
pub(in crate::http::page) struct Filter {
    form: Form,
}

/// The groups of keys, by status: those that work or can work again, those that ended, and all.
const GROUPS: [(&str, Text); 3] =
    [("live", Text::GROUP_LIVE), ("ended", Text::GROUP_ENDED), ("all", Text::GROUP_ALL)];
const SORTS: [(&str, KeySort, bool, Text); 5] = [
    ("created", KeySort::Created, true, Text::SORT_CREATED),
    ("name", KeySort::Name, false, Text::SORT_NAME),
    ("used", KeySort::LastUsed, true, Text::SORT_USED),
    ("unused", KeySort::LastUsed, false, Text::SORT_UNUSED),
    ("expires", KeySort::Expires, false, Text::SORT_EXPIRES),
];

impl Filter {
    /// Reads the filter from the query of the address. Unknown values are ignored.
    pub(in crate::http::page) fn parse(query: &Form) -> Self {
        let is_known = GROUPS.iter().any(|(group, _)| query.has("status", group))
            || KeyStatus::ALL.iter().any(|status| query.has("status", status.as_str()));
        let form = query.clone();
        Self { form: if is_known { form } else { form.set("status", "live") } }
    }

    /// Returns the query of the store for the filter.
    pub(in crate::http::page) fn query(&self, now: Timestamp) -> KeyQuery {
        let mut query = KeyQuery::new();
        if let Some(text) = self.form.given("q") {
            query = query.search(text);
        }
        for status in KeyStatus::ALL {
            let is_wanted = match self.form.value("status") {
                "live" => status.is_live(),
                "ended" => !status.is_live(),
                "all" => false,
                one => one == status.as_str(),
            };
            if is_wanted {
                query = query.status(status);
            }
        }
        let days: Option<u64> = self.form.value("unused").parse().ok();
        if let Some(days) = days.filter(|days| (1..=3_650).contains(days)) {
            query = query.unused_since(now.saturating_sub(Duration::from_secs(days * 86_400)));
        }
        let sort = SORTS.iter().find(|(name, ..)| self.form.has("sort", name)).unwrap_or(&SORTS[0]);
        query = query.sort(sort.1);
        if sort.2 { query.descending() } else { query }
    }

    /// Returns the query of the page that the address names. An invalid cursor is the first page.
    pub(in crate::http::page) fn page(&self, query: KeyQuery) -> KeyQuery {
        let cursor = self.form.given("after").and_then(|cursor| cursor.parse::<Cursor>().ok());
        cursor.and_then(|cursor| query.clone().after(&cursor).ok()).unwrap_or(query)
    }

    fn is_narrowed(&self) -> bool {
        self.form.given("q").is_some()
            || self.form.value("status") != "live"
            || self.form.given("unused").is_some()
            || self.form.given("after").is_some()
    }
}

/// Returns the filter, the list and the links to its pages.
pub(in crate::http::page) fn whole(
    frame: &Frame,
    filter: &Filter,
    path: &str,
    next: Option<Cursor>,
    is_empty: bool,
    list: &Markup,
) -> Markup {
    html! {
        (filters(frame, filter, path))
        @if is_empty {
            p class="kw-panel" {
                (frame.say(if filter.is_narrowed() { Text::NOTHING_FOUND } else { Text::NO_KEYS_YET }))
            }
        } @else {
            (list)
        }
        (pages(frame, &filter.form, path, next))
    }
}

fn filters(frame: &Frame, filter: &Filter, path: &str) -> Markup {
    let fields = Fields { frame, values: &filter.form, faults: &Faults::default() };
    let groups = GROUPS.iter().map(|(group, name)| ((*group).to_owned(), frame.say(*name)));
    let statuses = KeyStatus::ALL
        .iter()
        .map(|status| (status.to_string(), frame.say(facts::status_text(*status))));
    let sorts = SORTS.iter().map(|(sort, _, _, name)| ((*sort).to_owned(), frame.say(*name)));
    html! {
        form method="get" action=(path) class="kw-filter" role="search" {
            (fields.input(Kind::Line, "q", Text::SEARCH, None))
            (fields.select("status", Text::STATUS, None, &groups.chain(statuses).collect::<Vec<_>>()))
            (fields.select("sort", Text::SORT, None, &sorts.collect::<Vec<_>>()))
            (fields.select("unused", Text::UNUSED_FOR, None, &[
                (String::new(), frame.say(Text::ANY_USE)),
                ("30".to_owned(), frame.say(Text::DAYS.count(30))),
                ("90".to_owned(), frame.say(Text::DAYS.count(90))),
            ]))
            button type="submit" class="kw-button kw-quiet" { (frame.say(Text::FILTER)) }
        }
    }
}

/// Returns the links to the first and to the next page of a list.
pub(in crate::http::page) fn pages(
    frame: &Frame,
    form: &Form,
    path: &str,
    next: Option<Cursor>,
) -> Markup {
    let to = |form: Form| {
        let query = form.to_query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    };
    let first = form.given("after").map(|_| to(form.clone().set("after", "")));
    let next = next.map(|cursor| to(form.clone().set("after", cursor)));
    html! {
        @if first.is_some() || next.is_some() {
            nav class="kw-pages" aria-label=(frame.say(Text::PAGES)) {
                @if let Some(first) = first { a href=(first) { (frame.say(Text::FIRST_PAGE)) } }
                @if let Some(next) = next { " " a rel="next" href=(next) { (frame.say(Text::NEXT_PAGE)) } }
            }
        }
    }
}
