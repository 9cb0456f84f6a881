//! Rules of `peek`: it shows an answer that `resolve` could give, and no older one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::races::{SetAtEnd, a_trio, change_trio, race};
use super::run::turn;
use super::test_tenants::{Space, at, next_account, policy, renamed};
use crate::record::key::Owner;
use crate::store::{Change, Found, Freshness};
use crate::value::id::KeyId;

/// Returns the one answer that a peek shows; nothing if the store does not have it in memory.
fn peeked(space: &Space<'_>, key: &KeyId) -> Vec<Option<Found>> {
    let mut shown = Vec::new();
    let has_looked = space.store.peek(key, Freshness::StoreDefault, &mut |found| {
        shown.push(found.map(Found::from));
    });
    let what = "the number of answers that a peek shows, 1 if it returns true and 0 if not";
    space.same(what, &shown.len(), &usize::from(has_looked));
    shown
}

async fn resolved(space: &Space<'_>, key: &KeyId) -> Option<Found> {
    space.done("resolving", space.store.resolve(key, Freshness::StoreDefault).await)
}

pub(super) async fn peek_shows_what_resolve_returns(space: &Space<'_>) {
    let mut account = space.account();
    let mut key = space.key_of(&Owner::Account(account.id));
    let id = *key.id();
    let look = async |step: &str| {
        // The first peek comes before a read that may fill a cache, and the second one after it.
        let before = peeked(space, &id);
        let found = resolved(space, &id).await;
        for shown in [before, peeked(space, &id)].into_iter().flatten() {
            let is_there = [&shown, &found].map(Option::is_some);
            space.same(format!("whether a peek shows a key {step}"), &is_there[0], &is_there[1]);
            let (Some(shown), Some(found)) = (shown, &found) else { continue };
            let [shown_record, record] = [&shown, found].map(|found| found.record());
            space.same(
                format!("the key that a peek shows {step}"),
                shown_record.key(),
                record.key(),
            );
            let is_same = shown_record.digest().is_same(record.digest());
            space.holds(format!("a peek shows another digest {step}"), is_same);
            let [shown, found] = [&shown, found].map(|found| (found.account(), found.policy()));
            space.same(format!("the account and policy that a peek shows {step}"), &shown, &found);
        }
    };
    look("before its insert").await;
    space.put([Change::InsertAccount(account.clone()), Change::InsertKey(key.clone())]).await;
    look("after its insert").await;
    for round in 1..4 {
        key = renamed(&key, &format!("round {round}"));
        space.put([Change::UpdateKey(key.clone())]).await;
        look("after its update").await;
        account = next_account(&account, |account| account.enabled = round % 2 == 0);
        space.put([Change::UpdateAccount(account.clone())]).await;
        look("after a change of its account").await;
        let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(round) };
        space.put([put]).await;
        look("after a change of the policy").await;
    }
    space.put([Change::RevokeKey { key: id, at: at(9) }]).await;
    look("after its revoke").await;
    space.put([Change::DeleteKey(id)]).await;
    look("after its delete").await;
}

pub(super) fn peek_shows_no_older_state(space: &Space<'_>) {
    race(
        space,
        async || (a_trio(space).await, AtomicU64::new(1), AtomicBool::new(false)),
        async |((key, account, rules), acknowledged, ended), n| {
            if n > 0 {
                while !ended.load(Ordering::SeqCst) {
                    let newest = acknowledged.load(Ordering::SeqCst);
                    let Some(shown) = peeked(space, key.id()).pop() else {
                        // A read may fill a cache, for the next peek.
                        resolved(space, key.id()).await;
                        turn().await;
                        continue;
                    };
                    let Some(shown) = shown else { space.broken("a key was absent for a moment") };
                    let of_key = shown.record().version();
                    let of_account = shown.account().map_or(0, |account| account.version);
                    let of_policy = shown.policy().map_or(0, |policy| policy.version);
                    let seen = (of_account, of_policy.saturating_sub(rules - 1));
                    let what = "the versions of account and policy that a peek shows with the key";
                    space.same(what, &seen, &(of_key, of_key));
                    let what =
                        format!("version {of_key} of a key was shown after version {newest}");
                    space.holds(what, of_key >= newest);
                    turn().await;
                }
                return;
            }
            let _end = SetAtEnd(ended);
            change_trio(space, (key, account, *rules), acknowledged).await;
        },
        async |_, _| {},
    );
}
