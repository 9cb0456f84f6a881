//! Signatures of [Standard Webhooks](https://www.standardwebhooks.com): HMAC-SHA-256 over the id, the
//! timestamp and the body.

use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use base64ct::{Base64, Encoding};
use ring::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::headers;
use super::refusal::ReportRefusal;
use crate::value::text::decimal;
use crate::value::time::Timestamp;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// The largest difference between a timestamp and the clock.
const TOLERANCE: Duration = Duration::from_secs(300);
const MAX_ID: usize = 128;
/// The maximum number of signatures on a report. A sender that changes its secret signs with both.
const MAX_SIGNATURES: usize = 8;

/// The secret that a sender of reports shares with the host, as Standard Webhooks writes it.
///
/// `Debug` shows no part of it.
///
/// ```
/// use keywright::http::reports::WebhookSecret;
///
/// let secret = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
/// # Ok::<(), keywright::http::reports::WebhookSecretError>(())
/// ```
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

/// The error for a text that is not a [`WebhookSecret`].
///
/// The message does not repeat the text.
///
/// ```
/// use keywright::http::reports::{WebhookSecret, WebhookSecretError};
///
/// let short = WebhookSecret::new("whsec_c2hvcnQ=");
/// assert_eq!(short.err(), Some(WebhookSecretError::Length(5)));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookSecretError {
    /// The text is not `whsec_` and base64.
    #[error("the secret must be whsec_ and 24 to 64 random bytes in base64")]
    Form,
    /// The secret is too short or too long. The value is its length, in bytes.
    #[error("the secret must have 24 to 64 bytes, got {0}")]
    Length(usize),
}

impl WebhookSecret {
    /// Reads a secret: `whsec_`, and 24 to 64 random bytes in base64.
    ///
    /// ```
    /// use keywright::http::reports::WebhookSecret;
    ///
    /// assert!(WebhookSecret::new("a password").is_err());
    /// ```
    ///
    /// # Errors
    /// [`WebhookSecretError`] for the first rule that the text breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, WebhookSecretError> {
        let base64 = text.as_ref().strip_prefix("whsec_").ok_or(WebhookSecretError::Form)?;
        let bytes = Base64::decode_vec(base64).map_err(|_| WebhookSecretError::Form)?;
        let bytes = Zeroizing::new(bytes);
        if !(24..=64).contains(&bytes.len()) {
            return Err(WebhookSecretError::Length(bytes.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// The headers of a report, whose signature is not yet checked.
pub(super) struct Signed {
    pub(super) id: String,
    at: Timestamp,
    timestamp: String,
    signatures: Vec<Vec<u8>>,
}

impl Signed {
    /// Reads the headers, and checks that the timestamp is near `now`.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Result<Self, ReportRefusal> {
        let id = headers::one(headers, ID)?;
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ReportRefusal::Header(ID));
        }
        let timestamp = headers::one(headers, TIMESTAMP)?;
        let at = decimal(timestamp).and_then(Timestamp::from_unix_seconds);
        let at = at.ok_or(ReportRefusal::Header(TIMESTAMP))?;
        // Other versions than 1, such as the asymmetric `v1a`, are skipped.
        let signatures = headers::one(headers, SIGNATURE)?.split(' ');
        let signatures = signatures.filter_map(|text| text.strip_prefix("v1,"));
        let signatures: Vec<_> = signatures
            .take(MAX_SIGNATURES)
            .filter_map(|base64| Base64::decode_vec(base64).ok())
            .collect();
        if signatures.is_empty() {
            return Err(ReportRefusal::Header(SIGNATURE));
        }
        let distance = now.since(at).max(at.since(now));
        if distance > TOLERANCE {
            return Err(ReportRefusal::StaleTimestamp);
        }
        Ok(Self { id: id.to_owned(), at, timestamp: timestamp.to_owned(), signatures })
    }

    /// Returns whether a signature is that of the body under the secret. Each comparison takes the
    /// same time wherever two signatures differ.
    pub(super) fn is_by(&self, secret: &WebhookSecret, body: &[u8]) -> bool {
        let mut hmac = hmac::Context::with_key(&secret.0);
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body] {
            hmac.update(part);
        }
        let tag = hmac.sign();
        self.signatures.iter().any(|signature| tag.as_ref().ct_eq(signature).into())
    }

    /// Returns the time from which this report is stale.
    pub(super) fn stale_at(&self) -> Timestamp {
        self.at.saturating_add(TOLERANCE)
    }
}
