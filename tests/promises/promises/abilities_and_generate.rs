//! Q10: abilities and `generate` never disagree, under random policies, actors and owners.

use std::time::Duration;

use keywright::{
    Abilities, Actor, GenerateError, KeyChoices, NamePattern, NewKey, Obstacle, Owner, Permissions,
    Policy, Rate, Requirement, Scope, Settings, UserId,
};

use common::{DAY, Random, SCOPES, SECOND, TestResult, World, amount, named, new_seed, plan_with};

/// The number of random cases on each store.
const CASES: u32 = 40;

#[common::test(each_store)]
async fn q10_abilities_agree_with_generate(world: &World) -> TestResult {
    let random = Random::seeded(new_seed());
    let mut obstacles = 0;
    for number in 0..amount("KEYWRIGHT_CASES", CASES) {
        let owner = owner_with_keys(world, &random, number).await?;
        world.set_policy(|policy| draw_policy(&random, policy)).await?;
        let actor = draw_actor(world, &random, &owner, number)?;
        let told = world.authority.abilities(&actor, &owner).await?;
        obstacles += told.obstacles.len();
        overcome(world, &random, actor, &owner).await?;
    }
    assert!(obstacles > 0, "the cases are not only simple ones");
    Ok(())
}

/// Removes one obstacle after the other, until a key is generated. `generate` always says what the abilities
/// say.
async fn overcome(world: &World, random: &Random, mut actor: Actor, owner: &Owner) -> TestResult {
    let mut expected: Option<Vec<Obstacle>> = None;
    for _ in 0..10 {
        let told = world.authority.abilities(&actor, owner).await?;
        if let Some(expected) = &expected {
            assert_eq!(&told.obstacles, expected, "only the first one was removed");
        }
        let Some(first) = told.obstacles.first() else {
            return all_choices_hold(world, random, &actor, &told).await;
        };
        let new = told
            .choices
            .as_ref()
            .map_or_else(|| named("prod-main-app"), |choices| choice(world, random, choices).0);
        let refused = world.generate_for(&actor, new.owner(owner.clone())).await;
        let refused = refused.expect_err("an obstacle");
        if let GenerateError::Missing(missing) = &refused {
            let missing = missing.iter().map(Obstacle::Missing);
            let is_missing = |obstacle: &&Obstacle| matches!(obstacle, Obstacle::Missing(_));
            let listed = told.obstacles.iter().filter(is_missing).cloned();
            assert_eq!(missing.collect::<Vec<_>>(), listed.collect::<Vec<_>>());
        } else {
            assert_eq!(refused.to_string(), first.to_string());
        }
        if matches!(first, Obstacle::AccountNotFound(_)) {
            return Ok(());
        }
        // An actor with the permission sees the owner, and so its obstacles too.
        let stays = *first != Obstacle::Missing(Requirement::Permission) || told.keys.is_some();
        expected = stays.then(|| told.obstacles[1..].to_vec());
        remove(world, &mut actor, owner, first).await?;
    }
    panic!("the obstacles do not end for {actor:?} and {owner}");
}

async fn remove(
    world: &World,
    actor: &mut Actor,
    owner: &Owner,
    obstacle: &Obstacle,
) -> TestResult {
    let all = actor.permissions() | Permissions::GENERATE_ANY;
    let licensed =
        |permissions| Actor::new(actor.id().clone(), permissions).in_tenant(actor.tenant().clone());
    match obstacle {
        Obstacle::Missing(Requirement::Permission) => {
            let unlicensed = !actor.is_licensed();
            *actor = licensed(all);
            if unlicensed {
                *actor = actor.clone().without_license();
            }
        }
        Obstacle::Missing(Requirement::License) => {
            *actor = licensed(actor.permissions());
            world.set_policy(|policy| policy.plan.api_access = true).await?;
        }
        Obstacle::Missing(Requirement::Switch) => {
            world.set_policy(|policy| policy.settings.api_enabled = Some(true)).await?;
        }
        Obstacle::UserSuspended(user) => {
            world.authority.restore_user(&world.admin, user).await?;
        }
        Obstacle::AccountDisabled(account) => {
            world.authority.enable_account(&world.admin, account).await?;
        }
        Obstacle::NoName(_) => {
            world.set_policy(|policy| policy.settings.name_pattern = None).await?;
        }
        Obstacle::TooManyKeys { .. } => {
            world.authority.revoke_owned(&world.admin, owner).await?;
        }
        other => panic!("{other} cannot be removed"),
    }
    Ok(())
}

