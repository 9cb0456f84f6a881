//! The commands for all tenants, which act as an operator of the host.

use keywright::store::{KeyQuery, TenantEntry, TenantQuery};
use keywright::{
    Key, KeyError, KeyId, ListError, Operator, Outcome, Owner, Permissions, SweepReport, TenantId,
};
use serde_json::{Value, json};

use crate::Session;
use crate::args::{Paging, TenantCommand};
use crate::failure::Failure;
use crate::key_views;
use crate::output::Reply;
use crate::tables::{self, Column};

impl Session {
    /// Returns the operator with the id of the acting user. Only an administrator is an operator.
    pub(crate) fn operator(&self) -> Result<Operator, Failure> {
        if self.names_tenant {
            let message = "this command is for all tenants: leave out --tenant";
            return Err(Failure::usage(message));
        }
        if !self.actor.permissions().contains(Permissions::ADMINISTRATOR) {
            let message = "a command for all tenants needs the role administrator";
            return Err(Failure::refused("permission_denied", message));
        }
        Ok(Operator::new(self.actor.id().clone()))
    }
}

pub(crate) async fn tenant(session: &Session, command: TenantCommand) -> Result<Reply, Failure> {
    let TenantCommand::List { starting_with, paging } = command;
    let operator = session.operator()?;
    let mut query = TenantQuery::new();
    if let Some(text) = starting_with {
        query = query.starting_with(text);
    }
    if let Some(limit) = paging.page_size() {
        query = query.limit(limit);
    }
    let query = if let Some(cursor) = &paging.after { query.after(cursor)? } else { query };
    let read = async |query: &TenantQuery| Ok(session.authority.tenants(&operator, query).await?);
    let page = paging.read(query, read).await?;
    let reply = Reply::new(tenants(&page.items), json!(page)).next_page(page.next_cursor());
    Ok(if page.items.is_empty() { reply.note("no tenants found") } else { reply })
}

const COLUMNS: [Column; 5] = [
    Column::new("tenant").least(16),
    Column::new("live keys"),
    Column::new("keys"),
    Column::new("accounts"),
    Column::new("events"),
];

fn tenants(entries: &[TenantEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        let numbers = [entry.live_keys, entry.keys, entry.accounts, entry.last_event];
        let [live_keys, keys, accounts, events] = numbers.map(|number| number.to_string());
        [entry.tenant.to_string(), live_keys, keys, accounts, events]
    });
    tables::listing(&COLUMNS, &rows.collect::<Vec<_>>())
}

pub(crate) async fn keys(
    session: &Session,
    paging: &Paging,
    query: KeyQuery,
) -> Result<Reply, Failure> {
    let operator = session.operator()?;
    let read = async |query: &KeyQuery| {
        Ok(session.authority.keys_of_all_tenants(&operator, query).await?)
    };
    let page = paging.read(query, read).await?;
    let reply = Reply::new(key_views::listing_of_all_tenants(&page.items), json!(page));
    let reply = reply.next_page(page.next_cursor());
    Ok(if page.items.is_empty() { reply.note("no keys found") } else { reply })
}

/// Revokes each key in its tenant, independently of the others.
pub(crate) async fn revoke(
    session: &Session,
    ids: &[KeyId],
) -> Result<Vec<(KeyId, Option<TenantId>, Result<Outcome<Key>, KeyError>)>, Failure> {
    let operator = session.operator()?;
    let reports = session.authority.revoke_in_any_tenant(&operator, ids).await;
    Ok(reports.into_iter().map(|report| (report.key, report.tenant, report.result)).collect())
}

/// Revokes all live keys of an owner, in the tenant of the command or in all tenants.
pub(crate) async fn revoke_owned(
    session: &Session,
    owner: &Owner,
    in_all_tenants: bool,
) -> Result<Reply, Failure> {
    if !in_all_tenants {
        let revoked = session.authority.revoke_owned(&session.actor, owner).await?;
        let (line, json) = revoked_in(session.actor.tenant(), &revoked);
        return Ok(Reply::new(line, json));
    }
    let operator = session.operator()?;
    let results = session.authority.revoke_owned_in_all_tenants(&operator, owner).await?;
    let reply = by_tenant(results, |tenant, revoked| Some(revoked_in(tenant, &revoked)));
    Ok(if reply.text.is_empty() { reply.note(format!("{owner} has no live keys")) } else { reply })
}

fn revoked_in(tenant: &TenantId, revoked: &[Key]) -> (String, Value) {
    let ids: Vec<KeyId> = revoked.iter().map(|key| key.id).collect();
    let line = format!("{tenant}: {} keys revoked", ids.len());
    (line, json!({ "tenant": tenant, "revoked": ids }))
}

pub(crate) async fn sweep(session: &Session, all_tenants: bool) -> Result<Reply, Failure> {
    if !all_tenants {
        let swept = session.authority.sweep(&session.actor).await?;
        let (line, json) = swept_in(session.actor.tenant(), &swept);
        return Ok(Reply::new(line, json));
    }
    let results = session.authority.sweep_all_tenants(&session.operator()?).await?;
    let count = results.len();
    let reply = by_tenant::<_, ListError>(results, |tenant, swept| {
        let is_nothing = swept == SweepReport::default();
        (!is_nothing).then(|| swept_in(tenant, &swept))
    });
    Ok(reply.note(format!("{count} tenants swept")))
}

fn swept_in(tenant: &TenantId, swept: &SweepReport) -> (String, Value) {
    let (keys, events) = (swept.keys.len(), swept.events);
    let line = format!("{tenant}: {keys} keys and {events} events removed");
    (line, json!({ "tenant": tenant, "keys": swept.keys, "events": events }))
}

/// Returns a reply with a line for each tenant that `show` has one for, and a note for each failure.
fn by_tenant<T, E>(
    results: Vec<(TenantId, Result<T, E>)>,
    show: impl Fn(&TenantId, T) -> Option<(String, Value)>,
) -> Reply
where
    Failure: From<E>,
{
    let (count, mut failed) = (results.len(), 0);
    let (mut reply, mut lines, mut tenants) = (Reply::default(), Vec::new(), Vec::new());
    for (tenant, result) in results {
        match result {
            Ok(done) => {
                if let Some((line, json)) = show(&tenant, done) {
                    lines.push(line);
                    tenants.push(json);
                }
            }
            Err(error) => {
                let failure = Failure::from(error);
                failed += 1;
                reply = reply.note(format!("keywright: {tenant}: {}", failure.message()));
                let (error, message) = (failure.code(), failure.message());
                tenants.push(json!({ "tenant": tenant, "error": error, "message": message }));
            }
        }
    }
    if failed > 0 {
        let message = format!("the command failed in {failed} of {count} tenants");
        reply.failure = Some(Failure::refused("partly_failed", message));
    }
    Reply { text: lines.join("\n"), json: json!({ "tenants": tenants }), ..reply }
}
