//! The command line: global options, commands, and the options of all commands but `key`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand};
use keywright::store::Cursor;
use keywright::{Access, EventActor, EventKind, Operation, Prefix, RoleName, Scope, TenantId};

use crate::key_args::KeyCommand;
use crate::policy_args::{PlanCommand, PolicyCommand, SettingsCommand};
use crate::user::{OwnerCommand, UserCommand};
use crate::values::{AccountRef, ActorSpec, KeyRef, OwnerSpec, Past, PepperFile};

/// Manage API keys in a keywright store file
#[derive(Parser)]
#[command(
    name = "keywright",
    version,
    after_help = "Create the first key:\n  \
        keywright --store keys.db plan set --reads invoices:read\n  \
        keywright --store keys.db settings set --api-enabled on\n  \
        keywright --store keys.db key generate prod-main-app --scopes invoices:read\n\n\
        A store file can be open in only one process: stop the service first.\n\
        Exit codes: 0 done or accepted, 1 refused, denied or failed, 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Context {
    /// The store file [env: `KEYWRIGHT_STORE`]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Open the store file even if other users can read or write it
    #[arg(long, global = true)]
    pub(crate) danger_allow_shared_files: bool,
    /// The tenant of the command [default: default]
    #[arg(long, global = true, value_name = "TENANT")]
    pub(crate) tenant: Option<TenantId>,
    /// The acting user and role: administrator, tenant-admin, developer or auditor
    #[arg(
        id = "as",
        long,
        global = true,
        value_name = "ACTOR[:ROLE]",
        default_value = "operator:administrator"
    )]
    pub(crate) actor: ActorSpec,
    /// Prefix of new tokens [env: `KEYWRIGHT_PREFIX`] [default: key]
    #[arg(long, global = true, value_name = "PREFIX")]
    pub(crate) prefix: Option<Prefix>,
    /// Number of a pepper and the file with its bytes; repeatable, the last one is current
    #[arg(long = "pepper-file", global = true, value_name = "ID:PATH")]
    pub(crate) peppers: Vec<PepperFile>,
    /// Print results and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the rules that are in force in the tenant
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Show or change the plan: the limits that the host sets for the tenant
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Show or change the settings: the tenant's own rules within its plan
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Manage users: display names, suspended and restored
    #[command(subcommand)]
    User(UserCommand),
    /// Hand all keys of an owner over
    #[command(subcommand)]
    Owner(OwnerCommand),
    /// Manage service accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Manage keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Show what the acting user may do: the operations, and the values of a new key
    #[command(
        after_help = "Example:\n  keywright --store keys.db abilities user:alice --as alice:developer"
    )]
    Abilities {
        /// Owner of the new key: user:ID, account:ID or organization [default: the acting user]
        owner: Option<OwnerSpec>,
    },
    /// List the tenants of the store
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Remove revoked and expired keys, and events, after their retention
    #[command(after_help = "Example:\n  keywright --store keys.db sweep --all-tenants")]
    Sweep {
        /// Sweep every tenant; a failure in one does not stop the others
        #[arg(long)]
        all_tenants: bool,
    },
    /// Check a token from standard input, and count its use
    Verify(Needs),
    /// Read the audit trail
    Events(EventsQuery),
    /// Copy everything to PostgreSQL, and compare the copy
    #[cfg(feature = "postgres")]
    Transfer(TransferTo),
}

/// The options of `transfer`. An interrupted transfer continues when the command is repeated.
#[cfg(feature = "postgres")]
#[derive(Args)]
#[command(
    after_help = "Example:\n  PGPASSWORD=... keywright --store keys.db transfer --to postgres://keys@db.internal/app\n\n\
        The password comes from PGPASSWORD or a password file, because every user can read arguments."
)]
pub(crate) struct TransferTo {
    /// URL of the database, `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// Schema of the tables; it must be empty or absent [default: keywright]
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
}

impl Command {
    /// Returns whether the command may open a file that was moved, because the move may have been
    /// interrupted.
    pub(crate) fn continues_move(&self) -> bool {
        #[cfg(feature = "postgres")]
        return matches!(self, Self::Transfer(_));
        #[cfg(not(feature = "postgres"))]
        return false;
    }

