//! A slow and obviously right search for tokens: every end with every start.

use std::ops::Range;

use keywright::Prefix;
use keywright::scan::Scanner;

use crate::tokens::{ALPHABET, check};

/// The length of id, secret and checksum.
const BODY: usize = 54;

/// Returns whether a text is a whole token, by the grammar in the guide.
pub fn is_token(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Some((prefix, body)) = text.rsplit_once('_') else { return false };
    body.len() == BODY
        && body.chars().all(|c| ALPHABET.contains(c))
        && Prefix::new(prefix).is_ok()
        && text.ends_with(&check(&text[..text.len() - 6]))
}

/// Finds the longest token at each end.
pub fn tokens(text: &[u8], prefixes: &[&str]) -> Vec<Range<usize>> {
    let is_wanted = |start: usize, end: usize| {
        let prefix = &text[start..end - BODY - 1];
        prefixes.is_empty() || prefixes.iter().any(|wanted| wanted.as_bytes() == prefix)
    };
    let start = |end: usize| {
        // Without this underscore no start fits.
        let underscore = end.checked_sub(BODY + 1)?;
        if text[underscore] != b'_' {
            return None;
        }
        // Nothing longer than 87 bytes is a token.
        let mut starts = end.saturating_sub(90)..underscore;
        starts.find(|start| is_token(&text[*start..end]) && is_wanted(*start, end))
    };
    (0..=text.len()).filter_map(|end| Some(start(end)?..end)).collect()
}

/// Asserts that the scanner finds and hides exactly the tokens of this search. Returns their number.
#[track_caller]
pub fn assert_scanner_agrees(text: &[u8], prefixes: &[&str]) -> usize {
    let wanted = prefixes.iter().map(|prefix| Prefix::new(prefix).expect("a prefix"));
    let scanner = Scanner::new().prefixes(wanted);
    let expected = tokens(text, prefixes);
    let found: Vec<_> = scanner.find(text).collect();
    assert_eq!(found.len(), expected.len(), "{:?}", String::from_utf8_lossy(text));
    let mut clean = Vec::new();
    let mut rest = 0;
    for (found, range) in found.iter().zip(&expected) {
        assert_eq!(found.range, range.start as u64..range.end as u64);
        assert_eq!(found.token.expose().as_bytes(), &text[range.clone()]);
        assert!(found.token.expose().starts_with(&found.display_prefix()));
        clean.extend_from_slice(&text[rest..range.end - 38]);
        clean.extend_from_slice(b"[redacted]");
        rest = range.end;
    }
    clean.extend_from_slice(&text[rest..]);
    assert_eq!(*scanner.redact_bytes(text), *clean);
    assert_eq!(scanner.find(&clean).count(), 0, "a redacted text has no token");
    let whole = scanner.recognize(text).is_some();
    assert_eq!(whole, expected.contains(&(0..text.len())) && !text.is_empty());
    expected.len()
}
