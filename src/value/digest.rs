//! Digests of secrets, and the peppers that they are computed with.
//!
//! The input of the hash is `id || secret`, 16 and 32 bytes. Both lengths are fixed, so two
//! different pairs never give the same input. The digest of one key is useless in the record of
//! another, because the id is part of the input. Without a pepper the digest is SHA-256 (FIPS
//! 180-4); 48 bytes and the padding fit one block. With a pepper it is HMAC-SHA-256 (RFC 2104),
//! keyed with the pepper. A comparison takes the same time wherever two digests differ.
//!
//! # Why a fast hash
//!
//! Slow hashes such as Argon2 compensate for the few bits of a password. A secret has 190 bits from
//! the system's random source, so guessing it is infeasible at any speed. A hash of 50 ms would
//! only give every caller a way to exhaust the service.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::value::id::KeyId;
use crate::value::text::{decimal, hex};

/// The digest of one secret of a key, as stores keep it.
///
/// serde reads and writes it as the text `algorithm.pepper.hex`: the algorithm's number, the
/// pepper's id (0 for none) and the hash. `Debug` shows the algorithm and the pepper's id, but not
/// the hash.
///
/// ```
/// use keywright::store::Digest;
///
/// let stored = format!("\"2.7.{}\"", "0".repeat(64)); // HMAC-SHA-256 with pepper 7
/// let digest: Digest = serde_json::from_str(&stored)?;
/// assert_eq!(digest.pepper(), Some(7));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Digest {
    algorithm: u8,
    pepper: u32,
    bytes: [u8; 32],
}

const SHA_256: u8 = 1;
const HMAC_SHA_256: u8 = 2;

/// The initial hash value of SHA-256 (FIPS 180-4 section 5.3.3).
const SHA_256_BEGIN: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A stored digest that this process cannot compare with a secret.
///
/// The verifier does not report such a key as invalid. It returns
/// [`VerifyError::Unavailable`](crate::VerifyError::Unavailable), whose chain of sources ends with
/// this error.
///
/// ```
/// use std::error::Error;
/// use keywright::store::{DigestError, MemoryStore};
/// use keywright::{Actor, Keywright, NewKey, PepperRing, Policy, UserId, VerifyError};
///
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let (store, ring) = (MemoryStore::new(), PepperRing::none().with(1, [7; 32])?);
/// let keywright = Keywright::builder(store.clone()).peppers(ring).default_policy(policy).build()?;
/// let issued = keywright.authority().generate(&alice, NewKey::named("prod-main-app")?).await?;
///
/// // Another process over the same store lacks pepper 1.
/// let other = Keywright::builder(store).build()?.verifier();
/// let Err(VerifyError::Unavailable(error)) = other.verify(issued.token.expose()).await else {
///     panic!("the digest cannot be compared");
/// };
/// let source = error.source().and_then(|source| source.downcast_ref());
/// assert_eq!(source, Some(&DigestError::UnknownPepper(1)));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The ring lacks the pepper that the digest was computed with. The value is the pepper's id.
    #[error("the digest was computed with pepper {0}, which is not in the pepper ring: add it")]
    UnknownPepper(u32),
    /// This version of the crate does not know the digest's algorithm. The value is its number.
    #[error("the digest has algorithm {0}, which this version of keywright does not know")]
    UnknownAlgorithm(u8),
}

impl Digest {
    /// Returns a digest of the same kind that differs in every bit.
    ///
    /// A credential with an unknown id is compared with it, so that it costs the same work as a
    /// known one.
    pub(crate) fn unmatched(&self) -> Self {
        Self { bytes: self.bytes.map(|byte| !byte), ..*self }
    }

    /// Returns the id of the pepper that the digest was computed with, or `None` for a plain
    /// SHA-256.
    ///
    /// ```
    /// use keywright::store::Digest;
    ///
    /// let plain: Digest = serde_json::from_str(&format!("\"1.0.{}\"", "0".repeat(64)))?;
    /// assert_eq!(plain.pepper(), None);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn pepper(&self) -> Option<u32> {
        (self.algorithm == HMAC_SHA_256).then_some(self.pepper)
    }

    /// Returns whether both were computed alike and are the same. The hashes are compared in
    /// constant time.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.made_as(other) && bool::from(self.same_bytes(other))
    }

    fn made_as(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.pepper == other.pepper
    }

    /// Compares the hashes in constant time.
    ///
    /// The comparison joins the differences of four words of 64 bits, without a branch, and `subtle`
    /// compares the result with zero. It compares a slice byte by byte, at many times the cost.
    fn same_bytes(&self, other: &Self) -> Choice {
        let words = |digest: &Self| -> [u64; 4] {
            std::array::from_fn(|n| {
                let word = digest.bytes[8 * n..].first_chunk().expect("32 bytes are four words");
                u64::from_ne_bytes(*word)
            })
        };
        let (a, b) = (words(self), words(other));
        ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])).ct_eq(&0)
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
        let message = "not a digest: expected algorithm.pepper.hex";
        parse(&text).ok_or_else(|| serde::de::Error::custom(message))
    }
}

