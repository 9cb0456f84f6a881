//! What a power cut can leave of a file: all that was synced, and any part of what was not.
//!
//! Of the steps since the last sync any may be lost, in any order they may arrive, and a write may
//! arrive in part: some of its sectors, or a stretch of its bytes. The growth of the file is a step
//! like the others: without it, a write that arrives lengthens the file as far as it reaches.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::disk::{Step, write_at};

const SECTOR: usize = 512;
/// Of so few steps every subset is left once.
const FEW: usize = 6;

/// A power cut after some of the steps: the bytes as of the last sync, and the steps since.
pub(crate) struct Cut<'a> {
    synced: Vec<u8>,
    pending: &'a [Step],
}

impl<'a> Cut<'a> {
    /// The power cut when so many of `steps` had been done to a disk with these bytes.
    pub(crate) fn after(count: usize, steps: &'a [Step], begin: &[u8]) -> Self {
        Self::on_a_liar(0, count, steps, begin)
    }

    /// The same on a disk that did not do what it said in its last syncs, so many of them.
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

    /// How many steps are not synced.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The bytes as of the last sync.
    pub(crate) fn synced(&self) -> &[u8] {
        &self.synced
    }

    /// The steps since.
    pub(crate) fn unsynced(&self) -> &[Step] {
        self.pending
    }

    /// Everything that was written, synced or not.
    pub(crate) fn all(&self) -> Vec<u8> {
        self.keep(|_| true)
    }

    /// What it may leave, so many times: first the plain ways, then drawn ones.
    pub(crate) fn leaves(&self, count: usize, seed: u64) -> impl Iterator<Item = Vec<u8>> {
        let mut random = StdRng::seed_from_u64(seed);
        // With nothing pending there is one way.
        let count = if self.pending.is_empty() { 1 } else { count };
        (0..count).map(move |number| match self.plain(number) {
            Some(kept) => self.keep(kept),
            None => self.draw(&mut random),
        })
    }

    /// The plain way of this number: which steps are kept, each whole and in its order.
    fn plain(&self, number: usize) -> Option<Box<dyn Fn(usize) -> bool>> {
        let pending = self.pending.len();
        if pending <= FEW {
            return (number < 1 << pending)
                .then(|| Box::new(move |place: usize| number >> place & 1 == 1) as _);
        }
        let resize = |step: &Step| matches!(step, Step::Resize(_));
        let resizes: Vec<_> = self.pending.iter().map(resize).collect();
        // None, all, all but the growth, and then each alone and all but each.
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

    /// What is left if of the steps since the last sync these arrive, whole and in their order.
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

/// Writes a part of `data`: some sectors, or a stretch of bytes.
fn tear(left: &mut Vec<u8>, at: usize, data: &[u8], random: &mut StdRng) {
    if random.random_bool(0.5) {
        let mut begin = 0;
        while begin < data.len() {
            // Sectors are those of the disk, not of the write.
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

/// One of a few, at random.
trait Choose<T> {
    fn choose(&self, random: &mut StdRng) -> &T;
}

impl<T, const N: usize> Choose<T> for [T; N] {
    fn choose(&self, random: &mut StdRng) -> &T {
        &self[random.random_range(0..N)]
    }
}
