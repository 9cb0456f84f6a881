//! Q9: the audit trail.

use std::net::IpAddr;

use keywright::store::{Cursor, EventQuery};
use keywright::{
    Actor, Credential, DetailField, Event, EventActor, EventKind, EventOutcome, Name, NewKey,
    Operation, Plan, RefusalCode, TenantId, UserId,
};

use common::{DAY, HOUR, MOMENT, TestResult, World};

#[common::test(each_store)]
async fn q9_every_action_leaves_an_event(world: &World) -> TestResult {
    let (authority, alice) = (&world.authority, &world.alice);
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &issued.key.id;
    let mut times = vec![world.now()];
    let mut tick = || {
        world.clock.advance(HOUR);
        times.push(world.now());
    };
    tick();
    authority.rename(alice, id, Name::new("prod-other")?).await?;
    tick();
    authority.disable(alice, id).await?;
    tick();
    authority.disable(alice, id).await?;
    tick();
    assert!(authority.rotate(alice, id, DAY).await.is_err());
    tick();
    authority.enable(alice, id).await?;
    tick();
    assert!(authority.rename(&world.bob, id, Name::new("prod-mine")?).await.is_err());
    tick();
    authority.rotate(alice, id, DAY).await?;
    tick();
    authority.finish_rotation(alice, id).await?;
    tick();
    authority.revoke(&world.tenant_admin, id).await?;
    tick();
    authority.delete(alice, id).await?;

    let (alice, bob, tara) = ("user:alice", "user:bob", "user:tara");
    let expected = [
        ("key.generate", alice, "done"),
        ("key.rename", alice, "done"),
        ("key.disable", alice, "done"),
        ("key.disable", alice, "unchanged"),
        ("key.rotate", alice, "refused"),
        ("key.enable", alice, "done"),
        ("key.rename", bob, "refused"),
        ("key.rotate", alice, "done"),
        ("key.finish_rotation", alice, "done"),
        ("key.revoke", tara, "done"),
        ("key.delete", alice, "done"),
    ];
    let events = world.events_of(id).await?;
    let found: Vec<_> = events
        .iter()
        .map(|event| {
            let outcome = event.outcome.to_string();
            let outcome = outcome.split(':').next().unwrap_or_default().to_owned();
            (event.kind.to_string(), event.actor.to_string(), outcome)
        })
        .collect();
    let owned = |(kind, actor, outcome): (&str, &str, &str)| {
        (kind.to_owned(), actor.to_owned(), outcome.to_owned())
    };
    assert_eq!(found, expected.map(owned));
    assert_eq!(events.iter().map(|event| event.at).collect::<Vec<_>>(), times);
    assert!(events.iter().all(|event| event.key == Some(*id)));
    assert!(events.is_sorted_by(|a, b| a.sequence < b.sequence));
    assert_eq!(events[4].outcome, EventOutcome::Refused(RefusalCode::OverlapWhileDisabled));
    Ok(())
}

#[common::test(each_store)]
async fn q9_refused_generation_leaves_an_event(world: &World) -> TestResult {
    let before = world.events(EventQuery::new()).await?.len();
    let refused = world.generate_for(&world.auditor, NewKey::named("prod-main-app")?).await;
    refused.expect_err("an auditor generates no keys");
    let told = world.events(EventQuery::new()).await?.split_off(before);
    let [event] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(event.kind, EventKind::Operation(Operation::KeyGenerate));
    assert_eq!(event.outcome, EventOutcome::Refused(RefusalCode::PermissionDenied));
    assert_eq!((event.key, event.actor.to_string().as_str()), (None, "user:audrey"));
    Ok(())
}

#[common::test(each_store)]
async fn q9_events_are_searched_by_key_and_more(world: &World) -> TestResult {
    let one = world.generate(NewKey::named("prod-one")?).await?;
    world.clock.advance(HOUR);
    let since = world.now();
    let two = world.generate_for(&world.bob, NewKey::named("prod-two")?).await?;
    world.clock.advance(HOUR);
    let until = world.now();
    world.authority.revoke(&world.admin, &one.key.id).await?;

    let of_one = world.events_of(&one.key.id).await?;
    assert_eq!(kinds(&of_one), ["key.generate", "key.revoke"]);
    assert_eq!(kinds(&world.events_of(&two.key.id).await?), ["key.generate"]);
    let bob = EventActor::User(world.bob.id().clone());
    let of_bob = world.events(EventQuery::new().actor(bob)).await?;
    assert_eq!(keys(&of_bob), [Some(two.key.id)]);
    let revoked = world.events(EventQuery::new().kind(Operation::KeyRevoke)).await?;
    assert_eq!(keys(&revoked), [Some(one.key.id)]);
    let between = world.events(EventQuery::new().since(since).until(until)).await?;
    assert_eq!(keys(&between), [Some(two.key.id)]);
    let just_after = EventQuery::new().since(since.saturating_add(MOMENT)).until(until);
    assert_eq!(world.events(just_after).await?, []);
    let narrowed = EventQuery::new().key(one.key.id).since(until);
    assert_eq!(kinds(&world.events(narrowed).await?), ["key.revoke"]);
    // The events of a deleted key stay, but no other tenant can see them.
    world.authority.delete(&world.admin, &one.key.id).await?;
    assert_eq!(world.events_of(&one.key.id).await?.len(), 3);
    let elsewhere = Actor::administrator(UserId::new("bill")?).in_tenant(TenantId::new("initech")?);
    let query = EventQuery::new().key(one.key.id);
    assert!(world.authority.events(&elsewhere, &query).await?.items.is_empty());
    Ok(())
}

