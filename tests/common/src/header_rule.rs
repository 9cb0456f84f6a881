//! The rule of a guard for the headers of a request, in a shorter form.

use crate::slow_search::is_token;

/// A token that works, in the forms of the header `Authorization`.
pub struct Accepted {
    pub token: String,
    /// The whole value of `Basic`, with the scheme.
    pub basic: String,
}

/// Returns the status of a request with these headers to a route that needs no scope.
pub fn status(headers: &[(String, Vec<u8>)], accepted: &[Accepted]) -> u16 {
    let values = |name: &str| -> Vec<&[u8]> {
        let named = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_slice()).collect()
    };
    let (authorization, header) = (values("authorization"), values("x-api-key"));
    // `tchar` of RFC 9110 section 5.6.2. Any other byte ends a scheme.
    let ends_scheme = |b: &u8| !b.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(b);
    let ours = |value: &&[u8]| {
        let scheme = value.split(ends_scheme).next().unwrap_or_default();
        [b"bearer".as_slice(), b"basic"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
            || is_token(value)
    };
    let credentials = authorization.iter().filter(|value| ours(value)).count() + header.len();
    if authorization.len() > 1 || credentials > 1 {
        return 400;
    }
    // The scheme is case-insensitive, and the rest is not.
    let same = |value: &[u8], meant: &str| {
        let scheme = meant.find(' ').expect("a scheme");
        value.len() == meant.len()
            && value[..scheme].eq_ignore_ascii_case(&meant.as_bytes()[..scheme])
            && value[scheme..] == meant.as_bytes()[scheme..]
    };
    let works = accepted.iter().any(|Accepted { token, basic }| {
        let bearer = format!("bearer {token}");
        authorization.iter().any(|value| same(value, &bearer) || same(value, basic))
            || header.contains(&token.as_bytes())
    });
    if works { 200 } else { 401 }
}
