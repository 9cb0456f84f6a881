//! Sentences of a page.

use crate::markdown::{Kind, Page};

/// A sentence of a paragraph, an item or a cell; or a heading.
#[derive(Debug)]
pub(crate) struct Sentence {
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) is_heading: bool,
}

impl Sentence {
    /// Iterates over the words: what has a letter in it, without punctuation at its ends.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        words(&self.text)
    }

    pub(crate) fn is_question(&self) -> bool {
        self.text.trim_end_matches([')', '"', '*']).ends_with('?')
    }
}

/// Iterates over the words of a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_edge = |c: char| !(c.is_alphanumeric() || c == '`');
    let bare = text.split(|c: char| c.is_whitespace() || c == '\u{2014}');
    bare.map(move |word| word.trim_matches(is_edge)).filter(|w| w.contains(char::is_alphabetic))
}

/// Splits a page into sentences.
pub(crate) fn sentences(page: &Page) -> Vec<Sentence> {
    let mut found = Vec::new();
    for block in &page.blocks {
        let is_heading = matches!(block.kind, Kind::Heading | Kind::HeaderCell);
        for (start, text) in split(&block.text) {
            found.push(Sentence { text: text.to_owned(), line: block.line(start), is_heading });
        }
    }
    found
}

/// A point after one of these ends no sentence.
const ABBREVIATIONS: [&str; 7] = ["e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "No."];

/// Splits a text into sentences, with the place of each.
pub(crate) fn split(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !matches!(c, '.' | '!' | '?') {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, _)) =
            chars.next_if(|(_, c)| matches!(c, ')' | '"' | '\'' | '”' | '’'))
        {
            end = next + text[next..].chars().next().map_or(1, char::len_utf8);
        }
        let rest = &text[end..];
        let next = rest.trim_start().chars().next();
        let begins = next.is_some_and(|c| !c.is_lowercase() && !matches!(c, ',' | ';' | ':' | '-'));
        let word = text[start..end].rsplit(char::is_whitespace).next().unwrap_or_default();
        let is_short = ABBREVIATIONS.contains(&word.trim_start_matches('('));
        if rest.starts_with(char::is_whitespace) && begins && !is_short {
            push(text, start, end, &mut found);
            start = end;
        }
    }
    push(text, start, text.len(), &mut found);
    found
}

fn push<'t>(text: &'t str, start: usize, end: usize, found: &mut Vec<(usize, &'t str)>) {
    let whole = &text[start..end];
    let start = start + whole.len() - whole.trim_start().len();
    if !whole.trim().is_empty() {
        found.push((start, whole.trim()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_the_next_begins() {
        let text = "One key (e.g. Alice's). \"Two.\" `x` is three? See RFC 6750 section 3.1, too.";
        let found: Vec<_> = split(text).into_iter().map(|(_, text)| text).collect();
        let whole = [
            "One key (e.g. Alice's).",
            "\"Two.\"",
            "`x` is three?",
            "See RFC 6750 section 3.1, too.",
        ];
        assert_eq!(found, whole);
    }

    #[test]
    fn words_have_letters() {
        let found: Vec<_> = words("The `x` of 10 keys (or 1_000 - \"a lot\").").collect();
        assert_eq!(found, ["The", "`x`", "of", "keys", "or", "a", "lot"]);
    }
}