fn parse(text: &str) -> Option<Digest> {
    let (algorithm, rest) = text.split_once('.')?;
    let (pepper, bytes) = rest.split_once('.')?;
    let bytes = hex::decode(bytes)?;
    let digest = Digest { algorithm: decimal(algorithm)?, pepper: decimal(pepper)?, bytes };
    // A plain SHA-256 has no pepper, so its pepper id is 0.
    (digest.algorithm != SHA_256 || digest.pepper == 0).then_some(digest)
}

/// The peppers of a service: secrets that are kept outside of the store and used to compute
/// digests.
///
/// With a pepper, a stolen copy of the store is not enough to test guesses of a secret. A pepper
/// does not protect a store that an attacker can write. The ring holds the current pepper, for new
/// digests, and any number of old ones.
///
/// To change the pepper, add the new one after the old one. Every key keeps working. After a key's
/// next successful verification, [`Verifier::flush`](crate::Verifier::flush) replaces its digest
/// with one under the new pepper. If several nodes share a store, first give all of them a ring with
/// the new pepper before the old one: a node that lacks the new pepper cannot check the keys that
/// have moved.
///
/// A key that is not used keeps its old digest. Rotate or revoke such keys before you remove the old
/// pepper: a key whose pepper is missing cannot be checked. The [guide](crate::guide::tokens#peppers)
/// has the code for both.
///
/// ```
/// use keywright::PepperRing;
///
/// # let (of_2025, of_2026) = ([7; 32], [9; 32]);
/// let ring = PepperRing::none().with(2025, of_2025)?.with(2026, of_2026)?;
/// assert_eq!(ring.current(), Some(2026));
/// # Ok::<(), keywright::PepperError>(())
/// ```
///
/// See [Tokens](crate::guide::tokens) in the guide.
#[derive(Clone, Default)]
#[must_use = "setters take and return by value"]
pub struct PepperRing {
    /// Pepper ids with precomputed HMAC states; the last is current. The peppers are not kept.
    peppers: Vec<(u32, HmacState)>,
}

/// A pepper that cannot be added to a [`PepperRing`].
///
/// ```
/// use keywright::{PepperError, PepperRing};
///
/// let error = PepperRing::none().with(1, "too short").err();
/// assert_eq!(error, Some(PepperError::TooShort { id: 1, len: 9 }));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PepperError {
    /// The pepper has fewer than [`PepperRing::MIN_LEN`] bytes.
    #[error("pepper {id} must have at least {min} bytes, got {len}", min = PepperRing::MIN_LEN)]
    TooShort {
        /// The pepper's id.
        id: u32,
        /// The pepper's length in bytes.
        len: usize,
    },
    /// The ring already has a pepper with this id.
    #[error("the ring already has a pepper {0}: give the new pepper another id")]
    Duplicate(u32),
}

impl PepperRing {
    /// The minimum length of a pepper in bytes: the output length of the hash (RFC 2104 section 3).
    pub const MIN_LEN: usize = 32;

    /// Creates a ring without a pepper.
    ///
    /// Digests are then plain SHA-256.
    ///
    /// ```
    /// use keywright::PepperRing;
    ///
    /// assert_eq!(PepperRing::none().current(), None);
    /// ```
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a pepper, which becomes the current one.
    ///
    /// Draw the pepper from a secure random source. Its id is stored with each digest. Give every
    /// pepper its own id, and never change the pepper of an id.
    ///
    /// ```
    /// use keywright::PepperRing;
    ///
    /// # let (old, new) = ([7; 32], [9; 32]);
    /// let ring = PepperRing::none().with(1, old)?.with(2, new)?;
    /// assert_eq!(ring.current(), Some(2));
    /// # Ok::<(), keywright::PepperError>(())
    /// ```
    ///
    /// # Errors
    /// * [`PepperError::TooShort`] if the pepper has fewer than [`PepperRing::MIN_LEN`] bytes.
    /// * [`PepperError::Duplicate`] if the ring already has a pepper with this id.
    pub fn with(mut self, id: u32, pepper: impl AsRef<[u8]>) -> Result<Self, PepperError> {
        let pepper = pepper.as_ref();
        if pepper.len() < Self::MIN_LEN {
            return Err(PepperError::TooShort { id, len: pepper.len() });
        }
        if self.find(id).is_some() {
            return Err(PepperError::Duplicate(id));
        }
        self.peppers.push((id, HmacState::new(pepper)));
        Ok(self)
    }

