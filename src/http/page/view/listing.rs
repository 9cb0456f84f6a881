//! A list of keys with its filter and its pages. The filter is in the query of the address.

use std::time::Duration;

use maud::{Markup, html};

use super::facts;
use super::fields::{Fields, Kind};
use crate::http::page::form::{Faults, Form};
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::key::{Owner, OwnerKind};
use crate::record::status::KeyStatus;
use crate::store::{Cursor, KeyQuery, KeySort};
use crate::value::time::Timestamp;

/// The keys that a list shows.
#[derive(Debug)]
pub(in crate::http::page) struct Filter {
    form: Form,
    /// True for a list over the owners of the tenant, which can be filtered by owner.
    is_of_tenant: bool,
}

/// The groups of keys, by status: those that work or can work again, those that ended, and all.
const GROUPS: [(&str, Text); 3] =
    [("live", Text::GROUP_LIVE), ("ended", Text::GROUP_ENDED), ("all", Text::GROUP_ALL)];
/// The choices of days in a filter.
const DAYS: [u32; 3] = [7, 30, 90];
/// The longest period that a filter takes, in days.
const MAX_DAYS: u32 = 3_650;
const NEVER_USED: &str = "never";
const SORTS: [(&str, KeySort, bool, Text); 6] = [
    ("created", KeySort::Created, true, Text::SORT_CREATED),
    ("changed", KeySort::Updated, true, Text::SORT_CHANGED),
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
        // Further pages do not repeat that something was done.
        let form = query.clone().set("done", "");
        let form = if is_known { form } else { form.set("status", "live") };
        Self { form, is_of_tenant: false }
    }

    /// Reads the filter of a list over all owners of the tenant.
    pub(in crate::http::page) fn parse_of_tenant(query: &Form) -> Self {
        Self { is_of_tenant: true, ..Self::parse(query) }
    }

    /// Returns the owner whose keys the list shows alone.
    pub(in crate::http::page) fn owner(&self) -> Option<Owner> {
        self.form.value("owner").parse().ok().filter(|_| self.is_of_tenant)
    }

    fn owner_kind(&self) -> Option<OwnerKind> {
        self.form.value("kind").parse().ok().filter(|_| self.is_of_tenant)
    }

    /// Returns a number of days that a field of the filter gives.
    fn days(&self, field: &str) -> Option<Duration> {
        let days: u32 = self.form.value(field).parse().ok()?;
        let is_known = (1..=MAX_DAYS).contains(&days);
        is_known.then(|| Duration::from_secs(u64::from(days) * 86_400))
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
        if let Some(unused) = self.days("unused") {
            query = query.unused_since(now.saturating_sub(unused));
        }
        if self.form.has("unused", NEVER_USED) {
            query = query.never_used();
        }
        if let Some(period) = self.days("expiring") {
            query = query.expiring_within(period);
        }
        if let Some(owner) = self.owner() {
            query = query.owner(owner);
        }
        if let Some(kind) = self.owner_kind() {
            query = query.owner_kind(kind);
        }
        let sort = SORTS.iter().find(|(name, ..)| self.form.has("sort", name)).unwrap_or(&SORTS[0]);
        query = query.sort(sort.1);
        if sort.2 { query.descending() } else { query }
    }

    /// Returns the query of the page that the address names. An invalid cursor, or one of another order,
    /// is the first page.
    pub(in crate::http::page) fn page(&self, query: KeyQuery) -> KeyQuery {
        let cursor = self.form.given("after").and_then(|cursor| cursor.parse::<Cursor>().ok());
        let further = cursor.and_then(|cursor| query.clone().after(&cursor).ok());
        further.filter(|further| further.order() == query.order()).unwrap_or(query)
    }

    fn is_narrowed(&self) -> bool {
        let fields = ["q", "unused", "expiring", "kind", "owner", "after"];
        self.form.value("status") != "live"
            || fields.iter().any(|field| self.form.given(field).is_some())
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
                (frame.say(if filter.is_narrowed() { Text::NOTHING_FOUND } else { Text::NO_LIVE_KEYS_YET }))
            }
        } @else {
            (list)
        }
        @if !filter.is_narrowed() {
            p { a href={ (path) "?status=ended" } { (frame.say(Text::SHOW_ENDED)) } }
        } @else if filter.form.has("status", "ended") {
            p { a href=(path) { (frame.say(Text::SHOW_LIVE)) } }
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
    let days = DAYS.map(|days| (days.to_string(), frame.say(Text::DAYS.count(days.into()))));
    let any = |text: Text| vec![(String::new(), frame.say(text))];
    let mut unused = any(Text::ANY_USE);
    unused.extend(days.clone());
    unused.push((NEVER_USED.to_owned(), frame.say(Text::NEVER_USED)));
    let mut expiring = any(Text::ANY_EXPIRY);
    expiring.extend(days);
    html! {
        form method="get" action=(path) class="kw-filter" role="search" {
            (fields.input(Kind::Line, "q", Text::SEARCH, None))
            (fields.select("status", Text::STATUS, None, &groups.chain(statuses).collect::<Vec<_>>()))
            (fields.select("sort", Text::SORT, None, &sorts.collect::<Vec<_>>()))
            (fields.select("unused", Text::UNUSED_FOR, None, &unused))
            (fields.select("expiring", Text::EXPIRING_WITHIN, None, &expiring))
            @if filter.is_of_tenant {
                (fields.select("kind", Text::OWNER_KIND, None, &kinds(frame)))
                @if filter.owner().is_some() { (fields.hidden("owner")) }
            }
            button type="submit" class="kw-button kw-quiet" { (frame.say(Text::FILTER)) }
        }
    }
}

