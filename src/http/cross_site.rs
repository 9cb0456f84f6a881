//! The check that no page of another site made the browser send a request.
//!
//! A browser adds the login's cookie to a form that a page of another site sends. It also says which
//! page sent the request: in `Sec-Fetch-Site` (Fetch Metadata), or in `Origin` (RFC 6454) if it is
//! older or the connection is not encrypted. No page can change these headers.

#[cfg(feature = "page")]
use http::header::REFERER;
use http::header::{HOST, HeaderName, ORIGIN};
use http::{HeaderMap, Method, Uri};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The answer to a request without either header, which no current browser sends for a `POST`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WithoutHeaders {
    /// The request passes: it comes from a program.
    #[cfg(feature = "management")]
    Accepted,
    /// The request is refused: only browsers are expected.
    #[cfg(feature = "page")]
    Refused,
}

/// The reason for which a request is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CrossSite {
    /// `Sec-Fetch-Site` names another site or another host of this site.
    OtherSite,
    /// `Origin` is not the host of the request.
    OtherOrigin,
    /// There is neither `Sec-Fetch-Site` nor `Origin`.
    #[cfg(feature = "page")]
    NoHeader,
    /// One of the headers occurs twice.
    Repeated,
}

#[cfg(feature = "page")]
impl CrossSite {
    /// Returns the reason for the log of the host.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::OtherSite => "the browser says that another site sent the form (Sec-Fetch-Site)",
            Self::OtherOrigin => {
                "the Origin of the form is not the Host of the request; if a proxy rewrites Host, set Page::trusted_origin"
            }
            Self::NoHeader => {
                "the form has neither Sec-Fetch-Site nor Origin, so no browser sent it"
            }
            Self::Repeated => "the request has two headers Sec-Fetch-Site, Origin or Host",
        }
    }
}

/// Checks that no page of another site made the browser send a request.
///
/// These rules apply in order to a request that can change something:
/// 1. An `Origin` that the host trusts passes.
/// 2. `Sec-Fetch-Site` must be `same-origin`, or `none` for an address that the user typed. Another
///    host of the same site (`same-site`) is refused.
/// 3. `Origin` must have the host and port of the request. Its scheme is not compared, because a
///    request does not say which one it came with.
/// 4. A request with neither header is answered as `without` says.
///
/// # Errors
/// [`CrossSite`] if a rule refuses the request.
pub(crate) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    trusted: &[impl AsRef<str>],
    without: WithoutHeaders,
) -> Result<(), CrossSite> {
    if method.is_safe() {
        return Ok(());
    }
    let origin = single(headers, &ORIGIN)?;
    if origin.is_some_and(|origin| trusted.iter().any(|known| known.as_ref() == origin)) {
        return Ok(());
    }
    match (single(headers, &SEC_FETCH_SITE)?, origin) {
        (Some("same-origin" | "none"), _) => Ok(()),
        (Some(_), _) => Err(CrossSite::OtherSite),
        (None, Some(origin)) if is_own(origin, uri, headers)? => Ok(()),
        (None, Some(_)) => Err(CrossSite::OtherOrigin),
        (None, None) => match without {
            #[cfg(feature = "management")]
            WithoutHeaders::Accepted => Ok(()),
            #[cfg(feature = "page")]
            WithoutHeaders::Refused => Err(CrossSite::NoHeader),
        },
    }
}

/// Returns whether the browser says that a page of the service led to an address: in `Sec-Fetch-Site`,
/// or in `Referer` (RFC 9110) if it sends no such header, as over plain HTTP.
///
/// A link on another site cannot claim it. A request with neither header says nothing.
#[cfg(feature = "page")]
pub(crate) fn is_from_own_page(
    uri: &Uri,
    headers: &HeaderMap,
    trusted: &[impl AsRef<str>],
) -> bool {
    let is_ours = |origin: &str| {
        trusted.iter().any(|known| known.as_ref() == origin)
            || is_own(origin, uri, headers).unwrap_or_default()
    };
    match (single(headers, &SEC_FETCH_SITE), single(headers, &REFERER)) {
        (Ok(Some(site)), _) => site == "same-origin",
        (Ok(None), Ok(Some(referer))) => origin_of(referer).is_some_and(is_ours),
        _ => false,
    }
}

/// Returns the scheme, host and port of a URL.
#[cfg(feature = "page")]
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    url.get(..scheme.len() + "://".len() + authority.len())
}

