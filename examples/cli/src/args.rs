//! What can be typed: global options, commands, and the options of all but `key`.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand};
use keywright::store::Cursor;
use keywright::{
    Access, EventActor, EventKind, Operation, Prefix, Rate, RoleName, Scope, ScopeSet, TenantId,
};

use crate::key_args::KeyCommand;
use crate::values::{
    AccountRef, ActorSpec, KeyRef, OrNone, Past, Pattern, PepperFile, Period, RoleScopes,
};

/// Manage API keys in a keywright store file
#[derive(Parser)]
#[command(
    name = "keywright",
    version,
    after_help = "The first key, from nothing:\n  \
        keywright --store keys.db policy set --api-access on --scopes \"invoices:read\"\n  \
        keywright --store keys.db key generate prod-main-app --scopes invoices:read\n\n\
        The file is open in one process at a time: stop the service that uses it first.\n\
        Exit codes: 0 done or accepted, 1 refused or denied, 2 not understood."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Context {
    /// The store file; also `KEYWRIGHT_STORE`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Open the store file even if other users can touch it
    #[arg(long, global = true)]
    pub(crate) danger_allow_shared_files: bool,
    /// The tenant to work in
    #[arg(long, global = true, value_name = "TENANT", default_value_t)]
    pub(crate) tenant: TenantId,
    /// Who is at work: administrator, tenant-admin, developer or auditor
    #[arg(
        id = "as",
        long,
        global = true,
        value_name = "ACTOR[:ROLE]",
        default_value = "operator:administrator"
    )]
    pub(crate) actor: ActorSpec,
    /// What new tokens begin with; also `KEYWRIGHT_PREFIX` [default: key]
    #[arg(long, global = true, value_name = "PREFIX")]
    pub(crate) prefix: Option<Prefix>,
    /// A pepper and the file of its bytes, all of them; repeatable, the last is current
    #[arg(long = "pepper-file", global = true, value_name = "ID:PATH")]
    pub(crate) peppers: Vec<PepperFile>,
    /// Answers and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show or set the policy of the tenant
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Manage service accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Manage keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Check a token that comes on standard input, and count its use
    Verify(Needs),
    /// Read the audit trail
    Events(EventsQuery),
    /// Transfer everything into PostgreSQL, and check that it is equal
    #[cfg(feature = "postgres")]
    Transfer(TransferTo),
}

/// A move that was cut off goes on when it is called again.
#[cfg(feature = "postgres")]
#[derive(Args)]
#[command(
    after_help = "Example:\n  PGPASSWORD=... keywright --store keys.db move --to postgres://keys@db.internal/app\n\n\
        The password comes from PGPASSWORD or a password file: arguments can be read by every user."
)]
pub(crate) struct TransferTo {
    /// The database, as `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// The schema, which is made or empty [default: keywright]
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
}

