//! A set of rows of a roster, one bit each.

/// A set of rows.
pub(in crate::store::file) struct Matches(Vec<u64>);

impl Matches {
    /// Creates an empty set for a number of rows.
    pub(super) fn none(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(64)])
    }

    /// Returns the rows whose value in a column meets a condition.
    pub(super) fn of<T>(column: &[T], is_wanted: impl Fn(&T) -> bool) -> Self {
        let words = column.chunks(64).map(|chunk| word(chunk, &is_wanted));
        Self(words.collect())
    }

    /// Keeps the rows whose value in a column meets a condition.
    pub(super) fn retain<T>(&mut self, column: &[T], is_wanted: impl Fn(&T) -> bool) {
        for (bits, chunk) in self.0.iter_mut().zip(column.chunks(64)) {
            if *bits != 0 {
                *bits &= word(chunk, &is_wanted);
            }
        }
    }

    /// Adds the rows whose value in a column meets a condition.
    pub(super) fn extend<T>(&mut self, column: &[T], is_wanted: impl Fn(&T) -> bool) {
        for (bits, chunk) in self.0.iter_mut().zip(column.chunks(64)) {
            *bits |= word(chunk, &is_wanted);
        }
    }

    /// Keeps the rows that are in another set too.
    pub(super) fn and(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(bits, other)| *bits &= other);
    }

    /// Keeps the rows that are in the words that `word` returns for their numbers.
    pub(super) fn and_each(&mut self, word: impl Fn(usize) -> u64) {
        self.0.iter_mut().enumerate().for_each(|(number, bits)| *bits &= word(number));
    }

    /// Returns a word of 64 rows.
    pub(super) fn word(&self, number: usize) -> u64 {
        self.0[number]
    }

    pub(super) fn insert(&mut self, row: usize) {
        self.0[row / 64] |= 1 << (row % 64);
    }

    pub(super) fn contains(&self, row: usize) -> bool {
        self.0[row / 64] & 1 << (row % 64) != 0
    }

    /// Returns the number of rows in the set.
    pub(in crate::store::file) fn count(&self) -> u64 {
        self.0.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }

    /// Returns the rows in the set, in ascending order.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            let mut bits = *bits;
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some(word * 64 + bit)
            })
        })
    }
}

fn word<T>(chunk: &[T], is_wanted: impl Fn(&T) -> bool) -> u64 {
    let bits = chunk.iter().enumerate();
    bits.fold(0, |word, (bit, value)| word | u64::from(is_wanted(value)) << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_has_the_matching_rows() {
        let column: Vec<usize> = (0..1_000).collect();
        let mut set = Matches::of(&column, |value| value % 3 == 0);
        set.retain(&column, |value| value % 5 == 0);
        assert!(set.rows().eq((0..1_000).step_by(15)));
        set.extend(&column, |value| *value == 999);
        set.insert(1);
        assert_eq!(set.count(), 69);
        assert!(set.contains(1) && set.contains(999) && !set.contains(2));
        set.and(&Matches::of(&column, |value| *value < 16));
        assert!(set.rows().eq([0, 1, 15]));
        assert_eq!(Matches::none(1_000).count(), 0);
    }
}
