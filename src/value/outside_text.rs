//! The rule for texts that come from outside and are kept for people, such as the place of a leak.
//!
//! Such a text is never refused, because its event matters more than its spelling. It is made
//! harmless instead.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::value::redact::looks_like_token;
use crate::value::visible_text::is_invisible;

const HIDDEN: &str = "(hidden)";
const CUT: &str = "...";

/// Returns the text in at most `max_chars` characters, without tokens and invisible characters.
/// Returns `None` if nothing visible is left.
pub(crate) fn shown(text: &str, max_chars: usize) -> Option<String> {
    // A token in full-width characters is still a token.
    let text =
        if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) };
    let mut shown = String::new();
    let mut left = max_chars;
    // Each part is hidden as a whole before the text is cut, so that no part of a token stays.
    for part in text.trim().split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len();
        let (run, rest) = part.split_at(end);
        let run = if looks_like_token(run) && !is_commit(run) { HIDDEN } else { run };
        for c in run.chars().chain(rest.chars()) {
            if left == 0 {
                let keep = shown.char_indices().rev().nth(CUT.len() - 1).map_or(0, |(at, _)| at);
                shown.truncate(keep);
                shown.push_str(CUT);
                return Some(shown);
            }
            shown.push(if c.is_control() || is_invisible(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            });
            left -= 1;
        }
    }
    Some(shown).filter(|shown| !shown.is_empty())
}

/// Returns whether the run is an object id of Git: 40 or 64 digits of hex in lower case. A token has
/// capitals.
fn is_commit(run: &str) -> bool {
    matches!(run.len(), 40 | 64)
        && run.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_is_made_harmless() {
        let token = "key_4fQ2xk9ZrT7bWm1c8PzAq0LdVh3sKyNeJ5uGiXo6RtBwYfMCk7Qm2P";
        let commit = "12345600b9cbe38a219f39a9941c9319b600c002";
        for (given, expected) in [
            (" a b ".to_owned(), Some("a b".to_owned())),
            (String::new(), None),
            (" \n".to_owned(), None),
            ("a\u{202e}b\nc".to_owned(), Some("a\u{fffd}b\u{fffd}c".to_owned())),
            (format!("https://x/?k={token}&a=1"), Some("https://x/?k=key_(hidden)&a=1".to_owned())),
            (format!("https://x/blob/{commit}/f"), Some(format!("https://x/blob/{commit}/f"))),
            (commit.to_uppercase(), Some(HIDDEN.to_owned())),
            ("\u{ff14}fQ2xk9ZrT7bWm1c8PzAq0LdVh3sKyNe".to_owned(), Some(HIDDEN.to_owned())),
            ("x".repeat(60), Some("x".repeat(60))),
            ("-".repeat(61), Some(format!("{}...", "-".repeat(57)))),
            (format!("{}{token}", "-".repeat(52)), Some(format!("{}key_(...", "-".repeat(52)))),
        ] {
            assert_eq!(shown(&given, 60), expected, "{given:?}");
        }
    }
}
