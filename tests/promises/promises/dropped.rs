//! Operations that are dropped before they return, as by a disconnected client or a timeout.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::thread;

use keywright::store::EventQuery;
use keywright::{EventOutcome, Operation};

use common::faults::{Fault, Faults};
use common::operations::{Subjects, is_looking, perform, state};
use common::{TestResult, World};

/// Polls `call` until it completes or its store blocks at this moment, and then drops it.
async fn until_blocked<T>(call: impl Future<Output = T>, store: &Faults, at: usize) -> Option<T> {
    let mut call = pin!(call);
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if store.moments() > at => Poll::Ready(None),
        Poll::Pending => {
            thread::yield_now();
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Returns the number of events with the outcome "done".
async fn done_events(world: &World) -> TestResult<usize> {
    let events = world.events(EventQuery::new()).await?;
    Ok(events.iter().filter(|event| event.outcome == EventOutcome::Done).count())
}

#[common::test(each_store)]
async fn t_c10_dropped_operation_is_atomic(world: &World) -> TestResult {
    let (world, store) = world.with_faults()?;
    let (mut done, mut undone) = (0, 0);
    for operation in Operation::ALL.iter().copied().filter(|one| !is_looking(*one)) {
        for at in 0.. {
            let on = Subjects::of(&world, &world.alice.as_owner(), operation).await?;
            let before = (state(&world).await?, done_events(&world).await?);
            store.set(Fault::StandsAt(at));
            let call = perform(&world, &world.admin, operation, &on);
            if let Some(ended) = until_blocked(call, &store, at).await {
                ended?;
                assert!(at > 1, "{operation} makes no store call");
                break;
            }
            store.set(None);
            let after = (state(&world).await?, done_events(&world).await?);
            let what = format!("{operation}, dropped at moment {at}");
            assert_eq!(
                before.0 == after.0,
                before.1 == after.1,
                "{what}: a change without an event"
            );
            let again = perform(&world, &world.admin, operation, &on).await;
            if before == after {
                undone += 1;
                assert!(again.is_ok_and(|again| !again.is_unchanged()), "{what}: not rolled back");
            } else {
                done += 1;
            }
        }
        store.set(None);
    }
    println!("{done} were done, {undone} were not");
    assert!(done > 10 && undone > 10, "{done} were done, {undone} were not");
    Ok(())
}