#[common::test(each_store)]
async fn q9_event_pages_show_each_once(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    for _ in 0..6 {
        world.authority.disable(&world.alice, &issued.key.id).await?;
    }
    let all = world.events_of(&issued.key.id).await?;
    assert_eq!(all.len(), 7);
    for query in [EventQuery::new(), EventQuery::new().oldest_first()] {
        let oldest_first = query.is_oldest_first();
        let mut query = query.key(issued.key.id).limit(3);
        let mut seen = Vec::new();
        loop {
            let page = world.authority.events(&world.auditor, &query).await?;
            seen.extend(page.items);
            let Some(next) = page.next else { break };
            let cursor = next.cursor().ok_or("a next page has a cursor")?;
            query = query.after(&cursor.to_string().parse::<Cursor>()?)?;
        }
        if !oldest_first {
            seen.reverse();
        }
        assert_eq!(seen, all);
    }
    Ok(())
}

fn kinds(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.kind.to_string()).collect()
}

fn keys(events: &[Event]) -> Vec<Option<keywright::KeyId>> {
    events.iter().map(|event| event.key).collect()
}

#[common::test(each_store)]
async fn q9_event_has_the_source_address(world: &World) -> TestResult {
    let address: IpAddr = "2001:db8::7".parse()?;
    let alice = world.alice.clone().source_address(address).display_name(Name::new("Alice Wong")?);
    let issued = world.generate_for(&alice, NewKey::named("prod-main-app")?).await?;
    let id = &issued.key.id;
    world.authority.disable(&alice, id).await?;
    world.authority.disable(&alice, id).await?;
    assert!(world.authority.rotate(&alice, id, DAY).await.is_err());
    assert!(world.authority.set_plan(&alice, Plan::default()).await.is_err());
    let of_alice = EventQuery::new().actor(EventActor::User(alice.id().clone()));
    let events = world.events(of_alice).await?;
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.source_address == Some(address)), "{events:?}");
    // The name of a person is in no event.
    assert!(!serde_json::to_string(&events)?.contains("Wong"));
    // An actor without an address, and a caller who presents the token.
    world.authority.enable(&world.admin, id).await?;
    world.verifier.revoke(Credential::Token(issued.token.expose())).await?;
    let last = world.events_of(id).await?.split_off(4);
    assert_eq!(kinds(&last), ["key.enable", "key.revoke"]);
    assert!(last.iter().all(|event| event.source_address.is_none()), "{last:?}");
    Ok(())
}

#[common::test(each_store)]
async fn events_are_numbered_for_each_tenant(world: &World) -> TestResult {
    let theirs = Actor::administrator(UserId::new("eve")?).in_tenant(TenantId::new("initech")?);
    let before = world.events(EventQuery::new()).await?.len();
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    // The other tenant's attempts are events of that tenant, with its own numbers.
    for _ in 0..3 {
        world.authority.revoke(&theirs, &issued.key.id).await.expect_err("not of their tenant");
    }
    world.authority.disable(&world.admin, &issued.key.id).await?;
    let numbers =
        |events: &[Event]| -> Vec<u64> { events.iter().map(|event| event.sequence).collect() };
    let all = numbers(&world.events(EventQuery::new()).await?);
    assert_eq!(all, (1..=before as u64 + 2).collect::<Vec<_>>());
    let of_key = world.events_of(&issued.key.id).await?;
    assert_eq!(of_key.len(), 2);
    for query in [EventQuery::new(), EventQuery::new().key(issued.key.id)] {
        let query = query.oldest_first();
        let page = world.authority.events(&theirs, &query).await?;
        assert_eq!(numbers(&page.items), [1, 2, 3]);
    }
    Ok(())
}

#[common::test(each_store)]
async fn key_name_cannot_forge_detail(world: &World) -> TestResult {
    let forged = "x\", owner=\"user:ada\" expires_at=\"never";
    let issued = world.generate(NewKey::named(forged)?.expires_in(HOUR)).await?;
    let told = world.events_of(&issued.key.id).await?.pop().ok_or("an event")?;
    assert_eq!(told.details.get_text(DetailField::Name), Some(forged));
    assert_eq!(told.details.get_text(DetailField::Owner), Some("user:alice"));
    let expires = world.later(HOUR).to_string();
    assert_eq!(told.details.get_text(DetailField::ExpiresAt), Some(expires.as_str()));
    let line = told.details.to_string();
    assert_eq!(line.matches(" owner=\"").count(), 1, "{line}");
    Ok(())
}
