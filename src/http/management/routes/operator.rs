//! The handlers of the operator's routes, for all tenants.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::keys::key_query;
use crate::authority::Authority;
use crate::http::management::extract::caller::OperatorCaller;
use crate::http::management::extract::json_body::{Body, NoBody};
use crate::http::management::extract::path_id::PathId;
use crate::http::management::extract::precondition::Unconditional;
use crate::http::management::extract::query::{NoParams, Params};
use crate::http::management::wire::problem::Problem;
use crate::http::management::wire::request_bodies::RevokeBody;
use crate::http::management::wire::responses::tagged;
use crate::http::management::wire::tenants::{
    OwnerBody, TenantView, revoked_keys, revoked_owned, swept,
};
use crate::http::management::wire::views::{KeyEntryView, PageView};
use crate::store::TenantQuery;

type Answer = Result<Response, Problem>;

pub(super) async fn tenants(
    State(authority): State<Authority>,
    OperatorCaller(operator): OperatorCaller,
    mut params: Params,
) -> Answer {
    let mut query = TenantQuery::new();
    if let Some(text) = params.text("starting_with")? {
        query = query.starting_with(text);
    }
    if let Some(limit) = params.number("limit")? {
        query = query.limit(limit);
    }
    query = params.cursor(query, TenantQuery::after)?;
    params.end()?;
    let page = authority.tenants(&operator, &query).await?;
    Ok(Json(PageView::<TenantView>::from(page)).into_response())
}

pub(super) async fn keys(
    State(authority): State<Authority>,
    OperatorCaller(operator): OperatorCaller,
    params: Params,
) -> Answer {
    let page = authority.keys_of_all_tenants(&operator, &key_query(params)?).await?;
    Ok(Json(PageView::<KeyEntryView>::from(page)).into_response())
}

pub(super) async fn find_key(
    State(authority): State<Authority>,
    OperatorCaller(operator): OperatorCaller,
    id: PathId,
    _: NoParams,
) -> Answer {
    let entry = authority.find_key(&operator, &id.key()?).await?;
    Ok(tagged(entry.key.version, Json(KeyEntryView::from(entry))))
}

pub(super) async fn revoke_keys(
    State(authority): State<Authority>,
    OperatorCaller(operator): OperatorCaller,
    _: (NoParams, Unconditional),
    Body(body): Body<RevokeBody>,
) -> Answer {
    revoked_keys(authority.revoke_in_any_tenant(&operator, &body.into_ids()?).await)
}

pub(super) async fn revoke_owned(
    State(authority): State<Authority>,
    OperatorCaller(operator): OperatorCaller,
    _: (NoParams, Unconditional),
    Body(OwnerBody { owner }): Body<OwnerBody>,
) -> Answer {
    revoked_owned(authority.revoke_owned_in_all_tenants(&operator, &owner).await?)
}

pub(super) async fn sweep(
    State(authority): State<Authority>,
    OperatorCaller(operator): OperatorCaller,
    _: (NoParams, Unconditional),
    _: NoBody,
) -> Answer {
    swept(authority.sweep_all_tenants(&operator).await?)
}
