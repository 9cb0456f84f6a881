//! The two tables of the guide, every cell tried through the authority: operation by status, and
//! operation by role. The guide and the listings must agree with them.

use std::cell::RefCell;
use std::error::Error;

use keywright::store::{EventQuery, KeyQuery};
use keywright::{
    AccountError, Actor, Event, EventKind, EventOutcome, GenerateError, KeyError, KeyId, KeyStatus,
    ListError, Operation, Outcome, Owner, Permissions, Requirement, SetPolicyError, UserError,
    UserId, WrongStatus,
};

use common::guide::{as_rows, table_in};
use common::operations::{Subjects, is_looking, perform, state};
use common::stores::on_each_store;
use common::{TestResult, World};

/// The effect of an operation on a key, by the key's status in the order of [`KeyStatus::ALL`].
#[rustfmt::skip]
const STATES: [(&str, [&str; 5]); 10] = [
    //                       active        scheduled     disabled      expired       revoked
    ("key.rename",          ["yes",        "yes",        "yes",        "yes",        "yes"]),
    ("key.annotate",        ["yes",        "yes",        "yes",        "yes",        "yes"]),
    ("key.edit",            ["yes",        "yes",        "yes",        "no",         "no"]),
    ("key.disable",         ["yes",        "yes",        "unchanged",  "no",         "no"]),
    ("key.enable",          ["unchanged",  "unchanged",  "yes",        "no",         "no"]),
    ("key.rotate",          ["yes",        "yes",        "yes",        "no",         "no"]),
    ("key.finish_rotation", ["yes",        "yes",        "yes",        "no",         "no"]),
    ("key.revoke",          ["yes",        "yes",        "yes",        "no",         "unchanged"]),
    ("key.delete",          ["yes",        "yes",        "yes",        "yes",        "yes"]),
    ("key.transfer",        ["yes",        "yes",        "yes",        "no",         "no"]),
];

/// The owners whose keys a role can apply an operation to; `any` also where no key is concerned.
#[rustfmt::skip]
const ACTORS: [(&str, [&str; 4]); 27] = [
    //                       administrator  tenant admin  developer  auditor
    ("key.generate",        ["any",         "no",         "own",     "no"]),
    ("key.show",            ["any",         "any",        "own",     "any"]),
    ("key.rename",          ["any",         "no",         "own",     "no"]),
    ("key.annotate",        ["any",         "no",         "own",     "no"]),
    ("key.edit",            ["any",         "no",         "own",     "no"]),
    ("key.disable",         ["any",         "no",         "own",     "no"]),
    ("key.enable",          ["any",         "no",         "own",     "no"]),
    ("key.rotate",          ["any",         "no",         "own",     "no"]),
    ("key.finish_rotation", ["any",         "no",         "own",     "no"]),
    ("key.revoke",          ["any",         "any",        "own",     "no"]),
    ("key.delete",          ["any",         "no",         "own",     "no"]),
    ("key.transfer",        ["any",         "no",         "no",      "no"]),
    ("account.create",      ["any",         "no",         "no",      "no"]),
    ("account.show",        ["any",         "any",        "no",      "any"]),
    ("account.edit",        ["any",         "no",         "no",      "no"]),
    ("account.disable",     ["any",         "no",         "no",      "no"]),
    ("account.enable",      ["any",         "no",         "no",      "no"]),
    ("account.delete",      ["any",         "no",         "no",      "no"]),
    ("policy.show",         ["any",         "any",        "any",     "any"]),
    ("settings.edit",       ["any",         "any",        "no",      "no"]),
    ("plan.set",            ["any",         "no",         "no",      "no"]),
    ("user.show",           ["any",         "any",        "no",      "any"]),
    ("user.name",           ["any",         "any",        "no",      "no"]),
    ("user.suspend",        ["any",         "any",        "no",      "no"]),
    ("user.restore",        ["any",         "any",        "no",      "no"]),
    ("events.show",         ["any",         "any",        "no",      "any"]),
    ("sweep",               ["any",         "no",         "no",      "no"]),
];

/// The columns of [`ACTORS`].
const ROLES: [(&str, Permissions); 4] = [
    ("administrator", Permissions::ADMINISTRATOR),
    ("tenant admin", Permissions::TENANT_ADMIN),
    ("developer", Permissions::DEVELOPER),
    ("auditor", Permissions::AUDITOR),
];

#[test]
fn tables_have_every_operation() {
    let of_a_key = Operation::ALL.iter().filter(|operation| operation.is_of_a_key());
    let of_a_key: Vec<_> = of_a_key.map(|operation| operation.as_str()).collect();
    assert_eq!(STATES.map(|(operation, _)| operation).to_vec(), of_a_key);
    let all: Vec<_> = Operation::ALL.iter().map(|operation| operation.as_str()).collect();
    assert_eq!(ACTORS.map(|(operation, _)| operation).to_vec(), all);
}

