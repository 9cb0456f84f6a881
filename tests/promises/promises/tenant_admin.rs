//! Q4: a tenant admin and a developer can widen nothing that the plan limits.

use std::time::Duration;

use keywright::{
    Access, AccountEdit, Actor, Issued, KeyEdit, Name, NamePattern, Networks, NewAccount, NewKey,
    Owner, Permissions, Plan, Rate, RoleName, SettingsEdit, Source, UseAlert, UserId,
};

use common::{DAY, HOUR, TestResult, World, limit_everything};

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// The tries so far, and the names of those that were accepted.
#[derive(Default)]
struct Tries {
    count: usize,
    accepted: Vec<String>,
}

impl Tries {
    fn refused<T, E>(&mut self, what: impl Into<String>, tried: Result<T, E>) {
        self.count += 1;
        self.accepted.extend(tried.ok().map(|_| what.into()));
    }
}

#[common::test(each_store)]
async fn q4_tenant_admin_widens_nothing(world: &World) -> TestResult {
    let before = world.set_policy(|policy| limit_everything(&mut policy.plan)).await?;
    let both = Permissions::TENANT_ADMIN | Permissions::DEVELOPER;
    let carol = Actor::new(UserId::new("carol")?, both).in_tenant(world.tenant().clone());
    let setting = setting_beyond_the_plan()?;
    let mut tries = Tries::default();
    for actor in [&world.tenant_admin, &carol] {
        for (what, edit) in &setting {
            let answer = world.authority.edit_settings(actor, edit.clone()).await;
            let said = answer.as_ref().map(drop).map_err(ToString::to_string);
            assert!(said.is_err_and(|said| said.contains("the tenant's plan requires")), "{what}");
            tries.refused(*what, answer);
        }
        for (what, plan) in wider_plans(&before.plan) {
            tries.refused(what, world.authority.set_plan(actor, plan).await);
        }
    }
    assert_eq!(tries.accepted, Vec::<String>::new());
    assert!(tries.count >= 36, "{}", tries.count);
    assert_eq!(world.policy().await, before);

    // A setting without a value leaves the plan's bound in force.
    let cleared = SettingsEdit::new()
        .require_expiry(None)
        .default_lifetime(None)
        .max_lifetime(None)
        .max_keys_per_user(None)
        .max_overlap(None)
        .default_rate(None)
        .retention(None)
        .event_retention(None);
    world.authority.edit_settings(&carol, cleared).await?;
    let now = world.policy().await;
    assert!(now.require_expiry.value);
    assert_eq!((now.max_lifetime.value, now.max_lifetime.source), (Some(30 * DAY), Source::Plan));
    assert_eq!(now.default_lifetime.value, Some(30 * DAY));
    assert_eq!(now.max_keys_per_user.value, 3);
    assert_eq!(now.max_overlap.value, DAY);
    assert_eq!(now.default_rate.value, Some(rate("100/60s")));
    assert_eq!((now.retention.value, now.event_retention.value), (10 * DAY, 20 * DAY));
    Ok(())
}

/// Returns edits of the settings, each with one value beyond the plan of [`limit`].
fn setting_beyond_the_plan() -> TestResult<Vec<(&'static str, SettingsEdit)>> {
    let edit = SettingsEdit::new;
    let second = Duration::from_secs(1);
    let often = UseAlert::new(1, HOUR.saturating_sub(second))?;
    Ok(vec![
        ("no expiry required", edit().require_expiry(Some(false))),
        ("a longer lifetime", edit().max_lifetime(Some(30 * DAY + second))),
        ("a longer default lifetime", edit().default_lifetime(Some(31 * DAY))),
        ("one key more", edit().max_keys_per_user(Some(4))),
        ("a thousand keys", edit().max_keys_per_user(Some(1_000))),
        ("a longer overlap", edit().max_overlap(Some(DAY + second))),
        ("a larger burst", edit().default_rate(Some(rate("101/60s")))),
        ("a faster rate", edit().default_rate(Some(rate("100/59s")))),
        ("more events", edit().extensive_use(Some(often))),
        ("more events of refused uses", edit().suspicious_use(Some(often))),
        ("a longer retention", edit().retention(Some(10 * DAY + second))),
        ("a longer retention of events", edit().event_retention(Some(21 * DAY))),
        ("a shorter retention of events", edit().event_retention(Some(4 * DAY))),
        ("one of two settings", edit().api_enabled(Some(true)).max_keys_per_user(Some(4))),
    ])
}

