//! `keywright events`: lists the audit trail.

use serde_json::Value;

use crate::args::EventsQuery;
use crate::failure::Failure;
use crate::output::Reply;
use crate::paging::with_paging_notes;
use crate::read::Read;
use crate::session::Session;
use crate::tables::{Column, Sheet};
use crate::target::call::Call;

pub(crate) async fn run(session: &Session, args: EventsQuery) -> Result<Reply, Failure> {
    let mut query = Vec::new();
    query.extend(args.key.map(|key| ("key", key.0.to_string())));
    query.extend(args.account.map(|account| ("account", account.0.to_string())));
    query.extend(args.actor.map(|actor| ("actor", actor.to_string())));
    query.extend(args.kind.map(|kind| ("kind", kind.to_string())));
    query.extend(args.since.map(|time| ("since", time.0.to_string())));
    query.extend(args.until.map(|time| ("until", time.0.to_string())));
    query.extend(args.oldest_first.then(|| ("oldest_first", "true".to_owned())));
    let page = args.paging.read(session, Call::get("events").query(&query)).await?;
    let reply = Reply::table(vec![trail(page.list("/items"))], page.clone());
    Ok(with_paging_notes(reply, &page, "events"))
}

fn trail(events: &[Value]) -> Sheet {
    let columns = vec![
        Column::new("sequence"),
        Column::times("at"),
        Column::new("actor").least(8),
        Column::new("from"),
        Column::new("kind"),
        Column::new("of"),
        Column::new("outcome").least(8),
        Column::new("details").least(16),
    ];
    let row = |event: &Value| {
        let account = event["account"].as_str().map(|id| format!("account:{id}"));
        let key = event["key"].as_str().map(str::to_owned);
        vec![
            event.text("/sequence", ""),
            event.time("/at", ""),
            event.text("/actor", ""),
            event.text("/source_address", "none"),
            event.text("/kind", ""),
            key.or(account).unwrap_or_else(|| "none".to_owned()),
            event.text("/outcome", ""),
            details(&event["details"]),
        ]
    };
    Sheet { columns, rows: events.iter().map(row).collect() }
}

/// Returns the details in one line. Texts are in quotes, so a name cannot look like another field.
fn details(details: &Value) -> String {
    let members = details.as_object().into_iter().flatten();
    let member = |(name, value): (&String, &Value)| format!("{name}={value}");
    members.map(member).collect::<Vec<_>>().join(" ")
}
