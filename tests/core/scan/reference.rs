//! The scanner against a slow and obviously right search.

use std::ops::Range;

use keywright::scan::Scanner;

use common::slow_search::{assert_scanner_agrees, tokens};
use common::{Random, seed};

use super::{COLLIDING, overlapping, redacted, token};

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
        count += assert_scanner_agrees(&text, prefixes);
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
