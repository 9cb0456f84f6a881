//! Many concurrent lookups of one key.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_lite::future::poll_once;
use keywright::KeyId;
use keywright::store::{Found, Freshness, KeyStore, Resolved, StoreErrorKind};

use crate::held::Call;
use crate::node::{BOUND, Node};
use common::{MOMENT, admin};

type Asking<'a> = Pin<Box<dyn Future<Output = Resolved> + Send + 'a>>;

/// Starts this many lookups, each of which waits.
async fn callers<'a>(node: &'a Node, key: &KeyId, count: usize) -> Vec<Asking<'a>> {
    let mut callers = Vec::new();
    for _ in 0..count {
        let mut asking: Asking<'a> = Box::pin(node.cache.resolve(key, Freshness::StoreDefault));
        assert!(poll_once(&mut asking).await.is_none(), "the answer is held back");
        callers.push(asking);
    }
    callers
}

#[tokio::test]
async fn t_m13_thousand_callers_share_one_read() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let callers = callers(&node, &issued.key.id, 1_000).await;
    drop(held);
    for caller in callers {
        let found = caller.await.expect("the store is up").expect("the key is there");
        assert_eq!(found.record().id(), &issued.key.id);
    }
    assert_eq!(node.asked(&issued.key.id), 1);
}

#[tokio::test]
async fn t_m13_next_caller_reads_when_reader_leaves() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let mut callers = callers(&node, &issued.key.id, 3).await;
    // The dropped lookup was the one that had called the store.
    drop(callers.remove(0));
    assert_eq!(node.asked(&issued.key.id), 1);
    assert!(poll_once(&mut callers[0]).await.is_none());
    assert_eq!(node.asked(&issued.key.id), 2);
    drop(held);
    for caller in callers {
        assert!(caller.await.expect("the store is up").is_some());
    }
    assert_eq!(node.asked(&issued.key.id), 2);
}

#[tokio::test]
async fn t_m13_abandoned_read_starts_anew() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    drop(callers(&node, &issued.key.id, 3).await);
    drop(held);
    assert!(node.asks(&issued.key.id).await);
    assert_eq!(node.asked(&issued.key.id), 2);
}

#[tokio::test]
async fn t_m13_failure_reaches_all_waiting_callers() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let callers = callers(&node, &issued.key.id, 10).await;
    node.behind.set_down(true);
    drop(held);
    for caller in callers {
        let error = caller.await.expect_err("the store is gone");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert_eq!(error.to_string(), "the server is gone");
    }
    assert_eq!(node.asked(&issued.key.id), 1);
    // The failure is not cached.
    node.behind.set_down(false);
    assert!(node.asks(&issued.key.id).await);
}

#[tokio::test]
async fn t_m13_slow_failure_reaches_all_waiting_callers() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let callers = callers(&node, &issued.key.id, 10).await;
    node.clock.advance(BOUND * 2);
    node.behind.set_down(true);
    drop(held);
    for caller in callers {
        assert!(caller.await.is_err());
    }
    assert_eq!(node.asked(&issued.key.id), 1, "otherwise each lookup waits in turn");
}

#[tokio::test]
async fn t_m13_slow_answer_is_read_once_more() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let mut callers = callers(&node, &issued.key.id, 10).await;
    node.revoke_elsewhere(&issued.key.id).await;
    node.clock.advance(BOUND + MOMENT);
    drop(held);
    // The lookup gets the answer in flight, which was true after the call.
    let first = callers.remove(0).await.expect("the store is up").expect("the key is there");
    assert!(first.record().key().revoked_at.is_none());
    for caller in callers {
        let found = caller.await.expect("the store is up").expect("the key is there");
        assert!(found.record().key().revoked_at.is_some(), "too old for the other lookups");
        assert_eq!(found.age.duration(), Duration::ZERO);
    }
    assert_eq!(node.asked(&issued.key.id), 2, "one call for all the others");
}

