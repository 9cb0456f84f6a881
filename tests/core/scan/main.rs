//! The scanner finds exactly the tokens of a text, and the redactor hides exactly their secrets.

mod found;
mod redaction;
mod reference;
mod streams;

use common::{Random, render};

/// Returns a token with this prefix. Its id and secret are random.
fn token(prefix: &str, random: &Random) -> String {
    render(prefix, &random.symbols(16), &random.symbols(32))
}

/// Returns a token as it is shown after redaction.
fn redacted(token: &str) -> String {
    format!("{}[redacted]", &token[..token.len() - 38])
}

/// The checksum of these letters is the one of no letters, so a token after them has two prefixes that
/// its checksum fits.
const COLLIDING: &str = "bqpgceht";

/// Returns a token whose last characters are the beginning of the prefix of the next one.
fn overlapping(random: &Random) -> (String, String) {
    // The check of few bodies ends in lower-case letters.
    let ends_in_letters =
        |token: &String| token[token.len() - 2..].bytes().all(|byte| byte.is_ascii_lowercase());
    let mut tries = (0..10_000).map(|_| token("key", random));
    let first = tries.find(ends_in_letters).expect("a check that ends in two letters");
    let second = token(&format!("{}_live", &first[first.len() - 2..]), random);
    (first, second)
}
