//! A sorted set of small values, in pieces of memory that are full or nearly so.

/// A sorted set, which holds a value more than once if it is inserted again.
///
/// Values that arrive in ascending order take no more memory than in a vector, and others about a third
/// more. A tree of the standard library takes twice as much for the former.
pub(in crate::store) struct Sorted<T> {
    /// No piece is empty, and no value of a piece is above those of the next.
    pieces: Vec<Vec<T>>,
    len: usize,
}

/// The most values of a piece.
const PIECE: usize = 256;

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0 }
    }
}

impl<T: Copy + Ord> Sorted<T> {
    pub(in crate::store) fn len(&self) -> usize {
        self.len
    }

    /// Adds a value, if it is not in the set.
    pub(super) fn insert(&mut self, value: T) {
        let (n, place) = self.place(&value);
        if self.pieces.get(n).and_then(|piece| piece.get(place)) != Some(&value) {
            self.insert_again(value);
        }
    }

    /// Adds a value, which can be in the set more than once.
    pub(super) fn insert_again(&mut self, value: T) {
        self.len += 1;
        let n = self.piece_of(&value);
        let Some(piece) = self.pieces.get_mut(n) else {
            // It is above all others, and the last piece is full or missing.
            self.pieces.push(vec![value]);
            return;
        };
        let place = piece.partition_point(|v| *v < value);
        if piece.len() < PIECE {
            grow(piece);
            piece.insert(place, value);
            return;
        }
        let mut upper = piece.split_off(PIECE / 2);
        let half = if place > PIECE / 2 { &mut upper } else { piece };
        let place = if place > PIECE / 2 { place - PIECE / 2 } else { place };
        half.insert(place, value);
        self.pieces[n].shrink_to(PIECE * 3 / 4);
        self.pieces.insert(n + 1, upper);
    }

    /// Removes a value once.
    pub(super) fn remove(&mut self, value: &T) {
        let n = self.piece_of(value);
        let Some(piece) = self.pieces.get_mut(n) else { return };
        let Ok(place) = piece.binary_search(value) else { return };
        piece.remove(place);
        self.len -= 1;
        if piece.is_empty() {
            self.pieces.remove(n);
        }
    }

    pub(in crate::store) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.pieces.iter().flatten()
    }

    /// Returns the values from `from` on, in ascending order.
    pub(super) fn from(&self, from: T) -> impl Iterator<Item = &T> {
        let (n, place) = self.place(&from);
        let first = self.pieces.get(n).map_or(&[][..], |piece| &piece[place..]);
        first.iter().chain(self.pieces.iter().skip(n + 1).flatten())
    }

    /// Returns the values up to `to`, in descending order.
    pub(super) fn down_from(&self, to: T) -> impl Iterator<Item = &T> {
        let (n, place) = self.place(&to);
        let last = self
            .pieces
            .get(n)
            .map_or(&[][..], |piece| &piece[..place + usize::from(piece.get(place) == Some(&to))]);
        last.iter().rev().chain(self.pieces[..n].iter().rev().flat_map(|piece| piece.iter().rev()))
    }

    /// Returns the number of values from `from` on.
    pub(super) fn count_from(&self, from: T) -> usize {
        let (n, place) = self.place(&from);
        self.pieces[n..].iter().map(Vec::len).sum::<usize>() - place
    }

    /// Returns the piece and the place in it of the first value that is not below `value`.
    fn place(&self, value: &T) -> (usize, usize) {
        let below = |piece: &Vec<T>| piece.last().is_some_and(|last| last < value);
        let n = self.pieces.partition_point(below);
        let place = self.pieces.get(n).map_or(0, |piece| piece.partition_point(|v| v < value));
        (n, place)
    }

    /// Returns the piece to which a value belongs.
    fn piece_of(&self, value: &T) -> usize {
        let (n, _) = self.place(value);
        match self.pieces.last() {
            // Above all others: at the end of the last piece, if it has room.
            Some(last) if n == self.pieces.len() && last.len() < PIECE => n - 1,
            _ => n,
        }
    }
}

/// Makes room for one more value. A small piece grows by little, because an owner can have few.
fn grow<T>(piece: &mut Vec<T>) {
    if piece.len() == piece.capacity() {
        piece.reserve_exact((piece.len() / 2).clamp(1, PIECE - piece.len().min(PIECE - 1)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Asserts that a set has the values of a tree, in every way in which it is read.
    fn assert_same(sorted: &Sorted<u32>, tree: &BTreeSet<u32>, probe: u32) {
        assert!(sorted.iter().eq(tree));
        assert!(sorted.iter().rev().eq(tree.iter().rev()));
        assert_eq!(sorted.len(), tree.len());
        assert!(sorted.from(probe).eq(tree.range(probe..)), "from {probe}");
        assert!(sorted.down_from(probe).eq(tree.range(..=probe).rev()), "down from {probe}");
        assert_eq!(sorted.count_from(probe), tree.range(probe..).count());
        assert!(sorted.pieces.iter().all(|piece| (1..=PIECE).contains(&piece.len())));
    }

    #[test]
    fn set_has_the_values_of_a_tree() {
        let mut random = fastrand::Rng::with_seed(1);
        for spread in [100, 3_000, u32::MAX] {
            let (mut sorted, mut tree) = (Sorted::default(), BTreeSet::new());
            for step in 0..6_000 {
                let value = random.u32(0..spread);
                // It grows, then shrinks until it is empty.
                if random.u32(0..6_000) > step {
                    sorted.insert(value);
                    tree.insert(value);
                } else {
                    let gone = tree.range(value..).next().copied().unwrap_or(value);
                    sorted.remove(&gone);
                    tree.remove(&gone);
                }
                if step % 97 == 0 {
                    assert_same(&sorted, &tree, random.u32(0..spread));
                }
            }
            while let Some(first) = tree.pop_first() {
                sorted.remove(&first);
                assert_eq!(sorted.iter().next(), tree.first());
            }
            assert_same(&sorted, &tree, 7);
        }
    }

    #[test]
    fn value_can_be_in_the_set_again() {
        let mut random = fastrand::Rng::with_seed(2);
        let (mut sorted, mut all) = (Sorted::default(), Vec::new());
        for step in 0..6_000 {
            let value = random.u32(0..9);
            if random.u32(0..6_000) > step {
                sorted.insert_again(value);
                all.push(value);
            } else {
                sorted.remove(&value);
                if let Some(place) = all.iter().position(|other| *other == value) {
                    all.swap_remove(place);
                }
            }
            if step % 97 == 0 {
                all.sort_unstable();
                assert!(sorted.iter().eq(&all));
                for from in 0..10 {
                    let above = all.iter().filter(|value| **value >= from).count();
                    assert_eq!((sorted.count_from(from), sorted.len()), (above, all.len()));
                }
            }
        }
    }

    #[test]
    fn ascending_values_fill_every_piece() {
        let mut sorted = Sorted::default();
        (0..10_000_u32).for_each(|n| sorted.insert(n));
        let capacity: usize = sorted.pieces.iter().map(Vec::capacity).sum();
        assert!(capacity < 10_000 + PIECE, "{capacity}");
    }
}
