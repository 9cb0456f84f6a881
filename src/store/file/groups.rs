//! The layout of the file: the groups of pages, and the places of their checksums.

use std::io::{self, ErrorKind};
use std::ops::Range;

/// The size of a page, in bytes. It is redb's.
pub(super) const PAGE: u64 = 4_096;
/// The size of a page in memory.
pub(super) const PAGE_LEN: usize = 4_096;
/// The length of a checksum, in bytes.
pub(super) const SUM: usize = 4;
/// The number of pages in a group. Their checksums fill one page.
const GROUP: u64 = PAGE / SUM as u64;

/// Some pages of one group.
pub(super) struct Run {
    /// The number of the first page, counted from the header page.
    pub(super) first: u64,
    /// The range of the pages in the bytes that are read or written.
    pub(super) range: Range<usize>,
}

impl Run {
    /// Returns the place of the pages in the file.
    pub(super) const fn place(&self) -> u64 {
        (self.first + self.group() + 1) * PAGE
    }

    /// Returns the place of their checksums in the file.
    pub(super) const fn place_of_sums(&self) -> u64 {
        (1 + self.group() * (GROUP + 1)) * PAGE + (self.first - 1) % GROUP * SUM as u64
    }

    const fn group(&self) -> u64 {
        (self.first - 1) / GROUP
    }

    /// Returns the checksum of each page, with its place in the file.
    pub(super) fn sums(&self, bytes: &[u8]) -> impl Iterator<Item = (u64, [u8; SUM])> {
        let pages = bytes[self.range.clone()].chunks(PAGE_LEN);
        let places = (self.place_of_sums()..).step_by(SUM);
        (self.first..).zip(places).zip(pages).map(|((number, at), page)| (at, sum(number, page)))
    }
}

/// Returns the checksum of a page. It covers the number of the page, so that a page in the place of
/// another one is detected.
fn sum(number: u64, page: &[u8]) -> [u8; SUM] {
    let mut hash = crc32fast::Hasher::new();
    hash.update(&number.to_be_bytes());
    hash.update(page);
    hash.finalize().to_be_bytes()
}

/// Splits whole pages into runs, each in one group.
pub(super) fn runs(offset: u64, len: usize) -> io::Result<impl Iterator<Item = Run>> {
    if !offset.is_multiple_of(PAGE) || !len.is_multiple_of(PAGE_LEN) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the access is not to whole pages"));
    }
    let (mut next, mut done) = (offset / PAGE, 0);
    Ok(std::iter::from_fn(move || {
        let left = (len - done) / PAGE_LEN;
        let in_group = usize::try_from(GROUP - (next - 1) % GROUP).unwrap_or(usize::MAX);
        let count = left.min(in_group);
        let run = Run { first: next, range: done..done + count * PAGE_LEN };
        next += count as u64;
        done = run.range.end;
        (count > 0).then_some(run)
    }))
}

/// Returns the length that redb sees of a file of this length.
pub(super) const fn seen(len: u64) -> u64 {
    let pages = len / PAGE;
    if pages <= 1 {
        return pages * PAGE;
    }
    let (groups, rest) = ((pages - 1) / (GROUP + 1), (pages - 1) % (GROUP + 1));
    (1 + groups * GROUP + rest.saturating_sub(1)) * PAGE
}

/// Returns the length of the file in which redb sees this length.
pub(super) const fn stored(len: u64) -> u64 {
    let pages = len.div_ceil(PAGE);
    if pages <= 1 {
        return pages * PAGE;
    }
    (pages + (pages - 1).div_ceil(GROUP)) * PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_other_side() {
        for pages in (0..5_000).chain([GROUP * 1_000, GROUP * 1_000 + 1, GROUP * 1_000 + 2]) {
            let len = pages * PAGE;
            assert_eq!(seen(stored(len)), len, "{pages} pages");
            assert!(seen(stored(len).saturating_sub(1)) < len.max(1), "{pages} pages");
        }
    }

    #[test]
    fn pages_and_checksums_never_overlap() {
        let mut taken = std::collections::HashSet::from([0]);
        for run in runs(PAGE, 3_000 * PAGE_LEN).expect("whole pages") {
            let count = run.range.len() as u64 / PAGE;
            assert!(taken.insert(run.place_of_sums()), "{}", run.first);
            for page in 0..count {
                assert!(taken.insert(run.place() + page * PAGE), "{}", run.first + page);
            }
        }
        assert_eq!(taken.len() as u64 * PAGE, stored(3_001 * PAGE));
    }
}
