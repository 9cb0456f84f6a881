//! The possible files after a power cut: all synced bytes, and any part of the others.
//!
//! Any steps since the last sync can be lost, and they can arrive in any order. A write can arrive
//! in part: some of its sectors, or a range of its bytes. The growth of the file is a step too: if
//! it is lost, a write that arrives lengthens the file as far as necessary.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::disk::{Step, write_at};

const SECTOR: usize = 512;
/// Up to this number of steps every subset is tried.
const FEW: usize = 6;

/// A power cut after some of the steps: the bytes at the last sync, and the steps since then.
pub(crate) struct Cut<'a> {
    synced: Vec<u8>,
    pending: &'a [Step],
}

impl<'a> Cut<'a> {
    /// Creates the cut after the first `count` of the steps, on a disk that started with these
    /// bytes.
    pub(crate) fn after(count: usize, steps: &'a [Step], begin: &[u8]) -> Self {
        Self::on_a_liar(0, count, steps, begin)
    }

    /// Creates the cut on a disk that ignored its last `lies` syncs.
    pub(crate) fn on_a_liar(lies: usize, count: usize, steps: &'a [Step], begin: &[u8]) -> Self {
        let done = &steps[..count];
        let syncs = done.iter().enumerate().filter(|(_, step)| matches!(step, Step::Sync));
        let last_sync = syncs.rev().nth(lies).map(|(place, _)| place + 1);
        let (synced, pending) = done.split_at(last_sync.unwrap_or(0));
        let mut bytes = begin.to_vec();
        for step in synced {
            step.apply(&mut bytes);
        }
        Self { synced: bytes, pending }
    }

    /// Returns the number of unsynced steps.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Returns the bytes at the last sync.
    pub(crate) fn synced(&self) -> &[u8] {
        &self.synced
    }

    /// Returns the steps since the last sync.
    pub(crate) fn unsynced(&self) -> &[Step] {
        self.pending
    }

    /// Returns the file with every write, synced or not.
    pub(crate) fn all(&self) -> Vec<u8> {
        self.keep(|_| true)
    }

    /// Returns this many possible files: first the simple cases, then random ones.
    pub(crate) fn leaves(&self, count: usize, seed: u64) -> impl Iterator<Item = Vec<u8>> {
        let mut random = StdRng::seed_from_u64(seed);
        // Without unsynced steps there is one possible file.
        let count = if self.pending.is_empty() { 1 } else { count };
        (0..count).map(move |number| match self.plain(number) {
            Some(kept) => self.keep(kept),
            None => self.draw(&mut random),
        })
    }

    /// Returns the simple case with this number: the steps that arrive, whole and in order.
    fn plain(&self, number: usize) -> Option<Box<dyn Fn(usize) -> bool>> {
        let pending = self.pending.len();
        if pending <= FEW {
            return (number < 1 << pending)
                .then(|| Box::new(move |place: usize| number >> place & 1 == 1) as _);
        }
        let resize = |step: &Step| matches!(step, Step::Resize(_));
        let resizes: Vec<_> = self.pending.iter().map(resize).collect();
        // No step, all steps, all except the growth; then each step alone, and all except one.
        match number {
            0 => Some(Box::new(|_| false)),
            1 => Some(Box::new(|_| true)),
            2 => Some(Box::new(move |place| !resizes[place])),
            3 => Some(Box::new(move |place| resizes[place])),
            _ if number < 4 + 2 * pending => {
                let (one, alone) = ((number - 4) / 2, number.is_multiple_of(2));
                Some(Box::new(move |place| (place == one) == alone))
            }
            _ => None,
        }
    }

    /// Returns the file if these unsynced steps arrive, whole and in order.
    pub(crate) fn keep(&self, kept: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut left = self.synced.clone();
        for (_, step) in self.pending.iter().enumerate().filter(|(place, _)| kept(*place)) {
            step.apply(&mut left);
        }
        left
    }

    fn draw(&self, random: &mut StdRng) -> Vec<u8> {
        let mut left = self.synced.clone();
        let mut steps: Vec<_> = self.pending.iter().collect();
        if random.random_bool(0.4) {
            steps.shuffle(random);
        }
        // Some cuts lose nearly everything, some nearly nothing.
        let kept = *[0.1, 0.5, 0.9, 1.0].choose(random);
        let whole = *[0.0, 0.5, 0.9].choose(random);
        for step in steps {
            match step {
                _ if !random.random_bool(kept) => {}
                Step::Write(at, data) if !random.random_bool(whole) => {
                    tear(&mut left, *at, data, random);
                }
                step => step.apply(&mut left),
            }
        }
        left
    }
}

/// Writes a part of `data`: some sectors, or a range of bytes.
fn tear(left: &mut Vec<u8>, at: usize, data: &[u8], random: &mut StdRng) {
    if random.random_bool(0.5) {
        let mut begin = 0;
        while begin < data.len() {
            // Sectors are aligned to the disk, not to the write.
            let end = data.len().min((at + begin) / SECTOR * SECTOR + SECTOR - at);
            if random.random_bool(0.5) {
                write_at(left, at + begin, &data[begin..end]);
            }
            begin = end;
        }
        return;
    }
    let (one, other) = (random.random_range(0..=data.len()), random.random_range(0..=data.len()));
    let (begin, end) = match random.random_range(0..3) {
        0 => (0, one),
        1 => (one, data.len()),
        _ => (one.min(other), one.max(other)),
    };
    if begin < end {
        write_at(left, at + begin, &data[begin..end]);
    }
}

/// Chooses a random element of a short list.
trait Choose<T> {
    fn choose(&self, random: &mut StdRng) -> &T;
}

impl<T, const N: usize> Choose<T> for [T; N] {
    fn choose(&self, random: &mut StdRng) -> &T {
        &self[random.random_range(0..N)]
    }
}
