//! Another process shrinks a plan, suspends a user or changes an owner between the reads and the write
//! of a call. The invariant: a change that is stored obeys the rules in force at its write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::{
    AccountEdit, Actor, Authority, GenerateError, NewKey, Owner, Plan, Policy, PolicyError,
    PolicyField, SetPolicyError, SettingsEdit,
};

use crate::concurrent_changes::{between, policy_between};
use common::{DAY, HOUR, TestResult, World, all_keys, cut_scopes, named, set_policy};

type Shrink = fn(&mut Plan);

/// Each limit of a plan on new keys: how it shrinks, a key that it then refuses, and the error.
fn limits_of_new_keys() -> TestResult<Vec<(Shrink, NewKey, &'static str)>> {
    let new = || named("prod-main-app");
    Ok(vec![
        (
            |plan| cut_scopes(plan, "invoices:read"),
            new().scopes("invoices:write".parse()?),
            "keys of this owner cannot have the scope invoices:write",
        ),
        (
            |plan| plan.max_keys_per_user = 1,
            new(),
            "the owner already holds 1 live keys, the limit in the policy; revoke one first",
        ),
        (
            |plan| plan.max_lifetime = Some(HOUR),
            new().expires_in(DAY),
            "the key must expire within 1 hour, as the tenant's policy requires, got 1 day",
        ),
        (
            |plan| plan.require_expiry = true,
            new().never_expires(),
            "the tenant's policy requires an expiry; set one",
        ),
        (
            |plan| plan.max_rate = "10/60s".parse().ok(),
            new().rate("11/60s".parse()?),
            "the rate must be at most 10/60s, the limit in the tenant's policy, got 11/60s",
        ),
        (|plan| plan.api_access = false, new(), "no key can be generated: "),
    ])
}

#[common::test(each_store)]
async fn new_key_obeys_concurrently_smaller_plan(world: &World) -> TestResult {
    world.key().await;
    let wide = world.policy().await.plan;
    for (shrink, new, expected) in limits_of_new_keys()? {
        let met = policy_between(world, move |policy| shrink(&mut policy.plan))?;
        let before = all_keys(&world.authority, &world.admin).await.len();
        let refused = met.generate(new.clone()).await.err().ok_or("a refusal")?.to_string();
        assert!(refused.starts_with(expected), "{refused}");
        assert_eq!(all_keys(&world.authority, &world.admin).await.len(), before);
        world
            .set_policy(|policy| {
                let version = policy.plan.version;
                policy.plan = wide.clone();
                policy.plan.version = version;
            })
            .await?;
        // The plan was all that refused it.
        let made = world.generate(new).await?;
        world.authority.revoke(&world.alice, &made.key.id).await?;
    }
    Ok(())
}

#[common::test(each_store)]
async fn new_key_obeys_concurrent_suspension(world: &World) -> TestResult {
    let alice = world.alice.id().clone();
    let met = between(world, |authority, admin| async move {
        authority.suspend_user(&admin, &alice).await.expect("alice is suspended");
    })?;
    let refused = met.generate(named("prod-main-app")).await;
    assert!(matches!(refused, Err(GenerateError::UserSuspended(_))), "{refused:?}");
    assert!(all_keys(&world.authority, &world.admin).await.is_empty());
    Ok(())
}

/// A change of the new owner, or of the key, while the key is handed over.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Suspended,
    Disabled,
    Deleted,
    Narrowed,
    FullByPlan,
    FullByKey,
    KeyRevoked,
}

impl Meanwhile {
    /// Every case, and the outcome of the transfer.
    const ALL: [(Self, &str); 7] = [
        (Self::Suspended, "user bob is suspended"),
        (Self::Disabled, "is disabled; enable it first"),
        (Self::Deleted, "was not found"),
        (Self::Narrowed, "keys of the new owner can have none of the key's scopes"),
        (Self::FullByPlan, "the new owner can hold at most 1 live keys"),
        (Self::FullByKey, "the new owner can hold at most 2 live keys"),
        (Self::KeyRevoked, "revoked"),
    ];
}

