//! Where a request may carry its credential, and how it is found there. Never in the URL.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::value::redact::{looks_like_token, redact};
use crate::value::token::{Credential, Presented};

pub(super) const AUTHORIZATION: &str = "authorization";

/// No credential is longer than this in a header, however it is written. What is longer is not read.
const MAX_LEN: usize = 128;

/// Which credentials a request may carry: by default all three.
///
/// | where | what | grammar |
/// |---|---|---|
/// | `Authorization: Bearer TOKEN` | the whole token | RFC 6750 section 2.1, with one space |
/// | `Authorization: Basic BASE64` | key id and key secret | RFC 7617 section 2, with one space |
/// | `X-API-Key: TOKEN` | the whole token | the value of the header, and nothing else |
///
/// The scheme's letters may be of either case (RFC 9110 section 11.1). A scheme that is not among
/// those that are on belongs to somebody else and is left alone; so is a header that is off.
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

/// A text can't be the name of the header that is to be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not the name of a header (`token` in RFC 9110 section 5.6.2), over 64 characters, or an API key
    /// by the look of it.
    #[error("{0:?} is not the name of a header")]
    Malformed(String),
    /// The name of a header that has a meaning of its own, such as `Authorization`, `Cookie`, `Host`,
    /// `Content-Type` or `Forwarded`.
    #[error("{0} has a meaning of its own: choose another header")]
    Reserved(String),
}

/// The headers of a request, whatever their type is.
pub(super) trait Headers {
    /// All values under a name, in their order.
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]>;
}

/// The request carries more than one credential, and nobody is to guess which one is meant.
#[derive(Debug)]
pub(super) struct Several;

/// What stands where a credential belongs.
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

/// How a refused caller is told to authenticate (RFC 9110 section 11.6.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Challenge {
    #[default]
    Bearer,
    Basic,
    /// For a header of one's own there is no registered scheme.
    ApiKey,
}

impl Default for CredentialSources {
    fn default() -> Self {
        Self { bearer: true, basic: true, header: Some("x-api-key".into()) }
    }
}

impl CredentialSources {
    /// `Authorization: Bearer` is not read, and may be used for something else.
    pub fn without_bearer(self) -> Self {
        Self { bearer: false, ..self }
    }

    /// `Authorization: Basic` is not read, and may be used for something else.
    pub fn without_basic(self) -> Self {
        Self { basic: false, ..self }
    }

    /// No header is read but `Authorization`.
    pub fn without_header(self) -> Self {
        Self { header: None, ..self }
    }

    /// Another header for tokens in the place of `X-API-Key`.
    ///
    /// # Errors
    /// [`HeaderError`] if it is no name of a header, or that of one with a meaning of its own.
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

    /// The one credential of a request, if it carries one.
    pub(super) fn find<'h>(
        &self,
        headers: &'h impl Headers,
    ) -> Result<Option<Carried<'h>>, Several> {
        match (self.in_authorization(headers)?, self.in_header(headers)?) {
            (Some(_), Some(_)) => Err(Several),
            (found, None) | (None, found) => Ok(found),
        }
    }

    /// The header that carries the credential, if one does.
    pub(super) fn place(&self, headers: &impl Headers) -> Option<&str> {
        match self.in_authorization(headers) {
            Ok(Some(_)) => Some(AUTHORIZATION),
            _ => self.header.as_deref().filter(|name| headers.values(name).next().is_some()),
        }
    }

    /// The headers that may carry one.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
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
        // Whatever stands behind our scheme, it is a try to use it: a tab, say, for the space.
        let end = value.iter().position(|byte| !is_symbol(*byte)).unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        let read: fn(&[u8]) -> Carried<'_> =
            if scheme.eq_ignore_ascii_case(b"bearer") && self.bearer {
                token
            } else if scheme.eq_ignore_ascii_case(b"basic") && self.basic {
                basic
            } else if rest.is_empty() && token(value).is_token() {
                // A token without a scheme: a mistake to be told of, and no anonymous request.
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
    /// Whether it is written as a whole token is.
    fn is_token(&self) -> bool {
        matches!(self, Self::Token(text) if Presented::parse(Credential::Token(text)).is_some())
    }

    /// The credential to verify. `None` if it can't be one.
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

/// The name of a header, in lower case.
pub(super) fn header_name(name: &str, reserved: &[&str]) -> Result<String, HeaderError> {
    let fits = !name.is_empty() && name.len() <= 64 && name.bytes().all(is_symbol);
    if !fits || looks_like_token(name) {
        return Err(HeaderError::Malformed(redact(name)));
    }
    let name = name.to_ascii_lowercase();
    if reserved.contains(&name.as_str()) {
        return Err(HeaderError::Reserved(name));
    }
    Ok(name)
}

/// Whether a byte belongs to names of headers and schemes (`tchar` in RFC 9110 section 5.6.2).
fn is_symbol(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The value of a header that may be there once.
fn only<'h>(headers: &'h impl Headers, name: &str) -> Result<Option<&'h [u8]>, Several> {
    let mut values = headers.values(name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Several),
        (value, None) => Ok(value),
    }
}

/// The length first: however long a value is, refusing it costs the same.
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
