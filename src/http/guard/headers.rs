//! The headers of a request: how the guard reads them, and which names a host may choose.

use crate::value::redact::{looks_like_token, redact};

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

/// The headers of a request, of any type.
pub(crate) trait Headers {
    /// Returns all values under a name, in their order.
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]>;
}

/// Checks the name of a header and returns it in lower case.
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
pub(super) fn is_symbol(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
