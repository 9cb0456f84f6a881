//! `keywright key`: generates, shows, changes and ends keys.

use keywright::{KeyId, Metadata, Owner};
use serde_json::{Map, Value, json};

use crate::all_tenants;
use crate::failure::Failure;
use crate::issued::handed_out;
use crate::key_args::{KeyChange, KeyCommand, ListArgs, NewKeyArgs, NoteArgs};
use crate::key_views;
use crate::output::Reply;
use crate::paging::with_paging_notes;
use crate::read::Read;
use crate::revoke;
use crate::session::Session;
use crate::target::call::Call;
use crate::values::{Entry, OrNone};

pub(crate) async fn run(session: &Session, command: KeyCommand) -> Result<Reply, Failure> {
    let target = &session.target;
    match command {
        KeyCommand::Generate(args) => generate(session, *args).await,
        KeyCommand::List(args) => list(session, *args).await,
        KeyCommand::Show { id } => {
            let entry = target.call(Call::get(format!("keys/{}", id.0))).await?;
            Ok(Reply::fields(key_views::whole(&entry), entry))
        }
        KeyCommand::Find { id } => {
            let call = Call::get(format!("keys/{}", id.0)).of_operator();
            let entry = target.call(call).await?;
            Ok(Reply::fields(key_views::whole(&entry), entry))
        }
        KeyCommand::Edit { id, change } => {
            edit(session, id.0, change.into_edit()?, "changed", "unchanged").await
        }
        KeyCommand::Rename { id, name } => {
            let (done, already) = (format!("renamed to {name}"), format!("already named {name}"));
            edit(session, id.0, json!({ "name": name }), &done, &already).await
        }
        KeyCommand::Describe { id, notes } => {
            edit(session, id.0, notes.into_edit(), "described", "already described so").await
        }
        KeyCommand::Disable { id } => {
            act(session, id.0, "disable", "disabled", "already disabled").await
        }
        KeyCommand::Enable { id } => {
            act(session, id.0, "enable", "enabled", "already enabled").await
        }
        KeyCommand::Rotate { id, overlap, parts } => {
            let id = id.0;
            if overlap.0.is_zero() {
                session.confirm(&format!(
                    "replace the secret of {id}, and refuse the old one at once"
                ))?;
            }
            let body = json!({ "overlap": overlap.0.as_secs() });
            let issued = target.call(Call::post(format!("keys/{id}/rotate"), body)).await?;
            let note = rotated(&issued);
            Ok(handed_out(issued, parts, note))
        }
        KeyCommand::FinishRotation { id } => {
            session.confirm(&format!("refuse the old secret of {} from now on", id.0))?;
            let done = "rotation finished; the old secret is refused now";
            let already = "already finished; no old secret works";
            act(session, id.0, "finish-rotation", done, already).await
        }
        KeyCommand::Transfer { id, owner } => {
            let owner = &owner.0;
            let call = Call::post(format!("keys/{}/transfer", id.0), json!({ "owner": owner }));
            let entry = target.call(call).await?;
            Ok(changed(entry, &format!("now of {owner}"), &format!("already of {owner}")))
        }
        KeyCommand::Revoke { owner: Some(owner), all_tenants, .. } => {
            revoke::of_owner(session, &owner.0, all_tenants).await
        }
        KeyCommand::Revoke { ids, owner: None, all_tenants } => {
            let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
            revoke::keys(session, &ids, all_tenants).await
        }
        KeyCommand::Delete { id } => {
            let id = id.0;
            session.confirm(&format!("delete key {id} permanently"))?;
            target.call(Call::delete(format!("keys/{id}"))).await?;
            let row = vec![id.to_string(), "deleted".to_owned()];
            Ok(Reply::text(format!("{id} deleted"), &OUTCOME, vec![row], json!({ "deleted": id })))
        }
    }
}

const OUTCOME: [&str; 2] = ["id", "outcome"];

async fn act(
    session: &Session,
    id: KeyId,
    action: &str,
    done: &str,
    already: &str,
) -> Result<Reply, Failure> {
    let call = Call::post(format!("keys/{id}/{action}"), json!({}));
    Ok(changed(session.target.call(call).await?, done, already))
}

async fn edit(
    session: &Session,
    id: KeyId,
    edit: Value,
    done: &str,
    already: &str,
) -> Result<Reply, Failure> {
    let call = Call::patch(format!("keys/{id}"), edit);
    Ok(changed(session.target.call(call).await?, done, already))
}

fn changed(entry: Value, done: &str, already: &str) -> Reply {
    let said = if entry.is("/unchanged") { already } else { done };
    let id = entry.text("/key/id", "");
    let row = vec![id.clone(), crate::output::outcome(&entry).to_owned()];
    Reply::text(format!("{id} {said}"), &OUTCOME, vec![row], entry)
}

async fn generate(session: &Session, args: NewKeyArgs) -> Result<Reply, Failure> {
    let parts = args.parts;
    let owner = args.owner.as_ref().map(|owner| owner.0.clone());
    let issued = session.target.call(Call::post("keys", args.into_body()?)).await?;
    let note = generated(&issued, owner.as_ref());
    Ok(handed_out(issued, parts, note))
}

