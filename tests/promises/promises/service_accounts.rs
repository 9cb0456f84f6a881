//! E: service accounts, whose role, access and state apply to all their keys.

use keywright::store::{AccountQuery, Batch, Change, KeyQuery, StoreErrorKind};
use keywright::{
    Access, AccessRequest, AccountEdit, AccountError, GenerateError, Issued, KeyError, KeyStatus,
    ListError, Name, NewAccount, NewKey, Operation, Owner, Reason, Requirement, RoleName,
    RuleError, Scope, ServiceAccount,
};

use common::faults::Fault;
use common::{TestResult, World, add_role, missing};

#[common::test(each_store)]
async fn e1_account_has_name_role_and_keys(world: &World) -> TestResult {
    let role = RoleName::new("analyst")?;
    let name = Name::new("nightly-report")?;
    let new = NewAccount::new(name.clone(), role.clone());
    let writing = world.authority.create_account(&world.admin, new.clone()).await?.account;
    let reading = world.authority.create_account(&world.admin, new.read_only()).await?.account;
    assert_eq!((writing.access, reading.access), (Access::ReadWrite, Access::ReadOnly));
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1_000)).await?;
    for account in [&writing, &reading] {
        assert_eq!((&account.name, &account.role, account.enabled), (&name, &role, true));
        assert_eq!(world.account_now(account).await?, *account);
        let keys = generate_many(world, account, 25).await?;
        for issued in &keys {
            let grant = world.verifier.verify(issued.token.expose()).await?;
            assert_eq!(*grant.owner(), Owner::Account(account.id));
            assert_eq!(grant.access(), account.access);
        }
    }
    let found = world.authority.accounts(&world.admin, &AccountQuery::new()).await?;
    assert_eq!(found.items.len(), 2);
    Ok(())
}

#[common::test(each_store)]
async fn e2_account_change_affects_all_its_keys(world: &World) -> TestResult {
    let account = world.account("nightly-report", "operator").await?;
    let keys = generate_many(world, &account, 3).await?;
    let other = world.account("weekly-report", "operator").await?;
    let of_other = generate_many(world, &other, 1).await?;
    let write = Scope::new("invoices:write")?;
    let edit = |edit| world.authority.edit_account(&world.admin, &account.id, edit);
    let before = shown(world, &keys).await?;

    assert_all(world, &keys, &write, Ok(())).await?;
    edit(AccountEdit::new().role(RoleName::new("analyst")?)).await?;
    assert_all(world, &keys, &write, Err(Reason::MissingScope(write.clone()))).await?;
    edit(AccountEdit::new().role(RoleName::new("operator")?)).await?;
    assert_all(world, &keys, &write, Ok(())).await?;
    edit(AccountEdit::new().access(Access::ReadOnly)).await?;
    assert_all(world, &keys, &write, Err(Reason::ReadOnly)).await?;
    edit(AccountEdit::new().access(Access::ReadWrite)).await?;
    assert_all(world, &keys, &write, Ok(())).await?;

    assert_eq!(shown(world, &keys).await?, before, "no key was written");
    assert_all(world, &of_other, &write, Ok(())).await?;
    Ok(())
}

#[common::test(each_store)]
async fn e3_role_is_a_named_scope_set(world: &World) -> TestResult {
    let analyst = RoleName::new("analyst")?;
    let unknown = RoleName::new("janitor")?;
    let new = NewAccount::new(Name::new("nightly-report")?, unknown.clone());
    let refused = world.authority.create_account(&world.admin, new).await;
    assert!(matches!(&refused, Err(AccountError::UnknownRole(r)) if *r == unknown));
    let account = world.account("nightly-report", "analyst").await?;
    let edit = AccountEdit::new().role(unknown);
    let refused = world.authority.edit_account(&world.admin, &account.id, edit).await;
    assert!(matches!(refused, Err(AccountError::UnknownRole(_))), "{refused:?}");

    let all = world.generate_under(&account, NewKey::named("prod-all")?).await?;
    let some = NewKey::named("prod-some")?.scopes("reports:read".parse()?);
    let some = world.generate_under(&account, some).await?;
    assert_eq!(scopes(world, &all).await?, "invoices:read reports:read");
    assert_eq!(scopes(world, &some).await?, "reports:read");
    let above = NewKey::named("prod-above")?.scopes("invoices:write".parse()?);
    let refused = world.generate_under(&account, above).await;
    let outside = |e: &RuleError| matches!(e, RuleError::ScopeOutsideCeiling(_));
    assert!(matches!(&refused, Err(GenerateError::Rule(e)) if outside(e)), "{refused:?}");

    // The plan defines the scopes of a role, and a change applies to every key at once.
    let wider = "invoices:read invoices:write";
    world.set_policy(|policy| add_role(&mut policy.plan, "analyst", wider)).await?;
    assert_eq!(scopes(world, &all).await?, "invoices:read invoices:write");
    assert_eq!(scopes(world, &some).await?, "");
    world.set_policy(|policy| drop(policy.plan.roles.remove(&analyst))).await?;
    assert_eq!(scopes(world, &all).await?, "", "a removed role allows nothing");
    Ok(())
}