/// Returns the plan with one wider limit each, and the plan as it is.
fn wider_plans(plan: &Plan) -> Vec<(&'static str, Plan)> {
    type Change = (&'static str, fn(&mut Plan));
    let changes: [Change; 10] = [
        ("the same plan", |_| ()),
        ("another catalog", |plan| {
            plan.scopes.values_mut().for_each(|scope| {
                scope.access = Access::ReadOnly;
            });
        }),
        ("more default scopes", |plan| {
            plan.default_scopes = "invoices:write".parse().expect("a scope");
        }),
        ("a wider role", |plan| {
            let all = plan.roles["operator".parse::<RoleName>().as_ref().expect("a role")].clone();
            plan.roles.insert("analyst".parse().expect("a role"), all);
        }),
        ("no highest rate", |plan| plan.max_rate = None),
        ("more keys per user", |plan| plan.max_keys_per_user = 1_000),
        ("more keys per account", |plan| plan.max_keys_per_account = None),
        ("more keys of the organization", |plan| plan.max_keys_of_organization = None),
        ("no longest lifetime", |plan| plan.max_lifetime = None),
        ("a plan of its own", |plan| *plan = Plan::default()),
    ];
    let change = |(what, change): Change| {
        let mut plan = plan.clone();
        change(&mut plan);
        (what, plan)
    };
    changes.into_iter().map(change).collect()
}

#[common::test(each_store)]
async fn q4_name_pattern_of_plan_stays_in_force(world: &World) -> TestResult {
    let pattern = |environments: &[&str]| {
        let environments = environments.iter().map(|word| (*word).to_owned()).collect();
        Some(NamePattern { environments })
    };
    world.set_policy(|policy| policy.plan.name_pattern = pattern(&["prod", "staging"])).await?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    for own in [None, pattern(&[]), pattern(&["prod"]), pattern(&["dev", "prod"])] {
        let edit = SettingsEdit::new().name_pattern(own);
        world.authority.edit_settings(&world.tenant_admin, edit).await?;
        for name in ["dev-main-app", "crm-integration", "Main app"] {
            assert!(world.generate(NewKey::named(name)?).await.is_err(), "{name}");
            let renamed = world.authority.rename(&world.alice, &issued.key.id, Name::new(name)?);
            assert!(renamed.await.is_err(), "{name}");
        }
        let allowed = world.generate(NewKey::named("prod-api")?).await?;
        world.authority.delete(&world.alice, &allowed.key.id).await?;
    }
    Ok(())
}

/// The abilities of the keys of the test: each with its owner, scopes, rate and live keys.
async fn keys(world: &World) -> TestResult<serde_json::Value> {
    let entries = common::all_keys(&world.authority, &world.admin).await;
    let shown = entries.iter().map(|entry| {
        serde_json::json!([
            entry.key.id,
            entry.key.owner,
            entry.scopes,
            entry.access,
            entry.rate,
            entry.key.networks,
            entry.key.expires_at,
        ])
    });
    Ok(shown.collect())
}

#[common::test(each_store)]
async fn q4_no_operation_escapes_the_plan(world: &World) -> TestResult {
    world.set_policy(|policy| limit_everything(&mut policy.plan)).await?;
    let (authority, admin, alice) = (&world.authority, &world.admin, &world.alice);
    let both = Permissions::TENANT_ADMIN | Permissions::DEVELOPER;
    let carol = Actor::new(UserId::new("carol")?, both).in_tenant(world.tenant().clone());
    let analyst = world.account("nightly-report", "analyst").await?;
    let full = world.account("weekly-report", "analyst").await?;
    let disabled = world.account("old-report", "operator").await?;
    let new = || NewKey::named("prod-main-app");
    let issue = async |owner: Owner| -> TestResult<Issued> {
        Ok(authority.generate(admin, new()?.owner(owner)).await?)
    };
    for owner in [Owner::Account(full.id), Owner::Account(full.id), Owner::Organization] {
        issue(owner).await?;
    }
    for _ in 0..3 {
        world.generate_for(&world.bob, new()?).await?;
    }
    let following = issue(Owner::Account(analyst.id)).await?.key.id;
    authority.disable_account(admin, &disabled.id).await?;
    let limited = new()?
        .owner(carol.as_owner())
        .scopes("invoices:read".parse()?)
        .networks("203.0.113.0/24".parse()?)
        .rate(rate("5/60s"));
    let limited = authority.generate(admin, limited).await?.key.id;
    let own = world.generate_for(&carol, new()?).await?.key.id;
    let writing = new()?.scopes("invoices:write".parse()?);
    let writing = world.generate_for(&carol, writing).await?.key.id;
    let before = (keys(world).await?, world.policy().await);

    let mut tries = Tries::default();
    let generated = [
        ("an unknown scope", new()?.scopes("billing:admin".parse()?)),
        ("a higher rate", new()?.rate(rate("101/60s"))),
        ("a longer lifetime", new()?.expires_in(31 * DAY)),
        ("a later expiry", new()?.expires_at(world.later(31 * DAY))),
        ("no expiry", new()?.never_expires()),
        ("a key of another user", new()?.owner(alice.as_owner())),
        ("a key of an account", new()?.owner(Owner::Account(analyst.id))),
        ("a key of the organization", new()?.owner(Owner::Organization)),
        ("a key too many", new()?),
    ];
    for (what, new) in generated {
        tries.refused(what, authority.generate(&carol, new.clone()).await);
        tries.refused(what, authority.generate(&world.tenant_admin, new).await);
    }
    let edits = [
        ("an unknown scope", own, KeyEdit::new().scopes("billing:admin".parse()?)),
        ("a higher rate", own, KeyEdit::new().rate(Some(rate("101/60s")))),
        ("default scopes", limited, KeyEdit::new().scopes("".parse()?)),
        ("other scopes", limited, KeyEdit::new().scopes("invoices:write".parse()?)),
        ("no rate", limited, KeyEdit::new().rate(None)),
        ("the default rate", limited, KeyEdit::new().rate(Some(rate("100/60s")))),
        ("any network", limited, KeyEdit::new().networks(Networks::anywhere())),
        ("an account's key", following, KeyEdit::new().scopes("invoices:read".parse()?)),
    ];
    for (what, key, edit) in edits {
        tries.refused(what, authority.edit(&carol, &key, edit).await);
    }
    tries.refused("a longer overlap", authority.rotate(&carol, &own, DAY + HOUR).await);
    tries.refused("an account's secret", authority.rotate(&carol, &following, HOUR).await);
    let transfers = [
        ("a full user", own, world.bob.as_owner()),
        ("a full account", own, Owner::Account(full.id)),
        ("a full organization", own, Owner::Organization),
        ("a disabled account", own, Owner::Account(disabled.id)),
        ("a role without the scope", writing, Owner::Account(analyst.id)),
        ("a full user, by itself", following, carol.as_owner()),
    ];
    for (what, key, to) in &transfers {
        tries.refused(*what, authority.transfer_key(&carol, key, to).await);
        tries.refused(*what, authority.transfer_key(&world.tenant_admin, key, to).await);
    }
    for to in [world.bob.as_owner(), Owner::Account(full.id), Owner::Organization] {
        tries.refused("all keys", authority.transfer_owned(&carol, &carol.as_owner(), &to).await);
    }
    let account = NewAccount::new(Name::new("own-account")?, RoleName::new("operator")?);
    tries.refused("an account", authority.create_account(&carol, account).await);
    let edit = AccountEdit::new().role(RoleName::new("operator")?);
    tries.refused("a role", authority.edit_account(&carol, &analyst.id, edit).await);
    let edit = AccountEdit::new().access(Access::ReadWrite);
    tries.refused("access", authority.edit_account(&carol, &analyst.id, edit).await);
    tries.refused("an account on", authority.enable_account(&carol, &disabled.id).await);
    assert_eq!(tries.accepted, Vec::<String>::new());
    assert!(tries.count >= 40, "{}", tries.count);
    assert_eq!((keys(world).await?, world.policy().await), before);

    // A key that changes hands keeps the limits of an administrator, and gains no scope.
    authority.revoke(&carol, &own).await?;
    let scopes = authority.key(admin, &following).await?.scopes;
    authority.transfer_key(admin, &following, &carol.as_owner()).await?;
    assert_eq!(authority.key(admin, &following).await?.scopes, scopes);
    for owner in [alice.as_owner(), carol.as_owner()] {
        authority.transfer_key(admin, &limited, &owner).await?;
    }
    let entry = authority.key(admin, &limited).await?;
    assert_eq!(entry.scopes.to_string(), "invoices:read");
    assert_eq!(entry.rate, Some(rate("5/60s")));
    let wider = KeyEdit::new().rate(Some(rate("6/60s")));
    assert!(authority.edit(&carol, &limited, wider).await.is_err());
    Ok(())
}
