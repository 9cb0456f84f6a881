//! Texts without the secrets of their tokens.

use std::borrow::Cow;
use std::ops::Range;

use super::scanner::Scanner;

/// The text in place of a secret. A bracket is no part of a token, so the rest makes no other one.
const REDACTED: &str = "[redacted]";

impl Scanner {
    /// Replaces the secret of each token in a text, and keeps its prefix and key id.
    ///
    /// An operator can still find the key, and revoke it. The text is borrowed if it has no token. A
    /// key id of 16 characters and `[redacted]` are left, as in `acme_live_4fQ2xk9ZrT7bWm1c[redacted]`.
    ///
    /// ```
    /// use keywright::scan::Scanner;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = keywright.authority().generate(&alice, new).await?;
    /// # let token = issued.token.expose();
    /// let text = format!("cannot parse {token}");
    /// let shown = issued.key.display_prefix();
    /// assert_eq!(Scanner::new().redact(&text), format!("cannot parse {shown}[redacted]"));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut redacted = String::new();
        let mut rest = 0;
        for place in self.places(0, text.as_bytes()) {
            let secret = place.key_secret();
            redacted.push_str(&text[rest..secret.start]);
            redacted.push_str(REDACTED);
            rest = secret.end;
        }
        if rest == 0 {
            return Cow::Borrowed(text);
        }
        redacted.push_str(&text[rest..]);
        Cow::Owned(redacted)
    }

    /// Replaces the secret of each token in bytes, like [`Scanner::redact`].
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use keywright::scan::Scanner;
    ///
    /// let body = b"no token, and not UTF-8: \xFF";
    /// assert!(matches!(Scanner::new().redact_bytes(body), Cow::Borrowed(_)));
    /// ```
    pub fn redact_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut redacted = Vec::new();
        let rest = self.redact_into(&mut redacted, text, 0..0);
        if rest == 0 {
            return Cow::Borrowed(text);
        }
        redacted.extend_from_slice(&text[rest..]);
        Cow::Owned(redacted)
    }

    /// Adds the redacted text up to the end of its last token. Returns this end.
    ///
    /// The bytes before `past.start` were added before, and the tokens that end in `past` too.
    pub(super) fn redact_into(
        &self,
        redacted: &mut Vec<u8>,
        text: &[u8],
        past: Range<usize>,
    ) -> usize {
        self.places(past.end, text).fold(past.start, |rest, place| {
            let secret = place.key_secret();
            redacted.extend_from_slice(&text[rest..secret.start]);
            redacted.extend_from_slice(REDACTED.as_bytes());
            secret.end
        })
    }
}
