//! The command line of `keywright key`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use keywright::{
    Contact, Description, KeyStatus, Name, Networks, OwnerKind, Prefix, Rate, ScopeSet,
};

use crate::page_args::Paging;
use crate::values::{Entry, KeyRef, Moment, OrNone, OwnerSpec, Past, Period};

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Generate a key and print its token, which cannot be shown again
    #[command(
        after_help = "Example:\n  keywright --store keys.db key generate prod-main-app --owner user:alice \\\n    \
            --scopes \"invoices:read\" --expires-in 90d | pass insert -m acme/api-key"
    )]
    Generate(Box<NewKeyArgs>),
    /// List keys, oldest first
    #[command(
        after_help = "A time is RFC 3339, a date, or a period before now such as 30d.\n\nExample:\n  \
            keywright --store keys.db key list --status active --unused-since 30d --all\n  \
            keywright --store keys.db key list --all-tenants --expiring-within 14d --sort expires_at"
    )]
    List(Box<ListArgs>),
    /// Show all details of a key, and why it would be refused
    #[command(after_help = "Example:\n  keywright --store keys.db key show 4fQ2xk9ZrT7bWm1c")]
    Show {
        /// Id of the key, with or without the prefix
        id: KeyRef,
    },
    /// Show all details of a key of any tenant
    #[command(after_help = "Example:\n  keywright --store keys.db key find 4fQ2xk9ZrT7bWm1c")]
    Find {
        /// Id of the key, with or without the prefix
        id: KeyRef,
    },
    /// Change fields of a key in one step; the others keep their values
    #[command(
        after_help = "Example:\n  keywright --store keys.db key edit 4fQ2xk9ZrT7bWm1c --scopes \"invoices:read\"",
        override_usage = "keywright --store FILE|URL key edit ID FIELDS"
    )]
    Edit {
        /// Id of the key, with or without the prefix
        id: KeyRef,
        #[command(flatten)]
        change: Box<KeyChange>,
    },
    /// Rename a key
    #[command(
        after_help = "Example:\n  keywright --store keys.db key rename 4fQ2xk9ZrT7bWm1c prod-main-app"
    )]
    Rename {
        /// Id of the key, with or without the prefix
        id: KeyRef,
        /// Environment, purpose or both, for example prod-main-app
        name: Name,
    },
    /// Set or remove the description and the contact of a key
    #[command(
        after_help = "Example:\n  keywright --store keys.db key describe 4fQ2xk9ZrT7bWm1c --contact billing-team@example.com"
    )]
    Describe {
        /// Id of the key, with or without the prefix
        id: KeyRef,
        #[command(flatten)]
        notes: NoteArgs,
    },
    /// Disable a key: it is refused until it is enabled
    #[command(after_help = "Example:\n  keywright --store keys.db key disable 4fQ2xk9ZrT7bWm1c")]
    Disable {
        /// Id of the key, with or without the prefix
        id: KeyRef,
    },
    /// Enable a disabled key
    #[command(after_help = "Example:\n  keywright --store keys.db key enable 4fQ2xk9ZrT7bWm1c")]
    Enable {
        /// Id of the key, with or without the prefix
        id: KeyRef,
    },
    /// Replace the secret of a key and print the new token, which cannot be shown again
    #[command(
        after_help = "Example:\n  keywright --store keys.db key rotate 4fQ2xk9ZrT7bWm1c --overlap 1d"
    )]
    Rotate {
        /// Id of the key, with or without the prefix
        id: KeyRef,
        /// Time for which the old secret works too; use 0s after a leak
        #[arg(long, value_name = "PERIOD", default_value = "0s")]
        overlap: Period,
        /// Print the token and its two parts, as lines NAME=VALUE
        #[arg(long)]
        parts: bool,
    },
    /// End the overlap of a rotation: the old secret is refused at once
    #[command(
        after_help = "Example:\n  keywright --store keys.db key finish-rotation 4fQ2xk9ZrT7bWm1c --yes"
    )]
    FinishRotation {
        /// Id of the key, with or without the prefix
        id: KeyRef,
    },
    /// Hand a key to another owner; its tokens keep working
    #[command(
        after_help = "Example:\n  keywright --store keys.db key transfer 4fQ2xk9ZrT7bWm1c organization"
    )]
    Transfer {
        /// Id of the key, with or without the prefix
        id: KeyRef,
        /// New owner: user:ID, account:ID or organization
        owner: OwnerSpec,
    },
    /// Revoke keys permanently; they stay in the listing
    #[command(
        after_help = "Example:\n  keywright --store keys.db key revoke 4fQ2xk9ZrT7bWm1c 9aB3cD5eF7gH1iJ2 --yes\n  \
            keywright --store keys.db key revoke --owner user:alice --all-tenants --yes"
    )]
    Revoke {
        /// Ids of the keys; a refused one does not stop the others
        #[arg(required_unless_present = "owner", value_name = "ID")]
        ids: Vec<KeyRef>,
        /// Revoke all live keys of this owner, in one step for each tenant
        #[arg(long, value_name = "user:ID|account:ID", conflicts_with = "ids")]
        owner: Option<OwnerSpec>,
        /// Revoke the keys in any tenant
        #[arg(long)]
        all_tenants: bool,
    },
    /// Delete a key permanently; it leaves the listing, and its events stay
    #[command(
        after_help = "Example:\n  keywright --store keys.db key delete 4fQ2xk9ZrT7bWm1c --yes"
    )]
    Delete {
        /// Id of the key, with or without the prefix
        id: KeyRef,
    },
}

