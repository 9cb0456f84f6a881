//! The search for tokens in texts that have none.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use keywright::scan::Scanner;
use kit::{Figure, Lane, Run, Target, Unit};
use memchr::memchr_iter;

/// The number of searches in a round.
const CALLS: u32 = 50;
/// The length of each text.
const LENGTH: usize = 1024 * 1024;

const SOURCE: &str = "scan 1 MiB of source / memchr of each underscore";
const LOOK_ALIKES: &str = "scan 1 MiB of look-alikes";

pub(crate) fn measure(run: &Run) {
    if run.wants(SOURCE) {
        let text = repeated(&source());
        let scanned = Lane::calls(CALLS, || search(&text));
        let memchr = Lane::calls(CALLS, || {
            black_box(memchr_iter(b'_', black_box(&text)).count());
        });
        let [scanned, memchr] = run.rounds([scanned, memchr]);
        run.show(&Figure::beside(SOURCE, Unit::Seconds, &scanned, &memchr));
    }
    if run.wants(LOOK_ALIKES) {
        let text = repeated(&look_alike());
        let [scanned] = run.rounds([Lane::calls(CALLS, || search(&text))]);
        // At 100 MiB/s a hostile text is searched as fast as a network delivers it.
        run.show(&Figure::alone(LOOK_ALIKES, Unit::Seconds, &scanned).target(Target::Most(0.01)));
    }
}

fn search(text: &[u8]) {
    assert!(Scanner::new().find(black_box(text)).next().is_none());
}

/// Returns pages of the guide and code: long enough that the processor does not learn them by heart.
fn source() -> Vec<u8> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let folders = ["guide", "value"].map(|folder| fs::read_dir(src.join(folder)));
    let entries = folders.into_iter().flat_map(|entries| entries.expect("a folder"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| fs::read(path).expect("a source file")).collect()
}

/// Returns the text that takes longest: each candidate has a possible check, and the longest prefix
/// before it.
fn look_alike() -> Vec<u8> {
    let body = "a".repeat(48) + "0aaaaa";
    format!("_{body}").into_bytes()
}

fn repeated(text: &[u8]) -> Vec<u8> {
    text.iter().copied().cycle().take(LENGTH).collect()
}
