//! `keywright account`: manages service accounts.

use keywright::store::AccountQuery;
use keywright::{Access, AccountEdit, Name, NewAccount, Outcome, ServiceAccount};
use serde_json::json;

use crate::Session;
use crate::args::{AccountChange, AccountCommand, Paging};
use crate::failure::Failure;
use crate::output::{Reply, outcome_word, to_minute};
use crate::tables::{self, Column};

pub(crate) async fn run(session: &Session, command: AccountCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    match command {
        AccountCommand::Create { name, role, read_only } => {
            let new = NewAccount::new(Name::new(name)?, role);
            let new = if read_only { new.read_only() } else { new };
            let account = authority.create_account(actor, new).await?;
            let json = json!({ "outcome": "done", "account": account });
            Ok(Reply::new(account.id.as_str(), json).note(created(&account)))
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

const COLUMNS: [Column; 6] = [
    Column::new("name").least(8),
    Column::new("id"),
    Column::new("role").least(8),
    Column::new("access"),
    Column::new("state"),
    Column::times("created"),
];

fn listing(accounts: &[ServiceAccount]) -> String {
    let rows = accounts.iter().map(|account| {
        [
            account.name.to_string(),
            account.id.to_string(),
            account.role.to_string(),
            access(account.access).to_owned(),
            state(account).to_owned(),
            to_minute(account.created_at),
        ]
    });
    tables::listing(&COLUMNS, &rows.collect::<Vec<_>>())
}

fn state(account: &ServiceAccount) -> &'static str {
    if account.enabled { "enabled" } else { "disabled" }
}

fn changed(outcome: Outcome<ServiceAccount>, done: &str, already: &str) -> Reply {
    let said = if outcome.is_unchanged() { already } else { done };
    let word = outcome_word(&outcome);
    let account = outcome.into_inner();
    let text = format!("{} {said}", account.id);
    let (role, access) = (&account.role, access(account.access));
    let note = format!("{}: role {role}, {access}, {}", account.name, state(&account));
    Reply::new(text, json!({ "outcome": word, "account": account })).note(note)
}

fn created(account: &ServiceAccount) -> String {
    let (name, id) = (&account.name, account.id);
    format!("account {name} created; generate its keys with --owner account:{id}")
}

/// Returns the word for an access.
pub(crate) fn access(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "read-only",
        Access::ReadWrite => "read-write",
    }
}
