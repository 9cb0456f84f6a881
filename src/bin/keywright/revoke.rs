//! `keywright key revoke`: revokes keys, or all keys of an owner, in one tenant or in all.

use keywright::{KeyId, Owner};
use serde_json::{Value, json};

use crate::all_tenants::by_tenant;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Reply, outcome};
use crate::progress::Progress;
use crate::read::Read;
use crate::session::Session;
use crate::target::call::Call;

/// The most keys in one call of the management API.
const MOST: usize = 100;

/// Revokes each key independently. With several keys, each refusal has a line of its own.
pub(crate) async fn keys(
    session: &Session,
    ids: &[KeyId],
    in_any_tenant: bool,
) -> Result<Reply, Failure> {
    let what = match ids {
        [id] => format!("key {id}"),
        ids => format!("{} keys", ids.len()),
    };
    session.confirm(&format!("revoke {what} permanently"))?;
    let progress = Progress::bar(session.format, "revoking", ids.len() as u64);
    let mut results = Vec::with_capacity(ids.len());
    let mut stopped = None;
    for some in ids.chunks(MOST) {
        let call = Call::post("keys/revoke", json!({ "ids": some }));
        let call = if in_any_tenant { call.of_operator() } else { call };
        match session.target.call(call).await {
            Ok(mut answer) => {
                if let Value::Array(more) = answer["results"].take() {
                    results.extend(more);
                }
            }
            // The keys of the calls before are revoked, and the answer must name them.
            Err(failure) if !results.is_empty() => {
                stopped = Some(failure);
                break;
            }
            Err(failure) => return Err(failure),
        }
        progress.at("revoking", results.len() as u64, ids.len() as u64);
    }
    drop(progress);
    if let [result] = &*results
        && let Some(problem) = result.get("problem")
    {
        return Err(Failure::of_problem(problem));
    }
    Ok(answer(ids.len(), &results, in_any_tenant).failing(stopped))
}

fn answer(asked: usize, results: &[Value], in_any_tenant: bool) -> Reply {
    let (mut lines, mut rows, mut notes, mut refused) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for result in results {
        let id = result.text("/id", "");
        let tenant = result.text("/tenant", "");
        let word = if let Some(problem) = result.get("problem") {
            notes.push(format!("keywright: {id}: {}", problem.text("/detail", "")));
            refused += 1;
            problem.text("/code", "refused")
        } else {
            let said = if result.is("/unchanged") { "already revoked" } else { "revoked" };
            let of = if in_any_tenant { format!(" of {tenant}") } else { String::new() };
            lines.push(format!("{id}{of} {said}"));
            outcome(result).to_owned()
        };
        rows.push(if in_any_tenant { vec![id, tenant, word] } else { vec![id, word] });
    }
    let columns: &[&str] =
        if in_any_tenant { &["id", "tenant", "outcome"] } else { &["id", "outcome"] };
    let failure = (refused > 0).then(|| {
        let message = format!("{refused} of {asked} keys could not be revoked");
        Failure::new(Exit::Partly, "partly_refused", message)
    });
    let reply = Reply::text(lines.join("\n"), columns, rows, json!({ "results": results }));
    notes.into_iter().fold(reply, Reply::note).failing(failure)
}

/// Revokes all live keys of an owner, in the tenant of the command or in all tenants.
pub(crate) async fn of_owner(
    session: &Session,
    owner: &Owner,
    in_all_tenants: bool,
) -> Result<Reply, Failure> {
    let place = if in_all_tenants { " in all tenants" } else { "" };
    session.confirm(&format!("revoke all keys of {owner}{place} permanently"))?;
    let call = Call::post("owners/revoke", json!({ "owner": owner }));
    if in_all_tenants {
        let answer = session.target.call(call.of_operator()).await?;
        let reply = by_tenant(answer, &["revoked"], |result| {
            let count = result.list("/revoked").len();
            (count > 0).then(|| (format!("{count} keys revoked"), vec![count.to_string()]))
        });
        return Ok(reply);
    }
    let answer = session.target.call(call).await?;
    let keys = answer.list("/keys");
    let ids: Vec<String> = keys.iter().map(|key| key.text("/key/id", "")).collect();
    let lines: Vec<String> = ids.iter().map(|id| format!("{id} revoked")).collect();
    let rows = ids.into_iter().map(|id| vec![id, "done".to_owned()]).collect();
    let is_empty = lines.is_empty();
    let reply = Reply::text(lines.join("\n"), &["id", "outcome"], rows, answer);
    Ok(reply.note_if(is_empty, &format!("{owner} has no live keys")))
}
