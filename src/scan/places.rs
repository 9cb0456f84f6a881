//! The places of tokens in a text.
//!
//! A text has no token that is not an underscore and 54 symbols after it, and few texts have even
//! that. The search looks at the last byte that such a body would have, and goes backwards from it to
//! the first byte that is no symbol. In most texts this is a step or two, and the search skips the
//! rest of the 54 bytes. It looks at no byte twice.

use std::ops::Range;

use memchr::memchr;

use super::checksum::Backwards;
use crate::value::base62;
use crate::value::token::{BODY_LEN, KEY_SECRET_LEN, Prefix, Presented, RANDOM_LEN};

/// The place of a token in a text.
pub(crate) struct Place {
    /// The whole token.
    pub(crate) token: Range<usize>,
}

impl Place {
    /// Returns the place of the key id.
    #[cfg(feature = "page")]
    pub(crate) fn key_id(&self) -> Range<usize> {
        let secret = self.key_secret();
        secret.start - crate::value::id::KeyId::LEN..secret.start
    }

    /// Returns the place of the secret and the check.
    pub(crate) fn key_secret(&self) -> Range<usize> {
        self.token.end - KEY_SECRET_LEN..self.token.end
    }
}

/// The places of all tokens in a text, by their ends.
pub(crate) struct Places<'t> {
    text: &'t [u8],
    /// The next place where an underscore can be.
    at: usize,
    /// The end of the bytes after `at` that are known to be symbols.
    known: usize,
    /// The prefixes to find; any prefix if there are none.
    prefixes: &'t [Prefix],
}

impl<'t> Places<'t> {
    /// Finds the tokens of any prefix.
    #[cfg(feature = "page")]
    pub(crate) fn any(text: &'t str) -> Self {
        Self::ending_after(0, text.as_bytes(), &[])
    }

    /// Finds the tokens that end after the byte `end`; 0 finds all.
    pub(crate) fn ending_after(end: usize, text: &'t [u8], prefixes: &'t [Prefix]) -> Self {
        Self { text, at: end.saturating_sub(BODY_LEN), known: 0, prefixes }
    }

    /// Returns the next underscore that 54 symbols follow.
    fn next_underscore(&mut self) -> Option<usize> {
        loop {
            let at = self.at;
            let window = self.text.get(at..=at.checked_add(BODY_LEN)?)?;
            let new = self.known.saturating_sub(at).max(1);
            self.known = at + window.len();
            if let Some(place) = window[new..].iter().rposition(|byte| !base62::is_symbol(*byte)) {
                // No underscore before this byte has 54 symbols after it.
                self.at = at + new + place;
                continue;
            }
            let rest = &self.text[self.known..];
            self.at = self.known + memchr(b'_', rest).unwrap_or(rest.len());
            if window[0] == b'_' {
                return Some(at);
            }
        }
    }

    /// Returns the start of the longest token with the body after an underscore.
    fn start_before(&self, underscore: usize) -> Option<usize> {
        let (text, end) = (self.text, underscore + 1 + BODY_LEN);
        let (random, check) = text[underscore + 1..end].split_at(RANDOM_LEN);
        let check = base62::value_of_six(check.try_into().ok()?)?;
        let mut checksum = Backwards::from(check.try_into().ok()?);
        checksum = checksum.without_all(random).without(b'_');
        let mut longest = None;
        for start in (underscore.saturating_sub(Prefix::MAX_LEN)..underscore).rev() {
            checksum = checksum.without(text[start]);
            let is_wanted = || {
                let prefix = &text[start..underscore];
                let same = |wanted: &Prefix| wanted.as_str().as_bytes() == prefix;
                self.prefixes.is_empty() || self.prefixes.iter().any(same)
            };
            if checksum.is_first()
                && is_wanted()
                && Presented::id_of_token(&text[start..end]).is_some()
            {
                longest = Some(start);
            }
        }
        longest
    }
}

impl Iterator for Places<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        loop {
            let underscore = self.next_underscore()?;
            if let Some(start) = self.start_before(underscore) {
                return Some(Place { token: start..underscore + 1 + BODY_LEN });
            }
        }
    }
}
