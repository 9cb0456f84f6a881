//! A sweep removes events past their retention and keeps the rest.

use keywright::store::{Batch, EventQuery, MAX_LIMIT};
use keywright::{Event, NewKey, Operation};

use common::{DAY, HOUR, MOMENT, TestResult, World};

/// Returns the numbers of the tenant's events, oldest first.
async fn numbers(world: &World) -> TestResult<Vec<u64>> {
    let mut query = EventQuery::new().oldest_first().limit(MAX_LIMIT);
    let mut found = Vec::new();
    loop {
        let page = world.store.events(world.tenant(), &query).await?;
        found.extend(page.items.iter().map(|event| event.sequence));
        let Some(next) = page.next else { return Ok(found) };
        query = next;
    }
}

async fn swept(world: &World) -> TestResult<u64> {
    Ok(world.authority.sweep(&world.admin).await?.events)
}

/// Returns the tenant's newest event.
async fn newest(world: &World) -> TestResult<Event> {
    let newest = EventQuery::new().limit(1);
    let page = world.store.events(world.tenant(), &newest).await?;
    page.items.into_iter().next().ok_or_else(|| "there is no event".into())
}

#[common::test(each_store)]
async fn sweep_removes_events_past_their_retention(world: &World) -> TestResult {
    let retention = world.policy().await.event_retention.value;
    let (begin, before) = (world.now(), numbers(world).await?);
    world.clock.advance(HOUR);
    world.generate(NewKey::named("prod-main-app")?).await?;
    let end = begin.saturating_add(retention);
    world.clock.set(end.saturating_sub(MOMENT));
    assert_eq!(swept(world).await?, 0, "a moment before");
    world.clock.set(end);
    assert_eq!(swept(world).await?, before.len() as u64, "at the moment");
    let left = numbers(world).await?;
    let last = before.last().ok_or("no event")?;
    assert_eq!(left, [last + 1, last + 2], "the key's and the sweep's");
    let told = newest(world).await?;
    assert_eq!((told.kind, told.key), (Operation::Sweep.into(), None));
    Ok(())
}

#[common::test(each_store)]
async fn sweep_keeps_the_newest_event(world: &World) -> TestResult {
    world.generate(NewKey::named("prod-main-app")?).await?;
    for _ in 0..3 {
        world.clock.advance(1_000 * DAY);
        assert!(swept(world).await? > 0);
        assert_eq!(numbers(world).await?.len(), 2, "the newest of before, and the sweep");
    }
    Ok(())
}

#[common::test(each_store)]
async fn sweep_keeps_events_behind_later_one(world: &World) -> TestResult {
    let last = newest(world).await?.sequence;
    world.clock.advance(HOUR);
    world.generate(NewKey::named("prod-main-app")?).await?;
    // The clock goes back, so later events have an earlier time and a higher number.
    world.clock.set(world.now().saturating_sub(HOUR));
    world.generate(NewKey::named("prod-main-app")?).await?;
    world.clock.advance(world.policy().await.event_retention.value);
    assert_eq!(swept(world).await?, last);
    assert_eq!(numbers(world).await?, [last + 1, last + 2, last + 3]);
    Ok(())
}

#[common::test(each_store)]
async fn large_sweep_takes_several_commits(world: &World) -> TestResult {
    let mut event = newest(world).await?;
    event.kind = Operation::KeyRename.into();
    let many = 3 * usize::from(MAX_LIMIT);
    let batch = Batch::of(event.tenant.clone());
    world.store.commit(Batch { events: vec![event; many], ..batch }).await?;
    let all = numbers(world).await?.len() as u64;
    world.clock.advance(1_000 * DAY);
    let removed = swept(world).await?;
    assert!(removed >= all - 1);
    // Each step removes at most 500 events and adds an event of its own.
    let expected: Vec<u64> = (removed + 1..=all + all.div_ceil(500)).collect();
    assert_eq!(numbers(world).await?, expected);
    Ok(())
}
