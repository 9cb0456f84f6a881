//! Racing rules of reads that answer for several tenants or owners: all answers are of one moment.

use std::sync::atomic::{AtomicBool, Ordering};

use super::races::{STEPS, SetAtEnd, race};
use super::run::turn;
use super::test_tenants::{Space, at, next, policy, user};
use crate::store::Change;

pub(super) fn owned_keys_show_one_moment(space: &Space<'_>) {
    let owners = [user("alice"), user("bob"), user("carol")];
    race(
        space,
        async || {
            let before = space.store.owned_keys(&space.tenant, &owners, u16::MAX, at(1)).await;
            let before = space.done("reading the keys of owners", before);
            let key = space.key_of(&owners[0]);
            space.put([Change::InsertKey(key.clone())]).await;
            let all = before.iter().map(|owned| owned.all).sum::<u64>() + 1;
            (key, all, AtomicBool::new(false))
        },
        async |(key, all, ended), n| {
            if n > 0 {
                while !ended.load(Ordering::SeqCst) {
                    let most = u16::MAX;
                    let found = space.store.owned_keys(&space.tenant, &owners, most, at(1)).await;
                    let found = space.done("reading the keys of owners", found);
                    for owned in &found {
                        let what = "the number of an owner's keys, and that of those returned";
                        space.same(what, &owned.all, &(owned.keys.len() as u64));
                    }
                    let seen = found.iter().map(|owned| owned.all).sum();
                    space.same("the keys of owners that hand a key round", &seen, all);
                    turn().await;
                }
                return;
            }
            let _end = SetAtEnd(ended);
            let mut key = key.clone();
            for owner in owners.iter().cycle().skip(1).take(2 * owners.len()) {
                key = next(&key, |key| key.owner = owner.clone());
                space.put([Change::UpdateKey(key.clone())]).await;
                turn().await;
            }
        },
        async |_, _| {},
    );
}

pub(super) fn policies_show_one_moment(space: &Space<'_>) {
    let tenants = [space.tenant.clone(), space.other.clone()];
    race(
        space,
        async || {
            let stored = space.policy_of(&space.tenant).await;
            (stored.map_or(0, |policy| policy.version), AtomicBool::new(false))
        },
        async |(before, ended), n| {
            if n > 0 {
                while !ended.load(Ordering::SeqCst) {
                    let found = space.store.policies(&tenants).await;
                    let found = space.done("reading policies", found);
                    let versions: Vec<_> =
                        found.iter().map(|p| p.as_ref().map_or(0, |p| p.version)).collect();
                    // The writer sets the first, then the second.
                    let what =
                        format!("two policies show {versions:?}, which they never had at once");
                    space.holds(what, [0, 1].contains(&versions[0].abs_diff(versions[1])));
                    space.holds(
                        "the second policy is ahead of the first",
                        versions[0] >= versions[1],
                    );
                    turn().await;
                }
                return;
            }
            let _end = SetAtEnd(ended);
            for step in 1..=STEPS {
                let put = |tenant| Change::PutPolicy { tenant, policy: policy(before + step) };
                space.put(tenants.clone().map(put)).await;
                turn().await;
            }
        },
        async |_, _| {},
    );
}