impl Command {
    /// Whether it makes sense on a store that does not exist yet.
    pub(crate) fn may_create_store(&self) -> bool {
        matches!(self, Self::Policy(PolicyCommand::Set(_)))
    }
}

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show all fields of the policy in force
    #[command(after_help = "Example:\n  keywright --store keys.db policy show")]
    Show,
    /// Change fields of the policy; what is not named stays
    #[command(
        arg_required_else_help = true,
        override_usage = "keywright --store FILE policy set FIELDS",
        after_help = "Example:\n  keywright --store keys.db policy set --api-access on --max-lifetime 90d \\\n    \
            --scopes \"invoices:read invoices:write\" --role analyst=\"invoices:read\""
    )]
    Set(Box<PolicyChange>),
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct PolicyChange {
    /// The tenant's own switch for all its keys
    #[arg(long, value_name = "on|off", value_parser = switch(), hide_possible_values = true)]
    pub(crate) api_access: Option<bool>,
    /// Whether the tenant's plan includes API access
    #[arg(long, value_name = "on|off", value_parser = switch(), hide_possible_values = true)]
    pub(crate) plan: Option<bool>,
    /// Whether every new key must have an expiry
    #[arg(long, value_name = "on|off", value_parser = switch(), hide_possible_values = true)]
    pub(crate) require_expiry: Option<bool>,
    /// The lifetime of a new key that says nothing of its expiry, as 90d
    #[arg(long, value_name = "PERIOD|none")]
    pub(crate) default_lifetime: Option<OrNone<Period>>,
    /// The longest lifetime of a new key
    #[arg(long, value_name = "PERIOD|none")]
    pub(crate) max_lifetime: Option<OrNone<Period>>,
    /// How many live keys an owner may hold, 1 to 1000
    #[arg(long, value_name = "N")]
    pub(crate) max_keys: Option<u16>,
    /// The longest overlap of a rotation, as 7d
    #[arg(long, value_name = "PERIOD")]
    pub(crate) max_overlap: Option<Period>,
    /// What names begin with, as prod,staging: each is environment-purpose
    #[arg(long, value_name = "LIST|none")]
    pub(crate) name_pattern: Option<OrNone<Pattern>>,
    /// The scopes that a user's key can have, in place of those so far
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<ScopeSet>,
    /// A role of service accounts and its scopes; repeatable
    #[arg(long = "role", value_name = "NAME=SCOPES")]
    pub(crate) roles: Vec<RoleScopes>,
    /// A role to remove; repeatable
    #[arg(long = "remove-role", value_name = "NAME")]
    pub(crate) removed_roles: Vec<RoleName>,
    /// The rate of keys that have none of their own, as 100/60s
    #[arg(long, value_name = "RATE|none")]
    pub(crate) default_rate: Option<OrNone<Rate>>,
    /// An event each time a key was used so often again
    #[arg(long, value_name = "N|none")]
    pub(crate) extensive_use: Option<OrNone<NonZeroU64>>,
    /// How long revoked and expired keys are kept before a sweep
    #[arg(long, value_name = "PERIOD")]
    pub(crate) retention: Option<Period>,
    /// How long events are kept before a sweep, at least 1d
    #[arg(long, value_name = "PERIOD")]
    pub(crate) event_retention: Option<Period>,
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Create a service account; its id alone goes to standard output
    #[command(
        after_help = "Example:\n  keywright --store keys.db account create nightly-report --role analyst --read-only"
    )]
    Create {
        /// Its purpose, as nightly-report
        name: String,
        /// A role of the tenant's policy
        #[arg(long)]
        role: RoleName,
        /// Its keys may look and change nothing, whatever the role says
        #[arg(long)]
        read_only: bool,
    },
    /// List service accounts, oldest first
    #[command(after_help = "Example:\n  keywright --store keys.db account list --search nightly")]
    List {
        /// Only those whose name, id or role contains this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Change name, role or access, for all keys of the account at once
    #[command(
        after_help = "Example:\n  keywright --store keys.db account edit 4fQ2xk9ZrT7bWm1c --access read-only",
        override_usage = "keywright --store FILE account edit ID FIELDS"
    )]
    Edit {
        /// Its id
        id: AccountRef,
        #[command(flatten)]
        change: AccountChange,
    },
    /// Stop all keys of an account for a while
    #[command(
        after_help = "Example:\n  keywright --store keys.db account disable 4fQ2xk9ZrT7bWm1c"
    )]
    Disable {
        /// Its id
        id: AccountRef,
    },
    /// Let the keys of a disabled account work again, each as it was
    #[command(after_help = "Example:\n  keywright --store keys.db account enable 4fQ2xk9ZrT7bWm1c")]
    Enable {
        /// Its id
        id: AccountRef,
    },
    /// Delete an account and all its keys, for good
    #[command(after_help = "Example:\n  keywright --store keys.db account delete 4fQ2xk9ZrT7bWm1c")]
    Delete {
        /// Its id
        id: AccountRef,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct AccountChange {
    /// Another name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Another role
    #[arg(long)]
    pub(crate) role: Option<RoleName>,
    /// Another access
    #[arg(long, value_name = "read-only|read-write", value_parser = access(), hide_possible_values = true)]
    pub(crate) access: Option<Access>,
}

/// What the request needs that the token is checked for.
#[derive(Args)]
#[command(
    after_help = "Example:\n  pass show acme/api-key | keywright --store keys.db verify --scope invoices:read\n\n\
        A rate is counted in each process by itself, so none is ever spent here."
)]
pub(crate) struct Needs {
    /// Where the request comes from, for a key that is bound to networks
    #[arg(long, value_name = "IP")]
    pub(crate) source: Option<IpAddr>,
    /// The request changes something
    #[arg(long)]
    pub(crate) write: bool,
    /// A scope that the request needs; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<Scope>,
}

#[derive(Args)]
#[command(after_help = "Times are RFC 3339, a date, or a period ago.\n\nExample:\n  \
        keywright --store keys.db events --kind key.revoke --since 12h")]
pub(crate) struct EventsQuery {
    /// Only events of this key, also of one that was deleted
    #[arg(long, value_name = "ID")]
    pub(crate) key: Option<KeyRef>,
    /// Only events of this service account
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountRef>,
    /// Only what `user:ID` did, or `possessor`, or `system`
    #[arg(long, value_name = "ACTOR")]
    pub(crate) actor: Option<EventActor>,
    /// Only events of this kind, as key.revoke
    #[arg(long, value_name = "KIND", value_parser = event_kind(), hide_possible_values = true)]
    pub(crate) kind: Option<EventKind>,
    /// Only events at or after this time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Past>,
    /// Only events before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Past>,
    /// Oldest first; without it the newest come first
    #[arg(long)]
    pub(crate) oldest_first: bool,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

#[derive(Args)]
pub(crate) struct Paging {
    /// At most so many, 1 to 500; 50 by default
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u16>,
    /// Go on behind this cursor, in the order that it comes from
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<Cursor>,
    /// All pages
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "limit")]
    pub(crate) all: bool,
}

fn switch() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|text| text == "on")
}

fn access() -> impl TypedValueParser<Value = Access> {
    let access = |text: String| {
        if text == "read-only" { Access::ReadOnly } else { Access::ReadWrite }
    };
    PossibleValuesParser::new(["read-only", "read-write"]).map(access)
}

fn event_kind() -> impl TypedValueParser<Value = EventKind> {
    let operations = Operation::ALL.iter().map(|operation| operation.as_str());
    let kinds = operations.chain(["key.extensive_use"]);
    PossibleValuesParser::new(kinds).try_map(|text| text.parse::<EventKind>())
}
