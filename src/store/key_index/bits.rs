//! A set of slots, with one bit for each slot.

/// A set of the slots below a length.
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

/// The number of slots of a word.
const WORD: usize = 64;
/// The number of members of a word from which all its slots are tested without a branch for each.
const MANY: u32 = 24;

impl Bits {
    pub(super) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD)], len }
    }

    pub(super) fn all(len: usize) -> Self {
        let mut all = Self { words: vec![!0; len.div_ceil(WORD)], len };
        if let (rest @ 1.., Some(last)) = (len % WORD, all.words.last_mut()) {
            *last = (1 << rest) - 1;
        }
        all
    }

    pub(super) fn insert(&mut self, slot: u32) {
        self.words[slot as usize / WORD] |= 1 << (slot as usize % WORD);
    }

    pub(super) fn has(&self, slot: u32) -> bool {
        self.words[slot as usize / WORD] >> (slot as usize % WORD) & 1 == 1
    }

    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Removes the slots that are not in `other`, which has the same length.
    pub(super) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Removes the slots for which the test is false.
    pub(super) fn retain(&mut self, mut test: impl FnMut(u32) -> bool) {
        for (n, word) in self.words.iter_mut().enumerate() {
            let first = n * WORD;
            if word.count_ones() >= MANY && first + WORD <= self.len {
                let tested = (0..WORD).map(|bit| u64::from(test(slot(first + bit))) << bit);
                *word &= tested.fold(0, |all, bit| all | bit);
                continue;
            }
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !test(slot(first) + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Returns the slots in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(n, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(slot(n * WORD) + bit)
            })
        })
    }
}

/// Returns the number of a slot. An index has fewer than 2³² slots.
pub(super) fn slot(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slots_below_the_length_are_members() {
        for len in [0, 1, 63, 64, 65, 200] {
            let mut all = Bits::all(len);
            assert_eq!(all.iter().collect::<Vec<_>>(), (0..slot(len)).collect::<Vec<_>>());
            all.retain(|slot| slot % 3 == 0);
            let left: Vec<_> = (0..slot(len)).filter(|slot| slot % 3 == 0).collect();
            assert_eq!(all.iter().collect::<Vec<_>>(), left);
            assert_eq!(all.count(), left.len() as u64);
        }
    }

    #[test]
    fn words_with_few_members_are_tested_too() {
        let mut bits = Bits::none(200);
        for slot in [1, 70, 71, 199] {
            bits.insert(slot);
        }
        bits.retain(|slot| slot != 70);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [1, 71, 199]);
        let mut other = Bits::all(200);
        other.intersect(&bits);
        assert!(other.has(71) && !other.has(70) && other.count() == 3);
    }
}
