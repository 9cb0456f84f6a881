//! New keys that break a rule are refused.

use std::time::Duration;

use keywright::{
    ExpiryField, GenerateError, KeyEdit, KeyError, NameError, NamePattern, NewKey, Owner,
    RuleError, Scope, Timestamp,
};

use super::{after, assert_is_said, name, picture, world};
use common::{DAY, MOMENT, World, admin, block_on, developer, named, start};

/// Asserts that generating this key for alice fails and changes nothing, and returns the error.
async fn refused(world: &World, new: NewKey) -> GenerateError {
    let alice = developer("alice");
    let before = picture(&world.authority).await;
    let generated = world.authority.generate(&alice, new).await;
    let error = generated.expect_err("it must be refused");
    assert_is_said(&error);
    assert_eq!(picture(&world.authority).await, before);
    error
}

/// Asserts that generating fails because the key breaks a rule, and returns that rule's error.
async fn rule(world: &World, new: NewKey) -> RuleError {
    match refused(world, new).await {
        GenerateError::Rule(rule) => rule,
        other => panic!("a rule about the key was expected, not {other:?}"),
    }
}

#[test]
fn past_or_unrepresentable_expiry_is_refused() {
    block_on(async {
        let (world, ..) = world().await;
        let new = || named("app");
        let (past, overflow) = (start().saturating_sub(MOMENT), Duration::from_secs(1 << 40));
        let table = [
            (new().expires_at(past), RuleError::ExpiryPassed(past)),
            (new().expires_at(start()), RuleError::ExpiryPassed(start())),
            (new().expires_at(Timestamp::MIN), RuleError::ExpiryPassed(Timestamp::MIN)),
            (new().expires_in(Duration::ZERO), RuleError::ZeroLifetime),
            (new().expires_in_days(0), RuleError::ZeroLifetime),
            (new().expires_in(overflow), RuleError::LifetimeOverflow(overflow)),
            (new().expires_in_days(u32::MAX), {
                RuleError::LifetimeOverflow(Duration::from_secs(u64::from(u32::MAX) * 86_400))
            }),
        ];
        for (new, expected) in table {
            assert_eq!(rule(&world, new).await, expected);
        }
        for huge in [u64::MAX, i64::MAX.unsigned_abs(), u64::MAX / 1_000_000] {
            let huge = Duration::from_secs(huge);
            let error = rule(&world, new().expires_in(huge)).await;
            assert_eq!(error, RuleError::LifetimeOverflow(huge));
        }
        let error = rule(&world, new().expires_in(Duration::MAX)).await;
        assert_eq!(error, RuleError::LifetimeOverflow(Duration::MAX));
        let alice = developer("alice");
        world.key_of(&alice, new().expires_at(after(MOMENT))).await;
        world.key_of(&alice, new().expires_at(Timestamp::MAX)).await;
    });
}

#[test]
fn lifetime_above_maximum_is_refused() {
    block_on(async {
        let (world, ..) = world().await;
        world
            .set_policy(|policy| policy.settings.max_lifetime = Some(30 * DAY))
            .await
            .expect("the policy is set");
        let max = 30 * DAY;
        let too_long = |field, lifetime| RuleError::LifetimeTooLong { field, lifetime, max };
        let new = || named("app");
        let (at, within) = (ExpiryField::ExpiresAt, ExpiryField::ExpiresIn);
        for (long, field, lifetime) in [
            (new().never_expires(), ExpiryField::NeverExpires, None),
            (new().expires_in_days(31), within, Some(31 * DAY)),
            (new().expires_in(max + MOMENT), within, Some(max + MOMENT)),
            (new().expires_at(after(max + MOMENT)), at, Some(max + MOMENT)),
            (new().expires_at(Timestamp::MAX), at, Some(Timestamp::MAX.since(start()))),
        ] {
            assert_eq!(rule(&world, long).await, too_long(field, lifetime));
        }
        let alice = developer("alice");
        for good in [new(), new().expires_in_days(30), new().expires_at(after(30 * DAY))] {
            assert_eq!(world.key_of(&alice, good).await.key.expires_at, Some(after(30 * DAY)));
        }
        world
            .set_policy(|policy| policy.settings.max_lifetime = Some(Duration::from_secs(u64::MAX)))
            .await
            .expect("the policy is set");
        let never = rule(&world, new().never_expires()).await;
        assert!(matches!(never, RuleError::LifetimeTooLong { .. }));
        let issued = world.key_of(&alice, new()).await;
        assert_eq!(issued.key.expires_at, Some(Timestamp::MAX));
        world.key_of(&alice, new().expires_at(Timestamp::MAX)).await;
    });
}

