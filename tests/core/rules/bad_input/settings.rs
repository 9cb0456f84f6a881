//! Overlaps above the policy's maximum and policies outside their own limits are refused.

use std::time::Duration;

use keywright::{
    BuildError, KeyError, NamePattern, Policy, PolicyError, PolicyField, SetPolicyError,
};

use super::{assert_is_said, picture, role, world};
use common::{DAY, HOUR, SECOND, admin, block_on, chain, developer};

#[test]
fn overlap_above_maximum_is_refused() {
    block_on(async {
        let (world, issued, _) = world().await;
        world.set_policy(|policy| policy.max_overlap = HOUR).await.expect("the policy is set");
        let alice = developer("alice");
        let before = picture(&world.authority).await;
        for overlap in [HOUR + Duration::from_nanos(1), 2 * HOUR, Duration::MAX] {
            let rotated = world.authority.rotate(&alice, &issued.key.id, overlap).await;
            let error = rotated.expect_err("too long");
            assert!(
                matches!(error, KeyError::OverlapTooLong { overlap: got, max } if got == overlap && max == HOUR),
                "{error:?}"
            );
            assert_is_said(&error);
        }
        assert_eq!(picture(&world.authority).await, before);
        world.verifier.verify(issued.token.expose()).await.expect("the secret is the same");
        world.authority.rotate(&alice, &issued.key.id, HOUR).await.expect("at the limit");
        world
            .set_policy(|policy| policy.max_overlap = Duration::ZERO)
            .await
            .expect("the policy is set");
        let error = world.authority.rotate(&alice, &issued.key.id, SECOND).await;
        assert!(matches!(error, Err(KeyError::OverlapTooLong { .. })));
        world.authority.rotate(&alice, &issued.key.id, Duration::ZERO).await.expect("none");
    });
}

/// A change that makes a valid policy invalid.
type Change = Box<dyn Fn(&mut Policy)>;

#[test]
fn invalid_policy_is_neither_set_nor_default() {
    let day = Some(DAY);
    let half = Duration::from_millis(500);
    let pattern = |environments: &[&str]| {
        let environments = environments.iter().map(ToString::to_string).collect();
        Some(NamePattern { environments })
    };
    let roles =
        |n: usize| (0..n).map(|n| (role(&format!("r{n}")), "invoices:read".parse().expect("ok")));
    let table: Vec<(Change, PolicyError)> = vec![
        (Box::new(|p| p.max_keys_per_owner = 0), PolicyError::MaxKeys(0)),
        (Box::new(|p| p.max_keys_per_owner = 1_001), PolicyError::MaxKeys(1_001)),
        (Box::new(|p| p.max_keys_per_owner = u16::MAX), PolicyError::MaxKeys(u16::MAX)),
        (
            Box::new(|p| p.max_lifetime = Some(Duration::ZERO)),
            PolicyError::ZeroLifetime(PolicyField::MaxLifetime),
        ),
        (
            Box::new(|p| p.default_lifetime = Some(Duration::ZERO)),
            PolicyError::ZeroLifetime(PolicyField::DefaultLifetime),
        ),
        (
            Box::new(move |p| (p.default_lifetime, p.max_lifetime) = (Some(DAY + SECOND), day)),
            PolicyError::DefaultAboveMax,
        ),
        (
            Box::new(move |p| p.max_lifetime = Some(DAY + half)),
            PolicyError::NotWholeSeconds(PolicyField::MaxLifetime),
        ),
        (
            Box::new(move |p| p.default_lifetime = Some(half)),
            PolicyError::NotWholeSeconds(PolicyField::DefaultLifetime),
        ),
        (
            Box::new(move |p| p.max_overlap = half),
            PolicyError::NotWholeSeconds(PolicyField::MaxOverlap),
        ),
        (
            Box::new(move |p| p.retention = half),
            PolicyError::NotWholeSeconds(PolicyField::Retention),
        ),
        (
            Box::new(move |p| p.event_retention = DAY + half),
            PolicyError::NotWholeSeconds(PolicyField::EventRetention),
        ),
        (
            Box::new(move |p| p.event_retention = DAY.saturating_sub(SECOND)),
            PolicyError::EventRetention(DAY.saturating_sub(SECOND)),
        ),
        (Box::new(move |p| p.roles = roles(65).collect()), PolicyError::TooManyRoles(65)),
        (
            Box::new(move |p| p.name_pattern = pattern(&["d41d8cd98f00b204e9800998ecf8427e"])),
            PolicyError::NamePattern,
        ),
        (Box::new(move |p| p.name_pattern = pattern(&[""])), PolicyError::NamePattern),
        (Box::new(move |p| p.name_pattern = pattern(&["Prod"])), PolicyError::NamePattern),
        (Box::new(move |p| p.name_pattern = pattern(&["a-b"])), PolicyError::NamePattern),
        (Box::new(move |p| p.name_pattern = pattern(&["x"; 17])), PolicyError::NamePattern),
        (
            Box::new(move |p| p.name_pattern = pattern(&["x".repeat(33).as_str()])),
            PolicyError::NamePattern,
        ),
    ];
    block_on(async {
        let (world, ..) = world().await;
        let before = picture(&world.authority).await;
        for (change, expected) in &table {
            let mut policy = world.authority.policy(&admin()).await.expect("the policy");
            change(&mut policy);
            let error = world.authority.set_policy(&admin(), policy.clone()).await;
            let error = error.expect_err("outside its limits");
            assert!(matches!(&error, SetPolicyError::Policy(e) if e == expected), "{error:?}");
            assert_is_said(&error);
            let error =
                world.builder.clone().default_policy(policy).build().expect_err("no default");
            assert!(matches!(&error, BuildError::DefaultPolicy(e) if e == expected));
            assert_eq!(chain(&error).len(), 2, "the cause is kept");
        }
        assert_eq!(picture(&world.authority).await, before);
        for possible in [1, 1_000] {
            world
                .set_policy(|policy| policy.max_keys_per_owner = possible)
                .await
                .expect("the policy is set");
        }
        world
            .set_policy(|policy| policy.roles = roles(64).collect())
            .await
            .expect("the policy is set");
    });
}

#[test]
fn concurrent_policy_change_is_not_overwritten() {
    block_on(async {
        let (world, ..) = world().await;
        let stale = world.authority.policy(&admin()).await.expect("the policy");
        world.set_policy(|policy| policy.require_expiry = true).await.expect("the policy is set");
        let before = picture(&world.authority).await;
        for version in [stale.version, stale.version + 2, u64::MAX] {
            let mut policy = stale.clone();
            policy.version = version;
            policy.api_enabled = false;
            let error = world.authority.set_policy(&admin(), policy).await.expect_err("stale");
            let SetPolicyError::Stale { given, current } = error else { panic!("{error:?}") };
            assert_eq!((given, current), (version, stale.version + 1));
            assert_is_said(&error);
        }
        assert_eq!(picture(&world.authority).await, before);
    });
}
