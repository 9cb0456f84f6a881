//! Origins of the host whose forms the page accepts.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::value::redact::redact;

/// The schemes of an origin, each with its default port.
const SCHEMES: [(&str, u16); 2] = [("https", 443), ("http", 80)];

/// The origin of a web page: scheme, host and port, as a browser sends it in `Origin` (RFC 6454).
///
/// The scheme is `https` or `http`. The host is a domain name in ASCII, an IPv4 address, or an IPv6
/// address in brackets. The port of the scheme is left out, and letters are lower case, as in the
/// header of a browser.
///
/// ```
/// use keywright::http::page::Origin;
///
/// assert_eq!(Origin::new("https://app.example.com")?.as_str(), "https://app.example.com");
/// assert_eq!(Origin::new("HTTPS://App.Example.com:443")?.as_str(), "https://app.example.com");
/// assert_eq!(Origin::new("http://[0:0::1]:3000")?.as_str(), "http://[::1]:3000");
/// # Ok::<(), keywright::http::page::OriginError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Origin(String);

/// A text that is not an [`Origin`].
///
/// The message has the text, unless it looks like a token or has a password.
///
/// ```
/// use keywright::http::page::{Origin, OriginError};
///
/// let refused = Origin::new("https://app.example.com/settings/keys").unwrap_err();
/// assert!(matches!(refused, OriginError::NotOnlyOrigin { .. }));
/// assert!(refused.to_string().contains("write https://app.example.com"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The text does not begin with `https://` or `http://`. One such text is `null`, the origin of
    /// every sandboxed frame.
    #[error(
        "an origin must begin with https:// or http://, got {0:?}; \
         write it like https://app.example.com"
    )]
    Scheme(String),
    /// The host is missing, has a wildcard or a character beyond ASCII, or is no name or address.
    #[error(
        "the host of an origin must be one domain name in ASCII, an IPv4 address, or an IPv6 address \
         in brackets, got {0:?}; write it like https://app.example.com"
    )]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error(
        "the port of an origin must be from 1 to 65535, got {0:?}; \
         write it like https://app.example.com:8443"
    )]
    Port(String),
    /// The text has a user before the host. The message does not repeat the user, who can have a
    /// password.
    #[error("an origin must not have a user before the host; write {origin}")]
    User {
        /// The origin without the user.
        origin: Origin,
    },
    /// The text has a path, a query or a fragment after the origin, or a slash at its end.
    #[error("an origin must end after the host or the port, got {got:?}; write {origin}")]
    NotOnlyOrigin {
        /// The text.
        got: String,
        /// The origin without the rest.
        origin: Origin,
    },
}

impl Origin {
    /// Creates an origin.
    ///
    /// ```
    /// use keywright::http::page::Origin;
    ///
    /// let origin = Origin::new("https://app.example.com:8443")?;
    /// assert_eq!(origin.to_string(), "https://app.example.com:8443");
    /// # Ok::<(), keywright::http::page::OriginError>(())
    /// ```
    ///
    /// # Errors
    /// [`OriginError`] if the text is anything but a scheme, a host and an optional port.
    pub fn new(origin: impl AsRef<str>) -> Result<Self, OriginError> {
        let text = origin.as_ref();
        let refused = || OriginError::Scheme(shown(text));
        let (scheme, rest) = text.split_once("://").ok_or_else(refused)?;
        let is_named = |(name, _): &&(&str, u16)| name.eq_ignore_ascii_case(scheme);
        let (scheme, default_port) = *SCHEMES.iter().find(is_named).ok_or_else(refused)?;

        let (authority, after) =
            rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        // The colons of an IPv6 address are in brackets.
        let host_end = address.find(']').map_or(0, |end| end + 1);
        let (host, port) = match address[host_end..].find(':') {
            Some(at) => (&address[..host_end + at], Some(&address[host_end + at + 1..])),
            None => (address, None),
        };
        let host = serialized(host).ok_or_else(|| OriginError::Host(redact(host)))?;
        let port = port.map(|port| self::port(port).ok_or_else(|| OriginError::Port(redact(port))));
        let port = port.transpose()?.filter(|port| *port != default_port);

        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = Self(format!("{scheme}://{host}{port}"));
        if user.is_some() {
            return Err(OriginError::User { origin });
        }
        if after.is_empty() {
            return Ok(origin);
        }
        Err(OriginError::NotOnlyOrigin { got: shown(text), origin })
    }

