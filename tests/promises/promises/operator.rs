//! The host's own operator acts on all tenants, and no actor of a tenant can.

use std::collections::BTreeSet;
use std::sync::Arc;

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{
    EventQuery, KeyQuery, KeySort, KeyStore, StoreError, TenantEntry, TenantQuery, async_trait,
};
use keywright::{
    Actor, EventActor, EventOutcome, KeyError, KeyId, KeyStatus, ListError, NewKey, Operation,
    Operator, Owner, Reason, Settings, SettingsEdit, TenantId,
};

use common::{DAY, HOUR, TestResult, World, open_policy, user};

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

fn carol() -> Operator {
    Operator::new(user("carol"))
}

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).expect("a tenant")
}

fn alice_in(id: &str) -> Actor {
    Actor::developer(user("alice")).in_tenant(tenant(id))
}

/// Returns a world on the same store in which API access is on in every tenant.
fn open_to_all(world: &World) -> World {
    world.with_settings(|builder| builder.default_policy(open_policy()))
}

async fn key_in(world: &World, id: &str, name: &str) -> TestResult<KeyId> {
    Ok(world.generate_for(&alice_in(id), NewKey::named(name)?).await?.key.id)
}

/// Returns the actor, the operation and the outcome of the newest event in a tenant.
async fn newest(world: &World, id: &str) -> TestResult<(EventActor, Operation, EventOutcome)> {
    let page = world.store.events(&tenant(id), &EventQuery::new().limit(1)).await?;
    let event = page.items.into_iter().next().ok_or("no event")?;
    match event.kind {
        keywright::EventKind::Operation(operation) => Ok((event.actor, operation, event.outcome)),
        other => Err(format!("{other} is not an operation").into()),
    }
}

#[common::test(each_store)]
async fn operator_lists_tenants_with_numbers(world: &World) -> TestResult {
    let world = open_to_all(world);
    for (count, id) in TENANTS.into_iter().enumerate() {
        for n in 0..=count {
            key_in(&world, id, &format!("prod-app-{n}")).await?;
        }
    }
    let revoked = key_in(&world, "acme", "prod-old").await?;
    world.authority.revoke(&alice_in("acme"), &revoked).await?;
    let expiring = NewKey::named("prod-short")?.expires_in(HOUR);
    world.generate_for(&alice_in("acme"), expiring).await?;
    world.account("nightly-report", "analyst").await?;
    world.clock.advance(HOUR);

    let mut found: Vec<TenantEntry> = Vec::new();
    let mut next = Some(TenantQuery::new().limit(1));
    while let Some(query) = next {
        let page = world.authority.tenants(&carol(), &query).await?;
        assert!(page.items.len() <= 1);
        found.extend(page.items);
        next = page.next;
    }
    let numbers: Vec<_> = found
        .iter()
        .map(|entry| (entry.tenant.as_str(), entry.live_keys, entry.keys, entry.accounts))
        .collect();
    assert_eq!(numbers, [("acme", 1, 3, 0), ("globex", 2, 2, 1), ("initech", 3, 3, 0)]);
    let last = world.store.events(&tenant("acme"), &EventQuery::new().limit(1)).await?;
    assert_eq!(found[0].last_event, last.items[0].sequence);

    let starting = TenantQuery::new().starting_with("glo");
    let page = world.authority.tenants(&carol(), &starting).await?;
    assert_eq!(page.items, found[1..2]);
    for limit in [0, 501] {
        let refused = world.authority.tenants(&carol(), &TenantQuery::new().limit(limit)).await;
        assert!(matches!(refused, Err(ListError::Limit(given)) if given == limit));
    }
    Ok(())
}

