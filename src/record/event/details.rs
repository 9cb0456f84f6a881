//! This module defines the details of an event: named fields, so that no value can pass for another
//! field.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::redact::redact;
use crate::value::text_enum::text_enum;

/// The type of value that a field has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Text,
    Number,
    Flag,
}

#[cfg(feature = "management")]
impl Kind {
    const fn json_type(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Number => "integer",
            Self::Flag => "boolean",
        }
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $kind:ident $text:literal;)*) => {
        text_enum! {
            /// A field of an event's details, with a text form such as `expires_at`.
            ///
            /// Details show their fields in the order of this list.
            ///
            /// ```
            /// use keywright::DetailField;
            ///
            /// assert_eq!(DetailField::ExpiresAt.to_string(), "expires_at");
            /// ```
            pub enum DetailField {
                $($(#[$doc])* $name = $text;)*
            }
        }

        impl DetailField {
            /// Returns the type of the field's values in JSON Schema.
            #[cfg(feature = "management")]
            pub(crate) const fn json_type(self) -> &'static str {
                self.kind().json_type()
            }

            const fn kind(self) -> Kind {
                match self {
                    $(Self::$name => Kind::$kind,)*
                }
            }
        }
    };
}

fields! {
    /// Text: the name of the key or the service account.
    Name = Text "name";
    /// Text: the name before the change.
    PreviousName = Text "previous_name";
    /// Text: the owner of the key or keys, as `user:alice`.
    Owner = Text "owner";
    /// Text: the time at which the key expires. A new key without this field never expires.
    ExpiresAt = Text "expires_at";
    /// Text: the time from which a refused new key would have been valid.
    NotBefore = Text "not_before";
    /// Text: the role of the service account.
    Role = Text "role";
    /// Text: the access of the service account, `read-only` or `read-write`.
    Access = Text "access";
    /// Flag: whether the service account is enabled.
    Enabled = Flag "enabled";
    /// Number: the number of keys that the operation revoked or deleted.
    Keys = Number "keys";
    /// Number: the number of the key's new secret, or of the secret that was reported as leaked.
    SecretNumber = Number "secret_number";
    /// Text: the time at which the old secret expires. A rotation without this field had no
    /// overlap.
    OverlapEnds = Text "overlap_ends_at";
    /// Text: the names of the fields that changed, separated by commas.
    Changed = Text "changed";
    /// Number: the accepted or refused uses of the key in the period of the alert, so far.
    Uses = Number "uses";
    /// Text: the status of the key.
    Status = Text "status";
    /// Text: the invalid field of the policy, or the field of the key that an administrator set.
    Field = Text "field";
    /// Number: the value in the request that is out of its bounds.
    Given = Number "given";
    /// The requirements that are missing.
    Missing = Text "missing";
    /// The value that was refused.
    Value = Text "value";
    /// The bound that the value exceeds.
    Bound = Text "bound";
    /// The values before a change.
    From = Text "from";
    /// The values after a change.
    To = Text "to";
    /// Number: the number of live keys that the owner may hold, or the number of uses that the alert
    /// allows in a period.
    Limit = Number "limit";
    /// Number: the longest duration that the policy allows, in seconds.
    MaxSeconds = Number "max_seconds";
    /// Number: the version in the request.
    GivenVersion = Number "given_version";
    /// Number: the version of the record.
    CurrentVersion = Number "current_version";
    /// Text: the scope that keys of the owner cannot have.
    Scope = Text "scope";
    /// Text: the rate in the request.
    Rate = Text "rate";
    /// Text: the policy's default rate, which is the highest that an owner can set.
    MaxRate = Text "max_rate";
    /// Text: the problem with the request, as a code of the management API.
    Problem = Text "problem";
    /// Number: the number of refused calls that the event counts.
    Refusals = Number "refusals";
    /// Text: the time of the first of these refusals.
    Since = Text "since";
    /// Text: the time of the last of these refusals.
    Until = Text "until";
    /// Number: the period of the alert, in seconds.
    PeriodSeconds = Number "period_seconds";
    /// Text: the start of the alert's period in which the uses were.
    WindowStart = Text "window_starts_at";
    /// Text: the place where a leaked token was found, as its reporter names it. The text comes from
    /// outside: it is shortened, and tokens and invisible characters in it are replaced.
    LeakSource = Text "leak_source";
    /// Text: the reporter of a leaked token, such as `github`.
    Reporter = Text "reporter";
}

