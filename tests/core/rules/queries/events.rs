//! Event queries filter by key, account, actor, kind and time, in both directions and with every
//! page size.

use keywright::store::{Batch, EventQuery, FileStore, KeyStore, MAX_LIMIT, MemoryStore};
use keywright::{
    Credential, Event, EventActor, EventKind, KeyId, Name, NewAccount, Operation, Owner, RoleName,
    Timestamp,
};

use super::{assert_page_is_full, on_each_store, through_text};
use common::{HOUR, SECOND, World, admin, block_on, developer, named, start, tenant, user};

/// A tenant with a known history, and the instants between its events.
struct Story {
    key: KeyId,
    account: keywright::AccountId,
    midway: Timestamp,
}

async fn build_story(world: &World) -> Story {
    let (authority, clock) = (&world.authority, &world.clock);
    world
        .set_policy(|policy| policy.settings.extensive_use = "1/3600s".parse().ok())
        .await
        .expect("the policy is set");
    let role = RoleName::new("analyst").expect("a role");
    let account = NewAccount::new(Name::new("nightly").expect("a name"), role);
    let account = authority.create_account(&admin(), account).await.expect("an account").account.id;
    let owner = Owner::Account(account);
    let job = authority.generate(&admin(), named("job").owner(owner.clone())).await.expect("a key");
    let alice = developer("alice");
    let mut key = None;
    for n in 0..4 {
        clock.advance(SECOND);
        let issued = world.key_of(&alice, named(&format!("key-{n}"))).await;
        world.verifier.verify(issued.token.expose()).await.expect("accepted");
        world.verifier.verify(issued.token.expose()).await.expect("accepted");
        let rotated = authority.rotate(&alice, &issued.key.id, HOUR).await.expect("active");
        authority.disable(&alice, &issued.key.id).await.expect("active");
        authority.disable(&alice, &issued.key.id).await.expect("unchanged");
        authority.rotate(&alice, &issued.key.id, HOUR).await.expect_err("disabled");
        let token = Credential::Token(rotated.token.expose());
        world.verifier.revoke(token).await.expect("by its possessor");
        world.verifier.flush().await.expect("the store works");
        key = Some(issued.key.id);
    }
    let midway = start().saturating_add(2 * SECOND);
    authority.disable_account(&admin(), &account).await.expect("it is there");
    authority.revoke(&admin(), &job.key.id).await.expect("active");
    Story { key: key.expect("four keys"), account, midway }
}

async fn walk(world: &World, query: &EventQuery, size: u16) -> Vec<Event> {
    let mut query = query.clone().limit(size);
    let mut found = Vec::new();
    loop {
        let page = world.authority.events(&admin(), &query).await.expect("a page");
        assert_page_is_full(&page, size);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        query = query.after(&through_text(&next)).expect("a cursor");
    }
}

type Filter = (&'static str, EventQuery, Box<dyn Fn(&Event) -> bool>);

fn filters(story: &Story) -> Vec<Filter> {
    let Story { key, account, midway } = *story;
    let kind = |kind: Operation| EventQuery::new().kind(kind);
    let by = |actor: EventActor| EventQuery::new().actor(actor);
    let alice = EventActor::User(user("alice"));
    let of_alice = alice.clone();
    vec![
        ("all", EventQuery::new(), Box::new(|_| true)),
        ("of a key", EventQuery::new().key(key), Box::new(move |e| e.key == Some(key))),
        ("of an account", EventQuery::new().account(account), {
            Box::new(move |e| e.account == Some(account))
        }),
        ("by alice", by(alice.clone()), Box::new(move |e| e.actor == alice)),
        ("by possessors", by(EventActor::Possessor), {
            Box::new(|e| e.actor == EventActor::Possessor)
        }),
        ("by the system", by(EventActor::System), Box::new(|e| e.actor == EventActor::System)),
        ("rotations", kind(Operation::KeyRotate), {
            Box::new(|e| e.kind == EventKind::Operation(Operation::KeyRotate))
        }),
        ("extensive use", EventQuery::new().kind(EventKind::ExtensiveUse), {
            Box::new(|e| e.kind == EventKind::ExtensiveUse)
        }),
        ("none of this kind", kind(Operation::Sweep), Box::new(|_| false)),
        ("since", EventQuery::new().since(midway), Box::new(move |e| e.at >= midway)),
        ("until", EventQuery::new().until(midway), Box::new(move |e| e.at < midway)),
        ("an instant", EventQuery::new().since(midway).until(midway), Box::new(|_| false)),
        (
            "alice's rotations of a key since",
            kind(Operation::KeyRotate).key(key).actor(of_alice.clone()).since(midway),
            Box::new(move |e| {
                e.key == Some(key)
                    && e.actor == of_alice
                    && e.at >= midway
                    && e.kind == EventKind::Operation(Operation::KeyRotate)
            }),
        ),
    ]
}

#[test]
fn event_filters_work_in_both_orders() {
    on_each_store(async |world| {
        let story = build_story(world).await;
        let oldest_first = EventQuery::new().oldest_first();
        let all = walk(world, &oldest_first, 500).await;
        assert!(all.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
        assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at), "the clock went forward");
        for (what, query, lets_through) in filters(&story) {
            let expected: Vec<_> =
                all.iter().filter(|event| lets_through(event)).cloned().collect();
            let none = ["none of this kind", "an instant"].contains(&what);
            assert_eq!(expected.is_empty(), none, "{what}");
            assert!(expected.len() < all.len() || what == "all", "{what} filters nothing");
            for size in [1, 2, 3, 7, 50, 500] {
                let found = walk(world, &query.clone().oldest_first(), size).await;
                assert_eq!(found, expected, "{what}, oldest first, in pages of {size}");
                let mut found = walk(world, &query, size).await;
                found.reverse();
                assert_eq!(found, expected, "{what}, newest first, in pages of {size}");
            }
        }
    });
}

