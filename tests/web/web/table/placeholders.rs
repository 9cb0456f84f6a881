//! The placeholders of a row: tokens, bytes that are not text, and Base64.

use std::fmt::Write as _;

use crate::site::Site;

const STANDARD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Replaces the placeholders in braces:
///
/// | placeholder | replacement |
/// |---|---|
/// | `good`, `good.id`, `good.secret` | the token of this name, or a half of it |
/// | `percent good` | the token, each symbol percent-encoded |
/// | `upper good` | the token in upper case |
/// | `0xFF` | this byte |
/// | `8192 x` | the character, repeated |
/// | `base64 good.id\|:\|good.secret` | Base64 of these parts, each a token as above or itself |
/// | `base64url ...`, `base64raw ...` | the same in the URL-safe alphabet, or without padding |
pub(crate) fn filled(template: &str, site: &Site) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.extend(before.bytes());
        let (word, after) = after.split_once('}').expect("a brace is closed");
        out.extend(meaning(word, site));
        rest = after;
    }
    out.extend(rest.bytes());
    out
}

fn meaning(word: &str, site: &Site) -> Vec<u8> {
    if let Some(hex) = word.strip_prefix("0x") {
        return vec![u8::from_str_radix(hex, 16).expect("a byte")];
    }
    let Some((verb, rest)) = word.split_once(' ') else {
        return part(word, site).expect("a token's name").to_vec();
    };
    let parts = || rest.split('|').flat_map(|text| part(text, site).unwrap_or(text.as_bytes()));
    let whole = || -> Vec<u8> { parts().copied().collect() };
    match verb {
        "percent" => whole().iter().fold(String::new(), |mut out, byte| {
            write!(out, "%{byte:02X}").expect("a string takes everything");
            out
        }),
        "upper" => String::from_utf8(whole()).expect("a token is text").to_uppercase(),
        "base64" => base64(&whole(), STANDARD),
        "base64url" => base64(&whole(), URL_SAFE),
        "base64raw" => base64(&whole(), STANDARD).trim_end_matches('=').to_owned(),
        count => rest.repeat(count.parse().expect("a number or a verb")),
    }
    .into_bytes()
}

fn part<'s>(name: &str, site: &'s Site) -> Option<&'s [u8]> {
    site.text(name).map(str::as_bytes)
}

/// Encodes Base64 by RFC 4648 section 4 with padding, independently of the crate.
pub(crate) fn base64(bytes: &[u8], alphabet: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let symbol = alphabet[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > chunk.len() { '=' } else { char::from(symbol) });
        }
    }
    out
}

/// Returns `Basic` credentials in the standard alphabet.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes(), STANDARD))
}

#[test]
fn base64_follows_the_standard_vectors() {
    let table = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
    for (text, encoded) in table {
        assert_eq!(base64(text.as_bytes(), STANDARD), encoded);
    }
    assert_eq!(base64(&[0xFB, 0xFF], URL_SAFE), "-_8=");
}