/// A value in an event's details: a text, a number or a flag.
///
/// ```
/// use keywright::DetailValue;
///
/// assert_eq!(DetailValue::Text("prod-main-app").to_string(), r#""prod-main-app""#);
/// assert_eq!(DetailValue::Number(3).to_string(), "3");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DetailValue<'a> {
    /// A text. It can contain text that a user chose, such as a name, and is not escaped; `Display`
    /// escapes it.
    Text(&'a str),
    /// A whole number.
    Number(u64),
    /// A flag: true or false.
    Flag(bool),
}

/// Prints a text in quotes. Every `"`, every `\` and every invisible character is escaped.
impl fmt::Display for DetailValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

impl DetailValue<'_> {
    const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Number(_) => Kind::Number,
            Self::Flag(_) => Kind::Flag,
        }
    }
}

impl From<u64> for DetailValue<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for DetailValue<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// The details of an event: fields with values, never a secret.
///
/// Details serialize as an object with a member for each field. On one line they print as
/// `name="prod-main-app" owner="user:ada"`. Texts are quoted and escaped, so that a name cannot
/// imitate another field.
///
/// ```
/// use keywright::{DetailField, store::EventQuery};
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let page = authority.events(&ada, &EventQuery::new()).await?;
/// let details = &page.items[0].details;
/// assert_eq!(details.get_text(DetailField::Name), Some("prod-main-app"));
/// assert_eq!(details.to_string(), r#"name="prod-main-app" owner="user:alice""#);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// A store in memory keeps the events of all changes, so their details are one small text.
// For each field, in their order: a character for the field, the length of the value in bytes, a
// colon, and the value.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct EventDetails(Option<Box<str>>);

impl EventDetails {
    /// The empty details.
    pub(crate) const NONE: Self = Self(None);

    /// Adds a text field.
    pub(crate) fn text(self, field: DetailField, value: impl fmt::Display) -> Self {
        self.with(field, DetailValue::Text(&value.to_string()))
    }