#[common::test(each_store)]
async fn e4_disabled_account_stops_and_restores_keys(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let keys = generate_many(world, &account, 3).await?;
    world.authority.disable(&world.admin, &keys[1].key.id).await?;
    let before = shown(world, &keys).await?;

    let disabled = world.authority.disable_account(&world.admin, &account.id).await?;
    assert!(!disabled.is_unchanged());
    assert_eq!(world.check(&keys[0]).await, Err(Reason::AccountDisabled));
    assert_eq!(world.check(&keys[1]).await, Err(Reason::Disabled));
    assert_eq!(world.check(&keys[2]).await, Err(Reason::AccountDisabled));
    let entry = world.authority.key(&world.admin, &keys[0].key.id).await?;
    let seen = (entry.status, entry.refused_because);
    assert_eq!(seen, (KeyStatus::Active, Some(Reason::AccountDisabled)));
    let more = world.generate_under(&account, NewKey::named("prod-more")?).await;
    assert!(matches!(more, Err(GenerateError::AccountDisabled(_))), "{more:?}");
    let again = world.authority.disable_account(&world.admin, &account.id).await?;
    assert!(again.is_unchanged());

    let enabled = world.authority.enable_account(&world.admin, &account.id).await?;
    assert!(!enabled.is_unchanged());
    assert_eq!(world.check(&keys[0]).await, Ok(()));
    assert_eq!(world.check(&keys[1]).await, Err(Reason::Disabled));
    assert_eq!(world.check(&keys[2]).await, Ok(()));
    assert_eq!(shown(world, &keys).await?, before);
    let again = world.authority.enable_account(&world.admin, &account.id).await?;
    assert!(again.is_unchanged());
    Ok(())
}

#[common::test(each_store)]
async fn e5_deleted_account_deletes_its_keys(world: &World) -> TestResult {
    // More keys than one page holds, and at least one in each status.
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1_000)).await?;
    let account = world.account("nightly-report", "analyst").await?;
    let owner = Owner::Account(account.id);
    let mut keys = generate_many(world, &account, 501).await?;
    for status in KeyStatus::ALL {
        keys.push(world.generate_owned_in(&owner, status).await?);
    }
    let other = world.generate(NewKey::named("prod-main-app")?).await?;

    let (broken, faults) = world.with_faults()?;
    faults.set(Fault::WritesLost);
    let failed = broken.authority.delete_account(&world.admin, &account.id).await;
    assert!(matches!(failed, Err(AccountError::Store(_))), "{failed:?}");
    assert_eq!(world.check(&keys[0]).await, Ok(()));
    assert_eq!(world.check(&keys[500]).await, Ok(()));

    world.authority.delete_account(&world.admin, &account.id).await?;
    for issued in &keys {
        assert_eq!(world.check(issued).await, Err(Reason::Unrecognized));
    }
    let left = world.authority.keys(&world.admin, &KeyQuery::new().owner(owner)).await?;
    assert!(left.items.is_empty(), "{left:?}");
    assert_eq!(world.check(&other).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn e5_deleted_account_never_comes_back(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let id = &account.id;
    world.authority.delete_account(&world.admin, id).await?;
    let attempts = [
        world.account_now(&account).await.map(drop),
        world.authority.enable_account(&world.admin, id).await.map(drop),
        world.authority.edit_account(&world.admin, id, AccountEdit::new()).await.map(drop),
        world.authority.delete_account(&world.admin, id).await,
    ];
    for attempt in attempts {
        assert!(matches!(attempt, Err(AccountError::NotFound(_))), "{attempt:?}");
    }
    let key = world.generate_under(&account, NewKey::named("prod-main-app")?).await;
    assert!(matches!(key, Err(GenerateError::AccountNotFound(_))), "{key:?}");
    let tenant = account.tenant.clone();
    let insert = Batch { changes: vec![Change::InsertAccount(account)], ..Batch::of(tenant) };
    let refused = world.store.commit(insert).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(StoreErrorKind::AlreadyExists));
    Ok(())
}

#[common::test(each_store)]
async fn e6_account_keys_are_generated_and_deleted(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let keys = generate_many(world, &account, 2).await?;
    assert_eq!(keys[0].key.owner, Owner::Account(account.id));
    world.authority.delete(&world.admin, &keys[0].key.id).await?;
    assert_eq!(world.check(&keys[0]).await, Err(Reason::Unrecognized));
    assert_eq!(world.check(&keys[1]).await, Ok(()));
    assert_eq!(world.account_now(&account).await?, account);
    Ok(())
}

