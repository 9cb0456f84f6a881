//! The cost of keywright in one process, each figure beside its floor or a peer, with its target.
//!
//! ```text
//! cargo bench -p keywright-benches --bench figures [-- [--json] [--quick] [--large] PART...]
//! ```
//!
//! Each line is one figure: name, ours, reference, ratio with its range from the 10th to the 90th
//! percentile, target, and whether the target is met. All are medians over rounds in which ours and
//! the reference take turns. Quote the ratios; the times hold only for one machine.
//!
//! A PART selects the figures whose names contain it. `--large` adds the figures of 10,000,000 keys,
//! which need 20 GB of memory. `--quick` shows that everything works: its figures mean nothing.

mod file;
mod flush;
mod memory;
mod page;
mod random;
mod scan;
mod verify;
mod waits;
mod writers;

use std::cell::OnceCell;
use std::process::ExitCode;

use kit::{Counting, Population, Run};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The keys that several figures need, generated for the first of them.
struct Many<'a> {
    run: &'a Run,
    population: OnceCell<Population>,
}

impl Many<'_> {
    fn get(&self) -> &Population {
        self.population.get_or_init(|| Population::of(self.run.many()))
    }
}

fn main() -> ExitCode {
    Run::main(measure)
}

fn measure(run: &Run) {
    let many = Many { run, population: OnceCell::new() };
    // First: later the process has freed memory that new keys would take.
    memory::measure(run, &many);
    verify::measure(run);
    random::measure(run, &many);
    flush::measure(run, &many);
    waits::measure(run);
    writers::measure(run);
    file::measure(run, &many);
    drop(many);
    page::measure(run);
    scan::measure(run);
    random::measure_large(run);
}
