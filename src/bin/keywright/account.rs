//! `keywright account`: manages service accounts.

use serde_json::{Map, Value, json};

use crate::args::{AccountChange, AccountCommand};
use crate::failure::Failure;
use crate::key_views;
use crate::output::{Reply, outcome};
use crate::page_args::Paging;
use crate::paging::with_paging_notes;
use crate::read::{Read, rows};
use crate::session::Session;
use crate::tables::{Column, Sheet};
use crate::target::call::Call;

pub(crate) async fn run(session: &Session, command: AccountCommand) -> Result<Reply, Failure> {
    let target = &session.target;
    match command {
        AccountCommand::Create { name, role, read_only } => {
            let access = if read_only { "read-only" } else { "read-write" };
            let body = json!({ "name": name, "role": role, "access": access });
            let entry = target.call(Call::post("accounts", body)).await?;
            let id = entry.text("/account/id", "");
            let note =
                format!("account {name} created; generate its keys with --owner account:{id}");
            Ok(Reply::text(id.clone(), &["id"], vec![vec![id]], entry).note(note))
        }
        AccountCommand::Show { id } => {
            let entry = target.call(Call::get(format!("accounts/{}", id.0))).await?;
            let keys = key_views::listing(entry.list("/keys"));
            Ok(Reply::fields(whole(&entry), entry).with_table(keys))
        }
        AccountCommand::List { search, paging } => list(session, search, paging).await,
        AccountCommand::Edit { id, change } => {
            let call = Call::patch(format!("accounts/{}", id.0), change.into_edit());
            Ok(changed(target.call(call).await?, "changed", "unchanged"))
        }
        AccountCommand::Disable { id } => {
            let call = Call::post(format!("accounts/{}/disable", id.0), json!({}));
            Ok(changed(target.call(call).await?, "disabled", "already disabled"))
        }
        AccountCommand::Enable { id } => {
            let call = Call::post(format!("accounts/{}/enable", id.0), json!({}));
            Ok(changed(target.call(call).await?, "enabled", "already enabled"))
        }
        AccountCommand::Delete { id } => {
            let id = id.0;
            session.confirm(&format!("delete account {id} and all its keys permanently"))?;
            target.call(Call::delete(format!("accounts/{id}"))).await?;
            let row = vec![id.to_string(), "deleted".to_owned()];
            let text = format!("{id} deleted with all its keys");
            Ok(Reply::text(text, &OUTCOME, vec![row], json!({ "deleted": id })))
        }
    }
}

const OUTCOME: [&str; 2] = ["id", "outcome"];

impl AccountChange {
    fn into_edit(self) -> Value {
        let mut edit = Map::new();
        edit.extend(self.name.map(|name| ("name".to_owned(), json!(name))));
        edit.extend(self.role.map(|role| ("role".to_owned(), json!(role))));
        edit.extend(self.access.map(|access| ("access".to_owned(), json!(access))));
        Value::Object(edit)
    }
}

async fn list(session: &Session, search: Option<String>, paging: Paging) -> Result<Reply, Failure> {
    let search: Vec<_> = search.map(|text| ("search", text)).into_iter().collect();
    let page = paging.read(session, Call::get("accounts").query(&search)).await?;
    let reply = Reply::table(vec![listing(page.list("/items"))], page.clone());
    Ok(with_paging_notes(reply, &page, "accounts"))
}

fn listing(entries: &[Value]) -> Sheet {
    let columns = vec![
        Column::new("name").least(8),
        Column::new("id"),
        Column::new("role").least(8),
        Column::new("access"),
        Column::new("state"),
        Column::new("live keys"),
        Column::new("max keys"),
        Column::times("created"),
    ];
    let row = |entry: &Value| {
        vec![
            entry.text("/account/name", ""),
            entry.text("/account/id", ""),
            entry.text("/account/role", ""),
            entry.text("/account/access", ""),
            state(entry).to_owned(),
            entry.text("/live_keys", "hidden"),
            entry.text("/max_keys", "no limit"),
            entry.time("/account/created_at", ""),
        ]
    };
    Sheet { columns, rows: entries.iter().map(row).collect() }
}

fn state(entry: &Value) -> &'static str {
    if entry.is("/account/enabled") { "enabled" } else { "disabled" }
}

fn whole(entry: &Value) -> Vec<(String, String)> {
    let text = |place, none| entry.text(place, none);
    rows([
        ("id", text("/account/id", "")),
        ("name", text("/account/name", "")),
        ("tenant", text("/account/tenant", "")),
        ("role", text("/account/role", "")),
        ("access", text("/account/access", "")),
        ("state", state(entry).to_owned()),
        ("refused because", text("/refused_because", "no")),
        ("scopes", text("/scopes", "none: its keys allow nothing")),
        ("live keys", text("/live_keys", "hidden")),
        ("max keys", text("/max_keys", "no limit")),
        ("all keys", text("/all_keys", "hidden")),
        ("created", entry.time("/account/created_at", "")),
        ("updated", entry.time("/account/updated_at", "")),
        ("actions", text("/actions", "none")),
        ("version", text("/account/version", "")),
    ])
}

fn changed(entry: Value, done: &str, already: &str) -> Reply {
    let said = if entry.is("/unchanged") { already } else { done };
    let [id, name, role, access] = ["id", "name", "role", "access"]
        .map(|member| entry.text(&format!("/account/{member}"), ""));
    let note = format!("{name}: role {role}, {access}, {}", state(&entry));
    let row = vec![id.clone(), outcome(&entry).to_owned()];
    Reply::text(format!("{id} {said}"), &OUTCOME, vec![row], entry).note(note)
}
