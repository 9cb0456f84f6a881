//! What is stored of a secret, and how a presented one is compared with it.
//!
//! The input is `id || secret`, both of fixed length (16 and 32 bytes), so the digest of one key is
//! worthless in the row of another and no two inputs run together. Without a pepper the digest is
//! SHA-256 (FIPS 180-4; 48 bytes and padding are one block), with one it is HMAC-SHA-256 (RFC 2104)
//! under the pepper. Comparison takes the same time wherever the two differ.
//!
//! # Why a fast hash
//!
//! Slow hashes such as Argon2 make up for the few bits of a password. A secret here has 190 bits
//! from the system's random source: guessing it is out of reach at any speed, and a hash of 50 ms
//! would only hand everyone who can reach the service a way to exhaust it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::value::id::KeyId;
use crate::value::text::{decimal, hex};

/// The digest of one secret of one key. `Debug` shows its kind alone.
///
/// As text (`Display`, `FromStr`, serde) it is `algorithm.pepper.hex`, for stores.
#[derive(Clone, Copy)]
pub struct Digest {
    algorithm: u8,
    pepper: u32,
    bytes: [u8; 32],
}

const SHA_256: u8 = 1;
const HMAC_SHA_256: u8 = 2;

/// A stored digest that this process cannot compare with anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The ring lacks the pepper that the digest was made with.
    #[error("the digest was made with pepper {0}, which is not in the pepper ring: add it")]
    UnknownPepper(u32),
    /// The algorithm is none that this version knows.
    #[error("the digest has algorithm {0}, which this version of keywright does not know")]
    UnknownAlgorithm(u8),
}

impl Digest {
    /// Returns a digest of the same kind that differs in every bit. An unknown id is compared with
    /// it, so that it costs the same work.
    pub(crate) fn unmatched(&self) -> Self {
        Self { bytes: self.bytes.map(|byte| !byte), ..*self }
    }

    /// Returns the id of the pepper that the digest was made with; `None` for a plain SHA-256.
    pub fn pepper(&self) -> Option<u32> {
        (self.algorithm == HMAC_SHA_256).then_some(self.pepper)
    }

    fn made_as(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.pepper == other.pepper
    }

    /// Compares the bytes in words of 64 bits, since `subtle` compares a slice byte by byte at four
    /// times the cost.
    fn same_bytes(&self, other: &Self) -> Choice {
        let words = |digest: &Self| -> [u64; 4] {
            std::array::from_fn(|n| {
                let word = digest.bytes[8 * n..].first_chunk().expect("32 bytes are four words");
                u64::from_ne_bytes(*word)
            })
        };
        let (a, b) = (words(self), words(other));
        a[0].ct_eq(&b[0]) & a[1].ct_eq(&b[1]) & a[2].ct_eq(&b[2]) & a[3].ct_eq(&b[3])
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest {{ algorithm: {}, pepper: {} }}", self.algorithm, self.pepper)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { algorithm, pepper, bytes } = self;
        serializer.collect_str(&format_args!("{algorithm}.{pepper}.{}", hex::encode(bytes)))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| serde::de::Error::custom("not a digest (algorithm.pepper.hex)"))
    }
}

fn parse(text: &str) -> Option<Digest> {
    let (algorithm, rest) = text.split_once('.')?;
    let (pepper, bytes) = rest.split_once('.')?;
    let bytes = hex::decode(bytes)?;
    let digest = Digest { algorithm: decimal(algorithm)?, pepper: decimal(pepper)?, bytes };
    // SHA-256 alone has no pepper, and so no number of one.
    (digest.algorithm != SHA_256 || digest.pepper == 0).then_some(digest)
}

/// Peppers: keys of the server's own, kept apart from the store, that digests are made with.
///
/// With a pepper, a stolen copy of the store is of no use for testing guesses. The ring holds the
/// one that new digests are made with and any number of old ones. To change the pepper, add the
/// new one: every key goes on working, and moves to it after its next successful verify. Remove an
/// old pepper only when no digest is left under it.
///
/// ```
/// use keywright::PepperRing;
///
/// let ring = PepperRing::none().with(1, [7; 32])?.with(2, [9; 32])?;
/// assert_eq!(ring.current(), Some(2));
/// # Ok::<(), keywright::PepperError>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "setters take and return by value"]
pub struct PepperRing {
    /// The last one is the current one. HMAC states are precomputed, the peppers not kept.
    peppers: Vec<(u32, Hmac<Sha256>)>,
}