    /// Returns whether the command may create the store.
    pub(crate) fn may_create_store(&self) -> bool {
        matches!(self, Self::Plan(PlanCommand::Set(_)) | Self::Settings(SettingsCommand::Set(_)))
    }
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Create a service account and print its id
    #[command(
        after_help = "Example:\n  keywright --store keys.db account create nightly-report --role analyst --read-only"
    )]
    Create {
        /// Purpose of the account, for example nightly-report
        name: String,
        /// Role of the tenant's plan
        #[arg(long)]
        role: RoleName,
        /// Give its keys read access only, whichever scopes the role has
        #[arg(long)]
        read_only: bool,
    },
    /// Show a service account with the numbers of its keys and the newest of them
    #[command(after_help = "Example:\n  keywright --store keys.db account show 4fQ2xk9ZrT7bWm1c")]
    Show {
        /// Id of the account
        id: AccountRef,
    },
    /// List service accounts, oldest first
    #[command(after_help = "Example:\n  keywright --store keys.db account list --search nightly")]
    List {
        /// Only accounts whose name, id or role contains this text
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Change the name, role or access of an account, for all its keys
    #[command(
        after_help = "Example:\n  keywright --store keys.db account edit 4fQ2xk9ZrT7bWm1c --access read-only",
        override_usage = "keywright --store FILE account edit ID FIELDS"
    )]
    Edit {
        /// Id of the account
        id: AccountRef,
        #[command(flatten)]
        change: AccountChange,
    },
    /// Disable an account: its keys are refused until it is enabled
    #[command(
        after_help = "Example:\n  keywright --store keys.db account disable 4fQ2xk9ZrT7bWm1c"
    )]
    Disable {
        /// Id of the account
        id: AccountRef,
    },
    /// Enable a disabled account: its keys work again, each as before
    #[command(after_help = "Example:\n  keywright --store keys.db account enable 4fQ2xk9ZrT7bWm1c")]
    Enable {
        /// Id of the account
        id: AccountRef,
    },
    /// Delete an account and all its keys permanently
    #[command(after_help = "Example:\n  keywright --store keys.db account delete 4fQ2xk9ZrT7bWm1c")]
    Delete {
        /// Id of the account
        id: AccountRef,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct AccountChange {
    /// New name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// New role
    #[arg(long)]
    pub(crate) role: Option<RoleName>,
    /// New access
    #[arg(long, value_name = "read-only|read-write", value_parser = access(), hide_possible_values = true)]
    pub(crate) access: Option<Access>,
}

#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// List all tenants by id, with their numbers of keys, accounts and events
    #[command(
        after_help = "Example:\n  keywright --store keys.db tenant list --starting-with acme-"
    )]
    List {
        /// Only tenants whose id starts with this text
        #[arg(long, value_name = "TEXT")]
        starting_with: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

/// The needs of the request for which the token is checked.
#[derive(Args)]
#[command(
    after_help = "Example:\n  pass show acme/api-key | keywright --store keys.db verify --scope invoices:read\n\n\
        Each process counts rates on its own, so no rate is ever exceeded here."
)]
pub(crate) struct Needs {
    /// Address of the client, for a key that is bound to networks
    #[arg(long, value_name = "IP")]
    pub(crate) source: Option<IpAddr>,
    /// The request changes data
    #[arg(long)]
    pub(crate) write: bool,
    /// Scope that the request needs; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<Scope>,
}

#[derive(Args)]
#[command(
    after_help = "A time is RFC 3339, a date, or a period before now such as 12h.\n\nExample:\n  \
        keywright --store keys.db events --kind key.revoke --since 12h"
)]
pub(crate) struct EventsQuery {
    /// Only events of this key, even if it was deleted
    #[arg(long, value_name = "ID")]
    pub(crate) key: Option<KeyRef>,
    /// Only events of this service account
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountRef>,
    /// Only events of this actor: `user:ID`, `operator:ID`, `possessor` or `system`
    #[arg(long, value_name = "ACTOR")]
    pub(crate) actor: Option<EventActor>,
    /// Only events of this kind, for example key.revoke
    #[arg(long, value_name = "KIND", value_parser = event_kind(), hide_possible_values = true)]
    pub(crate) kind: Option<EventKind>,
    /// Only events at or after this time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Past>,
    /// Only events before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Past>,
    /// List the oldest events first instead of the newest
    #[arg(long)]
    pub(crate) oldest_first: bool,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

#[derive(Args)]
pub(crate) struct Paging {
    /// Maximum number of items on a page, 1 to 500 [default: 50]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u16>,
    /// Continue after this cursor, in the same order
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<Cursor>,
    /// List all pages
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "limit")]
    pub(crate) all: bool,
}

fn access() -> impl TypedValueParser<Value = Access> {
    let access = |text: String| {
        if text == "read-only" { Access::ReadOnly } else { Access::ReadWrite }
    };
    PossibleValuesParser::new(["read-only", "read-write"]).map(access)
}

fn event_kind() -> impl TypedValueParser<Value = EventKind> {
    let operations = Operation::ALL.iter().map(|operation| operation.as_str());
    let kinds = operations.chain(["key.extensive_use", "key.suspicious_use", "actor.refusals"]);
    PossibleValuesParser::new(kinds).try_map(|text| text.parse::<EventKind>())
}