/// Returns the note about a new key.
pub(crate) fn generated(issued: &Value, owner: Option<&Owner>) -> String {
    let owner = owner.map_or_else(|| issued.text("/key/owner", "none"), Owner::to_string);
    let [id, name] = ["/key/id", "/key/name"].map(|place| issued.text(place, ""));
    format!("key {id} ({name}) of {owner}, expires {}", issued.time("/key/expires_at", "never"))
}

fn rotated(issued: &Value) -> String {
    let old = match &*issued.time("/key/overlap_ends_at", "") {
        "" => "the old secret is refused now".to_owned(),
        end => format!("the old secret works until {end}"),
    };
    let texts = ["/key/id", "/key/name", "/key/secret_number"].map(|place| issued.text(place, ""));
    let [id, name, number] = texts;
    format!("key {id} ({name}) has secret number {number}; {old}")
}

async fn list(session: &Session, args: ListArgs) -> Result<Reply, Failure> {
    let call = Call::get("keys").query(&args.query());
    if args.all_tenants {
        return all_tenants::keys(session, &args.paging, call).await;
    }
    let page = args.paging.read(session, call).await?;
    let shown = page.list("/items").len();
    let total = page.get("total").map(|total| format!("{shown} of {total} keys"));
    let reply = Reply::table(key_views::listing(page.list("/items")), page.clone());
    let reply = with_paging_notes(reply, &page, "keys");
    Ok(match total {
        Some(total) => reply.note(total),
        None => reply,
    })
}

impl NewKeyArgs {
    fn into_body(self) -> Result<Value, Failure> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("name", Some(json!(self.name)));
        put("owner", self.owner.map(|owner| json!(owner.0)));
        put("scopes", (!self.scopes.is_empty()).then(|| json!(self.scopes)));
        put("networks", self.networks.map(|networks| json!(networks)));
        put("rate", self.rate.map(|rate| json!(rate)));
        put("description", self.description.map(|text| json!(text)));
        put("contact", self.contact.map(|text| json!(text)));
        put("metadata", Some(metadata(self.metadata)?));
        put("not_before", self.not_before.map(|time| json!(time.0)));
        put("expires_in", self.expiry.expires_in.map(|period| json!(period.0.as_secs())));
        put("expires_at", self.expiry.expires_at.map(|time| json!(time.0)));
        put("never_expires", self.expiry.no_expiry.then_some(Value::Bool(true)));
        Ok(Value::Object(body))
    }
}

fn metadata(entries: Vec<Entry>) -> Result<Value, Failure> {
    let entries = entries.into_iter().map(|entry| (entry.key, entry.value));
    Ok(json!(Metadata::new(entries)?))
}

/// Adds a field to the body of an edit, if it is given. None is null, which removes the value.
fn put_or_null<T: serde::Serialize>(body: &mut Map<String, Value>, name: &str, given: Option<T>) {
    if let Some(value) = given {
        body.insert(name.to_owned(), json!(value));
    }
}

impl NoteArgs {
    fn into_edit(self) -> Value {
        let mut body = Map::new();
        put_or_null(&mut body, "description", self.description.map(|OrNone(text)| text));
        put_or_null(&mut body, "contact", self.contact.map(|OrNone(text)| text));
        Value::Object(body)
    }
}

impl KeyChange {
    fn into_edit(self) -> Result<Value, Failure> {
        let mut body = Map::new();
        put_or_null(&mut body, "name", self.name);
        put_or_null(&mut body, "scopes", self.scopes);
        put_or_null(&mut body, "networks", self.networks.map(|OrNone(n)| n.unwrap_or_default()));
        put_or_null(&mut body, "rate", self.rate.map(|OrNone(rate)| rate));
        if !self.metadata.is_empty() {
            body.insert("metadata".to_owned(), metadata(self.metadata)?);
        }
        Ok(Value::Object(body))
    }
}

impl ListArgs {
    /// Returns the parameters of the query, without those of the page.
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("sort", self.sort.clone())];
        query.extend(self.search.iter().map(|text| ("search", text.clone())));
        query.extend(self.statuses.iter().map(|status| ("status", status.to_string())));
        query.extend(self.owner.iter().map(|owner| ("owner", owner.0.to_string())));
        query.extend(self.owner_kind.iter().map(|kind| ("owner_kind", kind.to_string())));
        query.extend(self.contact.iter().map(|contact| ("contact", contact.to_string())));
        let entry = |entry: &Entry| ("metadata", format!("{}:{}", entry.key, entry.value));
        query.extend(self.metadata.iter().map(entry));
        query.extend(self.prefix.iter().map(|prefix| ("prefix", prefix.to_string())));
        let seconds = self.expiring_within.map(|period| period.0.as_secs().to_string());
        query.extend(seconds.map(|seconds| ("expiring_within", seconds)));
        query.extend(self.unused_since.map(|time| ("unused_since", time.0.to_string())));
        let switches = [
            ("never_used", self.never_used),
            ("descending", self.descending),
            ("count", self.count),
        ];
        let on = switches.into_iter().filter(|(_, is_on)| *is_on);
        query.extend(on.map(|(name, _)| (name, "true".to_owned())));
        query
    }
}
