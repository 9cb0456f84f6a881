//! The bodies of an operator's requests and responses, which are about several tenants.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::problem::{Code, Problem, ProblemView};
use super::views::KeyView;
use crate::authority::{KeyError, ListError, RevokeReport, SweepReport};
use crate::record::key::{Key, Owner};
use crate::record::operation::Outcome;
use crate::store::TenantEntry;
use crate::value::id::{KeyId, TenantId};

#[derive(Serialize)]
pub(crate) struct TenantView {
    tenant: TenantId,
    live_keys: u64,
    keys: u64,
    accounts: u64,
    last_event: u64,
}

impl From<TenantEntry> for TenantView {
    fn from(entry: TenantEntry) -> Self {
        let TenantEntry { tenant, live_keys, keys, accounts, last_event } = entry;
        Self { tenant, live_keys, keys, accounts, last_event }
    }
}

/// The owner whose keys are revoked in every tenant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerBody {
    pub(crate) owner: Owner,
}

#[derive(Serialize)]
struct Results<T> {
    results: Vec<T>,
}

/// The result for one of many keys, with its tenant.
#[derive(Serialize)]
struct KeyResult {
    id: KeyId,
    tenant: Option<TenantId>,
    #[serde(flatten)]
    change: Option<RevokedKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemView>,
}

/// The result for one of many tenants.
#[derive(Serialize)]
struct TenantResult<T> {
    tenant: TenantId,
    #[serde(flatten)]
    done: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemView>,
}

/// A key after its revocation.
#[derive(Serialize)]
struct RevokedKey {
    key: KeyView,
    unchanged: bool,
}

impl From<Outcome<Key>> for RevokedKey {
    fn from(outcome: Outcome<Key>) -> Self {
        let unchanged = outcome.is_unchanged();
        Self { key: outcome.into_inner().into(), unchanged }
    }
}

#[derive(Serialize)]
struct Revoked {
    revoked: Vec<KeyId>,
}

#[derive(Serialize)]
struct Swept {
    keys: Vec<KeyId>,
    events: u64,
}

/// The problems among many results. If the problem of every result is `unavailable`, it is the
/// problem of the whole request.
#[derive(Default)]
struct Outage {
    problem: Option<Problem>,
    is_answered: bool,
}

impl Outage {
    fn see(&mut self, problem: Option<Problem>) {
        match problem {
            Some(problem) if problem.code() == Code::Unavailable => self.problem = Some(problem),
            _ => self.is_answered = true,
        }
    }

    fn answer<T: Serialize>(self, results: Vec<T>) -> Result<Response, Problem> {
        match self.problem {
            Some(problem) if !self.is_answered => Err(problem),
            _ => Ok(Json(Results { results }).into_response()),
        }
    }
}

/// Creates the response with a result for each of many keys of any tenants.
///
/// # Errors
/// The problem `unavailable`, if it is the result of every key.
pub(crate) fn revoked_keys(reports: Vec<RevokeReport>) -> Result<Response, Problem> {
    let (mut outage, mut results) = (Outage::default(), Vec::with_capacity(reports.len()));
    for RevokeReport { key, tenant, result } in reports {
        let (change, problem) = match result {
            Ok(outcome) => (Some(outcome.into()), None),
            Err(error) => (None, Some(Problem::from(error))),
        };
        let view = problem.as_ref().map(Problem::view);
        results.push(KeyResult { id: key, tenant, change, problem: view });
        outage.see(problem);
    }
    outage.answer(results)
}

/// Creates the response with the revoked keys of an owner in each tenant.
///
/// # Errors
/// The problem `unavailable`, if it is the result of every tenant.
pub(crate) fn revoked_owned(
    results: Vec<(TenantId, Result<Vec<Key>, KeyError>)>,
) -> Result<Response, Problem> {
    by_tenant(results, |keys| Revoked { revoked: keys.iter().map(|key| key.id).collect() })
}

/// Creates the response with what was swept in each tenant.
///
/// # Errors
/// The problem `unavailable`, if it is the result of every tenant.
pub(crate) fn swept(
    results: Vec<(TenantId, Result<SweepReport, ListError>)>,
) -> Result<Response, Problem> {
    by_tenant(results, |SweepReport { keys, events }| Swept { keys, events })
}

fn by_tenant<T, E: Into<Problem>, V: Serialize>(
    answers: Vec<(TenantId, Result<T, E>)>,
    view: impl Fn(T) -> V,
) -> Result<Response, Problem> {
    let (mut outage, mut results) = (Outage::default(), Vec::with_capacity(answers.len()));
    for (tenant, answer) in answers {
        let (done, problem) = match answer {
            Ok(done) => (Some(view(done)), None),
            Err(error) => (None, Some(error.into())),
        };
        results.push(TenantResult { tenant, done, problem: problem.as_ref().map(Problem::view) });
        outage.see(problem);
    }
    outage.answer(results)
}
