//! Another process changes records between the reads and the write of a call: the call decides
//! again by the rules in force at its write.

use std::future::Future;

use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    AccountEdit, AccountError, Actor, Authority, Credential, EventOutcome, GenerateError, KeyEdit,
    KeyError, KeyStatus, Name, NamePattern, NewAccount, NewKey, Operation, Outcome, Owner, Policy,
    Requirement, RoleName, RuleError, Scope,
};

use common::{DAY, HOUR, MOMENT, TestResult, World, add_role, cut_scopes, missing, set_policy};

/// Builds a world in which `change` happens just before the next commit reaches the store.
pub(crate) fn between<F>(
    world: &World,
    change: impl FnOnce(Authority, Actor) -> F,
) -> TestResult<World>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (met, faults) = world.with_faults()?;
    faults.meanwhile(change(world.authority.clone(), world.admin.clone()));
    Ok(met)
}

/// Builds a world in which the tenant's policy changes just before the next commit.
pub(crate) fn policy_between(
    world: &World,
    change: impl FnOnce(&mut Policy) + Send + 'static,
) -> TestResult<World> {
    between(world, |authority, admin| async move {
        set_policy(&authority, &admin, change).await.expect("the policy is possible");
    })
}

#[common::test(each_store)]
async fn sweep_obeys_concurrently_lengthened_retention(world: &World) -> TestResult {
    let issued = world.generate_in(KeyStatus::Revoked).await?;
    let retention = world.policy().await.retention.value;
    world.clock.advance(retention + HOUR);
    let longer = retention + DAY;
    let met = policy_between(world, move |policy| policy.settings.retention = Some(longer))?;
    assert_eq!(met.authority.sweep(&world.admin).await?.keys, []);
    assert_eq!(world.status(&issued.key.id).await?, KeyStatus::Revoked);
    world.clock.advance(DAY);
    assert_eq!(world.authority.sweep(&world.admin).await?.keys, [issued.key.id]);
    Ok(())
}

#[common::test(each_store)]
async fn rename_obeys_concurrently_set_pattern(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let pattern = Some(NamePattern::default());
    let met = policy_between(world, |policy| policy.settings.name_pattern = pattern)?;
    let name = Name::new("Main app")?;
    let refused = met.authority.rename(&world.alice, &issued.key.id, name).await;
    assert!(matches!(refused, Err(KeyError::Rule(RuleError::Name(_)))), "{refused:?}");
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    assert_eq!(entry.key, issued.key);
    Ok(())
}

#[common::test(each_store)]
async fn edit_obeys_concurrently_narrowed_catalog(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let write = Scope::new("invoices:write")?;
    let met = policy_between(world, |policy| cut_scopes(&mut policy.plan, "invoices:read"))?;
    let edit = KeyEdit::new().scopes("invoices:read invoices:write".parse()?);
    let refused = met.authority.edit(&world.alice, &issued.key.id, edit).await;
    let outside = |e: &RuleError| matches!(e, RuleError::ScopeOutsideCeiling(s) if *s == write);
    assert!(matches!(&refused, Err(KeyError::Rule(e)) if outside(e)), "{refused:?}");
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    assert_eq!(entry.key, issued.key);
    Ok(())
}

