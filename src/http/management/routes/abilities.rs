//! The handler of the abilities of the caller.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::authority::Authority;
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::query::Params;
use crate::http::management::wire::abilities::AbilitiesView;
use crate::http::management::wire::problem::Problem;

pub(super) async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Result<Response, Problem> {
    let owner = params.value("owner")?.unwrap_or_else(|| actor.as_owner());
    params.end()?;
    let abilities = authority.abilities(&actor, &owner).await?;
    Ok(Json(AbilitiesView::from(abilities)).into_response())
}
