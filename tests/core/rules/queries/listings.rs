//! Collects whole listings, one item after another.

use keywright::store::{AccountQuery, EventQuery, KeyQuery, KeySort};
use keywright::{Actor, KeyId, ListError, Name, NewAccount, Permissions, RoleName};

use super::{on_each_store, walk};
use common::faults::Fault;
use common::{SECOND, World, admin, block_on, developer, named, tenant, user};

#[test]
fn listing_yields_every_item_once() {
    on_each_store(async |world| {
        for n in 0..7 {
            world.key_of(&developer("alice"), named(&format!("key-{n}"))).await;
            world.clock.advance(SECOND);
            let name = Name::new(format!("account-{n}")).expect("a name");
            let new = NewAccount::new(name, RoleName::new("analyst").expect("a role"));
            world.authority.create_account(&admin(), new).await.expect("an account");
        }
        for size in [1, 3, 7, 8] {
            let query = KeyQuery::new().sort(KeySort::Name).descending();
            let expected: Vec<KeyId> =
                walk(world, &query, size).await.iter().map(|entry| entry.key.id).collect();
            let mut keys = world.authority.all_keys(&admin(), query.limit(size));
            let mut found = Vec::new();
            while let Some(entry) = keys.next().await.expect("a page") {
                found.push(entry.key.id);
            }
            assert_eq!(found, expected, "in pages of {size}");
            assert!(keys.next().await.expect("the end stays the end").is_none());

            let query = AccountQuery::new().limit(size);
            let mut accounts = world.authority.all_accounts(&admin(), query);
            for n in 0..7 {
                let entry = accounts.next().await.expect("a page").expect("an account");
                assert_eq!(entry.account.name.as_str(), format!("account-{n}"));
            }
            assert!(accounts.next().await.expect("a page").is_none());

            let query = EventQuery::new().oldest_first().limit(size);
            let mut events = world.authority.all_events(&admin(), query);
            for sequence in 1..=14 {
                let event = events.next().await.expect("a page").expect("an event");
                assert_eq!(event.sequence, sequence);
            }
            assert!(events.next().await.expect("a page").is_none());
        }
    });
}

#[test]
fn listing_shows_what_actor_may_see() {
    on_each_store(async |world| {
        for owner in ["alice", "bob"] {
            world.key_of(&developer(owner), named("app")).await;
        }
        let mut own = world.authority.all_keys(&developer("bob"), KeyQuery::new().limit(1));
        let entry = own.next().await.expect("a page").expect("bob's key");
        assert_eq!(entry.key.owner.to_string(), "user:bob");
        assert!(own.next().await.expect("a page").is_none());
        let nobody = Actor::new(user("eve"), Permissions::NONE).in_tenant(tenant());
        let refused = world.authority.all_keys(&nobody, KeyQuery::new()).next().await;
        assert!(matches!(refused, Err(ListError::PermissionDenied(_))), "{refused:?}");
    });
}

#[test]
fn listing_continues_after_an_error() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        for n in 0..3 {
            world.clock.advance(SECOND);
            world.key_of(&developer("alice"), named(&format!("key-{n}"))).await;
        }
        let mut keys = world.authority.all_keys(&admin(), KeyQuery::new().limit(1));
        let mut names = Vec::new();
        for _ in 0..3 {
            faults.set(Fault::Down);
            keys.next().await.expect_err("the store is down");
            faults.set(None);
            let entry = keys.next().await.expect("the store is back").expect("a key");
            names.push(entry.key.name.to_string());
        }
        assert_eq!(names, ["key-0", "key-1", "key-2"]);
        assert!(keys.next().await.expect("a page").is_none());
    });
}
