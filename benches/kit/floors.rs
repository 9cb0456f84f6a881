//! Floors that no design avoids, a prototype of a check that does nothing else, and a peer.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use foldhash::fast::RandomState;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use prefixed_api_key::PakControllerOsSha256;
use sha2::{Digest, Sha256};

use crate::tokens::Tokens;
use crate::world::World;

/// Hashes one block of SHA-256: the 48 bytes of an id and a secret.
pub fn sha_256_block() {
    black_box(Sha256::digest(black_box([7_u8; 48])));
}

/// Returns a function that computes an HMAC-SHA-256 of 48 bytes from precomputed states.
///
/// # Panics
/// Never: a key of any length is valid.
pub fn hmac_sha_256() -> impl FnMut() {
    let ready = Hmac::<Sha256>::new_from_slice(&[1; 32]).expect("a key");
    move || {
        let mut mac = black_box(&ready).clone();
        mac.update(black_box(&[7_u8; 48]));
        black_box(mac.finalize().into_bytes());
    }
}

/// A map from ids to digests that lie in the map itself, with a fast hasher.
#[derive(Debug, Default)]
pub struct FlatMap(HashMap<[u8; 16], [u64; 6], RandomState>);

fn id(text: &str) -> [u8; 16] {
    text.as_bytes().try_into().expect("an id has 16 bytes")
}

impl FlatMap {
    /// Creates a map with the ids of tokens.
    pub fn of(tokens: &Tokens) -> Self {
        Self((0..tokens.len()).map(|place| (id(tokens.id(place)), [1; 6])).collect())
    }

    /// Hashes one block and looks up an id.
    pub fn block_and_lookup(&self, token: &str) {
        sha_256_block();
        let found = self.0.get(&id(World::id_of(black_box(token))));
        black_box(found.map(|slot| slot[0]));
    }
}

struct Slot {
    digest: [u64; 4],
    expires_at: u64,
    uses: AtomicU64,
}

/// A whole check with nothing to decide: parse, CRC-32, lookup, hash, comparison, clock, count.
#[derive(Default)]
pub struct Prototype(HashMap<[u8; 16], Slot, RandomState>);

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Prototype {
    /// Creates a prototype that knows these tokens.
    pub fn of(tokens: &Tokens) -> Self {
        let slot = |token: &str| {
            let digest = Self::digest(Self::secret_part(token));
            (
                id(World::id_of(token)),
                Slot { digest, expires_at: u64::MAX, uses: AtomicU64::new(0) },
            )
        };
        Self(tokens.iter().map(slot).collect())
    }

    /// Returns the id and the secret of a token.
    fn secret_part(token: &str) -> &str {
        &token[token.len() - 54..token.len() - 6]
    }

    fn digest(secret: &str) -> [u64; 4] {
        let digest = Sha256::digest(secret.as_bytes());
        let (words, _) = digest.as_chunks::<8>();
        std::array::from_fn(|word| u64::from_ne_bytes(words[word]))
    }

    /// Returns whether the prototype accepts a token.
    pub fn accepts(&self, token: &str) -> bool {
        self.check(token).is_some()
    }

    fn check(&self, token: &str) -> Option<()> {
        let (body, check) = token.split_at_checked(token.len().checked_sub(6)?)?;
        let (prefix, secret) = body.split_at_checked(body.len().checked_sub(48)?)?;
        let is_sound = prefix.ends_with('_') && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        let mut crc = crc32fast::hash(body.as_bytes());
        let mut expected = [0; 6];
        for byte in expected.iter_mut().rev() {
            *byte = ALPHABET[(crc % 62) as usize];
            crc /= 62;
        }
        if !is_sound || expected != check.as_bytes() {
            return None;
        }
        let slot = self.0.get(&id(&secret[..16]))?;
        let digest = Self::digest(secret);
        let difference = digest.iter().zip(&slot.digest).fold(0, |all, (a, b)| all | (a ^ b));
        if black_box(difference) != 0 {
            return None;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        slot.uses.fetch_add(1, Ordering::Relaxed);
        (now < slot.expires_at).then_some(())
    }
}

/// Returns the crate prefixed-api-key with its own defaults.
///
/// # Panics
/// Never: the defaults are valid.
pub fn peer() -> PakControllerOsSha256 {
    let setup = PakControllerOsSha256::configure().prefix("acme".to_owned());
    setup.seam_defaults().finalize().expect("the peer's own defaults")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::Population;

    #[test]
    fn prototype_checks_real_tokens() {
        let population = Population::of(20);
        let prototype = Prototype::of(&population.tokens);
        assert!(population.tokens.iter().all(|token| prototype.accepts(token)));
        let other = Population::of(1);
        assert!(!prototype.accepts(other.tokens.at(0)));
        let typo = population.tokens.at(0).replace("acme", "acne");
        assert!(!prototype.accepts(&typo) && !prototype.accepts("acme"));
    }
}