/// Tries the values of the abilities and values beyond them.
async fn all_choices_hold(
    world: &World,
    random: &Random,
    actor: &Actor,
    told: &Abilities,
) -> TestResult {
    let choices = told.choices.as_ref().expect("the actor may generate");
    for (new, what) in beyond(world, choices)? {
        let refused = world.generate_for(actor, new.owner(told.owner.clone())).await;
        assert!(matches!(refused, Err(GenerateError::Rule(_))), "{what}: {refused:?} {told:?}");
    }
    let (new, silent) = choice(world, random, choices);
    let made = world.generate_for(actor, new.clone().owner(told.owner.clone())).await;
    let made = made.unwrap_or_else(|error| panic!("{error}: {new:?} {told:?}"));
    if silent.scopes {
        assert_eq!(made.entry.scopes, choices.default_scopes);
        assert_eq!(made.entry.access, choices.access);
    }
    if silent.rate {
        assert_eq!(made.entry.rate, choices.default_rate);
    }
    if silent.expiry {
        let lifetime = made.key.expires_at.map(|end| end.since(made.key.created_at));
        assert_eq!(lifetime, choices.default_lifetime);
    }
    let (before, after) = (told.keys, world.authority.abilities(actor, &told.owner).await?.keys);
    let live = |keys: Option<keywright::KeyNumbers>| keys.map(|keys| (keys.live, keys.all));
    assert_eq!(live(after), live(before).map(|(live, all)| (live + 1, all + 1)));
    Ok(())
}

/// The fields that a new key leaves to the policy.
struct Silent {
    scopes: bool,
    rate: bool,
    expiry: bool,
}

/// Draws a new key with values of the choices.
fn choice(world: &World, random: &Random, choices: &KeyChoices) -> (NewKey, Silent) {
    let mut new = named(&name(choices));
    let scopes: Vec<_> =
        choices.scopes.keys().filter(|_| random.below(2) == 0).map(Scope::as_str).collect();
    new = new.scopes(scopes.join(" ").parse().expect("scopes"));
    let rate = (random.below(2) == 0).then(|| choices.max_rate.unwrap_or(rate("5000/60s")));
    if let Some(rate) = rate {
        new = new.rate(rate);
    }
    let max = choices.max_lifetime.unwrap_or(400 * DAY);
    let may_be_silent = choices.never_expires || choices.default_lifetime.is_some();
    let mut expiry = false;
    new = match random.below(4) {
        0 if may_be_silent => {
            expiry = true;
            new
        }
        1 if choices.never_expires => new.never_expires(),
        2 => new.expires_at(world.later(max)),
        _ => new.expires_in(max),
    };
    (new, Silent { scopes: scopes.is_empty(), rate: rate.is_none(), expiry })
}

/// Returns new keys with one value each that the choices do not allow.
fn beyond(world: &World, choices: &KeyChoices) -> TestResult<Vec<(NewKey, &'static str)>> {
    let max = choices.max_lifetime;
    let fits = || named(&name(choices)).expires_in(max.unwrap_or(DAY));
    let mut wrong = Vec::new();
    for scope in SCOPES.split(' ').chain(["unknown:scope"]) {
        if !choices.scopes.contains_key(&scope.parse::<Scope>()?) {
            wrong.push((fits().scopes(scope.parse()?), "a scope"));
        }
    }
    if let Some(max) = max {
        wrong.push((fits().expires_in(max + SECOND), "a longer lifetime"));
        wrong.push((fits().expires_at(world.later(max + SECOND)), "a later expiry"));
    }
    if !choices.never_expires {
        wrong.push((fits().never_expires(), "no expiry"));
        if choices.default_lifetime.is_none() {
            wrong.push((named(&name(choices)), "an expiry that is not given"));
        }
    }
    if choices.max_rate.is_some() {
        wrong.push((fits().rate(rate("5000/60s")), "a higher rate"));
    }
    if choices.name_pattern.is_some() {
        wrong.push((named("Any name").expires_in(max.unwrap_or(DAY)), "another name"));
    }
    Ok(wrong)
}

