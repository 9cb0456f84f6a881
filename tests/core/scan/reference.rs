//! A slow and obviously right search: every end with every start.

use std::ops::Range;

use keywright::Prefix;
use keywright::scan::Scanner;

use common::{ALPHABET, Random, check, seed};

use super::{COLLIDING, overlapping, redacted, token};

/// Returns whether a text is a whole token, by the grammar in the guide.
fn is_token(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Some((prefix, body)) = text.rsplit_once('_') else { return false };
    body.len() == 54
        && body.chars().all(|c| ALPHABET.contains(c))
        && Prefix::new(prefix).is_ok()
        && text.ends_with(&check(&text[..text.len() - 6]))
}

/// Finds the longest token at each end.
pub(crate) fn tokens(text: &[u8], prefixes: &[&str]) -> Vec<Range<usize>> {
    let is_wanted = |start: usize, end: usize| {
        let prefix = &text[start..end - 55];
        prefixes.is_empty() || prefixes.iter().any(|wanted| wanted.as_bytes() == prefix)
    };
    let start = |end: usize| {
        // Nothing longer than 87 bytes is a token.
        let mut starts = end.saturating_sub(90)..end;
        starts.find(|start| is_token(&text[*start..end]) && is_wanted(*start, end))
    };
    (0..=text.len()).filter_map(|end| Some(start(end)?..end)).collect()
}

/// Returns a text of tokens, parts of tokens, and bytes that are near to them.
pub(crate) fn text(random: &Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(8) {
        let prefix = ["key", "acme_live", "a", "abcdefghijklmnopqrstuvwxyz012345"][random.below(4)];
        let whole = token(prefix, random);
        match random.below(12) {
            0..=2 => text.extend(whole.bytes()),
            3 => text.extend(whole[random.below(whole.len())..].bytes()),
            4 => text.extend(whole[..random.below(whole.len())].bytes()),
            5 => {
                let mut wrong = whole.into_bytes();
                let place = random.below(wrong.len());
                wrong[place] = b"a0Z_- \xFF"[random.below(7)];
                text.extend(wrong);
            }
            6 => text.extend(random.symbols(random.below(130)).bytes()),
            7 => text.extend("_".repeat(random.below(60)).bytes()),
            8 => text.extend(
                (0..random.below(60)).map(|_| u8::try_from(random.below(256)).unwrap_or(0)),
            ),
            9 => text.extend(COLLIDING.bytes().chain(whole.bytes())),
            10 => {
                let (first, second) = overlapping(random);
                text.extend(first.bytes().chain(second[2..].bytes()));
            }
            _ => text.extend(b" _x= ".iter().take(random.below(6))),
        }
    }
    text
}

#[test]
fn t_d01_scanner_agrees_with_slow_reference() {
    let random = Random::seeded(seed());
    let mut count = 0;
    for round in 0..4_000 {
        let text = text(&random);
        let prefixes: &[&str] = [&[][..], &["key", "acme_live"], &["a"]][round % 3];
        let wanted = prefixes.iter().map(|prefix| Prefix::new(prefix).expect("a prefix"));
        let scanner = Scanner::new().prefixes(wanted);
        let expected = tokens(&text, prefixes);
        let found: Vec<_> = scanner.find(&text).collect();
        assert_eq!(found.len(), expected.len(), "{:?}", String::from_utf8_lossy(&text));
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
        assert_eq!(*scanner.redact_bytes(&text), *clean);
        assert_eq!(scanner.find(&clean).count(), 0, "a redacted text has no token");
        let whole = scanner.recognize(&text).is_some();
        assert_eq!(whole, expected.contains(&(0..text.len())) && !text.is_empty());
        count += expected.len();
    }
    assert!(count > 4_000, "only {count} tokens were tried");
}

#[test]
fn reference_finds_neighbors_and_overlaps() {
    let random = Random::seeded(7);
    let whole = token("acme_live", &random);
    let only = |range: Range<usize>| Vec::from([range]);
    assert_eq!(tokens(whole.as_bytes(), &[]), only(0..64));
    let double = format!("{COLLIDING}{whole}");
    assert_eq!(tokens(double.as_bytes(), &[]), only(0..72));
    assert_eq!(tokens(double.as_bytes(), &["acme_live"]), only(8..72));
    let (first, second) = overlapping(&random);
    let both = format!("{first}{}", &second[2..]);
    assert_eq!(tokens(both.as_bytes(), &[]), [0..58, 56..56 + second.len()]);
    let clean = format!("{}{}", redacted(&first), &redacted(&second)[2..]);
    assert_eq!(Scanner::new().redact(&both), clean);
}