/// Returns the value of a header; an empty text if it is not ASCII, which matches nothing.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, CrossSite> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(CrossSite::Repeated),
        (value, None) => Ok(value.map(|value| value.to_str().unwrap_or_default())),
    }
}

/// Returns whether an origin has the host and port of the request. HTTP/2 has them in the URI.
fn is_own(origin: &str, uri: &Uri, headers: &HeaderMap) -> Result<bool, CrossSite> {
    let own = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => single(headers, &HOST)?,
    };
    let of_origin = match origin.split_once("://") {
        Some(("http" | "https", authority)) => Some(authority),
        _ => None,
    };
    let same = own.zip(of_origin).is_some_and(|(own, other)| own.eq_ignore_ascii_case(other));
    Ok(same && own != Some(""))
}

#[cfg(all(test, feature = "management", feature = "page"))]
mod tests {
    use http::HeaderValue;

    use super::*;

    const TRUSTED: [&str; 2] = ["https://trusted.example", "https://trusted.example:8443"];

    /// Returns the headers of lines like `name: value`.
    fn headers(lines: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines.lines() {
            let (name, value) = line.split_once(':').expect("a header");
            let name = name.parse::<HeaderName>().expect("a name");
            let value = HeaderValue::from_bytes(value.trim().as_bytes());
            headers.append(name, value.expect("a value"));
        }
        headers
    }

    /// Checks a request to `keys.example`, with headers as `name: value` lines.
    fn checked(method: &str, uri: &str, lines: &str) -> Result<(), CrossSite> {
        let headers = headers(lines);
        let (method, uri) = (method.parse().expect("a method"), uri.parse().expect("a URI"));
        let strict = check(&method, &uri, &headers, &TRUSTED, WithoutHeaders::Refused);
        let lenient = check(&method, &uri, &headers, &TRUSTED, WithoutHeaders::Accepted);
        let expected = if strict == Err(CrossSite::NoHeader) { Ok(()) } else { strict };
        assert_eq!(lenient, expected, "only the last rule differs: {method} {lines}");
        strict
    }

