//! A form that is sent twice creates one key or account, and replaces one secret.

use std::thread;

use futures_lite::future::block_on;
use keywright::store::{AccountQuery, StoreErrorKind};
use keywright::{
    AccountError, AccountId, Actor, EventOutcome, GenerateError, KeyError, KeyId, NewAccount,
    NewKey, Operation, PepperRing, RefusalCode, Requirement, Rotation, Ticket,
};

use common::faults::Fault;
use common::{DAY, TestResult, World, all_keys, name, named};

fn new(ticket: Ticket) -> NewKey {
    named("prod-main-app").ticket(ticket)
}

/// Generates with a used ticket, and returns the key that the error names.
async fn again(world: &World, new: NewKey) -> TestResult<KeyId> {
    match world.generate(new).await {
        Err(GenerateError::TicketUsed { key }) => Ok(key),
        other => Err(format!("the ticket was used: {other:?}").into()),
    }
}

/// Creates an account with a used ticket, and returns the account that the error names.
async fn account_again(world: &World, new: NewAccount) -> TestResult<AccountId> {
    match world.authority.create_account(&world.admin, new).await {
        Err(AccountError::TicketUsed { account }) => Ok(account),
        other => Err(format!("the ticket was used: {other:?}").into()),
    }
}

async fn number_of_keys(world: &World) -> usize {
    all_keys(&world.authority, &world.admin).await.len()
}

#[common::test(each_store)]
async fn b20_form_sent_twice_generates_one_key(world: &World) -> TestResult {
    let ticket: Ticket = world.authority.ticket()?.to_string().parse()?;
    let first = world.generate(new(ticket)).await?;
    assert_eq!(again(world, new(ticket)).await?, first.key.id);
    // The ticket counts, whatever else the form says.
    assert_eq!(again(world, named("prod-other").ticket(ticket)).await?, first.key.id);
    assert_eq!(number_of_keys(world).await, 1);
    assert_eq!(world.check(&first).await, Ok(()), "the first token works");

    let last = world.events_of(&first.key.id).await?.pop().ok_or("an event")?;
    assert_eq!(last.kind, Operation::KeyGenerate.into());
    assert_eq!(last.outcome, EventOutcome::Refused(RefusalCode::TicketUsed));
    Ok(())
}

