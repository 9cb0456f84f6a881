//! The details of an event: named fields, so that no value can pass for another field.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::redact::redact;
use crate::value::text_enum::text_enum;

/// The kind of value that a field has.
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
            /// A field of an event's details. Prints as in events: `expires_at`. Details show their
            /// fields in the order of this list.
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
    /// Text: when the key expires. A new key without this field never expires.
    ExpiresAt = Text "expires_at";
    /// Text: when the key would have begun to work.
    NotBefore = Text "not_before";
    /// Text: the role of the service account.
    Role = Text "role";
    /// Text: the access of the service account, `read-only` or `read-write`.
    Access = Text "access";
    /// Flag: whether the service account is enabled.
    Enabled = Flag "enabled";
    /// Number: how many keys the operation ended.
    Keys = Number "keys";
    /// Number: the number of the key's new secret.
    SecretNumber = Number "secret_number";
    /// Text: when the old secret stops. A rotation without this field had no overlap.
    OverlapEnds = Text "overlap_ends_at";
    /// Text: the names of the fields that changed, with `, ` between them.
    Changed = Text "changed";
    /// Number: how often the key was used in all.
    Uses = Number "uses";
    /// Text: the status of the key.
    Status = Text "status";
    /// Text: the field of the policy that is wrong, or of the key that an administrator set.
    Field = Text "field";
    /// Number: the value that was given.
    Given = Number "given";
    /// Number: the most keys that the owner may have.
    Limit = Number "limit";
    /// Number: the longest duration that the policy allows, in seconds.
    MaxSeconds = Number "max_seconds";
    /// Number: the version that the caller named.
    GivenVersion = Number "given_version";
    /// Number: the version that the record has.
    CurrentVersion = Number "current_version";
    /// Text: the scope that is outside the ceiling.
    Scope = Text "scope";
    /// Text: the rate that was asked for.
    Rate = Text "rate";
    /// Text: the highest rate that is possible.
    MaxRate = Text "max_rate";
    /// Text: what is wrong with the request: a code of the management API.
    Problem = Text "problem";
    /// Number: how many refused calls the event counts.
    Refusals = Number "refusals";
    /// Text: when the first of them was refused.
    Since = Text "since";
    /// Text: when the last of them was refused.
    Until = Text "until";
}

/// The value of a field of an event's details.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DetailValue {
    /// A text. A name in it is as a user wrote it.
    Text(String),
    /// A whole number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
}

/// Prints a text in quotes, with `"`, `\` and everything invisible escaped.
impl fmt::Display for DetailValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

impl DetailValue {
    const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Number(_) => Kind::Number,
            Self::Flag(_) => Kind::Flag,
        }
    }
}

impl From<u64> for DetailValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for DetailValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// The details of an event: fields with values, never a secret.
///
/// Serializes as an object with a member for each field. On one line it prints as
/// `name="prod-main-app" owner="user:ada"`: texts are in quotes and escaped, so a name can never
/// pass for another field.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventDetails(BTreeMap<DetailField, DetailValue>);

impl EventDetails {
    /// No details.
    pub(crate) const NONE: Self = Self(BTreeMap::new());

    /// Adds a text field.
    pub(crate) fn text(self, field: DetailField, value: impl fmt::Display) -> Self {
        self.with(field, DetailValue::Text(value.to_string()))
    }

    /// Adds a text field that lists names, with `, ` between them.
    pub(crate) fn list(self, field: DetailField, names: &[impl fmt::Display]) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        self.text(field, names.join(", "))
    }

    /// Adds a field that is a number or a flag.
    pub(crate) fn value(self, field: DetailField, value: impl Into<DetailValue>) -> Self {
        self.with(field, value.into())
    }

    /// Adds all fields of `others`.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    fn with(mut self, field: DetailField, value: DetailValue) -> Self {
        debug_assert_eq!(field.kind(), value.kind(), "{field}");
        self.0.insert(field, value);
        self
    }

    /// Returns the value of a field.
    pub fn get(&self, field: DetailField) -> Option<&DetailValue> {
        self.0.get(&field)
    }

    /// Returns the value of a field that is a text.
    pub fn get_text(&self, field: DetailField) -> Option<&str> {
        match self.get(field)? {
            DetailValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a field that is a number.
    pub fn get_number(&self, field: DetailField) -> Option<u64> {
        match self.get(field)? {
            DetailValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns whether there are no details.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the fields that are there, in the order of [`DetailField::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (DetailField, &DetailValue)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }
}

impl fmt::Display for EventDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, value)) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{field}={value}")?;
        }
        Ok(())
    }
}

impl Serialize for EventDetails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, value) in &self.0 {
            match value {
                DetailValue::Text(text) => map.serialize_entry(field.as_str(), text)?,
                DetailValue::Number(number) => map.serialize_entry(field.as_str(), number)?,
                DetailValue::Flag(flag) => map.serialize_entry(field.as_str(), flag)?,
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
                return Err(A::Error::custom(format!("{:?} is not a detail", redact(&name))));
            };
            let value = match field.kind() {
                Kind::Text => DetailValue::Text(map.next_value()?),
                Kind::Number => DetailValue::Number(map.next_value()?),
                Kind::Flag => DetailValue::Flag(map.next_value()?),
            };
            if details.0.insert(field, value).is_some() {
                return Err(A::Error::custom(format!("the detail {field} is there twice")));
            }
        }
        Ok(details)
    }
}
