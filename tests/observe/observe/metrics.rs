//! The metrics: each check counts once in its outcome and reason, and each operation in its outcome.

use std::time::Duration;

use common::faults::{Fault, Faults};
use common::operations::{Subjects, is_looking, perform};
use common::recorded::{Metrics, recorded};
use common::{TestResult, World, block_on};
use keywright::store::conformance::InterceptedStore;
use keywright::store::{CacheOptions, CachedStore, ManualMonotonicClock, MemoryStore};
use keywright::{AccessRequest, Actor, Credential, LeakReport, Operation, Permissions, Reason};

use crate::background::paused_runtime;
use crate::leaks::send_unsigned;
use crate::verifications::each_denial;

#[test]
fn b22_every_denial_counts_in_its_reason() -> TestResult {
    let (denied, _) = recorded(|| {
        each_denial(|world, code, request| {
            // The checks that led to the denial are published before.
            world.keywright.publish_metrics();
            let ((), once) = recorded(|| {
                drop(block_on(world.verifier.verify_request(request)));
                world.keywright.publish_metrics();
            });
            for reason in Reason::CODES {
                let count = once.count(&format!("keywright_denials_total reason={reason}"));
                assert_eq!(count, u64::from(*reason == code), "{reason} of {code}");
            }
            let outcomes = ["accepted", "denied", "unavailable"].map(|outcome| {
                once.count(&format!("keywright_verifications_total outcome={outcome}"))
            });
            assert_eq!(outcomes, [0, 1, 0], "{code}");
        })
    });
    denied
}

#[test]
fn b22_every_check_counts_once() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = block_on(world.key());
    let check = |count: u32| {
        for _ in 0..count {
            drop(block_on(world.verifier.verify(issued.token.expose())));
        }
    };
    let ((), metrics) = recorded(|| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| check(250));
            }
        });
        world.keywright.publish_metrics();
        check(5);
        block_on(world.verifier.flush()).expect("the store works");
        faults.set(Fault::Down);
        check(3);
        world.keywright.publish_metrics();
        world.keywright.publish_metrics();
    });
    let outcome =
        |outcome| metrics.count(&format!("keywright_verifications_total outcome={outcome}"));
    assert_eq!(outcome("accepted"), 1_005);
    assert_eq!(outcome("denied"), 0);
    assert_eq!(outcome("unavailable"), 3);
}

#[test]
fn b22_every_operation_counts_in_its_outcome() -> TestResult {
    for operation in Operation::ALL.iter().copied() {
        let stranger = Actor::new(common::user("mallory"), Permissions::NONE);
        let world = World::new(MemoryStore::new());
        let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), operation))?;
        let ((), metrics) = recorded(|| {
            let refused = if is_looking(operation) { &stranger } else { &world.auditor };
            drop(block_on(perform(&world, refused, operation, &subjects)));
            drop(block_on(perform(&world, &world.admin, operation, &subjects)));
            world.keywright.publish_metrics();
        });
        // `perform` reads an account, and a page of them.
        let times = if operation == Operation::AccountShow { 2 } else { 1 };
        for outcome in ["done", "refused"] {
            let name =
                format!("keywright_operations_total operation={operation} outcome={outcome}");
            assert_eq!(metrics.count(&name), times, "{operation} {outcome}");
        }
        let name = format!("keywright_operation_duration_seconds operation={operation}");
        assert_eq!(metrics.recorded(&name), 2 * times);
    }
    Ok(())
}

/// Runs everything that has a metric of its own without a database.
pub(crate) fn everything() -> Metrics {
    let (faults, clock) = (Faults::default(), ManualMonotonicClock::new());
    let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    let options = CacheOptions::new().clock(clock.clone());
    let cache = CachedStore::new(store, options).expect("possible options");
    let world = World::on(cache.clone());
    let runtime = paused_runtime();
    let work = async {
        let issued = world.key().await;
        let (other, alice, id) = (world.authority.clone(), world.alice.clone(), issued.key.id);
        faults.meanwhile(async move {
            other.disable(&alice, &id).await.expect("active");
        });
        let name = common::name("staging-api");
        world.authority.rename(&world.alice, &id, name).await.expect("the second attempt");
        world.authority.enable(&world.alice, &id).await.expect("disabled");
        cache.sync().await.expect("the store works");
        world.check(&issued).await.expect("accepted");
        let unknown = LeakReport::new(Credential::Token("not a token"));
        world.verifier.report_leak(&unknown).await.expect("the store works");
        send_unsigned(world.verifier.clone()).await;
        clock.advance(Duration::from_millis(250));
        world.keywright.publish_metrics();
    };
    recorded(|| runtime.block_on(work)).1
}

#[test]
fn b22_gauges_show_cache_and_uses() {
    let metrics = everything();
    assert_eq!(metrics.gauge("keywright_cache_age_seconds"), "0.25");
    assert_eq!(metrics.gauge("keywright_cache_keys"), "1");
    assert_eq!(metrics.gauge("keywright_cache_regressions"), "0");
    assert_eq!(metrics.gauge("keywright_unflushed_keys"), "1");
    assert_eq!(metrics.gauge("keywright_unflushed_batches"), "0");
    assert_eq!(metrics.count("keywright_operation_conflicts_total operation=key.rename"), 1);
}

#[test]
fn b22_batch_without_answer_waits() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = block_on(world.key());
    block_on(world.check(&issued)).expect("accepted");
    faults.set(Fault::UsageLost);
    let ((), metrics) = recorded(|| drop(block_on(world.verifier.flush())));
    assert_eq!(metrics.gauge("keywright_unflushed_batches"), "1");
    assert_eq!(metrics.count("keywright_operations_total operation=flush outcome=failed"), 1);
}

#[test]
fn t_d09_labels_are_closed_sets() -> TestResult {
    let world = World::new(MemoryStore::new());
    let subjects = block_on(Subjects::of(&world, &world.alice.as_owner(), Operation::KeyEdit))?;
    let ((), metrics) = recorded(|| {
        for operation in Operation::ALL {
            drop(block_on(perform(&world, &world.admin, *operation, &subjects)));
        }
        for odd in ["x", "acme_live_\n", "tenant"] {
            let request = AccessRequest::token(odd).tenant(world.tenant());
            drop(block_on(world.verifier.verify_request(&request)));
        }
        world.keywright.publish_metrics();
    });
    let operations = Operation::ALL.iter().map(|operation| operation.as_str());
    let outcomes = ["accepted", "denied", "unavailable", "done", "unchanged", "refused", "failed"];
    let closed: Vec<_> =
        operations.chain(outcomes).chain(Reason::CODES.iter().copied()).chain(["flush"]).collect();
    for series in metrics.series() {
        for label in series.split(' ').skip(1) {
            let (_, value) = label.split_once('=').expect("a label");
            assert!(closed.contains(&value), "{series}");
        }
    }
    Ok(())
}
