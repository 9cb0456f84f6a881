//! The quick road to an acceptance, from the head of a snapshot.
//!
//! It accepts or leaves the decision open, and never refuses: [`decide`](super::decide) says every
//! refusal, so the reasons and their order stay in one place. `decide` accepts each key that
//! the quick road accepts. Verifications check that in debug builds.

use std::sync::Arc;
use std::time::Duration;

use super::request::AccessRequest;
use crate::record::head::Obstacles;
use crate::record::key::Key;
use crate::record::policy::Policy;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::rates_in_force::RatesInForce;
use crate::record::scopes_in_force::ScopesInForce;
use crate::record::snapshot::Snapshot;
use crate::value::digest::Digest;
use crate::value::prefixes::Prefixes;
use crate::value::scope::Access;
use crate::value::time::Timestamp;
use crate::value::token::Presented;

/// The settings of the host for all tenants that the quick road needs.
pub(crate) struct Defaults<'a> {
    pub(crate) prefixes: &'a Prefixes,
    pub(crate) policy: &'a Arc<Policy>,
    /// The obstacles that the default policy lifts.
    pub(crate) lifted: Obstacles,
}

/// Returns whether the current secret of the key was presented and the request is accepted.
///
/// `computed` is the digest of the presented secret under the current pepper. `rate` takes one use
/// of the key's rates. It is asked last, and only if the key has any.
pub(crate) fn accepts<R>(
    presented: &Presented<'_>,
    computed: &Digest,
    snapshot: &Snapshot,
    request: &AccessRequest<'_>,
    defaults: &Defaults<'_>,
    now: Timestamp,
    rate: R,
) -> bool
where
    R: FnOnce(&Key, RatesInForce) -> Result<(), Duration>,
{
    let head = snapshot.head();
    if !snapshot.record().digest().is_same(computed)
        || !(presented.shares_prefix(&head.prefix) || presented.is_bound_to(&head.prefix))
        || !defaults.prefixes.accept(&head.prefix)
        || !head.is_open(now)
    {
        return false;
    }
    let mut left = head.obstacles.without(defaults.lifted);
    if request.access == Access::ReadOnly {
        left = left.without(Obstacles::READ_ONLY);
    }
    if left.has(Obstacles::SCOPES) {
        let plan = PolicyInForce::new(snapshot.policy(), defaults.policy).plan;
        let scopes = ScopesInForce::of(snapshot.record().key(), snapshot.account(), plan);
        if request.first_needed(|scope| !scopes.contains(scope)).is_none() {
            left = left.without(Obstacles::SCOPES);
        }
    } else if request.first_needed(|scope| !head.scopes.contains(scope)).is_some() {
        return false;
    }
    if !left.without(Obstacles::RATES).is_none() {
        return false;
    }
    if request.tenant.is_some_and(|named| snapshot.record().key().tenant.as_str() != named) {
        return false;
    }
    if left.is_none() {
        return true;
    }
    let key = snapshot.record().key();
    let policy = PolicyInForce::new(snapshot.policy(), defaults.policy);
    RatesInForce::of(key, policy, now).is_none_or(|rates| rate(key, rates).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::key::KeyRecord;
    use crate::record::policy::TenantPolicy;
    use crate::record::sample;
    use crate::value::digest::PepperRing;
    use crate::value::id::TenantId;
    use crate::value::random::Random;
    use crate::value::scope::Scope;
    use crate::value::token::{Credential, FreshSecret, Prefix};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second).expect("a time")
    }

    fn secret() -> FreshSecret {
        FreshSecret::generate(&Random::system()).expect("random numbers")
    }

    fn policy() -> Policy {
        let [reading, writing] = ["invoices:read", "invoices:write"].map(str::parse);
        let (reading, writing) = (reading.expect("scopes"), writing.expect("scopes"));
        Policy::allowing(reading, writing)
    }

    /// A presented token of a key, at the second 100.
    struct Case<'a> {
        key: &'a Key,
        stored: Option<TenantPolicy>,
        /// The only accepted prefix.
        accept: Option<&'a str>,
        request: AccessRequest<'a>,
        has_other_secret: bool,
    }

    impl<'a> Case<'a> {
        fn of(key: &'a Key) -> Self {
            let request = AccessRequest::token("");
            Self { key, stored: None, accept: None, request, has_other_secret: false }
        }

        /// Returns whether the quick road accepts the token. `None` means that it asked the rates.
        fn accepted(self) -> Option<bool> {
            let Self { key, stored, accept, request, has_other_secret } = self;
            let peppers = PepperRing::none().with(1, [7; 32]).expect("a pepper");
            let current = secret();
            let record = KeyRecord::new(key.clone(), peppers.digest(&key.id, current.as_bytes()));
            let stored = stored.map(Arc::new);
            let snapshot = Snapshot::new(record, None, stored).expect("the owner fits");

            let own: Prefix = accept.unwrap_or("key").parse().expect("a prefix");
            let accept = accept.map(|_| [own.clone()].into());
            let prefixes = Prefixes::new(own, accept).expect("its own prefix is accepted");
            let shown = if has_other_secret { secret() } else { current };
            let token = shown.into_token(&key.prefix, key.id);
            let presented = Presented::parse(Credential::Token(token.expose()), prefixes.usual());
            let presented = presented.expect("the credential is well-formed");
            let computed = peppers.digest(&presented.key_id, presented.secret);

            let default = Arc::new(policy());
            let lifted = Obstacles::lifted_by(&default);
            let defaults = Defaults { prefixes: &prefixes, policy: &default, lifted };
            let mut has_asked = false;
            let rate = |_: &Key, _| {
                has_asked = true;
                Ok(())
            };
            let accepted =
                accepts(&presented, &computed, &snapshot, &request, &defaults, at(100), rate);
            (!has_asked).then_some(accepted)
        }
    }

    #[test]
    fn usual_requests_take_the_quick_road() {
        let key = &sample::key();
        let timed = &Key { not_before: Some(at(100)), expires_at: Some(at(101)), ..key.clone() };
        let rated = &Key { rate: Some("9/60s".parse().expect("a rate")), ..key.clone() };
        let scoped = &Key { scopes: "invoices:write".parse().expect("scopes"), ..key.clone() };
        let scope = Scope::new("invoices:write").expect("a scope");
        let Policy { plan, settings } = policy();
        let stored = || {
            Some(TenantPolicy {
                plan: Some(plan.clone()),
                settings: Some(settings.clone()),
                version: 1,
            })
        };
        let usual = || AccessRequest::token("");
        let writing = || usual().write().scope(&scope);

        let cases = [
            Case::of(key),
            Case { stored: stored(), ..Case::of(key) },
            Case { accept: Some("key"), ..Case::of(key) },
            Case { request: usual().tenant(&key.tenant), ..Case::of(key) },
            Case::of(timed),
            Case { request: writing(), ..Case::of(scoped) },
            Case { request: writing(), stored: stored(), ..Case::of(scoped) },
        ];
        for (n, case) in cases.into_iter().enumerate() {
            assert_eq!(case.accepted(), Some(true), "case {n}");
        }
        assert_eq!(Case::of(rated).accepted(), None);
    }

    #[test]
    fn full_decision_says_every_refusal() {
        let key = &sample::key();
        let networks = "203.0.113.0/24".parse().expect("networks");
        let refused = [
            Key { networks, ..key.clone() },
            Key { revoked_at: Some(at(99)), ..key.clone() },
            Key { disabled: true, ..key.clone() },
            Key { expires_at: Some(at(100)), ..key.clone() },
            Key { not_before: Some(at(101)), ..key.clone() },
        ];
        let scope = Scope::new("invoices:write").expect("a scope");
        let other: TenantId = "acme".parse().expect("a tenant");
        let usual = || AccessRequest::token("");
        let cases = [
            Case { accept: Some("acme"), ..Case::of(key) },
            Case { has_other_secret: true, ..Case::of(key) },
            Case { request: usual().scope(&scope), ..Case::of(key) },
            Case { request: usual().tenant(&other), ..Case::of(key) },
        ];
        for (n, case) in refused.iter().map(Case::of).chain(cases).enumerate() {
            assert_eq!(case.accepted(), Some(false), "case {n}");
        }
    }
}
