//! How the cost of operations grows with the number of keys, as a plot and a table for the guide.
//!
//! ```text
//! cargo bench -p keywright-benches --bench growth [-- [--quick] [--large] [--json]]
//! ```
//!
//! It measures stores of 1,000 keys up to 1,000,000, with `--large` up to 10,000,000, and writes
//! `src/guide/growth.md`. The plot shows each operation relative to the same operation among 1,000
//! keys. A quick run measures up to 10,000 keys and writes to the standard output.

mod measure;
mod plot;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use kit::{Run, commit};

use crate::measure::{LINES, measured};
use crate::plot::page;

fn main() -> ExitCode {
    Run::main(grow)
}

fn grow(run: &Run) {
    let sizes: &[usize] = match (run.is_quick(), run.is_large()) {
        (true, _) => &[1_000, 10_000],
        (false, false) => &[1_000, 10_000, 100_000, 1_000_000],
        (false, true) => &[1_000, 10_000, 100_000, 1_000_000, 10_000_000],
    };
    let columns: Vec<[f64; LINES.len()]> = sizes.iter().map(|keys| measured(run, *keys)).collect();
    let mut page = page(sizes, &columns);
    if let Some(commit) = commit() {
        _ = writeln!(page, "\nMeasured at commit `{commit}`.");
    }
    if run.is_quick() {
        eprintln!("{page}");
    } else {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/guide/growth.md");
        fs::write(path, page).expect("the page is written");
    }
}
