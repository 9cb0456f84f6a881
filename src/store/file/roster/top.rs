//! The first items of an order, selected from all items in one pass.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The first items behind a begin.
pub(super) struct Top<T> {
    size: usize,
    begin: Option<T>,
    kept: Kept<T>,
}

enum Kept<T> {
    /// The smallest items, with the largest of them on top.
    Smallest(BinaryHeap<T>),
    /// The largest items, with the smallest of them on top.
    Largest(BinaryHeap<Reverse<T>>),
}

impl<T: Copy + Ord> Top<T> {
    pub(super) fn new(size: usize, descending: bool, begin: Option<T>) -> Self {
        let kept = if descending {
            Kept::Largest(BinaryHeap::with_capacity(size + 1))
        } else {
            Kept::Smallest(BinaryHeap::with_capacity(size + 1))
        };
        Self { size, begin, kept }
    }

    /// Keeps an item if it is among the first.
    pub(super) fn offer(&mut self, item: T) {
        match &mut self.kept {
            Kept::Smallest(heap) if self.begin.is_none_or(|begin| item > begin) => {
                keep(heap, item, self.size);
            }
            Kept::Largest(heap) if self.begin.is_none_or(|begin| item < begin) => {
                keep(heap, Reverse(item), self.size);
            }
            _ => {}
        }
    }

    /// Returns the items in the order.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = T> {
        let (smallest, largest) = match self.kept {
            Kept::Smallest(heap) => (heap.into_sorted_vec(), Vec::new()),
            Kept::Largest(heap) => (Vec::new(), heap.into_sorted_vec()),
        };
        smallest.into_iter().chain(largest.into_iter().map(|Reverse(item)| item))
    }
}

fn keep<T: Ord>(heap: &mut BinaryHeap<T>, item: T, size: usize) {
    if heap.len() < size {
        heap.push(item);
    } else if let Some(mut worst) = heap.peek_mut()
        && item < *worst
    {
        *worst = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_items_behind_the_begin_are_kept() {
        let selected = |descending, begin| {
            let mut top = Top::new(3, descending, begin);
            for item in [5, 1, 4, 9, 2, 8] {
                top.offer(item);
            }
            top.into_sorted().collect::<Vec<_>>()
        };
        assert_eq!(selected(false, None), [1, 2, 4]);
        assert_eq!(selected(false, Some(4)), [5, 8, 9]);
        assert_eq!(selected(true, None), [9, 8, 5]);
        assert_eq!(selected(true, Some(2)), [1]);
    }
}
