//! Overlaps above the policy's maximum and policies outside their own limits are refused.

use std::collections::BTreeMap;
use std::time::Duration;

use keywright::{
    Access, BuildError, KeyError, NamePattern, Policy, PolicyError, PolicyField, Role, RoleName,
    Scope, ScopeDefinition, SetPolicyError, SettingsEdit,
};

use super::{assert_is_said, picture, role, world};
use common::{DAY, HOUR, SECOND, admin, block_on, chain, developer, open_policy};

#[test]
fn overlap_above_maximum_is_refused() {
    block_on(async {
        let (world, issued, _) = world().await;
        world
            .set_policy(|policy| policy.settings.max_overlap = Some(HOUR))
            .await
            .expect("the policy is set");
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
            .set_policy(|policy| policy.settings.max_overlap = Some(Duration::ZERO))
            .await
            .expect("the policy is set");
        let error = world.authority.rotate(&alice, &issued.key.id, SECOND).await;
        assert!(matches!(error, Err(KeyError::OverlapTooLong { .. })));
        world.authority.rotate(&alice, &issued.key.id, Duration::ZERO).await.expect("none");
    });
}

/// Returns this many roles.
fn roles(number: usize) -> BTreeMap<RoleName, Role> {
    let reading = Role::new("invoices:read".parse().expect("a scope"));
    (0..number).map(|n| (role(&format!("r{n}")), reading.clone())).collect()
}

/// Returns a catalog with this many scopes.
fn catalog(scopes: usize) -> BTreeMap<Scope, ScopeDefinition> {
    let reading = ScopeDefinition::new(Access::ReadOnly);
    let scope = |n| (Scope::new(format!("s{n}:read")).expect("a scope"), reading.clone());
    (0..scopes).map(scope).collect()
}

/// A change that makes a valid policy invalid.
type Change = Box<dyn Fn(&mut Policy)>;