    /// Returns the id of the pepper for new digests, or `None` for a ring without a pepper.
    ///
    /// ```
    /// use keywright::PepperRing;
    ///
    /// let ring = PepperRing::none().with(1, [7; 32])?;
    /// assert_eq!(ring.current(), Some(1));
    /// # Ok::<(), keywright::PepperError>(())
    /// ```
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

    /// Returns whether `stored` is the digest of `secret`.
    ///
    /// `current` is the digest of `secret` under the current pepper. A second hash is computed only
    /// if `stored` has another algorithm or pepper.
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

    /// Returns the states of all peppers, that of the current one first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &HmacState> {
        self.peppers.iter().rev().map(|(_, state)| state)
    }

    fn find(&self, id: u32) -> Option<&HmacState> {
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

/// Computes SHA-256 of `id || secret` with one call of the block function.
///
/// A hasher would collect the two parts in a buffer first, at half the cost of the block.
fn sha_256(key: &KeyId, secret: &[u8; 32]) -> Digest {
    let bytes = end(SHA_256_BEGIN, &last_block(&[key.as_bytes(), secret], 0));
    Digest { algorithm: SHA_256, pepper: 0, bytes }
}

fn hmac_sha_256(id: u32, state: &HmacState, key: &KeyId, secret: &[u8; 32]) -> Digest {
    let bytes = state.mac(&[key.as_bytes(), secret]);
    Digest { algorithm: HMAC_SHA_256, pepper: id, bytes }
}

/// The states of the two hashes of HMAC-SHA-256 after the block that is made of the key.
///
/// RFC 2104 section 4 recommends to keep them: a digest then costs two blocks instead of four.
#[derive(Clone)]
pub(crate) struct HmacState {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl HmacState {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; 64]);
        match block.get_mut(..key.len()) {
            Some(place) => place.copy_from_slice(key),
            None => block[..32].copy_from_slice(&Sha256::digest(key)),
        }
        let after = |pad: u8| {
            let mut state = SHA_256_BEGIN;
            compress256(&mut state, &[*Zeroizing::new(block.map(|byte| byte ^ pad))]);
            state
        };
        Self { inner: after(0x36), outer: after(0x5c) }
    }

    /// Returns HMAC-SHA-256 of a message of at most 55 bytes.
    pub(crate) fn mac(&self, message: &[&[u8]]) -> [u8; 32] {
        let inner = end(self.inner, &last_block(message, 1));
        end(self.outer, &last_block(&[&inner], 1))
    }
}

/// Returns the last block of a message of at most 55 bytes: the bytes, 0x80, zeros and the length
/// of the message in bits (FIPS 180-4 section 5.1.1). `before` is the number of blocks before it.
fn last_block(parts: &[&[u8]], before: u64) -> [u8; 64] {
    let (mut block, mut len) = ([0; 64], 0);
    for part in parts {
        block[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    block[len] = 0x80;
    block[56..].copy_from_slice(&((before * 64 + len as u64) * 8).to_be_bytes());
    block
}

/// Returns the hash after the last block.
fn end(mut state: [u32; 8], last: &[u8; 64]) -> [u8; 32] {
    compress256(&mut state, std::slice::from_ref(last));
    let mut hash = [0; 32];
    for (place, word) in hash.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};

    use super::*;

    fn drawn<const N: usize>(mut symbol: impl FnMut() -> char) -> [u8; N] {
        std::array::from_fn(|_| symbol() as u8)
    }

    #[test]
    fn one_block_is_sha_256() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..1_000 {
            let (id, secret) = (drawn(|| random.alphanumeric()), drawn(|| random.alphanumeric()));
            let expected: [u8; 32] =
                Sha256::new().chain_update(id).chain_update(secret).finalize().into();
            assert_eq!(sha_256(&KeyId::from_base62(id), &secret).bytes, expected);
        }
    }

    #[test]
    fn kept_states_are_hmac_sha_256() {
        let mut random = fastrand::Rng::with_seed(8);
        // Peppers up to a block, of a block, and longer ones, which are hashed first.
        for len in 32..200 {
            let pepper: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
            let (id, secret) = (drawn(|| random.alphanumeric()), drawn(|| random.alphanumeric()));
            let mut mac = Hmac::<Sha256>::new_from_slice(&pepper).expect("any length");
            mac.update(&id);
            mac.update(&secret);
            let expected: [u8; 32] = mac.finalize().into_bytes().into();
            let digest =
                hmac_sha_256(1, &HmacState::new(&pepper), &KeyId::from_base62(id), &secret);
            assert_eq!(digest.bytes, expected, "a pepper of {len} bytes");
        }
    }
}
