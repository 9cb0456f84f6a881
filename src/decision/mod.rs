//! The rules for refusing a key, and their order. No other module refuses one.
//!
//! [`decide`] is pure. It takes a credential, the record found for it, a request and the time. It
//! returns a grant or the first reason against one, and neither reads a clock nor calls a store.
//!
//! | step | what fails | reason |
//! |---|---|---|
//! | 1 | grammar, length, checksum | [`Malformed`](Reason::Malformed) |
//! | 2 | unknown id, other prefix or one that is not accepted, other tenant, wrong secret: equal work, one answer | [`Unrecognized`](Reason::Unrecognized) |
//! | 3 | the retiring secret after the overlap | [`Superseded`](Reason::Superseded) |
//! | 4 | the key's status | [`Revoked`](Reason::Revoked), [`Expired`](Reason::Expired), [`Disabled`](Reason::Disabled), [`NotYetValid`](Reason::NotYetValid) |
//! | 5 | the owner | [`AccountDisabled`](Reason::AccountDisabled), [`UserSuspended`](Reason::UserSuspended) |
//! | 6 | the tenant | [`AccessOff`](Reason::AccessOff), [`UpgradeRequired`](Reason::UpgradeRequired) |
//! | 7 | the source network | [`NetworkNotAllowed`](Reason::NetworkNotAllowed) |
//! | 8 | access and scopes of the request | [`ReadOnly`](Reason::ReadOnly), [`MissingScope`](Reason::MissingScope) |
//! | 9 | the rate | [`RateLimited`](Reason::RateLimited) |
//!
//! Steps 1 to 3 run before any rule looks at the key, so a caller without its secret learns nothing
//! about it.

mod denial;
mod grant;
pub(crate) mod quick;
pub(crate) mod request;

use std::sync::Arc;
use std::time::Duration;

use subtle::Choice;

use crate::decision::request::AccessRequest;
use crate::record::freshness::Found;
use crate::record::key::{Key, KeyRecord};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::Policy;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::rates_in_force::RatesInForce;
use crate::record::scopes_in_force::ScopesInForce;
use crate::record::status::KeyStatus;
use crate::value::digest::{Digest, DigestError, PepperRing};
use crate::value::prefixes::Prefixes;
use crate::value::time::Timestamp;
use crate::value::token::Presented;

pub use self::denial::{Denial, DenialClass, Reason};
pub use self::grant::{Grant, SecretUsed};

/// The inputs of a decision besides the credential and the request.
pub(crate) struct Circumstances<'a, R> {
    pub(crate) peppers: &'a PepperRing,
    pub(crate) prefixes: &'a Prefixes,
    pub(crate) default_policy: &'a Arc<Policy>,
    pub(crate) now: Timestamp,
    /// Takes one use of a key's rates, or returns how long to wait for one.
    pub(crate) rate: R,
}

/// The keys that a credential may belong to. Other keys count as unknown.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) prefixes: &'a Prefixes,
    /// The id of the tenant, if the request names one.
    pub(crate) tenant: Option<&'a str>,
}

/// A credential that is denied or cannot be checked.
#[derive(Debug)]
pub(crate) enum DecideError {
    Denied(Denial),
    /// The digest cannot be compared. The cause is the operator's configuration, not the caller.
    Undecidable(DigestError),
}

/// Decides on a well-formed credential (step 1 has passed), given what the store found for its id.
///
/// `computed` is the digest of the secret under the current pepper. The record is taken into the
/// grant, and left to the caller if the credential is denied.
pub(crate) fn decide<R>(
    presented: &Presented<'_>,
    computed: &Digest,
    found: &mut Option<Found>,
    request: &AccessRequest<'_>,
    circumstances: Circumstances<'_, R>,
) -> Result<Grant, DecideError>
where
    R: FnOnce(&Key, RatesInForce) -> Result<(), Duration>,
{
    let Circumstances { peppers, prefixes, default_policy, now, rate } = circumstances;
    let deny = |reason| DecideError::Denied(Denial::of(presented.key_id, reason));

    // Steps 2 and 3.
    let expected = Expected { prefixes, tenant: request.tenant };
    let (Found { snapshot, .. }, secret_used) =
        recognize(presented, computed, found.as_ref(), expected, peppers, now)?;
    let key = snapshot.record().key();
    let policy = PolicyInForce::new(snapshot.policy(), default_policy);
    // Steps 4 to 6.
    if let Some(reason) = standing(key, snapshot.owner(), policy, now) {
        return Err(deny(reason));
    }
    // Step 7.
    if !key.networks.allow(request.source) {
        return Err(deny(Reason::NetworkNotAllowed(request.source)));
    }
    // Step 8.
    if !snapshot.access().covers(request.access) {
        return Err(deny(Reason::ReadOnly));
    }
    let scopes = ScopesInForce::of(key, snapshot.account(), policy.plan);
    let missing = request.first_needed(|scope| !scopes.contains(scope));
    if let Some(scope) = missing {
        return Err(deny(Reason::MissingScope(scope.clone())));
    }
    // Step 9.
    if let Some(rates) = RatesInForce::of(key, policy, now) {
        rate(key, rates).map_err(|wait| deny(Reason::RateLimited(wait)))?;
    }
    let Some(Found { snapshot, age }) = found.take() else {
        return Err(deny(Reason::Unrecognized));
    };
    // A clone changes a counter that other requests share, so it is made only where it is needed.
    let default_policy = snapshot.plan().is_none().then(|| Arc::clone(default_policy));
    Ok(Grant { snapshot, default_policy, secret_used, at: now, age })
}

