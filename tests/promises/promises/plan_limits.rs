//! W1, E1, E3, E8 and Q4: what the host's plan gives and bounds, and what follows at once when it
//! changes.

use keywright::{
    Access, AccessRequest, AccountEdit, Description, GenerateError, InForce, Issued, KeyError,
    NamePattern, NewKey, Rate, Reason, RoleName, RuleError, Scope, SetPolicyError, Source,
    UseAlert,
};

use common::{DAY, HOUR, TestResult, World, cut_scopes};

#[common::test(each_store)]
async fn w1_key_follows_default_scopes(world: &World) -> TestResult {
    let silent = world.generate(NewKey::named("prod-main-app")?).await?;
    let own = NewKey::named("prod-own")?.scopes("reports:read".parse()?);
    let own = world.generate(own).await?;
    assert_eq!(scopes(world, &silent).await?, "");
    for defaults in ["invoices:read", "invoices:read invoices:write", "reports:read", ""] {
        let set = defaults.parse()?;
        world.set_policy(|policy| policy.plan.default_scopes = set).await?;
        assert_eq!(scopes(world, &silent).await?, defaults);
        assert_eq!(scopes(world, &own).await?, "reports:read");
        let entry = world.authority.key(&world.alice, &silent.key.id).await?;
        assert_eq!(entry.scopes.to_string(), defaults, "the listing");
        assert_eq!(entry.key, silent.key, "no key was written");
    }
    let set = "invoices:read invoices:write".parse()?;
    world.set_policy(|policy| policy.plan.default_scopes = set).await?;
    world.set_policy(|policy| cut_scopes(&mut policy.plan, "invoices:read")).await?;
    assert_eq!(scopes(world, &silent).await?, "invoices:read");
    assert_eq!(scopes(world, &own).await?, "", "the catalog cuts the key's own");
    Ok(())
}

#[common::test(each_store)]
async fn e1_limit_per_account_is_the_hosts(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
    let account = world.account("nightly-report", "analyst").await?;
    let other = world.account("weekly-report", "analyst").await?;
    let new = || NewKey::named("prod-nightly");
    let mut keys = Vec::new();
    for _ in 0..12 {
        keys.push(world.generate_under(&account, new()?).await?);
    }
    world.set_policy(|policy| policy.plan.max_keys_per_account = Some(3)).await?;
    let full = |made: &Result<Issued, GenerateError>| {
        matches!(made, Err(GenerateError::TooManyKeys { limit: 3 }))
    };
    for issued in &keys {
        assert_eq!(world.check(issued).await, Ok(()), "the limit is for new keys");
    }
    let refused = world.generate_under(&account, new()?).await;
    assert!(full(&refused), "{refused:?}");
    for _ in 0..3 {
        world.generate_under(&other, new()?).await?;
    }
    assert!(full(&world.generate_under(&other, new()?).await));
    for issued in &keys[2..] {
        assert!(full(&world.generate_under(&account, new()?).await));
        world.authority.revoke(&world.admin, &issued.key.id).await?;
    }
    world.authority.rotate(&world.admin, &keys[0].key.id, HOUR).await?;
    world.generate_under(&account, new()?).await?;
    assert!(full(&world.generate_under(&account, new()?).await));
    Ok(())
}

#[common::test(each_store)]
async fn e3_roles_are_set_by_the_host(world: &World) -> TestResult {
    let analyst = RoleName::new("analyst")?;
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-nightly")?).await?;
    world
        .set_policy(|policy| {
            let role = policy.plan.roles.get_mut(&analyst).expect("the role");
            role.description = Description::new("Reads invoices and reports").ok();
        })
        .await?;
    let before = world.policy().await;
    for actor in [&world.tenant_admin, &world.alice, &world.auditor] {
        let shown = world.authority.policy(actor).await?.plan;
        let described = Description::new("Reads invoices and reports")?;
        assert_eq!(shown.roles[&analyst].description, Some(described));
        let mut plan = shown;
        plan.roles.get_mut(&analyst).ok_or("the role")?.scopes = "invoices:write".parse()?;
        let refused = world.authority.set_plan(actor, plan).await;
        assert!(matches!(refused, Err(SetPolicyError::PermissionDenied(_))), "{refused:?}");
    }
    assert_eq!(world.policy().await, before);
    assert_eq!(scopes(world, &issued).await?, "invoices:read reports:read");
    Ok(())
}

