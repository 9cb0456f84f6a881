//! B4 and B7: the effects of a failing store.

use std::error::Error;

use keywright::store::{AccountQuery, EventQuery, KeyQuery, StoreError, StoreErrorKind};
use keywright::{
    AccessRequest, Credential, EventKind, GenerateError, KeyError, KeyStatus, NewKey, Operation,
    Reason, VerifyError,
};

use common::faults::Fault;
use common::operations::{Subjects, is_looking, perform, state};
use common::{DAY, TestResult, World};

#[common::test(each_store)]
async fn b4_store_failure_is_never_an_invalid_key(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let good = world.generate(NewKey::named("prod-main-app")?).await?;
    let revoked = world.generate(NewKey::named("prod-revoked")?).await?;
    world.authority.revoke(&world.alice, &revoked.key.id).await?;
    assert_eq!(world.check(&good).await, Ok(()));

    faults.set(Fault::Down);
    let parts = (good.key.id.as_str(), revoked.token.expose_key_secret());
    let requests = [
        AccessRequest::token(good.token.expose()),
        AccessRequest::token(revoked.token.expose()),
        AccessRequest::parts(parts.0, parts.1),
    ];
    for request in requests {
        let verified = world.verifier.verify_request(&request).await;
        let Err(VerifyError::Unavailable(error)) = &verified else { panic!("{verified:?}") };
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(verified.expect_err("unavailable").denial().is_none());
    }
    let revoking = world.verifier.revoke(Credential::Token(good.token.expose())).await;
    assert!(matches!(revoking, Err(VerifyError::Unavailable(_))), "{revoking:?}");
    // A malformed token needs no store.
    let malformed = world.check_request(&AccessRequest::token("acme_live_0")).await;
    assert_eq!(malformed, Err(Reason::Malformed));

    faults.set(None);
    assert_eq!(world.check(&good).await, Ok(()));
    assert_eq!(world.check(&revoked).await, Err(Reason::Revoked));
    Ok(())
}

#[common::test(each_store)]
async fn b4_store_failure_returns_no_token(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let account = world.account("nightly-report", "analyst").await?;
    for fault in [Fault::Down, Fault::WritesLost, Fault::AnswersLost] {
        faults.set(fault);
        let generated = world.generate(NewKey::named("prod-other")?).await;
        assert!(matches!(generated, Err(GenerateError::Store(_))), "{generated:?}");
        let rotated = world.authority.rotate(&world.alice, &issued.key.id, DAY).await;
        assert!(matches!(rotated, Err(KeyError::Store(_))), "{rotated:?}");
        faults.set(None);
    }
    faults.set(Fault::Down);
    let (authority, admin) = (&world.authority, &world.admin);
    let looks: [Result<(), Box<dyn Error>>; 5] = [
        authority.key(admin, &issued.key.id).await.map(drop).map_err(Into::into),
        authority.keys(admin, &KeyQuery::new()).await.map(drop).map_err(Into::into),
        authority.account(admin, &account.id).await.map(drop).map_err(Into::into),
        authority.accounts(admin, &AccountQuery::new()).await.map(drop).map_err(Into::into),
        authority.events(admin, &EventQuery::new()).await.map(drop).map_err(Into::into),
    ];
    for look in looks {
        let error = look.expect_err("the store is down");
        let source = error.source().and_then(<dyn Error>::downcast_ref::<StoreError>);
        let kind = source.map(StoreError::kind);
        assert_eq!(kind, Some(StoreErrorKind::Unavailable), "{error:?}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn b7_event_is_written_with_its_change(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let owner = world.alice.as_owner();
    for operation in Operation::ALL.iter().filter(|operation| !is_looking(**operation)) {
        for fault in [Some(Fault::WritesLost), Some(Fault::AnswersLost), None] {
            let on = Subjects::of(&world, &owner, *operation).await?;
            let before = state(&world).await?;
            let events = world.events(EventQuery::new()).await?.len();
            faults.set(fault);
            let done = perform(&world, &world.admin, *operation, &on).await;
            faults.set(None);
            assert_eq!(done.is_err(), fault.is_some(), "{operation}, {fault:?}: {done:?}");
            let changed = state(&world).await? != before;
            assert_eq!(changed, fault != Some(Fault::WritesLost), "{operation}, {fault:?}");
            let told = world.events(EventQuery::new()).await?.split_off(events);
            let kinds: Vec<_> = told.iter().map(|event| event.kind).collect();
            let expected = changed.then_some(EventKind::Operation(*operation));
            assert_eq!(kinds, Vec::from_iter(expected), "{operation}, {fault:?}");
        }
    }
    Ok(())
}

#[common::test(each_store)]
async fn b7_possessor_revocation_is_written_with_its_event(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let token = Credential::Token(issued.token.expose());
    for (fault, status, events) in
        [(Fault::WritesLost, KeyStatus::Active, 1), (Fault::AnswersLost, KeyStatus::Revoked, 2)]
    {
        faults.set(fault);
        let failed = world.verifier.revoke(token).await;
        assert!(matches!(failed, Err(VerifyError::Unavailable(_))), "{failed:?}");
        faults.set(None);
        assert_eq!(world.status(&issued.key.id).await?, status);
        assert_eq!(world.events_of(&issued.key.id).await?.len(), events);
    }
    Ok(())
}

#[common::test(each_store)]
async fn b7_unrecorded_refusal_reports_the_store_failure(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    faults.set(Fault::WritesLost);
    let refused = world.authority.rotate(&world.bob, &issued.key.id, DAY).await;
    assert!(matches!(refused, Err(KeyError::Store(_))), "{refused:?}");
    let already = world.authority.enable(&world.alice, &issued.key.id).await;
    assert!(matches!(already, Err(KeyError::Store(_))), "{already:?}");
    Ok(())
}
