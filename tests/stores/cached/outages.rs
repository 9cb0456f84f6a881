//! A store that is down, and one that does not answer.

use std::time::Duration;

use futures_lite::future::poll_once;
use keywright::store::{Age, Freshness, KeyStore, StoreErrorKind};
use keywright::{AccessRequest, Issued};

use crate::held::Call;
use crate::node::{BOUND, Node};
use common::MOMENT;

const OUTAGE: Duration = Duration::from_mins(5);

#[tokio::test]
async fn t_m03_keys_are_accepted_until_the_bound() {
    for syncs_fail in [false, true] {
        let node = Node::new();
        let (issued, other) = (node.cached_key().await, node.elsewhere.key().await);
        node.behind.set_down(true);
        if syncs_fail {
            assert!(node.cache.sync().await.is_err());
        }
        node.clock.advance(BOUND);
        assert_eq!(node.says(&issued).await, "accepted");
        assert_eq!(node.says(&other).await, "unavailable", "it was never asked for");
        node.clock.advance(MOMENT);
        for _ in 0..3 {
            assert_eq!(node.says(&issued).await, "unavailable");
            assert!(node.is_unavailable(&issued.key.id).await);
            node.clock.advance(BOUND * 2);
            assert!(node.cache.sync().await.is_err());
        }
        node.behind.set_down(false);
        node.sync().await;
        assert_eq!(node.says(&issued).await, "accepted");
        assert_eq!(node.says(&other).await, "accepted");
    }
}

#[tokio::test]
async fn t_m03_unknown_id_is_unavailable_in_outage() {
    let node = Node::with(|options| options.danger_accept_revoked_keys_during_an_outage(OUTAGE));
    node.sync().await;
    let nobody = "0000000000000001".parse().expect("an id");
    assert!(node.is_absent(&nobody).await);
    node.behind.set_down(true);
    assert!(node.is_absent(&nobody).await, "until the bound it is known");
    node.clock.advance(BOUND + MOMENT);
    assert!(node.is_unavailable(&nobody).await);
}

#[tokio::test]
async fn t_m03_reads_skip_a_store_known_down() {
    let node = Node::new();
    let issued = node.cached_key().await;
    node.clock.advance(BOUND + MOMENT);
    node.behind.set_down(true);
    assert!(node.cache.sync().await.is_err());
    let asked = node.asked(&issued.key.id);
    assert!(node.is_unavailable(&issued.key.id).await);
    assert_eq!(node.asked(&issued.key.id), asked);
    // The cache reconnects later, with or without a refresh task.
    node.behind.set_down(false);
    node.clock.advance(BOUND + MOMENT);
    assert_eq!(node.says(&issued).await, "accepted");
}

#[tokio::test]
async fn t_m03_corrupt_store_is_not_an_outage() {
    let node = Node::with(|options| options.danger_accept_revoked_keys_during_an_outage(OUTAGE));
    let issued = node.cached_key().await;
    node.clock.advance(BOUND + MOMENT);
    node.behind.set_corrupt(true);
    let error = node.resolve(&issued.key.id).await.expect_err("the record cannot be read");
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn t_m04_silent_store_is_unavailable_after_timeout() {
    let node = Node::with(|options| options.store_timeout(Duration::from_millis(1)));
    let issued = node.elsewhere.key().await;
    let _held = [Call::Resolve(issued.key.id), Call::Changes].map(|call| node.behind.hold(call));
    let error = node.cache.sync().await.expect_err("it does not answer");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(node.cache.age(), None, "nothing was learned");
    // The result is the same before and after a sync has noticed it.
    for _ in 0..2 {
        assert!(node.is_unavailable(&issued.key.id).await);
        let fresh = node.cache.resolve(&issued.key.id, Freshness::AtMost(BOUND)).await;
        assert_eq!(fresh.expect_err("no answer").kind(), StoreErrorKind::Unavailable);
        node.clock.advance(BOUND * 2);
    }
}

#[tokio::test]
async fn t_m04_cached_read_ignores_hanging_sync() {
    let node = Node::new();
    let issued = node.cached_key().await;
    let _held = node.behind.hold(Call::Changes);
    let mut sync = Box::pin(node.cache.sync());
    assert!(poll_once(&mut sync).await.is_none());
    assert_eq!(node.says(&issued).await, "accepted");
    assert_eq!(node.asked(&issued.key.id), 1);
}

#[tokio::test]
async fn t_m03_outage_acceptance_needs_the_hosts_consent() {
    let node = Node::with(|options| options.danger_accept_revoked_keys_during_an_outage(OUTAGE));
    let (issued, other) = (node.cached_key().await, node.elsewhere.key().await);
    node.revoke_elsewhere(&issued.key.id).await;
    node.behind.set_down(true);
    node.clock.advance(BOUND);
    assert_eq!(age_of(&node, &issued).await, Age::at_most(BOUND));
    node.clock.advance(MOMENT);
    // Until a sync has found the store down, each lookup tries the store first.
    let asked = node.asked(&issued.key.id);
    assert_eq!(age_of(&node, &issued).await, Age::during_outage(BOUND + MOMENT));
    assert_eq!(node.asked(&issued.key.id), asked + 1);
    assert!(node.cache.sync().await.is_err());
    assert_eq!(age_of(&node, &issued).await, Age::during_outage(BOUND + MOMENT));
    assert_eq!(node.asked(&issued.key.id), asked + 1);
    // A key that is not in memory cannot be verified.
    assert_eq!(node.says(&other).await, "unavailable");
    // A request with a maximum age gets no answer from before the outage.
    for age in [Duration::ZERO, BOUND, OUTAGE] {
        let request = AccessRequest::token(issued.token.expose()).max_age(age);
        let refused = node.verify(request).await.expect_err("the store is down");
        assert!(refused.denial().is_none(), "{refused:?}");
    }
    node.clock.advance(OUTAGE.saturating_sub(BOUND + MOMENT));
    assert_eq!(age_of(&node, &issued).await, Age::during_outage(OUTAGE));
    node.clock.advance(MOMENT);
    assert_eq!(node.says(&issued).await, "unavailable");
    node.behind.set_down(false);
    node.sync().await;
    assert_eq!(node.says(&issued).await, "revoked");
}

/// Returns the age of the key's grant.
async fn age_of(node: &Node, issued: &Issued) -> Age {
    let request = AccessRequest::token(issued.token.expose());
    node.verify(request).await.expect("a key that is accepted").age()
}
