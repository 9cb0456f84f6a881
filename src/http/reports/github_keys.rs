//! GitHub's public keys, which the host fetches.

use std::sync::{Arc, PoisonError, RwLock};

use base64ct::{Base64, Encoding};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

use super::refusal::ReportRefusal;
use crate::value::redact::redact;

/// The start of a public key on P-256 in DER: the structure of RFC 5480 up to the point, which is
/// not compressed.
const START: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const POINT_LEN: usize = 65;

/// The public keys with which GitHub signs its reports.
///
/// Clones share one list. The crate makes no requests. The host fetches
/// `https://api.github.com/meta/public_keys/secret_scanning` and gives the body to
/// [`replace`](Self::replace): at the start, once a day, and after a report with the refusal
/// [`UnknownKey`](ReportRefusal::UnknownKey).
///
/// ```
/// use keywright::http::reports::GithubKeys;
///
/// let body = br#"{"public_keys": [{
///     "key_identifier": "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c",
///     "key": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n",
///     "is_current": true
/// }]}"#;
/// let keys = GithubKeys::new();
/// keys.replace(body)?;
/// # Ok::<(), keywright::http::reports::GithubKeysError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct GithubKeys(Arc<RwLock<Vec<Named>>>);

/// A list of public keys that cannot be used.
///
/// ```
/// use keywright::http::reports::{GithubKeys, GithubKeysError};
///
/// let empty = GithubKeys::new().replace(br#"{"public_keys": []}"#);
/// assert_eq!(empty, Err(GithubKeysError::NumberOfKeys(0)));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GithubKeysError {
    /// The list is too long. The value is its length, in bytes.
    #[error("the list of public keys must have at most {max} bytes, got {0}", max = GithubKeys::MAX_BYTES)]
    TooLong(usize),
    /// The text is not the JSON of GitHub's list.
    #[error("the list of public keys is not GitHub's JSON, at line {line}, column {column}")]
    Malformed {
        /// The line of the flaw, from 1.
        line: usize,
        /// The column of the flaw, from 1.
        column: usize,
    },
    /// The list has no keys, or too many. The value is their number.
    #[error("the list must have 1 to {max} public keys, got {0}", max = GithubKeys::MAX_KEYS)]
    NumberOfKeys(usize),
    /// A key is not a public key on P-256 in PEM. The value is its id, shortened.
    #[error("the public key {0:?} is not on P-256 in PEM")]
    NotAKey(String),
}

#[derive(Debug)]
struct Named {
    id: String,
    point: [u8; POINT_LEN],
}

#[derive(Deserialize)]
struct List {
    public_keys: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    key_identifier: String,
    key: String,
}

impl GithubKeys {
    /// The maximum length of a list, in bytes.
    pub const MAX_BYTES: usize = 65_536;
    /// The maximum number of keys in a list.
    pub const MAX_KEYS: usize = 100;

    /// Creates an empty list, with which every report is refused.
    ///
    /// ```
    /// use keywright::http::reports::GithubKeys;
    ///
    /// let keys = GithubKeys::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the list, for all clones, by the body of GitHub's response.
    ///
    /// Each key of the body counts, current or not. After an error the list is unchanged.
    ///
    /// ```
    /// use keywright::http::reports::GithubKeys;
    ///
    /// assert!(GithubKeys::new().replace(b"rate limit exceeded").is_err());
    /// ```
    ///
    /// # Errors
    /// [`GithubKeysError`] for the first rule that the body breaks.
    pub fn replace(&self, body: &[u8]) -> Result<(), GithubKeysError> {
        if body.len() > Self::MAX_BYTES {
            return Err(GithubKeysError::TooLong(body.len()));
        }
        let List { public_keys } = serde_json::from_slice(body).map_err(|error| {
            GithubKeysError::Malformed { line: error.line(), column: error.column() }
        })?;
        if public_keys.is_empty() || public_keys.len() > Self::MAX_KEYS {
            return Err(GithubKeysError::NumberOfKeys(public_keys.len()));
        }
        let named =
            public_keys.into_iter().map(|Listed { key_identifier: id, key }| match point(&key) {
                Some(point) => Ok(Named { id, point }),
                None => Err(GithubKeysError::NotAKey(redact(&id))),
            });
        let named = named.collect::<Result<_, _>>()?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = named;
        Ok(())
    }

    /// Returns whether the list has a key with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.point(id).is_some()
    }

    /// Checks the signature of a body: ECDSA on P-256 with SHA-256, in DER and base64.
    pub(super) fn check(
        &self,
        id: &str,
        signature: &str,
        body: &[u8],
    ) -> Result<(), ReportRefusal> {
        let point = self.point(id).ok_or(ReportRefusal::UnknownKey)?;
        let wrong = || ReportRefusal::WrongSignature;
        let signature = Base64::decode_vec(signature).map_err(|_| wrong())?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(body, &signature).map_err(|_| wrong())
    }

    fn point(&self, id: &str) -> Option<[u8; POINT_LEN]> {
        let named = self.0.read().unwrap_or_else(PoisonError::into_inner);
        named.iter().find(|named| named.id == id).map(|named| named.point)
    }
}

/// Returns the point of a public key in PEM (RFC 7468).
fn point(pem: &str) -> Option<[u8; POINT_LEN]> {
    let inner = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let inner = inner.strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = inner.split_ascii_whitespace().collect();
    let der = Base64::decode_vec(&base64).ok()?;
    let point: [u8; POINT_LEN] = der.strip_prefix(&START)?.try_into().ok()?;
    // 4 marks a point that is not compressed (SEC 1 section 2.3.3).
    (point[0] == 4).then_some(point)
}