#[common::test(each_store)]
async fn operator_reads_all_keys_in_one_order(world: &World) -> TestResult {
    let world = open_to_all(world);
    let mut expected = Vec::new();
    for (n, days) in [40, 3, 20, 1, 30, 2].into_iter().enumerate() {
        let id = TENANTS[n % 3];
        let new = NewKey::named(format!("prod-app-{days}"))?.expires_in_days(days);
        let issued = world.generate_for(&alice_in(id), new).await?;
        expected.push((days, id, issued));
    }
    // Used once: not stale.
    world.verifier.verify(expected[1].2.token.expose()).await?;
    world.verifier.flush().await?;
    expected.sort_by_key(|(days, ..)| *days);

    let soon = KeyQuery::new().expiring_within(25 * DAY).sort(KeySort::Expires).limit(2);
    let mut found = Vec::new();
    let mut next = Some(soon);
    while let Some(query) = next {
        let page = world.authority.keys_of_all_tenants(&carol(), &query).await?;
        let cursor = page.next_cursor();
        found.extend(page.items);
        // The pages stay stable while keys come and go.
        key_in(&world, "globex", "prod-meanwhile").await?;
        next = match cursor {
            Some(cursor) => Some(query.after(&cursor)?),
            None => None,
        };
    }
    let ids: Vec<_> = found.iter().map(|entry| (entry.key.tenant.as_str(), entry.key.id)).collect();
    let soonest = expected[..4].iter().map(|(_, tenant, issued)| (*tenant, issued.key.id));
    assert_eq!(ids, soonest.collect::<Vec<_>>());
    assert!(found.iter().all(|entry| entry.actions.contains(&Operation::KeyRevoke)));

    world.clock.advance(HOUR);
    let unused = KeyQuery::new().never_used().expiring_within(60 * DAY);
    let page = world.authority.keys_of_all_tenants(&carol(), &unused).await?;
    let names: BTreeSet<_> = page.items.iter().map(|entry| entry.key.name.to_string()).collect();
    assert_eq!(names.len(), 5);
    assert!(!names.contains("prod-app-3"), "it was used");
    let stale = KeyQuery::new().unused_since(world.now()).owner(alice_in("acme").as_owner());
    let page = world.authority.keys_of_all_tenants(&carol(), &stale).await?;
    assert_eq!(page.items.len(), expected.len() + 2);
    let refused = world.authority.keys_of_all_tenants(&carol(), &KeyQuery::new().limit(501)).await;
    assert!(matches!(refused, Err(ListError::Limit(501))));
    Ok(())
}

#[common::test(each_store)]
async fn operator_entries_follow_their_own_tenant(world: &World) -> TestResult {
    let world = open_to_all(world);
    for id in TENANTS {
        key_in(&world, id, "prod-main-app").await?;
    }
    let off = SettingsEdit::new().api_enabled(Some(false));
    world.authority.edit_settings(&world.other, off).await?;
    let account = world.account("nightly-report", "analyst").await?;
    world.generate_under(&account, NewKey::named("prod-report")?).await?;

    let page = world.authority.keys_of_all_tenants(&carol(), &KeyQuery::new()).await?;
    assert_eq!(page.items.len(), 4);
    for entry in page.items {
        let is_off = entry.key.tenant == tenant("initech");
        assert_eq!(entry.refused_because.is_some(), is_off, "{}", entry.key.tenant);
        let of_account = entry.key.owner == Owner::Account(account.id);
        assert_eq!(entry.owner_name.is_some(), of_account);
        let alone = world.authority.find_key(&carol(), &entry.key.id).await?;
        assert_eq!(serde_json::to_value(&alone)?, serde_json::to_value(&entry)?);
    }
    Ok(())
}

#[common::test(each_store)]
async fn operator_finds_key_of_any_tenant(world: &World) -> TestResult {
    let world = open_to_all(world);
    for id in TENANTS {
        let key = key_in(&world, id, "prod-main-app").await?;
        assert_eq!(world.authority.find_key(&carol(), &key).await?.key.tenant.as_str(), id);
    }
    let absent: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    let found = world.authority.find_key(&carol(), &absent).await;
    assert!(matches!(found, Err(KeyError::NotFound(id)) if id == absent));
    Ok(())
}