#[test]
fn guide_prints_table_of_statuses() {
    let header = [&["operation"], KeyStatus::ALL.map(KeyStatus::as_str).as_slice()].concat();
    assert_eq!(table_in("src/guide/states.md"), as_rows(&header, &STATES));
}

#[test]
fn guide_prints_table_of_roles() {
    let header = [&["operation"], ROLES.map(|(role, _)| role).as_slice()].concat();
    assert_eq!(table_in("src/guide/actors.md"), as_rows(&header, &ACTORS));
}

#[test]
fn operations_follow_the_status_table() {
    on_each_store(async |world| {
        world.set_policy(|policy| policy.settings.max_keys_per_user = Some(100)).await?;
        let mut wrong = Vec::new();
        for (operation, row) in STATES {
            for (status, expected) in KeyStatus::ALL.into_iter().zip(row) {
                let found = cell_of_status(world, operation.parse()?, status).await?;
                if found != expected {
                    wrong.push(format!("{operation} of a key that is {status}: {found}"));
                }
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn roles_follow_the_permission_table() {
    let wrong = RefCell::new(Vec::new());
    for (operation, row) in ACTORS {
        for ((role, permissions), expected) in ROLES.into_iter().zip(row) {
            // Each cell gets a new world, so that no operation affects another cell.
            on_each_store(async |world| {
                let actor =
                    Actor::new(UserId::new("me")?, permissions).in_tenant(world.tenant().clone());
                let found = cell_of_role(world, &actor, operation.parse()?).await?;
                if found != expected {
                    wrong.borrow_mut().push(format!("{operation} by {role}: {found}"));
                }
                Ok(())
            });
        }
    }
    assert_eq!(wrong.into_inner(), Vec::<String>::new());
}

#[test]
fn listing_offers_the_allowed_actions() {
    on_each_store(async |world| {
        world.set_policy(|policy| policy.settings.max_keys_per_user = Some(100)).await?;
        for (column, (role, permissions)) in ROLES.into_iter().enumerate() {
            let me = Actor::new(UserId::new("me")?, permissions).in_tenant(world.tenant().clone());
            let may = |operation: &str| {
                let row = ACTORS.iter().find(|(known, _)| *known == operation);
                row.map_or("no", |(_, row)| row[column])
            };
            for (place, status) in KeyStatus::ALL.into_iter().enumerate() {
                let possible = STATES.iter().filter(|(_, row)| row[place] == "yes");
                let possible: Vec<_> = possible.map(|(operation, _)| *operation).collect();
                let with = |allowed: &[&str]| -> Vec<_> {
                    possible.iter().copied().filter(|o| allowed.contains(&may(o))).collect()
                };
                let mine = world.generate_owned_in(&me.as_owner(), status).await?;
                let offered = actions(world, &me, &mine.key.id).await?;
                assert_eq!(offered, with(&["any", "own"]), "{role}, own key that is {status}");
                if may("key.show") == "any" {
                    let theirs = world.generate_in(status).await?;
                    let offered = actions(world, &me, &theirs.key.id).await?;
                    assert_eq!(offered, with(&["any"]), "{role}, another's that is {status}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn finish_is_offered_only_during_overlap() {
    on_each_store(async |world| {
        let issued = world.generate_in(KeyStatus::Active).await?;
        let finish = Operation::KeyFinishRotation.as_str();
        assert!(actions(world, &world.alice, &issued.key.id).await?.contains(&finish));
        world.authority.finish_rotation(&world.alice, &issued.key.id).await?;
        assert!(!actions(world, &world.alice, &issued.key.id).await?.contains(&finish));
        Ok(())
    });
}

/// Returns the actions that the listing offers an actor for a key. The page and the single entry
/// must agree.
async fn actions(world: &World, actor: &Actor, key: &KeyId) -> TestResult<Vec<&'static str>> {
    let single = world.authority.key(actor, key).await?.actions;
    let query = KeyQuery::new().search(key.as_str());
    let page = world.authority.keys(actor, &query).await?.items;
    assert_eq!(page.iter().map(|entry| entry.actions.clone()).collect::<Vec<_>>(), [&*single]);
    Ok(single.into_iter().map(Operation::as_str).collect())
}

/// Returns the word of the table for the observed effect of an operation on a key in this status.
async fn cell_of_status(
    world: &World,
    operation: Operation,
    status: KeyStatus,
) -> TestResult<&'static str> {
    let owner = world.alice.as_owner();
    let key = world.generate_owned_in(&owner, status).await?.key.id;
    let account = world.account("nightly-report", "analyst").await?.id;
    let before = world.shown(&key).await?;
    let events = world.events_of(&key).await?.len();
    // Only an administrator hands keys over.
    let actor = if operation == Operation::KeyTransfer { &world.admin } else { &world.alice };
    let done = perform(world, actor, operation, &Subjects::new(key, owner, account)).await;
    let told = world.events_of(&key).await?.split_off(events);
    let after = world.authority.key(&world.admin, &key).await;
    let refused = done.as_ref().err().and_then(|error| error.downcast_ref());
    let found = match (&done, refused, told.as_slice()) {
        (Ok(Outcome::Done(())), _, [Event { outcome: EventOutcome::Done, .. }]) => "yes",
        (Ok(Outcome::Unchanged(())), _, [Event { outcome: EventOutcome::Unchanged, .. }]) => {
            "unchanged"
        }
        (
            Err(_),
            Some(KeyError::WrongStatus(because)),
            [Event { outcome: EventOutcome::Refused(_), .. }],
        ) if *because == (WrongStatus { operation, status }) => "no",
        _ => panic!("{operation} of a key that is {status}: {done:?}, {told:?}"),
    };
    assert_eq!(told[0].kind, EventKind::Operation(operation));
    match (found, after) {
        ("yes", Err(KeyError::NotFound(_))) => assert_eq!(operation, Operation::KeyDelete),
        ("yes", after) => assert_ne!(serde_json::to_value(after?)?, before, "it changed the key"),
        (_, after) => {
            assert_eq!(serde_json::to_value(after?)?, before, "the operation changed nothing");
        }
    }
    Ok(found)
}

/// Returns the word of the table for the observed permissions of an actor, with more words where a
/// refused operation left a change behind.
async fn cell_of_role(world: &World, actor: &Actor, operation: Operation) -> TestResult<String> {
    let account = world.account("monthly-report", "analyst").await?;
    let owners = [actor.as_owner(), world.bob.as_owner(), Owner::Account(account.id)];
    let mut verdicts = Vec::new();
    for owner in &owners {
        let subjects = Subjects::of(world, owner, operation).await?;
        let before = state(world).await?;
        let events = world.events(EventQuery::new()).await?.len();
        let done = perform(world, actor, operation, &subjects).await;
        let changed = state(world).await? != before;
        let told = world.events(EventQuery::new()).await?.split_off(events);
        verdicts.push(verdict(world, operation, done, changed, &told));
    }
    let verdicts: Vec<_> = verdicts.iter().map(String::as_str).collect();
    Ok(match verdicts.as_slice() {
        ["any", "any", "any"] => "any".to_owned(),
        ["any", "no", "no"] => "own".to_owned(),
        ["no", "no", "no"] => "no".to_owned(),
        other => format!("own, another's and an account's: {other:?}"),
    })
}

/// Returns `any` for a completed operation, and `no` for one that lacks a permission and left
/// exactly the expected event and no change.
fn verdict(
    world: &World,
    operation: Operation,
    done: Result<Outcome<()>, Box<dyn Error>>,
    changed: bool,
    told: &[Event],
) -> String {
    let looks = is_looking(operation);
    let refused = done.is_err();
    let mut words = vec![if refused { "no" } else { "any" }.to_owned()];
    if let Err(error) = done
        && !lacks_permission(&*error)
    {
        words.push(format!("because {error:?}"));
    }
    if changed == (refused || looks) {
        words.push(if changed { "something changed" } else { "nothing changed" }.to_owned());
    }
    let fits = |event: &Event| {
        event.kind == EventKind::Operation(operation)
            && event.actor.to_string() == "user:me"
            && event.at == world.now()
            && matches!(event.outcome, EventOutcome::Refused(_)) == refused
    };
    if told.len() != usize::from(!looks) || !told.iter().all(fits) {
        words.push(format!("events {told:?}"));
    }
    words.join(", ")
}

/// Returns whether the error is due to a missing permission. A key that the actor cannot see counts
/// as absent.
fn lacks_permission(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(KeyError::PermissionDenied(_) | KeyError::NotFound(_)))
        || matches!(error.downcast_ref(), Some(GenerateError::Missing(missing))
            if missing.contains(Requirement::Permission))
        || matches!(error.downcast_ref(), Some(UserError::PermissionDenied(_)))
        || matches!(error.downcast_ref(), Some(AccountError::PermissionDenied(_)))
        || matches!(error.downcast_ref(), Some(SetPolicyError::PermissionDenied(_)))
        || matches!(error.downcast_ref(), Some(ListError::PermissionDenied(_)))
}
