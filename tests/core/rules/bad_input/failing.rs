//! When the random source or the store fails, the operation fails with an error that keeps the
//! cause, and nothing is half done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{assert_is_said, name, picture, role};
use common::faults::{Fault, Faults};
use common::{HOUR, Random, World, admin, block_on, chain, developer, named, render};
use keywright::store::{AccountQuery, EventQuery, KeyQuery, MemoryStore, StoreErrorKind};
use keywright::{
    AccountEdit, AccountError, Actor, Credential, Error, GenerateError, KeyEdit, KeyError,
    Metadata, NewAccount, Owner, Plan, SettingsEdit,
};

const DRY: &str = "the random source failed: the entropy pool is dry";

/// Builds a world whose random source succeeds `draws` times and then fails.
fn drawing(draws: usize) -> (World, Faults) {
    let script = Random::script((0..draws).map(|_| vec![1; 16]));
    World::faulty(|builder| builder.random(script))
}

#[test]
fn t_k02_failing_random_source_generates_no_key() {
    block_on(async {
        // The first draw is for the id, the second for the secret.
        for draws in [0, 1] {
            let (world, faults) = drawing(draws);
            let before = (picture(&world.authority).await, faults.calls());
            let alice = developer("alice");
            let made = world.authority.generate(&alice, named("app")).await;
            let error = made.expect_err("no randomness, no key");
            assert!(matches!(error, GenerateError::Random(_)), "{error:?}");
            assert_eq!(error.to_string(), DRY);
            assert_eq!(faults.calls(), before.1, "nothing was asked of the store");
            assert_eq!(picture(&world.authority).await, before.0);
        }
        let (world, _) = drawing(2);
        world.key().await;
    });
}

#[test]
fn t_k02_failing_random_source_rotates_nothing() {
    block_on(async {
        let (world, _) = drawing(2);
        let issued = world.key().await;
        let before = picture(&world.authority).await;
        let rotated = world.authority.rotate(&developer("alice"), &issued.key.id, HOUR).await;
        let error = rotated.expect_err("no randomness, no secret");
        assert!(matches!(error, KeyError::Random(_)), "{error:?}");
        assert_eq!(error.to_string(), DRY);
        let new = NewAccount::new(name("job"), role("analyst"));
        let error = world.authority.create_account(&admin(), new).await.expect_err("no account");
        assert!(matches!(error, AccountError::Random(_)), "{error:?}");
        assert_eq!(picture(&world.authority).await, before);
        world.verifier.verify(issued.token.expose()).await.expect("the secret is the same");
    });
}

#[test]
fn t_k02_usage_survives_without_randomness() {
    block_on(async {
        let world = World::in_memory();
        let issued = world.key_of(&developer("alice"), named("app")).await;
        // The source fails until the test queues a draw.
        let source = Random::failing();
        let keywright = world.builder.clone().random(source.clone()).build().expect("a keywright");
        let verifier = keywright.verifier();
        verifier.verify(issued.token.expose()).await.expect("the key");
        let error = verifier.flush().await.expect_err("no randomness");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert_eq!(std::error::Error::source(&error).expect("a cause").to_string(), DRY);
        let entry = world.authority.key(&developer("alice"), &issued.key.id).await;
        assert_eq!(entry.expect("the key").uses, 0);
        source.add([vec![7; 16]]);
        verifier.flush().await.expect("a random source that works again");
        let entry = world.authority.key(&developer("alice"), &issued.key.id).await;
        assert_eq!(entry.expect("the key").uses, 1);
    });
}

