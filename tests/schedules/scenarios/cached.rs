//! Answers of a cache during fills, syncs and its own changes.

use std::pin::pin;

use futures_lite::future::poll_once;
use shuttle::future::{block_on, yield_now};
use shuttle::rand::{Rng, thread_rng};

use super::{Work, together};
use crate::authority::Issued;
use crate::slow::slow_store;
use crate::store::{
    CacheOptions, CachedStore, Freshness, KeyStore, ManualMonotonicClock, Resolved,
};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::time::Duration;
use crate::value::digest::PepperRing;
use crate::value::id::KeyId;
use crate::world::World;

/// Maximum staleness of an answer.
const BOUND: Duration = Duration::from_secs(1);

/// A node with a cache, and one without.
#[derive(Clone)]
struct Nodes {
    cache: CachedStore,
    /// The clock of the lease.
    clock: ManualMonotonicClock,
    here: World,
    elsewhere: World,
}

impl Nodes {
    /// Builds nodes without a lease, and a key that is not in memory.
    fn new() -> (Self, Issued) {
        let behind = slow_store();
        let clock = ManualMonotonicClock::new();
        // Few keys need few stamps, which a schedule makes anew each time.
        let options = CacheOptions::new().capacity(100).max_staleness(BOUND).clock(clock.clone());
        let cache = CachedStore::new(behind.clone(), options).expect("options that are possible");
        let elsewhere = World::on(behind, PepperRing::none());
        let here = World::on(cache.clone(), PepperRing::none());
        let issued = elsewhere.generate();
        (Self { cache, clock, here, elsewhere }, issued)
    }

    fn sync(&self) {
        block_on(self.cache.sync()).expect("the store is up");
    }

    /// Revokes the key through one of the nodes. The cache knows of it on return.
    fn revoke(&self, key: &KeyId) {
        let is_own = thread_rng().gen_range(0..2) == 0;
        let by = if is_own { &self.here } else { &self.elsewhere };
        block_on(by.authority.revoke(&by.admin, key)).expect("it is revoked");
        if !is_own {
            self.sync();
        }
    }
}

pub(super) fn t_m06_fill_never_restores_a_revoked_key() {
    let (nodes, issued) = Nodes::new();
    // No time passes, so this lease does not end.
    nodes.sync();
    let known = Arc::new(AtomicBool::new(false));
    let look = |_| {
        let (nodes, known) = (nodes.clone(), Arc::clone(&known));
        let token = issued.token.expose().to_owned();
        Box::new(move || {
            for _ in 0..3 {
                let is_known = known.load(Ordering::SeqCst);
                let says = nodes.here.says(&token);
                assert!(
                    !is_known || says == "revoked",
                    "{says}, although the node knows of the revocation"
                );
            }
        }) as Work
    };
    let (revoking, syncing, changing) = (nodes.clone(), nodes.clone(), nodes.clone());
    let (is_known, id) = (Arc::clone(&known), issued.key.id);
    let revoke = move || {
        revoking.revoke(&id);
        is_known.store(true, Ordering::SeqCst);
    };
    let sync = move || syncing.sync();
    let change = move || changing.here.raise_limit();
    let others: [Work; 3] = [Box::new(revoke), Box::new(sync), Box::new(change)];
    together((0..2).map(look).chain(others));
    assert_eq!(nodes.here.says(issued.token.expose()), "revoked");
}

pub(super) fn t_m13_waiting_callers_survive_dropped_ones() {
    // Without a lease every lookup calls the store, so there is always a call to join.
    let (nodes, issued) = Nodes::new();
    let known = Arc::new(AtomicBool::new(false));
    let (id, is_known) = (issued.key.id, Arc::clone(&known));
    let caller = |stays: bool| {
        let (nodes, known) = (nodes.clone(), Arc::clone(&known));
        Box::new(move || {
            for _ in 0..3 {
                let is_known = known.load(Ordering::SeqCst);
                let polls = (!stays).then(|| thread_rng().gen_range(1..6));
                let answer = block_on(ask(&nodes, &id, polls));
                assert!(answer.is_some() || !stays);
                let Some(answer) = answer else { continue };
                let found = answer.expect("the store is up").expect("the key is there");
                let is_revoked = found.record().key().revoked_at.is_some();
                assert!(!is_known || is_revoked, "it was known to be revoked before the call");
            }
        }) as Work
    };
    let leaving = [caller(false), caller(false)];
    let staying = [caller(true), caller(true)];
    let revoke = move || {
        nodes.revoke(&id);
        is_known.store(true, Ordering::SeqCst);
    };
    together(leaving.into_iter().chain(staying).chain([Box::new(revoke) as Work]));
}

/// A sync removes changed records from memory before its lease covers the others.
pub(super) fn lease_covers_only_checked_keys() {
    let (nodes, issued) = Nodes::new();
    nodes.sync();
    assert_eq!(nodes.here.says(issued.token.expose()), "current");
    let (elsewhere, id) = (&nodes.elsewhere, issued.key.id);
    let revoked = elsewhere.authority.revoke(&elsewhere.admin, &id);
    block_on(revoked).expect("it is revoked");
    // The lease is over: from now on the old answer is too old for every call.
    nodes.clock.advance(2 * BOUND);
    let look = |_| {
        let nodes = nodes.clone();
        Box::new(move || {
            for _ in 0..30 {
                // Only an immediate answer counts: an answer of the store would refresh the memory.
                let answer = pin!(nodes.cache.resolve(&id, Freshness::StoreDefault));
                let Some(answer) = block_on(poll_once(answer)) else { continue };
                let found = answer.expect("the store is up").expect("the key is there");
                assert!(
                    found.record().key().revoked_at.is_some(),
                    "it was revoked before the lease began"
                );
            }
        }) as Work
    };
    let syncing = nodes.clone();
    let sync = Box::new(move || syncing.sync()) as Work;
    together((0..2).map(look).chain([sync]));
}

/// Looks the key up, and drops the lookup after this many polls.
async fn ask(nodes: &Nodes, key: &KeyId, polls: Option<usize>) -> Option<Resolved> {
    let mut answer = pin!(nodes.cache.resolve(key, Freshness::StoreDefault));
    let Some(polls) = polls else { return Some(answer.await) };
    for _ in 0..polls {
        if let Some(answer) = poll_once(&mut answer).await {
            return Some(answer);
        }
        yield_now().await;
    }
    None
}
