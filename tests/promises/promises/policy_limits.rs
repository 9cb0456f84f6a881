//! Q2, Q3 and B2: limits of the policy on the lifetime of new keys and on the number of keys per
//! owner.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    Actor, EventActor, EventOutcome, GenerateError, KeyStatus, NewKey, Operation, PolicyError,
    PolicyField, Reason, RuleError, SetPolicyError, SettingsEdit, TenantId, UserId,
};

use common::{DAY, HOUR, MOMENT, TestResult, World};

#[common::test(each_store)]
async fn q2_lifetime_above_maximum_is_refused(world: &World) -> TestResult {
    let max = 30 * DAY;
    world.set_policy(|policy| policy.settings.max_lifetime = Some(max)).await?;
    let new = || NewKey::named("prod-main-app");
    let too_long = [
        new()?.never_expires(),
        new()?.expires_in(max + MOMENT),
        new()?.expires_in_days(31),
        new()?.expires_at(world.later(max + MOMENT)),
    ];
    for new in too_long {
        let refused = world.generate(new).await;
        let is_so =
            |e: &RuleError| matches!(e, RuleError::LifetimeTooLong { max: m, .. } if *m == max);
        assert!(matches!(&refused, Err(GenerateError::Rule(e)) if is_so(e)), "{refused:?}");
    }
    let exact = [
        new()?.expires_in(max),
        new()?.expires_in_days(30),
        new()?.expires_at(world.later(max)),
        new()?.expires_in(Duration::from_secs(1)),
    ];
    for new in exact {
        world.generate(new).await?;
    }
    Ok(())
}

#[common::test(each_store)]
async fn q2_silent_key_gets_maximum_lifetime(world: &World) -> TestResult {
    let new = || NewKey::named("prod-main-app");
    assert_eq!(world.generate(new()?).await?.key.expires_at, None, "there is no maximum yet");
    world.set_policy(|policy| policy.settings.max_lifetime = Some(30 * DAY)).await?;
    let issued = world.generate(new()?).await?;
    assert_eq!(issued.key.expires_at, Some(world.later(30 * DAY)));
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, new()?).await?;
    assert_eq!(issued.key.expires_at, Some(world.later(30 * DAY)));
    // The maximum is an expiry, so it also satisfies a policy that requires one.
    world.set_policy(|policy| policy.settings.require_expiry = Some(true)).await?;
    let issued = world.generate(new()?).await?;
    assert_eq!(issued.key.expires_at, Some(world.later(30 * DAY)));
    world.set_policy(|policy| policy.settings.default_lifetime = Some(DAY)).await?;
    assert_eq!(world.generate(new()?).await?.key.expires_at, Some(world.later(DAY)));
    world.clock.set(issued.key.expires_at.ok_or("it expires")?.saturating_sub(MOMENT));
    assert_eq!(world.check(&issued).await, Ok(()));
    world.clock.advance(MOMENT);
    assert_eq!(world.check(&issued).await, Err(Reason::Expired));
    Ok(())
}

