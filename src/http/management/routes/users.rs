//! The handlers of users: the display name, suspended and restored.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::authority::Authority;
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::json_body::{Body, NoBody};
use crate::http::management::extract::path_id::PathId;
use crate::http::management::extract::precondition::Unconditional;
use crate::http::management::extract::query::NoParams;
use crate::http::management::wire::problem::Problem;
use crate::http::management::wire::request_bodies::UserEditBody;
use crate::http::management::wire::responses::user_changed;
use crate::http::management::wire::views::UserView;
use crate::record::operation::Operation;

type Answer = Result<Response, Problem>;

pub(super) async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
) -> Answer {
    let user = authority.user(&actor, &id.user(&actor, Operation::UserShow)?).await?;
    Ok(Json(UserView::from(user)).into_response())
}

pub(super) async fn edit(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(UserEditBody { display_name }): Body<UserEditBody>,
) -> Answer {
    let id = id.user(&actor, Operation::UserName)?;
    Ok(user_changed(authority.set_display_name(&actor, &id, display_name).await?))
}

pub(super) async fn suspend(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    _: NoBody,
) -> Answer {
    let id = id.user(&actor, Operation::UserSuspend)?;
    Ok(user_changed(authority.suspend_user(&actor, &id).await?))
}

pub(super) async fn restore(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    _: NoBody,
) -> Answer {
    let id = id.user(&actor, Operation::UserRestore)?;
    Ok(user_changed(authority.restore_user(&actor, &id).await?))
}
