//! The bodies and headers of successful responses.

use axum::Json;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use zeroize::Zeroizing;

use super::policy_views::{PlanView, SettingsView};
use super::problem::{Code, Problem, ProblemView};
use super::views::{AccountEntryView, KeyEntryView, UserView};
use crate::authority::{AccountEntry, Issued, KeyEntry, KeyError};
use crate::record::key::Key;
use crate::record::operation::Outcome;
use crate::record::plan::Plan;
use crate::record::settings::Settings;
use crate::record::user::User;
use crate::store::StoreError;
use crate::value::id::KeyId;

/// Adds the version to a response as its entity tag.
pub(crate) fn tagged(version: u64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let tag = HeaderValue::try_from(format!("\"{version}\""));
    response.headers_mut().extend(tag.ok().map(|tag| (ETAG, tag)));
    response
}

/// Creates a 201 response. The location of the new record is relative to the URL of the request,
/// because the router does not know where it is mounted.
pub(crate) fn created(place: &str, answer: impl IntoResponse) -> Response {
    let mut response = (StatusCode::CREATED, answer).into_response();
    response.headers_mut().extend(HeaderValue::try_from(place).ok().map(|place| (LOCATION, place)));
    response
}

/// The entry of a key after a change, as the listing shows it.
#[derive(Serialize)]
struct KeyChange {
    #[serde(flatten)]
    entry: KeyEntryView,
    unchanged: bool,
}

#[derive(Serialize)]
struct AccountChange {
    #[serde(flatten)]
    entry: AccountEntryView,
    unchanged: bool,
}

#[derive(Serialize)]
struct PlanChange {
    plan: PlanView,
    unchanged: bool,
}

#[derive(Serialize)]
struct SettingsChange {
    settings: SettingsView,
    unchanged: bool,
}

#[derive(Serialize)]
struct UserChange {
    user: UserView,
    unchanged: bool,
}

/// Creates the response to a change of a key: its entry, and whether it is unchanged.
pub(crate) fn key_changed(entry: KeyEntry, unchanged: bool) -> Response {
    tagged(entry.key.version, Json(KeyChange { entry: entry.into(), unchanged }))
}

#[derive(Serialize)]
struct KeysChange {
    keys: Vec<KeyEntryView>,
}

/// Creates the response to a change of all keys of an owner: the entries of those that changed.
pub(crate) fn keys_changed(keys: Vec<KeyEntry>) -> Response {
    Json(KeysChange { keys: keys.into_iter().map(KeyEntryView::from).collect() }).into_response()
}

/// Creates the response to a change of an account: the account, and whether it is unchanged.
pub(crate) fn account_changed(outcome: Outcome<AccountEntry>) -> Response {
    let unchanged = outcome.is_unchanged();
    let entry = outcome.into_inner();
    tagged(entry.account.version, Json(AccountChange { entry: entry.into(), unchanged }))
}

/// Creates the response to a change of the plan: the plan, and whether it is unchanged.
pub(crate) fn plan_changed(outcome: Outcome<Plan>) -> Response {
    let unchanged = outcome.is_unchanged();
    let plan = outcome.into_inner();
    tagged(plan.version, Json(PlanChange { plan: plan.into(), unchanged }))
}

/// Creates the response to a change of the settings: the settings, and whether they are unchanged.
pub(crate) fn settings_changed(outcome: Outcome<Settings>) -> Response {
    let unchanged = outcome.is_unchanged();
    let settings = outcome.into_inner();
    tagged(settings.version, Json(SettingsChange { settings: settings.into(), unchanged }))
}

/// Creates the response to a change of a user: the user, and whether it is unchanged.
pub(crate) fn user_changed(outcome: Outcome<User>) -> Response {
    let unchanged = outcome.is_unchanged();
    Json(UserChange { user: outcome.into_inner().into(), unchanged }).into_response()
}

/// Creates the response with the entry of a key, its token, and the two parts of the token. This API
/// shows a token only once.
///
/// The body is allocated at its full length, so that no reallocation leaves a copy of the token in
/// memory. The body is zeroed after it was sent.
pub(crate) fn issued(issued: &Issued) -> Response {
    let entry = serde_json::to_string(&KeyEntryView::from(issued.entry.clone()));
    let entry = entry.expect("a view is made of plain values");
    let members = entry.strip_suffix('}').unwrap_or(&entry);
    // A token consists of base62 digits and underscores, which need no escape in JSON.
    let (token, key_id) = (&issued.token, issued.token.key_id());
    let parts = [
        members,
        r#","token":""#,
        token.expose(),
        r#"","key_id":""#,
        key_id.as_str(),
        r#"","key_secret":""#,
        token.expose_key_secret(),
        r#""}"#,
    ];
    let mut body = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        body.extend_from_slice(part.as_bytes());
    }
    let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    tagged(issued.key.version, (json, Bytes::from_owner(body)))
}

#[derive(Serialize)]
struct Results {
    results: Vec<OneResult>,
}

/// The result for one of many keys: the entry of the key after the change, or the problem.
#[derive(Serialize)]
struct OneResult {
    id: KeyId,
    #[serde(flatten)]
    entry: Option<KeyEntryView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemView>,
}

/// Creates the response with a result for each of many keys.
///
/// # Errors
/// The problem `unavailable`, if it is the result of every key.
pub(crate) fn results(
    answers: Vec<(KeyId, Result<Outcome<Key>, KeyError>)>,
    entries: Result<Vec<KeyEntry>, StoreError>,
) -> Result<Response, Problem> {
    // If the entries could not be read after the changes, the results still say what was changed.
    let entries = entries.unwrap_or_default();
    let entry_of = |id: &KeyId| entries.iter().find(|entry| entry.key.id == *id);
    let mut results = Vec::with_capacity(answers.len());
    let mut outage = None;
    let mut answered = false;
    for (id, answer) in answers {
        let (unchanged, problem) = match answer {
            Ok(outcome) => (Some(outcome.is_unchanged()), None),
            Err(error) => (None, Some(Problem::from(error))),
        };
        let entry = unchanged.and_then(|_| entry_of(&id)).cloned().map(KeyEntryView::from);
        let view = problem.as_ref().map(Problem::view);
        results.push(OneResult { id, entry, unchanged, problem: view });
        match problem {
            Some(problem) if problem.code() == Code::Unavailable => outage = Some(problem),
            _ => answered = true,
        }
    }
    match outage {
        Some(problem) if !answered => Err(problem),
        _ => Ok(Json(Results { results }).into_response()),
    }
}