    /// Returns the origin as text, as a browser sends it.
    ///
    /// ```
    /// use keywright::http::page::Origin;
    ///
    /// assert_eq!(Origin::new("http://localhost:80")?.as_str(), "http://localhost");
    /// # Ok::<(), keywright::http::page::OriginError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a text in the form in which an error may repeat it: without a password before a host.
fn shown(text: &str) -> String {
    if text.contains('@') { "(not shown: it has a user)".to_owned() } else { redact(text) }
}

/// Returns a host in the form of the URL standard; `None` if it is no name and no address.
fn serialized(host: &str) -> Option<String> {
    if let Some(rest) = host.strip_prefix('[') {
        let address: Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
        return Some(match (address.to_ipv4_mapped(), address.segments()) {
            // The standard library writes the last 32 bits of such an address with dots.
            (Some(_), [.., high, low]) => format!("[::ffff:{high:x}:{low:x}]"),
            (None, _) => format!("[{address}]"),
        });
    }
    let is_label = |label: &str| {
        let is_valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=63).contains(&label.len()) && label.chars().all(is_valid)
    };
    if host.len() > 253 || !host.split('.').all(is_label) {
        return None;
    }
    // A browser takes a name that ends with a number for an IPv4 address.
    let last = host.rsplit('.').next()?;
    let is_hexadecimal = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let digits = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.chars().all(|c| c.is_ascii_digit()) || digits.is_some_and(is_hexadecimal);
    if is_number {
        return Some(host.parse::<Ipv4Addr>().ok()?.to_string());
    }
    Some(host.to_ascii_lowercase())
}

fn port(text: &str) -> Option<u16> {
    let is_number = text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port != 0)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Origin {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(origin: &str) -> Result<Self, OriginError> {
        Self::new(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_of_browsers() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("http://app.example.com", "http://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("https://app.example.com:0443", "https://app.example.com"),
            ("https://app.example.com:80", "https://app.example.com:80"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:65535", "http://localhost:65535"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://my_app.example", "https://my_app.example"),
            ("https://1password.example", "https://1password.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]", "http://[::1]"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://[::ffff:192.0.2.1]", "https://[::ffff:c000:201]"),
        ] {
            assert_eq!(Origin::new(text).as_ref().map(Origin::as_str), Ok(origin), "{text}");
            assert_eq!(
                origin.parse::<Origin>().map(|parsed| parsed.to_string()),
                Ok(origin.into())
            );
        }
    }

    #[test]
    fn other_texts_are_no_origins() {
        use OriginError as E;
        let scheme = |text: &str| E::Scheme(text.to_owned());
        let host = |text: &str| E::Host(text.to_owned());
        let port = |text: &str| E::Port(text.to_owned());
        let app = || Origin("https://app.example".to_owned());
        let more = |got: &str| E::NotOnlyOrigin { got: got.to_owned(), origin: app() };
        for (text, error) in [
            ("", scheme("")),
            ("null", scheme("null")),
            ("*", scheme("*")),
            ("app.example", scheme("app.example")),
            ("//app.example", scheme("//app.example")),
            ("ftp://app.example", scheme("ftp://app.example")),
            ("file:///keys", scheme("file:///keys")),
            ("ftp://ada:secret@app.example", scheme("(not shown: it has a user)")),
            (" https://app.example", scheme(" https://app.example")),
            ("https:/app.example", scheme("https:/app.example")),
            ("https://", host("")),
            ("https:///", host("")),
            ("https://*.app.example", host("*.app.example")),
            ("https://app.example ", host("app.example ")),
            ("https://app..example", host("app..example")),
            ("https://app.example.", host("app.example.")),
            ("https://bücher.example", host("bücher.example")),
            ("https://app.example, https://b.example", host("app.example, https")),
            ("https://127.1", host("127.1")),
            ("https://127.0.0.0x1", host("127.0.0.0x1")),
            ("https://::1", host("")),
            ("https://[::1", host("[")),
            ("https://[app.example]", host("[app.example]")),
            ("https://[::1]x", host("[::1]x")),
            ("https://app.example:", port("")),
            ("https://app.example:0", port("0")),
            ("https://app.example:65536", port("65536")),
            ("https://app.example:+443", port("+443")),
            ("https://app.example:8443:1", port("8443:1")),
            ("https://app.example/", more("https://app.example/")),
            ("https://APP.example:443/", more("https://APP.example:443/")),
            ("https://app.example/keys", more("https://app.example/keys")),
            ("https://app.example?keys", more("https://app.example?keys")),
            ("https://app.example#keys", more("https://app.example#keys")),
            ("https://app.example\\keys", more("https://app.example\\keys")),
            ("https://ada@app.example", E::User { origin: app() }),
            ("https://ada:secret@app.example/keys", E::User { origin: app() }),
        ] {
            let refused = Origin::new(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(refused.to_string().contains("write "), "{refused}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }
}
