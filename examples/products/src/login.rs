//! A stand-in for a login. **Replace it with your own: it believes the cookie that a browser sends.**
//!
//! Like your own login, it identifies the user of the request and leaves an
//! [`Actor`](keywright::Actor) for the page.

use std::net::SocketAddr;

use axum::Form;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::product::{Person, Product};

const NAME: &str = "demo_user";

/// The user of a request, for the layout.
#[derive(Clone, Copy, Debug)]
pub struct Visitor {
    pub product: &'static Product,
    pub person: &'static Person,
}

/// Leaves the actor and the visitor in the request.
pub async fn login(
    State(product): State<&'static Product>,
    mut request: Request,
    next: Next,
) -> Response {
    let chosen = cookie(request.headers(), NAME).and_then(|id| product.person(id));
    let Some(person) = chosen.or(product.people.first()) else {
        return next.run(request).await;
    };
    if let Ok(mut actor) = person.actor() {
        // Behind a proxy, take the address from `TrustedProxies::source_of`.
        if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
            actor = actor.source_address(peer.ip());
        }
        request.extensions_mut().insert(actor);
    }
    request.extensions_mut().insert(Visitor { product, person });
    next.run(request).await
}

/// Chooses another user.
pub async fn switch(
    State(product): State<&'static Product>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let user = fields.iter().find(|(name, _)| name == "user");
    let Some(person) = user.and_then(|(_, id)| product.person(id)) else {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    };
    let cookie = format!("{NAME}={}; Path=/{}; HttpOnly; SameSite=Lax", person.id, product.slug);
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, product.path())]).into_response()
}

/// Returns the value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Returns true if the form of a request comes from this server. The page has the same rule built in.
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    text(ORIGIN).and_then(host).is_some_and(|host| text(HOST) == Some(&*host))
}
