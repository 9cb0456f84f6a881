//! A key or an account that does not exist gets the same answer as one of another tenant, from
//! every operation.

use keywright::store::{AccountQuery, EventQuery, KeyQuery};
use keywright::{
    AccountEdit, AccountError, AccountId, Actor, GenerateError, KeyEdit, KeyError, KeyId, Metadata,
    NewAccount, Owner, Permissions, RoleName, TenantId,
};

use super::{assert_is_said, name, picture, role, world};
use common::{HOUR, World, admin, block_on, chain, developer, named, user};

const NOWHERE: &str = "0000000000000000";

/// Returns the answer of every operation on a key: the error's variant and its text.
async fn answers_of_key(world: &World, actor: &Actor, key: &KeyId) -> Vec<String> {
    let authority = &world.authority;
    let metadata = KeyEdit::new().metadata(Metadata::default());
    let scopes = KeyEdit::new().scopes("invoices:read".parse().expect("scopes"));
    let mut many = authority.revoke_many(actor, &[*key]).await;
    let (id, of_many) = many.pop().expect("an answer for each");
    assert_eq!(id, *key);
    let answers = [
        authority.key(actor, key).await.err(),
        authority.rename(actor, key, name("other")).await.err(),
        authority.edit(actor, key, metadata).await.err(),
        authority.edit(actor, key, scopes).await.err(),
        authority.disable(actor, key).await.err(),
        authority.enable(actor, key).await.err(),
        authority.rotate(actor, key, HOUR).await.err(),
        authority.finish_rotation(actor, key).await.err(),
        authority.revoke(actor, key).await.err(),
        of_many.err(),
        authority.delete(actor, key).await.err(),
    ];
    answers.into_iter().map(|error| said(error.expect("refused"), key.as_str())).collect()
}

/// Returns the answer of every operation on a service account: the error's variant and its text.
async fn answers_of_account(world: &World, actor: &Actor, account: &AccountId) -> Vec<String> {
    let authority = &world.authority;
    let edit = AccountEdit::new().name(name("other"));
    let of_role = AccountEdit::new().role(role("analyst"));
    let answers = [
        authority.account(actor, account).await.err(),
        authority.edit_account(actor, account, edit).await.err(),
        authority.edit_account(actor, account, of_role).await.err(),
        authority.disable_account(actor, account).await.err(),
        authority.enable_account(actor, account).await.err(),
        authority.delete_account(actor, account).await.err(),
    ];
    answers.into_iter().map(|error| said(error.expect("refused"), account.as_str())).collect()
}

fn said(error: impl std::error::Error, id: &str) -> String {
    assert_is_said(&error);
    format!("{error:?} {}", chain(&error).join(": ")).replace(id, "ID")
}

fn of_other_tenant() -> Actor {
    Actor::administrator(user("ada")).in_tenant(TenantId::new("initech").expect("a tenant"))
}

#[test]
fn t_a06_key_of_another_tenant_is_not_found() {
    block_on(async {
        let (world, issued, _) = world().await;
        let before = picture(&world.authority).await;
        let unknown: KeyId = NOWHERE.parse().expect("an id");
        let absent = answers_of_key(&world, &of_other_tenant(), &unknown).await;
        assert_eq!(absent.len(), 11);
        for answer in &absent {
            assert_eq!(answer, "NotFound(KeyId(ID)) key ID was not found");
        }
        assert_eq!(answers_of_key(&world, &of_other_tenant(), &issued.key.id).await, absent);
        assert_eq!(answers_of_key(&world, &admin(), &unknown).await, absent);
        assert_eq!(picture(&world.authority).await, before);
        world.verifier.verify(issued.token.expose()).await.expect("the key works as before");
    });
}

#[test]
fn t_a06_key_of_another_developer_is_not_found() {
    block_on(async {
        let (world, issued, _) = world().await;
        let before = picture(&world.authority).await;
        let unknown: KeyId = NOWHERE.parse().expect("an id");
        let bob = developer("bob");
        let absent = answers_of_key(&world, &bob, &unknown).await;
        assert_eq!(answers_of_key(&world, &bob, &issued.key.id).await, absent);
        let nobody = Actor::new(user("eve"), Permissions::NONE).in_tenant(bob.tenant().clone());
        assert_eq!(answers_of_key(&world, &nobody, &issued.key.id).await, absent);
        assert_eq!(picture(&world.authority).await, before);
    });
}

