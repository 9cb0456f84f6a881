//! The commands for all tenants, which act as an operator of the host.

use serde_json::{Value, json};

use crate::args::TenantCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_views;
use crate::output::Reply;
use crate::page_args::Paging;
use crate::paging::with_paging_notes;
use crate::progress::Progress;
use crate::read::Read;
use crate::session::Session;
use crate::tables::{Column, Sheet};
use crate::target::call::Call;

pub(crate) async fn tenant(session: &Session, command: TenantCommand) -> Result<Reply, Failure> {
    let TenantCommand::List { starting_with, paging } = command;
    let start: Vec<_> = starting_with.map(|text| ("starting_with", text)).into_iter().collect();
    let page = paging.read(session, Call::get("tenants").of_operator().query(&start)).await?;
    let reply = Reply::table(vec![tenants(page.list("/items"))], page.clone());
    Ok(with_paging_notes(reply, &page, "tenants"))
}

fn tenants(entries: &[Value]) -> Sheet {
    let places = ["/tenant", "/live_keys", "/keys", "/accounts", "/last_event"];
    let [tenant, numbers @ ..] = ["tenant", "live keys", "keys", "accounts", "events"];
    let columns = [Column::new(tenant).least(16)].into_iter().chain(numbers.map(Column::new));
    let row = |entry: &Value| places.map(|place| entry.text(place, "")).to_vec();
    Sheet { columns: columns.collect(), rows: entries.iter().map(row).collect() }
}

pub(crate) async fn keys(session: &Session, paging: &Paging, call: Call) -> Result<Reply, Failure> {
    let page = paging.read(session, call.of_operator()).await?;
    let layouts = key_views::listing_of_all_tenants(page.list("/items"));
    Ok(with_paging_notes(Reply::table(layouts, page.clone()), &page, "keys"))
}

pub(crate) async fn sweep(session: &Session, all_tenants: bool) -> Result<Reply, Failure> {
    let columns = ["keys", "events"];
    let shown = |result: &Value| {
        let (keys, events) = (result.list("/keys").len(), result.text("/events", "0"));
        let is_nothing = keys == 0 && events == "0";
        let line = format!("{keys} keys and {events} events removed");
        (!is_nothing).then(|| (line, vec![keys.to_string(), events]))
    };
    if all_tenants {
        session.confirm("remove dead keys and old events of all tenants after their retention")?;
        let progress = Progress::spinner(session.format, "sweeping all tenants");
        let answer = session.target.call(Call::post("sweep", json!({})).of_operator()).await?;
        drop(progress);
        let count = answer.list("/results").len();
        return Ok(by_tenant(answer, &columns, shown).note(format!("{count} tenants swept")));
    }
    let local = session.target.local("sweep without --all-tenants")?;
    session.confirm("remove dead keys and old events after their retention")?;
    let progress = Progress::spinner(session.format, "sweeping");
    let swept = local.authority.sweep(&local.actor).await?;
    drop(progress);
    let tenant = local.actor.tenant();
    let result = json!({ "tenant": tenant, "keys": swept.keys, "events": swept.events });
    let reply = by_tenant(json!({ "results": [result] }), &columns, shown);
    let is_nothing = swept.keys.is_empty() && swept.events == 0;
    Ok(reply.note_if(is_nothing, "nothing to remove"))
}

/// Returns a reply with a line for each tenant that `show` has one for, and a note for each failure.
pub(crate) fn by_tenant(
    answer: Value,
    columns: &[&'static str],
    show: impl Fn(&Value) -> Option<(String, Vec<String>)>,
) -> Reply {
    let (mut lines, mut rows, mut notes, mut failed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let results = answer.list("/results");
    for result in results {
        let tenant = result.text("/tenant", "");
        if let Some(problem) = result.get("problem") {
            notes.push(format!("keywright: {tenant}: {}", problem.text("/detail", "")));
            let empty = columns.iter().map(|_| String::new());
            rows.push(
                [tenant].into_iter().chain(empty).chain([problem.text("/code", "")]).collect(),
            );
            failed += 1;
        } else if let Some((line, cells)) = show(result) {
            lines.push(format!("{tenant}: {line}"));
            rows.push([tenant].into_iter().chain(cells).chain([String::new()]).collect());
        }
    }
    let message = format!("the command failed in {failed} of {} tenants", results.len());
    let failure = (failed > 0).then(|| Failure::new(Exit::Partly, "partly_failed", message));
    let columns: Vec<_> = ["tenant"].iter().chain(columns).chain(&["problem"]).copied().collect();
    let reply = Reply::text(lines.join("\n"), &columns, rows, answer);
    notes.into_iter().fold(reply, Reply::note).failing(failure)
}