fn kinds(frame: &Frame) -> Vec<(String, String)> {
    let mut kinds = vec![(String::new(), frame.say(Text::ANY_OWNER))];
    kinds.extend(OwnerKind::ALL.iter().map(|kind| {
        let text = match kind {
            OwnerKind::User => Text::OWNED_BY_USERS,
            OwnerKind::Account => Text::OWNED_BY_ACCOUNTS,
            OwnerKind::Organization => Text::ORGANIZATION,
        };
        (kind.to_string(), frame.say(text))
    }));
    kinds
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

#[cfg(test)]
mod tests {
    use super::*;

    fn query_of(text: &str, is_of_tenant: bool) -> KeyQuery {
        let form = Form::parse(text.as_bytes());
        let filter = Filter::parse(&form);
        Filter { is_of_tenant, ..filter }.query(Timestamp::MAX)
    }

    #[test]
    fn unknown_values_are_ignored() {
        let query =
            query_of("status=old&unused=-1&expiring=9999999&kind=robot&owner=x&sort=up", true);
        assert_eq!(query.statuses.len(), 3, "the live ones");
        assert_eq!((query.unused_since, query.expiring_within), (None, None));
        assert_eq!((query.owner, query.owner_kind), (None, None));
    }

    #[test]
    fn filter_becomes_a_query() {
        let text = "status=revoked&unused=never&expiring=30&kind=user&owner=user:alice&q=Prod";
        let query = query_of(text, true);
        assert_eq!(query.statuses, [KeyStatus::Revoked]);
        assert!(query.never_used);
        assert_eq!(query.expiring_within, Some(Duration::from_hours(30 * 24)));
        assert_eq!(query.owner_kind, Some(OwnerKind::User));
        assert_eq!(query.owner.map(|owner| owner.to_string()).as_deref(), Some("user:alice"));
        assert_eq!(query.search.as_deref(), Some("prod"));
    }

    #[test]
    fn cursor_of_another_order_is_ignored() {
        let begins = |text: &str| {
            let form = Form::parse(text.as_bytes());
            let filter = Filter::parse(&form);
            filter.page(filter.query(Timestamp::MAX)).cursor().is_none()
        };
        let id = "0000000000000000";
        assert!(!begins(&format!("after=created_at.desc.{id}.1")));
        assert!(!begins(&format!("sort=name&after=name.asc.{id}.6f")));
        assert!(begins(&format!("after=created_at.asc.{id}.1")));
        assert!(begins(&format!("sort=name&after=created_at.desc.{id}.1")));
        for broken in ["created", "event.desc.1", "account.1.0000000000000000", "%00"] {
            assert!(begins(&format!("after={broken}")), "{broken}");
        }
    }

    #[test]
    fn own_list_ignores_other_owners() {
        let query = query_of("owner=user:alice&kind=user", false);
        assert_eq!((query.owner, query.owner_kind), (None, None));
    }
}
