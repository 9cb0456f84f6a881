//! A language of marks: each text of the page is between marks, so that a text outside of them comes
//! from the records, or is a text that no host can translate.

use keywright::http::page::{Text, Texts};
use scraper::Html;

use crate::rules::all;

const OPEN: char = '⟦';
const CLOSE: char = '⟧';
/// The units of durations and the name of the time zone, which are the same in each language.
const SYMBOLS: [&str; 5] = ["d", "h", "min", "s", "UTC"];

/// Returns the texts in marks. The values of placeholders are outside of the marks.
pub(crate) fn texts() -> Texts {
    let marked = Text::all().fold(Texts::english(), |texts, text| {
        let value = texts.text(text).split('|').map(mark).collect::<Vec<_>>().join("|");
        texts.with(text, value)
    });
    marked.in_language("x-marked", |number| usize::from(number != 1))
}

fn mark(text: &str) -> String {
    let mut marked = String::new();
    for part in text.split_inclusive('}') {
        let (words, placeholder) = match part.find('{') {
            Some(at) if part.ends_with('}') => part.split_at(at),
            _ => (part, ""),
        };
        if !words.trim().is_empty() {
            marked.push(OPEN);
            marked += words;
            marked.push(CLOSE);
        }
        marked += placeholder;
    }
    marked
}

/// Returns the visible words of a document that are outside of the marks and are no data.
pub(crate) fn strays(text: &str, data: &[String]) -> Vec<String> {
    let document = Html::parse_document(text);
    let mut texts: Vec<String> = Vec::new();
    for element in all(&document, "title, body") {
        texts.extend(element.text().map(str::to_owned));
    }
    let attributes = [
        "aria-label",
        "title",
        "alt",
        "placeholder",
        "data-kw-copy",
        "data-kw-copied",
        "data-kw-select",
        "data-kw-all",
        "data-label",
    ];
    for element in all(&document, "body *") {
        texts.extend(attributes.iter().filter_map(|name| element.attr(name)).map(str::to_owned));
    }
    let mut strays: Vec<String> = texts.iter().flat_map(|text| outside(text, data)).collect();
    strays.sort();
    strays.dedup();
    strays
}

fn outside(text: &str, data: &[String]) -> Vec<String> {
    let mut outside = String::new();
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            OPEN => depth += 1,
            CLOSE => {
                depth = depth.saturating_sub(1);
                outside.push(' ');
            }
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    for known in data {
        outside = outside.replace(&**known, " ");
    }
    let words = outside
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| ":,.;-=()\"".contains(c)));
    words.filter(|word| !is_data(word)).map(str::to_owned).collect()
}

/// Returns true for numbers, times, ids, prefixes, networks and rates.
fn is_data(word: &str) -> bool {
    let has_digit = word.contains(|c: char| c.is_ascii_digit());
    let is_number = has_digit && word.chars().all(|c| c.is_ascii_digit() || ".:-/_TZs".contains(c));
    let is_id = word.len() == 16 && word.chars().all(|c| c.is_ascii_alphanumeric());
    word.is_empty()
        || is_number
        || is_id
        || word.starts_with("acme_live_")
        || SYMBOLS.contains(&word)
}
