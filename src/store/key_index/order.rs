//! The slots of an index in one order.

use std::cmp::Ordering;

use super::bits::{Bits, slot};
use super::columns::Columns;
use crate::store::query::KeyPosition;
use crate::value::id::KeyId;
use crate::value::name::Name;

/// The slots in one order. Changes are noted, and the next list takes them in.
///
/// A sorted vector has a quarter of the memory of a tree. To take in a slice of changes moves at most
/// all its numbers once, which takes about a millisecond for a million keys.
#[derive(Default)]
pub(super) struct Order {
    sorted: Vec<u32>,
    /// The slots to take in.
    pending: Vec<u32>,
    /// Whether pending slots are in `sorted` too, at their places of before.
    has_moved: bool,
}

/// The facts by which slots are sorted. Equal ones are sorted by id.
#[derive(Clone, Copy)]
pub(super) enum Facts<'a> {
    Times(&'a [i64]),
    Names(&'a [Option<Name>]),
}

/// The facts by which slots are sorted, with the ids of all slots.
#[derive(Clone, Copy)]
pub(super) struct Sorting<'a> {
    pub(super) facts: Facts<'a>,
    pub(super) ids: &'a [KeyId],
}

impl Sorting<'_> {
    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        let facts = match self.facts {
            Facts::Times(times) => times[a].cmp(&times[b]),
            Facts::Names(names) => names[a].cmp(&names[b]),
        };
        facts.then_with(|| self.ids[a].cmp(&self.ids[b]))
    }

    fn compare_with(&self, slot: u32, position: &KeyPosition) -> Ordering {
        let slot = slot as usize;
        let facts = match self.facts {
            Facts::Times(times) => times[slot].cmp(&position.number()),
            Facts::Names(names) => names[slot].as_ref().map(Name::as_str).cmp(&position.text()),
        };
        facts.then_with(|| self.ids[slot].cmp(position.id()))
    }

    fn sort(&self, slots: &mut [u32]) {
        match self.facts {
            Facts::Times(times) => {
                let mut keyed: Vec<_> = slots.iter().map(|s| (times[*s as usize], *s)).collect();
                keyed
                    .sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| self.compare(*x, *y)));
                write_back(slots, keyed);
            }
            Facts::Names(names) => {
                // Most names differ in their first bytes, and those lie beside the slot.
                let first = |slot: &u32| start(names[*slot as usize].as_ref());
                let mut keyed: Vec<_> = slots.iter().map(|slot| (first(slot), *slot)).collect();
                keyed
                    .sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| self.compare(*x, *y)));
                write_back(slots, keyed);
            }
        }
    }
}

/// Returns the first bytes of a name, with zeros after a shorter one.
fn start(name: Option<&Name>) -> [u8; 24] {
    let mut start = [0; 24];
    let name = name.map_or("", Name::as_str).as_bytes();
    let len = name.len().min(start.len());
    start[..len].copy_from_slice(&name[..len]);
    start
}

fn write_back<T>(slots: &mut [u32], sorted: Vec<(T, u32)>) {
    for (place, (_, slot)) in slots.iter_mut().zip(sorted) {
        *place = slot;
    }
}

impl Order {
    /// Creates the order of all slots, which are yet to be taken in.
    pub(super) fn new(columns: &Columns) -> Self {
        let sorted = Vec::with_capacity(columns.len());
        // The first slots are taken in first. In the order of creation, the next ones follow them.
        Self { sorted, pending: (0..slot(columns.len())).rev().collect(), has_moved: false }
    }

    /// Notes a new slot.
    pub(super) fn note_new(&mut self, slot: u32) {
        self.pending.push(slot);
    }

    /// Notes that the fact of a slot has changed.
    pub(super) fn note_moved(&mut self, slot: u32) {
        self.pending.push(slot);
        self.has_moved = true;
    }

    /// Returns whether the changes that are noted are twice as many as the slots. To make the order
    /// anew then costs less than to take them in, and they would gather without end if no list does.
    pub(super) fn is_outdated(&self, columns: &Columns) -> bool {
        self.pending.len() > 2 * columns.len()
    }

    /// Returns whether all changes are taken in.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes in a number of changes.
    pub(super) fn settle(&mut self, columns: &Columns, sorting: Sorting<'_>, most: usize) {
        if std::mem::take(&mut self.has_moved) {
            let mut moved = Bits::none(columns.len());
            for slot in &self.pending {
                moved.insert(*slot);
            }
            // A slot that was used several times is noted several times.
            self.pending.clear();
            self.pending.extend(moved.iter());
            self.sorted.retain(|slot| !moved.has(*slot));
        }
        let mut new = self.pending.split_off(self.pending.len().saturating_sub(most));
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        new.retain(|slot| columns.is_alive(*slot));
        sorting.sort(&mut new);
        // From the end: what comes after the last new slot moves behind it, and so on.
        let mut end = self.sorted.len();
        self.sorted.resize(end + new.len(), 0);
        while let Some(slot) = new.pop() {
            let place =
                place_before(&self.sorted[..end], |other| sorting.compare(other, slot).is_lt());
            self.sorted.copy_within(place..end, place + new.len() + 1);
            self.sorted[place + new.len()] = slot;
            end = place;
        }
    }

    /// Returns the slots after a position, or all. Slots of removed keys are among them.
    pub(super) fn walk(
        &self,
        sorting: Sorting<'_>,
        descending: bool,
        after: Option<&KeyPosition>,
    ) -> Walk<'_> {
        let place = |is_before: fn(Ordering) -> bool, position| {
            let is_before = |slot: &u32| is_before(sorting.compare_with(*slot, position));
            self.sorted.partition_point(is_before)
        };
        let slots = match after {
            None => &self.sorted[..],
            Some(position) if descending => &self.sorted[..place(Ordering::is_lt, position)],
            Some(position) => &self.sorted[place(Ordering::is_le, position)..],
        };
        Walk { slots: slots.iter(), descending }
    }
}

/// Returns the number of slots that are before a new one. The place is often near the end, so the
/// steps from there double.
fn place_before(slots: &[u32], is_before: impl Fn(u32) -> bool) -> usize {
    let (mut high, mut step) = (slots.len(), 1);
    while step <= high && !is_before(slots[high - step]) {
        high -= step;
        step *= 2;
    }
    let low = high.saturating_sub(step);
    low + slots[low..high].partition_point(|slot| is_before(*slot))
}

/// The slots of an order, from its start or from its end.
pub(super) struct Walk<'a> {
    slots: std::slice::Iter<'a, u32>,
    descending: bool,
}

impl Iterator for Walk<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.descending { self.slots.next_back().copied() } else { self.slots.next().copied() }
    }
}
