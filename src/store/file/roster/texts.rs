//! The texts of the keys of a roster, which a search scans as one text.

use memchr::memmem::Finder;

/// The end of a field. No field has this character, because names and notes have no control
/// characters except line breaks.
pub(super) const END: char = '\0';

/// One text per row: the fields that a search looks at, in lower case.
#[derive(Default)]
pub(super) struct Texts {
    text: String,
    /// The begin of each part of the text. A changed row has a new part at the end.
    begins: Vec<u32>,
    /// The row of each part.
    rows: Vec<u32>,
    /// The part of each row that is in force.
    parts: Vec<u32>,
}

impl Texts {
    /// Adds the text of the next row.
    pub(super) fn push(&mut self, fields: &[impl AsRef<str>]) {
        self.parts.push(0);
        self.replace(self.parts.len() - 1, fields);
    }

    /// Replaces the text of a row. The old text stays in memory until the roster is made anew.
    pub(super) fn replace(&mut self, row: usize, fields: &[impl AsRef<str>]) {
        self.parts[row] = index(self.begins.len());
        self.begins.push(index(self.text.len()));
        self.rows.push(index(row));
        for field in fields {
            self.text.push_str(field.as_ref());
            self.text.push(END);
        }
    }

    /// Returns the text of a row.
    pub(super) fn get(&self, row: usize) -> &str {
        let part = place(self.parts[row]);
        &self.text[place(self.begins[part])..self.end(part)]
    }

    /// Calls `found` with each row whose text contains `needle`. The needle must not be empty.
    pub(super) fn search(&self, needle: &str, mut found: impl FnMut(usize)) {
        let finder = Finder::new(needle);
        let (mut from, mut part) = (0, 0);
        while let Some(hit) = finder.find(&self.text.as_bytes()[from..]) {
            part = self.part_at(from + hit, part);
            let row = place(self.rows[part]);
            if place(self.parts[row]) == part {
                found(row);
            }
            // One hit in a text is enough. A needle that reaches into the next text has the end of a
            // field, so it is not one that is searched.
            from = self.end(part);
        }
    }

    /// Returns the size in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity()
            + 4 * (self.begins.capacity() + self.rows.capacity() + self.parts.capacity())
    }

    /// Returns the number of parts that are not in force.
    pub(super) fn outdated(&self) -> usize {
        self.begins.len() - self.parts.len()
    }

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Returns the part that contains an offset, which is not before the part `from`.
    fn part_at(&self, offset: usize, from: usize) -> usize {
        // Frequent hits are a few parts apart, and rare ones any number.
        let mut step = 1;
        while self.begins.get(from + step).is_some_and(|begin| place(*begin) <= offset) {
            step *= 2;
        }
        let last = self.begins.len().min(from + step);
        from + self.begins[from..last].partition_point(|begin| place(*begin) <= offset) - 1
    }

    fn end(&self, part: usize) -> usize {
        self.begins.get(part + 1).map_or(self.text.len(), |begin| place(*begin))
    }
}

/// Returns a place as it is stored. A roster never has more rows or bytes than fit.
pub(super) fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a roster is made anew before an offset exceeds 32 bits")
}

/// Returns the place of [`index`].
pub(super) fn place(index: u32) -> usize {
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &Texts, needle: &str) -> Vec<usize> {
        let mut rows = Vec::new();
        texts.search(needle, |row| rows.push(row));
        rows
    }

    #[test]
    fn every_matching_row_is_found_once() {
        let mut texts = Texts::default();
        for row in 0..1_000 {
            texts.push(&[format!("key {row}").as_str(), "aa aa"]);
        }
        assert_eq!(rows(&texts, "key 77"), [77, 770, 771, 772, 773, 774, 775, 776, 777, 778, 779]);
        assert_eq!(rows(&texts, "aa").len(), 1_000);
        assert_eq!(rows(&texts, "key 999"), [999]);
        assert!(rows(&texts, "key 1000").is_empty());
        // A field ends where the next one begins.
        assert!(rows(&texts, "0aa").is_empty());
    }

    #[test]
    fn replaced_text_is_not_found() {
        let mut texts = Texts::default();
        texts.push(&["old"]);
        texts.push(&["other"]);
        texts.replace(0, &["new"]);
        assert!(rows(&texts, "old").is_empty());
        assert_eq!((rows(&texts, "new"), rows(&texts, "other")), (vec![0], vec![1]));
        assert_eq!((texts.get(0), texts.outdated()), ("new\0", 1));
    }
}
