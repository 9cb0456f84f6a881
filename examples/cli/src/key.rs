//! `keywright key`: generates, shows, changes and ends keys.

use std::time::Duration;

use keywright::store::KeyQuery;
use keywright::{
    Contact, Description, Issued, Key, KeyEdit, KeyError, KeyId, Metadata, Name, NewKey, Outcome,
    TenantId,
};
use serde_json::{Value, json};

use crate::Session;
use crate::all_tenants;
use crate::args::Paging;
use crate::failure::Failure;
use crate::key_args::{KeyChange, KeyCommand, ListArgs, NewKeyArgs, NoteArgs};
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
        KeyCommand::Find { id } => {
            let entry = authority.find_key(&session.operator()?, &id.0).await?;
            Ok(Reply::new(key_views::whole(&entry), json!(entry)))
        }
        KeyCommand::Edit { id, change } => {
            let edited = authority.edit(actor, &id.0, change.into_edit()?).await?;
            Ok(changed(edited, "changed", "unchanged"))
        }
        KeyCommand::Rename { id, name } => {
            let name = Name::new(name)?;
            let renamed = authority.rename(actor, &id.0, name.clone()).await?;
            let (done, already) = (format!("renamed to {name}"), format!("already named {name}"));
            Ok(changed(renamed, &done, &already))
        }
        KeyCommand::Describe { id, notes } => {
            let edited = authority.edit(actor, &id.0, notes.into_edit()?).await?;
            Ok(changed(edited, "described", "already described so"))
        }
        KeyCommand::Disable { id } => {
            Ok(changed(authority.disable(actor, &id.0).await?, "disabled", "already disabled"))
        }
        KeyCommand::Enable { id } => {
            Ok(changed(authority.enable(actor, &id.0).await?, "enabled", "already enabled"))
        }
        KeyCommand::Rotate { id, overlap, parts } => rotate(session, &id.0, overlap.0, parts).await,
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
        KeyCommand::Revoke { owner: Some(owner), all_tenants, .. } => {
            all_tenants::revoke_owned(session, &owner.0, all_tenants).await
        }
        KeyCommand::Revoke { ids, owner: None, all_tenants } => {
            let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
            revoke(session, &ids, all_tenants).await
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
    if let Some(description) = args.description {
        new = new.description(Description::new(description)?);
    }
    if let Some(contact) = args.contact {
        new = new.contact(Contact::new(contact)?);
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
    Ok(handed_out(&issued, args.parts).note(note).note(ONCE))
}

async fn rotate(
    session: &Session,
    id: &KeyId,
    overlap: Duration,
    parts: bool,
) -> Result<Reply, Failure> {
    let issued = session.authority.rotate(&session.actor, id, overlap).await?;
    let key = &issued.key;
    let old = match key.overlap_ends_at {
        Some(end) => format!("the old secret works until {}", to_second(end)),
        None => "the old secret is refused now".to_owned(),
    };
    let note =
        format!("key {} ({}) has secret number {}; {old}", key.id, key.name, key.secret_number);
    Ok(handed_out(&issued, parts).note(note).note(ONCE))
}

const ONCE: &str = "This token is shown only once. Its last 38 characters are the key secret.";

/// Returns the reply with the token, and with its two parts if they are wanted. No other function
/// shows a token.
fn handed_out(issued: &Issued, parts: bool) -> Reply {
    let (token, id) = (issued.token.expose(), issued.token.key_id());
    let secret = issued.token.expose_key_secret();
    let text = if parts {
        format!("token={token}\nkey_id={id}\nkey_secret={secret}")
    } else {
        token.to_owned()
    };
    let json = json!({ "token": token, "key_id": id, "key_secret": secret, "key": issued.key });
    Reply { token_of: Some(issued.key.id), ..Reply::new(text, json) }
}

async fn list(session: &Session, args: ListArgs) -> Result<Reply, Failure> {
    let (in_all_tenants, is_counted) = (args.all_tenants, args.count);
    let (paging, query) = args.into_query()?;
    let query = if let Some(cursor) = &paging.after { query.after(cursor)? } else { query };
    if in_all_tenants {
        return all_tenants::keys(session, &paging, query).await;
    }
    let Session { authority, actor, .. } = session;
    let read = async |query: &KeyQuery| Ok(authority.keys(actor, query).await?);
    let page = paging.read(query.clone(), read).await?;
    let mut reply = Reply::new(key_views::listing(&page.items), json!(page));
    if is_counted {
        let total = authority.count_keys(actor, &query).await?;
        reply.json["total"] = total.into();
        reply = reply.note(format!("{} of {total} keys", page.items.len()));
    }
    let reply = reply.next_page(page.next_cursor());
    Ok(if page.items.is_empty() { reply.note("no keys found") } else { reply })
}

impl NoteArgs {
    fn into_edit(self) -> Result<KeyEdit, Failure> {
        let mut edit = KeyEdit::new();
        if let Some(description) = self.description {
            edit = edit.description(description.0.map(Description::new).transpose()?);
        }
        if let Some(contact) = self.contact {
            edit = edit.contact(contact.0.map(Contact::new).transpose()?);
        }
        Ok(edit)
    }
}

impl KeyChange {
    fn into_edit(self) -> Result<KeyEdit, Failure> {
        let mut edit = KeyEdit::new();
        if let Some(name) = self.name {
            edit = edit.name(Name::new(name)?);
        }
        if let Some(scopes) = self.scopes {
            edit = edit.scopes(scopes);
        }
        if let Some(networks) = self.networks {
            edit = edit.networks(networks.0.unwrap_or_default());
        }
        if let Some(rate) = self.rate {
            edit = edit.rate(rate.0);
        }
        if !self.metadata.is_empty() {
            let metadata = self.metadata.into_iter().map(|entry| (entry.key, entry.value));
            edit = edit.metadata(Metadata::new(metadata)?);
        }
        Ok(edit)
    }
}

impl ListArgs {
    fn into_query(self) -> Result<(Paging, KeyQuery), Failure> {
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
        if let Some(kind) = self.owner_kind {
            query = query.owner_kind(kind);
        }
        if let Some(contact) = self.contact {
            query = query.contact(Contact::new(contact)?);
        }
        for entry in self.metadata {
            query = query.metadata(entry.key, entry.value);
        }
        if let Some(prefix) = self.prefix {
            query = query.prefix(prefix);
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
        Ok((self.paging, query))
    }
}

/// The result for one key: its id, its tenant if the command is for all tenants, and the outcome.
type Answer = (KeyId, Option<TenantId>, Result<Outcome<Key>, KeyError>);

/// Revokes each key independently. With several keys, each refusal has a line of its own.
async fn revoke(session: &Session, ids: &[KeyId], in_any_tenant: bool) -> Result<Reply, Failure> {
    let mut answers: Vec<Answer> = if in_any_tenant {
        all_tenants::revoke(session, ids).await?
    } else {
        let answers = session.authority.revoke_many(&session.actor, ids).await;
        answers.into_iter().map(|(id, answer)| (id, None, answer)).collect()
    };
    if ids.len() == 1
        && let Some((.., Err(error))) = answers.pop_if(|(.., answer)| answer.is_err())
    {
        return Err(error.into());
    }
    let mut reply = Reply::default();
    let mut lines = Vec::new();
    let mut results: Vec<Value> = Vec::new();
    for (id, tenant, answer) in answers {
        match answer {
            Ok(outcome) => {
                let said = if outcome.is_unchanged() { "already revoked" } else { "revoked" };
                let mut result = json!({ "key": id, "outcome": outcome_word(&outcome) });
                match tenant {
                    Some(tenant) => {
                        lines.push(format!("{id} of {tenant} {said}"));
                        result["tenant"] = json!(tenant);
                    }
                    None => lines.push(format!("{id} {said}")),
                }
                results.push(result);
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
