//! Reading the headers of a request, and checking the header names that a host chooses.

use crate::value::redact::{looks_like_token, redact};

/// The error of [`CredentialSources::header`] and [`TrustedProxies::header`] for a header name that
/// can't be used.
///
/// ```
/// use keywright::http::{CredentialSources, HeaderError};
///
/// let reserved = CredentialSources::default().header("Cookie");
/// assert_eq!(reserved.err(), Some(HeaderError::Reserved("cookie".into())));
/// let malformed = CredentialSources::default().header("X API Key");
/// assert!(matches!(malformed, Err(HeaderError::Malformed(_))));
/// ```
///
/// [`CredentialSources::header`]: crate::http::CredentialSources::header
/// [`TrustedProxies::header`]: crate::http::TrustedProxies::header
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The text is not a header name of 1 to 64 characters (`token` in RFC 9110 section 5.6.2), or
    /// it looks like an API key. In that case, the message does not repeat the text.
    #[error("{0:?} is not a header name; use 1 to 64 letters, digits and hyphens")]
    Malformed(String),
    /// The header has another purpose in HTTP, such as `Authorization`, `Cookie`, `Host`,
    /// `Content-Type` or `Forwarded`.
    #[error("the header {0} has another purpose in HTTP; choose another header")]
    Reserved(String),
}

/// The headers of a request, in the type of any framework.
pub(crate) trait Headers {
    /// Returns all values of this header, in their order.
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]>;
}

/// Checks a header name and returns it in lower case.
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

/// Returns whether a byte may occur in the name of a header or scheme (`tchar` in RFC 9110 section
/// 5.6.2).
pub(super) fn is_symbol(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