#[common::test(each_store)]
async fn operator_revokes_keys_of_any_tenant(world: &World) -> TestResult {
    let world = open_to_all(world);
    let short = NewKey::named("prod-short")?.expires_in(HOUR);
    let expired = world.generate_for(&alice_in("acme"), short).await?.key.id;
    let issued = world.generate_for(&alice_in("acme"), NewKey::named("prod-main-app")?).await?;
    let live = issued.key.id;
    let revoked = key_in(&world, "initech", "prod-main-app").await?;
    world.authority.revoke(&alice_in("initech"), &revoked).await?;
    world.clock.advance(HOUR);
    let absent: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    let numbers = async || -> TestResult<u64> {
        let page = world.authority.tenants(&carol(), &TenantQuery::new()).await?;
        Ok(page.items.iter().map(|entry| entry.last_event).sum())
    };
    let before = numbers().await?;

    let keys = [expired, live, absent, revoked];
    let reports = world.authority.revoke_in_any_tenant(&carol(), &keys).await;
    assert_eq!(reports.iter().map(|report| report.key).collect::<Vec<_>>(), keys);
    let tenants: Vec<_> = reports.iter().map(|report| report.tenant.clone()).collect();
    let (acme, initech) = (tenant("acme"), tenant("initech"));
    assert_eq!(tenants, [Some(acme.clone()), Some(acme), None, Some(initech)]);
    assert!(matches!(reports[0].result, Err(KeyError::WrongStatus(_))));
    assert!(reports[1].result.as_ref().is_ok_and(|outcome| !outcome.is_unchanged()));
    assert!(matches!(reports[2].result, Err(KeyError::NotFound(_))));
    assert!(reports[3].result.as_ref().is_ok_and(keywright::Outcome::is_unchanged));
    assert_eq!(world.check(&issued).await, Err(Reason::Revoked));

    let by_carol = EventActor::Operator(user("carol"));
    let revoke = Operation::KeyRevoke;
    assert_eq!(newest(&world, "acme").await?, (by_carol.clone(), revoke, EventOutcome::Done));
    assert_eq!(newest(&world, "initech").await?, (by_carol, revoke, EventOutcome::Unchanged));
    assert_eq!(numbers().await?, before + 3, "an unknown id leaves no event");
    Ok(())
}

#[common::test(each_store)]
async fn operator_revokes_keys_of_departed_person(world: &World) -> TestResult {
    let world = open_to_all(world);
    for id in TENANTS {
        for name in ["prod-main-app", "staging-app"] {
            key_in(&world, id, name).await?;
        }
    }
    let bob = Actor::developer(user("bob")).in_tenant(tenant("acme"));
    let of_bob = world.generate_for(&bob, NewKey::named("prod-main-app")?).await?;
    let alice = alice_in("acme").as_owner();
    for key in world.authority.revoke_owned(&world.other, &alice).await? {
        assert_eq!(key.tenant, tenant("initech"));
    }

    let done = world.authority.revoke_owned_in_all_tenants(&carol(), &alice).await?;
    let mut count = 0;
    for ((tenant, revoked), expected) in done.into_iter().zip(["acme", "globex"]) {
        assert_eq!(tenant.as_str(), expected);
        let revoked = revoked?;
        assert!(revoked.iter().all(|key| key.tenant == tenant && key.owner == alice));
        count += revoked.len();
    }
    assert_eq!(count, 4, "the keys in the third tenant were revoked before");
    let live = KeyQuery::new().status(KeyStatus::Active);
    let left = world.authority.keys_of_all_tenants(&carol(), &live).await?;
    let left: Vec<_> = left.items.iter().map(|entry| entry.key.id).collect();
    assert_eq!(left, [of_bob.key.id]);
    for id in ["acme", "globex"] {
        let (actor, operation, _) = newest(&world, id).await?;
        assert_eq!(
            (actor.to_string().as_str(), operation),
            ("operator:carol", Operation::KeyRevoke)
        );
    }
    assert!(world.authority.revoke_owned_in_all_tenants(&carol(), &alice).await?.is_empty());
    Ok(())
}

#[common::test(each_store)]
async fn operator_sweeps_every_tenant(world: &World) -> TestResult {
    let world = open_to_all(world);
    let mut dead = Vec::new();
    for id in TENANTS {
        let key = key_in(&world, id, "prod-main-app").await?;
        world.authority.revoke(&alice_in(id), &key).await?;
        dead.push(key);
    }
    let longer = SettingsEdit::new().retention(Some(2 * Settings::DEFAULT_RETENTION));
    world.authority.edit_settings(&world.other, longer).await?;
    world.clock.advance(Settings::DEFAULT_RETENTION);

    let swept = world.authority.sweep_all_tenants(&carol()).await?;
    let tenants: Vec<_> = swept.iter().map(|(tenant, _)| tenant.as_str()).collect();
    assert_eq!(tenants, TENANTS);
    let mut removed = Vec::new();
    for (_, report) in swept {
        removed.extend(report?.keys);
    }
    assert_eq!(removed, dead[..2], "the third tenant keeps its dead keys longer");
    for id in ["acme", "globex"] {
        let (actor, operation, _) = newest(&world, id).await?;
        assert_eq!((actor, operation), (EventActor::Operator(user("carol")), Operation::Sweep));
    }
    Ok(())
}