#[common::test(each_store)]
async fn e6_account_key_events_are_found(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
    let id = &issued.key.id;
    world.authority.disable(&world.admin, id).await?;
    world.authority.revoke(&world.admin, id).await?;
    world.authority.delete(&world.admin, id).await?;
    let query = keywright::store::EventQuery::new().account(account.id);
    let kinds: Vec<_> = world.events(query).await?.iter().map(|e| e.kind.to_string()).collect();
    let all = ["account.create", "key.generate", "key.disable", "key.revoke", "key.delete"];
    assert_eq!(kinds, all);
    Ok(())
}

#[common::test(each_store)]
async fn e7_only_administrators_manage_accounts(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    let id = &account.id;
    let issued = world.generate_under(&account, NewKey::named("prod-main-app")?).await?;
    let authority = &world.authority;
    for actor in [&world.tenant_admin, &world.alice, &world.auditor] {
        let new = NewAccount::new(Name::new("other")?, RoleName::new("analyst")?);
        let edit = AccountEdit::new().role(RoleName::new("operator")?);
        let attempts = [
            authority.create_account(actor, new).await.map(drop),
            authority.edit_account(actor, id, edit).await.map(drop),
            authority.disable_account(actor, id).await.map(drop),
            authority.enable_account(actor, id).await.map(drop),
            authority.delete_account(actor, id).await,
        ];
        for attempt in attempts {
            assert!(matches!(attempt, Err(AccountError::PermissionDenied(_))), "{attempt:?}");
        }
        let owner = Owner::Account(*id);
        let made =
            authority.generate(actor, NewKey::named("prod-other")?.owner(owner.clone())).await;
        assert!(missing(&made).contains(&Requirement::Permission), "{made:?}");
        let key = &issued.key.id;
        let attempts = [
            (Operation::KeyDisable, authority.disable(actor, key).await.map(drop)),
            (Operation::KeyDelete, authority.delete(actor, key).await),
        ];
        for (operation, attempt) in attempts {
            match attempt {
                Err(KeyError::PermissionDenied(because)) => {
                    assert_eq!(because.operation, operation);
                }
                Err(KeyError::NotFound(_)) => assert_eq!(actor.id(), world.alice.id()),
                other => panic!("{operation}: {other:?}"),
            }
        }
    }
    let listed = authority.accounts(&world.alice, &AccountQuery::new()).await;
    assert!(matches!(listed, Err(ListError::PermissionDenied(_))), "{listed:?}");
    assert_eq!(world.account_now(&account).await?, account);
    assert_eq!(world.check(&issued).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn e8_read_only_account_keys_never_write(world: &World) -> TestResult {
    // The role and the key both allow the scope.
    let role = RoleName::new("operator")?;
    let new = NewAccount::new(Name::new("nightly-report")?, role).read_only();
    let account = world.authority.create_account(&world.admin, new).await?.account;
    let key = NewKey::named("prod-main-app")?.scopes("invoices:write".parse()?);
    let old = world.generate_under(&account, key).await?;
    let new = world.authority.rotate(&world.admin, &old.key.id, common::DAY).await?;
    let write = Scope::new("invoices:write")?;
    for issued in [&old, &new] {
        let token = issued.token.expose();
        let (id, secret) = (issued.key.id.as_str(), issued.token.expose_key_secret());
        for request in [AccessRequest::token(token), AccessRequest::parts(id, secret)] {
            assert_eq!(world.check_request(&request).await, Ok(()));
            let needed = request.clone().write();
            assert_eq!(world.check_request(&needed).await, Err(Reason::ReadOnly));
            let needed = request.write().scope(&write);
            assert_eq!(world.check_request(&needed).await, Err(Reason::ReadOnly));
        }
        let grant = world.verifier.verify(token).await?;
        assert_eq!(grant.access(), Access::ReadOnly);
    }
    Ok(())
}

async fn generate_many(
    world: &World,
    account: &ServiceAccount,
    count: usize,
) -> TestResult<Vec<Issued>> {
    let mut keys = Vec::with_capacity(count);
    for number in 0..count {
        let new = NewKey::named(format!("prod-job-{number}"))?;
        keys.push(world.generate_under(account, new).await?);
    }
    Ok(keys)
}

/// Asserts the result of a writing request for a scope with each of the keys.
async fn assert_all(
    world: &World,
    keys: &[Issued],
    scope: &Scope,
    expected: Result<(), Reason>,
) -> TestResult {
    for issued in keys {
        let request = AccessRequest::token(issued.token.expose()).write().scope(scope);
        assert_eq!(world.check_request(&request).await, expected, "{}", issued.key.name);
    }
    Ok(())
}

async fn scopes(world: &World, issued: &Issued) -> TestResult<String> {
    Ok(world.verifier.verify(issued.token.expose()).await?.scopes().to_string())
}

async fn shown(world: &World, keys: &[Issued]) -> TestResult<Vec<serde_json::Value>> {
    let mut shown = Vec::with_capacity(keys.len());
    for issued in keys {
        shown.push(world.shown(&issued.key.id).await?);
    }
    Ok(shown)
}