#[test]
fn new_events_disturb_no_page() {
    on_each_store(async |world| {
        build_story(world).await;
        for oldest_first in [true, false] {
            let order = || {
                let query = EventQuery::new();
                if oldest_first { query.oldest_first() } else { query }
            };
            let before = walk(world, &order(), 500).await;
            let mut query = order().limit(5);
            let mut found = Vec::new();
            let mut came = 0;
            loop {
                let page = world.authority.events(&admin(), &query).await.expect("a page");
                found.extend(page.items);
                let Some(next) = page.next else { break };
                if came < 5 {
                    world.key_of(&developer("bob"), named("another")).await;
                    came += 1;
                }
                query = next;
            }
            let new = if oldest_first { came } else { 0 };
            assert_eq!(found.len(), before.len() + new, "later events come after the end");
            assert_eq!(found[..before.len()], before);
        }
    });
}

#[test]
fn events_outlive_their_key() {
    on_each_store(async |world| {
        let issued = world.key().await;
        let id = issued.key.id;
        world.authority.delete(&developer("alice"), &id).await.expect("active");
        let told = walk(world, &EventQuery::new().key(id).oldest_first(), 500).await;
        let kinds: Vec<String> = told.iter().map(|event| event.kind.to_string()).collect();
        assert_eq!(kinds, ["key.generate", "key.delete"]);
    });
}

/// Returns the number of items of each page, and whether more pages follow.
async fn pages(store: &impl KeyStore, query: &EventQuery) -> Vec<(usize, bool)> {
    let mut query = query.clone();
    let mut pages = Vec::new();
    loop {
        let page = store.events(&tenant(), &query).await.expect("a page");
        pages.push((page.items.len(), page.next.is_some()));
        let Some(next) = page.next else { return pages };
        query = query.after(&through_text(&next)).expect("a cursor");
    }
}

async fn assert_pages_are_bounded(store: impl KeyStore + Clone) {
    let world = World::on(store.clone());
    world.key().await;
    let made = store.events(&tenant(), &EventQuery::new()).await.expect("a page").items;
    let mut other = made[0].clone();
    other.kind = Operation::Sweep.into();
    let events = vec![other; 2 * EventQuery::MAX_EXAMINED];
    store.commit(Batch { events, ..Batch::of(tenant()) }).await.expect("many events");
    let made = EventQuery::new().kind(Operation::KeyGenerate);
    assert_eq!(pages(&store, &made).await, [(0, true), (0, true), (1, false)]);
    assert_eq!(pages(&store, &made.oldest_first()).await, [(1, true), (0, true), (0, false)]);
    let nothing = EventQuery::new().kind(Operation::KeyRevoke);
    assert_eq!(pages(&store, &nothing).await, [(0, true), (0, true), (0, false)]);
    let all = EventQuery::new().limit(MAX_LIMIT);
    let full = store.events(&tenant(), &all).await.expect("a page");
    assert_eq!((full.items.len(), full.next.is_some()), (MAX_LIMIT.into(), true));
}

#[test]
fn page_ends_after_examining_its_maximum() {
    block_on(async {
        assert_pages_are_bounded(MemoryStore::new()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("keys.db")).await.expect("a new store");
        assert_pages_are_bounded(store).await;
    });
}

#[test]
fn page_examines_a_bounded_number_of_events() {
    block_on(async {
        let world = World::in_memory();
        world.key().await;
        let event = world.authority.events(&admin(), &EventQuery::new()).await.expect("a page");
        let event = event.items[0].clone();
        let mut taken = 0;
        let events = (1..).map(|sequence| {
            taken += 1;
            let mut event = event.clone();
            event.sequence = sequence;
            Ok::<_, std::convert::Infallible>(event)
        });
        let nothing = EventQuery::new().oldest_first().kind(Operation::KeyRevoke);
        let Ok(page) = nothing.page(events);
        assert_eq!((page.items.len(), taken), (0, EventQuery::MAX_EXAMINED + 1));
        let next = page.next.expect("there is more");
        let first = u64::try_from(EventQuery::MAX_EXAMINED).expect("it fits") + 1;
        assert_eq!(next.sequences(), first..=u64::MAX, "behind the last that was examined");
    });
}