#[common::test(each_store)]
async fn e3_descriptions_are_visible_text(world: &World) -> TestResult {
    for hidden in ["a\0b", "a\u{1b}[31mb", "a\u{202e}b", ""] {
        assert!(Description::new(hidden).is_err(), "{hidden:?}");
    }
    let widest = Description::new(format!("Shows “päyments”\n{}", "\u{1F511}".repeat(983)))?;
    assert_eq!(widest.as_str().chars().count(), Description::MAX_CHARS);
    world
        .set_policy(|policy| {
            let plan = &mut policy.plan;
            plan.scopes.values_mut().for_each(|scope| scope.description = Some(widest.clone()));
            plan.roles.values_mut().for_each(|role| role.description = Some(widest.clone()));
        })
        .await?;
    let shown = world.authority.policy(&world.alice).await?.plan;
    assert!(shown.scopes.values().all(|scope| scope.description.as_ref() == Some(&widest)));
    assert!(shown.roles.values().all(|role| role.description.as_ref() == Some(&widest)));
    Ok(())
}

#[common::test(each_store)]
async fn e8_read_only_key_has_no_writing_scope(world: &World) -> TestResult {
    let account = world.account("nightly-report", "operator").await?;
    let following = world.generate_under(&account, NewKey::named("prod-following")?).await?;
    let own = NewKey::named("prod-own")?.scopes("invoices:read invoices:write".parse()?);
    let own = world.generate_under(&account, own).await?;
    let [read, write] = ["invoices:read", "invoices:write"].map(Scope::new);
    let (read, write) = (read?, write?);
    let edit = AccountEdit::new().access(Access::ReadOnly);
    world.authority.edit_account(&world.admin, &account.id, edit).await?;
    for issued in [&following, &own] {
        let grant = world.verifier.verify(issued.token.expose()).await?;
        assert!(grant.allows(&read) && grant.require(&read).is_ok());
        assert!(!grant.allows(&write) && !grant.scopes().contains(&write));
        let missing = Reason::MissingScope(write.clone());
        assert_eq!(grant.require(&write).expect_err("it writes").reason(), &missing);
        assert_eq!(grant.require_write().expect_err("it writes").reason(), &Reason::ReadOnly);
        let request = || AccessRequest::token(issued.token.expose());
        assert_eq!(world.check_request(&request().scope(&read)).await, Ok(()));
        assert_eq!(world.check_request(&request().scope(&write)).await, Err(missing));
        let both = "invoices:read invoices:write".parse()?;
        assert!(world.check_request(&request().scopes(&both)).await.is_err());
        assert_eq!(world.check_request(&request().write()).await, Err(Reason::ReadOnly));
        let entry = world.authority.key(&world.admin, &issued.key.id).await?;
        assert!(entry.scopes.contains(&read) && !entry.scopes.contains(&write));
        assert_eq!(entry.access, Access::ReadOnly);
    }
    // The plan says which scopes write, also for keys that exist.
    for access in [Access::ReadOnly, Access::ReadWrite] {
        world
            .set_policy(|policy| {
                for scope in [&read, &write] {
                    policy.plan.scopes.get_mut(scope).expect("the scope").access = access;
                }
            })
            .await?;
        let grant = world.verifier.verify(own.token.expose()).await?;
        let reads = access == Access::ReadOnly;
        assert_eq!((grant.allows(&read), grant.allows(&write)), (reads, reads));
    }
    Ok(())
}