#[common::test(each_store)]
async fn q2_maximum_lifetime_affects_only_new_keys(world: &World) -> TestResult {
    let new = || NewKey::named("prod-main-app");
    let endless = world.generate(new()?).await?;
    let long = world.generate(new()?.expires_in_days(365)).await?;
    world.set_policy(|policy| policy.settings.max_lifetime = Some(DAY)).await?;
    world.clock.advance(2 * DAY);
    for before in [&endless, &long] {
        assert_eq!(world.check(before).await, Ok(()));
        let rotated = world.authority.rotate(&world.alice, &before.key.id, HOUR).await?;
        assert_eq!(rotated.key.expires_at, before.key.expires_at);
        assert_eq!(world.check(&rotated).await, Ok(()));
    }
    let refused = world.generate(new()?.expires_in_days(365)).await;
    let Err(GenerateError::Rule(RuleError::LifetimeTooLong { max, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(max, DAY);
    world.set_policy(|policy| policy.settings.max_lifetime = Some(365 * DAY)).await?;
    world.generate(new()?.expires_in_days(365)).await?;
    Ok(())
}

#[common::test(each_store)]
async fn q2_maximum_lifetime_has_no_upper_limit(world: &World) -> TestResult {
    for max in [1_000_000 * DAY, Duration::from_secs(u64::MAX)] {
        let policy = world.set_policy(|policy| policy.settings.max_lifetime = Some(max)).await?;
        assert_eq!(policy.settings.max_lifetime, Some(max));
        assert_eq!(policy.max_lifetime.value, Some(max));
        let new = NewKey::named("prod-main-app")?;
        let issued = world.generate(new.clone().expires_in_days(365_000)).await?;
        assert_eq!(world.check(&issued).await, Ok(()));
        let endless = world.generate(new.never_expires()).await;
        assert!(endless.is_err(), "a long lifetime is still limited: {endless:?}");
    }
    let refused =
        world.set_policy(|policy| policy.settings.max_lifetime = Some(Duration::ZERO)).await;
    let zero = |e: &PolicyError| matches!(e, PolicyError::ZeroLifetime(_));
    assert!(matches!(&refused, Err(SetPolicyError::Policy(e)) if zero(e)), "{refused:?}");
    Ok(())
}

#[common::test(each_store)]
async fn q3_owner_holds_exactly_the_allowed_keys(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(3)).await?;
    let new = || NewKey::named("prod-main-app");
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(world.generate(new()?).await?);
    }
    assert_full(world, 3).await?;
    // The limit is per owner and tenant.
    world.generate_for(&world.bob, new()?).await?;
    let account = world.account("nightly-report", "analyst").await?;
    world.generate_under(&account, new()?).await?;
    let namesake =
        Actor::administrator(world.alice.id().clone()).in_tenant(TenantId::new("initech")?);
    let one = SettingsEdit::new().api_enabled(Some(true)).max_keys_per_user(Some(1));
    world.authority.edit_settings(&namesake, one).await?;
    world.generate_for(&namesake, new()?).await?;
    // A rotation does not count against the limit, and a deleted key frees a place.
    world.authority.rotate(&world.alice, &keys[0].key.id, DAY).await?;
    world.authority.delete(&world.alice, &keys[0].key.id).await?;
    world.generate(new()?).await?;
    assert_full(world, 3).await?;
    Ok(())
}

#[common::test(each_store)]
async fn refusal_at_key_limit_leaves_event(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
    world.generate(NewKey::named("prod-main-app")?).await?;
    let before = world.events(EventQuery::new()).await?.len();
    assert_full(world, 1).await?;
    let told = world.events(EventQuery::new()).await?.split_off(before);
    let [event] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(event.kind, Operation::KeyGenerate.into());
    assert_eq!(event.actor, EventActor::User(world.alice.id().clone()));
    assert!(matches!(event.outcome, EventOutcome::Refused(_)), "{event:?}");
    Ok(())
}

#[common::test(each_store)]
async fn policy_from_later_version_is_stale(world: &World) -> TestResult {
    let policy = world.policy().await;
    for by in [1, 2, 1 << 62] {
        let later = policy.plan.version + by;
        let mut next = policy.plan.clone();
        (next.version, next.max_keys_per_user) = (later, 7);
        let refused = world.authority.set_plan(&world.admin, next).await;
        let Err(SetPolicyError::Stale { given, current }) = refused else { panic!("{refused:?}") };
        assert_eq!((given, current), (later, policy.plan.version));
        let later = policy.settings.version + by;
        let edit = SettingsEdit::new().max_keys_per_user(Some(7)).if_version(later);
        let refused = world.authority.edit_settings(&world.admin, edit).await;
        let Err(SetPolicyError::Stale { given, current }) = refused else { panic!("{refused:?}") };
        assert_eq!((given, current), (later, policy.settings.version));
        assert_eq!(world.policy().await, policy);
    }
    Ok(())
}

#[common::test(each_store)]
async fn sweep_removes_keys_dead_past_retention(world: &World) -> TestResult {
    let retention = 10 * DAY;
    world.set_policy(|policy| policy.settings.retention = Some(retention)).await?;
    let revoked = world.generate_in(KeyStatus::Revoked).await?.key.id;
    let short = NewKey::named("prod-short")?.expires_in(HOUR);
    let expired = world.generate(short).await?.key.id;
    let kept = [KeyStatus::Active, KeyStatus::Disabled, KeyStatus::Scheduled];
    let mut alive = Vec::new();
    for status in kept {
        alive.push(world.generate_in(status).await?.key.id);
    }
    let sweep = || world.authority.sweep(&world.admin);
    world.clock.advance(retention.saturating_sub(MOMENT));
    assert_eq!(sweep().await?.keys, []);
    world.clock.advance(MOMENT);
    assert_eq!(sweep().await?.keys, [revoked]);
    // The retention of a dead key begins at its expiry, not at its creation.
    world.clock.advance(HOUR.saturating_sub(MOMENT));
    assert_eq!(sweep().await?.keys, []);
    world.clock.advance(MOMENT);
    assert_eq!(sweep().await?.keys, [expired]);
    world.clock.advance(retention);
    assert_eq!(sweep().await?.keys, []);
    for id in alive {
        world.authority.key(&world.admin, &id).await?;
    }
    Ok(())
}

#[common::test(each_store)]
async fn q3_only_live_keys_count(world: &World) -> TestResult {
    for status in KeyStatus::ALL {
        let actor =
            Actor::developer(UserId::new(status.as_str())?).in_tenant(world.tenant().clone());
        world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
        world.generate_owned_in(&actor.as_owner(), status).await?;
        let second = world.generate_for(&actor, NewKey::named("prod-second")?).await;
        let counts =
            matches!(status, KeyStatus::Active | KeyStatus::Disabled | KeyStatus::Scheduled);
        match second {
            Err(GenerateError::TooManyKeys { limit: 1 }) => assert!(counts, "{status}"),
            second => assert!(second.is_ok() && !counts, "{status}: {second:?}"),
        }
    }
    Ok(())
}

#[common::test(each_store)]
async fn q3_changed_limit_affects_only_new_keys(world: &World) -> TestResult {
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(world.generate(NewKey::named("prod-main-app")?).await?);
    }
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(2)).await?;
    for issued in &keys {
        assert_eq!(world.check(issued).await, Ok(()));
    }
    let id = &keys[0].key.id;
    world.authority.rotate(&world.alice, id, DAY).await?;
    world.authority.disable(&world.alice, id).await?;
    world.authority.enable(&world.alice, id).await?;
    for issued in &keys[1..] {
        assert_full(world, 2).await?;
        world.authority.revoke(&world.alice, &issued.key.id).await?;
    }
    world.generate(NewKey::named("prod-main-app")?).await?;
    assert_full(world, 2).await?;
    Ok(())
}

