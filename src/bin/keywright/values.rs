//! The types of single arguments. Their error messages never repeat the argument: it may be a token
//! that was pasted in the wrong place.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use keywright::{
    AccountId, Actor, Clock, Description, KeyId, NamePattern, Owner, RoleName, Scope, ScopeSet,
    SystemClock, TenantId, Timestamp, UserId,
};

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A duration such as `90d`, `12h`, `30m` or `45s`.
#[derive(Clone, Copy)]
pub(crate) struct Period(pub(crate) Duration);

impl FromStr for Period {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
            let number = text.strip_suffix(unit)?;
            let plain = number.bytes().all(|b| b.is_ascii_digit());
            let count: u64 = number.parse().ok().filter(|_| plain)?;
            Some(Self(Duration::from_secs(count.checked_mul(seconds)?)))
        };
        parse().ok_or("expected a period such as 90d, 12h, 30m or 45s")
    }
}

impl fmt::Display for Period {
    /// Formats the period in the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let fits = |(_, unit): &(char, u64)| seconds != 0 && seconds.is_multiple_of(*unit);
        let (unit, size) = UNITS.into_iter().find(fits).unwrap_or(('s', 1));
        write!(f, "{}{unit}", seconds / size)
    }
}

/// A time as RFC 3339, or a date, which is its first moment in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse());
        time.map(Self).map_err(|_| "expected a time such as 2027-01-31T12:00:00Z or 2027-01-31")
    }
}

/// A [`Moment`], or a [`Period`] before now.
#[derive(Clone, Copy)]
pub(crate) struct Past(pub(crate) Timestamp);

impl FromStr for Past {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(Period(ago)) = text.parse() {
            return Ok(Self(SystemClock.now().saturating_sub(ago)));
        }
        let Moment(time) = text
            .parse()
            .map_err(|_| "expected a time such as 2027-01-31T12:00:00Z, 2027-01-31 or 30d (ago)")?;
        Ok(Self(time))
    }
}

/// A value, or `none`.
#[derive(Clone)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        unless("none", text).map(Self)
    }
}

/// A value, or `default`.
#[derive(Clone)]
pub(crate) struct OrDefault<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for OrDefault<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        unless("default", text).map(Self)
    }
}

/// Parses a value; `None` for the word that takes its place.
fn unless<T: FromStr>(word: &str, text: &str) -> Result<Option<T>, T::Err> {
    if text == word { Ok(None) } else { text.parse().map(Some) }
}

/// The environments of a name pattern, separated by commas, or `any`. The policy checks them.
#[derive(Clone)]
pub(crate) struct Pattern(pub(crate) NamePattern);

impl FromStr for Pattern {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let environments = match text {
            "any" => Vec::new(),
            list => list.split(',').map(str::to_owned).collect(),
        };
        Ok(Self(NamePattern { environments }))
    }
}

/// The id of a key, with or without the prefix that the listing shows.
#[derive(Clone, Copy)]
pub(crate) struct KeyRef(pub(crate) KeyId);

impl FromStr for KeyRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.rsplit_once('_').map_or(text, |(_, id)| id);
        id.parse().map(Self).map_err(|_| {
            "expected a key id: 16 characters of 0-9A-Za-z (in a token, those after the prefix)"
        })
    }
}

/// The id of a service account, with or without `account:`.
#[derive(Clone, Copy)]
pub(crate) struct AccountRef(pub(crate) AccountId);

impl FromStr for AccountRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.strip_prefix("account:").unwrap_or(text).parse();
        id.map(Self).map_err(|_| "expected an account id: 16 characters of 0-9A-Za-z")
    }
}

/// An owner, as `user:ID`, `account:ID` or `organization`.
#[derive(Clone)]
pub(crate) struct OwnerSpec(pub(crate) Owner);

impl FromStr for OwnerSpec {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "expected user:ID, account:ID or organization")
    }
}

/// The acting user and their role.
#[derive(Clone)]
pub(crate) struct ActorSpec {
    id: UserId,
    role: fn(UserId) -> Actor,
}

impl ActorSpec {
    /// Creates an actor with the permissions of an administrator.
    pub(crate) fn administrator(id: &str) -> Self {
        id.parse().expect("a plain word is an actor")
    }

    pub(crate) fn actor(&self, tenant: &TenantId) -> Actor {
        (self.role)(self.id.clone()).in_tenant(tenant.clone())
    }
}

impl FromStr for ActorSpec {
    type Err = &'static str;

    /// Parses `USER` or `USER:ROLE`. The text after the last colon must be a role. Otherwise a
    /// mistyped role would become part of the id, and the actor an administrator.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, role) = text.rsplit_once(':').unwrap_or((text, "administrator"));
        let role = match role {
            "administrator" => Actor::administrator,
            "tenant-admin" => Actor::tenant_admin,
            "developer" => Actor::developer,
            "auditor" => Actor::auditor,
            _ => return Err("the role must be administrator, tenant-admin, developer or auditor"),
        };
        let id = id.parse().map_err(|_| "the user must be 1 to 128 visible ASCII characters")?;
        Ok(Self { id, role })
    }
}

/// The number of a pepper, and the file with its bytes.
#[derive(Clone)]
pub(crate) struct PepperFile {
    pub(crate) id: u32,
    pub(crate) path: PathBuf,
}

impl FromStr for PepperFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (id, path) = text.split_once(':').filter(|(_, path)| !path.is_empty())?;
            // Only one spelling of a number: `parse` would accept a sign or leading zeros.
            let id = id.parse().ok().filter(|number: &u32| number.to_string() == id)?;
            Some(Self { id, path: path.into() })
        };
        parse().ok_or("expected ID:PATH, the number of the pepper and its file")
    }
}

/// A role and its scopes, such as `analyst=invoices:read reports:read`.
#[derive(Clone)]
pub(crate) struct RoleScopes {
    pub(crate) name: RoleName,
    pub(crate) scopes: ScopeSet,
}

impl FromStr for RoleScopes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected NAME=SCOPES, such as analyst=\"invoices:read reports:read\"";
        let (name, scopes) = text.split_once('=').ok_or(expected)?;
        Ok(Self {
            name: name.parse().map_err(|error| format!("{error}"))?,
            scopes: scopes.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

/// The description of a scope, such as `invoices:read=Shows invoices`. An empty text removes it.
#[derive(Clone)]
pub(crate) struct ScopeText {
    pub(crate) scope: Scope,
    pub(crate) text: Option<Description>,
}

impl FromStr for ScopeText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scope, text) = text.split_once('=').ok_or("expected SCOPE=TEXT")?;
        let scope = scope.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { scope, text: described(text)? })
    }
}

fn described(text: &str) -> Result<Option<Description>, String> {
    let text = Some(text).filter(|text| !text.is_empty());
    text.map(Description::new).transpose().map_err(|error| error.to_string())
}

/// The description of a role, such as `analyst=Reads for reports`. An empty text removes it.
#[derive(Clone)]
pub(crate) struct RoleText {
    pub(crate) role: RoleName,
    pub(crate) text: Option<Description>,
}

impl FromStr for RoleText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, text) = text.split_once('=').ok_or("expected NAME=TEXT")?;
        let role = role.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { role, text: described(text)? })
    }
}

/// An entry of metadata, such as `team=billing`.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Entry {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}
