//! Finding the credential of a request in its headers. The URL is never read.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::answer::Challenge;
use super::headers::{HeaderError, Headers, header_name, is_symbol};
use crate::value::token::{Credential, Presented};

const AUTHORIZATION: &str = "authorization";

/// The longest credential in a header value, in bytes. A longer value is refused unread.
const MAX_LEN: usize = 128;

/// The places where a request may carry its credential.
///
/// By default, a guard accepts a credential in three places:
///
/// | header | content | grammar |
/// |---|---|---|
/// | `Authorization: Bearer TOKEN` | the whole token | RFC 6750 section 2.1, with one space |
/// | `Authorization: Basic BASE64` | the key id as user name, the key secret as password | RFC 7617 section 2, with one space |
/// | `X-API-Key: TOKEN` | the whole token | the value is the token and nothing else |
///
/// The case of the letters in `Bearer` and `Basic` does not matter (RFC 9110 section 11.1). The
/// guard ignores a scheme or header that is turned off, so the host can use it for another purpose.
///
/// Pass the sources to [`Guard::credentials`](crate::http::Guard::credentials):
///
/// ```
/// # use keywright::{Keywright, store::MemoryStore};
/// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
/// use keywright::http::{CredentialSources, Guard};
///
/// let credentials = CredentialSources::default().without_basic().header("X-Acme-Key")?;
/// let guard = Guard::new(verifier).credentials(credentials);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct CredentialSources {
    bearer: bool,
    basic: bool,
    header: Option<Cow<'static, str>>,
}

/// The error for a request with more than one credential. The guard does not choose between them.
#[derive(Debug)]
pub(super) struct Several;

/// The content of a header that may carry a credential.
pub(super) enum Carried<'h> {
    Token(&'h str),
    Parts(BasicParts),
    /// A value that can't be a credential.
    Malformed,
}

/// The decoded user name and password of HTTP Basic.
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
    /// Turns `Authorization: Bearer` off, so that the host can use it for another purpose.
    ///
    /// ```
    /// use keywright::http::CredentialSources;
    ///
    /// // The `Authorization` header belongs to the sessions of the host: only `X-API-Key` carries a key.
    /// let credentials = CredentialSources::default().without_bearer().without_basic();
    /// ```
    pub fn without_bearer(self) -> Self {
        Self { bearer: false, ..self }
    }

    /// Turns `Authorization: Basic` off, so that the host can use it for another purpose.
    ///
    /// ```
    /// use keywright::http::CredentialSources;
    ///
    /// let credentials = CredentialSources::default().without_basic();
    /// ```
    pub fn without_basic(self) -> Self {
        Self { basic: false, ..self }
    }

    /// Turns the header for whole tokens off, so that the guard reads only `Authorization`.
    ///
    /// ```
    /// use keywright::http::CredentialSources;
    ///
    /// let only_bearer = CredentialSources::default().without_basic().without_header();
    /// ```
    pub fn without_header(self) -> Self {
        Self { header: None, ..self }
    }

    /// Reads whole tokens from the header with this name instead of `X-API-Key`.
    ///
    /// The name has 1 to 64 characters.
    ///
    /// # Errors
    /// * [`HeaderError::Malformed`] if the text is not a header name.
    /// * [`HeaderError::Reserved`] if the header has another purpose in HTTP, such as `Cookie`.
    ///
    /// ```
    /// use keywright::http::CredentialSources;
    ///
    /// let credentials = CredentialSources::default().header("X-Acme-Key")?;
    /// assert!(CredentialSources::default().header("Host").is_err());
    /// # Ok::<(), keywright::Error>(())
    /// ```
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

    /// Returns the credential of a request, or `None` if it carries none.
    pub(super) fn find<'h>(
        &self,
        headers: &'h impl Headers,
    ) -> Result<Option<Carried<'h>>, Several> {
        match (self.in_authorization(headers)?, self.in_header(headers)?) {
            (Some(_), Some(_)) => Err(Several),
            (found, None) | (None, found) => Ok(found),
        }
    }

    /// Returns the name of the header that carries the credential, if there is one.
    pub(super) fn used_header(&self, headers: &impl Headers) -> Option<&str> {
        match self.in_authorization(headers) {
            Ok(Some(_)) => Some(AUTHORIZATION),
            _ => self.header.as_deref().filter(|name| headers.values(name).next().is_some()),
        }
    }

    /// Returns the names of the headers that may carry a credential.
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
        // Every value that starts with one of our schemes is read as a credential, so that a tab
        // instead of the space is refused and not ignored.
        let end = value.iter().position(|byte| !is_symbol(*byte)).unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        let read: fn(&[u8]) -> Carried<'_> =
            if scheme.eq_ignore_ascii_case(b"bearer") && self.bearer {
                token
            } else if scheme.eq_ignore_ascii_case(b"basic") && self.basic {
                basic
            } else if rest.is_empty() && token(value).is_token() {
                // A token without a scheme is a mistake of the client, which must learn of it.
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
    /// Returns whether this is a well-formed whole token.
    fn is_token(&self) -> bool {
        matches!(self, Self::Token(text) if Presented::is_token(text))
    }

    /// Returns the credential to verify, or `None` if the value is malformed.
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

/// Returns the value of a header, which must not occur twice.
fn only<'h>(headers: &'h impl Headers, name: &str) -> Result<Option<&'h [u8]>, Several> {
    let mut values = headers.values(name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Several),
        (value, None) => Ok(value),
    }
}

/// Reads a whole token. The length is checked first, so that a long value costs no more than a
/// short one.
fn token(value: &[u8]) -> Carried<'_> {
    if value.len() > MAX_LEN {
        return Carried::Malformed;
    }
    std::str::from_utf8(value).map_or(Carried::Malformed, Carried::Token)
}

/// Decodes the user name and password of HTTP Basic.
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