/// Calls every operation of an authority and a verifier on a store that is down, and returns the
/// errors.
async fn all_failures(world: &World, actor: &Actor) -> Vec<(&'static str, Error)> {
    let authority = &world.authority;
    let key = "0000000000000000".parse().expect("an id");
    let account = "0000000000000000".parse().expect("an id");
    let token = render("acme_live", "0000000000000000", "00000000000000000000000000000000");
    let keys = KeyQuery::new();
    let accounts = AccountQuery::new();
    let events = EventQuery::new();
    let new = NewAccount::new(name("job"), role("analyst"));
    let edit = || KeyEdit::new().metadata(Metadata::default());
    let of_account = AccountEdit::new();
    macro_rules! failures {
        ($($call:ident: $future:expr;)*) => {
            vec![$((stringify!($call), $future.await.expect_err(stringify!($call)).into()),)*]
        };
    }
    failures! {
        generate: authority.generate(actor, named("app"));
        key: authority.key(actor, &key);
        keys: authority.keys(actor, &keys);
        rename: authority.rename(actor, &key, name("b"));
        edit: authority.edit(actor, &key, edit());
        disable: authority.disable(actor, &key);
        enable: authority.enable(actor, &key);
        rotate: authority.rotate(actor, &key, HOUR);
        finish_rotation: authority.finish_rotation(actor, &key);
        revoke: authority.revoke(actor, &key);
        revoke_owned: authority.revoke_owned(actor, &actor.as_owner());
        delete: authority.delete(actor, &key);
        create_account: authority.create_account(actor, new);
        account: authority.account(actor, &account);
        accounts: authority.accounts(actor, &accounts);
        edit_account: authority.edit_account(actor, &account, of_account);
        disable_account: authority.disable_account(actor, &account);
        enable_account: authority.enable_account(actor, &account);
        delete_account: authority.delete_account(actor, &account);
        policy: authority.policy(actor);
        set_plan: authority.set_plan(actor, Plan::default());
        edit_settings: authority.edit_settings(actor, SettingsEdit::new());
        user: authority.user(actor, actor.id());
        set_display_name: authority.set_display_name(actor, actor.id(), None);
        suspend_user: authority.suspend_user(actor, actor.id());
        restore_user: authority.restore_user(actor, actor.id());
        transfer_key: authority.transfer_key(actor, &key, &Owner::Organization);
        transfer_owned: authority.transfer_owned(actor, &actor.as_owner(), &Owner::Organization);
        events: authority.events(actor, &events);
        sweep: authority.sweep(actor);
        verify: world.verifier.verify(&token);
        revoke_by_possession: world.verifier.revoke(Credential::Token(&token));
    }
}

#[test]
fn store_outage_fails_every_operation() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        faults.set(Fault::Down);
        let failures = all_failures(&world, &admin()).await;
        assert_eq!(failures.len(), 32);
        for (call, error) in failures {
            assert_is_said(&error);
            let said = chain(&error);
            let cause = ["the store is down", "the entropy pool is dry"];
            assert!(said.ends_with(&cause.map(str::to_owned)), "{call}: {said:?}");
        }
    });
}

#[test]
fn unrecorded_refusal_is_a_store_failure() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        // A forbidden change of the plan needs an audit event, so it fails with the store too.
        faults.set(Fault::Down);
        let error = world.authority.set_plan(&developer("eve"), Plan::default()).await;
        let error = Error::from(error.expect_err("the store is down"));
        assert_eq!(chain(&error)[0], "the store failed");
    });
}

#[test]
fn failed_flush_neither_loses_nor_doubles() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        let issued = world.key().await;
        for _ in 0..3 {
            world.verifier.verify(issued.token.expose()).await.expect("accepted");
        }
        faults.set(Fault::Down);
        for _ in 0..3 {
            let error = world.verifier.flush().await.expect_err("the store is down");
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        }
        faults.set(None);
        world.verifier.flush().await.expect("the store is back");
        world.verifier.flush().await.expect("nothing is left");
        let entry = world.authority.key(&admin(), &issued.key.id).await.expect("the key");
        assert_eq!(entry.uses, 3);
    });
}

#[test]
fn t_c13_panicking_random_source_is_asked_again() {
    let tells = Arc::new(AtomicBool::new(false));
    let (panics, script) = (Arc::clone(&tells), Random::script((1..9).map(|draw| vec![draw; 32])));
    let source = Random::drawing(move |out| {
        assert!(!panics.load(Ordering::SeqCst), "the source panics");
        script.fill(out).expect("it is not spent");
    });
    let world = World::with(MemoryStore::new(), |builder| builder.random(source));
    let issued = block_on(world.key());
    let before = block_on(picture(&world.authority));
    tells.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let panicked = catch_unwind(AssertUnwindSafe(|| block_on(world.key())));
        assert!(panicked.is_err(), "the source's panic reaches the caller");
    }
    assert_eq!(block_on(picture(&world.authority)), before);
    block_on(world.verifier.verify(issued.token.expose())).expect("verification continues");
    tells.store(false, Ordering::SeqCst);
    let next = block_on(world.key());
    assert_ne!(next.key.id, issued.key.id);
    block_on(world.verifier.verify(next.token.expose())).expect("the next one is a key");
}
