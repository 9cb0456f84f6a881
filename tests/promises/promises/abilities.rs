//! A1, Q10 and Q11: what an actor may do, asked before it tries.

use keywright::{
    Abilities, Access, AccountEdit, Actor, NewKey, Obstacle, Operation, Owner, OwnerKind,
    Permissions, Requirement, SettingsEdit, UserId,
};

use common::{DAY, HOUR, TestResult, World, named};

async fn abilities(world: &World, actor: &Actor, owner: &Owner) -> TestResult<Abilities> {
    Ok(world.authority.abilities(actor, owner).await?)
}

#[common::test(each_store)]
async fn a1_upgrade_is_told_before_the_try(world: &World) -> TestResult {
    let owner = world.alice.as_owner();
    assert!(abilities(world, &world.alice, &owner).await?.can_generate());
    world.set_policy(|policy| policy.plan.api_access = false).await?;
    let told = abilities(world, &world.alice, &owner).await?;
    assert_eq!(told.obstacles, [Obstacle::Missing(Requirement::License)]);
    assert!(told.obstacles[0].to_string().contains("upgrade required"), "{}", told.obstacles[0]);
    let refused = world.generate(named("prod-main-app")).await.expect_err("no API access");
    assert_eq!(refused.to_string(), told.obstacles[0].to_string());

    world.set_policy(|policy| policy.plan.api_access = true).await?;
    let unlicensed = world.alice.clone().without_license();
    let told = abilities(world, &unlicensed, &owner).await?;
    assert_eq!(told.obstacles, [Obstacle::Missing(Requirement::License)]);
    Ok(())
}

#[common::test(each_store)]
async fn q10_abilities_name_every_obstacle(world: &World) -> TestResult {
    let owner = world.bob.as_owner();
    world.generate_for(&world.bob, named("prod-main-app")).await?;
    world.authority.suspend_user(&world.admin, world.bob.id()).await?;
    world
        .set_policy(|policy| {
            policy.plan.api_access = false;
            policy.plan.name_pattern = Some(pattern(&["prod"]));
            policy.settings.api_enabled = Some(false);
            policy.settings.name_pattern = Some(pattern(&["dev", "test"]));
            policy.settings.max_keys_per_user = Some(1);
        })
        .await?;
    let told = abilities(world, &world.auditor, &owner).await?;
    let said: Vec<_> = told.obstacles.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "no key can be generated: the actor has no permission for key.generate",
            "no key can be generated: the plan or the actor's license does not include API access, upgrade required",
            "no key can be generated: API access is turned off, the tenant's admin can turn it on",
            "user bob is suspended; restore the user first",
            "no name follows both name patterns: the plan requires prod as the first word, the \
             settings dev or test; change the settings",
            "the owner already holds 1 live keys, the limit in the policy; revoke one first",
        ]
    );
    assert!(!told.can_generate());
    assert_eq!(told.owner_kinds, []);
    let choices = told.choices.ok_or("an auditor sees keys and policy")?;
    assert_eq!(choices.name_pattern, None);

    let account = world.account("nightly", "analyst").await?;
    world.authority.disable_account(&world.admin, &account.id).await?;
    let told = abilities(world, &world.admin, &Owner::Account(account.id)).await?;
    assert!(told.obstacles.contains(&Obstacle::AccountDisabled(account.id)), "{told:?}");
    let absent = "0000000000000000".parse()?;
    let told = abilities(world, &world.admin, &Owner::Account(absent)).await?;
    assert!(told.obstacles.contains(&Obstacle::AccountNotFound(absent)), "{told:?}");
    Ok(())
}

fn pattern(environments: &[&str]) -> keywright::NamePattern {
    let environments = environments.iter().map(|text| (*text).to_owned()).collect();
    keywright::NamePattern { environments }
}

