//! Texts that many rows share, each kept once and numbered.

use std::collections::HashMap;

use super::texts::index;

/// Values by number, found by their text.
pub(super) struct Interned<T> {
    numbers: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    values: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), values: Vec::new() }
    }
}

impl<T> Interned<T> {
    /// Returns the number of a text. `value` returns the value of a text that is new.
    pub(super) fn number<E>(
        &mut self,
        text: &[u8],
        value: impl FnOnce() -> Result<T, E>,
    ) -> Result<u32, E> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let number = index(self.values.len());
        self.values.push(value()?);
        self.numbers.insert(text.into(), number);
        Ok(number)
    }

    /// Returns the number of a text; `None` if no row has had it.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text.as_bytes()).copied()
    }

    /// Returns all values, in the order of their numbers.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.values.get_mut(super::texts::place(number))
    }

    /// Returns for each value whether it meets a condition.
    pub(super) fn matching(&self, is_wanted: impl FnMut(&T) -> bool) -> Vec<bool> {
        self.values.iter().map(is_wanted).collect()
    }
}