#[tokio::test]
async fn t_m13_joining_caller_learns_the_age() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let first = callers(&node, &issued.key.id, 1).await;
    node.clock.advance(BOUND);
    let later = callers(&node, &issued.key.id, 1).await;
    drop(held);
    for (caller, age) in
        first.into_iter().zip([Duration::ZERO]).chain(later.into_iter().zip([BOUND]))
    {
        let found = caller.await.expect("the store is up").expect("the key is there");
        assert_eq!(found.age.duration(), age);
    }
    assert_eq!(node.asked(&issued.key.id), 1);
}

#[tokio::test]
async fn t_m13_different_keys_do_not_wait() {
    let node = Node::new();
    let (slow, quick) = (node.elsewhere.key().await, node.elsewhere.key().await);
    let _held = node.behind.hold(Call::Resolve(slow.key.id));
    let _callers = callers(&node, &slow.key.id, 2).await;
    assert_eq!(node.says(&quick).await, "accepted");
}

#[tokio::test]
async fn t_m13_caller_after_change_joins_no_older_read() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let before = callers(&node, &issued.key.id, 2).await;
    node.here.authority.revoke(&admin(), &issued.key.id).await.expect("it is revoked");
    let after = callers(&node, &issued.key.id, 2).await;
    assert_eq!(node.asked(&issued.key.id), 2);
    drop(held);
    for caller in after {
        let found = caller.await.expect("the store is up").expect("the key is there");
        assert!(found.record().key().revoked_at.is_some(), "they called after the revoke");
    }
    for caller in before {
        assert!(caller.await.expect("the store is up").is_some());
    }
    assert_eq!(node.says(&issued).await, "revoked");
}

#[tokio::test]
async fn t_m13_caller_after_policy_change_sees_it() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let before = callers(&node, &issued.key.id, 1).await;
    let set = node.here.set_policy(|policy| policy.settings.api_enabled = Some(false)).await;
    set.expect("the policy is set");
    let after = callers(&node, &issued.key.id, 10).await;
    assert_eq!(node.asked(&issued.key.id), 1, "whose key it is, only the answer tells");
    drop(held);
    let is_enabled = |found: &Found| {
        let policy = found.policy().and_then(|policy| policy.settings.as_ref());
        policy.and_then(|settings| settings.api_enabled)
    };
    for caller in before {
        let found = caller.await.expect("the store is up").expect("the key is there");
        assert_ne!(is_enabled(&found), Some(false));
    }
    for caller in after {
        let found = caller.await.expect("the store is up").expect("the key is there");
        assert_eq!(is_enabled(&found), Some(false), "they called after the change");
    }
    assert_eq!(node.asked(&issued.key.id), 2, "one call for all the others");
}

/// Other keys and other tenants change while the callers wait.
#[tokio::test]
async fn t_m13_callers_share_one_read_while_others_commit() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    node.sync().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.extend(callers(&node, &issued.key.id, 5).await);
        node.here.key().await;
        node.elsewhere.key().await;
        node.sync().await;
    }
    drop(held);
    for caller in waiting {
        assert!(caller.await.expect("the store is up").is_some());
    }
    // One of the other keys may have the same stamp, which costs two more reads.
    assert!([1, 3].contains(&node.asked(&issued.key.id)), "{} reads", node.asked(&issued.key.id));
}

#[tokio::test]
async fn t_m13_fresh_read_joins_no_other() {
    let node = Node::new();
    let issued = node.elsewhere.key().await;
    let held = node.behind.hold(Call::Resolve(issued.key.id));
    let _callers = callers(&node, &issued.key.id, 2).await;
    node.revoke_elsewhere(&issued.key.id).await;
    let mut fresh = node.cache.resolve(&issued.key.id, Freshness::AtMost(BOUND));
    assert!(poll_once(&mut fresh).await.is_none());
    drop(held);
    let found = fresh.await.expect("the store is up").expect("the key is there");
    assert!(found.record().key().revoked_at.is_some());
}
