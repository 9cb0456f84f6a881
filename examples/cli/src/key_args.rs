//! What can be typed behind `keywright key`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use keywright::store::KeySort;
use keywright::{KeyStatus, Networks, Rate, ScopeSet};

use crate::args::Paging;
use crate::values::{Entry, KeyRef, Moment, OwnerSpec, Past, Period};

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its token alone goes to standard output, this once
    #[command(
        after_help = "Example:\n  keywright --store keys.db key generate prod-main-app --owner user:alice \\\n    \
            --scopes \"invoices:read\" --expires-in 90d | pass insert -m acme/api-key"
    )]
    Generate(Box<NewKeyArgs>),
    /// List keys, oldest first
    #[command(after_help = "Times are RFC 3339, a date, or a period ago.\n\nExample:\n  \
            keywright --store keys.db key list --status active --unused-since 30d --all")]
    List(Box<ListArgs>),
    /// Show everything about a key, and what stands against it
    #[command(after_help = "Example:\n  keywright --store keys.db key show 4fQ2xk9ZrT7bWm1c")]
    Show {
        /// Its id, with or without the prefix
        id: KeyRef,
    },
    /// Change the name of a key
    #[command(
        after_help = "Example:\n  keywright --store keys.db key rename 4fQ2xk9ZrT7bWm1c prod-main-app"
    )]
    Rename {
        /// Its id, with or without the prefix
        id: KeyRef,
        /// Environment and purpose, as prod-main-app
        name: String,
    },
    /// Stop a key for a while
    #[command(after_help = "Example:\n  keywright --store keys.db key disable 4fQ2xk9ZrT7bWm1c")]
    Disable {
        /// Its id, with or without the prefix
        id: KeyRef,
    },
    /// Let a disabled key work again
    #[command(after_help = "Example:\n  keywright --store keys.db key enable 4fQ2xk9ZrT7bWm1c")]
    Enable {
        /// Its id, with or without the prefix
        id: KeyRef,
    },
    /// Replace the secret of a key; the new token alone goes to standard output, this once
    #[command(
        after_help = "Example:\n  keywright --store keys.db key rotate 4fQ2xk9ZrT7bWm1c --overlap 1d"
    )]
    Rotate {
        /// Its id, with or without the prefix
        id: KeyRef,
        /// How long the old secret works too; with 0s it stops at once, as after a leak
        #[arg(long, value_name = "PERIOD", default_value = "0s")]
        overlap: Period,
    },
    /// End the overlap of a rotation: the old secret stops at once
    #[command(
        after_help = "Example:\n  keywright --store keys.db key finish-rotation 4fQ2xk9ZrT7bWm1c"
    )]
    FinishRotation {
        /// Its id, with or without the prefix
        id: KeyRef,
    },
    /// Stop keys for good; they stay in the listing
    #[command(
        after_help = "Example:\n  keywright --store keys.db key revoke 4fQ2xk9ZrT7bWm1c 9aB3cD5eF7gH1iJ2"
    )]
    Revoke {
        /// Their ids; each is tried, whatever becomes of the others
        #[arg(required = true, value_name = "ID")]
        ids: Vec<KeyRef>,
    },
    /// Stop a key for good and remove it from the listing; its events stay
    #[command(after_help = "Example:\n  keywright --store keys.db key delete 4fQ2xk9ZrT7bWm1c")]
    Delete {
        /// Its id, with or without the prefix
        id: KeyRef,
    },
}

#[derive(Args)]
pub(crate) struct NewKeyArgs {
    /// Environment and purpose, as prod-main-app
    pub(crate) name: String,
    /// Whom it acts for [default: the actor]
    #[arg(long, value_name = "user:ID|account:ID")]
    pub(crate) owner: Option<OwnerSpec>,
    /// Its own scopes; without any an account's key has the role's, a user's none
    #[arg(long, value_name = "SCOPES", default_value = "", hide_default_value = true)]
    pub(crate) scopes: ScopeSet,
    /// Where it may be used from, as 203.0.113.0/24 [default: anywhere]
    #[arg(long, value_name = "NETWORKS")]
    pub(crate) networks: Option<Networks>,
    /// Its own rate, as 100/60s [default: the policy's]
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<Rate>,
    #[command(flatten)]
    pub(crate) expiry: ExpiryArgs,
    /// When it begins to work
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<Moment>,
    /// What to note on it; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<Entry>,
}

/// Without any of them the policy's default lifetime holds.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct ExpiryArgs {
    /// How long it works, as 90d [default: the policy's]
    #[arg(long, value_name = "PERIOD")]
    pub(crate) expires_in: Option<Period>,
    /// Until when it works, as 2027-01-31T00:00:00Z or 2027-01-31
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<Moment>,
    /// It works until somebody stops it
    #[arg(long)]
    pub(crate) no_expiry: bool,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only keys whose name, id or owner contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only keys of this status; repeatable
    #[arg(long = "status", value_name = "STATUS", value_parser = status())]
    pub(crate) statuses: Vec<KeyStatus>,
    /// Only keys of this owner
    #[arg(long, value_name = "user:ID|account:ID")]
    pub(crate) owner: Option<OwnerSpec>,
    /// Only live keys that expire within this time, as 14d
    #[arg(long, value_name = "PERIOD")]
    pub(crate) expiring_within: Option<Period>,
    /// Only keys that were neither made nor used since then
    #[arg(long, value_name = "TIME")]
    pub(crate) unused_since: Option<Past>,
    /// Only keys that were never used
    #[arg(long)]
    pub(crate) never_used: bool,
    /// In this order
    #[arg(long, value_name = "ORDER", value_parser = sort(), default_value = "created_at")]
    pub(crate) sort: KeySort,
    /// In the reverse of the order
    #[arg(long)]
    pub(crate) descending: bool,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

fn status() -> impl TypedValueParser<Value = KeyStatus> {
    let names = KeyStatus::ALL.map(KeyStatus::as_str);
    PossibleValuesParser::new(names).try_map(|text| {
        let found = KeyStatus::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or("not a status")
    })
}

fn sort() -> impl TypedValueParser<Value = KeySort> {
    PossibleValuesParser::new(["created_at", "updated_at", "name", "expires_at", "last_used_at"])
        .map(|text| match text.as_str() {
            "updated_at" => KeySort::Updated,
            "name" => KeySort::Name,
            "expires_at" => KeySort::Expires,
            "last_used_at" => KeySort::LastUsed,
            _ => KeySort::Created,
        })
}