#[derive(Args)]
pub(crate) struct NewKeyArgs {
    /// Environment, purpose or both, for example prod-main-app
    pub(crate) name: Name,
    /// Owner of the key: user:ID, account:ID or organization [default: the actor]
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<OwnerSpec>,
    /// Scopes of the key; by default the role's for an account, otherwise the plan's
    #[arg(long, value_name = "SCOPES", default_value = "", hide_default_value = true)]
    pub(crate) scopes: ScopeSet,
    /// Networks of its clients, for example 203.0.113.0/24 [default: anywhere]
    #[arg(long, value_name = "NETWORKS")]
    pub(crate) networks: Option<Networks>,
    /// Rate of the key, for example 100/60s [default: the policy's]
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<Rate>,
    #[command(flatten)]
    pub(crate) expiry: ExpiryArgs,
    /// Time from which the key works
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<Moment>,
    /// Business need of the key
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<Description>,
    /// Technical owner of the key, who is told before a rotation
    #[arg(long, value_name = "TEXT")]
    pub(crate) contact: Option<Contact>,
    /// Metadata of the key; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<Entry>,
    /// Print the token and its two parts, as lines NAME=VALUE
    #[arg(long)]
    pub(crate) parts: bool,
}

/// The notes of a key that a command changes: at least one.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct NoteArgs {
    /// Business need of the key
    #[arg(long, value_name = "TEXT|none")]
    pub(crate) description: Option<OrNone<Description>>,
    /// Technical owner of the key, who is told before a rotation
    #[arg(long, value_name = "TEXT|none")]
    pub(crate) contact: Option<OrNone<Contact>>,
}

/// The expiry of a new key. Without these options it has the policy's default lifetime.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct ExpiryArgs {
    /// Lifetime of the key, for example 90d [default: the policy's]
    #[arg(long, value_name = "PERIOD")]
    pub(crate) expires_in: Option<Period>,
    /// Expiry of the key, for example 2027-01-31T00:00:00Z or 2027-01-31
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<Moment>,
    /// Generate a key that never expires
    #[arg(long)]
    pub(crate) no_expiry: bool,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct KeyChange {
    /// New name
    #[arg(long)]
    pub(crate) name: Option<Name>,
    /// New scopes; they replace the current ones
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<ScopeSet>,
    /// New networks; they replace the current ones, and `none` allows every address
    #[arg(long, value_name = "NETWORKS|none")]
    pub(crate) networks: Option<OrNone<Networks>>,
    /// New rate; `none` for the policy's
    #[arg(long, value_name = "RATE|none")]
    pub(crate) rate: Option<OrNone<Rate>>,
    /// New metadata, which replaces all of the current metadata; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<Entry>,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ListArgs {
    /// List the keys of all tenants
    #[arg(long)]
    pub(crate) all_tenants: bool,
    /// Only keys whose name, id, owner, description or contact contains this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only keys with this status; repeatable
    #[arg(long = "status", value_name = "STATUS", value_parser = status())]
    pub(crate) statuses: Vec<KeyStatus>,
    /// Only keys of this owner: user:ID, account:ID or organization
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<OwnerSpec>,
    /// Only keys whose owner is of this kind
    #[arg(long, value_name = "KIND", value_parser = owner_kind())]
    pub(crate) owner_kind: Option<OwnerKind>,
    /// Only keys with exactly this contact
    #[arg(long, value_name = "TEXT")]
    pub(crate) contact: Option<Contact>,
    /// Only keys with this entry of metadata; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<Entry>,
    /// Only keys whose tokens begin with this prefix, for example `acme_live`
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<Prefix>,
    /// Only live keys that expire within this period, for example 14d
    #[arg(long, value_name = "PERIOD")]
    pub(crate) expiring_within: Option<Period>,
    /// Only keys that were neither generated nor used since this time
    #[arg(long, value_name = "TIME")]
    pub(crate) unused_since: Option<Past>,
    /// Only keys that were never used
    #[arg(long)]
    pub(crate) never_used: bool,
    /// Order of the listing
    #[arg(long, value_name = "ORDER", value_parser = SORTS, default_value = "created_at")]
    pub(crate) sort: String,
    /// Reverse the order
    #[arg(long)]
    pub(crate) descending: bool,
    /// Count the keys on all pages too
    #[arg(long, conflicts_with = "all_tenants")]
    pub(crate) count: bool,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

fn status() -> impl TypedValueParser<Value = KeyStatus> {
    let names = KeyStatus::ALL.map(KeyStatus::as_str);
    PossibleValuesParser::new(names).try_map(|text| {
        let found = KeyStatus::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or("unknown status")
    })
}

fn owner_kind() -> impl TypedValueParser<Value = OwnerKind> {
    let names = OwnerKind::ALL.iter().map(|kind| kind.as_str());
    PossibleValuesParser::new(names).try_map(|text| text.parse::<OwnerKind>())
}

const SORTS: [&str; 5] = ["created_at", "updated_at", "name", "expires_at", "last_used_at"];
