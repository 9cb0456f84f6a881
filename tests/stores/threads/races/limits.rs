//! Limits are exact under concurrent calls.

use futures_lite::future::block_on;
use keywright::store::KeyQuery;
use keywright::{
    GenerateError, Issued, KeyError, NewKey, NewOwnerError, SetPolicyError, SettingsEdit,
};

use super::{THREADS, note, together};
use common::stores::in_rounds;
use common::{SECOND, name};

#[test]
fn t_c06_limit_of_keys_holds_exactly() {
    in_rounds(20, 4, |world| {
        world.change_policy(|policy| policy.settings.max_keys_per_user = Some(10));
        let owner = world.alice.as_owner();
        let answers = together(64, |number| {
            let new = NewKey::named(format!("prod-key-{number}")).expect("a name");
            block_on(world.authority.generate(&world.alice, new.owner(owner.clone())))
        });
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        let made: Vec<Issued> =
            made.into_iter().map(|made| made.expect("the key was generated")).collect();
        let over =
            |error: &GenerateError| matches!(error, GenerateError::TooManyKeys { limit: 10 });
        assert!(refused.iter().all(|refused| refused.as_ref().is_err_and(over)), "{refused:?}");
        assert_eq!((made.len(), refused.len()), (10, 54));
        assert!(made.iter().all(|issued| world.says(issued.token.expose()) == "current"));
        let listed =
            block_on(world.authority.keys(&world.admin, &KeyQuery::new().owner(owner.clone())));
        let listed = listed.expect("the keys").items;
        assert_eq!(listed.iter().filter(|entry| entry.status.is_live()).count(), 10);
        assert_eq!(listed.len(), 10);
    });
}

#[test]
fn t_c06_limit_holds_while_keys_change_hands() {
    in_rounds(20, 4, |world| {
        world.change_policy(|policy| policy.settings.max_keys_per_user = Some(100));
        let keys: Vec<Issued> = (0..8).map(|_| world.issue("prod-main-app")).collect();
        world.change_policy(|policy| policy.settings.max_keys_per_user = Some(10));
        let heir = world.bob.as_owner();
        let answers = together(16, |number| {
            let (authority, admin) = (&world.authority, &world.admin);
            if let Some(issued) = keys.get(number) {
                return match block_on(authority.transfer_key(admin, &issued.key.id, &heir)) {
                    Ok(_) => true,
                    Err(KeyError::NewOwner(NewOwnerError::TooManyKeys { limit: 10 })) => false,
                    Err(error) => panic!("{error:?}"),
                };
            }
            let new = NewKey::new(name("prod-main-app")).owner(heir.clone());
            match block_on(authority.generate(admin, new)) {
                Ok(_) => true,
                Err(GenerateError::TooManyKeys { limit: 10 }) => false,
                Err(error) => panic!("{error:?}"),
            }
        });
        assert_eq!(answers.into_iter().filter(|done| *done).count(), 10);
        let query = KeyQuery::new().owner(heir.clone());
        let listed = block_on(world.authority.keys(&world.admin, &query)).expect("the keys");
        assert_eq!(listed.items.len(), 10);
    });
}

#[test]
fn t_c07_rate_admits_exactly_its_number() {
    in_rounds(10, 2, |world| {
        let owner = world.admin.as_owner();
        let new = NewKey::new(name("prod-main-app")).rate("50/60s".parse().expect("a rate"));
        let issued = block_on(world.authority.generate(&world.admin, new.owner(owner.clone())))
            .expect("a key");
        for period in 0..3 {
            let said = together(THREADS + 1, |number| {
                if number == THREADS {
                    // A changed key keeps the spent part of its rate.
                    let edit = note(&period.to_string());
                    block_on(world.authority.edit(&world.admin, &issued.key.id, edit))
                        .expect("edited");
                    return Vec::new();
                }
                (0..20).map(|_| world.says(issued.token.expose())).collect()
            });
            let said: Vec<_> = said.into_iter().flatten().collect();
            assert_eq!(said.iter().filter(|said| **said == "current").count(), 50);
            assert_eq!(said.iter().filter(|said| **said == "rate_limited").count(), 110);
            world.clock.advance(60 * SECOND);
        }
    });
}

#[test]
fn one_concurrent_policy_change_wins() {
    in_rounds(20, 4, |world| {
        let policy = block_on(world.authority.policy(&world.admin)).expect("the policy");
        let answers = together(THREADS, |number| {
            let keys = 100 + u16::try_from(number).expect("a small number");
            let edit = SettingsEdit::new().max_keys_per_user(Some(keys));
            let edit = edit.if_version(policy.settings.version);
            block_on(world.authority.edit_settings(&world.admin, edit))
        });
        let stale = |error: &SetPolicyError| matches!(error, SetPolicyError::Stale { .. });
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        let others = answers.iter().filter(|answer| answer.as_ref().is_err_and(stale));
        assert_eq!(others.count(), THREADS - 1, "{answers:?}");
    });
}
