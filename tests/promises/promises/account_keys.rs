//! Keys of service accounts follow the rules of users' keys, within the account's role.

use std::time::Duration;

use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    Actor, EventOutcome, KeyEdit, KeyError, Name, NameError, NamePattern, NewKey, Operation, Owner,
    Rate, Reason, Requirement, RuleError, Scope, UserId,
};

use common::{TestResult, World, cut_scopes, missing};

#[common::test(each_store)]
async fn user_named_as_account_owns_nothing(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
    let namesake = UserId::new(account.id.as_str())?;
    let namesake = Actor::developer(namesake).in_tenant(world.tenant().clone());
    let owner = Owner::Account(account.id);
    assert!(!namesake.owns(&owner));
    assert!(!namesake.may(Operation::KeyRevoke, &owner));
    let shown = world.authority.key(&namesake, &issued.key.id).await;
    assert!(matches!(shown, Err(KeyError::NotFound(_))), "{shown:?}");
    let revoked = world.authority.revoke(&namesake, &issued.key.id).await;
    assert!(matches!(revoked, Err(KeyError::NotFound(_))), "{revoked:?}");
    let new = NewKey::named("prod-other")?;
    let made = world.authority.generate(&namesake, new.owner(owner.clone())).await;
    assert!(missing(&made).contains(&Requirement::Permission), "{made:?}");
    let listed = world.authority.keys(&namesake, &KeyQuery::new()).await?;
    assert!(listed.items.is_empty(), "{listed:?}");
    // A key of that user does not belong to the account either.
    let own = world.generate_for(&namesake, NewKey::named("prod-own")?).await?;
    world.authority.disable_account(&world.admin, &account.id).await?;
    assert_eq!(world.check(&issued).await, Err(Reason::AccountDisabled));
    assert_eq!(world.check(&own).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn account_key_scopes_stay_in_role(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
    let edit = |scopes: &str| {
        let edit = scopes.parse().map(|scopes| KeyEdit::new().scopes(scopes));
        let edit = edit.expect("scopes");
        world.authority.edit(&world.admin, &issued.key.id, edit)
    };
    // The scope is in the plan and not in the role.
    let refused = edit("invoices:write").await;
    let write = Scope::new("invoices:write")?;
    let outside = |e: &RuleError| *e == RuleError::ScopeOutsideCeiling(write.clone());
    assert!(matches!(&refused, Err(KeyError::Rule(e)) if outside(e)), "{refused:?}");
    edit("reports:read").await?;
    // The scope was in the role, and the plan no longer has it.
    world.set_policy(|policy| cut_scopes(&mut policy.plan, "reports:read")).await?;
    assert!(edit("invoices:read").await.is_err());
    edit("reports:read").await?;
    Ok(())
}

#[common::test(each_store)]
async fn renamed_account_key_follows_pattern(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, NewKey::named("Main app")?).await?;
    world.set_policy(|policy| policy.settings.name_pattern = Some(NamePattern::default())).await?;
    let rename = async |name| {
        let name = Name::new(name).expect("a name");
        world.authority.rename(&world.admin, &issued.key.id, name).await
    };
    let refused = rename("Other app").await;
    let pattern = |e: &RuleError| matches!(e, RuleError::Name(NameError::Pattern { .. }));
    assert!(matches!(&refused, Err(KeyError::Rule(e)) if pattern(e)), "{refused:?}");
    rename("prod-other-app").await?;
    Ok(())
}

#[common::test(each_store)]
async fn default_rate_holds_for_account_keys(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
    let limit = Rate::new(1, Duration::from_secs(60))?;
    world.set_policy(|policy| policy.settings.default_rate = Some(limit)).await?;
    assert_eq!(world.check(&issued).await, Ok(()));
    let refused = world.check(&issued).await;
    assert!(matches!(refused, Err(Reason::RateLimited(_))), "{refused:?}");
    Ok(())
}

#[common::test(each_store)]
async fn deleted_account_records_each_key(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let mut keys = Vec::new();
    for _ in 0..3 {
        let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
        keys.push(issued.key.id);
    }
    let before = world.events(EventQuery::new()).await?.len();
    world.authority.delete_account(&world.admin, &account.id).await?;
    let mut events = world.events(EventQuery::new()).await?.split_off(before);
    let last = events.pop().expect("the account's own");
    assert_eq!((last.kind, last.key), (Operation::AccountDelete.into(), None));
    assert_eq!((last.account, &last.outcome), (Some(account.id), &EventOutcome::Done));
    let mut told = Vec::new();
    for event in events {
        assert_eq!(event.kind, Operation::KeyDelete.into());
        assert_eq!((event.account, &event.outcome), (Some(account.id), &EventOutcome::Done));
        told.extend(event.key);
    }
    keys.sort();
    told.sort();
    assert_eq!(told, keys);
    Ok(())
}
