//! Strict deserialization of stored records.
//!
//! A missing field is not `null`, an object names each member once, and counters fit into a bigint.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::value::redact::redact;

/// The maximum version and sequence number: the maximum bigint of SQL.
pub(crate) const MAX_COUNT: u64 = i64::MAX.cast_unsigned();

/// Returns the version after `version`, or `version` itself once it is [`MAX_COUNT`].
///
/// A store rejects an update that repeats a version. A record of the last version can therefore
/// only be revoked or deleted.
pub(crate) fn next_version(version: u64) -> u64 {
    version.saturating_add(1).min(MAX_COUNT)
}

/// Deserializes a field that may be null but must be present.
///
/// By default serde reads a missing `Option` as `None`. A key that lost its `revoked_at` or
/// `expires_at` would work again.
pub(crate) fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// Deserializes a version or a sequence number, from 0 to [`MAX_COUNT`].
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let count = u64::deserialize(deserializer)?;
    if count > MAX_COUNT {
        let expected = "a number from 0 to 9223372036854775807";
        return Err(D::Error::invalid_value(Unexpected::Unsigned(count), &expected));
    }
    Ok(count)
}

/// Deserializes an object as a map and rejects a name that appears twice.
///
/// serde would keep the last of the two values, where other readers keep the first.
pub(crate) fn unique<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Display + Ord,
    V: Deserialize<'de>,
{
    struct Members<K, V>(PhantomData<(K, V)>);

    impl<'de, K, V> Visitor<'de> for Members<K, V>
    where
        K: Deserialize<'de> + Display + Ord,
        V: Deserialize<'de>,
    {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = BTreeMap::new();
            while let Some(name) = map.next_key::<K>()? {
                if members.contains_key(&name) {
                    let name = redact(&name.to_string());
                    return Err(A::Error::custom(format!("{name:?} appears more than once")));
                }
                members.insert(name, map.next_value()?);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Members(PhantomData))
}
