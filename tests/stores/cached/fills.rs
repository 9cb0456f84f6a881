//! Answers that were in flight during a change are returned and not cached.

use futures_lite::future::poll_once;
use keywright::KeyId;
use keywright::store::{Freshness, KeyStore, Resolve};

use crate::held::{Call, Hold};
use crate::node::{BOUND, Node};
use common::admin;

/// The two kinds of lookup: shared with other callers, and separate.
const BOTH: [Freshness; 2] = [Freshness::StoreDefault, Freshness::AtMost(BOUND)];

/// Starts a lookup whose answer reflects the present state and arrives when the hold is released.
async fn slow<'a>(node: &'a Node, key: &KeyId, freshness: Freshness) -> (Hold, Resolve<'a>) {
    let held = node.behind.hold(Call::Resolve(*key));
    let mut fill = node.cache.resolve(key, freshness);
    assert!(poll_once(&mut fill).await.is_none());
    (held, fill)
}

async fn end(held: Hold, fill: Resolve<'_>) {
    drop(held);
    let found = fill.await.expect("the store is up").expect("the key is there");
    assert!(found.record().key().revoked_at.is_none(), "the state at the time of the call");
}

#[tokio::test]
async fn t_m06_fill_from_before_revoke_is_dropped() {
    for freshness in BOTH {
        let node = Node::new();
        let issued = node.elsewhere.key().await;
        node.sync().await;
        let (held, fill) = slow(&node, &issued.key.id, freshness).await;
        node.revoke_elsewhere(&issued.key.id).await;
        node.sync().await;
        end(held, fill).await;
        assert_eq!(node.cache.keys_kept(), 0);
        assert_eq!(node.says(&issued).await, "revoked");
    }
}

#[tokio::test]
async fn t_m06_fill_before_sync_is_forgotten() {
    for freshness in BOTH {
        let node = Node::new();
        let issued = node.elsewhere.key().await;
        node.sync().await;
        let (held, fill) = slow(&node, &issued.key.id, freshness).await;
        node.revoke_elsewhere(&issued.key.id).await;
        end(held, fill).await;
        assert_eq!(node.cache.keys_kept(), 1);
        node.sync().await;
        assert_eq!(node.says(&issued).await, "revoked");
    }
}

#[tokio::test]
async fn t_m06_fill_during_sync_is_forgotten() {
    for freshness in BOTH {
        let node = Node::new();
        let issued = node.elsewhere.key().await;
        node.sync().await;
        let (held, fill) = slow(&node, &issued.key.id, freshness).await;
        node.revoke_elsewhere(&issued.key.id).await;
        let changes = node.behind.hold(Call::Changes);
        let mut sync = Box::pin(node.cache.sync());
        assert!(poll_once(&mut sync).await.is_none());
        end(held, fill).await;
        drop(changes);
        sync.await.expect("the store is up");
        assert_eq!(node.says(&issued).await, "revoked");
    }
}

#[tokio::test]
async fn t_m06_fill_from_before_own_change_is_dropped() {
    for freshness in BOTH {
        let node = Node::new();
        let issued = node.elsewhere.key().await;
        node.sync().await;
        let (held, fill) = slow(&node, &issued.key.id, freshness).await;
        node.here.authority.revoke(&admin(), &issued.key.id).await.expect("it is revoked");
        end(held, fill).await;
        assert_eq!(node.cache.keys_kept(), 0);
        assert_eq!(node.says(&issued).await, "revoked");
    }
}

#[tokio::test]
async fn t_m06_fill_before_acknowledgment_is_forgotten() {
    for freshness in BOTH {
        let node = Node::new();
        let issued = node.elsewhere.key().await;
        node.sync().await;
        let (held, fill) = slow(&node, &issued.key.id, freshness).await;
        let commit = node.behind.hold(Call::Commit);
        let admin = admin();
        let mut revoke = Box::pin(node.here.authority.revoke(&admin, &issued.key.id));
        assert!(poll_once(&mut revoke).await.is_none());
        end(held, fill).await;
        assert_eq!(node.cache.keys_kept(), 1);
        drop(commit);
        revoke.await.expect("it is revoked");
        assert_eq!(node.says(&issued).await, "revoked");
    }
}

#[tokio::test]
async fn t_m05_change_with_lost_answer_is_forgotten() {
    let node = Node::new();
    let (failing, leaving) = (node.cached_key().await, node.cached_key().await);
    let admin = admin();
    let commit = node.behind.hold(Call::Commit);
    let mut revoke = Box::pin(node.here.authority.revoke(&admin, &failing.key.id));
    assert!(poll_once(&mut revoke).await.is_none());
    node.behind.set_down(true);
    drop(commit);
    assert!(revoke.await.is_err());
    node.behind.set_down(false);
    assert_eq!(node.says(&failing).await, "revoked");

    let _commit = node.behind.hold(Call::Commit);
    let mut revoke = Box::pin(node.here.authority.revoke(&admin, &leaving.key.id));
    assert!(poll_once(&mut revoke).await.is_none());
    assert_eq!(node.says(&leaving).await, "accepted", "the change was not acknowledged");
    drop(revoke);
    assert_eq!(node.says(&leaving).await, "revoked");
}

#[tokio::test]
async fn t_m06_fill_from_before_lost_commits_is_dropped() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    node.elsewhere.authority.disable(&admin(), &issued.key.id).await.expect("it is disabled");
    node.elsewhere.authority.enable(&admin(), &issued.key.id).await.expect("it is enabled");
    node.sync().await;
    let (held, fill) = slow(&node, &issued.key.id, Freshness::StoreDefault).await;
    node.behind.lose(1);
    node.sync().await;
    end(held, fill).await;
    assert_eq!(node.says(&issued).await, "disabled");
}
