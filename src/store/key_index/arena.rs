//! The text of many records in one piece of memory, for a search that reads it in one go.

use memchr::memmem::Finder;

/// The texts of records, one after the other, each with the number of its place.
///
/// A text that is out of date stays until the arena is built anew: its owner ignores its number.
#[derive(Default)]
pub(super) struct Arena {
    text: Vec<u8>,
    /// The end of each text.
    ends: Vec<usize>,
}

impl Arena {
    pub(super) fn with_room(texts: usize) -> Self {
        Self { text: Vec::new(), ends: Vec::with_capacity(texts) }
    }

    /// Adds a text. Memory grows by an eighth and not to its double, because it is large.
    pub(super) fn push(&mut self, text: &str) {
        if self.text.capacity() - self.text.len() < text.len() {
            self.text.reserve_exact(self.text.len() / 8 + text.len() + 1_024);
        }
        self.text.extend_from_slice(text.as_bytes());
        if self.ends.len() == self.ends.capacity() {
            self.ends.reserve_exact(self.ends.len() / 8 + 64);
        }
        self.ends.push(self.text.len());
    }

    /// Returns the number of texts.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a text by its number.
    pub(super) fn text(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }

    /// Calls `found` with the number of each text that contains the needle, in ascending order.
    ///
    /// The needle must not be empty, and no text begins in the middle of it: each text begins with a
    /// character that no needle has inside.
    pub(super) fn find(&self, needle: &Finder<'_>, mut found: impl FnMut(usize)) {
        let (mut from, mut number) = (0, 0);
        while let Some(at) = needle.find(&self.text[from..]) {
            let at = from + at;
            number = self.number_at(at, number);
            found(number);
            from = self.ends[number];
        }
    }

    /// Returns the number of the text at a place of the memory, which is not before the text
    /// `number`. The next match is often near, so the steps double.
    fn number_at(&self, at: usize, number: usize) -> usize {
        let (mut low, mut step) = (number, 1);
        while self.ends.get(low + step).is_some_and(|end| *end <= at) {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(self.ends.len());
        low + self.ends[low..high].partition_point(|end| *end <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(arena: &Arena, needle: &str) -> Vec<usize> {
        let mut found = Vec::new();
        arena.find(&Finder::new(needle), |number| found.push(number));
        found
    }

    #[test]
    fn each_text_is_found_once() {
        let mut arena = Arena::default();
        let texts = ["\u{1}aba", "\u{1}", "\u{1}banana", "\u{1}aa", "\u{1}nab"];
        for text in texts {
            arena.push(text);
        }
        for needle in ["a", "ab", "na", "anan", "b", "x", "aa", "nab", "\u{1}"] {
            let holds = |(n, text): (usize, &&str)| text.contains(needle).then_some(n);
            let expected: Vec<_> = texts.iter().enumerate().filter_map(holds).collect();
            assert_eq!(found(&arena, needle), expected, "{needle:?}");
        }
        assert_eq!(arena.text(2), b"\x01banana");
        assert!(found(&Arena::default(), "a").is_empty());
    }

    #[test]
    fn distant_matches_have_the_right_number() {
        let mut arena = Arena::with_room(10_000);
        for n in 0..10_000 {
            arena.push(&format!("\u{1}{n}"));
        }
        for needle in ["0", "77", "999", "1234", "9999"] {
            let expected: Vec<_> = (0..10_000).filter(|n| n.to_string().contains(needle)).collect();
            assert_eq!(found(&arena, needle), expected);
        }
    }
}
