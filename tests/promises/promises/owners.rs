//! W7 and B14: keys of the organization, suspended users, and keys that are handed to another
//! owner.

use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    AccountId, Actor, DetailField, GenerateError, Issued, KeyError, KeyId, KeyStatus, Name, NewKey,
    NewOwnerError, Operation, Owner, Reason, Requirement, RuleError, ScopeSet, TenantId, UserId,
    WrongStatus,
};

use crate::listing::sorted;
use common::faults::Fault;
use common::{TestResult, World, add_role, cut_scopes, missing};

#[common::test(each_store)]
async fn w7_organization_keys_outlive_people(world: &World) -> TestResult {
    let defaults = "invoices:read".parse()?;
    world.set_policy(|policy| policy.plan.default_scopes = defaults).await?;
    let new = || NewKey::named("prod-main-app").map(|new| new.owner(Owner::Organization));
    let issued = world.authority.generate(&world.admin, new()?).await?;
    for actor in [&world.alice, &world.tenant_admin, &world.auditor] {
        let refused = world.authority.generate(actor, new()?).await;
        assert_eq!(missing(&refused), [Requirement::Permission]);
    }
    world.authority.suspend_user(&world.admin, world.admin.id()).await?;
    world.authority.suspend_user(&world.admin, world.alice.id()).await?;
    let grant = world.verifier.verify(issued.token.expose()).await?;
    assert_eq!(*grant.owner(), Owner::Organization);
    assert_eq!(grant.scopes().to_string(), "invoices:read");
    let query = KeyQuery::new().owner(Owner::Organization);
    let found = world.authority.keys(&world.tenant_admin, &query).await?;
    assert_eq!(found.items.len(), 1);
    let hidden = world.authority.key(&world.alice, &issued.key.id).await;
    assert!(matches!(hidden, Err(KeyError::NotFound(_))), "{hidden:?}");
    world.authority.revoke(&world.tenant_admin, &issued.key.id).await?;
    assert_eq!(world.check(&issued).await, Err(Reason::Revoked));
    Ok(())
}

#[common::test(each_store)]
async fn w7_plan_limits_organization_keys(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
    let new = || NewKey::named("prod-main-app").map(|new| new.owner(Owner::Organization));
    for _ in 0..3 {
        world.authority.generate(&world.admin, new()?).await?;
    }
    world.set_policy(|policy| policy.plan.max_keys_of_organization = Some(3)).await?;
    let refused = world.authority.generate(&world.admin, new()?).await;
    assert!(matches!(refused, Err(GenerateError::TooManyKeys { limit: 3 })), "{refused:?}");
    let of_alice = world.generate(NewKey::named("prod-of-alice")?).await?;
    let refused = hand(world, &of_alice.key.id, &Owner::Organization).await;
    assert_full(refused, 3);
    Ok(())
}

#[common::test(each_store)]
async fn b14_suspended_user_stops_and_restores_keys(world: &World) -> TestResult {
    let mut keys = Vec::new();
    for status in KeyStatus::ALL {
        keys.push((status, world.generate_in(status).await?));
    }
    let of_bob = world.generate_for(&world.bob, NewKey::named("prod-of-bob")?).await?;
    let elsewhere =
        Actor::administrator(world.alice.id().clone()).in_tenant(TenantId::new("initech")?);
    let on = keywright::SettingsEdit::new().api_enabled(Some(true));
    world.authority.edit_settings(&elsewhere, on).await?;
    let namesake = world.generate_for(&elsewhere, NewKey::named("prod-namesake")?).await?;
    let before = answers(world, &keys).await;
    let records = shown(world, &keys).await?;
    for _ in 0..2 {
        let done = world.authority.suspend_user(&world.tenant_admin, world.alice.id()).await?;
        assert!(!done.is_unchanged() && done.into_inner().suspended);
        let again = world.authority.suspend_user(&world.tenant_admin, world.alice.id()).await?;
        assert!(again.is_unchanged());
        for ((status, _), (now, then)) in
            keys.iter().zip(answers(world, &keys).await.into_iter().zip(&before))
        {
            let active = *status == KeyStatus::Active;
            let expected = if active { &Err(Reason::UserSuspended) } else { then };
            assert_eq!(now, *expected, "{status}");
        }
        let entry = world.authority.key(&world.admin, &keys[0].1.key.id).await?;
        assert_eq!(entry.refused_because, Some(Reason::UserSuspended));
        assert_eq!(world.check(&of_bob).await, Ok(()));
        assert_eq!(world.check(&namesake).await, Ok(()), "another tenant's user");
        for actor in [&world.alice, &world.admin] {
            let new = NewKey::named("prod-more")?.owner(world.alice.as_owner());
            let refused = world.authority.generate(actor, new).await;
            assert!(matches!(refused, Err(GenerateError::UserSuspended(_))), "{refused:?}");
        }
        let refused = hand(world, &of_bob.key.id, &world.alice.as_owner()).await;
        let suspended =
            |e: &KeyError| matches!(e, KeyError::NewOwner(NewOwnerError::UserSuspended(_)));
        assert!(matches!(&refused, Err(e) if suspended(e)), "{refused:?}");

        let done = world.authority.restore_user(&world.tenant_admin, world.alice.id()).await?;
        assert!(!done.is_unchanged() && !done.into_inner().suspended);
        assert!(world.authority.restore_user(&world.admin, world.alice.id()).await?.is_unchanged());
        assert_eq!(answers(world, &keys).await, before, "each as it was");
        assert_eq!(shown(world, &keys).await?, records, "no key was written");
    }
    let told = world.events(EventQuery::new().kind(Operation::UserSuspend)).await?;
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|event| event.details.to_string().contains("user:alice")));
    Ok(())
}

