//! The handlers of service accounts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::authority::Authority;
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::json_body::{Body, NoBody};
use crate::http::management::extract::path_id::PathId;
use crate::http::management::extract::precondition::{Precondition, Unconditional};
use crate::http::management::extract::query::{NoParams, Params};
use crate::http::management::wire::problem::Problem;
use crate::http::management::wire::request_bodies::{AccountEditBody, NewAccountBody};
use crate::http::management::wire::responses::{account_changed, created, tagged};
use crate::http::management::wire::views::{AccountEntryView, PageView};
use crate::record::operation::Operation;
use crate::store::AccountQuery;

type Answer = Result<Response, Problem>;

pub(super) async fn create(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(new): Body<NewAccountBody>,
) -> Answer {
    let entry = authority.create_account(&actor, new.into_new()).await?;
    let place = format!("accounts/{}", entry.account.id);
    Ok(created(&place, tagged(entry.account.version, Json(AccountEntryView::from(entry)))))
}

pub(super) async fn list(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Answer {
    let mut query = AccountQuery::new();
    if let Some(text) = params.search()? {
        query = query.search(text);
    }
    if let Some(limit) = params.number("limit")? {
        query = query.limit(limit);
    }
    query = params.cursor(query, AccountQuery::after)?;
    params.end()?;
    let page = authority.accounts(&actor, &query).await?;
    Ok(Json(PageView::<AccountEntryView>::from(page)).into_response())
}

pub(super) async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
) -> Answer {
    let id = id.account(&actor, Operation::AccountShow)?;
    let entry = authority.account(&actor, &id).await?;
    Ok(tagged(entry.account.version, Json(AccountEntryView::from(entry))))
}

pub(super) async fn edit(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
    precondition: Precondition,
    Body(edit): Body<AccountEditBody>,
) -> Answer {
    let mut edit = edit.into_edit()?;
    if let Some(version) = precondition.version() {
        edit = edit.if_version(version);
    }
    let id = id.account(&actor, Operation::AccountEdit)?;
    Ok(account_changed(authority.edit_account(&actor, &id, edit).await?))
}

pub(super) async fn disable(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    _: NoBody,
) -> Answer {
    let id = id.account(&actor, Operation::AccountDisable)?;
    Ok(account_changed(authority.disable_account(&actor, &id).await?))
}

pub(super) async fn enable(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    _: NoBody,
) -> Answer {
    let id = id.account(&actor, Operation::AccountEnable)?;
    Ok(account_changed(authority.enable_account(&actor, &id).await?))
}

pub(super) async fn delete(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
) -> Answer {
    let id = id.account(&actor, Operation::AccountDelete)?;
    authority.delete_account(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
