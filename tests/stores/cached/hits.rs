//! Answers from memory: when they are given, how old they are, and the store accesses that they
//! save.

use std::time::Duration;

use keywright::store::{Freshness, KeyStore};
use keywright::{AccessRequest, Credential, Issued, Outcome, VerifyError};

use crate::held::Call;
use crate::node::{BOUND, Node};
use common::{MOMENT, admin};

#[tokio::test]
async fn t_m01_cached_key_needs_no_store_read() {
    let node = Node::new();
    let issued = node.cached_key().await;
    assert_eq!(node.asked(&issued.key.id), 1);
    for _ in 0..100 {
        assert_eq!(node.says(&issued).await, "accepted");
    }
    assert_eq!(node.asked(&issued.key.id), 1);
    assert_eq!(node.behind.asked(Call::Changes), 1);
}

#[tokio::test]
async fn t_m01_every_key_is_read_without_sync() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    for asked in 1..=3 {
        assert_eq!(node.says(&issued).await, "accepted");
        assert_eq!(node.asked(&issued.key.id), asked);
    }
    assert_eq!(node.cache.age(), None);
}

#[tokio::test]
async fn t_m01_remote_revoke_arrives_with_one_sync() {
    let node = Node::new();
    let issued = node.cached_key().await;
    node.revoke_elsewhere(&issued.key.id).await;
    assert_eq!(node.says(&issued).await, "accepted", "the node has not synced yet");
    node.sync().await;
    assert_eq!(node.says(&issued).await, "revoked");
}

#[tokio::test]
async fn t_m01_remote_revoke_arrives_after_bound() {
    let node = Node::new();
    let issued = node.cached_key().await;
    node.revoke_elsewhere(&issued.key.id).await;
    node.clock.advance(BOUND);
    assert_eq!(node.says(&issued).await, "accepted");
    node.clock.advance(MOMENT);
    assert_eq!(node.says(&issued).await, "revoked");
}

#[tokio::test]
async fn t_m01_age_counts_from_start_of_sync() {
    let node = Node::new();
    let issued = node.cached_key().await;
    let held = node.behind.hold(Call::Changes);
    let mut sync = Box::pin(node.cache.sync());
    assert!(futures_lite::future::poll_once(&mut sync).await.is_none());
    node.clock.advance(BOUND / 2);
    drop(held);
    sync.await.expect("the store is up");
    assert_eq!(node.cache.age(), Some(BOUND / 2));
    assert_eq!(node.found(&issued.key.id).await.age.duration(), BOUND / 2);
    node.clock.advance(BOUND / 2 + MOMENT);
    assert!(node.asks(&issued.key.id).await);
}

#[tokio::test]
async fn t_m01_grant_has_age_and_request_limits_it() {
    let node = Node::new();
    let issued = node.cached_key().await;
    let request = || AccessRequest::token(issued.token.expose());
    node.clock.advance(BOUND / 2);
    let asked = node.asked(&issued.key.id);
    let table = [
        // A maximum age, the time that passes, and the expected store accesses.
        (None, BOUND / 2, 0),
        (Some(BOUND * 10), BOUND / 2, 0),
        (Some(BOUND / 2), BOUND / 2, 0),
        (Some((BOUND / 2).saturating_sub(MOMENT)), Duration::ZERO, 1),
        (Some(Duration::ZERO), Duration::ZERO, 2),
        (Some(Duration::ZERO), Duration::ZERO, 3),
    ];
    for (at_most, age, questions) in table {
        let request = at_most.map_or_else(request, |at_most| request().max_age(at_most));
        let grant = node.verify(request).await.expect("a key that is accepted");
        assert_eq!(grant.age().duration(), age, "{at_most:?}");
        assert!(!grant.age().is_during_outage());
        assert_eq!(node.asked(&issued.key.id) - asked, questions, "{at_most:?}");
    }
}