#[common::test(each_store)]
async fn b14_key_is_handed_to_another_owner(world: &World) -> TestResult {
    let account = world.account("nightly-report", "operator").await?;
    let new = NewKey::named("prod-main-app")?.scopes("invoices:read invoices:write".parse()?);
    let issued = world.generate(new).await?;
    let id = &issued.key.id;
    let mut from = world.alice.as_owner();
    let owners = [
        world.bob.as_owner(),
        Owner::Account(account.id),
        Owner::Organization,
        world.alice.as_owner(),
    ];
    for to in owners {
        let key = hand(world, id, &to).await?;
        assert_eq!(key, to);
        let grant = world.verifier.verify(issued.token.expose()).await?;
        assert_eq!(*grant.owner(), to, "the same token, at once");
        assert_eq!(grant.scopes().to_string(), "invoices:read invoices:write");
        let told = world.events_of(id).await?.pop().ok_or("an event")?;
        assert_eq!(told.kind, Operation::KeyTransfer.into());
        let details = told.details.to_string();
        assert!(
            details.contains(&from.to_string()) && details.contains(&to.to_string()),
            "{details}"
        );
        let seen = world.authority.key(&world.alice, id).await.is_ok();
        assert_eq!(seen, world.alice.owns(&to), "only the new owner sees it");
        assert!(world.authority.transfer_key(&world.admin, id, &to).await?.is_unchanged());
        from = to;
    }
    for actor in [&world.alice, &world.auditor] {
        let refused = world.authority.transfer_key(actor, id, &world.bob.as_owner()).await;
        assert!(matches!(refused, Err(KeyError::PermissionDenied(_))), "{refused:?}");
    }
    let refused = world.authority.transfer_key(&world.other, id, &Owner::Organization).await;
    assert!(matches!(refused, Err(KeyError::NotFound(_))), "{refused:?}");
    Ok(())
}

#[common::test(each_store)]
async fn b14_transfer_event_is_of_both_owners(world: &World) -> TestResult {
    let left = world.account("nightly-report", "operator").await?;
    let taken = world.account("invoice-export", "operator").await?;
    let one = world.generate_under(&left, NewKey::named("prod-main-app")?).await?.key.id;
    let (from, to) = (Owner::Account(left.id), Owner::Account(taken.id));
    hand(world, &one, &to).await?;
    let other = world.generate_under(&left, NewKey::named("prod-export")?).await?.key.id;
    world.authority.transfer_owned(&world.admin, &from, &Owner::Organization).await?;

    let transfers = EventQuery::new().kind(Operation::KeyTransfer);
    let told = world.events(transfers.clone().account(left.id)).await?;
    let keys: Vec<_> = told.iter().filter_map(|event| event.key).collect();
    assert_eq!(keys, [one, other], "those that the account lost");
    assert!(told.iter().all(|event| event.previous_account == Some(left.id)));
    assert_eq!(told.iter().map(|event| event.account).collect::<Vec<_>>(), [Some(taken.id), None]);
    assert_eq!(world.events(transfers.clone().account(taken.id)).await?, told[..1]);

    world.authority.disable_account(&world.admin, &left.id).await?;
    for key in [&one, &other] {
        assert!(hand(world, key, &from).await.is_err());
    }
    assert!(world.authority.transfer_owned(&world.admin, &to, &from).await.is_err());
    for refused in &world.events(transfers).await?[2..] {
        let side = |field| refused.details.get_text(field).and_then(|text| text.parse().ok());
        let owner = if refused.key == Some(other) { &Owner::Organization } else { &to };
        assert_eq!(side(DetailField::From).as_ref(), Some(owner));
        assert_eq!(side(DetailField::To).as_ref(), Some(&from));
    }
    Ok(())
}

