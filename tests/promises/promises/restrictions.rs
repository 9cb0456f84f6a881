//! B10: the restrictions of a key: scopes, networks, a rate and a start time; and its metadata.

use std::net::IpAddr;
use std::time::Duration;

use keywright::{
    AccessRequest, AdminLimits, DenialClass, GenerateError, Issued, KeyEdit, KeyError, KeyLimit,
    Metadata, Networks, NewKey, Rate, Reason, RuleError, Scope, ScopeSet, VerifyError,
};

use common::{DAY, HOUR, MOMENT, TestResult, World, cut_scopes};

#[common::test(each_store)]
async fn b10_key_scopes_stay_in_the_plan(world: &World) -> TestResult {
    let [read, write, reports] =
        ["invoices:read", "invoices:write", "reports:read"].map(Scope::new);
    let (read, write, reports) = (read?, write?, reports?);
    let new = || NewKey::named("prod-main-app");
    let none = world.generate(new()?).await?;
    let some = world.generate(new()?.scopes("invoices:read invoices:write".parse()?)).await?;
    let missing = |scope: &Scope| Err(Reason::MissingScope(scope.clone()));
    for scope in [&read, &write, &reports] {
        assert_eq!(ask(world, &none, scope).await, missing(scope), "none listed, none had");
    }
    assert_eq!(ask(world, &some, &read).await, Ok(()));
    assert_eq!(ask(world, &some, &write).await, Ok(()));
    assert_eq!(ask(world, &some, &reports).await, missing(&reports));
    let both = "invoices:read reports:read".parse()?;
    let request = AccessRequest::token(some.token.expose()).scopes(&both);
    assert_eq!(world.check_request(&request).await, missing(&reports), "every scope is required");
    let grant = world.verifier.verify(some.token.expose()).await?;
    assert!(grant.allows(&read) && grant.require(&read).is_ok());
    let denial = grant.require(&reports).expect_err("the key lacks the scope");
    assert_eq!(denial.class(), DenialClass::Forbidden);

    let outside = |e: &RuleError| matches!(e, RuleError::ScopeOutsideCeiling(s) if s.as_str() == "users:delete");
    let above = "invoices:read users:delete".parse()?;
    let refused = world.generate(new()?.scopes(above)).await;
    assert!(matches!(&refused, Err(GenerateError::Rule(e)) if outside(e)), "{refused:?}");
    let edit = KeyEdit::new().scopes("users:delete".parse()?);
    let refused = world.authority.edit(&world.alice, &some.key.id, edit).await;
    assert!(matches!(&refused, Err(KeyError::Rule(e)) if outside(e)), "{refused:?}");

    // A smaller catalog limits every key at once, and a larger one loses nothing.
    let before = world.policy().await.plan.scopes;
    world.set_policy(|policy| cut_scopes(&mut policy.plan, "invoices:read")).await?;
    assert_eq!(ask(world, &some, &write).await, missing(&write));
    assert_eq!(ask(world, &some, &read).await, Ok(()));
    world.set_policy(|policy| policy.plan.scopes = before).await?;
    assert_eq!(ask(world, &some, &write).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn b10_key_can_be_bound_to_networks(world: &World) -> TestResult {
    let networks = "203.0.113.0/24 2001:db8::/32 192.0.2.7".parse()?;
    let bound = world.generate(NewKey::named("prod-main-app")?.networks(networks)).await?;
    let free = world.generate(NewKey::named("prod-free")?).await?;
    let inside = [
        "203.0.113.0",
        "203.0.113.255",
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "192.0.2.7",
        "::ffff:203.0.113.9",
    ];
    let outside = [
        "203.0.112.255",
        "203.0.114.0",
        "2001:db7:ffff::",
        "2001:db9::",
        "192.0.2.8",
        "::ffff:203.0.114.9",
        "::203.0.113.9",
    ];
    for source in inside {
        assert_eq!(from(world, &bound, source.parse()?).await, Ok(()), "{source}");
    }
    for source in outside {
        let verdict = from(world, &bound, source.parse()?).await;
        assert_eq!(verdict, Err(Reason::NetworkNotAllowed(Some(source.parse()?))), "{source}");
        assert_eq!(from(world, &free, source.parse()?).await, Ok(()), "{source}");
    }
    assert_eq!(world.check(&bound).await, Err(Reason::NetworkNotAllowed(None)));
    let edit = KeyEdit::new().networks("198.51.100.0/24".parse()?);
    world.authority.edit(&world.alice, &bound.key.id, edit).await?;
    let now_outside = from(world, &bound, inside[0].parse()?).await;
    assert_eq!(now_outside, Err(Reason::NetworkNotAllowed(Some(inside[0].parse()?))));
    assert_eq!(from(world, &bound, "198.51.100.1".parse()?).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn b10_key_rate_names_the_next_try(world: &World) -> TestResult {
    let rate = Rate::new(6, Duration::from_secs(60))?;
    let issued = world.generate(NewKey::named("prod-main-app")?.rate(rate)).await?;
    let other = world.generate(NewKey::named("prod-other")?.rate(rate)).await?;
    for _ in 0..6 {
        assert_eq!(world.check(&issued).await, Ok(()));
    }
    for _ in 0..3 {
        let verified = world.verifier.verify(issued.token.expose()).await;
        let Err(VerifyError::Denied(denial)) = verified else { panic!("{verified:?}") };
        assert_eq!(denial.class(), DenialClass::RateLimited);
        assert_eq!(denial.retry_after(), Some(Duration::from_secs(10)));
    }
    assert_eq!(world.check(&other).await, Ok(()), "each key has its own");
    world.clock.advance(Duration::from_micros(9_999_999));
    assert_eq!(world.check(&issued).await, Err(Reason::RateLimited(MOMENT)));
    world.clock.advance(MOMENT);
    assert_eq!(world.check(&issued).await, Ok(()));
    assert!(world.check(&issued).await.is_err());
    world.clock.advance(HOUR);
    for _ in 0..6 {
        assert_eq!(world.check(&issued).await, Ok(()));
    }
    assert!(world.check(&issued).await.is_err());
    // A refused use is not counted.
    world.verifier.flush().await?;
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    assert_eq!(entry.uses, 6 + 1 + 6);
    Ok(())
}

#[common::test(each_store)]
async fn b10_owner_cannot_lift_the_default_rate(world: &World) -> TestResult {
    let before = world.generate(NewKey::named("prod-main-app")?).await?;
    let limit = Rate::new(2, Duration::from_secs(60))?;
    world.set_policy(|policy| policy.settings.default_rate = Some(limit)).await?;
    for _ in 0..2 {
        assert_eq!(world.check(&before).await, Ok(()));
    }
    let refused = world.check(&before).await;
    assert_eq!(refused, Err(Reason::RateLimited(Duration::from_secs(30))));

    let higher = Rate::new(3, Duration::from_secs(60))?;
    let new = || NewKey::named("prod-other").map(|new| new.rate(higher));
    let above = |e: &RuleError| *e == RuleError::RateAboveLimit { rate: higher, limit };
    let refused = world.generate(new()?).await;
    assert!(matches!(&refused, Err(GenerateError::Rule(e)) if above(e)), "{refused:?}");
    let edit = KeyEdit::new().rate(Some(higher));
    let refused = world.authority.edit(&world.alice, &before.key.id, edit.clone()).await;
    assert!(matches!(&refused, Err(KeyError::Rule(e)) if above(e)), "{refused:?}");
    let owner = world.alice.as_owner();
    world.authority.generate(&world.admin, new()?.owner(owner.clone())).await?;
    world.authority.edit(&world.admin, &before.key.id, edit).await?;
    let lower = Rate::new(1, Duration::from_secs(60))?;
    let edit = KeyEdit::new().rate(Some(lower));
    world.authority.edit(&world.alice, &before.key.id, edit).await?;
    Ok(())
}

#[common::test(each_store)]
async fn b10_no_rate_exceeds_the_plan(world: &World) -> TestResult {
    let fast = NewKey::named("prod-fast")?.rate("100/60s".parse()?);
    let fast = world.authority.generate(&world.admin, fast.owner(world.alice.as_owner())).await?;
    let limit = "10/60s".parse()?;
    world.set_policy(|policy| policy.plan.max_rate = Some(limit)).await?;
    let rate = "20/60s".parse()?;
    let above = |e: &RuleError| *e == RuleError::RateAboveLimit { rate, limit };
    let new = NewKey::named("prod-other")?.rate(rate);
    let refused = world.authority.generate(&world.admin, new).await;
    assert!(matches!(&refused, Err(GenerateError::Rule(e)) if above(e)), "{refused:?}");
    // The owner would narrow the administrator's rate, but not to what the plan allows.
    for actor in [&world.admin, &world.alice] {
        let edit = KeyEdit::new().rate(Some(rate));
        let refused = world.authority.edit(actor, &fast.key.id, edit).await;
        assert!(matches!(&refused, Err(KeyError::Rule(e)) if above(e)), "{refused:?}");
    }
    assert_eq!(world.authority.key(&world.admin, &fast.key.id).await?.key, fast.key);
    for actor in [&world.admin, &world.alice] {
        let edit = KeyEdit::new().rate(Some(limit));
        world.authority.edit(actor, &fast.key.id, edit).await?;
    }
    Ok(())
}

#[common::test(each_store)]
async fn b10_owner_narrows_limits_of_administrator(world: &World) -> TestResult {
    let owner = world.alice.as_owner();
    let new = NewKey::named("prod-main-app")?
        .scopes("invoices:read".parse()?)
        .networks("203.0.113.0/24 2001:db8::/32".parse()?)
        .rate(Rate::new(10, Duration::from_secs(60))?);
    let key = world.authority.generate(&world.admin, new.owner(owner.clone())).await?.key;
    assert!(key.admin_limits.scopes && key.admin_limits.networks && key.admin_limits.rate);
    let edit = |edit| world.authority.edit(&world.alice, &key.id, edit);
    let wider: [(KeyLimit, KeyEdit); 8] = [
        // A key without scopes follows the default scopes of the plan.
        (KeyLimit::Scopes, KeyEdit::new().scopes(ScopeSet::empty())),
        (KeyLimit::Scopes, KeyEdit::new().scopes("invoices:read invoices:write".parse()?)),
        (KeyLimit::Scopes, KeyEdit::new().scopes("invoices:write".parse()?)),
        (KeyLimit::Networks, KeyEdit::new().networks(Networks::anywhere())),
        (KeyLimit::Networks, KeyEdit::new().networks("203.0.112.0/23".parse()?)),
        (KeyLimit::Networks, KeyEdit::new().networks("203.0.113.7 192.0.2.1".parse()?)),
        (KeyLimit::Rate, KeyEdit::new().rate(None)),
        (KeyLimit::Rate, KeyEdit::new().rate(Some(Rate::new(11, Duration::from_secs(60))?))),
    ];
    for (limit, wider) in wider {
        let refused = edit(wider).await;
        let bound = match limit {
            KeyLimit::Scopes => key.scopes.to_string(),
            KeyLimit::Networks => "203.0.113.0/24 2001:db8::/32".to_owned(),
            _ => "10/60s".to_owned(),
        };
        let expected = RuleError::SetByAdministrator { limit, bound };
        assert!(matches!(&refused, Err(KeyError::Rule(e)) if *e == expected), "{refused:?}");
    }
    let narrower = KeyEdit::new()
        .networks("203.0.113.128/25 2001:db8:1::/48".parse()?)
        .rate(Some(Rate::new(5, Duration::from_secs(60))?));
    let left = edit(narrower).await?.into_inner();
    assert_eq!(left.admin_limits, key.admin_limits, "they are still the administrator's");
    let back = KeyEdit::new().rate(Some(Rate::new(10, Duration::from_secs(60))?));
    assert!(edit(back).await.is_err(), "the narrowed restriction stays");

    // The administrator removes both restrictions, and the owner can then set new ones.
    let freed = KeyEdit::new().networks(Networks::anywhere()).rate(None);
    let freed = world.authority.edit(&world.admin, &key.id, freed).await?.into_inner();
    assert!(!freed.admin_limits.networks && !freed.admin_limits.rate);
    edit(KeyEdit::new().networks("192.0.2.0/24".parse()?)).await?;
    edit(KeyEdit::new().networks(Networks::anywhere())).await?;
    Ok(())
}

#[common::test(each_store)]
async fn b10_owner_changes_own_limits(world: &World) -> TestResult {
    let new = NewKey::named("prod-main-app")?
        .scopes("invoices:read".parse()?)
        .networks("203.0.113.0/24".parse()?)
        .rate(Rate::new(1, Duration::from_secs(60))?);
    let key = world.generate(new).await?.key;
    assert_eq!(key.admin_limits, AdminLimits::default());
    let edit = KeyEdit::new()
        .scopes("invoices:read invoices:write".parse()?)
        .networks(Networks::anywhere())
        .rate(None);
    let edited = world.authority.edit(&world.alice, &key.id, edit).await?.into_inner();
    assert_eq!(edited.admin_limits, AdminLimits::default());
    // The owner cannot widen a restriction that an administrator has set.
    let set = KeyEdit::new().networks("203.0.113.0/24".parse()?);
    world.authority.edit(&world.admin, &key.id, set).await?;
    let wider = KeyEdit::new().networks(Networks::anywhere());
    assert!(world.authority.edit(&world.alice, &key.id, wider).await.is_err());
    let rate = KeyEdit::new().rate(Some(Rate::new(100, Duration::from_secs(60))?));
    world.authority.edit(&world.alice, &key.id, rate).await?;
    Ok(())
}

#[common::test(each_store)]
async fn b10_key_can_begin_later(world: &World) -> TestResult {
    let begin = world.later(DAY);
    let new = || NewKey::named("prod-main-app");
    let issued = world.generate(new()?.not_before(begin).expires_in_days(2)).await?;
    assert_eq!(world.check(&issued).await, Err(Reason::NotYetValid));
    world.clock.set(begin.saturating_sub(MOMENT));
    assert_eq!(world.check(&issued).await, Err(Reason::NotYetValid));
    let expires = world.later(HOUR);
    for not_before in [expires, expires.saturating_add(MOMENT)] {
        let never = new()?.not_before(not_before).expires_at(expires);
        let refused = world.generate(never).await;
        let because = RuleError::NeverValid { not_before, expires_at: expires };
        assert!(matches!(&refused, Err(GenerateError::Rule(e)) if *e == because), "{refused:?}");
    }
    world.generate(new()?.not_before(expires.saturating_sub(MOMENT)).expires_at(expires)).await?;
    world.clock.set(begin);
    assert_eq!(world.check(&issued).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn scheduled_key_counts_its_lifetime_from_creation(world: &World) -> TestResult {
    let max = 30 * DAY;
    world.set_policy(|policy| policy.settings.max_lifetime = Some(max)).await?;
    let new = || {
        let begin = world.later(10 * DAY);
        NewKey::named("prod-main-app").map(|new| new.not_before(begin))
    };
    let issued = world.generate(new()?.expires_in(max)).await?;
    assert_eq!(issued.key.expires_at, Some(world.later(max)), "not from when it begins");
    let too_long = [
        new()?.expires_in(max + MOMENT),
        new()?.expires_at(world.later(max + MOMENT)),
        new()?.expires_at(world.later(10 * DAY + max)),
    ];
    for new in too_long {
        let refused = world.generate(new).await;
        let is_so =
            |e: &RuleError| matches!(e, RuleError::LifetimeTooLong { max: m, .. } if *m == max);
        assert!(matches!(&refused, Err(GenerateError::Rule(e)) if is_so(e)), "{refused:?}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn b10_key_carries_metadata_of_host(world: &World) -> TestResult {
    let metadata = Metadata::new([("team", "billing"), ("ticket", "OPS-7")])?;
    let new = NewKey::named("prod-main-app")?.metadata(metadata.clone());
    let issued = world.generate(new).await?;
    let grant = world.verifier.verify(issued.token.expose()).await?;
    assert_eq!(grant.key().metadata, metadata);
    let other = Metadata::new([("team", "sales")])?;
    let edit = KeyEdit::new().metadata(other.clone());
    world.authority.edit(&world.alice, &issued.key.id, edit).await?;
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    assert_eq!(entry.key.metadata, other, "in place of all that was there");
    let many = (0..=Metadata::MAX_ENTRIES).map(|number| (number.to_string(), ""));
    assert!(Metadata::new(many.clone()).is_err());
    assert!(Metadata::new(many.skip(1)).is_ok());
    Ok(())
}

async fn ask(world: &World, issued: &Issued, scope: &Scope) -> Result<(), Reason> {
    world.check_request(&AccessRequest::token(issued.token.expose()).scope(scope)).await
}

async fn from(world: &World, issued: &Issued, source: IpAddr) -> Result<(), Reason> {
    world.check_request(&AccessRequest::token(issued.token.expose()).source(source)).await
}
