//! The span of each management operation.

use std::collections::BTreeMap;

use common::capture::{Captured, captured};
use common::faults::Fault;
use common::operations::{Subjects, is_looking, perform};
use common::{Random, TestResult, World, block_on, named};
use keywright::store::{KeyQuery, MemoryStore, TenantQuery};
use keywright::{Actor, Credential, Operation, Operator, Permissions};
use tracing::Level;

fn name_of(operation: Operation) -> String {
    format!("keywright.{operation}")
}

fn changing() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| !is_looking(*operation))
}

#[test]
fn b22_every_change_has_its_span() -> TestResult {
    for operation in changing() {
        let world = World::new(MemoryStore::new());
        let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), operation))?;
        let act = || block_on(perform(&world, &world.admin, operation, &subjects));
        let (done, seen) = captured(act);
        done?;
        let span = seen.span(&name_of(operation));
        assert_eq!(span.level, Level::INFO, "{operation}");
        assert_eq!(span.outcome(), "done", "{operation}");
        assert_eq!(span.field("keywright.tenant"), world.tenant().as_str(), "{operation}");
        assert_eq!(span.field("error.type"), "", "{operation}");
        if operation.is_of_a_key() {
            assert_eq!(span.field("keywright.key_id"), subjects.key.as_str(), "{operation}");
        }
        if operation.as_str().starts_with("account.") && operation != Operation::AccountCreate {
            let account = span.field("keywright.account_id");
            assert_eq!(account, subjects.account.as_str(), "{operation}");
        }
        assert!(seen.events.is_empty(), "{operation}: {:?}", seen.events);
    }
    Ok(())
}

#[test]
fn b22_every_read_has_its_span() -> TestResult {
    let stranger = Actor::new(common::user("mallory"), Permissions::NONE);
    for operation in Operation::ALL.iter().copied().filter(|operation| is_looking(*operation)) {
        let world = World::new(MemoryStore::new());
        let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), operation))?;
        let (failing, faults) = world.with_faults()?;
        for (actor, fault, outcome) in [
            (&world.admin, None, "done"),
            (&stranger, None, "refused"),
            (&world.admin, Some(Fault::Down), "failed"),
        ] {
            faults.set(fault);
            let (read, seen) =
                captured(|| block_on(perform(&failing, actor, operation, &subjects)));
            assert_eq!(read.is_ok(), outcome == "done", "{operation}");
            // Reading accounts is one operation for an account and for a page of them.
            let mut ours = seen.spans.iter().filter(|span| span.name == name_of(operation));
            let span = ours.next_back().expect("a span");
            assert_eq!((span.level, span.outcome()), (Level::DEBUG, outcome), "{operation}");
            assert_eq!(span.field("error.type").is_empty(), outcome == "done", "{operation}");
            if operation == Operation::KeyShow {
                assert_eq!(span.field("keywright.key_id"), subjects.key.as_str());
            }
            assert_eq!(seen.events.is_empty(), fault.is_none(), "{:?}", seen.events);
        }
    }
    Ok(())
}

#[test]
fn b22_read_of_many_tenants_has_its_span() {
    let world = World::in_memory();
    block_on(world.key());
    let operator = Operator::new(common::user("ops"));
    let everywhere = || {
        drop(block_on(world.authority.tenants(&operator, &TenantQuery::new())));
        drop(block_on(world.authority.keys_of_all_tenants(&operator, &KeyQuery::new())));
        drop(block_on(world.authority.abilities(&world.alice, &world.alice.as_owner())));
    };
    let ((), seen) = captured(everywhere);
    let seen = seen.spans.iter().map(|span| (span.name, span.level, span.outcome()));
    let names = ["keywright.tenants.show", "keywright.key.show", "keywright.abilities.show"];
    let expected = names.map(|name| (name, Level::DEBUG, "done"));
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

#[test]
fn b22_invalid_limit_is_no_failure() {
    let world = World::in_memory();
    let query = KeyQuery::new().limit(0);
    let (_, seen) = captured(|| block_on(world.authority.keys(&world.alice, &query)));
    let span = seen.span("keywright.key.show");
    assert_eq!((span.outcome(), span.field("error.type")), ("refused", "invalid_limit"));
    assert!(seen.events.is_empty());
}

#[test]
fn b22_span_of_a_new_key_names_it() {
    let world = World::in_memory();
    let (issued, seen) = captured(|| block_on(world.key()));
    assert_eq!(seen.spans.len(), 1);
    assert_eq!(
        seen.span("keywright.key.generate").field("keywright.key_id"),
        issued.key.id.as_str()
    );
}

#[test]
fn b22_unchanged_record_is_an_outcome() {
    let world = World::in_memory();
    let id = block_on(world.key()).key.id;
    let disable = || block_on(world.authority.disable(&world.alice, &id)).expect("active");
    for outcome in ["done", "unchanged"] {
        let (_, seen) = captured(disable);
        assert_eq!(seen.span("keywright.key.disable").outcome(), outcome);
    }
    let (_, seen) = captured(|| block_on(world.authority.sweep(&world.admin)));
    assert_eq!(seen.span("keywright.sweep").outcome(), "unchanged");
}

#[test]
fn b22_refused_change_has_its_code() -> TestResult {
    for operation in changing() {
        let world = World::new(MemoryStore::new());
        let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), operation))?;
        let act = || block_on(perform(&world, &world.auditor, operation, &subjects));
        let (refused, seen) = captured(act);
        assert!(refused.is_err(), "{operation}");
        let span = seen.span(&name_of(operation));
        assert_eq!(span.outcome(), "refused", "{operation}");
        assert_eq!(span.field("error.type"), "permission_denied", "{operation}");
        assert_eq!(span.field("otel.status_code"), "", "{operation}");
    }
    Ok(())
}