#[common::test(each_store)]
async fn q4_smaller_plan_is_in_force_at_once(world: &World) -> TestResult {
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    let often = UseAlert::new(5, HOUR)?;
    let wide = world
        .set_policy(|policy| {
            let settings = &mut policy.settings;
            settings.require_expiry = Some(false);
            settings.max_lifetime = Some(100 * DAY);
            settings.default_lifetime = Some(50 * DAY);
            settings.max_keys_per_user = Some(50);
            settings.max_overlap = Some(30 * DAY);
            settings.default_rate = Some(rate("1000/60s"));
            settings.extensive_use = Some(often);
            settings.retention = Some(200 * DAY);
            settings.event_retention = Some(300 * DAY);
        })
        .await?;
    let fast = NewKey::named("prod-fast")?.rate(rate("500/60s")).owner(world.alice.as_owner());
    let fast = world.authority.generate(&world.admin, fast).await?;
    let second = world.generate(NewKey::named("prod-second")?).await?;
    let small = world
        .set_policy(|policy| {
            let plan = &mut policy.plan;
            plan.require_expiry = true;
            plan.max_lifetime = Some(10 * DAY);
            plan.max_keys_per_user = 2;
            plan.max_overlap = HOUR;
            plan.max_rate = Some(rate("10/60s"));
            plan.min_alert_period = DAY;
            plan.max_retention = Some(5 * DAY);
            plan.max_event_retention = Some(20 * DAY);
            plan.name_pattern = Some(NamePattern::default());
        })
        .await?;
    assert_eq!(small.settings, wide.settings, "the settings stay as they are");
    let of_plan = Source::Plan;
    assert_eq!(small.require_expiry, InForce { value: true, source: of_plan });
    assert_eq!(small.max_lifetime, InForce { value: Some(10 * DAY), source: of_plan });
    assert_eq!(small.default_lifetime, InForce { value: Some(10 * DAY), source: of_plan });
    assert_eq!(small.max_keys_per_user, InForce { value: 2, source: of_plan });
    assert_eq!(small.max_overlap, InForce { value: HOUR, source: of_plan });
    assert_eq!(small.default_rate, InForce { value: Some(rate("10/60s")), source: of_plan });
    let daily = small.extensive_use.value.ok_or("an alert")?;
    assert_eq!((daily.period(), small.extensive_use.source), (DAY, of_plan));
    assert_eq!(small.retention, InForce { value: 5 * DAY, source: of_plan });
    assert_eq!(small.event_retention, InForce { value: 20 * DAY, source: of_plan });

    let third = world.generate(NewKey::named("prod-third")?).await;
    assert!(matches!(third, Err(GenerateError::TooManyKeys { limit: 2 })), "{third:?}");
    let rotated = world.authority.rotate(&world.alice, &second.key.id, 2 * HOUR).await;
    let too_long = |e: &KeyError| matches!(e, KeyError::OverlapTooLong { max, .. } if *max == HOUR);
    assert!(matches!(&rotated, Err(e) if too_long(e)), "{rotated:?}");
    world.authority.revoke(&world.alice, &second.key.id).await?;
    let new = NewKey::named("prod-new")?;
    for long in [new.clone().expires_in(11 * DAY), new.clone().never_expires()] {
        let refused = world.generate(long).await;
        assert!(matches!(refused, Err(GenerateError::Rule(_))), "{refused:?}");
    }
    let refused = world.generate(NewKey::named("New app")?).await;
    let name = |e: &RuleError| matches!(e, RuleError::Name(_));
    assert!(matches!(&refused, Err(GenerateError::Rule(e)) if name(e)), "{refused:?}");
    let issued = world.generate(new).await?;
    assert_eq!(issued.key.expires_at, Some(world.later(10 * DAY)));
    let entry = world.authority.key(&world.alice, &fast.key.id).await?;
    assert_eq!(entry.rate, Some(rate("10/60s")), "the administrator's rate, cut to the plan");
    for _ in 0..10 {
        assert_eq!(world.check(&fast).await, Ok(()));
    }
    assert!(matches!(world.check(&fast).await, Err(Reason::RateLimited(_))));

    let back = wide.plan.clone();
    let again = world
        .set_policy(|policy| {
            let version = policy.plan.version;
            policy.plan = back;
            policy.plan.version = version;
        })
        .await?;
    assert_eq!(again.max_keys_per_user, InForce { value: 50, source: Source::Setting });
    assert_eq!(again.max_overlap, InForce { value: 30 * DAY, source: Source::Setting });
    world.generate(NewKey::named("Third app")?.expires_in(11 * DAY)).await?;
    Ok(())
}

async fn scopes(world: &World, issued: &Issued) -> TestResult<String> {
    Ok(world.verifier.verify(issued.token.expose()).await?.scopes().to_string())
}
