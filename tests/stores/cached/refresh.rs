//! The refresh task on the machine's clock: every kind of hints, and the end of the task.

use std::sync::Arc;
use std::time::Duration;

use async_lock::Semaphore;
use async_trait::async_trait;
use keywright::AccessRequest;
use keywright::store::{
    CacheOptions, CachedStore, ChangeHints, MonotonicClock, SystemMonotonicClock,
};

use crate::held::{Call, Held};
use common::{HOUR, World, admin, denied};

const BOUND: Duration = Duration::from_millis(10);
fn cache(behind: &Held, max_staleness: Duration) -> CachedStore {
    let options = CacheOptions::new().max_staleness(max_staleness);
    CachedStore::new(behind.store(), options).expect("options that are possible")
}

fn cache_with(behind: &Held, max_staleness: Duration, hints: impl ChangeHints) -> CachedStore {
    let options = CacheOptions::new().max_staleness(max_staleness);
    CachedStore::with_hints(behind.store(), options, hints).expect("options that are possible")
}

/// Waits until the condition holds.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    // The limit allows for a slow machine and is far below the pause of an hour.
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the condition was never true");
}

/// Sends hints continuously, without any change.
struct Wrong;

#[async_trait]
impl ChangeHints for Wrong {
    async fn next(&mut self) {}
}

/// Hints that the test sends.
#[derive(Clone)]
struct Sent(Arc<Semaphore>);

impl Sent {
    fn none() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    fn send(&self, hints: usize) {
        self.0.add_permits(hints);
    }
}

#[async_trait]
impl ChangeHints for Sent {
    async fn next(&mut self) {
        self.0.acquire().await.forget();
    }
}

/// Verifies a key continuously while another node revokes it, and asserts that no answer is older
/// than its stated age.
async fn revoked_in_time(behind: &Held, cache: &CachedStore, mut hint: impl FnMut()) {
    let (here, elsewhere) = (World::on(cache.clone()), World::on(behind.store()));
    for _ in 0..10 {
        let issued = elsewhere.key().await;
        let mut revoked = None;
        loop {
            let began = SystemMonotonicClock.now();
            let request = AccessRequest::token(issued.token.expose());
            let Ok(grant) = here.verifier.verify_request(&request).await else { break };
            let age = grant.age().duration();
            assert!(age <= BOUND, "{age:?}");
            if let Some(revoked) = revoked {
                assert!(began.saturating_sub(age) <= revoked, "the stated age is too low");
            } else {
                elsewhere.authority.revoke(&admin(), &issued.key.id).await.expect("it is revoked");
                revoked = Some(SystemMonotonicClock.now());
                hint();
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn t_m02_bound_holds_without_any_hint() {
    let behind = Held::default();
    let cache = cache(&behind, BOUND);
    tokio::spawn(cache.refresh_task());
    until(|| cache.age().is_some()).await;
    revoked_in_time(&behind, &cache, || {}).await;
}

#[tokio::test]
async fn t_m02_bound_holds_with_unreliable_hints() {
    let behind = Held::default();
    let hints = Sent::none();
    let cache = cache_with(&behind, BOUND, hints.clone());
    tokio::spawn(cache.refresh_task());
    until(|| cache.age().is_some()).await;
    let mut turn = 0;
    let some_hints = || {
        turn += 1;
        hints.send(turn % 3);
    };
    revoked_in_time(&behind, &cache, some_hints).await;
}

#[tokio::test]
async fn t_m02_bound_holds_with_hints_anytime() {
    let behind = Held::default();
    let cache = cache_with(&behind, BOUND, Wrong);
    tokio::spawn(cache.refresh_task());
    until(|| cache.age().is_some()).await;
    revoked_in_time(&behind, &cache, || {}).await;
}

#[tokio::test]
async fn t_m02_hint_arrives_before_the_bound() {
    let behind = Held::default();
    let hints = Sent::none();
    let cache = cache_with(&behind, HOUR, hints.clone());
    let (here, elsewhere) = (World::on(cache.clone()), World::on(behind.store()));
    tokio::spawn(cache.refresh_task());
    until(|| cache.age().is_some()).await;
    let issued = elsewhere.key().await;
    here.verifier.verify(issued.token.expose()).await.expect("a key that is accepted");
    assert_eq!(cache.keys_kept(), 1);
    elsewhere.authority.revoke(&admin(), &issued.key.id).await.expect("it is revoked");
    // The first hint is for the generated key.
    hints.send(2);
    until(|| cache.keys_kept() == 0).await;
    assert_eq!(denied(here.verifier.verify(issued.token.expose()).await), "revoked");
}

#[tokio::test]
async fn t_m03_refresh_continues_after_an_outage() {
    let behind = Held::default();
    // The task polls every twenty minutes, and sooner after a failure.
    for bound in [BOUND, HOUR] {
        behind.set_down(true);
        let cache = cache(&behind, bound);
        let asked = behind.asked(Call::Changes);
        tokio::spawn(cache.refresh_task());
        until(|| behind.asked(Call::Changes) >= asked + 2).await;
        assert_eq!(cache.age(), None);
        behind.set_down(false);
        until(|| cache.age().is_some()).await;
    }
}

#[tokio::test]
async fn refresh_task_ends_with_last_clone() {
    let behind = Held::default();
    let cache = cache_with(&behind, BOUND, Sent::none());
    let task = tokio::spawn(cache.refresh_task());
    let clone = cache.clone();
    drop(cache);
    let asked = behind.asked(Call::Changes);
    until(|| behind.asked(Call::Changes) > asked + 2).await;
    assert!(!task.is_finished());
    drop(clone);
    task.await.expect("it ends and does not panic");
}

#[tokio::test]
async fn waiting_refresh_task_ends_with_its_answer() {
    let behind = Held::default();
    let cache = cache(&behind, BOUND);
    let held = behind.hold(Call::Changes);
    let task = tokio::spawn(cache.refresh_task());
    until(|| behind.asked(Call::Changes) == 1).await;
    drop(cache);
    drop(held);
    task.await.expect("it ends and does not panic");
    assert_eq!(behind.asked(Call::Changes), 1);
}

#[tokio::test]
async fn second_refresh_task_takes_over() {
    let behind = Held::default();
    let hints = Sent::none();
    let cache = cache_with(&behind, HOUR, hints.clone());
    let first = tokio::spawn(cache.refresh_task());
    until(|| behind.asked(Call::Changes) == 1).await;
    let second = tokio::spawn(cache.refresh_task());
    hints.send(1);
    until(|| behind.asked(Call::Changes) == 2).await;
    first.abort();
    // The second task starts with its own poll, and it receives the hints.
    until(|| behind.asked(Call::Changes) == 3).await;
    hints.send(1);
    until(|| behind.asked(Call::Changes) == 4).await;
    drop(cache);
    hints.send(1);
    second.await.expect("it ends and does not panic");
}