/// A pepper that cannot be added.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PepperError {
    /// Fewer than [`PepperRing::MIN_LEN`] bytes.
    #[error("pepper {id} has {len} bytes, at least {min} are needed", min = PepperRing::MIN_LEN)]
    TooShort {
        /// The pepper's id.
        id: u32,
        /// Its length in bytes.
        len: usize,
    },
    /// The ring has a pepper of this id.
    #[error("the ring already has a pepper {0}: an id stands for one pepper for ever")]
    Duplicate(u32),
}

impl PepperRing {
    /// The shortest pepper in bytes: the output length of the hash (RFC 2104 section 3).
    pub const MIN_LEN: usize = 32;

    /// Creates a ring without a pepper: digests are plain SHA-256.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a pepper, which becomes the current one. Its id is stored with each digest.
    ///
    /// # Errors
    /// [`PepperError`] if it is too short or its id is taken.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    pub fn with(mut self, id: u32, pepper: impl AsRef<[u8]>) -> Result<Self, PepperError> {
        let pepper = pepper.as_ref();
        if pepper.len() < Self::MIN_LEN {
            return Err(PepperError::TooShort { id, len: pepper.len() });
        }
        if self.find(id).is_some() {
            return Err(PepperError::Duplicate(id));
        }
        let state = Hmac::new_from_slice(pepper).expect("HMAC takes a key of any length");
        self.peppers.push((id, state));
        Ok(self)
    }

    /// Returns the id of the pepper that new digests are made with.
    pub fn current(&self) -> Option<u32> {
        self.peppers.last().map(|(id, _)| *id)
    }

    /// Returns the digest of a secret under the current pepper.
    pub(crate) fn digest(&self, key: &KeyId, secret: &[u8; 32]) -> Digest {
        match self.peppers.last() {
            Some((id, state)) => hmac_sha_256(*id, state, key, secret),
            None => sha_256(key, secret),
        }
    }

    /// Returns whether `stored` is the digest of a secret. `current` is the secret's digest under
    /// the current pepper. Hashes again only if `stored` was made otherwise.
    pub(crate) fn matches(
        &self,
        stored: &Digest,
        current: &Digest,
        key: &KeyId,
        secret: &[u8; 32],
    ) -> Result<Choice, DigestError> {
        if stored.made_as(current) {
            return Ok(stored.same_bytes(current));
        }
        let computed = match stored.algorithm {
            SHA_256 => sha_256(key, secret),
            HMAC_SHA_256 => {
                let state = self.find(stored.pepper);
                let state = state.ok_or(DigestError::UnknownPepper(stored.pepper))?;
                hmac_sha_256(stored.pepper, state, key, secret)
            }
            unknown => return Err(DigestError::UnknownAlgorithm(unknown)),
        };
        Ok(stored.same_bytes(&computed))
    }

    /// Returns whether a digest should be replaced by one under the current pepper.
    pub(crate) fn is_outdated(&self, stored: &Digest) -> bool {
        self.current().is_some_and(|current| stored.pepper() != Some(current))
    }

    fn find(&self, id: u32) -> Option<&Hmac<Sha256>> {
        self.peppers.iter().find(|(known, _)| *known == id).map(|(_, state)| state)
    }
}

impl fmt::Debug for PepperRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.peppers.iter().map(|(id, _)| id);
        f.write_str("PepperRing ")?;
        f.debug_list().entries(ids).finish()
    }
}

fn sha_256(key: &KeyId, secret: &[u8; 32]) -> Digest {
    let bytes = Sha256::new().chain_update(key.as_bytes()).chain_update(secret).finalize().into();
    Digest { algorithm: SHA_256, pepper: 0, bytes }
}

fn hmac_sha_256(id: u32, state: &Hmac<Sha256>, key: &KeyId, secret: &[u8; 32]) -> Digest {
    let mut mac = state.clone();
    mac.update(key.as_bytes());
    mac.update(secret);
    let bytes = mac.finalize().into_bytes().into();
    Digest { algorithm: HMAC_SHA_256, pepper: id, bytes }
}
