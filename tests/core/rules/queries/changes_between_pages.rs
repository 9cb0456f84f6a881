//! Pages are stable while keys are generated, deleted and changed between them.

use std::collections::{BTreeMap, BTreeSet};

use keywright::store::KeyQuery;
use keywright::{KeyId, Name};

use super::{SORTS, on_each_store, through_text};
use common::{DAY, Random, SECOND, World, admin, developer, named, seed};

/// Maximum number of changes during a walk, below the number of keys.
const CHANGES: usize = 20;
const KEYS: usize = 30;

/// The changes to keys during a walk.
#[derive(Default)]
struct Changed {
    gone: BTreeSet<KeyId>,
    moved: BTreeSet<KeyId>,
}

/// Generates, deletes, renames, rotates or uses a key. The last three can move the key in some
/// orders.
async fn change_something(world: &World, random: &mut Random, changed: &mut Changed) {
    world.clock.advance(SECOND);
    let alice = developer("alice");
    let all = world.authority.keys(&admin(), &KeyQuery::new().limit(500)).await.expect("keys");
    let key = all.items[random.below(all.items.len())].key.id;
    match random.below(5) {
        0 => drop(world.key_of(&alice, new_key(random)).await),
        1 => {
            world.authority.delete(&alice, &key).await.expect("it is there");
            changed.gone.insert(key);
        }
        2 => {
            let name = Name::new(format!("key-{}", random.below(100))).expect("a name");
            world.authority.rename(&alice, &key, name).await.expect("it is there");
            changed.moved.insert(key);
        }
        3 => {
            let rotated = world.authority.rotate(&alice, &key, SECOND).await.expect("active");
            world.verifier.verify(rotated.token.expose()).await.expect("accepted");
            changed.moved.insert(key);
        }
        _ => world.verifier.flush().await.expect("the store works"),
    }
}

fn new_key(random: &mut Random) -> keywright::NewKey {
    let new = named(&format!("key-{}", random.below(100)));
    match random.below(3) {
        0 => new,
        days => new.expires_in(DAY * u32::try_from(random.below(30) + days).expect("a few")),
    }
}

/// Generates keys until there are enough for a walk.
async fn fill_up(world: &World, random: &mut Random) {
    let all = KeyQuery::new().limit(500);
    let count = world.authority.keys(&admin(), &all).await.expect("keys").items.len();
    for _ in count..KEYS {
        world.clock.advance(SECOND);
        world.key_of(&developer("alice"), new_key(random)).await;
    }
}

/// Walks through all pages with changes between them, and returns the ids in the order in which
/// they came.
async fn walk_with_changes(
    world: &World,
    query: &KeyQuery,
    random: &mut Random,
    changed: &mut Changed,
) -> Vec<KeyId> {
    let mut query = query.clone().limit(u16::try_from(1 + random.below(5)).expect("a few"));
    let (mut seen, mut changes_left) = (Vec::new(), CHANGES);
    loop {
        let page = world.authority.keys(&admin(), &query).await.expect("a page");
        seen.extend(page.items.iter().map(|entry| entry.key.id));
        let Some(next) = page.next else { return seen };
        // The number of changes is bounded, because a key that changes before every page would
        // always be ahead of the cursor.
        for _ in 0..2 {
            if changes_left > 0 {
                change_something(world, random, changed).await;
                changes_left -= 1;
            }
        }
        query = query.after(&through_text(&next)).expect("a cursor");
    }
}

#[test]
fn unmoved_key_is_on_exactly_one_page() {
    let first = seed();
    on_each_store(async |world| {
        let mut random = Random::seeded(first);
        for sort in SORTS {
            for descending in [false, true] {
                let query = KeyQuery::new().sort(sort);
                let query = if descending { query.descending() } else { query };
                fill_up(world, &mut random).await;
                // Flushes the uses of the previous walk, so that they move no key during this one.
                world.verifier.flush().await.expect("the store works");
                let limit = query.clone().limit(500);
                let before = world.authority.keys(&admin(), &limit).await.expect("keys").items;
                let before: Vec<KeyId> = before.iter().map(|entry| entry.key.id).collect();
                let mut changed = Changed::default();
                let seen = walk_with_changes(world, &query, &mut random, &mut changed).await;

                let mut times: BTreeMap<KeyId, usize> = BTreeMap::new();
                for id in &seen {
                    *times.entry(*id).or_insert(0) += 1;
                }
                let touched = |id: &KeyId| changed.gone.contains(id) || changed.moved.contains(id);
                let stayed: Vec<KeyId> = before.iter().filter(|id| !touched(id)).copied().collect();
                assert!(stayed.len() >= KEYS - CHANGES, "more keys moved than were changed");
                for id in &stayed {
                    assert_eq!(times.get(id), Some(&1), "{sort:?}: a key that stayed");
                }
                let in_order: Vec<KeyId> =
                    seen.iter().filter(|id| stayed.contains(id)).copied().collect();
                assert_eq!(in_order, stayed, "{sort:?}: in the order of the listing");
                let moved = |id: &KeyId| changed.moved.contains(id);
                let twice = times.iter().find(|(id, times)| **times > 1 && !moved(id));
                assert_eq!(twice, None, "{sort:?}: a new or deleted key came twice");
            }
        }
    });
}

#[test]
fn page_continues_after_a_deleted_key() {
    on_each_store(async |world| {
        for n in 0..6 {
            world.clock.advance(SECOND);
            world.key_of(&developer("alice"), named(&format!("key-{n}"))).await;
        }
        for sort in SORTS {
            let query = KeyQuery::new().sort(sort);
            let all = world.authority.keys(&admin(), &query).await.expect("keys").items;
            let first =
                world.authority.keys(&admin(), &query.clone().limit(2)).await.expect("keys");
            let last = first.items[1].key.id;
            world.authority.delete(&admin(), &last).await.expect("it is there");
            let query = first.next.expect("more").limit(6);
            let rest = world.authority.keys(&admin(), &query).await.expect("keys").items;
            let ids = |entries: &[keywright::KeyEntry]| -> Vec<KeyId> {
                entries.iter().map(|entry| entry.key.id).collect()
            };
            assert_eq!(ids(&rest), ids(&all[2..]), "{sort:?}");
            world.clock.advance(SECOND);
            world.key_of(&developer("alice"), named("another")).await;
        }
    });
}
