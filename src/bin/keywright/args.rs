//! The command line: global options, commands, and the options of those without a file of their own.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use keywright::scan::Tool;
use keywright::{
    Access, Actor, EventActor, EventKind, Name, Prefix, RoleName, Scope, ScopeSet, TenantId, UserId,
};

use crate::exit::TABLE;
use crate::failure::Failure;
use crate::key_args::KeyCommand;
use crate::leak_args::LeakCommand;
use crate::output::Format;
use crate::page_args::Paging;
use crate::policy_args::{PlanCommand, PolicyCommand, SettingsCommand};
use crate::values::{AccountRef, ActorSpec, KeyRef, OwnerSpec, Past, PepperFile, RoleScopes};

/// Manage API keys in a file, in PostgreSQL, or in a running service
#[derive(Parser)]
#[command(name = "keywright", bin_name = "keywright", version, args_override_self = true, after_help = after_help())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(subcommand)]
    pub(crate) command: Command,
}

fn after_help() -> String {
    format!(
        "Create the first key:\n  \
        keywright --store keys.db init --reads invoices:read --key prod-main-app\n\n\
        A store file can be open in only one process: stop its service first, or give the address of its \
        management API as the store.\n\n{TABLE}"
    )
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Context {
    /// The store
    #[arg(
        long,
        global = true,
        value_name = "FILE|URL",
        help = "A file, postgres://USER@HOST/DATABASE, or the https:// address of a management API \
            [env: KEYWRIGHT_STORE]"
    )]
    pub(crate) store: Option<OsString>,
    /// Form of the output
    #[arg(long, short, global = true, value_name = "FORM", value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Answer yes to the question before a change that cannot be undone
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// The tenant of the command [default: default]
    #[arg(long, global = true, value_name = "TENANT")]
    pub(crate) tenant: Option<TenantId>,
    /// The acting user and role: administrator, tenant-admin, developer or auditor [default: operator:administrator]
    #[arg(id = "as", long, global = true, value_name = "ACTOR[:ROLE]")]
    pub(crate) actor: Option<ActorSpec>,
    /// Prefix of new tokens
    #[arg(
        id = "prefix",
        long,
        global = true,
        value_name = "PREFIX",
        help = "Prefix of new tokens [env: KEYWRIGHT_PREFIX] [default: key]; \
            for scan, a prefix to find, repeatable"
    )]
    pub(crate) prefixes: Vec<Prefix>,
    /// Number of a pepper and the file with its bytes; repeatable, the last one is current
    #[arg(long = "pepper-file", global = true, value_name = "ID:PATH")]
    pub(crate) peppers: Vec<PepperFile>,
    /// Open the store file even if other users can read or write it
    #[arg(long, global = true)]
    pub(crate) danger_allow_shared_files: bool,
    /// Schema of the tables in PostgreSQL [default: keywright]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// File with the login for a service
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "File with the login for a service, - for standard input [env: KEYWRIGHT_LOGIN has the login itself]"
    )]
    pub(crate) login_file: Option<PathBuf>,
    /// Header that carries the login [default: Authorization, with Bearer]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) login_header: Option<String>,
    /// Address of the operator's routes of a service
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "Address of the operator's routes of a service, for commands on all tenants \
            [env: KEYWRIGHT_OPERATOR_STORE]"
    )]
    pub(crate) operator_store: Option<String>,
    /// Certificates (PEM) of the authorities to trust for a service, instead of the public ones
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Send the login to a service without encryption
    #[arg(long, global = true)]
    pub(crate) danger_plain_http: bool,
}

impl Context {
    pub(crate) fn actor(&self) -> Actor {
        let tenant = self.tenant.clone().unwrap_or_default();
        let default = || ActorSpec::administrator("operator");
        self.actor.clone().unwrap_or_else(default).actor(&tenant)
    }

