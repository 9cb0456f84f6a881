//! B3, B5 and B13: the delay of a revocation, the details that each caller learns, and the limits
//! of a token's possessor.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::{
    Access, AccessRequest, AccountEdit, Actor, Credential, DenialClass, EventActor, Grant, Issued,
    Key, KeyStatus, NewKey, Outcome, Rate, Reason, Scope, Token, Verifier, VerifyError,
};

use common::{DAY, HOUR, TestResult, World};

#[common::test(each_store)]
async fn b3_revoked_key_is_refused_at_once(world: &World) -> TestResult {
    const THREADS: u32 = 4;
    for _ in 0..10 {
        let issued = world.generate(NewKey::named("prod-main-app")?).await?;
        // The first verifier, a clone of it, and a second one from the same setup.
        let verifiers = [&world.verifier, &world.verifier.clone(), &world.keywright.verifier()];
        let revoked = AtomicBool::new(false);
        let (accepted, refused, late) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        let verify = |number: u32| {
            let verifier = verifiers[number as usize % verifiers.len()];
            loop {
                let too_late = revoked.load(Ordering::SeqCst);
                let verdict = block_on(verifier.verify(issued.token.expose()));
                let counter = match (verdict.is_ok(), too_late) {
                    (true, false) => &accepted,
                    (true, true) => &late,
                    (false, _) => &refused,
                };
                counter.fetch_add(1, Ordering::SeqCst);
                if too_late {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for number in 0..THREADS {
                scope.spawn(move || verify(number));
            }
            while accepted.load(Ordering::SeqCst) < THREADS {
                std::thread::yield_now();
            }
            let done = block_on(world.authority.revoke(&world.alice, &issued.key.id));
            revoked.store(true, Ordering::SeqCst);
            done.map(drop)
        })?;
        assert_eq!(late.load(Ordering::SeqCst), 0, "no use that began later was accepted");
        assert!(refused.load(Ordering::SeqCst) >= THREADS);
        world.authority.delete(&world.alice, &issued.key.id).await?;
    }
    Ok(())
}

#[cfg(feature = "file")]
#[common::test(file_store)]
async fn b3_second_process_cannot_open_the_file(world: &World) -> TestResult {
    use keywright::store::{FileStore, StoreErrorKind};

    let file = world.file.as_ref().ok_or("the store is a file")?;
    let second = FileStore::open(file).await;
    let error = second.err().ok_or("a file has one process")?;
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("process"), "{error}");
    Ok(())
}

#[common::test(each_store)]
async fn b5_caller_learns_only_that_key_is_refused(world: &World) -> TestResult {
    let refusals = refusals_of_each_kind(world).await?;
    let mut reasons = Vec::new();
    for (expected, error) in refusals {
        let VerifyError::Denied(denial) = &error else { panic!("{error:?}") };
        assert_eq!(denial.reason().code(), expected);
        assert_eq!(denial.class(), DenialClass::Invalid, "{expected}");
        let public = [denial.to_string(), error.to_string()];
        assert_eq!(public, ["the API key is not accepted"; 2], "{expected}");
        assert!(denial.retry_after().is_none());
        reasons.push(denial.reason().to_string());
    }
    let count = reasons.len();
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons.len(), count, "each reason has its own text");
    Ok(())
}

#[common::test(each_store)]
async fn b5_accepted_caller_learns_what_is_missing(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let rate = Rate::new(1, HOUR)?;
    let issued = world.generate_under(&account, NewKey::named("prod-job")?.rate(rate)).await?;
    let token = issued.token.expose();
    let write = Scope::new("invoices:write")?;
    let request = AccessRequest::token(token).scope(&write);
    let denied = world.verifier.verify_request(&request).await.expect_err("no such scope");
    assert_eq!(denied.to_string(), "the API key does not allow this");
    let edit = AccountEdit::new().access(Access::ReadOnly);
    world.authority.edit_account(&world.admin, &account.id, edit).await?;
    let request = AccessRequest::token(token).write();
    let denied =
        world.verifier.verify_request(&request).await.expect_err("the account is read-only");
    assert_eq!(denied.to_string(), "the API key does not allow this");
    world.verifier.verify(token).await?;
    let denied = world.verifier.verify(token).await.expect_err("the rate is spent");
    assert_eq!(denied.to_string(), "the API key is used too often");
    Ok(())
}

