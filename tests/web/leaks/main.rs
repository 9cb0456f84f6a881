//! Only the call that generates a token shows its secret: no `Debug`, error, listing, event, JSON
//! or file does. No public output contains a digest either.

mod errors;
mod lifecycle;
mod trace;
mod types;
mod web;

use std::any::type_name;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Write};

use serde::Serialize;

/// All recorded output with its origin, and the names of the types that produced it.
#[derive(Default)]
struct Heard {
    said: Vec<(String, String)>,
    types: BTreeSet<String>,
}

impl Heard {
    /// Records a value's `Debug`, on one line and on many.
    fn debug<T: Debug>(&mut self, value: &T) {
        let from = type_name::<T>();
        self.types.extend(type_names(from));
        self.said.push((format!("{from} {{:?}}"), format!("{value:?}")));
        self.said.push((format!("{from} {{:#?}}"), format!("{value:#?}")));
    }

    /// Records a value's `Debug` and its JSON.
    fn json<T: Debug + Serialize>(&mut self, value: &T) {
        self.debug(value);
        let json = serde_json::to_string(value).expect("the state serializes");
        self.said.push((format!("{} as JSON", type_name::<T>()), json));
    }

    /// Records an error and its sources.
    fn error<T: Error>(&mut self, error: &T) {
        self.debug(error);
        let mut source: Option<&dyn Error> = Some(error);
        while let Some(error) = source {
            self.said.push((format!("{} and its sources", type_name::<T>()), error.to_string()));
            self.said.push((format!("{} and its sources", type_name::<T>()), format!("{error:?}")));
            source = error.source();
        }
    }

    /// Returns the places that contain a needle.
    fn leaks(&self, needles: &[Needle]) -> Vec<String> {
        let mut leaks = BTreeSet::new();
        for (from, text) in &self.said {
            for needle in needles.iter().filter(|needle| text.contains(&needle.text)) {
                leaks.insert(format!("{from} prints the {}", needle.what));
            }
        }
        leaks.into_iter().collect()
    }

    #[track_caller]
    fn assert_silent_about(&self, needles: &[Needle]) {
        let leaks = self.leaks(needles);
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }
}

/// Returns the names in the full name of a type: `keywright::Outcome<keywright::Key>` has two.
fn type_names(full: &str) -> impl Iterator<Item = String> {
    let words = full.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned)
}

/// A secret in one of the forms in which it could leak.
struct Needle {
    what: String,
    text: String,
}

fn needle(what: impl Into<String>, text: impl Into<String>) -> Needle {
    let text = text.into();
    assert!(text.len() >= 8, "too short to tell anything: {text}");
    Needle { what: what.into(), text }
}

/// Returns a secret raw, in halves, in hex, in base64, and as a list of bytes.
fn needles_of(what: &str, secret: &[u8]) -> Vec<Needle> {
    let mut needles = forms(what, secret);
    let (first, second) = secret.split_at(secret.len() / 2);
    needles.extend(forms(&format!("first half of the {what}"), first));
    needles.extend(forms(&format!("second half of the {what}"), second));
    needles
}

fn forms(what: &str, secret: &[u8]) -> Vec<Needle> {
    let mut found = vec![
        needle(format!("{what} in hex"), hex(secret)),
        needle(format!("{what} in capital hex"), hex(secret).to_uppercase()),
        needle(format!("{what} as bytes"), decimal(secret)),
    ];
    // The base64 of a text depends on its offset in the whole, modulo three.
    for offset in 0..3 {
        let shifted = [&vec![0; offset], secret].concat();
        let encoded = base64(&shifted);
        // The first and last symbols also encode bits of the neighboring bytes.
        let inner = &encoded[4..encoded.len() - 4];
        found.push(needle(format!("{what} in base64"), inner));
        found.push(needle(
            format!("{what} in base64url"),
            inner.replace('+', "-").replace('/', "_"),
        ));
    }
    if let Ok(text) = std::str::from_utf8(secret)
        && !text.contains('\0')
    {
        found.push(needle(what, text));
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes everything");
        hex
    })
}

/// Formats bytes as `Debug` prints the inside of a list.
fn decimal(bytes: &[u8]) -> String {
    format!("{bytes:?}").trim_matches(['[', ']']).to_owned()
}

fn base64(bytes: &[u8]) -> String {
    let symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain(&[0, 0]).take(3).fold(0, |word, b| word << 8 | u32::from(*b));
        for place in 0..=chunk.len() {
            let sextet = word >> (18 - 6 * place) & 63;
            out.push(char::from(symbols[sextet as usize]));
        }
    }
    out
}

#[test]
fn search_finds_secrets_in_every_form() {
    assert_eq!(base64(b"Many hands"), "TWFueSBoYW5kcw");
    assert_eq!(decimal(b"ab"), "97, 98");
    let secret = b"bIXXhldbI6cIXWasMZFvguCEfdPNlwWd";
    let needles = needles_of("secret", secret);
    let texts = [
        "..bIXXhldbI6cIXWasMZFvguCEfdPNlwWd..".to_owned(),
        "..bIXXhldbI6cIXWas".to_owned(),
        "MZFvguCEfdPNlwWd..".to_owned(),
        hex(secret),
        hex(secret).to_uppercase(),
        format!("{secret:?}"),
        format!("{:?}", &secret[16..]),
        base64(secret),
        base64(&[b"a", secret.as_slice(), b"check"].concat()),
        base64(&[b"ab", secret.as_slice(), b"check"].concat()),
    ];
    for text in texts {
        let heard = Heard { said: vec![("it".to_owned(), text.clone())], ..Heard::default() };
        assert!(!heard.leaks(&needles).is_empty(), "{text}");
    }
    let heard =
        Heard { said: vec![("it".to_owned(), "LoxuKd10XAawNUQ7".to_owned())], ..Heard::default() };
    heard.assert_silent_about(&needles);
}
