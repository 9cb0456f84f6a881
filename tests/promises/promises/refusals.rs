//! Refused calls are recorded as events, and no actor can fill the store with them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use keywright::store::EventQuery;
use keywright::{
    Actor, Authority, DetailField, Event, EventActor, EventKind, EventOutcome, KeyError, KeyId,
    RefusalCode, TenantId, Timestamp, UserId,
};

use common::faults::Fault;
use common::{MOMENT, TestResult, World};

const MINUTE: Duration = Duration::from_secs(60);

fn absent() -> KeyId {
    "0000000000000000".parse().expect("an id")
}

/// Makes this many calls that are refused to the actor.
async fn refuse(authority: &Authority, actor: &Actor, times: usize) {
    for _ in 0..times {
        let refused = authority.revoke(actor, &absent()).await;
        assert!(matches!(refused, Err(KeyError::NotFound(_))), "{refused:?}");
    }
}

async fn by(world: &World, actor: &Actor) -> TestResult<Vec<Event>> {
    world.events(EventQuery::new().actor(EventActor::User(actor.id().clone()))).await
}

/// Returns the events that count refused calls: actor, number, first and last time.
async fn counts(world: &World) -> TestResult<Vec<(String, u64, Timestamp, Timestamp)>> {
    let mut found = Vec::new();
    for event in world.events(EventQuery::new().kind(EventKind::Refusals)).await? {
        assert_eq!(event.outcome, EventOutcome::Refused(RefusalCode::Counted));
        assert_eq!((event.key, event.account, event.at), (None, None, world.now()));
        let time = |field| event.details.get_text(field).unwrap_or_default().parse();
        let number = event.details.get_number(DetailField::Refusals);
        found.push((
            event.actor.to_string(),
            number.ok_or("no number")?,
            time(DetailField::Since)?,
            time(DetailField::Until)?,
        ));
    }
    Ok(found)
}

#[common::test(each_store)]
async fn q9_refusals_past_ten_are_counted(world: &World) -> TestResult {
    refuse(&world.authority, &world.bob, 10).await;
    world.clock.advance(MOMENT);
    let since = world.now();
    refuse(&world.authority.clone(), &world.bob, 400).await;
    world.clock.advance(Duration::from_secs(59));
    let until = world.now();
    // All handles of one setup share one count.
    refuse(&world.keywright.authority(), &world.bob, 600).await;
    world.verifier.flush().await?;
    assert_eq!(by(world, &world.bob).await?.len(), 10);

    world.clock.advance(Duration::from_secs(1));
    world.verifier.flush().await?;
    world.verifier.flush().await?;
    let bob = "user:bob".to_owned();
    assert_eq!(counts(world).await?, [(bob, 1_000, since, until)]);
    refuse(&world.authority, &world.bob, 20).await;
    assert_eq!(by(world, &world.bob).await?.len(), 10 + 1 + 10);
    Ok(())
}

#[common::test(each_store)]
async fn refusals_are_counted_for_each_actor(world: &World) -> TestResult {
    let namesake = Actor::developer(world.bob.id().clone()).in_tenant(TenantId::new("initech")?);
    refuse(&world.authority, &world.bob, 50).await;
    refuse(&world.authority, &namesake, 5).await;
    refuse(&world.authority, &world.alice, 5).await;
    assert_eq!(by(world, &world.alice).await?.len(), 5);
    let admin = Actor::administrator(UserId::new("ada")?).in_tenant(namesake.tenant().clone());
    let theirs = world.authority.events(&admin, &EventQuery::new()).await?;
    assert_eq!(theirs.items.len(), 5);
    Ok(())
}

#[common::test(each_store)]
async fn next_recorded_refusal_writes_counts(world: &World) -> TestResult {
    refuse(&world.authority, &world.bob, 12).await;
    world.clock.advance(MINUTE);
    refuse(&world.authority, &world.alice, 1).await;
    let counts = counts(world).await?;
    assert_eq!(counts.iter().map(|count| count.1).collect::<Vec<_>>(), [2]);
    Ok(())
}

