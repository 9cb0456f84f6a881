//! One service account with all its keys.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::fields::{self, Roles};
use super::gate;
use crate::authority::AccountEntry;
use crate::http::page::failure::Failure;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::key_table::{self, Columns};
use crate::http::page::view::listing::{self, Filter};
use crate::http::page::view::{account, facts, obstacles};
use crate::http::page::visit::{Answer, Visit};
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::role::RoleName;

/// Shows the account.
pub(in crate::http::page) async fn show(visit: &Visit) -> Answer {
    gate::open(visit, Operation::AccountShow)?;
    let entry = visit.authority().account(&visit.actor, &visit.account_id()?).await?;
    let found = &entry.account;
    let content = html! {
        h1 { (found.name) }
        (facts_of(visit, &entry, &fields::roles(visit).await?))
        (new_key(visit, &entry).await?)
        (account::actions(visit, &entry))
        h2 { (visit.say(Text::KEYS)) }
        (keys(visit, &entry).await?)
        @if visit.can_see(Screens::EVENTS) {
            p {
                a href={ (visit.urls.to("/events")) "?account=" (found.id) } {
                    (visit.say(Text::EVENTS_OF_ACCOUNT))
                }
            }
        }
        p { a href=(visit.urls.to("/accounts")) { (visit.say(Text::BACK_TO_ACCOUNTS)) } }
    };
    Ok(visit.show_with(StatusCode::OK, found.name.to_string(), content))
}

fn facts_of(visit: &Visit, entry: &AccountEntry, roles: &Roles) -> Markup {
    let found = &entry.account;
    let fact = |name: Text, value: Markup| html! { dt { (visit.say(name)) } dd { (value) } };
    html! {
        dl class="kw-facts" {
            (fact(Text::STATUS, account::standing(visit, entry)))
            (fact(Text::ROLE, role(visit, &found.role, roles)))
            (fact(Text::ACCESS, account::access(visit, found.access)))
            (fact(Text::ACCOUNT_SCOPES, html! {
                @if entry.scopes.is_empty() { (visit.say(Text::NO_SCOPES)) }
                @for scope in entry.scopes.iter() { code { (scope) } " " }
            }))
            @if entry.live_keys.is_some() { (fact(Text::KEYS, account::numbers(visit, entry))) }
            (fact(Text::ACCOUNT_ID, html! { code { (found.id) } }))
            (fact(Text::CREATED, facts::time(found.created_at)))
            (fact(Text::LAST_CHANGED, facts::time(found.updated_at)))
        }
    }
}

/// Returns the role with its description, or with a note that the plan has lost it.
fn role(visit: &Visit, name: &RoleName, roles: &Roles) -> Markup {
    let role = roles.as_ref().map(|roles| roles.get(name));
    let description = role.flatten().and_then(|role| role.description.as_ref());
    html! {
        (name)
        @if let Some(description) = description { " " span class="kw-hint" { (description) } }
        @if role == Some(None) {
            " " span class="kw-stopped" { (visit.say(Text::ROLE_NO_LONGER_IN_PLAN)) }
        }
    }
}

/// Returns the button that generates a key, or the obstacles for an actor who may generate one.
async fn new_key(visit: &Visit, entry: &AccountEntry) -> Result<Markup, Failure> {
    let owner = Owner::Account(entry.account.id);
    if entry.actions.contains(&Operation::KeyGenerate)
        || !visit.actor.may(Operation::KeyGenerate, &owner)
    {
        return Ok(account::generate(visit, entry));
    }
    let abilities = visit.authority().abilities(&visit.actor, &owner).await?;
    Ok(obstacles::panel(visit, &abilities.obstacles))
}

async fn keys(visit: &Visit, entry: &AccountEntry) -> Result<Markup, Failure> {
    let owner = Owner::Account(entry.account.id);
    if !visit.actor.may(Operation::KeyShow, &owner) {
        return Ok(obstacles::administrators(visit));
    }
    let filter = Filter::parse(&visit.query);
    let query = filter.query(visit.authority().now()).owner(owner);
    let page = visit.authority().keys(&visit.actor, &filter.page(query)).await?;
    let caption = visit.say(Text::KEYS_OF_ACCOUNT.with("name", &entry.account.name));
    let table = key_table::table(visit, &caption, &page.items, Columns::default());
    let (path, next) = (visit.urls.account(&entry.account.id), page.next_cursor());
    Ok(listing::whole(visit, &filter, &path, next, page.items.is_empty(), &table))
}