#[common::test(each_store)]
async fn b20_ticket_counts_for_one_actor(world: &World) -> TestResult {
    let ticket = world.authority.ticket()?;
    let mut ids = Vec::new();
    for actor in [&world.alice, &world.bob, &world.admin] {
        ids.push(world.generate_for(actor, new(ticket)).await?.key.id);
    }
    ids.push(world.generate(new(world.authority.ticket()?)).await?.key.id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    // A ticket of a key is none of an account.
    let account = NewAccount::new(name("nightly"), "analyst".parse()?).ticket(ticket);
    world.authority.create_account(&world.admin, account).await?;
    Ok(())
}

#[common::test(each_store)]
async fn b20_used_ticket_precedes_other_obstacles(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
    let ticket = world.authority.ticket()?;
    let first = world.generate(new(ticket)).await?.key.id;
    assert_eq!(again(world, new(ticket)).await?, first, "the limit is reached");
    let unknown = new(ticket).scopes("payroll:read".parse()?);
    assert_eq!(again(world, unknown).await?, first, "the scope is unknown");
    world.authority.suspend_user(&world.admin, world.alice.id()).await?;
    assert_eq!(again(world, new(ticket)).await?, first, "the owner is suspended");
    world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
    assert_eq!(again(world, new(ticket)).await?, first, "the switch is off");

    // An actor without permission learns nothing of the key.
    let former = Actor::auditor(world.alice.id().clone()).in_tenant(world.tenant().clone());
    let refused = world.generate_for(&former, new(ticket)).await;
    let Err(GenerateError::Missing(missing)) = refused else { panic!("{refused:?}") };
    assert!(missing.contains(Requirement::Permission));
    Ok(())
}

#[common::test(each_store)]
async fn b20_deleted_record_keeps_its_ticket(world: &World) -> TestResult {
    let ticket = world.authority.ticket()?;
    let first = world.generate(new(ticket)).await?.key.id;
    world.authority.delete(&world.alice, &first).await?;
    assert_eq!(again(world, new(ticket)).await?, first);
    assert_eq!(number_of_keys(world).await, 0);

    let account = NewAccount::new(name("nightly"), "analyst".parse()?).ticket(ticket);
    let first = world.authority.create_account(&world.admin, account.clone()).await?.account.id;
    world.authority.delete_account(&world.admin, &first).await?;
    assert_eq!(account_again(world, account).await?, first);
    Ok(())
}

#[common::test(each_store)]
async fn b20_account_form_sent_twice_creates_one(world: &World) -> TestResult {
    let ticket = world.authority.ticket()?;
    let account = NewAccount::new(name("nightly"), "analyst".parse()?).ticket(ticket);
    let first = world.authority.create_account(&world.admin, account.clone()).await?.account.id;
    assert_eq!(account_again(world, account).await?, first);
    // The role is not asked for.
    let unknown = NewAccount::new(name("weekly"), "nobody".parse()?).ticket(ticket);
    assert_eq!(account_again(world, unknown).await?, first);
    let listed = world.authority.accounts(&world.admin, &AccountQuery::new()).await?;
    assert_eq!(listed.items.len(), 1);
    Ok(())
}

#[common::test(each_store)]
async fn b20_concurrent_forms_create_one_record(world: &World) -> TestResult {
    const SENT: usize = 6;
    let ticket = world.authority.ticket()?;
    let account = NewAccount::new(name("nightly"), "analyst".parse()?).ticket(ticket);
    let (made, created) = thread::scope(|scope| {
        let keys: Vec<_> =
            (0..SENT).map(|_| scope.spawn(|| block_on(world.generate(new(ticket))))).collect();
        let accounts: Vec<_> = (0..SENT)
            .map(|_| {
                let create = world.authority.create_account(&world.admin, account.clone());
                scope.spawn(move || block_on(create))
            })
            .collect();
        let keys: Vec<_> = keys.into_iter().map(|form| form.join().expect("no panic")).collect();
        let accounts: Vec<_> =
            accounts.into_iter().map(|form| form.join().expect("no panic")).collect();
        (keys, accounts)
    });
    let first = made.iter().find_map(|made| made.as_ref().ok()).ok_or("one key")?.key.id;
    let used =
        |error: &GenerateError| matches!(error, GenerateError::TicketUsed { key } if *key == first);
    assert_eq!(
        made.iter().filter(|made| made.as_ref().is_err_and(used)).count(),
        SENT - 1,
        "{made:?}"
    );
    let first = created.iter().find_map(|made| made.as_ref().ok()).ok_or("one account")?.account.id;
    let used = |error: &AccountError| matches!(error, AccountError::TicketUsed { account } if *account == first);
    assert_eq!(
        created.iter().filter(|made| made.as_ref().is_err_and(used)).count(),
        SENT - 1,
        "{created:?}"
    );
    assert_eq!(number_of_keys(world).await, 1);
    Ok(())
}

#[common::test(each_store)]
async fn b20_form_after_lost_answer_finds_its_key(world: &World) -> TestResult {
    let (remote, faults) = world.with_faults()?;
    let ticket = remote.authority.ticket()?;
    faults.set(Fault::AnswersLost);
    let lost = remote.generate(new(ticket)).await;
    let Err(GenerateError::Store(error)) = lost else { panic!("{lost:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    faults.set(None);
    let first = again(&remote, new(ticket)).await?;
    assert_eq!(world.authority.key(&world.alice, &first).await?.key.id, first);

    // A form whose first sending never arrived is as good as new.
    let ticket = remote.authority.ticket()?;
    faults.set(Fault::WritesLost);
    assert!(remote.generate(new(ticket)).await.is_err());
    faults.set(None);
    remote.generate(new(ticket)).await?;
    assert_eq!(number_of_keys(world).await, 2);
    Ok(())
}

#[common::test(each_store)]
async fn b20_ticket_counts_on_every_node(world: &World) -> TestResult {
    let ring = PepperRing::none().with(1, [1; 32])?;
    let newer = ring.clone().with(2, [2; 32])?;
    let nodes = [
        [
            world.with_settings(|b| b.ticket_secret([7; 32])),
            world.with_settings(|b| b.ticket_secret([7; 32])),
        ],
        [world.with_peppers(ring.clone())?, world.with_peppers(ring.clone())?],
        // The pepper changes between the two nodes.
        [world.with_peppers(ring.clone())?, world.with_peppers(newer.clone())?],
        // The secret is apart from the peppers.
        [
            world.with_settings(|b| b.ticket_secret([7; 32])),
            world.with_settings(|b| b.ticket_secret([7; 32]).peppers(newer)),
        ],
    ];
    for [one, other] in nodes {
        let ticket = one.authority.ticket()?;
        let first = one.generate(new(ticket)).await?.key.id;
        assert_eq!(again(&other, new(ticket)).await?, first);
    }
    Ok(())
}

#[common::test(each_store)]
async fn b20_rotation_form_replaces_one_secret(world: &World) -> TestResult {
    let issued = world.key().await;
    let (id, seen) = (&issued.key.id, issued.key.version);
    let form = Rotation::new(DAY).if_version(seen);
    let rotated = world.authority.rotate(&world.alice, id, form).await?;
    assert_eq!(rotated.key.version, seen + 1);
    let late = world.authority.rotate(&world.alice, id, form).await;
    let Err(KeyError::Stale { given, current }) = late else { panic!("{late:?}") };
    assert_eq!((given, current), (seen, seen + 1));
    assert_eq!(world.check(&issued).await, Ok(()), "the overlap goes on");
    assert_eq!(world.check(&rotated).await, Ok(()));

    let last = world.events_of(id).await?.pop().ok_or("an event")?;
    assert_eq!(last.outcome, EventOutcome::Refused(RefusalCode::Stale));
    assert_eq!(last.details.to_string(), "given_version=1 current_version=2");
    // Without a version, a rotation applies to any.
    assert_eq!(world.authority.rotate(&world.alice, id, DAY).await?.key.secret_number, 3);
    Ok(())
}
