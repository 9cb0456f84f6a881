//! Serving a route, and recording the requests that its handler could not parse.

use axum::extract::{FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::authority::Authority;
use crate::http::management::extract::path_id::PathId;
use crate::http::management::route_table::route::{Method, Route, Subject};
use crate::http::management::wire::problem::{Code, Problem, Unasked};
use crate::record::actor::Actor;

/// Creates the method router for a row of the table.
pub(super) fn serve<H, T>(route: &'static Route, handler: H) -> MethodRouter<Authority>
where
    H: Handler<T, Authority>,
    T: 'static,
{
    let handler = async move |State(authority): State<Authority>, request: Request| {
        answer(route, handler.clone(), authority, request).await
    };
    on(filter(route.method), handler)
}

/// Creates the method router for a row of the operator's table. A request that cannot be parsed is in
/// no tenant, so no event records it.
pub(super) fn serve_operator<H, T>(route: &'static Route, handler: H) -> MethodRouter<Authority>
where
    H: Handler<T, Authority>,
    T: 'static,
{
    on(filter(route.method), handler)
}

/// Answers a request. If the handler could not parse a request of an actor, an event is recorded
/// before the response is sent. A request without an actor is not recorded, because strangers must
/// not cause writes to the store.
async fn answer<H, T>(route: &Route, handler: H, authority: Authority, request: Request) -> Response
where
    H: Handler<T, Authority>,
    T: 'static,
{
    let (mut parts, body) = request.into_parts();
    let actor = parts.extensions.get::<Actor>().cloned();
    let Ok(id) = PathId::from_request_parts(&mut parts, &authority).await;
    let request = Request::from_parts(parts, body);
    let response = handler.call(request, authority.clone()).await;
    let unasked = response.extensions().get::<Unasked>();
    let (Some(actor), Some(operation), Some(&Unasked(code))) = (actor, route.operation, unasked)
    else {
        return response;
    };
    let key = id.parse().filter(|_| route.subject == Some(Subject::Key));
    let account = id.parse().filter(|_| route.subject == Some(Subject::Account));
    match authority.record_malformed(&actor, operation, key, account, code.as_str()).await {
        Ok(()) => response,
        Err(_) => Problem::from(Code::Unavailable).into_response(),
    }
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}