#[test]
fn t_a06_account_of_another_tenant_is_not_found() {
    block_on(async {
        let (world, _, account) = world().await;
        let before = picture(&world.authority).await;
        let unknown: AccountId = NOWHERE.parse().expect("an id");
        let absent = answers_of_account(&world, &of_other_tenant(), &unknown).await;
        assert_eq!(absent.len(), 6);
        for answer in &absent {
            assert_eq!(answer, "NotFound(AccountId(ID)) service account ID was not found");
        }
        assert_eq!(answers_of_account(&world, &of_other_tenant(), &account).await, absent);
        assert_eq!(answers_of_account(&world, &admin(), &unknown).await, absent);
        assert_eq!(picture(&world.authority).await, before);
    });
}

#[test]
fn missing_account_gets_no_key() {
    block_on(async {
        let (world, _, account) = world().await;
        let before = picture(&world.authority).await;
        let unknown: AccountId = NOWHERE.parse().expect("an id");
        for (actor, id) in [(admin(), unknown), (of_other_tenant(), account)] {
            let made =
                world.authority.generate(&actor, named("app").owner(Owner::Account(id))).await;
            let error = made.expect_err("there is no such account");
            assert!(matches!(error, GenerateError::AccountNotFound(e) if e == id), "{error:?}");
            assert_is_said(&error);
        }
        let disabled = world.authority.disable_account(&admin(), &account).await;
        disabled.expect("the account exists");
        let made =
            world.authority.generate(&admin(), named("app").owner(Owner::Account(account))).await;
        let error = made.expect_err("the account is disabled");
        assert!(matches!(error, GenerateError::AccountDisabled(_)), "{error:?}");
        world.authority.enable_account(&admin(), &account).await.expect("the account exists");
        assert_ne!(picture(&world.authority).await, before, "only the two changes");
        let keys = world.authority.keys(&admin(), &KeyQuery::new()).await.expect("keys");
        assert_eq!(keys.items.len(), 2);
    });
}

#[test]
fn t_a06_listing_excludes_other_tenants() {
    block_on(async {
        let (world, issued, account) = world().await;
        let other = of_other_tenant();
        let queries = [
            KeyQuery::new(),
            KeyQuery::new().search("prod"),
            KeyQuery::new().search(issued.key.id.as_str()),
            KeyQuery::new().owner(issued.key.owner.clone()),
            KeyQuery::new().owner(Owner::Account(account)),
        ];
        for query in queries {
            let page = world.authority.keys(&other, &query).await.expect("a page");
            assert!(page.items.is_empty() && page.next.is_none(), "{query:?}");
        }
        let accounts = world.authority.accounts(&other, &AccountQuery::new()).await;
        assert!(accounts.expect("a page").items.is_empty());
        let events = EventQuery::new().key(issued.key.id);
        assert!(world.authority.events(&other, &events).await.expect("a page").items.is_empty());
    });
}

#[test]
fn t_a04_role_missing_from_policy_is_refused() {
    block_on(async {
        let (world, _, account) = world().await;
        let before = picture(&world.authority).await;
        let missing = role("missing");
        let new = NewAccount::new(name("other"), missing.clone());
        let errors: [AccountError; 2] = [
            world.authority.create_account(&admin(), new).await.expect_err("no such role"),
            world
                .authority
                .edit_account(&admin(), &account, AccountEdit::new().role(missing.clone()))
                .await
                .expect_err("no such role"),
        ];
        for error in errors {
            assert!(matches!(&error, AccountError::UnknownRole(r) if *r == missing), "{error:?}");
            assert!(error.to_string().contains(RoleName::as_str(&missing)), "{error}");
        }
        assert_eq!(picture(&world.authority).await, before);
    });
}

#[test]
fn bulk_answers_keep_the_given_order() {
    block_on(async {
        let (world, issued, _) = world().await;
        let unknown: KeyId = NOWHERE.parse().expect("an id");
        let asked = [unknown, issued.key.id, issued.key.id];
        let answers = world.authority.revoke_many(&admin(), &asked).await;
        assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), asked);
        assert!(matches!(answers[0].1, Err(KeyError::NotFound(id)) if id == unknown));
        assert!(matches!(&answers[1].1, Ok(outcome) if !outcome.is_unchanged()));
        assert!(matches!(&answers[2].1, Ok(outcome) if outcome.is_unchanged()));
        assert!(world.authority.revoke_many(&admin(), &[]).await.is_empty());
    });
}
