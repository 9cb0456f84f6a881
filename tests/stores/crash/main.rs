//! Power cuts at every step of a store's lifecycle, and again at every step of its recovery.
//!
//! Every remaining file opens. Every acknowledged change is there, whole, and the change in flight
//! is there completely or not at all. No revoke is undone, no key is lost or duplicated, and no
//! count decreases. A second open changes nothing.

mod campaign;
mod cuts;
mod damage;
mod disk;
mod exact;
mod hostile;
mod lifecycle;
mod memory;
mod opening;

use crate::campaign::cut_everywhere;
use crate::cuts::Cut;
use crate::disk::Step;
use crate::lifecycle::Life;
use crate::opening::Found;
use common::amount;

/// Upper bound on memory in bytes, most of which the tests themselves use.
const MOST_MEMORY: usize = 256 << 20;
pub(crate) const LARGEST_PIECE: usize = 16 << 20;

#[test]
fn t_f05_acknowledged_changes_survive_any_power_cut() {
    let states = amount("KEYWRIGHT_CUTS", 20_000) as usize;
    let seed = common::new_seed();
    let life = Life::lead();
    let resizes: Vec<_> = life.steps.iter().filter_map(resize).collect();
    println!("{} steps, the file has {resizes:?} bytes in turn", life.steps.len());
    assert!(resizes.windows(2).any(|pair| pair[0] < pair[1]), "the file never grows");
    let totals = cut_everywhere(&life, states, seed);
    let (most, largest) = memory::most();
    println!("{totals}at most {most} bytes of memory, {largest} at once");
    assert!(totals.wrong.is_empty(), "{} are wrong, with seed {seed}", totals.wrong.len());
    assert!(totals.states >= states / 2 && totals.distinct > totals.states / 10, "too few states");
    assert!(totals.as_acknowledged > 0 && totals.with_the_change_in_flight > 0);
    assert!(totals.recoveries > 0 && totals.files > 0 && totals.unmade > 0 && totals.kills > 0);
    assert!(most < MOST_MEMORY && largest < LARGEST_PIECE, "{most} and {largest} bytes of memory");
}

/// Checks the simulation itself: it detects a disk that does not keep synced writes.
#[test]
fn t_f05_disk_that_loses_syncs_is_noticed() {
    let life = Life::lead();
    let mut noticed = 0;
    for at in (life.made + 1..life.steps.len()).step_by(5) {
        let left = Cut::on_a_liar(2, at, &life.steps, &[]).leaves(1, 0).next();
        match opening::open(&life, left.expect("the results")) {
            Found::State(number) if life.allowed(at).contains(&number) => {}
            _ => noticed += 1,
        }
    }
    assert!(noticed > 20, "only {noticed} cuts lost an acknowledged change");
}

fn resize(step: &Step) -> Option<usize> {
    match step {
        Step::Resize(length) => Some(*length),
        Step::Write(..) | Step::Sync => None,
    }
}
