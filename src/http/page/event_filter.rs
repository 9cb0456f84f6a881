//! The filter of the events, in the query of the address.

use std::time::Duration;

use super::form::{Fault, Faults, Form};
use super::texts::Text;
use super::typed;
use crate::record::event::{EventActor, EventKind};
use crate::store::{Cursor, EventQuery};
use crate::value::id::UserId;

/// The time from the beginning of a day to its last microsecond.
const REST_OF_DAY: Duration = Duration::from_micros(86_400_000_000 - 1);

/// Returns the query of the store for a filter. An invalid cursor, or one of another order, is the first
/// page.
pub(super) fn query(form: &Form, faults: &mut Faults) -> EventQuery {
    let mut query = EventQuery::new();
    if let Some(text) = form.given("key")
        && let Some(key) =
            faults.take(text.parse().map_err(|_| Fault::new("key", Text::KEY_ID_INVALID)))
    {
        query = query.key(key);
    }
    if let Some(text) = form.given("account") {
        let wrong = |_| Fault::new("account", Text::ACCOUNT_ID_INVALID);
        if let Some(account) = faults.take(text.parse().map_err(wrong)) {
            query = query.account(account);
        }
    }
    if let Some(actor) = form.given("actor").and_then(|text| faults.take(actor(text))) {
        query = query.actor(actor);
    }
    // A kind comes from a list, so that an unknown one is of an old address.
    if let Ok(kind) = form.value("kind").parse::<EventKind>() {
        query = query.kind(kind);
    }
    let day = |field, faults: &mut Faults| {
        form.given(field).and_then(|text| faults.take(typed::start_of_day(field, text)))
    };
    let (from, to) = (day("from", faults), day("to", faults));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        faults.add(Fault::new("to", Text::DAYS_REVERSED));
    }
    if let Some(from) = from {
        query = query.since(from);
    }
    if let Some(to) = to {
        query = query.until(to.saturating_add(REST_OF_DAY));
    }
    let cursor = form.given("after").and_then(|cursor| cursor.parse::<Cursor>().ok());
    let further = cursor.and_then(|cursor| query.clone().after(&cursor).ok());
    further.filter(|further| !further.is_oldest_first()).unwrap_or(query)
}

/// Parses an author: the id of a user, or the text of an author as the management API writes it.
fn actor(text: &str) -> Result<EventActor, Fault> {
    let user = || text.parse::<UserId>().map(EventActor::User);
    text.parse().or_else(|_| user()).map_err(|_| Fault::new("actor", Text::ACTOR_INVALID))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<String> {
        let mut faults = Faults::default();
        let _ = query(&Form::parse(text.as_bytes()), &mut faults);
        faults.iter().map(|fault| fault.field.to_string()).collect()
    }

    #[test]
    fn each_fault_names_its_field() {
        let text = "key=x&account=y&actor=two+words&from=1&to=2026-02-30&kind=z&after=z";
        assert_eq!(faults_of(text), ["key", "account", "actor", "from", "to"]);
        assert_eq!(faults_of("from=2026-11-22&to=2026-11-21"), ["to"]);
        assert!(faults_of("from=2026-11-22&to=2026-11-22&kind=key.revoke").is_empty());
    }

    #[test]
    fn cursor_of_another_order_is_ignored() {
        let begins = |text: &str| {
            let query = query(&Form::parse(text.as_bytes()), &mut Faults::default());
            query.cursor().is_none()
        };
        assert!(!begins("after=event.desc.1"));
        for other in ["event.asc.1", "created_at.desc.0000000000000000.1", "event.desc", "x"] {
            assert!(begins(&format!("after={other}")), "{other}");
        }
    }

    #[test]
    fn author_is_a_user_or_the_system() {
        let name = |text| actor(text).map(|actor| actor.to_string()).ok();
        assert_eq!(name("alice").as_deref(), Some("user:alice"));
        assert_eq!(name("user:alice").as_deref(), Some("user:alice"));
        assert_eq!(name("system").as_deref(), Some("system"));
        assert_eq!(name("two words"), None);
    }
}