    #[test]
    fn other_sites_change_nothing() {
        use CrossSite::{NoHeader, OtherOrigin, OtherSite, Repeated};
        let own = "host: keys.example\n";
        let rows = [
            // If `Sec-Fetch-Site` is sent, the origin does not count.
            ("sec-fetch-site: same-origin", Ok(())),
            ("sec-fetch-site: none", Ok(())),
            ("sec-fetch-site: same-origin\norigin: https://keys.example", Ok(())),
            ("sec-fetch-site: same-origin\norigin: null", Ok(())),
            ("sec-fetch-site: cross-site", Err(OtherSite)),
            ("sec-fetch-site: same-site", Err(OtherSite)),
            ("sec-fetch-site: same-site\norigin: https://other.keys.example", Err(OtherSite)),
            ("sec-fetch-site: cross-site\norigin: https://keys.example", Err(OtherSite)),
            ("sec-fetch-site: cross-site\norigin: null", Err(OtherSite)),
            ("sec-fetch-site:", Err(OtherSite)),
            ("sec-fetch-site: Same-Origin", Err(OtherSite)),
            ("sec-fetch-site: same-origin, cross-site", Err(OtherSite)),
            ("sec-fetch-site: \u{e9}", Err(OtherSite)),
            ("sec-fetch-site: same-origin\nsec-fetch-site: cross-site", Err(Repeated)),
            ("sec-fetch-site: same-origin\nsec-fetch-site: same-origin", Err(Repeated)),
            // Without it, the origin must have the host of the request.
            ("origin: https://keys.example", Ok(())),
            ("origin: http://keys.example", Ok(())),
            ("origin: https://KEYS.example", Ok(())),
            ("origin: https://keys.example:8443", Err(OtherOrigin)),
            ("origin: https://attacker.example", Err(OtherOrigin)),
            ("origin: https://other.keys.example", Err(OtherOrigin)),
            ("origin: https://keys.example.attacker.example", Err(OtherOrigin)),
            ("origin: https://keys.example@attacker.example", Err(OtherOrigin)),
            ("origin: https://keys.example/", Err(OtherOrigin)),
            ("origin: keys.example", Err(OtherOrigin)),
            ("origin: app://keys.example", Err(OtherOrigin)),
            ("origin: null", Err(OtherOrigin)),
            ("origin:", Err(OtherOrigin)),
            ("origin: https://", Err(OtherOrigin)),
            ("origin: https://keys.example https://attacker.example", Err(OtherOrigin)),
            ("origin: https://keys.example\norigin: https://attacker.example", Err(Repeated)),
            ("origin: https://keys.example\nhost: attacker.example", Err(Repeated)),
            // A trusted origin passes in any case, and only if it is exact.
            ("origin: https://trusted.example", Ok(())),
            ("origin: https://trusted.example:8443\nsec-fetch-site: same-site", Ok(())),
            ("origin: https://trusted.example\nsec-fetch-site: cross-site", Ok(())),
            ("origin: http://trusted.example", Err(OtherOrigin)),
            ("origin: https://trusted.example:444", Err(OtherOrigin)),
            ("origin: https://trusted.example.attacker.example", Err(OtherOrigin)),
            ("origin: http://trusted.example\nsec-fetch-site: cross-site", Err(OtherSite)),
            // No browser sends a POST without either.
            ("referer: https://keys.example/keys", Err(NoHeader)),
        ];
        for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "REVOKE"] {
            for (lines, expected) in rows {
                let found = checked(method, "/keys", &format!("{own}{lines}"));
                assert_eq!(found, expected, "{method} {lines}");
            }
            assert_eq!(checked(method, "/keys", ""), Err(NoHeader));
        }
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            for (lines, _) in rows {
                assert_eq!(checked(method, "/keys", &format!("{own}{lines}")), Ok(()), "{lines}");
            }
        }
    }

    #[test]
    fn links_of_other_sites_are_told_apart() {
        let rows = [
            ("sec-fetch-site: same-origin", true),
            ("sec-fetch-site: none", false),
            ("sec-fetch-site: same-site", false),
            ("sec-fetch-site: cross-site", false),
            ("sec-fetch-site: cross-site\nreferer: https://keys.example/", false),
            ("sec-fetch-site: same-origin\nsec-fetch-site: same-origin", false),
            ("referer: http://keys.example/keys?done=SAVED", true),
            ("referer: https://KEYS.example", true),
            ("referer: https://trusted.example:8443/keys", true),
            ("referer: https://keys.example:8443/", false),
            ("referer: https://attacker.example/?https://keys.example/", false),
            ("referer: https://attacker.example#keys.example", false),
            ("referer: https://keys.example@attacker.example/", false),
            ("referer: https://keys.example.attacker.example/", false),
            ("referer: http://keys.example/\nreferer: http://keys.example/", false),
            ("referer: /keys", false),
            ("referer:", false),
            ("origin: https://keys.example", false),
            ("", false),
        ];
        let uri = Uri::from_static("/keys");
        for (lines, expected) in rows {
            let headers = headers(&format!("host: keys.example\n{lines}"));
            assert_eq!(is_from_own_page(&uri, &headers, &TRUSTED), expected, "{lines}");
        }
        assert!(!is_from_own_page(&uri, &headers("referer: https://keys.example/"), &TRUSTED));
    }

    #[test]
    fn host_is_that_of_the_request() {
        let origin = "origin: https://keys.example:8443";
        let rows = [
            // HTTP/2, and the absolute form of HTTP/1.
            ("https://keys.example:8443/keys", "", Ok(())),
            ("https://keys.example:8443/keys", "host: attacker.example", Ok(())),
            ("https://attacker.example/", "host: keys.example:8443", Err(CrossSite::OtherOrigin)),
            ("/keys", "host: keys.example:8443", Ok(())),
            ("/keys", "host: keys.example", Err(CrossSite::OtherOrigin)),
            ("/keys", "host:", Err(CrossSite::OtherOrigin)),
            ("/keys", "", Err(CrossSite::OtherOrigin)),
            ("/keys", "x-forwarded-host: keys.example:8443", Err(CrossSite::OtherOrigin)),
        ];
        for (uri, host, expected) in rows {
            let lines = [origin, host].join("\n");
            assert_eq!(checked("POST", uri, lines.trim()), expected, "{uri} {host}");
        }
        // An empty host is none.
        assert_eq!(
            checked("POST", "/keys", "origin: https://\nhost:"),
            Err(CrossSite::OtherOrigin)
        );
    }
}