fn name(choices: &KeyChoices) -> String {
    match choices.name_pattern.as_ref().map(|pattern| pattern.environments.first()) {
        None => "Any name".to_owned(),
        Some(None) => "crm-integration".to_owned(),
        Some(Some(environment)) => format!("{environment}-main-app"),
    }
}

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// Returns an owner with 0 to 2 live keys, which can be disabled, suspended or absent.
async fn owner_with_keys(world: &World, random: &Random, number: u32) -> TestResult<Owner> {
    // Without limits, so that the owner gets its keys.
    world
        .set_policy(|policy| {
            let plan = &mut policy.plan;
            plan.api_access = true;
            (plan.max_keys_per_account, plan.max_keys_of_organization) = (None, None);
            (plan.max_lifetime, plan.name_pattern) = (None, None);
            plan.require_expiry = false;
            let version = policy.settings.version;
            policy.settings = common::open_policy().settings;
            policy.settings.version = version;
        })
        .await?;
    let owner = match random.below(5) {
        0 => Owner::Organization,
        1 => return Ok(Owner::Account(random.symbols(16).parse()?)),
        2 => {
            let role = ["analyst", "operator"][random.below(2)];
            Owner::Account(world.account("nightly", role).await?.id)
        }
        _ => Owner::User(UserId::new(format!("user{number}"))?),
    };
    world.authority.revoke_owned(&world.admin, &owner).await?;
    for _ in 0..random.below(3) {
        let new = named("prod-main-app").owner(owner.clone());
        world.generate_for(&world.admin, new).await?;
    }
    if random.below(4) == 0 {
        match &owner {
            Owner::User(user) => drop(world.authority.suspend_user(&world.admin, user).await?),
            Owner::Account(id) => drop(world.authority.disable_account(&world.admin, id).await?),
            Owner::Organization => {}
        }
    }
    Ok(owner)
}

/// Returns the actor: the owner itself, or another user, with random permissions.
fn draw_actor(world: &World, random: &Random, owner: &Owner, number: u32) -> TestResult<Actor> {
    let id = match owner {
        Owner::User(user) if random.below(3) > 0 => user.clone(),
        _ => UserId::new(format!("actor{number}"))?,
    };
    let permissions = [
        Permissions::DEVELOPER,
        Permissions::DEVELOPER,
        Permissions::ADMINISTRATOR,
        Permissions::GENERATE_ANY,
        Permissions::TENANT_ADMIN,
        Permissions::AUDITOR,
        Permissions::SHOW_OWN,
        Permissions::NONE,
    ];
    let actor = Actor::new(id, permissions[random.below(permissions.len())]);
    let actor = actor.in_tenant(world.tenant().clone());
    Ok(if random.below(8) == 0 { actor.without_license() } else { actor })
}

fn draw_policy(random: &Random, policy: &mut Policy) {
    let chance = |of: usize| random.below(of) == 0;
    let keys = || (!chance(3)).then(|| u16::try_from(1 + random.below(3)).expect("a small number"));
    let days = |most: usize| DAY * u32::try_from(1 + random.below(most)).expect("a small number");
    let plan = &mut policy.plan;
    plan.api_access = !chance(8);
    plan.scopes = plan_with(SCOPES).scopes;
    plan.default_scopes = ["", "invoices:read", "invoices:write reports:read"][random.below(3)]
        .parse()
        .expect("scopes");
    plan.max_rate = chance(2).then(|| rate("100/60s"));
    plan.max_keys_per_user = 1000;
    (plan.max_keys_per_account, plan.max_keys_of_organization) = (keys(), keys());
    plan.require_expiry = chance(4);
    plan.max_lifetime = chance(2).then(|| days(30) + 30 * DAY);
    plan.name_pattern = draw_pattern(random);
    let version = policy.settings.version;
    let max_lifetime: Option<Duration> = chance(2).then(|| days(20) + 5 * DAY);
    policy.settings = Settings::default();
    policy.settings.api_enabled = Some(!chance(8));
    policy.settings.require_expiry = (plan.require_expiry || chance(4)).then_some(true);
    policy.settings.max_lifetime = max_lifetime;
    policy.settings.default_lifetime = chance(3).then(|| days(5));
    policy.settings.max_keys_per_user = keys();
    policy.settings.default_rate = chance(2).then(|| rate("10/60s"));
    policy.settings.name_pattern = draw_pattern(random);
    policy.settings.version = version;
}

fn draw_pattern(random: &Random) -> Option<NamePattern> {
    let environments: &[&str] = match random.below(8) {
        0 => &[],
        1 => &["prod"],
        2 => &["dev", "prod"],
        3 => &["test", "dev"],
        _ => return None,
    };
    let environments = environments.iter().map(|text| (*text).to_owned()).collect();
    Some(NamePattern { environments })
}