#[common::test(each_store)]
async fn b14_limits_of_the_new_owner_hold(world: &World) -> TestResult {
    let analyst = world.account("nightly-report", "analyst").await?;
    let new = |scopes: &str| {
        NewKey::named("prod-main-app").map(|new| new.scopes(scopes.parse().expect("scopes")))
    };
    // Scopes are cut to those that the new owner's keys can have, and stay cut.
    let both = world.generate(new("invoices:read invoices:write")?).await?;
    hand(world, &both.key.id, &Owner::Account(analyst.id)).await?;
    hand(world, &both.key.id, &world.alice.as_owner()).await?;
    let grant = world.verifier.verify(both.token.expose()).await?;
    assert_eq!(grant.scopes().to_string(), "invoices:read");
    let writing = world.generate(new("invoices:write")?).await?;
    let refused = hand(world, &writing.key.id, &Owner::Account(analyst.id)).await;
    let none = |e: &KeyError| matches!(e, KeyError::Rule(RuleError::NoScopeLeft));
    assert!(matches!(&refused, Err(e) if none(e)), "{refused:?}");

    let absent: AccountId = "0000000000000000".parse()?;
    let refused = hand(world, &writing.key.id, &Owner::Account(absent)).await;
    let unknown = |e: &KeyError| matches!(e, KeyError::NewOwner(NewOwnerError::AccountNotFound(_)));
    assert!(matches!(&refused, Err(e) if unknown(e)), "{refused:?}");
    world.authority.disable_account(&world.admin, &analyst.id).await?;
    let refused = hand(world, &both.key.id, &Owner::Account(analyst.id)).await;
    let disabled =
        |e: &KeyError| matches!(e, KeyError::NewOwner(NewOwnerError::AccountDisabled(_)));
    assert!(matches!(&refused, Err(e) if disabled(e)), "{refused:?}");

    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(3)).await?;
    for _ in 0..3 {
        world.generate_for(&world.bob, NewKey::named("prod-of-bob")?).await?;
    }
    assert_full(hand(world, &both.key.id, &world.bob.as_owner()).await, 3);
    let told = world.events_of(&both.key.id).await?.pop().ok_or("an event")?;
    assert_eq!(told.outcome.to_string(), "refused: too_many_keys");
    assert_eq!(
        world.authority.key(&world.admin, &both.key.id).await?.key.owner,
        world.alice.as_owner()
    );
    for status in [KeyStatus::Revoked, KeyStatus::Expired] {
        let dead = world.generate_in(status).await?;
        let refused = hand(world, &dead.key.id, &Owner::Organization).await;
        let because = WrongStatus { operation: Operation::KeyTransfer, status };
        assert!(matches!(&refused, Err(KeyError::WrongStatus(b)) if *b == because), "{refused:?}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn b14_handed_key_keeps_the_scopes_it_had(world: &World) -> TestResult {
    let analyst = world.account("nightly-report", "analyst").await?;
    let scopes = async |issued: &Issued| -> TestResult<String> {
        Ok(world.verifier.verify(issued.token.expose()).await?.scopes().to_string())
    };
    // A key that follows a role has scopes of its own afterward.
    let following = world.generate_under(&analyst, NewKey::named("prod-nightly")?).await?;
    hand(world, &following.key.id, &world.alice.as_owner()).await?;
    assert_eq!(scopes(&following).await?, "invoices:read reports:read");
    let all = "invoices:read invoices:write reports:read".parse()?;
    world.set_policy(|policy| policy.plan.default_scopes = all).await?;
    assert_eq!(scopes(&following).await?, "invoices:read reports:read");
    // A key that may do nothing does not gain a role, or default scopes.
    world.set_policy(|policy| policy.plan.default_scopes = ScopeSet::empty()).await?;
    let silent = world.generate(NewKey::named("prod-silent")?).await?;
    let role = Owner::Account(analyst.id);
    let refused = hand(world, &silent.key.id, &role).await;
    assert!(matches!(refused, Err(KeyError::Rule(RuleError::NoScopeLeft))), "{refused:?}");
    let lost = NewKey::named("prod-lost")?.scopes("invoices:write".parse()?);
    let lost = world.generate(lost).await?;
    world.set_policy(|policy| cut_scopes(&mut policy.plan, "invoices:read reports:read")).await?;
    world.set_policy(|policy| add_role(&mut policy.plan, "analyst", "invoices:read")).await?;
    let refused = hand(world, &lost.key.id, &role).await;
    assert!(matches!(refused, Err(KeyError::Rule(RuleError::NoScopeLeft))), "{refused:?}");
    // Between users, a key keeps its own scopes until the plan has them again.
    hand(world, &lost.key.id, &world.bob.as_owner()).await?;
    assert_eq!(scopes(&lost).await?, "");
    world.set_policy(|policy| add_role(&mut policy.plan, "writer", "invoices:write")).await?;
    assert_eq!(scopes(&lost).await?, "invoices:write");
    Ok(())
}

#[common::test(each_store)]
async fn b14_leaving_owner_hands_over_all_keys(world: &World) -> TestResult {
    let mut keys = Vec::new();
    for status in KeyStatus::ALL {
        keys.push((status, world.generate_in(status).await?));
    }
    let (alice, bob) = (world.alice.as_owner(), world.bob.as_owner());
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(4)).await?;
    for _ in 0..2 {
        world.generate_for(&world.bob, NewKey::named("prod-of-bob")?).await?;
    }
    let before = shown(world, &keys).await?;
    // Two of the three live keys would fit: none is handed over.
    let refused = world.authority.transfer_owned(&world.admin, &alice, &bob).await;
    assert_full(refused.map(|_| bob.clone()), 4);
    assert_eq!(shown(world, &keys).await?, before);
    let (broken, faults) = world.with_faults()?;
    faults.set(Fault::WritesLost);
    let failed = broken.authority.transfer_owned(&world.admin, &alice, &Owner::Organization).await;
    assert!(matches!(failed, Err(KeyError::Store(_))), "{failed:?}");
    assert_eq!(shown(world, &keys).await?, before);

    let handed = world.authority.transfer_owned(&world.admin, &alice, &Owner::Organization).await?;
    let live = keys.iter().filter(|(status, _)| status.is_live());
    let live = sorted(live.map(|(_, issued)| issued.key.id));
    assert_eq!(sorted(handed.iter().map(|key| key.id)), live);
    for (status, issued) in &keys {
        let entry = world.authority.key(&world.admin, &issued.key.id).await?;
        let owner = if status.is_live() { &Owner::Organization } else { &alice };
        assert_eq!((&entry.key.owner, entry.status), (owner, *status));
        let last = world.events_of(&issued.key.id).await?.pop().ok_or("an event")?;
        assert_eq!(last.kind == Operation::KeyTransfer.into(), status.is_live());
    }
    assert_eq!(world.check(&keys[0].1).await, Ok(()));
    let again = world.authority.transfer_owned(&world.admin, &alice, &Owner::Organization).await?;
    assert_eq!(again, []);
    Ok(())
}

