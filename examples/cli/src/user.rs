//! `keywright user` and `keywright owner`: users, and all keys of an owner.

use clap::{Args, Subcommand};
use keywright::{Name, Outcome, User, UserId};
use serde_json::json;

use crate::Session;
use crate::failure::Failure;
use crate::output::{Reply, or_none, outcome_word, to_second};
use crate::tables::fields;
use crate::values::OwnerSpec;

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Show the display name of a user, and whether the user is suspended
    #[command(after_help = "Example:\n  keywright --store keys.db user show alice")]
    Show {
        /// Id of the user
        id: UserId,
    },
    /// Set the display name of a user, which listings show and search
    #[command(after_help = "Example:\n  keywright --store keys.db user name alice \"Alice Jones\"")]
    Name {
        /// Id of the user
        id: UserId,
        #[command(flatten)]
        name: NewDisplayName,
    },
    /// Suspend a user: all keys of the user are refused until the user is restored
    #[command(after_help = "Example:\n  keywright --store keys.db user suspend alice")]
    Suspend {
        /// Id of the user
        id: UserId,
    },
    /// Restore a suspended user: the keys work again, each as before
    #[command(after_help = "Example:\n  keywright --store keys.db user restore alice")]
    Restore {
        /// Id of the user
        id: UserId,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct NewDisplayName {
    /// New display name
    name: Option<String>,
    /// Remove the display name
    #[arg(long)]
    remove: bool,
}

#[derive(Subcommand)]
pub(crate) enum OwnerCommand {
    /// Hand all live keys of an owner to another owner, all of them or none
    #[command(
        after_help = "Example:\n  keywright --store keys.db owner transfer user:alice organization"
    )]
    Transfer {
        /// Owner of the keys
        from: OwnerSpec,
        /// New owner
        to: OwnerSpec,
    },
}

pub(crate) async fn run(session: &Session, command: UserCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    match command {
        UserCommand::Show { id } => {
            let user = authority.user(actor, &id).await?;
            Ok(Reply::new(whole(&user), json!(user)))
        }
        UserCommand::Name { id, name } => {
            let name = name.name.map(Name::new).transpose()?;
            let named = authority.set_display_name(actor, &id, name).await?;
            Ok(changed(named, "named", "already named so"))
        }
        UserCommand::Suspend { id } => {
            Ok(changed(authority.suspend_user(actor, &id).await?, "suspended", "already suspended"))
        }
        UserCommand::Restore { id } => {
            Ok(changed(authority.restore_user(actor, &id).await?, "restored", "not suspended"))
        }
    }
}

pub(crate) async fn run_of_owner(
    session: &Session,
    command: OwnerCommand,
) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    let OwnerCommand::Transfer { from, to } = command;
    let keys = authority.transfer_owned(actor, &from.0, &to.0).await?;
    let lines: Vec<_> = keys.iter().map(|key| format!("{} now of {}", key.id, to.0)).collect();
    let reply = Reply::new(lines.join("\n"), json!({ "keys": keys }));
    Ok(if keys.is_empty() { reply.note(format!("{} has no live keys", from.0)) } else { reply })
}

fn changed(outcome: Outcome<User>, done: &str, already: &str) -> Reply {
    let said = if outcome.is_unchanged() { already } else { done };
    let word = outcome_word(&outcome);
    let user = outcome.into_inner();
    Reply::new(format!("user {} {said}", user.id), json!({ "outcome": word, "user": user }))
}

fn whole(user: &User) -> String {
    let is_suspended = if user.suspended { "yes" } else { "no" };
    fields(&[
        ("id", user.id.to_string()),
        ("tenant", user.tenant.to_string()),
        ("name", or_none(user.display_name.as_ref(), "none")),
        ("suspended", is_suspended.to_owned()),
        ("updated", to_second(user.updated_at)),
        ("version", user.version.to_string()),
    ])
}
