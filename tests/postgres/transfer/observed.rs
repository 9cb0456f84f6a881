//! The spans of a move, and the gauges after it.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{MemoryStore, MovingStore, TransferError};

use common::World;
use common::capture::captured;
use common::recorded::recorded;
use common::transfer::{Place, lived};

use crate::moving::move_to;

#[common::test(postgres)]
fn b22_each_moving_step_has_its_span() {
    let place = Place::new();
    let _runtime = place.enter();
    let source = MemoryStore::new();
    let world = lived(source.clone());
    let (store, seen) = captured(|| {
        let mut moving = place.begin(source.clone()).expect("a move");
        block_on(moving.copy(|_| {})).expect("it is copied");
        block_on(moving.finish(|_| {})).expect("it has moved")
    });
    drop((store, world));
    let steps = seen.spans.iter().filter(|span| span.name.starts_with("keywright.transfer."));
    let steps: Vec<_> =
        steps.map(|span| (span.name, span.level.as_str(), span.outcome())).collect();
    let expected = ["begin", "copy", "finish"].map(|step| format!("keywright.transfer.{step}"));
    let expected: Vec<_> = expected.iter().map(|name| (&**name, "INFO", "done")).collect();
    assert_eq!(steps, expected);
    let (refused, seen) = captured(|| place.begin(MemoryStore::new()));
    assert!(matches!(refused, Err(TransferError::InUse)));
    let span = seen.span("keywright.transfer.begin");
    assert_eq!((span.outcome(), span.field("error.type")), ("refused", "in_use"));
    assert!(seen.events.is_empty(), "{:?}", seen.events);
}

#[common::test(postgres)]
fn b22_gauges_follow_a_moved_store() {
    let place = Place::new();
    let _runtime = place.enter();
    let store = MovingStore::new(MemoryStore::new());
    let world = World::bare(store.clone());
    let gauges = || {
        let ((), metrics) = recorded(|| world.keywright.publish_metrics());
        metrics
            .series()
            .filter(|name| name.contains("_pool_"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(gauges(), Vec::<String>::new());
    let (moved, seen) = captured(|| move_to(&place, &store, Duration::from_secs(10)));
    moved.expect("it has moved");
    assert_eq!(seen.span("keywright.transfer.finish").outcome(), "done");
    assert_eq!(gauges(), ["keywright_pool_connections", "keywright_pool_idle_connections"]);
}
