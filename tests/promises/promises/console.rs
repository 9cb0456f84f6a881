//! Q: the tenant's console: the API access switch, the two roles, and revoking one key or many.

use std::collections::BTreeMap;

use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    Actor, EventKind, KeyError, KeyId, KeyStatus, ListError, Name, NewKey, Operation, Outcome,
    Owner, Permissions, Policy, Reason, Requirement, SetPolicyError, SettingsEdit, TenantId,
    UserId, WrongStatus,
};

use crate::listing::{ids, sorted};
use common::{DAY, TestResult, World, decided, missing};

#[common::test(each_store)]
async fn q1_api_access_is_off_until_enabled(world: &World) -> TestResult {
    let tenant = TenantId::new("initech")?;
    let admin = Actor::tenant_admin(UserId::new("bill")?).in_tenant(tenant.clone());
    let peter = Actor::developer(UserId::new("peter")?).in_tenant(tenant);
    let new = || NewKey::named("prod-main-app");
    let refused = world.generate_for(&peter, new()?).await;
    assert!(missing(&refused) == [Requirement::Switch], "{refused:?}");
    assert!(!world.authority.policy(&admin).await?.api_enabled.value);
    let on = SettingsEdit::new().api_enabled(Some(true));
    let refused = world.authority.edit_settings(&peter, on.clone()).await;
    assert!(matches!(refused, Err(SetPolicyError::PermissionDenied(_))), "{refused:?}");
    world.authority.edit_settings(&admin, on).await?;
    let issued = world.generate_for(&peter, new()?).await?;
    assert_eq!(world.check(&issued).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn q1_switch_turns_all_keys_off_and_on(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let keys = [
        world.generate(NewKey::named("prod-one")?).await?,
        world.generate_for(&world.bob, NewKey::named("prod-two")?).await?,
        world.generate_under(&account, NewKey::named("prod-three")?).await?,
    ];
    let elsewhere = Actor::administrator(UserId::new("bill")?).in_tenant(TenantId::new("initech")?);
    let on = SettingsEdit::new().api_enabled(Some(true));
    world.authority.edit_settings(&elsewhere, on).await?;
    let theirs = world.generate_for(&elsewhere, NewKey::named("prod-four")?).await?;
    let before = listing(world).await?;
    for _ in 0..3 {
        world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
        for issued in &keys {
            assert_eq!(world.check(issued).await, Err(Reason::AccessOff));
            let entry = world.authority.key(&world.admin, &issued.key.id).await?;
            assert_eq!(entry.key, issued.key, "the key is unchanged");
            let seen = (entry.status, entry.refused_because);
            assert_eq!(seen, (KeyStatus::Active, Some(Reason::AccessOff)));
        }
        assert_eq!(world.check(&theirs).await, Ok(()), "another tenant's key");
        world.set_policy(|policy| policy.settings.api_enabled = Some(true)).await?;
        for issued in &keys {
            assert_eq!(world.check(issued).await, Ok(()));
        }
    }
    assert_eq!(listing(world).await?, before);
    Ok(())
}

#[common::test(each_store)]
async fn q1_host_can_change_the_default_policy(world: &World) -> TestResult {
    let mut policy = Policy::default();
    policy.settings.api_enabled = Some(true);
    let keywright = world.builder.clone().default_policy(policy).build()?;
    let (authority, verifier) = (keywright.authority(), keywright.verifier());
    let peter = Actor::developer(UserId::new("peter")?).in_tenant(TenantId::new("initech")?);
    let new = NewKey::named("prod-main-app")?;
    let issued = authority.generate(&peter, new).await?;
    let grant = decided(verifier.verify(issued.token.expose()).await);
    assert_eq!(grant.map(|grant| *grant.key_id()), Ok(issued.key.id));
    Ok(())
}

#[common::test(each_store)]
async fn q4_tenant_admin_governs_all_keys(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let (authority, tara) = (&world.authority, &world.tenant_admin);
    authority.edit_settings(tara, SettingsEdit::new().max_keys_per_user(Some(3))).await?;
    let all = authority.keys(tara, &KeyQuery::new()).await?;
    assert_eq!(all.items.len(), 1);
    authority.revoke(tara, &issued.key.id).await?;
    assert_eq!(world.check(&issued).await, Err(Reason::Revoked));
    let events = authority.events(tara, &EventQuery::new()).await?;
    assert_eq!(events.items[0].key, Some(issued.key.id));
    let own = world.generate_for(tara, NewKey::named("prod-own")?).await;
    assert!(missing(&own).contains(&Requirement::Permission), "{own:?}");
    Ok(())
}

#[common::test(each_store)]
async fn q4_developer_manages_own_keys(world: &World) -> TestResult {
    let (authority, alice, bob) = (&world.authority, &world.alice, &world.bob);
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &issued.key.id;
    authority.rename(alice, id, Name::new("prod-other-app")?).await?;
    let rotated = authority.rotate(alice, id, DAY).await?;
    let attempts = [
        authority.key(bob, id).await.map(drop),
        authority.rename(bob, id, Name::new("prod-mine")?).await.map(drop),
        authority.rotate(bob, id, DAY).await.map(drop),
        authority.delete(bob, id).await,
    ];
    for attempt in attempts {
        assert!(matches!(attempt, Err(KeyError::NotFound(_))), "{attempt:?}");
    }
    let of_bob = world.generate_for(bob, NewKey::named("prod-of-bob")?).await?;
    let listed = authority.keys(bob, &KeyQuery::new()).await?;
    assert_eq!(ids(&listed.items), [of_bob.key.id], "only their own");
    let asked = authority.keys(bob, &KeyQuery::new().owner(alice.as_owner())).await;
    assert!(matches!(asked, Err(ListError::PermissionDenied(_))), "{asked:?}");
    assert_eq!(world.check(&rotated).await, Ok(()));
    authority.delete(alice, id).await?;
    assert_eq!(world.check(&rotated).await, Err(Reason::Unrecognized));
    Ok(())
}

#[common::test(each_store)]
async fn q4_one_actor_can_have_both_roles(world: &World) -> TestResult {
    let both = Permissions::TENANT_ADMIN | Permissions::DEVELOPER;
    let carol = Actor::new(UserId::new("carol")?, both).in_tenant(world.tenant().clone());
    let own = world.generate_for(&carol, NewKey::named("prod-own")?).await?;
    world.authority.rotate(&carol, &own.key.id, DAY).await?;
    let of_alice = world.generate(NewKey::named("prod-main-app")?).await?;
    world.authority.revoke(&carol, &of_alice.key.id).await?;
    let rotated = world.authority.rotate(&carol, &of_alice.key.id, DAY).await;
    assert!(matches!(rotated, Err(KeyError::PermissionDenied(_))), "{rotated:?}");
    Ok(())
}

#[common::test(each_store)]
async fn q7_many_keys_are_revoked_in_one_call(world: &World) -> TestResult {
    let mut keys = Vec::new();
    for status in KeyStatus::ALL {
        keys.push(world.generate_in(status).await?);
    }
    let [active, scheduled, disabled, expired, revoked] = keys.as_slice() else {
        panic!("one of each status")
    };
    let unknown: KeyId = "0000000000000000".parse()?;
    let last = world.generate_for(&world.bob, NewKey::named("prod-last")?).await?;
    // Keys that cannot be revoked come first, because a failure must not stop the rest.
    let asked = [
        expired.key.id,
        revoked.key.id,
        unknown,
        active.key.id,
        scheduled.key.id,
        disabled.key.id,
        last.key.id,
    ];
    let answers = world.authority.revoke_many(&world.tenant_admin, &asked).await;
    assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), asked);
    let words: Vec<_> = answers
        .iter()
        .map(|(_, answer)| match answer {
            Ok(Outcome::Done(key)) => {
                format!("revoked {}", key.revoked_at == Some(world.now()))
            }
            Ok(Outcome::Unchanged(_)) => "unchanged".to_owned(),
            Err(KeyError::WrongStatus(WrongStatus { status, .. })) => status.to_string(),
            Err(KeyError::NotFound(_)) => "not found".to_owned(),
            Err(error) => panic!("{error:?}"),
        })
        .collect();
    let done = "revoked true";
    assert_eq!(words, ["expired", "unchanged", "not found", done, done, done, done]);
    for issued in [active, scheduled, disabled, &last] {
        assert_eq!(world.check(issued).await, Err(Reason::Revoked));
    }
    assert_eq!(world.check(expired).await, Err(Reason::Expired));
    Ok(())
}