#[test]
fn required_expiry_must_be_given() {
    block_on(async {
        let (world, ..) = world().await;
        world
            .set_policy(|policy| policy.settings.require_expiry = Some(true))
            .await
            .expect("the policy is set");
        for endless in [named("app"), named("app").never_expires()] {
            assert_eq!(rule(&world, endless).await, RuleError::ExpiryRequired);
        }
        world
            .set_policy(|policy| policy.settings.default_lifetime = Some(DAY))
            .await
            .expect("the policy is set");
        assert_eq!(rule(&world, named("app").never_expires()).await, RuleError::ExpiryRequired);
        let issued = world.key_of(&developer("alice"), named("app")).await;
        assert_eq!(issued.key.expires_at, Some(after(DAY)));
    });
}

#[test]
fn key_that_never_becomes_valid_is_refused() {
    block_on(async {
        let (world, ..) = world().await;
        let new = |not_before| named("app").not_before(not_before).expires_in(DAY);
        for not_before in [after(DAY), after(DAY + MOMENT), Timestamp::MAX] {
            let expected = RuleError::NeverValid { not_before, expires_at: after(DAY) };
            assert_eq!(rule(&world, new(not_before)).await, expected);
        }
        let alice = developer("alice");
        world.key_of(&alice, new(after(DAY).saturating_sub(MOMENT))).await;
        let past = world.key_of(&alice, new(Timestamp::MIN)).await;
        assert_eq!(past.key.not_before, None, "a start in the past has no effect");
    });
}

#[test]
fn scope_outside_ceiling_is_refused() {
    block_on(async {
        let (world, issued, account) = world().await;
        let outside = |text| RuleError::ScopeOutsideCeiling(Scope::new(text).expect("a scope"));
        for (scopes, first) in [("b:write", "b:write"), ("invoices:read zzz", "zzz"), ("a", "a")] {
            let new = named("app").scopes(scopes.parse().expect("scopes"));
            assert_eq!(rule(&world, new.clone()).await, outside(first));

            let before = picture(&world.authority).await;
            let owner = Owner::Account(account);
            let of_account = world.authority.generate(&admin(), new.owner(owner.clone())).await;
            let error = of_account.expect_err("outside the role");
            assert!(matches!(error, GenerateError::Rule(rule) if rule == outside(first)));
            let edit = KeyEdit::new().scopes(scopes.parse().expect("scopes"));
            let edited = world.authority.edit(&developer("alice"), &issued.key.id, edit).await;
            let error = edited.expect_err("outside the ceiling");
            assert!(matches!(error, KeyError::Rule(rule) if rule == outside(first)));
            assert_eq!(picture(&world.authority).await, before);
        }
    });
}

#[test]
fn name_outside_pattern_is_refused() {
    block_on(async {
        let environments = vec!["prod".to_owned(), "staging".to_owned()];
        let pattern = NamePattern { environments };
        let (world, issued, _) = world().await;
        world
            .set_policy(|policy| policy.settings.name_pattern = Some(pattern.clone()))
            .await
            .expect("the policy is set");
        let bad = [
            "app",
            "prod",
            "crm-integration",
            "prod-",
            "prod--app",
            "Prod-app",
            "prod-App",
            "prod_app",
            "prodapp",
        ];
        for bad in bad {
            let error = rule(&world, named(bad)).await;
            let RuleError::Name(NameError::Pattern { environments, example }) = error else {
                panic!("{bad}: {error:?}");
            };
            assert_eq!(environments, pattern.environments);
            let text = NameError::Pattern { environments, example: example.clone() }.to_string();
            assert!(
                text.ends_with("the first one of prod, staging, such as prod-main-app"),
                "{text}"
            );
            let before = picture(&world.authority).await;
            let renamed =
                world.authority.rename(&developer("alice"), &issued.key.id, name(bad)).await;
            let error = renamed.expect_err("outside the pattern");
            assert!(matches!(error, KeyError::Rule(RuleError::Name(_))), "{error:?}");
            assert_eq!(picture(&world.authority).await, before);
            pattern.check(&name(&example)).expect("the example would do");
        }
        world.key_of(&developer("alice"), named("staging-api-2")).await;
    });
}

#[test]
fn owner_cannot_raise_rate_above_policy() {
    block_on(async {
        let (world, issued, _) = world().await;
        let limit = "100/60s".parse().expect("a rate");
        world
            .set_policy(|policy| policy.settings.default_rate = Some(limit))
            .await
            .expect("the policy is set");
        for above in ["101/60s", "100/59s", "1000000/1s", "101/3600s"] {
            let rate = above.parse().expect("a rate");
            let expected = RuleError::RateAboveLimit { rate, limit };
            assert_eq!(rule(&world, named("app").rate(rate)).await, expected);
            let before = picture(&world.authority).await;
            let edit = KeyEdit::new().rate(Some(rate));
            let edited = world.authority.edit(&developer("alice"), &issued.key.id, edit).await;
            let error = edited.expect_err("above the limit");
            assert!(matches!(error, KeyError::Rule(rule) if rule == expected));
            assert_eq!(picture(&world.authority).await, before);
        }
        world.key_of(&developer("alice"), named("app").rate(limit)).await;
    });
}
