//! All keys of the tenant, with a filter and the revocation of many at once.

use maud::{Markup, html};

use super::owner;
use crate::authority::KeyEntry;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::view::key_table::{self, Columns};
use crate::http::page::view::listing::{self, Filter};
use crate::http::page::visit::{Answer, Visit};
use crate::record::operation::Operation;

/// Shows the keys that the filter in the address selects.
pub(in crate::http::page) async fn list(visit: &Visit) -> Answer {
    visit.must_see(Screens::ALL_KEYS)?;
    let filter = Filter::parse_of_tenant(&visit.query);
    let query = filter.page(filter.query(visit.authority().now()));
    let page = visit.authority().keys(&visit.actor, &query).await?;
    let panel = match filter.owner() {
        Some(owner) => Some(owner::panel(visit, &owner).await?),
        None => None,
    };
    let is_selectable = page.items.iter().any(can_revoke);
    let columns = Columns { is_selectable, has_owner: true };
    let list = html! {
        @if is_selectable { (bulk_form(visit)) }
        (key_table::table(visit, &visit.say(Text::ALL_KEYS), &page.items, columns))
    };
    let path = visit.urls.to("/all");
    let (next, is_empty) = (page.next_cursor(), page.items.is_empty());
    let content = html! {
        h1 { (visit.say(Text::ALL_KEYS)) }
        p { (visit.say(Text::ALL_KEYS_LEAD)) }
        @if let Some(panel) = panel { (panel) }
        (listing::whole(visit, &filter, &path, next, is_empty, &list))
    };
    Ok(visit.show(Text::ALL_KEYS, content))
}

fn can_revoke(entry: &KeyEntry) -> bool {
    entry.actions.contains(&Operation::KeyRevoke)
}

/// Returns the form to which the check boxes of the table belong.
fn bulk_form(visit: &Visit) -> Markup {
    html! {
        form method="get" action=(visit.urls.to("/all/revoke")) id="bulk" class="kw-buttons"
            data-kw-all=(visit.say(Text::SELECT_ALL)) {
            button type="submit" class="kw-button kw-danger" { (visit.say(Text::REVOKE_SELECTED)) }
            span role="status" data-kw-count=(visit.say(Text::SELECTED)) {}
        }
    }
}