#[common::test(each_store)]
async fn q10_abilities_show_nothing_of_hidden_owners(world: &World) -> TestResult {
    let account = world.account("nightly", "operator").await?;
    world.generate_under(&account, named("prod-nightly")).await?;
    let disabled = world.account("weekly", "analyst").await?;
    world.authority.disable_account(&world.admin, &disabled.id).await?;
    world.authority.suspend_user(&world.admin, world.bob.id()).await?;
    let absent = "0000000000000000".parse()?;
    let owners = [account.id, disabled.id, absent].map(Owner::Account);
    let users = [world.bob.as_owner(), Owner::User(UserId::new("absent")?), Owner::Organization];
    let mut said = Vec::new();
    for owner in owners.into_iter().chain(users) {
        let told = abilities(world, &world.alice, &owner).await?;
        assert_eq!((told.keys, &told.choices), (None, &None), "{owner}");
        assert_eq!(told.owner, owner);
        said.push(format!("{:?} {:?}", told.obstacles, told.operations));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "the answer does not depend on the owner: {said:?}");

    // The keys of an account do not show its record, and the permission to generate shows no numbers.
    let actor = |permissions| {
        let carol = Actor::new(UserId::new("carol")?, permissions);
        Ok::<_, keywright::Error>(carol.in_tenant(world.tenant().clone()))
    };
    let (sees_keys, generates) = (actor(Permissions::SHOW_ANY)?, actor(Permissions::GENERATE_ANY)?);
    for id in [disabled.id, absent] {
        let told = abilities(world, &sees_keys, &Owner::Account(id)).await?;
        assert_eq!((told.obstacles.len(), told.keys, told.choices), (1, None, None), "{id}");
    }
    let told = abilities(world, &generates, &Owner::Account(account.id)).await?;
    assert!(told.keys.is_none() && told.choices.is_some());

    // For an actor of another tenant, nothing of this one exists.
    let told = abilities(world, &world.other, &Owner::Account(account.id)).await?;
    assert!(told.obstacles.contains(&Obstacle::AccountNotFound(account.id)), "{told:?}");
    assert_eq!(told.keys.map(|keys| (keys.live, keys.all)), Some((0, 0)));
    let told = abilities(world, &world.other, &world.bob.as_owner()).await?;
    assert!(!told.obstacles.contains(&Obstacle::UserSuspended(world.bob.id().clone())));
    Ok(())
}

#[common::test(each_store)]
async fn q10_abilities_have_the_permitted_operations(world: &World) -> TestResult {
    let accounts_only = Permissions::TRANSFER_ANY | Permissions::SHOW_ANY;
    let accounts_only = Actor::new(UserId::new("carol")?, accounts_only);
    let accounts_only = accounts_only.in_tenant(world.tenant().clone());
    let account = world.account("nightly", "operator").await?;
    let issued = world.generate_under(&account, named("prod-nightly")).await?;
    let actors = [&world.admin, &world.tenant_admin, &world.alice, &world.auditor, &accounts_only];
    for actor in actors {
        for owner in [world.alice.as_owner(), Owner::Organization, Owner::Account(account.id)] {
            let told = abilities(world, actor, &owner).await?;
            for operation in Operation::ALL {
                let is_told = told.operations.contains(operation);
                assert_eq!(is_told, actor.may(*operation, &owner), "{actor:?} {operation}");
                let is_told = told.operations_for_any.contains(operation);
                assert_eq!(is_told, actor.may_for_any(*operation), "{actor:?} {operation}");
            }
        }
    }
    let kinds = |told: Abilities| told.owner_kinds;
    let own = world.alice.as_owner();
    assert_eq!(kinds(abilities(world, &world.alice, &own).await?), [OwnerKind::User]);
    assert_eq!(kinds(abilities(world, &world.admin, &own).await?), OwnerKind::ALL);
    assert_eq!(kinds(abilities(world, &world.tenant_admin, &own).await?), []);

    // A key of an account is handed over only by those who manage accounts.
    let told = abilities(world, &accounts_only, &Owner::Account(account.id)).await?;
    assert!(!told.operations.contains(&Operation::KeyTransfer));
    let entry = world.authority.key(&accounts_only, &issued.key.id).await?;
    assert!(!entry.actions.contains(&Operation::KeyTransfer), "{:?}", entry.actions);
    let (key, to) = (&issued.key.id, Owner::Organization);
    assert!(world.authority.transfer_key(&accounts_only, key, &to).await.is_err());
    Ok(())
}

