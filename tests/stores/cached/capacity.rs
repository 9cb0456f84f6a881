//! The cache's capacity: the keys that stay in memory, and their number.

use std::time::Duration;

use keywright::KeyId;
use keywright::store::{Freshness, KeyStore};

use crate::node::Node;

/// Returns an id of no key.
fn unknown_id(number: usize) -> KeyId {
    format!("{number:016}").parse().expect("an id")
}

#[tokio::test]
async fn cache_never_exceeds_its_capacity() {
    let node = Node::with(|options| options.capacity(3));
    node.sync().await;
    let mut keys = Vec::new();
    for made in 1..=10 {
        keys.push(node.elsewhere.key().await.key.id);
        node.sync().await;
        node.found(&keys[made - 1]).await;
        assert_eq!(node.cache.keys_kept(), made.min(3));
        assert!(!node.asks(&keys[made - 1]).await, "the last one is kept");
    }
    let mut asked = 0;
    for key in keys.iter().chain(&keys) {
        asked += usize::from(node.asks(key).await);
        assert_eq!(node.cache.keys_kept(), 3);
        node.found(key).await;
    }
    assert!(asked >= 10, "three keys are kept of ten in use, but only {asked} were read again");
}

#[tokio::test]
async fn cached_key_displaces_no_other() {
    let node = Node::with(|options| options.capacity(2));
    let keys = [node.cached_key().await.key.id, node.cached_key().await.key.id];
    for _ in 0..10 {
        for key in &keys {
            let fresh = node.cache.resolve(key, Freshness::AtMost(Duration::ZERO)).await;
            assert!(fresh.expect("the store is up").is_some());
            assert_eq!(node.cache.keys_kept(), 2);
        }
    }
    for key in &keys {
        assert!(!node.asks(key).await);
    }
}

#[tokio::test]
async fn used_keys_outlive_others() {
    const USED: usize = 10;
    let node = Node::with(|options| options.capacity(2 * USED));
    let mut used = Vec::new();
    for _ in 0..USED {
        used.push(node.cached_key().await.key.id);
    }
    let before = node.behind.resolved();
    for others in 1..=10 * USED {
        node.cached_key().await;
        for key in &used {
            node.found(key).await;
        }
        assert_eq!(node.cache.keys_kept(), (USED + others).min(2 * USED));
    }
    let read_again = node.behind.resolved() - before - 10 * USED;
    assert_eq!(read_again, 0, "keys in use were displaced");
}

#[tokio::test]
async fn removed_keys_leave_room() {
    let node = Node::with(|options| options.capacity(4));
    for _ in 0..50 {
        let keys = [node.cached_key().await, node.cached_key().await, node.cached_key().await];
        for issued in &keys {
            node.revoke_elsewhere(&issued.key.id).await;
        }
        node.sync().await;
        for issued in keys.iter().chain(&keys) {
            assert_eq!(node.says(issued).await, "revoked");
        }
        assert!((3..=4).contains(&node.cache.keys_kept()));
        for issued in &keys {
            assert!(!node.asks(&issued.key.id).await, "three of four are kept");
        }
    }
}

#[tokio::test]
async fn unknown_ids_displace_no_key() {
    const MOST: usize = 10_000;
    let node = Node::with(|options| options.capacity(2));
    let keys = [node.cached_key().await.key.id, node.cached_key().await.key.id];
    for number in 0..2 * MOST + MOST / 2 {
        assert!(node.is_absent(&unknown_id(number)).await);
    }
    for key in &keys {
        assert!(!node.asks(key).await, "displaced");
    }
    // The ids are checked in reverse order, so that a check evicts no id that is still to be checked.
    let before = node.behind.resolved();
    for number in (0..2 * MOST + MOST / 2).rev() {
        assert!(node.is_absent(&unknown_id(number)).await);
    }
    let kept = 2 * MOST + MOST / 2 - (node.behind.resolved() - before);
    assert!((1..=MOST).contains(&kept), "{kept} are kept");
}
