//! Answers that were in flight during a change are returned and not cached.

use futures_lite::future::poll_once;
use keywright::store::{Freshness, KeyStore, Resolve};
use keywright::{KeyId, Policy, TenantId};

use crate::held::{Call, Hold};
use crate::node::{BOUND, Node};
use common::{admin, developer, named, set_policy, user};

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
async fn t_m06_fill_from_before_wider_change_is_dropped() {
    for freshness in BOTH {
        for (is_of_owner, is_own) in [(false, false), (false, true), (true, false), (true, true)] {
            let node = Node::new();
            let issued = node.elsewhere.key_of(&developer("alice"), named("prod-main-app")).await;
            node.sync().await;
            let (held, fill) = slow(&node, &issued.key.id, freshness).await;
            let by = if is_own { &node.here } else { &node.elsewhere };
            let expected = if is_of_owner {
                by.authority.suspend_user(&admin(), &user("alice")).await.expect("suspended");
                "user_suspended"
            } else {
                let set = by.set_policy(|policy| policy.settings.api_enabled = Some(false)).await;
                set.expect("the policy is set");
                "access_off"
            };
            if !is_own {
                node.sync().await;
            }
            end(held, fill).await;
            assert_eq!(node.says(&issued).await, expected);
        }
    }
}

/// The fills of one tenant, while its other keys and other tenants change all the time.
#[tokio::test]
async fn fills_are_kept_while_others_commit() {
    const ROUNDS: usize = 20;
    let stranger = admin().in_tenant(TenantId::new("initech").expect("a tenant"));
    let mut asked_again = 0;
    for freshness in BOTH {
        let node = Node::new();
        for round in 0..ROUNDS {
            let issued = node.elsewhere.key().await;
            node.sync().await;
            let (held, fill) = slow(&node, &issued.key.id, freshness).await;
            for by in [&node.elsewhere, &node.here] {
                let other = by.key_of(&stranger, named("prod-other")).await;
                by.authority.revoke(&stranger, &other.key.id).await.expect("it is revoked");
                let quota = Some(100 + u16::try_from(round).expect("a small number"));
                let set = |policy: &mut Policy| policy.settings.max_keys_per_user = quota;
                set_policy(&by.authority, &stranger, set).await.expect("the policy is set");
                let neighbor = by.key().await;
                by.authority.delete(&admin(), &neighbor.key.id).await.expect("it is deleted");
                node.sync().await;
            }
            end(held, fill).await;
            asked_again += usize::from(node.asks(&issued.key.id).await);
        }
    }
    // Two subjects can share a stamp, though rarely.
    assert!(asked_again <= 1, "{asked_again} of {} fills were dropped", 2 * ROUNDS);
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