#[common::test(each_store)]
async fn q7_one_key_is_revoked_in_one_call(world: &World) -> TestResult {
    for status in [KeyStatus::Active, KeyStatus::Scheduled, KeyStatus::Disabled] {
        let issued = world.generate_in(status).await?;
        assert!(!world.authority.revoke(&world.alice, &issued.key.id).await?.is_unchanged());
        assert_eq!(world.check(&issued).await, Err(Reason::Revoked));
    }
    let expired = world.generate_in(KeyStatus::Expired).await?;
    let refused = world.authority.revoke(&world.alice, &expired.key.id).await;
    let operation = Operation::KeyRevoke;
    let because = WrongStatus { operation, status: KeyStatus::Expired };
    assert!(matches!(refused, Err(KeyError::WrongStatus(b)) if b == because), "{refused:?}");
    Ok(())
}

#[common::test(each_store)]
async fn q7_all_keys_of_owner_are_revoked_together(world: &World) -> TestResult {
    let mut keys = Vec::new();
    for status in KeyStatus::ALL {
        keys.push((status, world.generate_in(status).await?));
    }
    let of_bob = world.generate_for(&world.bob, NewKey::named("prod-of-bob")?).await?;
    let owner = world.alice.as_owner();
    let refused = world.authority.revoke_owned(&world.bob, &owner).await;
    assert!(matches!(refused, Err(KeyError::PermissionDenied(_))), "{refused:?}");
    let revoked = world.authority.revoke_owned(&world.tenant_admin, &owner).await?;
    let live = keys.iter().filter(|(status, _)| status.is_live());
    let live = sorted(live.map(|(_, issued)| issued.key.id));
    assert_eq!(sorted(revoked.iter().map(|key| key.id)), live);
    for (status, issued) in &keys {
        let dead = if status.is_live() { KeyStatus::Revoked } else { *status };
        assert_eq!(world.status(&issued.key.id).await?, dead);
    }
    assert_eq!(world.check(&of_bob).await, Ok(()));
    for key in revoked {
        let last = world.events_of(&key.id).await?.pop().ok_or("there is an event")?;
        assert_eq!(last.kind, EventKind::Operation(Operation::KeyRevoke));
    }
    assert_eq!(world.authority.revoke_owned(&world.tenant_admin, &owner).await?, []);
    Ok(())
}

