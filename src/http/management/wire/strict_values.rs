//! Types for values in request bodies, stricter than the serde implementations of the crate: a list
//! is not an object, null is not an absent field, and lists have a maximum length.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::value::network::{Network, NetworkError, Networks};
use crate::value::scope::{Scope, ScopeError, ScopeSet};

/// A JSON object. A derived `Deserialize` would also accept a list of the field values in order.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// Deserializes a field that may be absent but not null.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Deserializes a field that may be null but not absent.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// A value or null.
pub(crate) struct OrNull<T>(pub(crate) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrNull<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

/// A whole number of at least 0. JSON has one number type, so `60.0` is 60.
pub(crate) struct Whole(pub(crate) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = u64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of at least 0")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
                Ok(number)
            }

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole and in range"
            )]
            fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
                // A float is exact for whole numbers below 2^53. `-0` is negative.
                let is_in_range = (0.0..9_007_199_254_740_992.0).contains(&number);
                if number.fract() == 0.0 && is_in_range && number.is_sign_positive() {
                    Ok(number as u64)
                } else {
                    Err(E::invalid_value(Unexpected::Float(number), &self))
                }
            }
        }

        deserializer.deserialize_any(Number).map(Self)
    }
}

/// A duration in whole seconds.
pub(crate) struct Seconds(pub(crate) Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Whole::deserialize(deserializer).map(|Whole(seconds)| Self(Duration::from_secs(seconds)))
    }
}

/// A list of scopes. Its maximum length is that of a [`ScopeSet`], duplicates included.
pub(crate) struct ScopeList(pub(crate) ScopeSet);

impl<'de> Deserialize<'de> for ScopeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scopes = Vec::<Scope>::deserialize(deserializer)?;
        if scopes.len() > ScopeSet::MAX {
            return Err(D::Error::custom(ScopeError::TooMany(scopes.len())));
        }
        ScopeSet::new(scopes).map(Self).map_err(D::Error::custom)
    }
}

/// A list of networks. Its maximum length is that of [`Networks`], duplicates included.
pub(crate) struct NetworkList(pub(crate) Networks);

impl<'de> Deserialize<'de> for NetworkList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let networks = Vec::<Network>::deserialize(deserializer)?;
        if networks.len() > Networks::MAX {
            return Err(D::Error::custom(NetworkError::TooMany(networks.len())));
        }
        Networks::new(networks).map(Self).map_err(D::Error::custom)
    }
}
