//! Any text and any division of it: the scanner, the stream and the redactor agree with the slow search.

use std::io::Write;

use common::slow_search::{assert_scanner_agrees, tokens};
use keywright::scan::Scanner;

/// The longest text: the slow search takes a square of it.
const LONGEST: usize = 1_024;

/// The first byte is the length of the pieces, and chooses the prefixes.
pub(crate) fn run(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let text = &text[..text.len().min(LONGEST)];
    let prefixes: &[&str] = [&[][..], &["key", "acme_live"], &["a"]][usize::from(*choice) % 3];
    assert_scanner_agrees(text, prefixes);

    let scanner = Scanner::new();
    let mut stream = scanner.stream();
    let mut log = scanner.redactor(Vec::new());
    let mut found = Vec::new();
    for piece in text.chunks(usize::from(choice / 3) + 1) {
        found.extend(stream.push(piece).into_iter().map(|found| found.range));
        log.write_all(piece).expect("a vector takes all");
    }
    let expected = tokens(text, &[]).into_iter().map(|at| at.start as u64..at.end as u64);
    assert_eq!(found, expected.collect::<Vec<_>>(), "the stream found others");
    let written = log.finish().expect("a vector takes all");
    assert_eq!(*written, *scanner.redact_bytes(text), "the redactor wrote another text");
    if let Ok(text) = std::str::from_utf8(text) {
        assert_eq!(scanner.redact(text).as_bytes(), written);
    }
}