#[common::test(each_store)]
async fn sweep_writes_counts_of_its_tenant(world: &World) -> TestResult {
    let stranger = Actor::developer(UserId::new("eve")?).in_tenant(TenantId::new("initech")?);
    let admin = Actor::administrator(UserId::new("ada")?).in_tenant(stranger.tenant().clone());
    refuse(&world.authority, &world.bob, 13).await;
    refuse(&world.authority, &stranger, 14).await;
    world.clock.advance(MINUTE);
    world.authority.sweep(&world.admin).await?;
    assert_eq!(counts(world).await?.len(), 1);
    let query = EventQuery::new().kind(EventKind::Refusals);
    assert!(world.authority.events(&admin, &query).await?.items.is_empty());
    world.authority.sweep(&admin).await?;
    assert_eq!(world.authority.events(&admin, &query).await?.items.len(), 1);
    Ok(())
}

#[common::test(each_store)]
async fn counts_survive_store_that_fails(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    refuse(&world.authority, &world.bob, 15).await;
    world.clock.advance(MINUTE);
    faults.set(Fault::WritesLost);
    world.verifier.flush().await.expect_err("no write is done");
    world.authority.sweep(&world.admin).await.expect_err("no write is done");
    world.clock.advance(MINUTE);
    faults.set(None);
    world.verifier.flush().await?;
    assert_eq!(counts(&world).await?.into_iter().map(|c| c.1).collect::<Vec<_>>(), [5]);
    Ok(())
}

#[common::test(each_store)]
async fn dropped_call_loses_no_count(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    refuse(&world.authority, &world.bob, 15).await;
    world.clock.advance(MINUTE);
    // The call makes one read and one write, with two moments each; the write of the count has two
    // more.
    let id = absent();
    for moment in 0..6 {
        faults.set(Fault::StandsAt(moment));
        let mut call = pin!(world.authority.revoke(&world.alice, &id));
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(done) => panic!("the call did not block at moment {moment}: {done:?}"),
            Poll::Pending if faults.moments() > moment => Poll::Ready(()),
            Poll::Pending => {
                thread::yield_now();
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    }
    faults.set(None);
    world.verifier.flush().await?;
    let told: Vec<u64> = counts(&world).await?.into_iter().map(|count| count.1).collect();
    // The last call was dropped after its write had completed, so the verifier counts it again.
    assert_eq!(told, [5, 5]);
    Ok(())
}

#[common::test(each_store)]
async fn unrecorded_refusal_is_answered_with_failure(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    faults.set(Fault::WritesLost);
    for _ in 0..30 {
        let failed = world.authority.revoke(&world.bob, &absent()).await;
        assert!(matches!(failed, Err(KeyError::Store(_))), "{failed:?}");
    }
    faults.set(None);
    refuse(&world.authority, &world.bob, 12).await;
    assert_eq!(by(&world, &world.bob).await?.len(), 10);
    Ok(())
}

#[common::test(each_store)]
async fn backward_clock_loses_no_refusal(world: &World) -> TestResult {
    let start = world.now();
    world.clock.advance(1_000 * MINUTE);
    refuse(&world.authority, &world.bob, 12).await;
    world.clock.set(start);
    refuse(&world.authority, &world.bob, 13).await;
    assert_eq!(by(world, &world.bob).await?.len(), 10 + 10 + 1);
    world.clock.advance(MINUTE);
    world.verifier.flush().await?;
    let told = world.events(EventQuery::new().kind(EventKind::Refusals)).await?;
    let number = |event: &Event| event.details.get_number(DetailField::Refusals);
    assert_eq!(told.iter().map(number).collect::<Vec<_>>(), [Some(2), Some(3)]);
    Ok(())
}