#[common::test(each_store)]
async fn transfer_obeys_concurrent_change_of_owner(world: &World) -> TestResult {
    for (meanwhile, expected) in Meanwhile::ALL {
        for all_at_once in [false, true] {
            let owner = match meanwhile {
                Meanwhile::Suspended => world.bob.as_owner(),
                _ => Owner::Account(world.account("nightly-report", "operator").await?.id),
            };
            let new = named("prod-main-app").scopes("invoices:write".parse()?);
            let key = world.generate(new.clone()).await?.key.id;
            world.authority.generate(&world.admin, new.clone().owner(owner.clone())).await?;
            let (to, more, bob) = (owner.clone(), new, world.bob.id().clone());
            world.set_policy(|policy| policy.plan.max_keys_per_account = Some(2)).await?;
            let met = between(world, move |authority: Authority, admin: Actor| async move {
                let account = to.account();
                let account = account.as_ref().ok_or("the owner is a user");
                match meanwhile {
                    Meanwhile::Suspended => drop(authority.suspend_user(&admin, &bob).await),
                    Meanwhile::Disabled => {
                        let id = account.expect("an account");
                        authority.disable_account(&admin, id).await.expect("it is disabled");
                    }
                    Meanwhile::Deleted => {
                        let id = account.expect("an account");
                        authority.delete_account(&admin, id).await.expect("it is deleted");
                    }
                    Meanwhile::Narrowed => {
                        let analyst = "analyst".parse().expect("a role");
                        let edit = AccountEdit::new().role(analyst);
                        let id = account.expect("an account");
                        authority.edit_account(&admin, id, edit).await.expect("the role changes");
                    }
                    Meanwhile::FullByPlan => {
                        let shrink = |policy: &mut Policy| {
                            policy.plan.max_keys_per_account = Some(1);
                        };
                        let done = set_policy(&authority, &admin, shrink).await;
                        done.expect("the plan shrinks");
                    }
                    Meanwhile::FullByKey => {
                        authority.generate(&admin, more.owner(to)).await.expect("a key");
                    }
                    Meanwhile::KeyRevoked => {
                        authority.revoke(&admin, &key).await.expect("it is revoked");
                    }
                }
            })?;
            let refused = if all_at_once && !matches!(meanwhile, Meanwhile::KeyRevoked) {
                let from = world.alice.as_owner();
                met.authority.transfer_owned(&world.admin, &from, &owner).await.err()
            } else {
                met.authority.transfer_key(&world.admin, &key, &owner).await.err()
            };
            let refused = refused.ok_or_else(|| format!("{meanwhile:?}"))?.to_string();
            assert!(refused.contains(expected), "{meanwhile:?}: {refused}");
            let stays = world.authority.key(&world.admin, &key).await?.key.owner.clone();
            assert_eq!(stays, world.alice.as_owner(), "{meanwhile:?}");
            world.authority.restore_user(&world.admin, world.bob.id()).await?;
            world.authority.revoke(&world.admin, &key).await?;
        }
    }
    Ok(())
}

#[common::test(each_store)]
async fn setting_obeys_concurrently_smaller_plan(world: &World) -> TestResult {
    let seconds = |time: Duration| time.as_secs();
    let table: [(Shrink, SettingsEdit, PolicyField, u64); 4] = [
        (
            |plan| plan.max_keys_per_user = 3,
            SettingsEdit::new().max_keys_per_user(Some(4)),
            PolicyField::MaxKeysPerUser,
            3,
        ),
        (
            |plan| plan.max_lifetime = Some(DAY),
            SettingsEdit::new().max_lifetime(Some(2 * DAY)),
            PolicyField::MaxLifetime,
            seconds(DAY),
        ),
        (
            |plan| plan.max_overlap = HOUR,
            SettingsEdit::new().max_overlap(Some(DAY)),
            PolicyField::MaxOverlap,
            seconds(HOUR),
        ),
        (
            |plan| plan.max_retention = Some(HOUR),
            SettingsEdit::new().retention(Some(DAY)),
            PolicyField::Retention,
            seconds(HOUR),
        ),
    ];
    for (shrink, edit, expected, most) in table {
        let before = world.policy().await.settings;
        let met = policy_between(world, move |policy| shrink(&mut policy.plan))?;
        let refused = met.authority.edit_settings(&world.tenant_admin, edit).await;
        let beyond = |e: &PolicyError| {
            let bound = e.violation().bound.map(|bound| bound.to_string());
            matches!(e, PolicyError::BeyondPlan { field, .. } if *field == expected)
                && bound == Some(most.to_string())
        };
        assert!(matches!(&refused, Err(SetPolicyError::Policy(e)) if beyond(e)), "{refused:?}");
        assert_eq!(world.policy().await.settings, before);
    }
    Ok(())
}

/// The host and the tenant change their own records, and neither overwrites the other.
#[common::test(each_store)]
async fn plan_and_setting_change_at_once(world: &World) -> TestResult {
    let met = policy_between(world, |policy| policy.settings.max_overlap = Some(HOUR))?;
    met.set_policy(|policy| policy.plan.max_keys_per_user = 7).await?;
    let met = policy_between(world, |policy| policy.plan.max_lifetime = Some(DAY))?;
    let edit = SettingsEdit::new().require_expiry(Some(true));
    met.authority.edit_settings(&world.tenant_admin, edit).await?;
    let now = world.policy().await;
    assert_eq!((now.max_overlap.value, now.max_keys_per_user.value), (HOUR, 7));
    assert_eq!((now.max_lifetime.value, now.require_expiry.value), (Some(DAY), true));
    Ok(())
}

/// No answer shows a rule that exceeds the plan of the same answer.
#[common::test(each_store)]
async fn rule_in_force_never_exceeds_the_plan(world: &World) -> TestResult {
    let is_done = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        let tenant = scope.spawn(|| {
            let mut accepted = 0;
            for keys in (1..=12).cycle().take(48) {
                let edit = SettingsEdit::new().max_keys_per_user(Some(keys));
                let set = block_on(world.authority.edit_settings(&world.tenant_admin, edit));
                let beyond =
                    matches!(set, Err(SetPolicyError::Policy(PolicyError::BeyondPlan { .. })));
                assert!(set.is_ok() || beyond, "{set:?}");
                accepted += usize::from(set.is_ok());
            }
            accepted
        });
        let reader = scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                let now = block_on(world.policy());
                assert!(now.max_keys_per_user.value <= now.plan.max_keys_per_user, "{now:?}");
            }
        });
        for most in (4..=10).rev() {
            world.change_policy(|policy| policy.plan.max_keys_per_user = most);
        }
        let accepted = tenant.join().expect("no panic");
        is_done.store(true, Ordering::SeqCst);
        reader.join().expect("no panic");
        accepted
    });
    assert!(done > 0);
    assert_eq!(world.policy().await.plan.max_keys_per_user, 4);
    Ok(())
}
