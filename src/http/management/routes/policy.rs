//! The handlers of the policy of the tenant.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use crate::authority::Authority;
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::json_body::Body;
use crate::http::management::extract::precondition::Precondition;
use crate::http::management::extract::query::NoParams;
use crate::http::management::wire::problem::{Code, Problem};
use crate::http::management::wire::request_bodies::PolicyBody;
use crate::http::management::wire::responses::{policy_changed, tagged};
use crate::http::management::wire::views::PolicyView;

type Answer = Result<Response, Problem>;

pub(super) async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
) -> Answer {
    let policy = authority.policy(&actor).await?;
    Ok(tagged(policy.version, Json(PolicyView::from(policy))))
}

pub(super) async fn set(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
    precondition: Precondition,
    Body(body): Body<PolicyBody>,
) -> Answer {
    let version = match precondition {
        Precondition::Version(version) => version,
        Precondition::Absent => return Err(Code::PreconditionRequired.into()),
        // `*` would replace a policy that the client has not read.
        Precondition::Any => {
            let detail = "If-Match must be the version of the policy, not *";
            return Err(Problem::new(Code::PreconditionNotSupported, detail));
        }
    };
    let policy = body.into_policy(version)?;
    Ok(policy_changed(authority.set_policy(&actor, policy).await?))
}
