//! Q9: the events of extensive and suspicious use, and the counts of refused uses.

use std::net::IpAddr;
use std::time::Duration;

use keywright::store::EventQuery;
use keywright::{
    AccessRequest, Credential, DetailField, Event, EventActor, EventKind, EventOutcome, Issued,
    KeyEntry, NewKey, Scope,
};

use common::faults::Fault;
use common::{DAY, HOUR, MOMENT, TestResult, World, render};

const MINUTE: Duration = Duration::from_secs(60);

#[common::test(each_store)]
async fn q9_extensive_use_raises_one_event(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.extensive_use = "10/3600s".parse().ok()).await?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let quiet = world.generate(NewKey::named("prod-quiet")?).await?;
    for (uses, expected) in [(9, 0), (1, 0), (1, 1), (30, 1)] {
        use_and_flush(world, &issued, uses).await?;
        world.verifier.verify(quiet.token.expose()).await?;
        world.verifier.flush().await?;
        world.verifier.flush().await?;
        assert_eq!(alerts(world, &issued).await?.len(), expected);
    }
    let told = alerts(world, &issued).await?.pop().ok_or("an event")?;
    assert_eq!((told.actor, told.at), (EventActor::System, world.now()));
    assert_eq!((told.kind, told.outcome), (EventKind::ExtensiveUse, EventOutcome::Done));
    let numbers = [DetailField::Uses, DetailField::Limit, DetailField::PeriodSeconds];
    let numbers = numbers.map(|field| told.details.get_number(field));
    assert_eq!(numbers, [Some(11), Some(10), Some(3_600)]);
    let start = "10/3600s".parse::<keywright::UseAlert>()?.window_start(world.now());
    let shown = told.details.get_text(DetailField::WindowStart);
    assert_eq!(shown, Some(start.to_string().as_str()));
    assert_eq!(alerts(world, &quiet).await?, []);
    Ok(())
}

#[common::test(each_store)]
async fn q9_each_period_raises_its_own_event(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.extensive_use = "10/60s".parse().ok()).await?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    to_end_of_minute(world)?;
    for _ in 0..10 {
        world.verifier.verify(issued.token.expose()).await?;
    }
    // One flush has uses of both sides of the end: ten and ten are no alert, although together
    // they are 20.
    world.clock.advance(MOMENT);
    use_and_flush(world, &issued, 10).await?;
    assert_eq!(alerts(world, &issued).await?, []);
    world.clock.advance(MINUTE.saturating_sub(MOMENT));
    use_and_flush(world, &issued, 1).await?;
    assert_eq!(alerts(world, &issued).await?.len(), 1);
    for periods in 2..5 {
        world.clock.advance(MINUTE);
        use_and_flush(world, &issued, 11).await?;
        assert_eq!(alerts(world, &issued).await?.len(), periods);
    }
    Ok(())
}

#[common::test(each_store)]
async fn q9_late_flush_counts_in_its_period(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.extensive_use = "10/60s".parse().ok()).await?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let node = world.with_settings(|builder| builder);
    // Another node counts with snapshots of its own.
    let (node, faults) = node.with_faults()?;
    faults.make_snapshots_anew();
    to_end_of_minute(world)?;
    for _ in 0..6 {
        node.verifier.verify(issued.token.expose()).await?;
    }
    use_and_flush(world, &issued, 5).await?;
    world.clock.advance(MINUTE);
    use_and_flush(world, &issued, 10).await?;
    assert_eq!(alerts(world, &issued).await?, []);
    // The flush of the other node is late. Its uses complete the period before, and leave this one.
    node.verifier.flush().await?;
    let told = alerts(world, &issued).await?;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].details.get_number(DetailField::Uses), Some(11));
    use_and_flush(world, &issued, 1).await?;
    assert_eq!(alerts(world, &issued).await?.len(), 2);
    Ok(())
}

#[common::test(each_store)]
async fn q9_repeated_flush_raises_no_second_event(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.extensive_use = "10/3600s".parse().ok()).await?;
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    faults.set(Fault::AnswersLost);
    assert!(use_and_flush(&world, &issued, 11).await.is_err());
    faults.set(None);
    world.clock.advance(DAY);
    world.verifier.flush().await?;
    assert_eq!(alerts(&world, &issued).await?.len(), 1);
    // Without an alert, uses cause no event.
    world.set_policy(|policy| policy.settings.extensive_use = None).await?;
    use_and_flush(&world, &issued, 30).await?;
    assert_eq!(alerts(&world, &issued).await?.len(), 1);
    Ok(())
}

#[common::test(each_store)]
async fn q9_outage_keeps_periods_apart(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.extensive_use = "10/60s".parse().ok()).await?;
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    faults.set(Fault::UsageLost);
    for uses in [11, 10, 11] {
        assert!(use_and_flush(&world, &issued, uses).await.is_err());
        world.clock.advance(MINUTE);
    }
    faults.set(None);
    world.verifier.flush().await?;
    assert_eq!(alerts(&world, &issued).await?.len(), 2);
    assert_eq!(entry(&world, &issued).await?.uses, 32);
    Ok(())
}