#[common::test(each_store)]
async fn rotation_obeys_concurrently_shortened_overlap(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let met = policy_between(world, |policy| policy.settings.max_overlap = Some(HOUR))?;
    let refused = met.authority.rotate(&world.alice, &issued.key.id, HOUR + MOMENT).await;
    assert!(
        matches!(refused, Err(KeyError::OverlapTooLong { max, .. }) if max == HOUR),
        "{refused:?}"
    );
    assert_eq!(world.check(&issued).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn edit_obeys_concurrently_changed_role(world: &World) -> TestResult {
    let account = world.account("nightly-report", "operator").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
    let write = Scope::new("invoices:write")?;
    let (id, role) = (account.id, RoleName::new("analyst")?);
    let met = between(world, |authority, admin| async move {
        let edit = AccountEdit::new().role(role);
        authority.edit_account(&admin, &id, edit).await.expect("the role changes");
    })?;
    let edit = KeyEdit::new().scopes("invoices:write".parse()?);
    let refused = met.authority.edit(&world.admin, &issued.key.id, edit).await;
    let outside = |e: &RuleError| matches!(e, RuleError::ScopeOutsideCeiling(s) if *s == write);
    assert!(matches!(&refused, Err(KeyError::Rule(e)) if outside(e)), "{refused:?}");
    Ok(())
}

#[common::test(each_store)]
async fn new_key_obeys_concurrent_switch_off(world: &World) -> TestResult {
    let met = policy_between(world, |policy| policy.settings.api_enabled = Some(false))?;
    let refused = met.generate(NewKey::named("prod-main-app")?).await;
    assert!(missing(&refused) == [Requirement::Switch], "{refused:?}");
    let keys = world.authority.keys(&world.alice, &KeyQuery::new()).await?;
    assert!(keys.items.is_empty(), "{keys:?}");
    Ok(())
}

#[common::test(each_store)]
async fn new_key_obeys_concurrently_disabled_account(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let id = account.id;
    let met = between(world, |authority, admin| async move {
        authority.disable_account(&admin, &id).await.expect("it is disabled");
    })?;
    let refused = met.generate_under(&account, NewKey::named("prod-main-app")?).await;
    let disabled = |found: &_| *found == id;
    assert!(
        matches!(&refused, Err(GenerateError::AccountDisabled(id)) if disabled(id)),
        "{refused:?}"
    );
    Ok(())
}

#[common::test(each_store)]
async fn new_key_obeys_concurrently_changed_role(world: &World) -> TestResult {
    let account = world.account("nightly-report", "operator").await?;
    let (id, role) = (account.id, RoleName::new("analyst")?);
    let met = between(world, |authority, admin| async move {
        let edit = AccountEdit::new().role(role);
        authority.edit_account(&admin, &id, edit).await.expect("the role changes");
    })?;
    let new = NewKey::named("prod-main-app")?.scopes("invoices:write".parse()?);
    let refused = met.authority.generate(&world.admin, new.owner(Owner::Account(id))).await;
    let outside = |e: &RuleError| matches!(e, RuleError::ScopeOutsideCeiling(_));
    assert!(matches!(&refused, Err(GenerateError::Rule(e)) if outside(e)), "{refused:?}");
    Ok(())
}

#[common::test(each_store)]
async fn account_creation_sees_concurrently_removed_role(world: &World) -> TestResult {
    let role = RoleName::new("operator")?;
    let account = world.account("nightly-report", "analyst").await?;
    let removed = role.clone();
    let met = policy_between(world, move |policy| drop(policy.plan.roles.remove(&removed)))?;
    let new = NewAccount::new(Name::new("weekly-report")?, role.clone());
    let refused = met.authority.create_account(&world.admin, new).await;
    let unknown = |e: &AccountError| matches!(e, AccountError::UnknownRole(r) if *r == role);
    assert!(matches!(&refused, Err(e) if unknown(e)), "{refused:?}");

    world.set_policy(|policy| add_role(&mut policy.plan, "operator", "invoices:read")).await?;
    let removed = role.clone();
    let met = policy_between(world, move |policy| drop(policy.plan.roles.remove(&removed)))?;
    let edit = AccountEdit::new().role(role.clone());
    let refused = met.authority.edit_account(&world.admin, &account.id, edit).await;
    assert!(matches!(&refused, Err(e) if unknown(e)), "{refused:?}");
    assert_eq!(world.account_now(&account).await?, account);
    Ok(())
}

#[common::test(each_store)]
async fn revoke_of_deleted_key_is_a_success(world: &World) -> TestResult {
    for owner in [world.alice.as_owner(), Owner::Organization] {
        let new = NewKey::named("prod-main-app")?.owner(owner);
        let issued = world.generate_for(&world.admin, new).await?;
        let id = issued.key.id;
        let delete = |authority: Authority, admin| async move {
            authority.delete(&admin, &id).await.expect("the key is there");
        };
        let met = between(world, delete)?;
        let revoked = met.authority.revoke(&world.admin, &id).await?;
        assert!(revoked.is_unchanged());
        assert_eq!(revoked.into_inner().revoked_at, Some(world.now()));
        let told = world.events_of(&id).await?.pop().ok_or("an event")?;
        assert_eq!(told.kind, Operation::KeyRevoke.into());
        assert_eq!(told.outcome, EventOutcome::Unchanged);
        let again = met.authority.revoke(&world.admin, &id).await;
        assert!(matches!(again, Err(KeyError::NotFound(_))), "an id of no key: {again:?}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn delete_of_deleted_key_is_a_success(world: &World) -> TestResult {
    let id = world.key().await.key.id;
    let met = between(world, move |authority, admin| async move {
        authority.delete(&admin, &id).await.expect("the key is there");
    })?;
    met.authority.delete(&world.alice, &id).await?;
    let deletes = world.events(EventQuery::new().kind(Operation::KeyDelete)).await?;
    let outcomes: Vec<_> = deletes.iter().map(|event| event.outcome).collect();
    assert_eq!(outcomes, [EventOutcome::Done, EventOutcome::Unchanged]);
    Ok(())
}

#[common::test(each_store)]
async fn leaked_token_of_deleted_key_is_revoked(world: &World) -> TestResult {
    let issued = world.key().await;
    let id = issued.key.id;
    let met = between(world, move |authority, admin| async move {
        authority.delete(&admin, &id).await.expect("the key is there");
    })?;
    let leaked = || Credential::Token(issued.token.expose());
    assert_eq!(met.verifier.revoke(leaked()).await?, Outcome::Unchanged(id));
    assert!(met.verifier.revoke(leaked()).await.is_err(), "its id is unknown");
    Ok(())
}

/// The key is not gone: it has another owner, whose key this actor cannot see.
#[common::test(each_store)]
async fn revoke_of_handed_key_is_not_found(world: &World) -> TestResult {
    let issued = world.key().await;
    let (id, bob) = (issued.key.id, world.bob.as_owner());
    let met = between(world, move |authority, admin| async move {
        authority.transfer_key(&admin, &id, &bob).await.expect("the key is there");
    })?;
    let refused = met.authority.revoke(&world.alice, &id).await;
    assert!(matches!(refused, Err(KeyError::NotFound(_))), "{refused:?}");
    assert_eq!(world.check(&issued).await, Ok(()));
    Ok(())
}
