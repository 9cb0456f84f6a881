//! A: the management page of API access: permissions, the listing, and valid names.

use std::time::Duration;

use keywright::store::KeyQuery;
use keywright::{
    Actor, GenerateError, KeyError, KeyStatus, Name, NameError, NamePattern, NewAccount, NewKey,
    Operation, Permissions, Reason, Requirement, RoleName, RuleError, SetPolicyError, SettingsEdit,
    Timestamp, UserId,
};

use common::{DAY, HOUR, MOMENT, TestResult, World, missing, secret_of};

#[common::test(each_store)]
async fn a1_plan_without_api_access_asks_for_upgrade(world: &World) -> TestResult {
    let before = world.generate(NewKey::named("prod-main-app")?).await?;
    world.set_policy(|policy| policy.plan.api_access = false).await?;
    // A page can say so before the actor tries.
    assert!(!world.authority.policy(&world.alice).await?.plan.api_access);
    let nobody =
        Actor::new(UserId::new("nobody")?, Permissions::NONE).in_tenant(world.tenant().clone());
    for actor in [&world.admin, &world.alice] {
        let refused = world.generate_for(actor, NewKey::named("prod-other")?).await;
        assert_eq!(missing(&refused), [Requirement::License]);
        let said = refused.map(|issued| issued.key).unwrap_err().to_string();
        assert!(said.ends_with("upgrade required"), "{said}");
    }
    // The answer names everything that is missing.
    for actor in [&world.auditor, &nobody] {
        let refused = world.generate_for(actor, NewKey::named("prod-other")?).await;
        assert!(missing(&refused).contains(&Requirement::Permission), "{refused:?}");
    }
    assert_eq!(world.check(&before).await, Err(Reason::UpgradeRequired));
    world.set_policy(|policy| policy.plan.api_access = true).await?;
    assert_eq!(world.check(&before).await, Ok(()));
    world.generate(NewKey::named("prod-other")?).await?;
    Ok(())
}

#[common::test(each_store)]
async fn a1_tenant_does_not_upgrade_itself(world: &World) -> TestResult {
    let before = world.set_policy(|policy| policy.plan.api_access = false).await?;
    let mut plan = before.plan.clone();
    plan.api_access = true;
    let refused = world.authority.set_plan(&world.tenant_admin, plan).await;
    assert!(matches!(refused, Err(SetPolicyError::PermissionDenied(_))), "{refused:?}");
    let on = SettingsEdit::new().api_enabled(Some(true));
    world.authority.edit_settings(&world.tenant_admin, on).await?;
    assert_eq!(world.policy().await.plan, before.plan);
    let refused = world.generate(NewKey::named("prod-main-app")?).await;
    assert_eq!(missing(&refused), [Requirement::License]);
    Ok(())
}

#[common::test(each_store)]
async fn a2_permissions_decide_over_key_changes(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &issued.key.id;
    let nobody =
        Actor::new(UserId::new("nobody")?, Permissions::NONE).in_tenant(world.tenant().clone());
    for actor in [&world.bob, &world.auditor, &nobody] {
        for owner in [&world.alice.as_owner(), &world.tenant_admin.as_owner()] {
            let new = NewKey::named("prod-other")?;
            let made = world.authority.generate(actor, new.owner(owner.clone())).await;
            assert!(missing(&made).contains(&Requirement::Permission), "{made:?}");
        }
        let rotated = world.authority.rotate(actor, id, DAY).await;
        let revoked = world.authority.revoke(actor, id).await;
        if actor.may(Operation::KeyShow, &world.alice.as_owner()) {
            assert!(matches!(rotated, Err(KeyError::PermissionDenied(_))), "{rotated:?}");
            assert!(matches!(revoked, Err(KeyError::PermissionDenied(_))), "{revoked:?}");
        } else {
            assert!(matches!(rotated, Err(KeyError::NotFound(_))), "{rotated:?}");
            assert!(matches!(revoked, Err(KeyError::NotFound(_))), "{revoked:?}");
        }
        assert_eq!(world.check(&issued).await, Ok(()));
    }
    let own = [&world.auditor, &nobody];
    for actor in own {
        let made = world.generate_for(actor, NewKey::named("prod-other")?).await;
        assert!(missing(&made).contains(&Requirement::Permission), "{made:?}");
    }
    let rotated = world.authority.rotate(&world.alice, id, Duration::ZERO).await?;
    assert_eq!(world.check(&rotated).await, Ok(()));
    world.authority.revoke(&world.alice, id).await?;
    assert_eq!(world.check(&rotated).await, Err(Reason::Revoked));
    Ok(())
}

