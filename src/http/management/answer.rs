//! Successes: their bodies and headers.

use axum::Json;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use zeroize::Zeroizing;

use super::problem::{Code, Problem, ProblemView};
use super::views::{AccountView, KeyView, PolicyView};
use crate::authority::{Issued, KeyError};
use crate::record::account::ServiceAccount;
use crate::record::key::Key;
use crate::record::operation::Outcome;
use crate::record::policy::Policy;
use crate::value::id::KeyId;

/// The same answer with the version as its entity tag.
pub(super) fn tagged(version: u64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let tag = HeaderValue::try_from(format!("\"{version}\""));
    response.headers_mut().extend(tag.ok().map(|tag| (ETAG, tag)));
    response
}

/// 201 with where to find what was made, relative to the URL of the request: the router does not
/// know what it is mounted under.
pub(super) fn created(place: &str, answer: impl IntoResponse) -> Response {
    let mut response = (StatusCode::CREATED, answer).into_response();
    response.headers_mut().extend(HeaderValue::try_from(place).ok().map(|place| (LOCATION, place)));
    response
}

#[derive(Serialize)]
struct KeyChange {
    key: KeyView,
    unchanged: bool,
}

#[derive(Serialize)]
struct AccountChange {
    account: AccountView,
    unchanged: bool,
}

#[derive(Serialize)]
struct PolicyChange {
    policy: PolicyView,
    unchanged: bool,
}

impl From<Outcome<Key>> for KeyChange {
    fn from(outcome: Outcome<Key>) -> Self {
        Self { unchanged: outcome.is_unchanged(), key: outcome.into_inner().into() }
    }
}

/// A key as a change left it, and whether it was so already.
pub(super) fn key_changed(outcome: Outcome<Key>) -> Response {
    let change = KeyChange::from(outcome);
    tagged(change.key.version, Json(change))
}

pub(super) fn account_changed(outcome: Outcome<ServiceAccount>) -> Response {
    let unchanged = outcome.is_unchanged();
    let account = outcome.into_inner();
    tagged(account.version, Json(AccountChange { account: account.into(), unchanged }))
}

pub(super) fn policy_changed(outcome: Outcome<Policy>) -> Response {
    let unchanged = outcome.is_unchanged();
    let policy = outcome.into_inner();
    tagged(policy.version, Json(PolicyChange { policy: policy.into(), unchanged }))
}

/// A key with its token: the one thing in this API that is shown once.
///
/// The body is made as long as it will be, so that no growing leaves a copy of the token behind,
/// and is wiped when it has been sent.
pub(super) fn issued(issued: &Issued) -> Response {
    let key = serde_json::to_string(&KeyView::from(issued.key.clone()));
    let key = key.expect("a view is made of plain values");
    // A token is base62 and underscores: nothing in it needs an escape.
    let parts = [r#"{"key":"#, &key, r#","token":""#, issued.token.expose(), r#""}"#];
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

/// What became of one key of many: it as it is now, or the problem with it.
#[derive(Serialize)]
struct OneResult {
    id: KeyId,
    #[serde(flatten)]
    change: Option<KeyChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemView>,
}

/// Lists what became of many keys. An outage hides no key that was answered. If every key met it, the
/// answer as a whole is the outage.
pub(super) fn results(
    answers: Vec<(KeyId, Result<Outcome<Key>, KeyError>)>,
) -> Result<Response, Problem> {
    let mut results = Vec::with_capacity(answers.len());
    let mut outage = None;
    let mut answered = false;
    for (id, answer) in answers {
        let (change, problem) = match answer {
            Ok(outcome) => (Some(outcome.into()), None),
            Err(error) => (None, Some(Problem::from(error))),
        };
        let view = problem.as_ref().map(Problem::view);
        results.push(OneResult { id, change, problem: view });
        match problem {
            Some(problem) if problem.code == Code::Unavailable => outage = Some(problem),
            _ => answered = true,
        }
    }
    match outage {
        Some(problem) if !answered => Err(problem),
        _ => Ok(Json(Results { results }).into_response()),
    }
}
