//! Q11: the number of rows of a listing, and listings that look nothing up one by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{
    AccountQuery, KeyQuery, KeySort, KeyStore, StoreError, StoreErrorKind, TenantQuery, async_trait,
};
use keywright::{
    Actor, GenerateError, KeyStatus, ListError, NewKey, Operator, Owner, OwnerKind, Permissions,
};

use common::{DAY, HOUR, TestResult, World, named, open_policy, user};

/// The number of items on the pages whose store calls are counted.
const ROWS: u16 = 200;
const ROW_COUNT: usize = ROWS as usize;

/// Returns the number that the store counts, and the number of keys on all pages.
async fn counted(world: &World, actor: &Actor, query: &KeyQuery) -> TestResult<(u64, u64)> {
    let count = world.authority.count_keys(actor, query).await?;
    let mut listed = 0;
    let mut next = Some(query.clone().limit(2));
    while let Some(query) = next {
        let page = world.authority.keys(actor, &query).await?;
        listed += page.items.len() as u64;
        next = page.next;
    }
    Ok((count, listed))
}

#[common::test(each_store)]
async fn q11_count_is_the_rows_of_the_listing(world: &World) -> TestResult {
    let account = world.account("nightly-report", "analyst").await?;
    world.generate_under(&account, named("prod-report")).await?;
    world.authority.set_display_name(&world.admin, world.bob.id(), Some("Bob".parse()?)).await?;
    for status in KeyStatus::ALL {
        world.generate_in(status).await?;
    }
    world.generate_for(&world.bob, named("test-app").expires_in(2 * HOUR)).await?;
    let all = KeyQuery::new;
    let queries = [
        (all(), 7),
        (all().limit(1).sort(KeySort::Name).descending(), 7),
        (all().status(KeyStatus::Active), 3),
        (all().status(KeyStatus::Revoked).status(KeyStatus::Expired), 2),
        (all().owner(world.alice.as_owner()), 5),
        (all().owner_kind(OwnerKind::Account), 1),
        (all().search("NIGHTLY"), 1),
        (all().search("bob"), 1),
        (all().search("prod-main"), 5),
        (all().expiring_within(2 * HOUR), 1),
        (all().never_used(), 7),
        (all().search("nothing"), 0),
    ];
    for (query, expected) in queries {
        let seen = counted(world, &world.admin, &query).await?;
        assert_eq!(seen, (expected, expected), "{query:?}");
    }
    world.clock.advance(2 * HOUR);
    let active = all().status(KeyStatus::Active);
    assert_eq!(counted(world, &world.admin, &active).await?, (2, 2), "one has expired");
    let page = world.authority.keys(&world.admin, &all().limit(2)).await?;
    let next = page.next.ok_or("a second page")?;
    assert_eq!(world.authority.count_keys(&world.admin, &next).await?, 7, "not from the cursor");
    world.authority.delete(&world.admin, &page.items[0].key.id).await?;
    assert_eq!(counted(world, &world.admin, &all()).await?, (6, 6), "one was deleted");
    Ok(())
}