/// A store in which the records of one tenant cannot be read.
#[derive(Debug)]
struct Broken(TenantId);

#[async_trait]
impl Intercept for Broken {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        match call {
            Call::Key(tenant, _) | Call::Keys(tenant, ..) if *tenant == self.0 => {
                Err(StoreError::corrupt("a row cannot be decoded"))
            }
            Call::Policies(tenants) if tenants.contains(&self.0) => {
                Err(StoreError::corrupt("a row cannot be decoded"))
            }
            call => call.pass_on(store).await,
        }
    }
}

#[common::test(each_store)]
async fn failing_tenant_stops_no_other(world: &World) -> TestResult {
    let open = open_to_all(world);
    let mut keys = Vec::new();
    for id in TENANTS {
        keys.push(key_in(&open, id, "prod-main-app").await?);
        let old = key_in(&open, id, "prod-old").await?;
        open.authority.revoke(&alice_in(id), &old).await?;
    }
    open.clock.advance(Settings::DEFAULT_RETENTION);
    let store = InterceptedStore::new(Arc::clone(&open.store), Broken(tenant("globex")));
    let builder = keywright::Keywright::builder(store).clock(open.clock.clone());
    let authority = builder.default_policy(open_policy()).build()?.authority();

    for (id, swept) in authority.sweep_all_tenants(&carol()).await? {
        assert_eq!(swept.is_err(), id == tenant("globex"), "{id}: {swept:?}");
        assert_eq!(swept.map_or(0, |swept| swept.keys.len()), usize::from(id.as_str() != "globex"));
    }
    let reports = authority.revoke_in_any_tenant(&carol(), &keys).await;
    let failed: Vec<_> = reports.iter().map(|report| report.result.is_err()).collect();
    assert_eq!(failed, [false, true, false]);
    assert_eq!(reports[1].tenant, Some(tenant("globex")), "the tenant is known all the same");

    for id in TENANTS {
        key_in(&open, id, "prod-new").await?;
    }
    let alice = alice_in("acme").as_owner();
    let done = authority.revoke_owned_in_all_tenants(&carol(), &alice).await?;
    let failed: Vec<_> = done.iter().map(|(_, revoked)| revoked.is_err()).collect();
    assert_eq!(failed, [false, true, false]);
    Ok(())
}

#[common::test(each_store)]
async fn operator_is_no_user_of_a_tenant(world: &World) -> TestResult {
    let world = open_to_all(world);
    // A user of the tenant has the id of the operator.
    let same_id = Actor::developer(user("carol")).in_tenant(tenant("globex"));
    let issued = world.generate_for(&same_id, NewKey::named("prod-main-app")?).await?;
    let operator = carol().in_tenant(tenant("globex"));
    assert!(!operator.owns(&issued.key.owner) && same_id.owns(&issued.key.owner));
    assert!(operator.may(Operation::KeyRevoke, &issued.key.owner));
    world.authority.disable(&operator, &issued.key.id).await?;

    let by = async |actor: EventActor| -> TestResult<usize> {
        let query = EventQuery::new().actor(actor);
        Ok(world.authority.events(&operator, &query).await?.items.len())
    };
    assert_eq!(by(EventActor::User(user("carol"))).await?, 1, "the user has generated");
    assert_eq!(by(EventActor::Operator(user("carol"))).await?, 1, "the operator has disabled");
    // In one tenant, the actor of an operator reaches no other.
    let elsewhere = key_in(&world, "acme", "prod-main-app").await?;
    let refused = world.authority.revoke(&operator, &elsewhere).await;
    assert!(matches!(refused, Err(KeyError::NotFound(_))));
    Ok(())
}
