//! E9: one call lists accounts with the numbers of their keys, the keys, and the possible actions.

use std::sync::Arc;

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{AccountQuery, KeyStore, StoreError, async_trait};
use keywright::{
    AccountEdit, AccountEntry, AccountError, Actor, KeyStatus, Name, NewAccount, Operation, Owner,
    Permissions, Reason, RoleName, ServiceAccount, UserId,
};

use common::{DAY, HOUR, SECOND, TestResult, World, named};

use Operation::{
    AccountDelete, AccountDisable, AccountEdit as Edit, AccountEnable, KeyGenerate, KeyRevoke,
    KeyTransfer,
};

async fn entry_of(
    world: &World,
    actor: &Actor,
    account: &ServiceAccount,
) -> TestResult<AccountEntry> {
    let page = world.authority.accounts(actor, &AccountQuery::new()).await?;
    let listed = page.items.into_iter().find(|entry| entry.account.id == account.id);
    let listed = listed.ok_or("the account is listed")?;
    let shown = world.authority.account(actor, &account.id).await?;
    assert_eq!(serde_json::to_value(&listed)?, serde_json::to_value(&shown)?, "list and show");
    Ok(listed)
}

fn numbers(entry: &AccountEntry) -> (u64, Option<u16>, u64) {
    let number = |number: Option<u64>| number.expect("the actor sees the keys");
    (number(entry.live_keys), entry.max_keys, number(entry.all_keys))
}

#[common::test(each_store)]
async fn e9_accounts_come_with_their_keys(world: &World) -> TestResult {
    let (account, empty) = (world.account("nightly", "analyst").await?, "weekly");
    let empty = world.account(empty, "operator").await?;
    assert_eq!(numbers(&entry_of(world, &world.admin, &account).await?), (0, None, 0));
    let mut keys = Vec::new();
    for (name, new) in [
        ("prod-a", named("prod-a")),
        ("prod-b", named("prod-b")),
        ("prod-c", named("prod-c").expires_in(HOUR)),
        ("prod-d", named("prod-d").not_before(world.later(DAY))),
    ] {
        world.clock.advance(HOUR / 60);
        keys.push((name, world.generate_under(&account, new).await?));
    }
    world.authority.revoke(&world.admin, &keys[0].1.key.id).await?;
    world.authority.disable(&world.admin, &keys[1].1.key.id).await?;
    world.clock.advance(HOUR);
    world.set_policy(|policy| policy.plan.max_keys_per_account = Some(10)).await?;
    let entry = entry_of(world, &world.admin, &account).await?;
    assert_eq!(numbers(&entry), (2, Some(10), 4), "2 of 10 keys, 4 in all");
    assert_eq!(entry.scopes.to_string(), "invoices:read reports:read");
    let shown: Vec<_> = entry.keys.iter().map(|key| (key.key.name.as_str(), key.status)).collect();
    let newest_first = [
        ("prod-d", KeyStatus::Scheduled),
        ("prod-c", KeyStatus::Expired),
        ("prod-b", KeyStatus::Disabled),
        ("prod-a", KeyStatus::Revoked),
    ];
    assert_eq!(shown, newest_first);
    for key in &entry.keys {
        let alone = world.authority.key(&world.admin, &key.key.id).await?;
        assert_eq!(serde_json::to_value(key)?, serde_json::to_value(alone)?, "as listed alone");
    }
    let other = entry_of(world, &world.admin, &empty).await?;
    assert_eq!((numbers(&other), other.keys.len()), ((0, Some(10), 0), 0));

    for _ in 0..20 {
        world.generate_under(&empty, named("prod-many")).await.map(drop).or_else(|error| {
            matches!(error, keywright::GenerateError::TooManyKeys { .. }).then_some(()).ok_or(error)
        })?;
    }
    world.set_policy(|policy| policy.plan.max_keys_per_account = None).await?;
    for _ in 0..15 {
        world.generate_under(&empty, named("prod-many")).await?;
    }
    let entry = entry_of(world, &world.admin, &empty).await?;
    assert_eq!(numbers(&entry), (25, None, 25));
    assert_eq!(entry.keys.len(), usize::from(AccountEntry::NEWEST_KEYS));
    Ok(())
}

#[common::test(each_store)]
async fn e9_account_shows_its_possible_actions(world: &World) -> TestResult {
    let account = world.account("nightly", "analyst").await?;
    let actions = async |actor: &Actor| -> TestResult<Vec<Operation>> {
        Ok(entry_of(world, actor, &account).await?.actions)
    };
    let all = |of_keys: &[Operation], of_account: &[Operation]| [of_keys, of_account].concat();
    let enabled = [Edit, AccountDisable, AccountDelete];
    assert_eq!(actions(&world.admin).await?, all(&[KeyGenerate], &enabled));
    assert_eq!(actions(&world.auditor).await?, []);
    world.generate_under(&account, named("prod-nightly")).await?;
    let of_keys = [KeyGenerate, KeyRevoke, KeyTransfer];
    assert_eq!(actions(&world.admin).await?, all(&of_keys, &enabled));
    assert_eq!(actions(&world.tenant_admin).await?, [KeyRevoke]);

    world.set_policy(|policy| policy.plan.max_keys_per_account = Some(1)).await?;
    assert_eq!(actions(&world.admin).await?, all(&of_keys[1..], &enabled), "1 of 1 keys");
    world.set_policy(|policy| policy.plan.max_keys_per_account = None).await?;
    let disabled = world.authority.disable_account(&world.admin, &account.id).await?;
    let entry = disabled.into_inner();
    let without = [Edit, AccountEnable, AccountDelete];
    assert_eq!(entry.actions, all(&of_keys[1..], &without));
    assert_eq!(entry.refused_because, Some(Reason::AccountDisabled));
    assert_eq!(entry.keys[0].refused_because, Some(Reason::AccountDisabled));
    world.authority.enable_account(&world.admin, &account.id).await?;
    world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
    let entry = entry_of(world, &world.admin, &account).await?;
    assert_eq!(entry.refused_because, Some(Reason::AccessOff));
    assert!(!entry.actions.contains(&KeyGenerate));
    Ok(())
}