#[common::test(each_store)]
async fn q10_abilities_have_the_values_of_a_form(world: &World) -> TestResult {
    world
        .set_policy(|policy| {
            policy.plan.default_scopes = "invoices:read".parse().expect("a scope");
            policy.plan.max_rate = Some("100/60s".parse().expect("a rate"));
            policy.plan.max_lifetime = Some(30 * DAY);
            policy.plan.max_overlap = DAY;
            policy.plan.name_pattern = Some(pattern(&["prod", "dev"]));
            policy.settings.name_pattern = Some(pattern(&["dev", "test"]));
            policy.settings.default_rate = Some("10/60s".parse().expect("a rate"));
            policy.settings.default_lifetime = Some(7 * DAY);
        })
        .await?;
    let choices = |told: Abilities| told.choices.ok_or("the choices");
    let own = choices(abilities(world, &world.alice, &world.alice.as_owner()).await?)?;
    let names: Vec<_> = own.scopes.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["invoices:read", "invoices:write", "reports:read"]);
    assert_eq!(own.scopes[&"invoices:write".parse()?].access, Access::ReadWrite);
    assert_eq!(
        (own.default_scopes.to_string(), own.access),
        ("invoices:read".into(), Access::ReadWrite)
    );
    assert_eq!((own.never_expires, own.max_lifetime), (false, Some(30 * DAY)));
    assert_eq!((own.default_lifetime, own.max_overlap), (Some(7 * DAY), DAY));
    assert_eq!(own.default_rate, Some("10/60s".parse()?));
    assert_eq!(own.max_rate, Some("10/60s".parse()?), "an owner cannot exceed the default");
    assert_eq!(own.name_pattern, Some(pattern(&["dev"])));
    let other = choices(abilities(world, &world.admin, &world.alice.as_owner()).await?)?;
    assert_eq!(other.max_rate, Some("100/60s".parse()?), "an administrator can");

    let account = world.account("nightly", "analyst").await?;
    let edit = AccountEdit::new().access(Access::ReadOnly);
    world.authority.edit_account(&world.admin, &account.id, edit).await?;
    let of_account = abilities(world, &world.admin, &Owner::Account(account.id)).await?;
    let of_account = choices(of_account)?;
    let names: Vec<_> = of_account.scopes.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["invoices:read", "reports:read"], "those of the role");
    assert_eq!(of_account.access, Access::ReadOnly);
    assert_eq!(of_account.default_scopes.to_string(), "invoices:read reports:read");
    Ok(())
}

#[common::test(each_store)]
async fn q11_abilities_count_keys_of_the_maximum(world: &World) -> TestResult {
    let numbers = async |owner: &Owner| -> TestResult<_> {
        let keys = abilities(world, &world.admin, owner).await?.keys.ok_or("the numbers")?;
        Ok((keys.live, keys.max, keys.all))
    };
    let owner = world.alice.as_owner();
    assert_eq!(numbers(&owner).await?, (0, Some(10), 0));
    let mut keys = Vec::new();
    for new in [
        named("prod-a"),
        named("prod-b"),
        named("prod-c").not_before(world.later(DAY)),
        named("prod-d").expires_in(HOUR),
        NewKey::named("prod-e")?,
    ] {
        keys.push(world.generate(new).await?);
    }
    world.authority.disable(&world.alice, &keys[0].key.id).await?;
    world.authority.revoke(&world.alice, &keys[1].key.id).await?;
    world.clock.advance(HOUR);
    assert_eq!(numbers(&owner).await?, (3, Some(10), 5), "live, disabled and scheduled keys count");
    world.authority.delete(&world.alice, &keys[1].key.id).await?;
    let edit = SettingsEdit::new().max_keys_per_user(Some(2));
    world.authority.edit_settings(&world.admin, edit).await?;
    assert_eq!(numbers(&owner).await?, (3, Some(2), 4));
    let told = abilities(world, &world.alice, &owner).await?;
    assert_eq!(told.obstacles, [Obstacle::TooManyKeys { limit: 2 }]);
    assert_eq!(numbers(&Owner::Organization).await?, (0, None, 0));
    Ok(())
}

#[common::test(each_store)]
async fn q11_abilities_need_three_store_calls(world: &World) -> TestResult {
    let account = world.account("nightly", "analyst").await?;
    for _ in 0..5 {
        world.generate_under(&account, named("prod-nightly")).await?;
    }
    let (counted, faults) = world.with_faults()?;
    let owners = [world.alice.as_owner(), Owner::Account(account.id), Owner::Organization];
    for (owner, most) in owners.iter().zip([3, 3, 2]) {
        let before = faults.calls();
        counted.authority.abilities(&world.admin, owner).await?;
        assert_eq!(faults.calls() - before, most, "{owner}");
    }
    Ok(())
}