#[common::test(each_store)]
async fn q3_key_limit_is_1_to_1000(world: &World) -> TestResult {
    for impossible in [0, 1_001, u16::MAX] {
        let refused =
            world.set_policy(|policy| policy.settings.max_keys_per_user = Some(impossible)).await;
        let field = PolicyField::MaxKeysPerUser;
        let because = PolicyError::MaxKeys { field, got: impossible.into() };
        let refused_so = matches!(&refused, Err(SetPolicyError::Policy(e)) if *e == because);
        assert!(refused_so, "{refused:?}");
    }
    for possible in [1, 1_000] {
        world.set_policy(|policy| policy.settings.max_keys_per_user = Some(possible)).await?;
    }
    Ok(())
}

#[common::test(each_store)]
async fn b2_key_limit_holds_under_concurrency(world: &World) -> TestResult {
    for limit in [1, 5] {
        let owner =
            Actor::developer(UserId::new(format!("of-{limit}"))?).in_tenant(world.tenant().clone());
        world.set_policy(|policy| policy.settings.max_keys_per_user = Some(limit)).await?;
        let new = NewKey::named("prod-main-app")?;
        let attempt = || block_on(world.generate_for(&owner, new.clone()));
        let attempts: Vec<_> = std::thread::scope(|scope| {
            let attempts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..4).map(|_| attempt()).collect::<Vec<_>>()))
                .collect();
            attempts.into_iter().flat_map(|t| t.join().expect("no panic")).collect()
        });
        let (made, refused): (Vec<_>, Vec<_>) = attempts.into_iter().partition(Result::is_ok);
        assert_eq!(made.len(), usize::from(limit));
        for refused in refused {
            let limited =
                matches!(refused, Err(GenerateError::TooManyKeys { limit: l }) if l == limit);
            assert!(limited, "{refused:?}");
        }
        let held = world.authority.keys(&owner, &KeyQuery::new()).await?;
        assert_eq!(held.items.len(), usize::from(limit));
        for issued in made {
            assert_ne!(world.check(&issued?).await, Err(Reason::Unrecognized));
        }
    }
    Ok(())
}

/// Asserts that alice cannot generate another key.
async fn assert_full(world: &World, limit: u16) -> TestResult {
    let refused = world.generate(NewKey::named("prod-one-more")?).await;
    let Err(GenerateError::TooManyKeys { limit: named }) = refused else { panic!("{refused:?}") };
    assert_eq!(named, limit);
    Ok(())
}