#[common::test(each_store)]
async fn b5_caller_without_secret_learns_nothing(world: &World) -> TestResult {
    let secret_of_another = world.generate_for(&world.bob, NewKey::named("prod-bob")?).await?;
    let secret = secret_of_another.token.expose_key_secret();
    for status in KeyStatus::ALL {
        let issued = world.generate_in(status).await?;
        let request = AccessRequest::parts(issued.key.id.as_str(), secret);
        let verdict = world.check_request(&request).await;
        assert_eq!(verdict, Err(Reason::Unrecognized), "{status}");
    }
    let nobodys = AccessRequest::parts("0000000000000000", secret);
    assert_eq!(world.check_request(&nobodys).await, Err(Reason::Unrecognized));
    Ok(())
}

#[common::test(each_store)]
async fn b13_possessor_can_revoke_its_own_key(world: &World) -> TestResult {
    for status in [KeyStatus::Active, KeyStatus::Scheduled, KeyStatus::Disabled] {
        let issued = world.generate_in(status).await?;
        let other = world.generate(NewKey::named("prod-other")?).await?;
        let id = issued.key.id;
        let token = Credential::Token(issued.token.expose());
        assert_eq!(world.verifier.revoke(token).await?, Outcome::Done(id));
        assert_eq!(world.check(&issued).await, Err(Reason::Revoked));
        assert_eq!(world.verifier.revoke(token).await?, Outcome::Unchanged(id));
        assert_eq!(world.check(&other).await, Ok(()));
        let last = world.events_of(&id).await?.pop().ok_or("there is an event")?;
        assert_eq!(
            (last.kind.to_string().as_str(), last.actor),
            ("key.revoke", EventActor::Possessor)
        );
    }
    Ok(())
}

#[common::test(each_store)]
async fn b13_either_secret_revokes_a_leaked_key(world: &World) -> TestResult {
    let networks = "203.0.113.0/24".parse()?;
    let old = world.generate(NewKey::named("prod-main-app")?.networks(networks)).await?;
    let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
    let (key_id, key_secret) = (old.key.id.as_str(), old.token.expose_key_secret());
    let parts = Credential::Parts { key_id, key_secret };
    assert_eq!(world.verifier.revoke(parts).await?, Outcome::Done(old.key.id));
    for issued in [&old, &new] {
        assert_eq!(world.check(issued).await, Err(Reason::Revoked));
    }
    Ok(())
}

#[common::test(each_store)]
async fn b13_only_a_working_secret_revokes(world: &World) -> TestResult {
    let replaced = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = replaced.key.id;
    let current = world.authority.rotate(&world.alice, &id, Duration::ZERO).await?;
    let other = world.generate(NewKey::named("prod-other")?).await?;
    let by_other =
        Credential::Parts { key_id: id.as_str(), key_secret: other.token.expose_key_secret() };
    let superseded = Credential::Token(replaced.token.expose());
    for credential in [by_other, superseded, Credential::Token("acme_live_0")] {
        let refused = world.verifier.revoke(credential).await;
        assert!(matches!(refused, Err(VerifyError::Denied(_))), "{refused:?}");
    }
    assert_eq!(world.check(&current).await, Ok(()));
    assert_eq!(world.events_of(&id).await?.len(), 2, "generate and rotate");
    let expired = world.generate(NewKey::named("prod-short")?.expires_in(HOUR)).await?;
    world.clock.advance(HOUR);
    let refused = world.verifier.revoke(Credential::Token(expired.token.expose())).await;
    let denial = refused.as_ref().err().and_then(VerifyError::denial);
    assert_eq!(denial.map(|denial| denial.reason().clone()), Some(Reason::Expired));
    Ok(())
}

