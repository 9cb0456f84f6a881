//! A plan that shrinks, a user who is suspended, and keys that are handed over, all while other
//! callers generate and verify.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_lite::future::block_on;
use keywright::{GenerateError, Issued, KeyError, NewKey, NewOwnerError, Owner, Reason, Scope};

use common::{TestResult, World, cut_scopes};

/// The attempts of each thread.
const ATTEMPTS: usize = 12;

#[common::test(each_store)]
async fn new_keys_obey_a_shrinking_plan(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1_000)).await?;
    let new = NewKey::named("prod-main-app")?.scopes("invoices:write".parse()?);
    let first = [world.generate(new.clone()).await?, world.generate(new.clone()).await?];
    let write = Scope::new("invoices:write")?;
    let is_small = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..ATTEMPTS {
                    let after = is_small.load(Ordering::SeqCst);
                    let made = block_on(world.generate(new.clone()));
                    assert!(!(after && made.is_ok()), "the scope is no longer in the plan");
                    let plain = NewKey::named("prod-plain").expect("a name");
                    let made = block_on(world.generate(plain));
                    if after {
                        let full = matches!(made, Err(GenerateError::TooManyKeys { limit: 2 }));
                        assert!(full, "{made:?}");
                    }
                }
            });
        }
        scope.spawn(|| {
            for issued in first.iter().cycle().take(4 * ATTEMPTS) {
                let after = is_small.load(Ordering::SeqCst);
                let grant =
                    block_on(world.verifier.verify(issued.token.expose())).expect("a grant");
                assert!(!(after && grant.allows(&write)));
            }
        });
        world.change_policy(|policy| {
            cut_scopes(&mut policy.plan, "invoices:read");
            policy.plan.max_keys_per_user = 2;
        });
        is_small.store(true, Ordering::SeqCst);
    });
    Ok(())
}

#[common::test(each_store)]
async fn suspension_holds_during_other_changes(world: &World) -> TestResult {
    let new = NewKey::named("prod-main-app")?;
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1_000)).await?;
    let kept = world.generate(new.clone()).await?;
    let mut moving = Vec::new();
    for _ in 0..ATTEMPTS {
        moving.push(world.generate_for(&world.bob, new.clone()).await?);
    }
    let (alice, bob) = (world.alice.as_owner(), world.bob.as_owner());
    let is_suspended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ATTEMPTS {
                let after = is_suspended.load(Ordering::SeqCst);
                let made = block_on(world.generate(new.clone()));
                if after {
                    assert!(matches!(made, Err(GenerateError::UserSuspended(_))), "{made:?}");
                }
            }
        });
        scope.spawn(|| {
            for issued in &moving {
                let after = is_suspended.load(Ordering::SeqCst);
                let hand = |to| world.authority.transfer_key(&world.admin, &issued.key.id, to);
                let handed = block_on(hand(&alice));
                if after {
                    let refused = |e: &KeyError| {
                        matches!(e, KeyError::NewOwner(NewOwnerError::UserSuspended(_)))
                    };
                    assert!(matches!(&handed, Err(e) if refused(e)), "{handed:?}");
                }
                if handed.is_ok() {
                    block_on(hand(&bob)).expect("a key of a suspended user can leave");
                    assert_eq!(block_on(world.check(issued)), Ok(()), "it works for its new owner");
                }
            }
        });
        scope.spawn(|| {
            for _ in 0..4 * ATTEMPTS {
                let after = is_suspended.load(Ordering::SeqCst);
                let found = block_on(world.check(&kept));
                let expected = [Ok(()), Err(Reason::UserSuspended)];
                assert!(expected[usize::from(after)..].contains(&found), "{found:?}");
            }
        });
        let suspended = world.authority.suspend_user(&world.admin, world.alice.id());
        block_on(suspended).expect("the user is suspended");
        is_suspended.store(true, Ordering::SeqCst);
    });
    for issued in &moving {
        assert_eq!(world.check(issued).await, Ok(()));
    }
    Ok(())
}

#[common::test(each_store)]
async fn handed_keys_meet_the_limit_exactly(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let mut keys: Vec<Issued> = Vec::new();
    for _ in 0..16 {
        keys.push(world.generate_under(&account, NewKey::named("prod-main-app")?).await?);
    }
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(5)).await?;
    let bob = world.bob.as_owner();
    let done: Vec<bool> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for some in keys.chunks(4) {
            let bob = &bob;
            threads.push(scope.spawn(move || {
                let mut done = Vec::new();
                for issued in some {
                    let id = &issued.key.id;
                    let handed = block_on(world.authority.transfer_key(&world.admin, id, bob));
                    let full = |e: &KeyError| {
                        matches!(e, KeyError::NewOwner(NewOwnerError::TooManyKeys { limit: 5 }))
                    };
                    assert!(!matches!(&handed, Err(e) if !full(e)), "{handed:?}");
                    done.push(handed.is_ok());
                    let new = NewKey::named("prod-of-bob").expect("a name");
                    let made = block_on(world.generate_for(&world.bob, new));
                    let full =
                        |e: &GenerateError| matches!(e, GenerateError::TooManyKeys { limit: 5 });
                    assert!(!matches!(&made, Err(e) if !full(e)), "{made:?}");
                    done.push(made.is_ok());
                }
                done
            }));
        }
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(done.iter().filter(|done| **done).count(), 5);
    let query = keywright::store::KeyQuery::new().owner(bob.clone());
    assert_eq!(world.authority.keys(&world.admin, &query).await?.items.len(), 5);
    let all = Owner::Account(account.id);
    assert!(world.authority.transfer_owned(&world.admin, &all, &bob).await.is_err());
    Ok(())
}

#[common::test(each_store)]
async fn t_c06_delete_holds_for_its_owner_only(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1_000)).await?;
    let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    for round in 0..2 * ATTEMPTS {
        let key = world.generate(new.clone()).await?.key.id;
        let delete = round % 2 == 0;
        let (ended, handed) = std::thread::scope(|scope| {
            let ended = scope.spawn(|| {
                let by_alice = &world.alice;
                if delete {
                    block_on(world.authority.delete(by_alice, &key)).is_ok()
                } else {
                    block_on(world.authority.revoke(by_alice, &key)).is_ok()
                }
            });
            let to = &Owner::Organization;
            let handed = block_on(world.authority.transfer_key(&world.admin, &key, to)).is_ok();
            (ended.join().expect("no panic"), handed)
        });
        // Alice may end her own key, and no key of the organization.
        assert!(ended != handed, "ended: {ended}, handed over: {handed}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn t_c06_account_deletion_spares_handed_keys(world: &World) -> TestResult {
    let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    for _ in 0..ATTEMPTS {
        let account = world.account("leaver", "analyst").await?;
        let owner = Owner::Account(account.id);
        let made = world.authority.generate(&world.admin, new.clone().owner(owner)).await?;
        let key = made.key.id;
        let (deleted, handed) = std::thread::scope(|scope| {
            let deleted = scope.spawn(|| {
                block_on(world.authority.delete_account(&world.admin, &account.id)).is_ok()
            });
            let to = &Owner::Organization;
            let handed = block_on(world.authority.transfer_key(&world.admin, &key, to)).is_ok();
            (deleted.join().expect("no panic"), handed)
        });
        let is_there = world.authority.key(&world.admin, &key).await.is_ok();
        assert!(deleted, "nothing else needs the account");
        assert_eq!(handed, is_there, "a key that was handed over outlives the account");
    }
    Ok(())
}
