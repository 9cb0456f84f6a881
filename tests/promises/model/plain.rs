//! Plain data in which the crate and the reference model are compared: operations, their answers,
//! and the visible state. The module uses nothing of the crate.

use std::ops::RangeInclusive;

use crate::policy::{PlanData, Rules, Setting, SettingsData, Uses};

pub(crate) type Id = String;
/// Microseconds since 1970.
pub(crate) type Time = i64;
/// Microseconds.
pub(crate) type Span = i64;

pub(crate) const SECOND: Span = 1_000_000;
pub(crate) const HOUR: Span = 3_600 * SECOND;
/// The last microsecond of the year 9999.
pub(crate) const END_OF_TIME: Time = 253_402_300_799_999_999;

/// The scopes in their order; a set of scopes has one bit for each.
pub(crate) const SCOPES: [&str; 4] = ["a:read", "b:write", "c:all", "d:never"];
/// The networks that a key can be bound to.
pub(crate) const NETWORKS: [&str; 3] = ["", "10.0.0.0/8", "10.0.0.0/8 2001:db8::/32"];
/// The addresses that a request can come from.
pub(crate) const SOURCES: [Option<&str>; 6] = [
    None,
    Some("10.1.2.3"),
    Some("192.0.2.1"),
    Some("2001:db8::1"),
    Some("::ffff:10.1.2.3"),
    Some("11.0.0.0"),
];
/// Rates as uses and seconds. Each regains a whole number of the model's parts in a microsecond.
pub(crate) const RATES: [Option<Uses>; 5] =
    [None, Some((2, 1)), Some((5, 10)), Some((4, 1)), Some((50, 3_600))];
/// Names, whether each one is valid, and whether it follows the recommended pattern.
pub(crate) const NAMES: [(&str, bool, bool); 13] = [
    ("prod-main-app", true, true),
    ("staging-api", true, true),
    ("test-a-b-c1", true, true),
    ("dev", true, false),
    ("prod-", true, false),
    ("crm-integration", true, true),
    ("Prod App", true, false),
    ("Überschlüssel", true, false),
    ("", false, false),
    (" outer space", false, false),
    ("two\nlines", false, false),
    ("bob@example.com", false, false),
    ("4fQ2xk9ZrT7bWm1c8PzAq0LdVh3sKyNe", false, false),
];
pub(crate) const METADATA: [&[(&str, &str)]; 3] =
    [&[], &[("team", "billing")], &[("team", "ops"), ("ticket", "4711")]];
/// Roles, in the order of their names.
pub(crate) const ROLES: [&str; 3] = ["admin", "analyst", "unheard-of"];
pub(crate) const TENANTS: [&str; 2] = ["globex", "initech"];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Who {
    Admin,
    TenantAdmin,
    Alice,
    Bob,
    /// A developer without a license.
    Carol,
    Auditor,
    Nobody,
}