#[common::test(each_store)]
async fn b13_key_manages_no_keys(world: &World) -> TestResult {
    // None of the values that a token's possessor can get converts into an actor, and every method
    // of the authority needs one.
    let becomes_an_actor = [
        Becomes::<Grant>::AN_ACTOR,
        Becomes::<&Grant>::AN_ACTOR,
        Becomes::<Key>::AN_ACTOR,
        Becomes::<Token>::AN_ACTOR,
        Becomes::<Credential<'_>>::AN_ACTOR,
        Becomes::<Verifier>::AN_ACTOR,
        Becomes::<Actor>::AN_ACTOR,
    ];
    assert_eq!(becomes_an_actor, [false, false, false, false, false, false, true]);
    let account = world.account("nightly-report", "operator").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-job")?).await?;
    let grant = world.verifier.verify(issued.token.expose()).await?;
    for actor in [&world.admin, &world.alice, &world.auditor] {
        assert!(!actor.owns(grant.owner()), "no actor owns an account's key");
    }
    Ok(())
}

/// Tells at compile time whether a type converts into an actor: the inherent constant takes
/// precedence over the trait's, and it exists only for types that convert.
struct Becomes<T>(PhantomData<T>);

trait Otherwise {
    const AN_ACTOR: bool = false;
}

impl<T> Otherwise for Becomes<T> {}

impl<T: Into<Actor>> Becomes<T> {
    const AN_ACTOR: bool = true;
}

/// Returns a refusal for each reason that callers do not learn.
async fn refusals_of_each_kind(world: &World) -> TestResult<Vec<(&'static str, VerifyError)>> {
    async fn refusal(world: &World, issued: &Issued) -> VerifyError {
        let verified = world.verifier.verify(issued.token.expose()).await;
        verified.expect_err("the key is refused")
    }
    let new = || NewKey::named("prod-main-app");
    let mut refusals = Vec::new();
    let malformed = world.verifier.verify("acme_live_0").await.expect_err("it is no token");
    refusals.push(("malformed", malformed));
    let gone = world.generate(new()?).await?;
    world.authority.delete(&world.alice, &gone.key.id).await?;
    refusals.push(("unrecognized", refusal(world, &gone).await));
    let superseded = world.generate(new()?).await?;
    world.authority.rotate(&world.alice, &superseded.key.id, HOUR).await?;
    world.clock.advance(HOUR);
    refusals.push(("superseded", refusal(world, &superseded).await));
    let statuses = [
        (KeyStatus::Revoked, "revoked"),
        (KeyStatus::Expired, "expired"),
        (KeyStatus::Disabled, "disabled"),
        (KeyStatus::Scheduled, "not_yet_valid"),
    ];
    for (status, code) in statuses {
        let issued = world.generate_in(status).await?;
        refusals.push((code, refusal(world, &issued).await));
    }
    let bound = world.generate(new()?.networks("203.0.113.0/24".parse()?)).await?;
    refusals.push(("network_not_allowed", refusal(world, &bound).await));
    let account = world.account("nightly-report", "analyst").await?;
    let job = world.generate_under(&account, new()?).await?;
    world.authority.disable_account(&world.admin, &account.id).await?;
    refusals.push(("account_disabled", refusal(world, &job).await));
    let issued = world.generate(new()?).await?;
    world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
    refusals.push(("access_off", refusal(world, &issued).await));
    world
        .set_policy(|policy| {
            policy.settings.api_enabled = Some(true);
            policy.plan.api_access = false;
        })
        .await?;
    refusals.push(("upgrade_required", refusal(world, &issued).await));
    Ok(refusals)
}
