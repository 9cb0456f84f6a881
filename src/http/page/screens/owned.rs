//! The keys of the actor, and those of the organization.

use axum::response::Response;
use maud::{Markup, html};

use crate::authority::Abilities;
use crate::http::page::failure::Failure;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::key_table::{self, Columns};
use crate::http::page::view::listing::{self, Filter};
use crate::http::page::view::{facts, navigation, obstacles};
use crate::http::page::visit::{Answer, Visit, go_to};
use crate::record::key::Owner;
use crate::record::operation::Operation;

/// Shows the actor's own keys. If the host shows no such screen, the first one that the actor may
/// see is shown.
pub(in crate::http::page) async fn own(visit: &Visit) -> Answer {
    if visit.has(Screens::OWN_KEYS) {
        return keys_of(visit, &visit.actor.as_owner(), Text::OWN_KEYS, Text::OWN_KEYS_LEAD, "/")
            .await;
    }
    let is_shown = |screen| visit.has(screen) && navigation::may_see(&visit.actor, screen);
    let first = navigation::SCREENS.iter().find(|(screen, ..)| is_shown(*screen));
    first.map(|(_, path, _)| go_to(&visit.urls.to(path))).ok_or(Failure::Forbidden)
}

/// Shows the keys of the organization.
pub(in crate::http::page) async fn organization(visit: &Visit) -> Answer {
    visit.must_see(Screens::ORGANIZATION_KEYS)?;
    let (title, lead) = (Text::ORGANIZATION_KEYS, Text::ORGANIZATION_KEYS_LEAD);
    keys_of(visit, &Owner::Organization, title, lead, "/organization").await
}

async fn keys_of(visit: &Visit, owner: &Owner, title: Text, lead: Text, path: &str) -> Answer {
    let abilities = visit.authority().abilities(&visit.actor, owner).await?;
    let list = if visit.actor.may(Operation::KeyShow, owner) {
        let filter = Filter::parse(&visit.query);
        let query = filter.query(visit.authority().now()).owner(owner.clone());
        let page = visit.authority().keys(&visit.actor, &filter.page(query)).await?;
        let name = visit.say(title);
        let table = key_table::table(visit, &name, &page.items, Columns::default());
        listing::whole(
            visit,
            &filter,
            &visit.urls.to(path),
            page.next_cursor(),
            page.items.is_empty(),
            &table,
        )
    } else {
        html! {}
    };
    Ok(shown(visit, title, lead, &abilities, &list))
}

fn shown(visit: &Visit, title: Text, lead: Text, abilities: &Abilities, list: &Markup) -> Response {
    let new = visit.urls.of_owner("/new", &abilities.owner);
    let content = html! {
        h1 { (visit.say(title)) }
        p { (visit.say(lead)) }
        @if let Some(documentation) = &visit.page.links.documentation {
            p { a href=(documentation) { (visit.say(Text::READ_DOCUMENTATION)) } }
        }
        @if let Some(keys) = &abilities.keys {
            p class="kw-hint" { (facts::numbers(visit, keys.live, keys.max)) }
        }
        @if abilities.can_generate() {
            p { a class="kw-button" href=(new) { (visit.say(Text::NEW_KEY)) } }
        } @else {
            (obstacles::panel(visit, &abilities.obstacles))
        }
        (list)
        (questions(visit, abilities))
    };
    visit.show(title, content)
}

/// Returns the questions that users ask, each with its answer.
fn questions(visit: &Visit, abilities: &Abilities) -> Markup {
    let choices = abilities.choices.as_ref();
    let has_overlap = choices.is_some_and(|choices| !choices.max_overlap.is_zero());
    let rotating = [
        (Text::QUESTION_LOST, Text::ANSWER_LOST),
        (Text::QUESTION_LEAKED, Text::ANSWER_LEAKED),
        (
            Text::QUESTION_ROTATE,
            if has_overlap { Text::ANSWER_ROTATE } else { Text::ANSWER_ROTATE_AT_ONCE },
        ),
    ];
    let without_rotation = [
        (Text::QUESTION_LOST, Text::ANSWER_LOST_WITHOUT_ROTATION),
        (Text::QUESTION_LEAKED, Text::ANSWER_LEAKED_WITHOUT_ROTATION),
    ];
    let can_rotate = visit.actor.may(Operation::KeyRotate, &abilities.owner);
    let questions = if can_rotate { &rotating[..] } else { &without_rotation[..] };
    let questions = questions.iter().chain(&[(Text::QUESTION_LAST_USED, Text::ANSWER_LAST_USED)]);
    html! {
        section class="kw-questions" aria-labelledby="questions" {
            h2 id="questions" { (visit.say(Text::QUESTIONS)) }
            @for (question, answer) in questions {
                details { summary { (visit.say(*question)) } p { (visit.say(*answer)) } }
            }
        }
    }
}
