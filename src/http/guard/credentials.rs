//! Where a request may carry its credential, and how the guard finds it there. Never in the URL.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::answer::Challenge;
use super::headers::{HeaderError, Headers, header_name, is_symbol};
use crate::value::token::{Credential, Presented};

const AUTHORIZATION: &str = "authorization";

/// The longest credential in a header, in bytes, however it is written. A longer value is not read.
const MAX_LEN: usize = 128;

/// Where a request may carry its credential: by default in any of three places.
///
/// | where | what | grammar |
/// |---|---|---|
/// | `Authorization: Bearer TOKEN` | the whole token | RFC 6750 section 2.1, with one space |
/// | `Authorization: Basic BASE64` | key id and key secret | RFC 7617 section 2, with one space |
/// | `X-API-Key: TOKEN` | the whole token | the value of the header, and nothing else |
///
/// The scheme's letters may be of either case (RFC 9110 section 11.1). A scheme that is not among
/// those that are on is left to the host; so is a header that is off.
///
/// ```
/// use keywright::http::CredentialSources;
///
/// let credentials = CredentialSources::default().without_basic().header("X-Acme-Key")?;
/// # Ok::<(), keywright::http::HeaderError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct CredentialSources {
    bearer: bool,
    basic: bool,
    header: Option<Cow<'static, str>>,
}

/// The request carries more than one credential. The guard does not guess which one is meant.
#[derive(Debug)]
pub(super) struct Several;

/// The content of the place where a credential belongs.
pub(super) enum Carried<'h> {
    Token(&'h str),
    Parts(BasicParts),
    /// Nothing that could be one.
    Malformed,
}

/// User name and password of HTTP Basic, decoded.
pub(super) struct BasicParts {
    text: Zeroizing<[u8; MAX_LEN]>,
    colon: usize,
    end: usize,
}

impl Default for CredentialSources {
    fn default() -> Self {
        Self { bearer: true, basic: true, header: Some("x-api-key".into()) }
    }
}

impl CredentialSources {
    /// Turns `Authorization: Bearer` off. The host may use it for something else.
    pub fn without_bearer(self) -> Self {
        Self { bearer: false, ..self }
    }

    /// Turns `Authorization: Basic` off. The host may use it for something else.
    pub fn without_basic(self) -> Self {
        Self { basic: false, ..self }
    }

    /// Turns the header for whole tokens off. Only `Authorization` is read then.
    pub fn without_header(self) -> Self {
        Self { header: None, ..self }
    }

    /// Reads whole tokens from this header, in place of `X-API-Key`.
    ///
    /// # Errors
    /// [`HeaderError`] if the text is not the name of a header, or names one with a meaning of its own.
    pub fn header(self, name: &str) -> Result<Self, HeaderError> {
        const RESERVED: [&str; 9] = [
            AUTHORIZATION,
            "connection",
            "content-length",
            "content-type",
            "cookie",
            "forwarded",
            "host",
            "transfer-encoding",
            "x-forwarded-for",
        ];
        Ok(Self { header: Some(header_name(name, &RESERVED)?.into()), ..self })
    }

    /// Returns the one credential of a request, if it carries one.
    pub(super) fn find<'h>(
        &self,
        headers: &'h impl Headers,
    ) -> Result<Option<Carried<'h>>, Several> {
        match (self.in_authorization(headers)?, self.in_header(headers)?) {
            (Some(_), Some(_)) => Err(Several),
            (found, None) | (None, found) => Ok(found),
        }
    }

    /// Returns the header that carries the credential, if one does.
    pub(super) fn used_header(&self, headers: &impl Headers) -> Option<&str> {
        match self.in_authorization(headers) {
            Ok(Some(_)) => Some(AUTHORIZATION),
            _ => self.header.as_deref().filter(|name| headers.values(name).next().is_some()),
        }
    }

    /// Returns the headers that may carry a credential.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        let authorization = (self.bearer || self.basic).then_some(AUTHORIZATION);
        authorization.into_iter().chain(self.header.as_deref())
    }

    pub(super) fn challenge(&self) -> Challenge {
        match (self.bearer, self.basic) {
            (true, _) => Challenge::Bearer,
            (_, true) => Challenge::Basic,
            _ => Challenge::ApiKey,
        }
    }

    fn in_authorization<'h>(
        &self,
        headers: &'h impl Headers,
    ) -> Result<Option<Carried<'h>>, Several> {
        if !self.bearer && !self.basic {
            return Ok(None);
        }
        let Some(value) = only(headers, AUTHORIZATION)? else { return Ok(None) };
        // Anything behind our scheme is an attempt to use it, a tab in place of the space included.
        let end = value.iter().position(|byte| !is_symbol(*byte)).unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        let read: fn(&[u8]) -> Carried<'_> =
            if scheme.eq_ignore_ascii_case(b"bearer") && self.bearer {
                token
            } else if scheme.eq_ignore_ascii_case(b"basic") && self.basic {
                basic
            } else if rest.is_empty() && token(value).is_token() {
                // A token without a scheme is a mistake to report, not an anonymous request.
                |_| Carried::Malformed
            } else {
                return Ok(None);
            };
        Ok(Some(rest.strip_prefix(b" ").map_or(Carried::Malformed, read)))
    }

    fn in_header<'h>(&self, headers: &'h impl Headers) -> Result<Option<Carried<'h>>, Several> {
        let Some(name) = &self.header else { return Ok(None) };
        Ok(only(headers, name)?.map(token))
    }
}

impl Carried<'_> {
    /// Whether this is a well-formed whole token.
    fn is_token(&self) -> bool {
        matches!(self, Self::Token(text) if Presented::parse(Credential::Token(text)).is_some())
    }

    /// Returns the credential to verify, `None` if it can't be one.
    pub(super) fn credential(&self) -> Option<Credential<'_>> {
        match self {
            Self::Token(text) => Some(Credential::Token(text)),
            Self::Parts(parts) => parts.credential(),
            Self::Malformed => None,
        }
    }
}

impl BasicParts {
    fn credential(&self) -> Option<Credential<'_>> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let key_id = text(&self.text[..self.colon])?;
        let key_secret = text(&self.text[self.colon + 1..self.end])?;
        Some(Credential::Parts { key_id, key_secret })
    }
}

/// Returns the value of a header that may occur once.
fn only<'h>(headers: &'h impl Headers, name: &str) -> Result<Option<&'h [u8]>, Several> {
    let mut values = headers.values(name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Several),
        (value, None) => Ok(value),
    }
}

/// Reads a whole token. The length comes first: refusing a value costs the same however long it is.
fn token(value: &[u8]) -> Carried<'_> {
    if value.len() > MAX_LEN {
        return Carried::Malformed;
    }
    std::str::from_utf8(value).map_or(Carried::Malformed, Carried::Token)
}

fn basic(value: &[u8]) -> Carried<'_> {
    if value.len() > MAX_LEN {
        return Carried::Malformed;
    }
    let mut text = Zeroizing::new([0; MAX_LEN]);
    let Ok(decoded) = Base64::decode(value, &mut *text) else { return Carried::Malformed };
    let end = decoded.len();
    match decoded.iter().position(|byte| *byte == b':') {
        Some(colon) => Carried::Parts(BasicParts { text, colon, end }),
        None => Carried::Malformed,
    }
}