/// Runs steps 2 and 3: checks that the presented secret is one of the key's.
///
/// An unknown id and a key that is not expected cost the same work as a wrong secret.
pub(crate) fn recognize<'a>(
    presented: &Presented<'_>,
    computed: &Digest,
    found: Option<&'a Found>,
    expected: Expected<'_>,
    peppers: &PepperRing,
    now: Timestamp,
) -> Result<(&'a Found, SecretUsed), DecideError> {
    let deny = |reason| DecideError::Denied(Denial::of(presented.key_id, reason));
    let dummy = computed.unmatched();

    let record = found.map(|found| found.record());
    let current = record.map_or(&dummy, |record| record.digest());
    let retiring = record.and_then(|record| record.retiring_digest()).unwrap_or(&dummy);
    let compare = |stored| peppers.matches(stored, computed, &presented.key_id, presented.secret);
    let (current, retiring) = (compare(current), compare(retiring));
    let key = record.map(KeyRecord::key);
    let prefix = key.map_or(expected.prefixes.own(), |key| &key.prefix);
    let tenant = key.map(|key| key.tenant.as_str()).or(expected.tenant);
    let is_accepted = expected.prefixes.accept(prefix);
    let is_named = expected.tenant.is_none_or(|named| tenant == Some(named));
    let is_expected = is_accepted && is_named;
    let bound = Choice::from(u8::from(presented.is_bound_to(prefix)));
    let is_match = |found: &Result<Choice, _>| {
        found.as_ref().is_ok_and(|matched| bool::from(*matched & bound))
    };

    let Some(found) = found.filter(|_| is_expected) else {
        return Err(deny(Reason::Unrecognized));
    };
    let overlapping = found.record().key().is_overlapping(now);
    if is_match(&current) {
        return Ok((found, SecretUsed::Current));
    }
    if is_match(&retiring) {
        if overlapping {
            return Ok((found, SecretUsed::Retiring));
        }
        return Err(deny(Reason::Superseded));
    }
    // The pepper of a retiring secret is needed only while its overlap lasts.
    current.map_err(DecideError::Undecidable)?;
    if overlapping {
        retiring.map_err(DecideError::Undecidable)?;
    }
    Err(deny(Reason::Unrecognized))
}

/// Runs steps 4 to 6: returns the first reason to refuse the key, independent of the request.
pub(crate) fn standing(
    key: &Key,
    owner: Option<&OwnerRecord>,
    policy: PolicyInForce<'_>,
    now: Timestamp,
) -> Option<Reason> {
    match key.status(now) {
        KeyStatus::Revoked => Some(Reason::Revoked),
        KeyStatus::Expired => Some(Reason::Expired),
        KeyStatus::Disabled => Some(Reason::Disabled),
        KeyStatus::Scheduled => Some(Reason::NotYetValid),
        KeyStatus::Active => standing_of_owner(owner, policy),
    }
}

/// Returns the reason for which every key of an owner is refused, in any status. These are steps
/// 5 and 6.
pub(crate) fn standing_of_owner(
    owner: Option<&OwnerRecord>,
    policy: PolicyInForce<'_>,
) -> Option<Reason> {
    match owner.filter(|owner| !owner.is_enabled()) {
        Some(OwnerRecord::Account(_)) => Some(Reason::AccountDisabled),
        Some(OwnerRecord::User(_)) => Some(Reason::UserSuspended),
        None if !policy.api_enabled().value => Some(Reason::AccessOff),
        None if !policy.plan.api_access => Some(Reason::UpgradeRequired),
        None => None,
    }
}
