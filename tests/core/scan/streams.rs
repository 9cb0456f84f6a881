//! A token is found wherever the pieces of a stream divide it.

use std::io::{self, Error, ErrorKind, Read};
use std::ops::Range;

use keywright::scan::{Scanner, Stream};

use common::slow_search::tokens;
use common::{Random, seed};

use super::{COLLIDING, overlapping, reference, token};

/// Pushes the pieces of a text between the borders, and returns the places of the tokens.
fn in_pieces(text: &[u8], borders: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
    let mut stream: Stream = Scanner::new().stream();
    let mut start = 0;
    let mut found = Vec::new();
    for end in borders.into_iter().chain([text.len()]) {
        for item in stream.push(&text[start..end]) {
            let place = |at: u64| usize::try_from(at).expect("a place in the text");
            let range = place(item.range.start)..place(item.range.end);
            assert!(start < range.end && range.end <= end, "a token is found when it ends");
            assert_eq!(item.token.expose().as_bytes(), &text[range.clone()]);
            found.push(range);
        }
        start = end;
    }
    found
}

#[test]
fn b11_token_is_found_across_pieces() {
    let random = Random::seeded(1);
    let (first, second) = overlapping(&random);
    let texts = [
        token("a", &random),
        token("abcdefghijklmnopqrstuvwxyz012345", &random),
        format!(".{}{}.", token("key", &random), token("key", &random)),
        format!("{COLLIDING}{}", token("acme_live", &random)),
        format!("_{first}{}_", &second[2..]),
    ];
    for text in texts {
        let text = text.as_bytes();
        let expected = tokens(text, &[]);
        assert!(!expected.is_empty());
        for first in 0..=text.len() {
            for second in first..=text.len() {
                assert_eq!(in_pieces(text, [first, second]), expected);
            }
        }
        for size in 1..=text.len() {
            assert_eq!(in_pieces(text, (0..text.len()).step_by(size)), expected);
        }
    }
}

#[test]
fn any_pieces_give_the_same_tokens() {
    let random = Random::seeded(seed());
    for _ in 0..3_000 {
        let text = reference::text(&random);
        let longest = 1 + random.below(200);
        let mut borders = Vec::new();
        let mut at = 0;
        while at < text.len() {
            borders.push(at);
            at += random.below(longest + 1);
        }
        assert_eq!(in_pieces(&text, borders), tokens(&text, &[]));
    }
}

/// A reader of few bytes at a time, which is interrupted, and fails at the end if it should.
struct Slow<'t> {
    text: &'t [u8],
    interrupted: bool,
    fails: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.text.is_empty() && self.fails {
            return Err(Error::other("the disk is gone"));
        }
        let count = self.text.len().min(out.len()).min(7);
        out[..count].copy_from_slice(&self.text[..count]);
        self.text = &self.text[count..];
        Ok(count)
    }
}

#[test]
fn b11_reader_of_any_length_is_searched() {
    let random = Random::seeded(2);
    let token = token("acme_live", &random);
    for before in [0, 1, 60, 65_500, 65_536, 65_580, 200_000] {
        let text = format!("{}{token}\n", " ".repeat(before));
        for interrupted in [true, false] {
            let slow = Slow { text: text.as_bytes(), interrupted, fails: false };
            let found: Vec<_> =
                Scanner::new().read(slow).map(|found| found.expect("read")).collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].range, before as u64..(before + 64) as u64);
        }
        assert_eq!(Scanner::new().read(text.as_bytes()).count(), 1);
    }
}

#[test]
fn broken_reader_ends_with_its_error() {
    let random = Random::seeded(3);
    let text = token("acme_live", &random);
    let slow = Slow { text: text.as_bytes(), interrupted: false, fails: true };
    let mut read = Scanner::new().read(slow);
    assert!(read.next().is_some_and(|found| found.is_ok()));
    let error = read.next().expect("an error").expect_err("no token");
    assert_eq!(error.to_string(), "the disk is gone");
    assert!(read.next().is_none());
}