#[common::test(each_store)]
async fn e9_every_account_change_answers_its_entry(world: &World) -> TestResult {
    let (authority, admin) = (&world.authority, &world.admin);
    let new = NewAccount::new(Name::new("nightly")?, RoleName::new("operator")?);
    let made = authority.create_account(admin, new).await?;
    let account = made.account.clone();
    let same = async |answer: AccountEntry| -> TestResult {
        let now = authority.account(admin, &account.id).await?;
        assert_eq!(serde_json::to_value(answer)?, serde_json::to_value(now)?);
        Ok(())
    };
    same(made).await?;
    world.generate_under(&account, named("prod-nightly")).await?;
    let edit = || AccountEdit::new().role("analyst".parse().expect("a role"));
    let id = &account.id;
    for _ in 0..2 {
        same(authority.edit_account(admin, id, edit()).await?.into_inner()).await?;
    }
    for _ in 0..2 {
        same(authority.disable_account(admin, id).await?.into_inner()).await?;
    }
    for _ in 0..2 {
        same(authority.enable_account(admin, id).await?.into_inner()).await?;
    }
    Ok(())
}

#[common::test(each_store)]
async fn e9_account_keys_need_their_permission(world: &World) -> TestResult {
    let account = world.account("nightly", "analyst").await?;
    world.generate_under(&account, named("prod-nightly")).await?;
    let accounts_only = Actor::new(UserId::new("carol")?, Permissions::SHOW_ACCOUNTS);
    let accounts_only = accounts_only.in_tenant(world.tenant().clone());
    let entry = entry_of(world, &accounts_only, &account).await?;
    assert_eq!((entry.keys.len(), entry.actions.len()), (0, 0));
    assert_eq!((entry.live_keys, entry.all_keys), (None, None));
    let page = world.authority.accounts(&world.other, &AccountQuery::new()).await?;
    assert_eq!(page.items.len(), 0, "accounts of another tenant");
    let found = world.authority.account(&world.other, &account.id).await;
    assert!(matches!(found, Err(AccountError::NotFound(_))), "{found:?}");
    Ok(())
}

#[common::test(each_store)]
async fn e9_page_of_accounts_needs_three_calls(world: &World) -> TestResult {
    let mut accounts = Vec::new();
    for number in 0..200 {
        world.clock.advance(SECOND);
        accounts.push(world.account(&format!("account-{number}"), "analyst").await?);
    }
    for account in &accounts[..20] {
        world.generate_under(account, named("prod-nightly")).await?;
    }
    let (counted, faults) = world.with_faults()?;
    let calls = async |limit| -> TestResult<(usize, usize)> {
        let before = faults.calls();
        let query = AccountQuery::new().limit(limit);
        let page = counted.authority.accounts(&world.admin, &query).await?;
        let keys: usize = page.items.iter().map(|entry| entry.keys.len()).sum();
        assert_eq!((page.items.len(), keys), (limit.into(), usize::from(limit).min(20)));
        Ok((page.items.len(), faults.calls() - before))
    };
    assert_eq!(calls(1).await?, (1, 3));
    assert_eq!(calls(200).await?, (200, 3));
    let before = faults.calls();
    counted.authority.account(&world.admin, &accounts[0].id).await?;
    assert_eq!(faults.calls() - before, 3);
    let owner = Owner::Account(accounts[0].id);
    let keys = world.authority.abilities(&world.admin, &owner).await?.keys;
    assert_eq!(keys.map(|keys| keys.live), Some(1));
    Ok(())
}

/// A store in which no listing can be read.
#[derive(Debug)]
struct Unlisted;

#[async_trait]
impl Intercept for Unlisted {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        match call {
            Call::OwnedKeys(..) | Call::Keys(..) | Call::Policies(..) => {
                Err(StoreError::corrupt("a row cannot be decoded"))
            }
            call => call.pass_on(store).await,
        }
    }
}

#[common::test(each_store)]
async fn e4_account_stops_although_listings_fail(world: &World) -> TestResult {
    let account = world.account("nightly", "analyst").await?;
    let issued = world.generate_under(&account, named("prod-nightly")).await?;
    let store = InterceptedStore::new(Arc::clone(&world.store), Unlisted);
    let builder = keywright::Keywright::builder(store).clock(world.clock.clone());
    let authority = builder.build()?.authority();

    let disabled = authority.disable_account(&world.admin, &account.id).await?;
    assert!(!disabled.is_unchanged());
    let entry = disabled.into_inner();
    assert!(!entry.account.enabled);
    assert_eq!((entry.live_keys, entry.keys.len(), entry.actions.len()), (None, 0, 0));
    let refused = world.verifier.verify(issued.token.expose()).await;
    assert!(refused.is_err(), "the keys of the account are stopped");
    assert!(authority.account(&world.admin, &account.id).await.is_err());
    Ok(())
}