#[common::test(each_store)]
async fn q8_revoked_key_is_listed_deleted_is_not(world: &World) -> TestResult {
    let revoked = world.generate(NewKey::named("prod-revoked")?).await?;
    let deleted = world.generate(NewKey::named("prod-deleted")?).await?;
    world.authority.revoke(&world.alice, &revoked.key.id).await?;
    world.authority.delete(&world.alice, &deleted.key.id).await?;
    let page = world.authority.keys(&world.alice, &KeyQuery::new()).await?;
    assert_eq!(ids(&page.items), [revoked.key.id]);
    assert_eq!(page.items[0].status, KeyStatus::Revoked);
    assert_eq!(page.items[0].key.revoked_at, Some(world.now()));
    assert_eq!(world.check(&revoked).await, Err(Reason::Revoked));
    assert_eq!(world.check(&deleted).await, Err(Reason::Unrecognized));
    world.authority.delete(&world.alice, &revoked.key.id).await?;
    let page = world.authority.keys(&world.alice, &KeyQuery::new()).await?;
    assert_eq!(ids(&page.items), []);
    Ok(())
}

#[common::test(each_store)]
async fn q10_generation_names_all_that_is_missing(world: &World) -> TestResult {
    for (plan, switch, permission) in every_combination() {
        world
            .set_policy(|policy| {
                policy.plan.api_access = plan;
                policy.settings.api_enabled = Some(switch);
            })
            .await?;
        let actor = if permission { &world.alice } else { &world.auditor };
        let made = world.generate_for(actor, NewKey::named("prod-main-app")?).await;
        let table = [
            (permission, Requirement::Permission),
            (plan, Requirement::License),
            (switch, Requirement::Switch),
        ];
        let absent = table.iter().filter(|(is_there, _)| !is_there);
        let absent: Vec<_> = absent.map(|(_, requirement)| *requirement).collect();
        assert_eq!(missing(&made), absent, "all of them, in order");
        assert_eq!(made.is_ok(), absent.is_empty());
        let Err(error) = made else { continue };
        let said = error.to_string();
        for (word, requirement) in [
            ("permission", Requirement::Permission),
            ("upgrade required", Requirement::License),
            ("turned off", Requirement::Switch),
        ] {
            assert_eq!(said.contains(word), absent.contains(&requirement), "{said}");
        }
        let last = world.events(EventQuery::new()).await?.pop().ok_or("an event")?;
        let names: Vec<_> = absent.iter().map(|requirement| requirement.as_str()).collect();
        let listed = format!("missing=\"{}\"", names.join(", "));
        assert!(last.details.to_string().contains(&listed), "{}", last.details);
    }
    let page = world.authority.keys(&world.admin, &KeyQuery::new()).await?;
    assert_eq!(page.items.len(), 1, "only the key with all three was generated");
    Ok(())
}

