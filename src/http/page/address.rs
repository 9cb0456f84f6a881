//! Addresses without tokens. A user can paste a token into a search, and a link can have one.
//!
//! The history of the browser, the log of the host and the links of a screen keep an address.

use axum::extract::{OriginalUri, Request};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::visit::go_to;
use crate::scan::places::Places;

/// Redirects from an address with a token to the same address with the key id in its place.
pub(super) async fn without_tokens(request: Request, next: Next) -> Response {
    let original = request.extensions().get::<OriginalUri>();
    let address = original.map_or(request.uri(), |original| &original.0);
    let is_link = [Method::GET, Method::HEAD].contains(request.method());
    match replaced(address).filter(|_| is_link) {
        Some(address) => go_to(&address),
        None => next.run(request).await,
    }
}

/// Returns the address with a key id in place of each token; `None` if it has no token.
fn replaced(address: &Uri) -> Option<String> {
    let (path, query) = (in_text(address.path()), address.query().and_then(in_query));
    if path.is_none() && query.is_none() {
        return None;
    }
    let path = path.as_deref().unwrap_or(address.path());
    // A path with two slashes at its beginning would name another host.
    let path = path.trim_start_matches(['/', '\\']);
    Some(match query.as_deref().or(address.query()) {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    })
}

fn in_query(query: &str) -> Option<String> {
    let fields: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let clean = |text: &String| in_text(text).unwrap_or_else(|| text.clone());
    let cleaned: Vec<_> = fields.iter().map(|(name, value)| (clean(name), clean(value))).collect();
    let written =
        || form_urlencoded::Serializer::new(String::new()).extend_pairs(&cleaned).finish();
    (cleaned != fields).then(written)
}

fn in_text(text: &str) -> Option<String> {
    let mut clean: Option<String> = None;
    // The texts around a token can make another one together.
    loop {
        let text = clean.as_deref().unwrap_or(text);
        let Some(place) = Places::any(text).next() else { return clean };
        let (before, after) = (&text[..place.token.start], &text[place.token.end..]);
        clean = Some([before, &text[place.key_id()], after].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::id::KeyId;
    use crate::value::random::Random;
    use crate::value::token::{FreshSecret, Prefix};

    fn token(prefix: &str, id: &str) -> String {
        let prefix = Prefix::new(prefix).expect("a prefix");
        let id: KeyId = id.parse().expect("an id");
        let secret = FreshSecret::generate(&Random::system()).expect("random bytes");
        secret.into_token(&prefix, id).expose().to_owned()
    }

    #[test]
    fn tokens_become_key_ids() {
        let (one, two) = ("4fQ2xk9ZrT7bWm1c", "0000000000000000");
        let (first, second) = (token("acme_live", one), token("key", two));
        let last = first.len() - 1;
        let (mistyped, cut) = (format!("{}~", &first[..last]), &first[..last]);
        let rows = [
            (format!("/keys?q={first}"), Some(format!("/keys?q={one}"))),
            (format!("/keys?a=1&q={first}&b=%C3%A4"), Some(format!("/keys?a=1&q={one}&b=%C3%A4"))),
            (format!("/keys?q=Bearer+{first}%0A"), Some(format!("/keys?q=Bearer+{one}%0A"))),
            (format!("/keys?q=x{first}y,{second}"), Some(format!("/keys?q=x{one}y%2C{two}"))),
            (format!("/keys?q={first}{second}"), Some(format!("/keys?q={one}{two}"))),
            (format!("/keys?{first}"), Some(format!("/keys?{one}="))),
            (
                format!("/keys?q=%{:x}{}", first.as_bytes()[0], &first[1..]),
                Some(format!("/keys?q={one}")),
            ),
            (format!("/keys/{first}/edit?a=b"), Some(format!("/keys/{one}/edit?a=b"))),
            (format!("//other.example?q={first}"), Some(format!("/other.example?q={one}"))),
            (format!("/\\other.example?q={first}"), Some(format!("/other.example?q={one}"))),
            (format!("/keys?q={mistyped}"), None),
            (format!("/keys?q={cut}"), None),
            (format!("/keys/{one}?q={one}&after=name.asc.{one}.6f"), None),
            ("/".to_owned(), None),
        ];
        for (address, expected) in rows {
            let address: Uri = address.parse().expect("an address");
            assert_eq!(replaced(&address), expected, "{address}");
        }
    }

    #[test]
    fn text_around_a_token_makes_no_other() {
        let outer = token("acme", "4fQ2xk9ZrT7bWm1c");
        let inner = token("key", "4fQ2xk9ZrT7bWm1c");
        // The id of the inner token becomes the id of the outer one.
        let nested = outer.replace("4fQ2xk9ZrT7bWm1c", &inner);
        assert_eq!(in_text(&nested).as_deref(), Some("4fQ2xk9ZrT7bWm1c"));
    }
}