#[common::test(each_store)]
async fn a3_tenant_can_require_expiry(world: &World) -> TestResult {
    let endless = world.generate(NewKey::named("prod-old")?).await?;
    world.set_policy(|policy| policy.settings.require_expiry = Some(true)).await?;
    let new = || NewKey::named("prod-main-app");
    for without in [new()?, new()?.never_expires()] {
        let refused = world.generate(without).await;
        let required = RuleError::ExpiryRequired;
        assert!(matches!(&refused, Err(GenerateError::Rule(e)) if *e == required), "{refused:?}");
    }
    let expires = world.later(DAY);
    assert_eq!(world.generate(new()?.expires_at(expires)).await?.key.expires_at, Some(expires));
    assert_eq!(world.generate(new()?.expires_in(DAY)).await?.key.expires_at, Some(expires));
    // The default lifetime sets an expiry, but a key that asks for no expiry is refused.
    world.set_policy(|policy| policy.settings.default_lifetime = Some(DAY)).await?;
    assert_eq!(world.generate(new()?).await?.key.expires_at, Some(expires));
    let refused = world.generate(new()?.never_expires()).await;
    assert!(matches!(refused, Err(GenerateError::Rule(RuleError::ExpiryRequired))));
    assert_eq!(world.check(&endless).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn a4_listing_has_what_a_page_shows(world: &World) -> TestResult {
    use Operation::{KeyAnnotate, KeyDelete, KeyDisable, KeyEdit, KeyRename, KeyRevoke, KeyRotate};
    let expires = world.later(90 * DAY);
    let new = NewKey::named("prod-main-app")?.expires_at(expires);
    let issued = world.generate(new).await?;
    let unused = entry_of(world, &world.alice, &issued.key.id).await?;
    assert_eq!((unused.uses, unused.last_used_at), (0, None));

    world.verifier.verify(issued.token.expose()).await?;
    world.clock.advance(HOUR);
    world.verifier.verify(issued.token.expose()).await?;
    let last_used_at = world.now();
    world.clock.advance(HOUR);
    world.verifier.flush().await?;

    let entry = entry_of(world, &world.alice, &issued.key.id).await?;
    assert_eq!(entry.key.name.as_str(), "prod-main-app");
    assert_eq!(entry.prefix, format!("acme_live_{}", issued.key.id));
    assert_eq!((entry.uses, entry.last_used_at), (2, Some(last_used_at)));
    assert_eq!((entry.key.expires_at, entry.status), (Some(expires), KeyStatus::Active));
    let own = [KeyRename, KeyAnnotate, KeyEdit, KeyDisable, KeyRotate, KeyRevoke, KeyDelete];
    assert_eq!(entry.actions, own);
    let seen = |actor| entry_of(world, actor, &issued.key.id);
    assert_eq!(seen(&world.tenant_admin).await?.actions, [KeyRevoke]);
    assert_eq!(seen(&world.auditor).await?.actions, []);
    world.clock.set(expires);
    let dead = seen(&world.alice).await?;
    assert_eq!(dead.actions, [KeyRename, KeyAnnotate, KeyDelete]);
    assert_eq!(dead.status, KeyStatus::Expired);
    Ok(())
}

#[common::test(each_store)]
async fn a5_prefix_identifies_key_and_hides_secret(world: &World) -> TestResult {
    let one = world.generate(NewKey::named("prod-main-app")?).await?;
    let other = world.generate(NewKey::named("prod-main-app")?).await?;
    let prefix = entry_of(world, &world.alice, &one.key.id).await?.prefix;
    assert_ne!(prefix, entry_of(world, &world.alice, &other.key.id).await?.prefix);
    // The token starts with the prefix, and the secret follows.
    let rest = one.token.expose().strip_prefix(&prefix).ok_or("the token begins with it")?;
    assert!(rest.starts_with(secret_of(&one)));
    let rotated = world.authority.rotate(&world.alice, &one.key.id, DAY).await?;
    assert_eq!(rotated.key.display_prefix(), prefix);
    let alone = keywright::AccessRequest::token(&prefix);
    assert_eq!(world.check_request(&alone).await, Err(Reason::Malformed));
    Ok(())
}

#[common::test(each_store)]
async fn a7_revoked_key_stays_revoked(world: &World) -> TestResult {
    let (authority, admin) = (&world.authority, &world.admin);
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &old.key.id;
    let new = authority.rotate(&world.alice, id, DAY).await?;
    let revoked = authority.revoke(&world.alice, id).await?;
    assert!(!revoked.is_unchanged());
    let first_time = Some(world.now());
    assert_eq!(revoked.into_inner().revoked_at, first_time);

    world.clock.advance(HOUR);
    let refused = [
        authority.enable(admin, id).await.map(drop),
        authority.disable(admin, id).await.map(drop),
        authority.rotate(admin, id, DAY).await.map(drop),
        authority.finish_rotation(admin, id).await.map(drop),
    ];
    for refused in refused {
        let Err(KeyError::WrongStatus(because)) = &refused else { panic!("{refused:?}") };
        assert_eq!(because.status, KeyStatus::Revoked);
    }
    authority.rename(admin, id, Name::new("prod-again")?).await?;
    let again = authority.revoke(admin, id).await?;
    assert!(again.is_unchanged());
    assert_eq!(again.into_inner().revoked_at, first_time);
    for when in [world.now(), world.later(DAY), Timestamp::MAX] {
        world.clock.set(when);
        assert_eq!(world.check(&new).await, Err(Reason::Revoked));
        assert_ne!(world.check(&old).await, Ok(()));
    }
    Ok(())
}

#[common::test(each_store)]
async fn a8_tenant_can_require_a_name_pattern(world: &World) -> TestResult {
    let free = world.generate(NewKey::named("Main app")?).await?;
    world.set_policy(|policy| policy.settings.name_pattern = Some(NamePattern::default())).await?;
    for name in ["prod-main-app", "staging-api", "crm-integration", "test-1", "main-app"] {
        let issued = world.generate(NewKey::named(name)?).await?;
        world.authority.delete(&world.alice, &issued.key.id).await?;
    }
    for name in ["app", "prod_app", "-main-app"] {
        let refused = world.generate(NewKey::named(name)?).await;
        let text = refused.map(|issued| issued.key).unwrap_err().to_string();
        let rule = "the name must be at least two words of a-z 0-9 joined by hyphens";
        assert_eq!(text, format!("{rule}, such as crm-integration"));
    }
    let environments = ["prod", "staging", "test", "dev"].map(str::to_owned).into();
    world
        .set_policy(|policy| policy.settings.name_pattern = Some(NamePattern { environments }))
        .await?;
    for name in ["prod-main-app", "staging-api", "test-1", "dev-a-b-c"] {
        let issued = world.generate(NewKey::named(name)?).await?;
        world.authority.delete(&world.alice, &issued.key.id).await?;
    }
    for name in ["main-app", "prod", "prod-", "prod--app", "Prod-app", "prod-App", "production-app"]
    {
        let refused = world.generate(NewKey::named(name)?).await;
        let pattern = |e: &RuleError| matches!(e, RuleError::Name(NameError::Pattern { .. }));
        assert!(matches!(&refused, Err(GenerateError::Rule(e)) if pattern(e)), "{name}");
        let refused = world.authority.rename(&world.alice, &free.key.id, Name::new(name)?).await;
        assert!(matches!(&refused, Err(KeyError::Rule(e)) if pattern(e)), "{name}");
    }
    let entry = world.authority.key(&world.alice, &free.key.id).await?;
    assert_eq!(entry.key.name.as_str(), "Main app", "an existing name stays");
    assert_eq!(world.check(&free).await, Ok(()));
    let environments = vec!["live".to_owned()];
    world.set_policy(|p| p.settings.name_pattern = Some(NamePattern { environments })).await?;
    world.generate(NewKey::named("live-main-app")?).await?;
    assert!(world.generate(NewKey::named("prod-main-app")?).await.is_err());
    Ok(())
}

#[common::test(each_store)]
async fn a8_name_like_email_or_token_is_refused(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    for name in ["bob@example.com", "prod-bob@localhost", "key of bob@example.com"] {
        assert_eq!(Name::new(name), Err(NameError::LooksLikeEmail), "{name}");
    }
    let token = issued.token.expose();
    let secret = issued.token.expose_key_secret();
    for name in [token, secret, &format!("prod-{secret}"), "sk_live_51H8sXkJ2eZvKYlo2CqUq1Wx9"] {
        assert_eq!(Name::new(name), Err(NameError::LooksLikeToken), "{name}");
    }
    // Names exist only as `Name`, and every other way to pass one applies the same rules.
    let email = NewKey::named("bob@example.com").map(drop);
    assert_eq!(email, Err(NameError::LooksLikeEmail));
    assert!(serde_json::from_str::<Name>("\"bob@example.com\"").is_err());
    // Names that only resemble an email address or a secret are valid, for keys and accounts.
    let harmless = Name::new("prod - billing @ night, 2nd")?;
    world.generate(NewKey::new(harmless.clone())).await?;
    let account = NewAccount::new(harmless, RoleName::new("analyst")?);
    world.authority.create_account(&world.admin, account).await?;
    Ok(())
}

#[common::test(each_store)]
async fn a9_keys_unused_since_a_date_are_found(world: &World) -> TestResult {
    let made = world.now();
    let never = world.generate(NewKey::named("prod-never")?).await?;
    let early = world.generate(NewKey::named("prod-early")?).await?;
    let late = world.generate(NewKey::named("prod-late")?).await?;
    for issued in [&early, &late] {
        world.verifier.verify(issued.token.expose()).await?;
    }
    world.clock.advance(30 * DAY);
    let used = world.now();
    world.verifier.verify(late.token.expose()).await?;
    world.generate(NewKey::named("prod-new")?).await?;
    world.verifier.flush().await?;

    let unused = |since| KeyQuery::new().unused_since(since);
    assert_eq!(names(world, unused(made)).await?, [""; 0]);
    let both = ["prod-never", "prod-early"];
    assert_eq!(names(world, unused(made.saturating_add(MOMENT))).await?, both);
    assert_eq!(names(world, unused(used)).await?, both);
    let all = ["prod-never", "prod-early", "prod-late", "prod-new"];
    assert_eq!(names(world, unused(used.saturating_add(MOMENT))).await?, all);
    assert_eq!(names(world, KeyQuery::new().never_used()).await?, ["prod-never", "prod-new"]);
    let old_and_never = unused(used).never_used();
    assert_eq!(names(world, old_and_never).await?, [never.key.name.as_str()]);
    Ok(())
}

#[common::test(each_store)]
async fn a9_keys_expiring_soon_are_found(world: &World) -> TestResult {
    let new = |name: &str| NewKey::named(name);
    world.generate(new("prod-in-7-days")?.expires_in_days(7)).await?;
    world.generate(new("prod-in-8-days")?.expires_in_days(8)).await?;
    world.generate(new("prod-endless")?).await?;
    let revoked = world.generate(new("prod-revoked")?.expires_in_days(1)).await?;
    world.authority.revoke(&world.alice, &revoked.key.id).await?;
    let disabled = world.generate(new("prod-disabled")?.expires_in_days(7)).await?;
    world.authority.disable(&world.alice, &disabled.key.id).await?;

    let within = |period| KeyQuery::new().expiring_within(period);
    assert_eq!(names(world, within((7 * DAY).saturating_sub(MOMENT))).await?, [""; 0]);
    assert_eq!(names(world, within(7 * DAY)).await?, ["prod-in-7-days", "prod-disabled"]);
    let all = ["prod-in-7-days", "prod-in-8-days", "prod-disabled"];
    assert_eq!(names(world, within(8 * DAY)).await?, all);
    // A key that has expired is no longer listed as about to expire.
    world.clock.advance(7 * DAY);
    assert_eq!(names(world, within(8 * DAY)).await?, ["prod-in-8-days"]);
    Ok(())
}

/// Returns the names of the keys that a query finds, by time of creation. The order of keys that
/// were created at the same time is undefined.
async fn names(world: &World, query: KeyQuery) -> TestResult<Vec<String>> {
    let page = world.authority.keys(&world.admin, &query).await?;
    let all = world.events(keywright::store::EventQuery::new()).await?;
    let made = |id| all.iter().position(|event| event.key == Some(id));
    let mut found: Vec<_> = page.items.into_iter().map(|entry| entry.key).collect();
    found.sort_by_key(|key| made(key.id));
    Ok(found.into_iter().map(|key| key.name.to_string()).collect())
}

/// Returns the entry of a key on an actor's page of keys.
async fn entry_of(
    world: &World,
    actor: &Actor,
    key: &keywright::KeyId,
) -> TestResult<keywright::KeyEntry> {
    let page = world.authority.keys(actor, &KeyQuery::new()).await?;
    Ok(page.items.into_iter().find(|entry| entry.key.id == *key).ok_or("it is on the page")?)
}