#[common::test(each_store)]
async fn q5_listing_shows_and_finds_display_names(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let id: &UserId = world.alice.id();
    let found = async |text: &str| -> TestResult<usize> {
        let query = KeyQuery::new().search(text);
        Ok(world.authority.keys(&world.admin, &query).await?.items.len())
    };
    for name in [Some("Alice Jones"), Some("Alice Wong"), None] {
        let given = name.map(Name::new).transpose()?;
        world.authority.set_display_name(&world.admin, id, given.clone()).await?;
        let entry = world.authority.key(&world.admin, &issued.key.id).await?;
        assert_eq!(entry.owner_name, given);
        for word in ["jones", "wong"] {
            let is_named = name.is_some_and(|name| name.to_lowercase().contains(word));
            assert_eq!(found(word).await?, usize::from(is_named), "{word} of {name:?}");
        }
        assert_eq!(world.check(&issued).await, Ok(()));
    }
    Ok(())
}

/// Hands a key over as the tenant's admin, and returns its owner.
async fn hand(world: &World, key: &KeyId, to: &Owner) -> Result<Owner, KeyError> {
    let done = world.authority.transfer_key(&world.admin, key, to).await?;
    Ok(done.into_inner().owner)
}

#[track_caller]
fn assert_full(refused: Result<Owner, KeyError>, expected: u16) {
    let error = refused.expect_err("the new owner has too many keys");
    let KeyError::NewOwner(NewOwnerError::TooManyKeys { limit }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(limit, expected);
}

async fn answers(world: &World, keys: &[(KeyStatus, Issued)]) -> Vec<Result<(), Reason>> {
    let mut answers = Vec::new();
    for (_, issued) in keys {
        answers.push(world.check(issued).await);
    }
    answers
}

async fn shown(world: &World, keys: &[(KeyStatus, Issued)]) -> TestResult<Vec<serde_json::Value>> {
    let mut shown = Vec::new();
    for (_, issued) in keys {
        shown.push(world.stored(&issued.key.id).await);
    }
    Ok(shown)
}
