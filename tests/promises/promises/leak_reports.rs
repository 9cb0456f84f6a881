//! B11: a leak report ends its key, is recorded once, and changes nothing when it is repeated.

use keywright::store::EventQuery;
use keywright::{
    Credential, DetailField, Event, EventActor, EventKind, EventOutcome, Issued, KeyStatus,
    LeakOutcome, LeakReport, NewKey, Operation, Reason,
};

use common::faults::Fault;
use common::{DAY, HOUR, TestResult, World, named};

const PLACE: &str =
    "https://github.com/octocat/hello/blob/12345600b9cbe38a219f39a9941c9319b600c002/.env";

fn report(issued: &Issued) -> LeakReport<'_> {
    LeakReport::new(Credential::Token(issued.token.expose())).source(PLACE).reporter("github")
}

async fn leaks(world: &World) -> TestResult<Vec<Event>> {
    world.events(EventQuery::new().kind(EventKind::LeakReported)).await
}

#[common::test(each_store)]
async fn b11_leak_report_revokes_the_key(world: &World) -> TestResult {
    for status in [KeyStatus::Active, KeyStatus::Scheduled, KeyStatus::Disabled] {
        let issued = world.generate_in(status).await?;
        let other = world.key().await;
        let id = issued.key.id;
        let reported = world.verifier.report_leak(&report(&issued)).await?;
        assert_eq!(reported, LeakOutcome::Revoked(id), "{status}");
        assert_eq!(world.check(&issued).await, Err(Reason::Revoked));
        assert_eq!(world.check(&other).await, Ok(()));
        let events = world.events_of(&id).await?;
        let [.., leak, revoke] = events.as_slice() else { panic!("two events: {events:?}") };
        assert_eq!(revoke.kind, EventKind::Operation(Operation::KeyRevoke));
        assert_eq!((leak.kind, leak.outcome), (EventKind::LeakReported, EventOutcome::Done));
        assert_eq!([&leak.actor, &revoke.actor], [&EventActor::Possessor; 2]);
        let text = |field| leak.details.get_text(field);
        assert_eq!(text(DetailField::LeakSource), Some(PLACE));
        assert_eq!(text(DetailField::Reporter), Some("github"));
        assert_eq!(text(DetailField::Name), Some("prod-main-app"));
        assert_eq!(text(DetailField::Owner), Some("user:alice"));
        assert_eq!(leak.details.get_number(DetailField::SecretNumber), Some(2));
    }
    Ok(())
}

#[common::test(each_store)]
async fn b11_repeated_report_changes_nothing(world: &World) -> TestResult {
    let issued = world.key().await;
    let id = issued.key.id;
    world.verifier.report_leak(&report(&issued)).await?;
    let shown = world.shown(&id).await?;
    let events = world.events_of(&id).await?;
    for again in [report(&issued), report(&issued).alert_only()] {
        assert_eq!(world.verifier.report_leak(&again).await?, LeakOutcome::Unchanged(id));
    }
    assert_eq!(world.shown(&id).await?, shown);
    assert_eq!(world.events_of(&id).await?, events);
    // An expired key is dead already, and the owner's revocation is not recorded again.
    let expired = world.generate(NewKey::named("prod-short")?.expires_in(HOUR)).await?;
    let revoked = world.key().await;
    world.authority.revoke(&world.alice, &revoked.key.id).await?;
    world.clock.advance(HOUR);
    for dead in [&expired, &revoked] {
        let reported = world.verifier.report_leak(&report(dead)).await?;
        assert_eq!(reported, LeakOutcome::Unchanged(dead.key.id));
    }
    assert_eq!(leaks(world).await?.len(), 1);
    Ok(())
}

#[common::test(each_store)]
async fn b11_alert_only_report_is_recorded_once(world: &World) -> TestResult {
    let first = world.key().await;
    let id = first.key.id;
    let reported = world.verifier.report_leak(&report(&first).alert_only()).await?;
    assert_eq!(reported, LeakOutcome::Recorded(id));
    let again = world.verifier.report_leak(&report(&first).alert_only()).await?;
    assert_eq!(again, LeakOutcome::Unchanged(id));
    assert_eq!(world.check(&first).await, Ok(()));
    // Another secret of the key is another leak.
    let second = world.authority.rotate(&world.alice, &id, DAY).await?;
    for (issued, expected) in
        [(&first, LeakOutcome::Unchanged(id)), (&second, LeakOutcome::Recorded(id))]
    {
        assert_eq!(world.verifier.report_leak(&report(issued).alert_only()).await?, expected);
    }
    let told = leaks(world).await?;
    let numbers: Vec<_> =
        told.iter().map(|leak| leak.details.get_number(DetailField::SecretNumber)).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    assert!(told.iter().all(|leak| leak.outcome == EventOutcome::Unchanged));
    // A recorded leak does not protect the key from a report that revokes.
    let reported = world.verifier.report_leak(&report(&second)).await?;
    assert_eq!(reported, LeakOutcome::Revoked(id));
    Ok(())
}

