//! `keywright key`: generates, shows, changes and ends keys.

use std::time::Duration;

use keywright::store::KeyQuery;
use keywright::{Issued, Key, KeyId, Metadata, Name, NewKey, Outcome};
use serde_json::{Value, json};

use crate::Session;
use crate::args::Paging;
use crate::failure::Failure;
use crate::key_args::{KeyCommand, ListArgs, NewKeyArgs};
use crate::key_views;
use crate::output::{Reply, or_none, outcome_word, to_second};

pub(crate) async fn run(session: &Session, command: KeyCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    match command {
        KeyCommand::Generate(args) => generate(session, *args).await,
        KeyCommand::List(args) => list(session, *args).await,
        KeyCommand::Show { id } => {
            let entry = authority.key(actor, &id.0).await?;
            Ok(Reply::new(key_views::whole(&entry), json!(entry)))
        }
        KeyCommand::Rename { id, name } => {
            let name = Name::new(name)?;
            let renamed = authority.rename(actor, &id.0, name.clone()).await?;
            let (done, already) = (format!("renamed to {name}"), format!("already named {name}"));
            Ok(changed(renamed, &done, &already))
        }
        KeyCommand::Disable { id } => {
            Ok(changed(authority.disable(actor, &id.0).await?, "disabled", "already disabled"))
        }
        KeyCommand::Enable { id } => {
            Ok(changed(authority.enable(actor, &id.0).await?, "enabled", "already enabled"))
        }
        KeyCommand::Rotate { id, overlap } => rotate(session, &id.0, overlap.0).await,
        KeyCommand::FinishRotation { id } => {
            let finished = authority.finish_rotation(actor, &id.0).await?;
            let done = "rotation finished; the old secret is refused now";
            Ok(changed(finished, done, "already finished; no old secret works"))
        }
        KeyCommand::Transfer { id, owner } => {
            let handed = authority.transfer_key(actor, &id.0, &owner.0).await?;
            let owner = &owner.0;
            Ok(changed(handed, &format!("now of {owner}"), &format!("already of {owner}")))
        }
        KeyCommand::Revoke { ids } => {
            let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
            revoke(session, &ids).await
        }
        KeyCommand::Delete { id } => {
            authority.delete(actor, &id.0).await?;
            let json = json!({ "outcome": "done", "key": { "id": id.0 } });
            Ok(Reply::new(format!("{} deleted", id.0), json))
        }
    }
}

async fn generate(session: &Session, args: NewKeyArgs) -> Result<Reply, Failure> {
    let owner = args.owner.map_or_else(|| session.actor.as_owner(), |owner| owner.0);
    let metadata = args.metadata.into_iter().map(|entry| (entry.key, entry.value));
    let mut new = NewKey::new(Name::new(args.name)?)
        .scopes(args.scopes)
        .networks(args.networks.unwrap_or_default())
        .metadata(Metadata::new(metadata)?);
    if let Some(rate) = args.rate {
        new = new.rate(rate);
    }
    if let Some(begin) = args.not_before {
        new = new.not_before(begin.0);
    }
    if let Some(lifetime) = args.expiry.expires_in {
        new = new.expires_in(lifetime.0);
    }
    if let Some(end) = args.expiry.expires_at {
        new = new.expires_at(end.0);
    }
    if args.expiry.no_expiry {
        new = new.never_expires();
    }
    let issued = session.authority.generate(&session.actor, new.owner(owner.clone())).await?;
    let key = &issued.key;
    let expires = or_none(key.expires_at.map(to_second), "never");
    let note = format!("key {} ({}) of {owner}, expires {expires}", key.id, key.name);
    Ok(handed_out(&issued).note(note).note(ONCE))
}

async fn rotate(session: &Session, id: &KeyId, overlap: Duration) -> Result<Reply, Failure> {
    let issued = session.authority.rotate(&session.actor, id, overlap).await?;
    let key = &issued.key;
    let old = match key.overlap_ends_at {
        Some(end) => format!("the old secret works until {}", to_second(end)),
        None => "the old secret is refused now".to_owned(),
    };
    let note =
        format!("key {} ({}) has secret number {}; {old}", key.id, key.name, key.secret_number);
    Ok(handed_out(&issued).note(note).note(ONCE))
}

const ONCE: &str = "This token is shown only once.";

/// Returns the reply with the token. No other function shows a token.
fn handed_out(issued: &Issued) -> Reply {
    let token = issued.token.expose();
    let json = json!({ "token": token, "key": issued.key });
    Reply { token_of: Some(issued.key.id), ..Reply::new(token, json) }
}

async fn list(session: &Session, args: ListArgs) -> Result<Reply, Failure> {
    let (paging, query) = args.into_query();
    let query = if let Some(cursor) = &paging.after { query.after(cursor)? } else { query };
    let page =
        paging.read(query, async |query| Ok(session.authority.keys(&session.actor, query).await?));
    let page = page.await?;
    let reply = Reply::new(key_views::listing(&page.items), json!(page));
    let reply = reply.next_page(page.next_cursor());
    Ok(if page.items.is_empty() { reply.note("no keys found") } else { reply })
}

impl ListArgs {
    fn into_query(self) -> (Paging, KeyQuery) {
        let mut query = KeyQuery::new().sort(self.sort);
        if let Some(text) = self.search {
            query = query.search(text);
        }
        for status in self.statuses {
            query = query.status(status);
        }
        if let Some(owner) = self.owner {
            query = query.owner(owner.0);
        }
        if let Some(period) = self.expiring_within {
            query = query.expiring_within(period.0);
        }
        if let Some(time) = self.unused_since {
            query = query.unused_since(time.0);
        }
        if self.never_used {
            query = query.never_used();
        }
        if self.descending {
            query = query.descending();
        }
        if let Some(limit) = self.paging.page_size() {
            query = query.limit(limit);
        }
        (self.paging, query)
    }
}

/// Revokes each key independently. With several keys, each refusal has a line of its own.
async fn revoke(session: &Session, ids: &[KeyId]) -> Result<Reply, Failure> {
    let mut answers = session.authority.revoke_many(&session.actor, ids).await;
    if ids.len() == 1
        && let Some((_, Err(error))) = answers.pop_if(|(_, answer)| answer.is_err())
    {
        return Err(error.into());
    }
    let mut reply = Reply::default();
    let mut lines = Vec::new();
    let mut results: Vec<Value> = Vec::new();
    for (id, answer) in answers {
        match answer {
            Ok(outcome) => {
                let said = if outcome.is_unchanged() { "already revoked" } else { "revoked" };
                lines.push(format!("{id} {said}"));
                results.push(json!({ "key": id, "outcome": outcome_word(&outcome) }));
            }
            Err(error) => {
                let failure = Failure::from(error);
                reply = reply.note(format!("keywright: {id}: {}", failure.message()));
                results.push(json!({
                    "key": id,
                    "outcome": "refused",
                    "error": failure.code(),
                    "message": failure.message(),
                }));
            }
        }
    }
    let refused = ids.len() - lines.len();
    if refused > 0 {
        let message = format!("{refused} of {} keys could not be revoked", ids.len());
        reply.failure = Some(Failure::refused("partly_refused", message));
    }
    Ok(Reply { text: lines.join("\n"), json: json!({ "results": results }), ..reply })
}

fn changed(outcome: Outcome<Key>, done: &str, already: &str) -> Reply {
    let said = if outcome.is_unchanged() { already } else { done };
    let word = outcome_word(&outcome);
    let key = outcome.into_inner();
    Reply::new(format!("{} {said}", key.id), json!({ "outcome": word, "key": key }))
}
