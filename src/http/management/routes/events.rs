//! The handler of the list of events.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::authority::Authority;
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::query::Params;
use crate::http::management::wire::problem::Problem;
use crate::http::management::wire::views::{EventView, PageView};
use crate::record::event::EventKind;
use crate::store::EventQuery;

pub(super) async fn list(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Result<Response, Problem> {
    let mut query = EventQuery::new();
    if let Some(key) = params.value("key")? {
        query = query.key(key);
    }
    if let Some(account) = params.value("account")? {
        query = query.account(account);
    }
    if let Some(actor) = params.value("actor")? {
        query = query.actor(actor);
    }
    if let Some(kind) = params.value::<EventKind>("kind")? {
        query = query.kind(kind);
    }
    if let Some(time) = params.value("since")? {
        query = query.since(time);
    }
    if let Some(time) = params.value("until")? {
        query = query.until(time);
    }
    if params.switch("oldest_first")? {
        query = query.oldest_first();
    }
    if let Some(limit) = params.number("limit")? {
        query = query.limit(limit);
    }
    query = params.cursor(query, EventQuery::after)?;
    params.end()?;
    let page = authority.events(&actor, &query).await?;
    Ok(Json(PageView::<EventView>::from(page)).into_response())
}