#[common::test(each_store)]
async fn b11_only_working_secrets_are_reported(world: &World) -> TestResult {
    let old = world.key().await;
    let new = world.authority.rotate(&world.alice, &old.key.id, HOUR).await?;
    world.clock.advance(HOUR);
    let other = world.key().await;
    let (key_id, key_secret) = (new.key.id.as_str(), other.token.expose_key_secret());
    let events = world.events(EventQuery::new()).await?.len();
    let foreign = new.token.expose().replacen("acme_live_", "acme_test_", 1);
    for unknown in [
        Credential::Token(old.token.expose()),
        Credential::Token("not a token"),
        Credential::Token(""),
        Credential::Token(&foreign),
        Credential::Parts { key_id, key_secret },
        Credential::Parts { key_id: "0000000000000000", key_secret },
    ] {
        for report in [LeakReport::new(unknown), LeakReport::new(unknown).alert_only()] {
            assert_eq!(world.verifier.report_leak(&report).await?, LeakOutcome::Unknown);
        }
    }
    world.verifier.flush().await?;
    assert_eq!(world.check(&new).await, Ok(()));
    assert_eq!(world.events(EventQuery::new()).await?.len(), events);
    let shown = world.authority.key(&world.alice, &new.key.id).await?;
    assert_eq!(shown.refused, 0, "a report is no use of the key");
    Ok(())
}

#[common::test(each_store)]
async fn b11_retiring_secret_ends_the_key(world: &World) -> TestResult {
    let old = world.key().await;
    let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    let reported = world.verifier.report_leak(&report(&old)).await?;
    assert_eq!(reported, LeakOutcome::Revoked(old.key.id));
    for issued in [&old, &new] {
        assert_eq!(world.check(issued).await, Err(Reason::Revoked));
    }
    let told = leaks(world).await?;
    assert_eq!(told[0].details.get_number(DetailField::SecretNumber), Some(1));
    Ok(())
}

#[common::test(each_store)]
async fn b11_leak_source_shows_no_token(world: &World) -> TestResult {
    let issued = world.key().await;
    let token = issued.token.expose();
    let place = format!("https://example.com/\u{202e}?key={token}\n&x={}", "y".repeat(2_000));
    let report = LeakReport::new(Credential::Token(token)).source(&place).reporter(token);
    assert!(!format!("{report:?}").contains(&token[20..40]));
    world.verifier.report_leak(&report).await?;
    let told = leaks(world).await?;
    let source = told[0].details.get_text(DetailField::LeakSource).ok_or("a source")?;
    assert!(source.starts_with("https://example.com/\u{fffd}?key=acme_live_(hidden)\u{fffd}&x=yy"));
    assert_eq!(source.chars().count(), LeakReport::MAX_SOURCE);
    assert_eq!(told[0].details.get_text(DetailField::Reporter), Some("acme_live_(hidden)"));
    Ok(())
}

#[common::test(each_store)]
async fn b11_failing_store_leaves_report_repeatable(world: &World) -> TestResult {
    let issued = world.key().await;
    let (unstable, faults) = world.with_faults()?;
    for alert_only in [false, true] {
        for fault in [Fault::Down, Fault::WritesLost] {
            faults.set(fault);
            let report = report(&issued);
            let report = if alert_only { report.alert_only() } else { report };
            assert!(unstable.verifier.report_leak(&report).await.is_err(), "{fault:?}");
            faults.set(None);
            assert_eq!(world.check(&issued).await, Ok(()), "{fault:?}");
        }
    }
    faults.set(Fault::AnswersLost);
    assert!(unstable.verifier.report_leak(&report(&issued)).await.is_err());
    faults.set(None);
    let again = unstable.verifier.report_leak(&report(&issued)).await?;
    assert_eq!(again, LeakOutcome::Unchanged(issued.key.id));
    assert_eq!(leaks(world).await?.len(), 1);
    Ok(())
}

#[common::test(each_store)]
async fn b11_deleted_key_fails_no_report(world: &World) -> TestResult {
    let issued = world.key_of(&world.alice, named("prod-main-app")).await;
    let id = issued.key.id;
    let (unstable, faults) = world.with_faults()?;
    let (authority, alice) = (world.authority.clone(), world.alice.clone());
    faults.meanwhile(async move {
        authority.delete(&alice, &id).await.expect("the key is deleted");
    });
    let reported = unstable.verifier.report_leak(&report(&issued)).await?;
    assert_eq!(reported, LeakOutcome::Unchanged(id));
    assert!(leaks(world).await?.is_empty());
    Ok(())
}