#[test]
fn b22_failed_change_warns_with_its_cause() -> TestResult {
    for operation in changing() {
        let world = World::new(MemoryStore::new());
        let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), operation))?;
        let (failing, faults) = world.with_faults()?;
        let act = || {
            // The reads of `perform` itself come before the operation.
            faults.set(Fault::WritesLost);
            block_on(perform(&failing, &failing.admin, operation, &subjects))
        };
        let (failed, seen) = captured(act);
        assert!(failed.is_err(), "{operation}");
        let span = seen.span(&name_of(operation));
        assert_eq!(span.outcome(), "failed", "{operation}");
        assert_eq!(span.field("error.type"), "unavailable", "{operation}");
        assert_eq!(span.field("otel.status_code"), "ERROR", "{operation}");
        let event = seen.event("keywright.failed");
        assert_eq!((event.level, event.within), (Level::WARN, Some(span.name)));
        assert_eq!(event.field("keywright.operation"), operation.as_str());
        assert_eq!(event.field("error.type"), "unavailable");
        assert!(event.field("error.message").starts_with("the store failed: "), "{event:?}");
    }
    Ok(())
}

#[test]
fn b22_failing_random_source_is_seen() {
    let world = World::with(MemoryStore::new(), |builder| builder.random(Random::failing()));
    let (generated, seen) = captured(|| block_on(world.generate(named("prod-main-app"))));
    assert!(generated.is_err());
    let span = seen.span("keywright.key.generate");
    assert_eq!((span.outcome(), span.field("error.type")), ("failed", "random_source"));
    assert_eq!(seen.event("keywright.failed").field("keywright.operation"), "key.generate");
}

#[test]
fn b22_overtaken_change_is_seen() {
    let (world, faults) = World::faulty(|builder| builder);
    let id = block_on(world.key()).key.id;
    let (other, bob) = (world.authority.clone(), world.alice.clone());
    faults.meanwhile(async move {
        other.disable(&bob, &id).await.expect("active");
    });
    let renamed =
        || block_on(world.authority.rename(&world.alice, &id, common::name("staging-api")));
    let (renamed, seen) = captured(renamed);
    renamed.expect("the second attempt");
    assert_eq!(seen.span("keywright.key.rename").outcome(), "done");
    let event = seen.event("keywright.overtaken");
    assert_eq!((event.level, event.within), (Level::DEBUG, Some("keywright.key.rename")));
}

#[test]
fn b22_revocation_by_possessor_has_its_span() {
    let world = World::in_memory();
    let issued = block_on(world.key());
    let revoke = |token: &str| {
        let (_, seen) = captured(|| block_on(world.verifier.revoke(Credential::Token(token))));
        let span = seen.span("keywright.key.revoke").clone();
        (span.outcome().to_owned(), span.field("error.type").to_owned(), span)
    };
    for outcome in ["done", "unchanged"] {
        let (seen, code, span) = revoke(issued.token.expose());
        assert_eq!((&*seen, &*code), (outcome, ""));
        assert_eq!(span.field("keywright.key_id"), issued.key.id.as_str());
    }
    let (outcome, code, _) = revoke("not a token");
    assert_eq!((&*outcome, &*code), ("refused", "malformed"));
}

#[test]
fn t_d09_spans_have_few_short_fields() -> TestResult {
    let world = World::new(MemoryStore::new());
    let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), Operation::KeyEdit))?;
    let ((), seen) = captured(|| {
        for operation in changing() {
            drop(block_on(perform(&world, &world.admin, operation, &subjects)));
            drop(block_on(perform(&world, &world.auditor, operation, &subjects)));
        }
    });
    let Captured { spans, .. } = seen;
    assert!(spans.len() > 40);
    let mut values: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (field, value) in spans.iter().flat_map(|span| &span.fields) {
        assert!(value.len() <= 40, "{field} is {value}");
        values.entry(*field).or_default().push(value);
    }
    let names: Vec<_> = values.into_keys().collect();
    let expected = [
        "error.type",
        "keywright.account_id",
        "keywright.key_id",
        "keywright.outcome",
        "keywright.tenant",
    ];
    assert_eq!(names, expected);
    Ok(())
}