#[common::test(each_store)]
async fn q10_license_can_be_denied_to_a_user(world: &World) -> TestResult {
    let unlicensed = world.alice.clone().without_license();
    let refused = world.generate_for(&unlicensed, NewKey::named("prod-main-app")?).await;
    assert_eq!(missing(&refused), [Requirement::License]);
    assert_eq!(world.authority.keys(&unlicensed, &KeyQuery::new()).await?.items.len(), 0);
    world.generate_for(&world.bob, NewKey::named("prod-main-app")?).await?;
    Ok(())
}

#[common::test(each_store)]
async fn q10_actor_without_permission_learns_no_owner(world: &World) -> TestResult {
    let account = world.account("nightly", "analyst").await?;
    let disabled = world.account("weekly", "analyst").await?;
    world.authority.disable_account(&world.admin, &disabled.id).await?;
    let absent = "0000000000000000".parse()?;
    let nobody =
        Actor::new(UserId::new("nemo")?, Permissions::NONE).in_tenant(world.tenant().clone());
    let owners = [account.id, disabled.id, absent].map(Owner::Account);
    let owners = owners.into_iter().chain([world.alice.as_owner(), nobody.as_owner()]);
    let mut said = BTreeMap::new();
    for (owner, plan) in owners.flat_map(|owner| [(owner.clone(), true), (owner, false)]) {
        for switch in [true, false] {
            let change = |policy: &mut Policy| {
                policy.plan.api_access = plan;
                policy.settings.api_enabled = Some(switch);
            };
            world.set_policy(change).await?;
            let made =
                world.authority.generate(&nobody, NewKey::named("a")?.owner(owner.clone())).await;
            let told = made.expect_err("it has no permission").to_string();
            let before = said.entry((plan, switch)).or_insert_with(|| told.clone());
            assert_eq!(*before, told, "the answer does not depend on the owner");
        }
    }
    assert_eq!(said.len(), 4);
    Ok(())
}

fn every_combination() -> impl Iterator<Item = (bool, bool, bool)> {
    (0..8).map(|bits| (bits & 4 != 0, bits & 2 != 0, bits & 1 != 0))
}

/// Returns the whole listing in a form that tests can compare.
async fn listing(world: &World) -> TestResult<serde_json::Value> {
    let page = world.authority.keys(&world.admin, &KeyQuery::new()).await?;
    Ok(serde_json::to_value(page.items)?)
}