#[test]
#[expect(clippy::too_many_lines, reason = "the table has a row for each bound")]
fn invalid_policy_is_neither_set_nor_default() {
    let day = Some(DAY);
    let half = Duration::from_millis(500);
    let pattern = |environments: &[&str]| {
        let environments = environments.iter().map(ToString::to_string).collect();
        Some(NamePattern { environments })
    };
    let outside = Role::new("billing:admin".parse().expect("a scope"));
    let billing = || Scope::new("billing:admin").expect("a scope");
    let too_many = |got| PolicyError::MaxKeys { field: PolicyField::MaxKeysPerUser, got };
    let table: Vec<(Change, PolicyError)> = vec![
        (Box::new(|p| p.settings.max_keys_per_user = Some(0)), too_many(0)),
        (Box::new(|p| p.plan.max_keys_per_user = 0), too_many(0)),
        (Box::new(|p| p.settings.max_keys_per_user = Some(1_001)), too_many(1_001)),
        (Box::new(|p| p.settings.max_keys_per_user = Some(u16::MAX)), too_many(u16::MAX.into())),
        (
            Box::new(|p| p.plan.max_keys_per_account = Some(0)),
            PolicyError::MaxKeys { field: PolicyField::MaxKeysPerAccount, got: 0 },
        ),
        (
            Box::new(|p| p.plan.max_keys_of_organization = Some(1_001)),
            PolicyError::MaxKeys { field: PolicyField::MaxKeysOfOrganization, got: 1_001 },
        ),
        (
            Box::new(|p| p.plan.max_lifetime = Some(Duration::ZERO)),
            PolicyError::ZeroLifetime(PolicyField::MaxLifetime),
        ),
        (
            Box::new(move |p| p.plan.max_retention = Some(half)),
            PolicyError::NotWholeSeconds(PolicyField::MaxRetention),
        ),
        (
            Box::new(move |p| p.plan.max_overlap = half),
            PolicyError::NotWholeSeconds(PolicyField::MaxOverlap),
        ),
        (Box::new(move |p| p.plan.min_event_retention = HOUR), PolicyError::EventRetention(HOUR)),
        (
            Box::new(move |p| {
                p.plan.min_event_retention = 2 * DAY;
                p.plan.max_event_retention = day;
            }),
            PolicyError::EventRetentionRange { min: 2 * DAY, max: DAY },
        ),
        (
            Box::new(|p| p.plan.default_scopes = "billing:admin".parse().expect("a scope")),
            PolicyError::UnknownScope { scope: billing(), role: None },
        ),
        (
            Box::new(move |p| drop(p.plan.roles.insert(role("r"), outside.clone()))),
            PolicyError::UnknownScope { scope: billing(), role: Some(role("r")) },
        ),
        (Box::new(move |p| p.plan.scopes = catalog(257)), PolicyError::TooManyScopes(257)),
        (Box::new(move |p| p.plan.name_pattern = pattern(&["A"])), PolicyError::NamePattern),
        (
            Box::new(|p| p.settings.max_lifetime = Some(Duration::ZERO)),
            PolicyError::ZeroLifetime(PolicyField::MaxLifetime),
        ),
        (
            Box::new(|p| p.settings.default_lifetime = Some(Duration::ZERO)),
            PolicyError::ZeroLifetime(PolicyField::DefaultLifetime),
        ),
        (
            Box::new(move |p| {
                (p.settings.default_lifetime, p.settings.max_lifetime) = (Some(DAY + SECOND), day);
            }),
            PolicyError::DefaultAboveMax { default: DAY + SECOND, max: DAY },
        ),
        (
            Box::new(move |p| p.settings.max_lifetime = Some(DAY + half)),
            PolicyError::NotWholeSeconds(PolicyField::MaxLifetime),
        ),
        (
            Box::new(move |p| p.settings.default_lifetime = Some(half)),
            PolicyError::NotWholeSeconds(PolicyField::DefaultLifetime),
        ),
        (
            Box::new(move |p| p.settings.max_overlap = Some(half)),
            PolicyError::NotWholeSeconds(PolicyField::MaxOverlap),
        ),
        (
            Box::new(move |p| p.settings.retention = Some(half)),
            PolicyError::NotWholeSeconds(PolicyField::Retention),
        ),
        (
            Box::new(move |p| p.settings.event_retention = Some(DAY + half)),
            PolicyError::NotWholeSeconds(PolicyField::EventRetention),
        ),
        (
            Box::new(move |p| p.settings.event_retention = Some(DAY.saturating_sub(SECOND))),
            PolicyError::EventRetention(DAY.saturating_sub(SECOND)),
        ),
        (Box::new(move |p| p.plan.roles = roles(65)), PolicyError::TooManyRoles(65)),
        (
            Box::new(move |p| {
                p.settings.name_pattern = pattern(&["d41d8cd98f00b204e9800998ecf8427e"]);
            }),
            PolicyError::NamePattern,
        ),
        (Box::new(move |p| p.settings.name_pattern = pattern(&[""])), PolicyError::NamePattern),
        (Box::new(move |p| p.settings.name_pattern = pattern(&["Prod"])), PolicyError::NamePattern),
        (Box::new(move |p| p.settings.name_pattern = pattern(&["a-b"])), PolicyError::NamePattern),
        (
            Box::new(move |p| p.settings.name_pattern = pattern(&["x"; 17])),
            PolicyError::NamePattern,
        ),
        (
            Box::new(move |p| p.settings.name_pattern = pattern(&["x".repeat(33).as_str()])),
            PolicyError::NamePattern,
        ),
    ];
    block_on(async {
        let (world, ..) = world().await;
        let before = picture(&world.authority).await;
        for (change, expected) in &table {
            let error = world.set_policy(change).await.expect_err("outside its limits");
            assert!(matches!(&error, SetPolicyError::Policy(e) if e == expected), "{error:?}");
            assert_is_said(&error);
            let mut policy = open_policy();
            change(&mut policy);
            let error =
                world.builder.clone().default_policy(policy).build().expect_err("no default");
            assert!(matches!(&error, BuildError::DefaultPolicy(e) if e == expected));
            assert_eq!(chain(&error).len(), 2, "the cause is kept");
        }
        assert_eq!(picture(&world.authority).await, before);
        for possible in [1, 1_000] {
            world
                .set_policy(|policy| policy.settings.max_keys_per_user = Some(possible))
                .await
                .expect("the policy is set");
        }
        world.set_policy(|policy| policy.plan.roles = roles(64)).await.expect("the policy is set");
    });
}

#[test]
fn concurrent_policy_change_is_not_overwritten() {
    block_on(async {
        let (world, ..) = world().await;
        let stale = world.policy().await;
        world
            .set_policy(|policy| policy.settings.require_expiry = Some(true))
            .await
            .expect("the policy is set");
        let before = picture(&world.authority).await;
        for version in [stale.settings.version, stale.settings.version + 2, u64::MAX] {
            let edit = SettingsEdit::new().api_enabled(Some(false)).if_version(version);
            let error = world.authority.edit_settings(&admin(), edit).await.expect_err("stale");
            let SetPolicyError::Stale { given, current } = error else { panic!("{error:?}") };
            assert_eq!((given, current), (version, stale.settings.version + 1));
            assert_is_said(&error);
        }
        for version in [stale.plan.version + 1, u64::MAX] {
            let mut plan = stale.plan.clone();
            (plan.version, plan.api_access) = (version, false);
            let error = world.authority.set_plan(&admin(), plan).await.expect_err("stale");
            let SetPolicyError::Stale { given, current } = error else { panic!("{error:?}") };
            assert_eq!((given, current), (version, stale.plan.version));
            assert_is_said(&error);
        }
        assert_eq!(picture(&world.authority).await, before);
    });
}
