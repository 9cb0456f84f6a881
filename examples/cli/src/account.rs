//! `keywright account`: manages service accounts.

use keywright::store::AccountQuery;
use keywright::{AccountEdit, AccountEntry, Name, NewAccount, Outcome, ServiceAccount};
use serde_json::{Value, json};

use crate::Session;
use crate::args::{AccountChange, AccountCommand, Paging};
use crate::failure::Failure;
use crate::key_views;
use crate::output::{Reply, access, or_none, outcome_word, to_minute, to_second, words};
use crate::tables::{self, Column, fields};

pub(crate) async fn run(session: &Session, command: AccountCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    match command {
        AccountCommand::Create { name, role, read_only } => {
            let new = NewAccount::new(Name::new(name)?, role);
            let new = if read_only { new.read_only() } else { new };
            let entry = authority.create_account(actor, new).await?;
            let account = &entry.account;
            let note = created(account);
            Ok(Reply::new(account.id.as_str(), with_outcome("done", &entry)).note(note))
        }
        AccountCommand::Show { id } => {
            let entry = authority.account(actor, &id.0).await?;
            Ok(Reply::new(whole(&entry), json!(entry)))
        }
        AccountCommand::List { search, paging } => list(session, search, paging).await,
        AccountCommand::Edit { id, change } => {
            let edited = authority.edit_account(actor, &id.0, change.into_edit()?).await?;
            Ok(changed(edited, "changed", "unchanged"))
        }
        AccountCommand::Disable { id } => {
            let disabled = authority.disable_account(actor, &id.0).await?;
            Ok(changed(disabled, "disabled", "already disabled"))
        }
        AccountCommand::Enable { id } => {
            let enabled = authority.enable_account(actor, &id.0).await?;
            Ok(changed(enabled, "enabled", "already enabled"))
        }
        AccountCommand::Delete { id } => {
            authority.delete_account(actor, &id.0).await?;
            let json = json!({ "outcome": "done", "account": { "id": id.0 } });
            Ok(Reply::new(format!("{} deleted with all its keys", id.0), json))
        }
    }
}

impl AccountChange {
    fn into_edit(self) -> Result<AccountEdit, Failure> {
        let mut edit = AccountEdit::new();
        if let Some(name) = self.name {
            edit = edit.name(Name::new(name)?);
        }
        if let Some(role) = self.role {
            edit = edit.role(role);
        }
        if let Some(access) = self.access {
            edit = edit.access(access);
        }
        Ok(edit)
    }
}

async fn list(session: &Session, search: Option<String>, paging: Paging) -> Result<Reply, Failure> {
    let mut query = AccountQuery::new();
    if let Some(text) = search {
        query = query.search(text);
    }
    if let Some(limit) = paging.page_size() {
        query = query.limit(limit);
    }
    let query = if let Some(cursor) = &paging.after { query.after(cursor)? } else { query };
    let page = paging
        .read(query, async |query| Ok(session.authority.accounts(&session.actor, query).await?));
    let page = page.await?;
    let reply = Reply::new(listing(&page.items), json!(page)).next_page(page.next_cursor());
    Ok(if page.items.is_empty() { reply.note("no accounts found") } else { reply })
}

const COLUMNS: [Column; 7] = [
    Column::new("name").least(8),
    Column::new("id"),
    Column::new("role").least(8),
    Column::new("access"),
    Column::new("state"),
    Column::new("keys"),
    Column::times("created"),
];

fn listing(entries: &[AccountEntry]) -> String {
    let rows = entries.iter().map(|entry| {
        let account = &entry.account;
        [
            account.name.to_string(),
            account.id.to_string(),
            account.role.to_string(),
            access(account.access).to_owned(),
            state(account).to_owned(),
            numbers(entry),
            to_minute(account.created_at),
        ]
    });
    tables::listing(&COLUMNS, &rows.collect::<Vec<_>>())
}

fn state(account: &ServiceAccount) -> &'static str {
    if account.enabled { "enabled" } else { "disabled" }
}

/// Returns the number of live keys, and of how many if there is a limit.
fn numbers(entry: &AccountEntry) -> String {
    let live = or_none(entry.live_keys.as_ref(), "hidden");
    match entry.max_keys {
        Some(max) => format!("{live} of {max}"),
        None => live,
    }
}

/// Returns all details of an account, and its newest keys.
fn whole(entry: &AccountEntry) -> String {
    let account = &entry.account;
    let rows = [
        ("id", account.id.to_string()),
        ("name", account.name.to_string()),
        ("tenant", account.tenant.to_string()),
        ("role", account.role.to_string()),
        ("access", access(account.access).to_owned()),
        ("state", state(account).to_owned()),
        ("refused", or_none(entry.refused_because.as_ref(), "no")),
        ("scopes", words(&entry.scopes, "none: its keys allow nothing")),
        ("live keys", numbers(entry)),
        ("all keys", or_none(entry.all_keys.as_ref(), "hidden")),
        ("created", to_second(account.created_at)),
        ("updated", to_second(account.updated_at)),
        ("actions", words(&entry.actions, "none")),
        ("version", account.version.to_string()),
    ];
    let keys = key_views::listing(&entry.keys);
    if keys.is_empty() { fields(&rows) } else { format!("{}\n\n{keys}", fields(&rows)) }
}

/// Returns an entry as JSON, with the outcome of the command beside it.
fn with_outcome(word: &str, entry: &AccountEntry) -> Value {
    let mut json = json!(entry);
    json["outcome"] = json!(word);
    json
}

fn changed(outcome: Outcome<AccountEntry>, done: &str, already: &str) -> Reply {
    let said = if outcome.is_unchanged() { already } else { done };
    let word = outcome_word(&outcome);
    let entry = outcome.into_inner();
    let account = &entry.account;
    let text = format!("{} {said}", account.id);
    let (role, access) = (&account.role, access(account.access));
    let note = format!("{}: role {role}, {access}, {}", account.name, state(account));
    Reply::new(text, with_outcome(word, &entry)).note(note)
}

fn created(account: &ServiceAccount) -> String {
    let (name, id) = (&account.name, account.id);
    format!("account {name} created; generate its keys with --owner account:{id}")
}
