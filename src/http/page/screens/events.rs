//! The audit events of the tenant.

use std::collections::HashMap;

use axum::http::StatusCode;
use maud::{Markup, html};

use crate::authority::KeyError;
use crate::http::page::event_filter;
use crate::http::page::failure::Failure;
use crate::http::page::form::{Faults, Form};
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::fields::{self, Fields, Kind};
use crate::http::page::view::{event_table, event_texts, listing};
use crate::http::page::visit::{Answer, Visit};
use crate::record::event::Event;
use crate::value::id::KeyId;
use crate::value::name::Name;

/// Shows the events that the filter in the address selects, newest first.
pub(in crate::http::page) async fn list(visit: &Visit) -> Answer {
    visit.must_see(Screens::EVENTS)?;
    let mut faults = Faults::default();
    let form = visit.query.clone().set("done", "");
    let query = event_filter::query(&form, &mut faults);
    let (status, list) = if faults.is_empty() {
        let page = visit.authority().events(&visit.actor, &query).await?;
        let next = page.next_cursor();
        let keys = existing(visit, &page.items).await?;
        let list = html! {
            @if !page.items.is_empty() {
                (event_table::table(visit, &page.items, &keys))
            } @else {
                @let text = if next.is_some() { Text::NO_EVENTS_YET } else { Text::NO_EVENTS };
                p class="kw-panel" { (visit.say(text)) }
            }
            (listing::pages(visit, &form, &visit.urls.to("/events"), next))
        };
        (StatusCode::OK, list)
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, html! {})
    };
    let name = visit.say(Text::EVENTS);
    let fields = Fields { frame: visit, values: &form, faults: &faults };
    let content = html! {
        h1 { (name) }
        p { (visit.say(Text::EVENTS_LEAD)) }
        (fields.summary())
        (filters(visit, fields, &form))
        (list)
    };
    Ok(visit.show_with(status, fields::title(visit, &name, &faults), content))
}

/// Returns the names of the keys of events that still exist and that the actor may see.
async fn existing(visit: &Visit, events: &[Event]) -> Result<HashMap<KeyId, Name>, Failure> {
    let mut asked: HashMap<KeyId, Option<Name>> = HashMap::new();
    for id in events.iter().filter_map(|event| event.key) {
        if asked.contains_key(&id) {
            continue;
        }
        let name = match visit.authority().key(&visit.actor, &id).await {
            Ok(entry) => Some(entry.key.name.clone()),
            Err(KeyError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        asked.insert(id, name);
    }
    Ok(asked.into_iter().filter_map(|(id, name)| Some((id, name?))).collect())
}

fn filters(visit: &Visit, fields: Fields<'_>, form: &Form) -> Markup {
    let mut kinds = vec![(String::new(), visit.say(Text::ANY_KIND))];
    kinds.extend(
        event_texts::kinds().map(|kind| (kind.to_string(), visit.say(event_texts::kind(kind)))),
    );
    let hint = Some(html! { (visit.say(Text::EVENT_ACTOR_HINT)) });
    let has_account = visit.has(Screens::ACCOUNTS) || form.given("account").is_some();
    html! {
        form method="get" action=(visit.urls.to("/events")) class="kw-filter" role="search" novalidate {
            (fields.input(Kind::Line, "key", Text::KEY_ID, None))
            @if has_account { (fields.input(Kind::Line, "account", Text::ACCOUNT_ID, None)) }
            (fields.input(Kind::Line, "actor", Text::EVENT_ACTOR, hint))
            (fields.select("kind", Text::EVENT_KIND, None, &kinds))
            (fields.input(Kind::Date, "from", Text::FROM_DAY, None))
            (fields.input(Kind::Date, "to", Text::TO_DAY, None))
            button type="submit" class="kw-button kw-quiet" { (visit.say(Text::FILTER)) }
        }
    }
}