impl Who {
    pub(crate) fn user(self) -> &'static str {
        match self {
            Self::Admin => "ada",
            Self::TenantAdmin => "tara",
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Carol => "carol",
            Self::Auditor => "audrey",
            Self::Nobody => "nobody",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) who: Who,
    pub(crate) tenant: usize,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Owner {
    User(&'static str),
    Account(Id),
    Organization,
}

impl Owner {
    /// Returns the id of the account, if the owner is one.
    pub(crate) fn account(&self) -> Option<Id> {
        match self {
            Self::User(_) | Self::Organization => None,
            Self::Account(id) => Some(id.clone()),
        }
    }
}

/// An operation.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Clock(Time),
    /// Closes and reopens a durable store, which loses the uses that were not flushed. A store in
    /// memory gets a new verifier after a flush.
    Reopen,
    Generate(By, Owner, New),
    Show(By, Id),
    Rename(By, Id, usize),
    Edit(By, Id, Edit),
    Disable(By, Id),
    Enable(By, Id),
    Rotate(By, Id, Span),
    Finish(By, Id),
    Revoke(By, Id),
    RevokeMany(By, Vec<Id>),
    RevokeOwned(By, Owner),
    Delete(By, Id),
    Present(Presented, Wanted),
    RevokeByToken(Presented),
    Flush,
    Sweep(By),
    List(By, Query),
    CreateAccount(By, usize, usize, bool),
    /// Name, role, read-only.
    EditAccount(By, Id, Option<usize>, Option<usize>, Option<bool>),
    EnableAccount(By, Id, bool),
    DeleteAccount(By, Id),
    ShowAccount(By, Id),
    Accounts(By, Option<&'static str>, u16),
    SetPlan(By, PlanData),
    /// The new values, and the version that the settings must have.
    EditSettings(By, Vec<Setting>, Option<u64>),
    Policy(By),
    Events(By, EventFilter),
    Transfer(By, Id, Owner),
    TransferOwned(By, Owner, Owner),
    User(By, &'static str),
    NameUser(By, &'static str, Option<usize>),
    SuspendUser(By, &'static str, bool),
}

#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) name: usize,
    pub(crate) scopes: u8,
    pub(crate) networks: usize,
    pub(crate) rate: usize,
    pub(crate) metadata: usize,
    pub(crate) not_before: Option<Time>,
    pub(crate) expiry: Expiry,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expiry {
    Default,
    Never,
    At(Time),
    In(Span),
}

#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) scopes: Option<u8>,
    pub(crate) networks: Option<usize>,
    pub(crate) rate: Option<usize>,
    pub(crate) metadata: Option<usize>,
}

/// The token that a client presents: its key, its secret, and the damage to it.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    pub(crate) key: Id,
    pub(crate) secret: u32,
    pub(crate) in_two_parts: bool,
    pub(crate) damage: Damage,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Damage {
    None,
    /// Another secret, with the right checksum.
    WrongSecret,
    /// Another prefix, with the right checksum.
    OtherPrefix,
    /// The checksum does not match.
    WrongCheck,
    /// This many bytes are missing at the end.
    Truncated(usize),
}

/// The access that a request asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) source: usize,
    pub(crate) write: bool,
    pub(crate) scopes: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) search: Option<String>,
    pub(crate) statuses: Vec<&'static str>,
    pub(crate) owner: Option<Owner>,
    pub(crate) expiring_within: Option<Span>,
    pub(crate) unused_since: Option<Time>,
    pub(crate) never_used: bool,
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
    pub(crate) limit: u16,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Sort {
    Created,
    Updated,
    Name,
    Expires,
    LastUsed,
}

#[derive(Clone, Debug)]
pub(crate) struct EventFilter {
    pub(crate) key: Option<Id>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) since: Option<Time>,
    pub(crate) oldest_first: bool,
    pub(crate) limit: u16,
}

/// The answer to an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    /// The reason, in a word or two.
    Refused(String),
    /// The microseconds to wait. The model gives the waits that the rule permits.
    RateLimited(RangeInclusive<Span>),
    Done(KeyData),
    Unchanged(KeyData),
    Many(Vec<(Id, Answer)>),
    Ids(Vec<Id>),
    Granted(Granted),
    Entries(Vec<EntryData>),
    Account(bool, AccountData),
    Accounts(Vec<AccountData>),
    Plan(bool, PlanData),
    Settings(bool, SettingsData),
    Policy(Box<(PlanData, SettingsData, Rules)>),
    User(bool, UserData),
    Events(Vec<EventData>),
}

pub(crate) fn refused(reason: impl Into<String>) -> Answer {
    Answer::Refused(reason.into())
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Granted {
    pub(crate) key: Id,
    pub(crate) retiring: bool,
    pub(crate) scopes: u8,
    pub(crate) write: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyData {
    pub(crate) id: Id,
    pub(crate) tenant: usize,
    pub(crate) owner: Owner,
    pub(crate) name: usize,
    pub(crate) scopes: u8,
    pub(crate) networks: usize,
    pub(crate) rate: usize,
    /// Whether an administrator set the scopes, the networks, the rate.
    pub(crate) of_admin: [bool; 3],
    pub(crate) metadata: usize,
    pub(crate) created_at: Time,
    pub(crate) created_by: &'static str,
    pub(crate) updated_at: Time,
    pub(crate) not_before: Option<Time>,
    pub(crate) expires_at: Option<Time>,
    pub(crate) disabled: bool,
    pub(crate) revoked_at: Option<Time>,
    pub(crate) rotated_at: Option<Time>,
    pub(crate) overlap_ends_at: Option<Time>,
    pub(crate) secret_number: u32,
    pub(crate) version: u64,
}

/// A key as a listing shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EntryData {
    pub(crate) key: KeyData,
    /// The name of the account that owns the key, or the display name of the user.
    pub(crate) owner_name: Option<usize>,
    /// The scopes, the access and the rate that the key effectively has.
    pub(crate) scopes: u8,
    pub(crate) write: bool,
    pub(crate) rate: Option<Uses>,
    pub(crate) status: &'static str,
    pub(crate) uses: u64,
    pub(crate) last_used_at: Option<Time>,
    pub(crate) refused: u64,
    pub(crate) last_refused_at: Option<Time>,
    /// The end of the overlap, the last uses of the old and the new secret, and whether it is safe
    /// to finish.
    pub(crate) overlap: Option<(Time, Option<Time>, Option<Time>, bool)>,
    pub(crate) refused_because: Option<&'static str>,
    pub(crate) actions: Vec<&'static str>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AccountData {
    pub(crate) id: Id,
    pub(crate) tenant: usize,
    pub(crate) name: usize,
    pub(crate) role: usize,
    pub(crate) read_only: bool,
    pub(crate) enabled: bool,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) version: u64,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UserData {
    pub(crate) id: &'static str,
    pub(crate) tenant: usize,
    pub(crate) display_name: Option<usize>,
    pub(crate) suspended: bool,
    pub(crate) updated_at: Time,
    pub(crate) version: u64,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EventData {
    pub(crate) sequence: u64,
    pub(crate) tenant: usize,
    pub(crate) at: Time,
    pub(crate) actor: String,
    pub(crate) kind: String,
    pub(crate) key: Option<Id>,
    pub(crate) account: Option<Id>,
    /// `done`, `unchanged` or `refused`.
    pub(crate) outcome: &'static str,
    /// The number of refused calls that the event counts.
    pub(crate) refusals: u64,
}
