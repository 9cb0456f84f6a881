//! Renders the tokens that clients present, intact or damaged.

use keywright::Credential;

use super::{PREFIX, Real};
use crate::plain::{Damage, Presented};

/// Length of the key secret at the end of a token.
const KEY_SECRET: usize = 38;

pub(super) enum Text {
    Whole(String),
    Parts(String, String),
}

impl Text {
    pub(super) fn credential(&self) -> Credential<'_> {
        match self {
            Self::Whole(token) => Credential::Token(token),
            Self::Parts(key_id, key_secret) => Credential::Parts { key_id, key_secret },
        }
    }
}

impl Real {
    /// Returns the text that a client presents.
    pub(super) fn text(&self, presented: &Presented) -> Text {
        let id = &presented.key;
        let known = self.tokens.get(&(id.clone(), presented.secret)).cloned();
        let token = known.unwrap_or_else(|| render(PREFIX, id, &"0".repeat(32)));
        let secret = token[token.len() - KEY_SECRET..token.len() - 6].to_owned();
        let mut token = match presented.damage {
            Damage::None | Damage::Truncated(_) => token,
            Damage::WrongSecret => render(PREFIX, id, &"X".repeat(32)),
            Damage::OtherPrefix => render("acme_test", id, &secret),
            Damage::WrongCheck => {
                let last = if token.ends_with('0') { "1" } else { "0" };
                token[..token.len() - 1].to_owned() + last
            }
        };
        if let Damage::Truncated(missing) = presented.damage {
            token.truncate(token.len() - missing);
        }
        if !presented.in_two_parts {
            return Text::Whole(token);
        }
        let secret = token.split_off(PREFIX.len() + 1 + id.len());
        Text::Parts(id.clone(), secret)
    }
}

/// Renders a token as the guide describes it, with the right checksum.
fn render(prefix: &str, id: &str, secret: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let covered = format!("{prefix}_{id}{secret}");
    let mut rest = crc32fast::hash(covered.as_bytes()) as usize;
    let mut check = Vec::new();
    for _ in 0..6 {
        check.insert(0, char::from(ALPHABET[rest % 62]));
        rest /= 62;
    }
    covered + &check.into_iter().collect::<String>()
}