    /// Refuses the options that only a store in this process has: the service decides about them.
    pub(crate) fn refuse_local_options(&self) -> Result<(), Failure> {
        let given = [
            ("--tenant", self.tenant.is_some()),
            ("--as", self.actor.is_some()),
            ("--prefix", !self.prefixes.is_empty()),
            ("--pepper-file", !self.peppers.is_empty()),
            ("--schema", self.schema.is_some()),
            ("--danger-allow-shared-files", self.danger_allow_shared_files),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Failure::usage(format!(
                "{option} is for a file or PostgreSQL; a service decides it by its login and setup"
            ))),
            None => Ok(()),
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a store file or prepare a database, and generate the first key
    Init(InitArgs),
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
    #[command(after_help = "Example:\n  keywright --store keys.db sweep --all-tenants --yes")]
    Sweep {
        /// Sweep every tenant; a failure in one does not stop the others
        #[arg(long)]
        all_tenants: bool,
    },
    /// Check a token from standard input, and count its use
    Verify(Needs),
    /// Report leaked tokens
    #[command(subcommand)]
    Leak(LeakCommand),
    /// Read the audit trail
    Events(EventsQuery),
    /// Copy everything to PostgreSQL, and compare the copy; the file can no longer be used then
    Transfer(TransferTo),
    /// Check every record and checksum of a store file
    #[command(after_help = "Example:\n  keywright --store keys.db check")]
    Check,
    /// Give the free space in a store file back to the system
    #[command(after_help = "Example:\n  keywright --store keys.db compact")]
    Compact,
    /// Find tokens in files, folders and standard input; it needs no store
    Scan(ScanArgs),
    /// Print the completions of a shell
    #[command(
        after_help = "Example:\n  keywright completions bash > ~/.local/share/bash-completion/completions/keywright"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page, or write a page for each command
    #[command(after_help = "Example:\n  keywright man --folder ~/.local/share/man/man1")]
    Man {
        /// Write a page for each command into this folder, which must exist
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

/// The options of `init`. The command can be repeated: it changes what it is told, and nothing else.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  keywright --store keys.db init --reads invoices:read --writes invoices:write\n  \
        keywright --store postgres://keys@db.internal/app init --reads invoices:read --key prod-main-app"
)]
pub(crate) struct InitArgs {
    /// Scopes of the catalog that only read
    #[arg(long, value_name = "SCOPES")]
    pub(crate) reads: Option<ScopeSet>,
    /// Scopes of the catalog that write
    #[arg(long, value_name = "SCOPES")]
    pub(crate) writes: Option<ScopeSet>,
    /// Role of service accounts and its scopes; repeatable
    #[arg(long = "role", value_name = "NAME=SCOPES")]
    pub(crate) roles: Vec<RoleScopes>,
    /// Name of a first key, with all scopes of the catalog; its token is printed
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<Name>,
}

/// The options of `transfer`. An interrupted transfer continues when the command is repeated.
#[derive(Args)]
#[command(
    after_help = "Example:\n  PGPASSWORD=... keywright --store keys.db transfer --to postgres://keys@db.internal/app --yes\n\n\
        The password comes from PGPASSWORD or a password file, because every user can read arguments."
)]
pub(crate) struct TransferTo {
    /// URL of the database, `postgres://USER@HOST/DATABASE`; with --schema, its schema must be empty
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
}

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
    pub(crate) name: Option<Name>,
    /// Remove the display name
    #[arg(long)]
    pub(crate) remove: bool,
}

#[derive(Subcommand)]
pub(crate) enum OwnerCommand {
    /// Hand all live keys of an owner to another owner, all of them or none
    #[command(
        after_help = "Example:\n  keywright --store keys.db owner transfer user:alice organization --yes"
    )]
    Transfer {
        /// Owner of the keys
        from: OwnerSpec,
        /// New owner
        to: OwnerSpec,
    },
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Create a service account and print its id
    #[command(
        after_help = "Example:\n  keywright --store keys.db account create nightly-report --role analyst --read-only"
    )]
    Create {
        /// Purpose of the account, for example nightly-report
        name: Name,
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
        override_usage = "keywright --store FILE|URL account edit ID FIELDS"
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
    #[command(
        after_help = "Example:\n  keywright --store keys.db account delete 4fQ2xk9ZrT7bWm1c --yes"
    )]
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
    pub(crate) name: Option<Name>,
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

/// The options of `scan`.
#[derive(Args)]
#[command(
    after_help = "Tokens are shown without their secret. Folders named .git are left out, and links in folders are not \
        followed. The program names an unreadable file on standard error and searches the other files. If it finds no token, \
        its exit code is then 4.\n\nExamples:\n  \
        keywright scan --prefix acme_live .\n  \
        git log -p --all | keywright scan -\n  \
        keywright scan --rules gitleaks --prefix acme_live > .gitleaks.toml"
)]
pub(crate) struct ScanArgs {
    /// Files and folders, - for standard input [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Print the rules of another scanner for the tokens with --prefix, and search nothing
    #[arg(long, value_name = "SCANNER", value_parser = tool(), conflicts_with = "paths")]
    pub(crate) rules: Option<Tool>,
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

fn access() -> impl TypedValueParser<Value = Access> {
    let access = |text: String| {
        if text == "read-only" { Access::ReadOnly } else { Access::ReadWrite }
    };
    PossibleValuesParser::new(["read-only", "read-write"]).map(access)
}

fn tool() -> impl TypedValueParser<Value = Tool> {
    PossibleValuesParser::new(Tool::ALL.iter().map(|tool| tool.as_str()))
        .try_map(|text| text.parse::<Tool>())
}

fn event_kind() -> impl TypedValueParser<Value = EventKind> {
    let kinds = EventKind::all().map(EventKind::as_str);
    PossibleValuesParser::new(kinds).try_map(|text| text.parse::<EventKind>())
}
