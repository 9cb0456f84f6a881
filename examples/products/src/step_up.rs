//! A stand-in for the confirmation of a login: a button where your service asks for the password or for
//! a second factor.

use axum::Form;
use axum::extract::{Query, Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use crate::layout::{Content, Layout, escape};
use crate::login::{Visitor, cookie, is_same_origin};
use crate::product::Product;

const NAME: &str = "demo_confirmed";
const FIVE_MINUTES: u32 = 300;

/// Returns true if the user of the request has confirmed the login within five minutes.
pub fn is_recent(request: &Parts) -> bool {
    cookie(&request.headers, NAME).is_some()
}

/// Asks for the confirmation.
pub fn ask(layout: Layout, request: &Request) -> Html<String> {
    let query: Vec<(String, String)> =
        Query::try_from_uri(request.uri()).map_or_else(|_| Vec::new(), |Query(query)| query);
    let to = query.iter().find(|(name, _)| name == "return_to").map_or("", |(_, to)| to);
    let visitor = request.extensions().get::<Visitor>();
    let back = visitor.map(|visitor| visitor.product.path()).unwrap_or_default();
    let body = format!(
        "<div class=\"demo-page\"><h1>Confirm your login</h1>\
         <p>Confirm that it is you before you change a key. Your own service asks for the password or for \
         a second factor here. This example has a button in their place.</p>\
         <form method=\"post\"><input type=\"hidden\" name=\"return_to\" value=\"{to}\">\
         <button type=\"submit\" class=\"kw-button\">Confirm</button></form>\
         <p><a href=\"{back}\">Cancel</a></p></div>",
        to = escape(to)
    );
    let content = Content { language: "en", title: "Confirm your login", head: "", body: &body };
    Html(layout.document(request.extensions(), content))
}

/// Remembers the confirmation, and returns to the page.
pub async fn confirm(
    State(product): State<&'static Product>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let to = fields.iter().find(|(name, _)| name == "return_to").map_or("", |(_, to)| to);
    // Only to the product itself: a link could name any address.
    let is_own = to.starts_with(&format!("/{}/", product.slug));
    let to = if is_own { to.to_owned() } else { product.path() };
    let cookie = format!(
        "{NAME}=yes; Path=/{}; HttpOnly; SameSite=Lax; Max-Age={FIVE_MINUTES}",
        product.slug
    );
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, to)]).into_response()
}
