//! A model of the lease with its own clock, in random worlds: several nodes over one history, with
//! syncs and fills that take time, fail or overlap, suspended machines, and servers that are
//! replaced by ones that lag behind.
//!
//! `KEYWRIGHT_SEED` selects other worlds. Wrong variants of the rule show that the model finds
//! faults.

mod cluster;
mod history;
mod rule;

use self::cluster::{Cluster, Seen};
use self::rule::Rule;
use common::seed;

const WORLDS: u64 = 1_000;
const STEPS: usize = 3_000;

/// Runs every world until one of them breaks the promise.
fn explore<R: Rule>() -> Result<Seen, String> {
    let seed = seed();
    let mut sum = Seen::default();
    for number in 0..WORLDS {
        let mut cluster = Cluster::<R>::new(seed.wrapping_mul(1 << 32) + number);
        for step in 0..STEPS {
            cluster.step().map_err(|broken| format!("cluster {number}, step {step}: {broken}"))?;
        }
        sum.add(cluster.seen());
    }
    Ok(sum)
}

#[test]
fn cached_answer_includes_all_acknowledged_before() {
    let seen = explore::<rule::Right>().unwrap_or_else(|broken| panic!("{broken}"));
    println!("{seen:?}");
    // The worlds must contain enough of each kind of step, or the test proves little.
    assert!(seen.answers > 100_000, "too few answers from memory");
    assert!(seen.answers_during_outage > 1_000, "too few answers during outages");
    assert!(seen.fills_refused > 10_000, "too few refused fills");
    assert!(seen.syncs_failed > 10_000, "too few failed syncs");
    assert!(seen.losses_noticed > 1_000, "too few noticed losses");
    assert!(seen.regressions > 1_000, "too few regressions");
}

#[test]
fn every_broken_rule_is_detected() {
    fn is_found<R: Rule>(wrong: &str) {
        match explore::<R>() {
            Ok(seen) => panic!("{wrong}: not found in {seen:?}"),
            Err(broken) => println!("{wrong}: {broken}"),
        }
    }
    is_found::<rule::LeaseFromTheEnd>("the lease runs from the end of the sync");
    is_found::<rule::RenewsFirst>("the lease is renewed before changed records are removed");
    is_found::<rule::RenewsInAnyCase>("a sync that failed renews the lease");
    is_found::<rule::AdmitsEveryFill>("a fill is kept despite a change in between");
    is_found::<rule::NoticesNoOwnChange>("a fill is kept despite the node's own change");
    is_found::<rule::NoticesNoLoss>("a store that lost commits is not noticed");
    is_found::<rule::NoticesNoRegression>(
        "a store that says that it has lost commits is not believed",
    );
    is_found::<rule::StampOfTheKeyAlone>("a fill is kept despite a change of its policy or owner");
    is_found::<rule::ReadsNoStamps>("an entry is used despite a change of its policy or owner");
    is_found::<rule::MovesNoStampOfTenants>("a change of a policy moves no stamp");
    is_found::<rule::MovesNoStampOfOwners>("a change of an owner moves no stamp");
    is_found::<rule::MarkerAheadOfForget>("a marker counts before its changes are forgotten");
    is_found::<rule::ChecksOneShard>("the store looks for losses in one shard only");
    is_found::<rule::IgnoresAtMost>("a request for a fresher answer gets an old one");
    is_found::<rule::IgnoresAtMostDuringOutages>(
        "a request for a fresher answer gets an old one during an outage",
    );
    is_found::<rule::IgnoresOutageBound>("an outage has no time limit");
}