#[common::test(each_store)]
async fn q11_count_is_of_visible_keys(world: &World) -> TestResult {
    for _ in 0..3 {
        world.key().await;
    }
    world.generate_for(&world.bob, named("prod-app")).await?;
    let all = KeyQuery::new();
    assert_eq!(counted(world, &world.alice, &all).await?, (3, 3));
    assert_eq!(counted(world, &world.bob, &all).await?, (1, 1));
    assert_eq!(counted(world, &world.tenant_admin, &all).await?, (4, 4));
    assert_eq!(counted(world, &world.other, &all).await?, (0, 0), "another tenant");
    let of_alice = KeyQuery::new().owner(world.alice.as_owner());
    assert_eq!(counted(world, &world.other, &of_alice).await?, (0, 0), "another tenant");
    let nobody = Actor::new(user("eve"), Permissions::NONE).in_tenant(world.tenant().clone());
    for (actor, query) in [(&world.bob, &of_alice), (&nobody, &all), (&nobody, &of_alice)] {
        let refused = world.authority.count_keys(actor, query).await;
        assert!(matches!(refused, Err(ListError::PermissionDenied(_))), "{refused:?}");
        let refused = world.authority.keys(actor, query).await;
        assert!(matches!(refused, Err(ListError::PermissionDenied(_))), "{refused:?}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn q11_page_of_200_owners_is_two_calls(world: &World) -> TestResult {
    for n in 0..ROWS {
        let account = world.account(&format!("job-{n}"), "analyst").await?;
        world.generate_under(&account, named("prod-report")).await?;
    }
    let (counted, faults) = world.with_faults()?;
    let query = KeyQuery::new().limit(ROWS);
    let page = counted.authority.keys(&world.admin, &query).await?;
    let owners: BTreeSet<_> = page.items.iter().filter_map(|e| e.owner_name.as_ref()).collect();
    assert_eq!((page.items.len(), owners.len()), (ROW_COUNT, ROW_COUNT));
    assert_eq!(faults.calls(), 2, "the keys with their owners, and the policy");

    let before = faults.calls();
    assert_eq!(counted.authority.count_keys(&world.admin, &query).await?, u64::from(ROWS));
    assert_eq!(faults.calls() - before, 1, "the number");

    let before = faults.calls();
    let accounts = AccountQuery::new().limit(ROWS);
    let page = counted.authority.accounts(&world.admin, &accounts).await?;
    assert_eq!(page.items.len(), ROW_COUNT);
    let calls = faults.calls() - before;
    assert!(calls <= 3, "accounts, their keys and the policy: {calls} calls");
    Ok(())
}

#[common::test(each_store)]
async fn q11_page_of_200_tenants_is_two_calls(world: &World) -> TestResult {
    let open = world.with_settings(|builder| builder.default_policy(open_policy()));
    for n in 0..ROWS {
        let alice = Actor::developer(user("alice")).in_tenant(format!("tenant-{n}").parse()?);
        open.generate_for(&alice, NewKey::named("prod-main-app")?).await?;
    }
    // The tenants have policies of their own: every third one has no API access.
    for n in (0..ROWS).step_by(3) {
        let host = Actor::administrator(user("ada")).in_tenant(format!("tenant-{n}").parse()?);
        common::set_policy(&open.authority, &host, |policy| policy.plan.api_access = false).await?;
    }
    let (_, faults) = open.with_faults()?;
    let store = InterceptedStore::new(Arc::clone(&open.store), faults.clone());
    let builder = keywright::Keywright::builder(store).clock(open.clock.clone());
    let authority = builder.default_policy(open_policy()).build()?.authority();
    let carol = Operator::new(user("carol"));
    let query = KeyQuery::new().limit(ROWS);
    let page = authority.keys_of_all_tenants(&carol, &query).await?;
    let tenants: BTreeSet<_> = page.items.iter().map(|entry| &entry.key.tenant).collect();
    assert_eq!((page.items.len(), tenants.len()), (ROW_COUNT, ROW_COUNT));
    assert_eq!(faults.calls(), 2, "the keys with their owners, and the policies");
    for entry in &page.items {
        let n: u16 = entry.key.tenant.as_str().trim_start_matches("tenant-").parse()?;
        let of_tenant = entry.refused_because.is_some();
        assert_eq!(of_tenant, n.is_multiple_of(3), "the policy of {}", entry.key.tenant);
    }

    let before = faults.calls();
    let page = authority.tenants(&carol, &TenantQuery::new().limit(ROWS)).await?;
    assert_eq!(page.items.len(), ROW_COUNT);
    assert_eq!(faults.calls() - before, 1, "the tenants with their numbers");
    Ok(())
}

/// A store that leaves out the answers for tenants and owners.
#[derive(Debug)]
struct WithoutAnswers;

#[async_trait]
impl Intercept for WithoutAnswers {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        match call {
            Call::Policies(_) => Ok(Answer::Policies(Vec::new())),
            Call::OwnedKeys(..) => Ok(Answer::OwnedKeys(Vec::new())),
            other => other.pass_on(store).await,
        }
    }
}

/// A missing answer must not read as a tenant without a policy of its own, or as an owner without
/// keys.
#[common::test(each_store)]
async fn missing_answer_is_corrupt(world: &World) -> TestResult {
    let key = world.generate(named("prod-main-app").expires_in(DAY)).await?.key;
    let store = InterceptedStore::new(Arc::clone(&world.store), WithoutAnswers);
    let builder = keywright::Keywright::builder(store).clock(world.clock.clone());
    let authority = builder.default_policy(open_policy()).build()?.authority();
    let made = authority.generate(&world.alice, named("prod-app")).await;
    let Err(GenerateError::Store(error)) = made else { panic!("{made:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let listed = authority.keys(&world.alice, &KeyQuery::new()).await;
    let Err(ListError::Store(error)) = listed else { panic!("{listed:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let asked = authority.abilities(&world.alice, &Owner::User(world.alice.id().clone())).await;
    assert!(matches!(asked, Err(ListError::Store(_))), "{asked:?}");
    let rest = counted(world, &world.alice, &KeyQuery::new()).await?;
    assert_eq!((rest, world.status(&key.id).await?), ((1, 1), KeyStatus::Active));
    Ok(())
}