    /// Adds a text field that lists names, separated by `, `.
    pub(crate) fn list(self, field: DetailField, names: &[impl fmt::Display]) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        self.text(field, names.join(", "))
    }

    /// Adds a number or a flag.
    pub(crate) fn value(self, field: DetailField, value: impl Into<DetailValue<'static>>) -> Self {
        self.with(field, value.into())
    }

    /// Adds all fields of `others`.
    pub(crate) fn and(self, others: &Self) -> Self {
        others.iter().fold(self, |details, (field, value)| details.with(field, value))
    }

    /// Returns the details as one text, for [`of_packed`](Self::of_packed).
    pub(crate) fn packed(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns the details of a [`packed`](Self::packed) text.
    pub(crate) fn of_packed(packed: &str) -> Self {
        Self((!packed.is_empty()).then(|| packed.into()))
    }

    fn with(&self, field: DetailField, value: DetailValue<'_>) -> Self {
        debug_assert_eq!(field.kind(), value.kind(), "{field}");
        let mut packed = String::new();
        let before = self.iter().take_while(|(other, _)| *other < field);
        let after = self.iter().skip_while(|(other, _)| *other <= field);
        for (field, value) in before.chain([(field, value)]).chain(after) {
            pack(&mut packed, field, value);
        }
        Self(Some(packed.into()))
    }

    /// Returns the value of a field, or `None` if the details lack the field.
    ///
    /// ```
    /// use keywright::{DetailField, DetailValue};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{EventQuery, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let event = authority.events(&ada, &EventQuery::new()).await?.items.remove(0);
    /// let name = event.details.get(DetailField::Name);
    /// assert_eq!(name, Some(DetailValue::Text("prod-main-app")));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn get(&self, field: DetailField) -> Option<DetailValue<'_>> {
        self.iter().find(|(other, _)| *other == field).map(|(_, value)| value)
    }

    /// Returns the value of a text field.
    ///
    /// Returns `None` if the details lack the field or it is not a text.
    ///
    /// ```
    /// use keywright::DetailField;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{EventQuery, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let event = authority.events(&ada, &EventQuery::new()).await?.items.remove(0);
    /// assert_eq!(event.details.get_text(DetailField::Owner), Some("user:alice"));
    /// assert_eq!(event.details.get_text(DetailField::Role), None);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn get_text(&self, field: DetailField) -> Option<&str> {
        match self.get(field)? {
            DetailValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a number field.
    ///
    /// Returns `None` if the details lack the field or it is not a number.
    ///
    /// ```
    /// use keywright::store::{AlertDue, UseKind};
    /// use keywright::{Clock, DetailField, Event, SystemClock, UseAlert};
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let (now, alert): (_, UseAlert) = (SystemClock.now(), "20/300s".parse()?);
    /// let window_starts_at = alert.window_start(now);
    /// let due = AlertDue { kind: UseKind::Refused, alert, window_starts_at, uses: 21 };
    /// let event = Event::of_alert(&issued.key, &due, now);
    /// assert_eq!(event.details.get_number(DetailField::Uses), Some(21));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn get_number(&self, field: DetailField) -> Option<u64> {
        match self.get(field)? {
            DetailValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns whether there are no fields.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{EventQuery, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let event = authority.events(&ada, &EventQuery::new()).await?.items.remove(0);
    /// assert!(!event.details.is_empty());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the fields and their values, in the order of [`DetailField::ALL`].
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{EventQuery, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let event = authority.events(&ada, &EventQuery::new()).await?.items.remove(0);
    /// let fields: Vec<_> = event.details.iter().map(|(field, _)| field.as_str()).collect();
    /// assert_eq!(fields, ["name", "owner"]);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (DetailField, DetailValue<'_>)> {
        let mut rest = self.0.as_deref().unwrap_or_default();
        std::iter::from_fn(move || unpack(&mut rest))
    }
}

fn pack(packed: &mut String, field: DetailField, value: DetailValue<'_>) {
    let text = match value {
        DetailValue::Text(text) => Cow::Borrowed(text),
        DetailValue::Number(number) => number.to_string().into(),
        DetailValue::Flag(flag) => flag.to_string().into(),
    };
    packed.push(char::from(field as u8));
    packed.push_str(&text.len().to_string());
    packed.push(':');
    packed.push_str(&text);
}

/// Takes the first field, which [`pack`] has written.
fn unpack<'a>(packed: &mut &'a str) -> Option<(DetailField, DetailValue<'a>)> {
    let field = *DetailField::ALL.get(usize::from(*packed.as_bytes().first()?))?;
    let (len, rest) = packed[1..].split_once(':')?;
    let (text, rest) = rest.split_at_checked(len.parse().ok()?)?;
    *packed = rest;
    let value = match field.kind() {
        Kind::Text => DetailValue::Text(text),
        Kind::Number => DetailValue::Number(text.parse().ok()?),
        Kind::Flag => DetailValue::Flag(text.parse().ok()?),
    };
    Some((field, value))
}

impl fmt::Debug for EventDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventDetails ")?;
        f.debug_map().entries(self.iter()).finish()
    }
}

impl fmt::Display for EventDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, value)) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{field}={value}")?;
        }
        Ok(())
    }
}

impl Serialize for EventDetails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.iter().count()))?;
        for (field, value) in self.iter() {
            match value {
                DetailValue::Text(text) => map.serialize_entry(field.as_str(), text)?,
                DetailValue::Number(number) => map.serialize_entry(field.as_str(), &number)?,
                DetailValue::Flag(flag) => map.serialize_entry(field.as_str(), &flag)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for EventDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = EventDetails;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the details of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventDetails, A::Error> {
        let mut details = EventDetails::NONE;
        while let Some(name) = map.next_key::<String>()? {
            let known = DetailField::ALL.iter().find(|field| field.as_str() == name);
            let Some(&field) = known else {
                return Err(A::Error::custom(format!("unknown event detail {:?}", redact(&name))));
            };
            if details.get(field).is_some() {
                return Err(A::Error::custom(format!("event detail {field} appears twice")));
            }
            details = match field.kind() {
                Kind::Text => details.with(field, DetailValue::Text(&map.next_value::<String>()?)),
                Kind::Number => details.with(field, DetailValue::Number(map.next_value()?)),
                Kind::Flag => details.with(field, DetailValue::Flag(map.next_value()?)),
            };
        }
        Ok(details)
    }
}
