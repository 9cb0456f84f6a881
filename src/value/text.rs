//! Parsing and serde for values that have exactly one spelling: the text that they print.

use std::str::FromStr;

/// Parses a number that is spelled as it prints: without a plus sign and without leading zeros.
pub(crate) fn decimal<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

pub(crate) use serde_as_text;

/// Lower-case hex, the only spelling in which bytes are read.
pub(crate) mod hex {
    use std::fmt::Write;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn encode(bytes: &[u8]) -> String {
        bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        read(text, &mut bytes).then_some(bytes)
    }

    /// Decodes a text of any length.
    pub(crate) fn decode_all(text: &str) -> Option<Vec<u8>> {
        let mut bytes = vec![0; text.len() / 2];
        read(text, &mut bytes).then_some(bytes)
    }

    /// Fills `bytes`, or returns false. Capitals, signs and a wrong number of digits are rejected.
    fn read(text: &str, bytes: &mut [u8]) -> bool {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let pairs = text.as_bytes().chunks_exact(2);
        text.len() == 2 * bytes.len()
            && bytes.iter_mut().zip(pairs).all(|(byte, pair)| {
                let read = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| 16 * high + low);
                *byte = read.unwrap_or_default();
                read.is_some()
            })
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = || format!("expected {N} bytes in lower-case hex");
        decode(&text).ok_or_else(|| serde::de::Error::custom(expected()))
    }
}
