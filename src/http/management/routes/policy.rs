//! The handlers of the policy of the tenant: its plan, its settings, and both together.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::authority::Authority;
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::json_body::Body;
use crate::http::management::extract::precondition::Precondition;
use crate::http::management::extract::query::NoParams;
use crate::http::management::wire::policy_bodies::{PlanBody, SettingsEditBody};
use crate::http::management::wire::policy_views::{PlanView, PolicyView, SettingsView};
use crate::http::management::wire::problem::{Code, Problem};
use crate::http::management::wire::responses::{plan_changed, settings_changed, tagged};

type Answer = Result<Response, Problem>;

pub(super) async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
) -> Answer {
    let policy = authority.policy(&actor).await?;
    Ok(Json(PolicyView::from(policy)).into_response())
}

pub(super) async fn show_plan(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
) -> Answer {
    let plan = authority.policy(&actor).await?.plan;
    Ok(tagged(plan.version, Json(PlanView::from(plan))))
}

pub(super) async fn set_plan(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
    precondition: Precondition,
    Body(body): Body<PlanBody>,
) -> Answer {
    let version = match precondition {
        Precondition::Version(version) => version,
        Precondition::Absent => return Err(Code::PreconditionRequired.into()),
        // `*` would replace a plan that the client has not read.
        Precondition::Any => {
            let detail = "If-Match must be the version of the plan, not *";
            return Err(Problem::new(Code::PreconditionNotSupported, detail));
        }
    };
    let plan = body.into_plan(version)?;
    Ok(plan_changed(authority.set_plan(&actor, plan).await?))
}

pub(super) async fn show_settings(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
) -> Answer {
    let settings = authority.policy(&actor).await?.settings;
    Ok(tagged(settings.version, Json(SettingsView::from(settings))))
}

pub(super) async fn edit_settings(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
    precondition: Precondition,
    Body(edit): Body<SettingsEditBody>,
) -> Answer {
    let mut edit = edit.into_edit()?;
    if let Some(version) = precondition.version() {
        edit = edit.if_version(version);
    }
    Ok(settings_changed(authority.edit_settings(&actor, edit).await?))
}
