//! The tenant's policy and events: the routes and what each does.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::answer::{policy_changed, tagged};
use super::api::{Api, Doc};
use super::bodies::PolicyBody;
use super::document::parameters::{EVENT_LIST, REQUIRED_IF_MATCH};
use super::json::Body;
use super::problem::{Code, Problem};
use super::query::{NoParams, Params};
use super::request::{Caller, Precondition};
use super::views::{EventView, PageView, PolicyView};
use crate::authority::Authority;
use crate::record::event::EventKind;
use crate::record::operation::Operation;
use crate::store::EventQuery;

type Answer = Result<Response, Problem>;

const EVENTS_SUMMARY: &str =
    "A page of events, newest first. It may be short or empty and have a `next`: go on to `null`.";

pub(super) fn add(api: Api) -> Api {
    api.on(
        "/policy",
        show,
        Doc::get("show_policy", "The tenant's policy; its version is the entity tag.")
            .does(Operation::PolicyShow)
            .tag("policy")
            .gives("Policy")
            .etag()
            .problems(&[Code::PermissionDenied]),
    )
    .on(
        "/policy",
        set,
        Doc::put("set_policy", "Replace the policy as it was read, all of it.")
            .does(Operation::PolicySet)
            .tag("policy")
            .takes(REQUIRED_IF_MATCH)
            .body("Policy")
            .gives("PolicyChange")
            .etag()
            .problems(&[
                Code::PreconditionNotSupported,
                Code::PermissionDenied,
                Code::Stale,
                Code::InvalidMaxKeys,
                Code::ZeroLifetime,
                Code::DefaultAboveMax,
                Code::EventRetentionTooShort,
                Code::TooManyRoles,
                Code::InvalidNamePattern,
                Code::PreconditionRequired,
            ]),
    )
    .on(
        "/events",
        events,
        Doc::get("list_events", EVENTS_SUMMARY)
            .does(Operation::EventsShow)
            .tag("events")
            .takes(EVENT_LIST)
            .gives("EventPage")
            .problems(&[Code::PermissionDenied]),
    )
}

async fn show(State(authority): State<Authority>, Caller(actor): Caller, _: NoParams) -> Answer {
    let policy = authority.policy(&actor).await?;
    Ok(tagged(policy.version, Json(PolicyView::from(policy))))
}

async fn set(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: NoParams,
    precondition: Precondition,
    Body(body): Body<PolicyBody>,
) -> Answer {
    let version = match precondition {
        Precondition::Version(version) => version,
        Precondition::Absent => {
            let detail = "say in If-Match which version of the policy this is to replace";
            return Err(Problem::new(Code::PreconditionRequired, detail));
        }
        // It would replace what its sender has not seen.
        Precondition::Any => {
            let detail = "If-Match must name the version of the policy here, not *";
            return Err(Problem::new(Code::PreconditionNotSupported, detail));
        }
    };
    let policy = body.into_policy(version)?;
    Ok(policy_changed(authority.set_policy(&actor, policy).await?))
}

async fn events(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Answer {
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
