//! `keywright events`: lists the audit trail.

use keywright::store::EventQuery;
use keywright::{Event, EventOutcome};
use serde_json::json;

use crate::Session;
use crate::args::EventsQuery;
use crate::failure::Failure;
use crate::output::{Reply, or_none, to_second};
use crate::tables::{self, Column};

pub(crate) async fn run(session: &Session, args: EventsQuery) -> Result<Reply, Failure> {
    let mut query = EventQuery::new();
    if let Some(key) = args.key {
        query = query.key(key.0);
    }
    if let Some(account) = args.account {
        query = query.account(account.0);
    }
    if let Some(actor) = args.actor {
        query = query.actor(actor);
    }
    if let Some(kind) = args.kind {
        query = query.kind(kind);
    }
    if let Some(since) = args.since {
        query = query.since(since.0);
    }
    if let Some(until) = args.until {
        query = query.until(until.0);
    }
    if args.oldest_first {
        query = query.oldest_first();
    }
    if let Some(limit) = args.paging.page_size() {
        query = query.limit(limit);
    }
    let query = if let Some(cursor) = &args.paging.after { query.after(cursor)? } else { query };
    let page = args
        .paging
        .read(query, async |query| Ok(session.authority.events(&session.actor, query).await?));
    let page = page.await?;
    let reply = Reply::new(trail(&page.items), json!(page)).next_page(page.next_cursor());
    let is_nothing = page.items.is_empty() && page.next.is_none();
    Ok(if is_nothing { reply.note("no events found") } else { reply })
}

const COLUMNS: [Column; 8] = [
    Column::new("#"),
    Column::times("at"),
    Column::new("actor").least(8),
    Column::new("from"),
    Column::new("kind"),
    Column::new("of"),
    Column::new("outcome"),
    Column::new("details").least(16),
];

fn trail(events: &[Event]) -> String {
    let rows = events.iter().map(|event| {
        // Texts in the details are in quotes, so a name cannot look like another field.
        let details = event.details.to_string();
        let (outcome, details) = match &event.outcome {
            EventOutcome::Done => ("done", details),
            EventOutcome::Unchanged => ("unchanged", details),
            EventOutcome::Refused(code) if details.is_empty() => ("refused", code.to_string()),
            EventOutcome::Refused(code) => ("refused", format!("{code}: {details}")),
            _ => ("other", details),
        };
        let account = event.account.map(|account| format!("account:\n{account}"));
        [
            event.sequence.to_string(),
            to_second(event.at),
            event.actor.to_string(),
            or_none(event.source_address, "-"),
            event.kind.to_string(),
            or_none(event.key.map(|key| key.to_string()).or(account), "-"),
            outcome.to_owned(),
            details,
        ]
    });
    tables::listing(&COLUMNS, &rows.collect::<Vec<_>>())
}
