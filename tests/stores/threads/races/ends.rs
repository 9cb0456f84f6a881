//! Ends of access: every later verify is refused, and of many keys all or none end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::KeyQuery;
use keywright::{
    AccountId, Credential, GenerateError, Issued, KeyError, NewAccount, NewKey, NewOwnerError,
    Owner, RoleName,
};

use super::{THREADS, is_accepted, together};
use common::stores::in_rounds;
use common::{World, name};

/// A way to end a key's access; the token of the first secret must stop working.
type Ending = (&'static str, fn(&World, &Issued));

const ENDINGS: &[Ending] = &[
    ("revoke", |world, issued| {
        block_on(world.authority.revoke(&world.admin, &issued.key.id)).expect("it is revoked");
    }),
    ("revoke by its possessor", |world, issued| {
        let token = Credential::Token(issued.token.expose());
        block_on(world.verifier.revoke(token)).expect("it is revoked");
    }),
    ("delete", |world, issued| {
        block_on(world.authority.delete(&world.admin, &issued.key.id)).expect("it is deleted");
    }),
    ("disable", |world, issued| {
        block_on(world.authority.disable(&world.admin, &issued.key.id)).expect("it is disabled");
    }),
    ("rotate", |world, issued| {
        let rotated = world.authority.rotate(&world.admin, &issued.key.id, Duration::ZERO);
        block_on(rotated).expect("it is rotated");
    }),
    ("switch API access off", |world, _| {
        world.change_policy(|policy| policy.settings.api_enabled = Some(false));
    }),
    ("suspend the user", |world, _| {
        let suspended = world.authority.suspend_user(&world.admin, world.admin.id());
        block_on(suspended).expect("the user is suspended");
    }),
];

#[test]
fn t_c01_verify_after_end_of_access_fails() {
    in_rounds(25, 4, |world| {
        for (how, end) in ENDINGS {
            world.change_policy(|policy| policy.settings.api_enabled = Some(true));
            let restored = world.authority.restore_user(&world.admin, world.admin.id());
            block_on(restored).expect("the user is restored");
            let issued = world.issue("prod-main-app");
            let (ended, granted) = (AtomicBool::new(false), AtomicU64::new(0));
            together(5, |number| {
                if number == 0 {
                    while granted.load(Ordering::SeqCst) < 100 {
                        thread::yield_now();
                    }
                    end(world, &issued);
                    ended.store(true, Ordering::SeqCst);
                    return;
                }
                let mut after = 0;
                while after < 50 {
                    let is_ended = ended.load(Ordering::SeqCst);
                    let accepted = is_accepted(world.says(issued.token.expose()));
                    assert!(!(is_ended && accepted), "{how}: accepted after it returned");
                    granted.fetch_add(accepted.into(), Ordering::SeqCst);
                    after += u32::from(is_ended);
                }
            });
        }
    });
}

/// A way to end the access of all keys of an account at once.
type EndingOfAll = (&'static str, fn(&World, AccountId));

const ENDINGS_OF_ALL: &[EndingOfAll] = &[
    ("revoke all", |world, account| {
        let owner = Owner::Account(account);
        let revoked = block_on(world.authority.revoke_owned(&world.admin, &owner));
        assert_eq!(revoked.expect("they are revoked").len(), KEYS);
    }),
    ("disable the account", |world, account| {
        block_on(world.authority.disable_account(&world.admin, &account)).expect("it is disabled");
    }),
    ("delete the account", |world, account| {
        block_on(world.authority.delete_account(&world.admin, &account)).expect("it is deleted");
    }),
    ("switch API access off", |world, _| {
        world.change_policy(|policy| policy.settings.api_enabled = Some(false));
    }),
    ("take API access out of the plan", |world, _| {
        world.change_policy(|policy| policy.plan.api_access = false);
    }),
];

const KEYS: usize = 6;

fn account_with_keys(world: &World) -> (AccountId, Vec<Issued>) {
    let role = RoleName::new("analyst").expect("a role");
    world.change_policy(|policy| {
        policy.settings.api_enabled = Some(true);
        policy.plan.api_access = true;
        policy.plan.roles.entry(role.clone()).or_default();
    });
    let new = NewAccount::new(name("nightly"), role);
    let account =
        block_on(world.authority.create_account(&world.admin, new)).expect("an account").account;
    let owner = Owner::Account(account.id);
    let make = |_| {
        let new = NewKey::new(name("prod-nightly"));
        block_on(world.authority.generate(&world.admin, new.owner(owner.clone()))).expect("a key")
    };
    (account.id, (0..KEYS).map(make).collect())
}

#[test]
fn t_c01_ending_many_keys_is_atomic() {
    in_rounds(40, 4, |world| {
        for (how, end) in ENDINGS_OF_ALL {
            let (account, issued) = account_with_keys(world);
            // Set by the first thread that sees a refusal, and after the end has returned.
            let (seen, granted) = (AtomicBool::new(false), AtomicU64::new(0));
            together(5, |number| {
                if number == 0 {
                    while granted.load(Ordering::SeqCst) < 100 {
                        thread::yield_now();
                    }
                    end(world, account);
                    seen.store(true, Ordering::SeqCst);
                    return;
                }
                let mut after = 0;
                for turn in number.. {
                    let is_seen = seen.load(Ordering::SeqCst);
                    let key = &issued[turn % KEYS];
                    if is_accepted(world.says(key.token.expose())) {
                        assert!(!is_seen, "{how}: one was refused, another accepted later");
                        granted.fetch_add(1, Ordering::SeqCst);
                    } else {
                        seen.store(true, Ordering::SeqCst);
                        after += 1;
                    }
                    if after == 2 * KEYS {
                        break;
                    }
                }
            });
        }
    });
}

#[test]
fn t_c01_no_key_outlives_its_account() {
    in_rounds(30, 4, |world| {
        let (account, _) = account_with_keys(world);
        let owner = Owner::Account(account);
        let scopes = "invoices:read".parse().expect("scopes");
        let mine = NewKey::new(name("prod-handed-over")).scopes(scopes);
        let mine = block_on(world.key_of(&world.admin, mine));
        let made = together(THREADS, |number| {
            if number == 0 {
                block_on(world.authority.delete_account(&world.admin, &account)).expect("deleted");
                return Ok(None);
            }
            if number == 1 {
                let handed = world.authority.transfer_key(&world.admin, &mine.key.id, &owner);
                return match block_on(handed) {
                    Ok(_) | Err(KeyError::NewOwner(NewOwnerError::AccountNotFound(_))) => Ok(None),
                    Err(error) => panic!("{error:?}"),
                };
            }
            let new = NewKey::new(name("prod-late"));
            block_on(world.authority.generate(&world.admin, new.owner(owner.clone()))).map(Some)
        });
        let query = KeyQuery::new().owner(owner.clone());
        let left = block_on(world.authority.keys(&world.admin, &query)).expect("the keys");
        assert!(left.items.is_empty(), "{:?}", left.items);
        // A key that the account got in time was deleted with it.
        let said = world.says(mine.token.expose());
        assert!(["unrecognized", "current"].contains(&said), "{said}");
        for answer in made {
            match answer {
                Ok(None)
                | Err(GenerateError::AccountNotFound(_) | GenerateError::TooManyKeys { .. }) => {}
                Ok(Some(issued)) => assert_eq!(world.says(issued.token.expose()), "unrecognized"),
                Err(error) => panic!("{error:?}"),
            }
        }
    });
}