#[common::test(each_store)]
async fn q9_suspicious_use_raises_one_event(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.suspicious_use = "5/300s".parse().ok()).await?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let wrong = render("acme_live", issued.key.id.as_str(), &"0".repeat(32));
    for (refusals, expected) in [(5, 0), (1, 1), (1_000, 1)] {
        for _ in 0..refusals {
            world.verifier.verify(&wrong).await.expect_err("a wrong secret");
        }
        use_and_flush(world, &issued, 20).await?;
        assert_eq!(alerts(world, &issued).await?.len(), expected);
    }
    let told = alerts(world, &issued).await?.pop().ok_or("an event")?;
    assert_eq!(told.kind, EventKind::SuspiciousUse);
    assert_eq!(told.key, Some(issued.key.id));
    assert_eq!(told.details.get_number(DetailField::Uses), Some(6));
    world.clock.advance(5 * MINUTE);
    for _ in 0..6 {
        world.verifier.verify(&wrong).await.expect_err("a wrong secret");
    }
    world.verifier.flush().await?;
    assert_eq!(alerts(world, &issued).await?.len(), 2);
    Ok(())
}

#[common::test(each_store)]
async fn q9_every_denial_is_a_refused_use(world: &World) -> TestResult {
    let (authority, alice) = (&world.authority, &world.alice);
    let networks = "203.0.113.0/24".parse()?;
    let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    let first = world.generate(new.networks(networks).rate("1/86400s".parse()?)).await?;
    let (id, inside) = (first.key.id, IpAddr::from([203, 0, 113, 7]));
    let issued = authority.rotate(alice, &id, HOUR).await?;
    let (token, scope) = (issued.token.expose(), Scope::new("invoices:write")?);
    let wrong = render("acme_live", id.as_str(), &"0".repeat(32));
    let secret = token.strip_prefix(&format!("acme_live_{id}")).ok_or("a token")?;
    let other_prefix = render("acme_test", id.as_str(), &secret[..32]);
    let here = |token| AccessRequest::token(token).source(inside);
    let mut expected = Vec::new();
    let mut refused = async |request: &AccessRequest<'_>| {
        expected.push(world.check_request(request).await.expect_err("it is refused").code());
    };
    refused(&here(&wrong)).await;
    refused(&here(&other_prefix)).await;
    refused(&AccessRequest::token(token)).await;
    refused(&here(token).scope(&scope)).await;
    world.check_request(&here(token)).await.map_err(|reason| reason.to_string())?;
    refused(&here(token)).await;
    world.clock.advance(HOUR);
    refused(&here(first.token.expose())).await;
    authority.disable(alice, &id).await?;
    refused(&here(token)).await;
    authority.enable(alice, &id).await?;
    world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
    refused(&here(token)).await;
    authority.revoke(alice, &id).await?;
    refused(&here(token)).await;
    let codes = [
        "unrecognized",
        "network_not_allowed",
        "missing_scope",
        "rate_limited",
        "superseded",
        "disabled",
        "access_off",
        "revoked",
    ];
    expected.dedup();
    assert!(codes.iter().all(|code| expected.contains(code)), "{expected:?}");
    world.verifier.revoke(Credential::Token(&wrong)).await.expect_err("a wrong secret");
    world.verifier.flush().await?;
    let entry = entry(world, &issued).await?;
    assert_eq!((entry.refused, entry.last_refused_at), (10, Some(world.now())));
    assert_eq!((entry.uses, entry.last_used_at), (1, Some(earlier(world, HOUR)?)));
    Ok(())
}

#[common::test(each_store)]
async fn q9_unknown_ids_are_not_counted(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let unknown = render("acme_live", "0000000000000000", &"0".repeat(32));
    let (world, faults) = world.with_faults()?;
    for token in [unknown.as_str(), "malformed"] {
        world.verifier.verify(token).await.expect_err("no such key");
    }
    // A flush with nothing to write does not call the store.
    faults.set(Fault::UsageLost);
    world.verifier.flush().await?;
    faults.set(None);
    assert_eq!(entry(&world, &issued).await?.refused, 0);
    Ok(())
}

#[common::test(each_store)]
async fn q9_changed_period_begins_a_new_one(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.extensive_use = "10/3600s".parse().ok()).await?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    use_and_flush(world, &issued, 10).await?;
    world.set_policy(|policy| policy.settings.extensive_use = "10/60s".parse().ok()).await?;
    world.clock.advance(MOMENT);
    use_and_flush(world, &issued, 10).await?;
    assert_eq!(alerts(world, &issued).await?, []);
    world.clock.advance(MOMENT);
    use_and_flush(world, &issued, 1).await?;
    assert_eq!(alerts(world, &issued).await?.len(), 1);
    Ok(())
}

/// Moves the clock to the last microsecond of a minute.
fn to_end_of_minute(world: &World) -> TestResult {
    let minute: keywright::UseAlert = "1/60s".parse()?;
    let end = minute.window_start(world.now()).saturating_add(MINUTE.saturating_sub(MOMENT));
    world.clock.advance(end.since(world.now()));
    Ok(())
}

fn earlier(world: &World, by: Duration) -> TestResult<keywright::Timestamp> {
    let micros = world.now().unix_micros() - i64::try_from(by.as_micros())?;
    Ok(keywright::Timestamp::from_unix_micros(micros).ok_or("after 1970")?)
}

async fn use_and_flush(world: &World, issued: &Issued, uses: u32) -> TestResult {
    for _ in 0..uses {
        world.verifier.verify(issued.token.expose()).await?;
    }
    Ok(world.verifier.flush().await?)
}

async fn entry(world: &World, issued: &Issued) -> TestResult<KeyEntry> {
    Ok(world.authority.key(&world.admin, &issued.key.id).await?)
}

/// Returns the alerts about a key.
async fn alerts(world: &World, issued: &Issued) -> TestResult<Vec<Event>> {
    let mut events = world.events(EventQuery::new().key(issued.key.id)).await?;
    let kinds = [EventKind::ExtensiveUse, EventKind::SuspiciousUse];
    events.retain(|event| kinds.contains(&event.kind));
    Ok(events)
}