#[tokio::test]
async fn t_m01_zero_age_is_read_during_sync() {
    let node = Node::new();
    let issued = node.cached_key().await;
    assert_eq!(node.cache.age(), Some(Duration::ZERO));
    // The key has been revoked since, and the clock can be too coarse to show an age.
    node.revoke_elsewhere(&issued.key.id).await;
    let request = AccessRequest::token(issued.token.expose()).max_age(Duration::ZERO);
    let denied = node.verify(request).await.expect_err("it is revoked");
    assert_eq!(denied.denial().map(|denial| denial.reason().code()), Some("revoked"));
}

#[tokio::test]
async fn t_m01_fresh_read_serves_all_callers() {
    let node = Node::new();
    let issued = node.cached_key().await;
    let id = issued.key.id;
    node.elsewhere.authority.delete(&admin(), &id).await.expect("it is deleted");
    let fresh = node.cache.resolve(&id, Freshness::AtMost(Duration::ZERO)).await;
    assert!(fresh.expect("the store is up").is_none());
    assert!(node.is_absent(&id).await, "the node deleted the key itself");
}

#[tokio::test]
async fn t_m10_first_answer_after_suspension_is_read() {
    let node = Node::new();
    let issued = node.cached_key().await;
    node.revoke_elsewhere(&issued.key.id).await;
    // No task ran, so there was no sync.
    node.clock.advance(Duration::from_hours(8));
    let asked = node.asked(&issued.key.id);
    assert_eq!(node.says(&issued).await, "revoked");
    assert_eq!(node.asked(&issued.key.id), asked + 1);
}

#[tokio::test]
async fn t_m10_suspension_without_store_gives_no_answer() {
    let node = Node::new();
    let issued = node.cached_key().await;
    node.behind.set_down(true);
    node.clock.advance(Duration::from_hours(8));
    assert_eq!(node.says(&issued).await, "unavailable");
}

#[tokio::test]
async fn t_m11_lost_commits_make_node_forget_all() {
    let node = Node::new();
    let (lost, kept) = (node.elsewhere.key().await, node.elsewhere.key().await);
    node.elsewhere.authority.disable(&admin(), &lost.key.id).await.expect("it is disabled");
    node.elsewhere.authority.enable(&admin(), &lost.key.id).await.expect("it is enabled");
    node.sync().await;
    for issued in [&lost, &kept] {
        assert_eq!(node.says(issued).await, "accepted");
    }
    assert_eq!((node.cache.keys_kept(), node.cache.regressions()), (2, 0));
    // The new server lacks the enabling of the key.
    node.behind.lose(1);
    node.sync().await;
    assert_eq!((node.cache.keys_kept(), node.cache.regressions()), (0, 1));
    assert_eq!(node.says(&lost).await, "disabled");
    assert_eq!(node.says(&kept).await, "accepted");
    node.sync().await;
    assert_eq!((node.cache.keys_kept(), node.cache.regressions()), (2, 1), "it is one loss");
}

#[tokio::test]
async fn revoke_by_possessor_bypasses_the_cache() {
    // The secret was replaced on another node, and this node still accepts it from memory.
    let node = Node::new();
    let old = node.cached_key().await;
    let rotate = |node: &Node, issued: &Issued| {
        let (authority, id) = (node.elsewhere.authority.clone(), issued.key.id);
        async move { authority.rotate(&admin(), &id, Duration::ZERO).await.expect("it rotates") }
    };
    let new = rotate(&node, &old).await;
    assert_eq!(node.says(&old).await, "accepted", "the node has not synced yet");
    let revoked = node.here.verifier.revoke(Credential::Token(old.token.expose())).await;
    let denial = revoked.as_ref().err().and_then(VerifyError::denial);
    assert_eq!(denial.map(|denial| denial.reason().code()), Some("unrecognized"), "{revoked:?}");
    node.sync().await;
    assert_eq!(node.says(&new).await, "accepted");

    // The new secret is not yet known to this node.
    let node = Node::new();
    let old = node.cached_key().await;
    let new = rotate(&node, &old).await;
    let revoked = node.here.verifier.revoke(Credential::Token(new.token.expose())).await;
    assert!(matches!(revoked, Ok(Outcome::Done(id)) if id == new.key.id), "{revoked:?}");
    assert_eq!(node.says(&new).await, "revoked");
}
