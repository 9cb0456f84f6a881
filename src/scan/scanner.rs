//! The scanner, and the tokens that it finds.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;
use std::sync::Arc;

use super::places::{Place, Places};
use crate::value::token::{MAX_TOKEN_LEN, Prefix, Token, display_prefix};

/// Finds tokens in texts, by their grammar and their checksum.
///
/// A text that only looks like a token is found by chance once in 4 billion. The search takes
/// memory for the found tokens only, and time in proportion to the text, also for a hostile one.
///
/// * **Neighbors do not matter.** A token is found in quotes, in a URL, after `=`, and inside a longer
///   word, such as `xacme_live_...`. Another token can follow it directly.
/// * **The longest prefix counts**, if the checksum fits more than one. The text before a token can be
///   made up so that this is another prefix than that of the key. To be safe from such a text, name
///   [your prefixes](Self::prefixes).
/// * **A changed token is not found:** one with a missing character, with a line break in it, or in
///   another encoding, such as Base64 or UTF-16.
/// * **A key id and a key secret** that are apart have no form of their own, and are not found.
///
/// ```
/// use keywright::Prefix;
/// use keywright::scan::Scanner;
///
/// let scanner = Scanner::new().prefixes([Prefix::new("acme_live")?, Prefix::new("acme_test")?]);
/// assert_eq!(scanner.find("no token here").count(), 0);
/// # Ok::<(), keywright::PrefixError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// The prefixes to find; any prefix if there are none.
    prefixes: Arc<[Prefix]>,
}

impl Scanner {
    /// Creates a scanner for tokens with any prefix.
    ///
    /// ```
    /// use keywright::scan::Scanner;
    ///
    /// assert!(Scanner::new().find("key_but_not_a_token").next().is_none());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the prefixes to find; without any, tokens with every prefix are found.
    ///
    /// ```
    /// use keywright::Prefix;
    /// use keywright::scan::Scanner;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let builder = Keywright::builder(MemoryStore::new()).default_policy(policy);
    /// # let keywright = builder.prefix(Prefix::new("acme_test")?).build()?;
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = keywright.authority().generate(&alice, new).await?;
    /// # let token_of_a_test = issued.token.expose();
    /// let production = Scanner::new().prefixes([Prefix::new("acme_live")?]);
    /// assert_eq!(production.find(token_of_a_test).count(), 0);
    /// assert_eq!(Scanner::new().find(token_of_a_test).count(), 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn prefixes(self, prefixes: impl IntoIterator<Item = Prefix>) -> Self {
        Self { prefixes: prefixes.into_iter().collect() }
    }

    /// Finds the tokens in a text, in the order of their ends.
    ///
    /// For a text that comes in pieces, see [`Scanner::stream`] and [`Scanner::read`].
    ///
    /// ```
    /// use keywright::Credential;
    /// use keywright::scan::Scanner;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let verifier = keywright.verifier();
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = keywright.authority().generate(&alice, new).await?;
    /// # let posted = format!("my script: curl -H 'X-API-Key: {}'", issued.token.expose());
    /// for found in Scanner::new().find(&posted) {
    ///     verifier.revoke(Credential::Token(found.token.expose())).await?;
    /// }
    /// # assert!(verifier.verify(issued.token.expose()).await.is_err());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn find<'t>(&'t self, text: &'t (impl AsRef<[u8]> + ?Sized)) -> Matches<'t> {
        self.ending_after(0, text.as_ref(), 0)
    }

    /// Returns the token if a text is one, and `None` otherwise, without a store.
    ///
    /// The text must be the whole token, with nothing before or after it. A real token of a key that
    /// was deleted is still a token, so this is not a check of the key.
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
    /// # let text = issued.token.expose();
    /// let found = Scanner::new().recognize(text);
    /// assert_eq!(found.map(|found| found.token.key_id()), Some(issued.key.id));
    /// assert!(Scanner::new().recognize("key_of_my_own_making").is_none());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn recognize(&self, text: impl AsRef<[u8]>) -> Option<Found> {
        let text = text.as_ref();
        let is_long = text.len() > MAX_TOKEN_LEN;
        let is_whole = |found: &Found| found.range == (0..position(text.len()));
        (!is_long).then(|| self.find(text).find(is_whole))?
    }

    /// Finds the tokens that end after the byte `end` of a text. The text begins at `offset` in its
    /// stream.
    pub(super) fn ending_after<'t>(
        &'t self,
        end: usize,
        text: &'t [u8],
        offset: u64,
    ) -> Matches<'t> {
        Matches { places: self.places(end, text), text, offset }
    }

    /// Finds the places of the tokens that end after the byte `end` of a text.
    pub(super) fn places<'t>(&'t self, end: usize, text: &'t [u8]) -> Places<'t> {
        Places::ending_after(end, text, &self.prefixes)
    }
}

/// A token that a [`Scanner`] found.
///
/// `Debug` shows no part of the secret.
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
/// # let line = format!("key={}", issued.token.expose());
/// for found in Scanner::new().find(&line) {
///     assert_eq!(found.display_prefix(), issued.key.display_prefix());
///     assert!(!format!("{found:?}").contains(found.token.expose_key_secret()));
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// The bytes of the token in the text or in the whole stream, from 0.
    pub range: Range<u64>,
    /// The prefix of the token.
    pub prefix: Prefix,
    /// The token, which is wiped from memory on drop.
    pub token: Token,
}

impl Found {
    /// Returns the prefix and the key id, such as `acme_live_4fQ2xk9ZrT7bWm1c`.
    ///
    /// It has the form of [`Key::display_prefix`](crate::Key::display_prefix), and is safe to show.
    ///
    /// ```
    /// use keywright::scan::Found;
    ///
    /// fn report(found: &Found) -> String {
    ///     format!("{} is public: replace it", found.display_prefix())
    /// }
    /// ```
    pub fn display_prefix(&self) -> String {
        display_prefix(&self.prefix, self.token.key_id())
    }
}

/// An iterator over the tokens in a text, from [`Scanner::find`].
///
/// ```
/// use keywright::scan::Scanner;
///
/// let scanner = Scanner::new();
/// let mut matches = scanner.find("no token here");
/// assert!(matches.next().is_none());
/// ```
pub struct Matches<'t> {
    places: Places<'t>,
    text: &'t [u8],
    offset: u64,
}

impl Iterator for Matches<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let Place { token: range } = self.places.next()?;
            // Each place is that of a token, so the first one is found.
            if let Some((prefix, token)) = Token::copied(&self.text[range.clone()])
                && let Ok(prefix) = Prefix::new(prefix)
            {
                let in_stream = |place: usize| self.offset + position(place);
                let range = in_stream(range.start)..in_stream(range.end);
                return Some(Found { range, prefix, token });
            }
        }
    }
}

impl FusedIterator for Matches<'_> {}

impl fmt::Debug for Matches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matches(..)")
    }
}

/// Returns a place in a text as a place in a stream.
pub(super) fn position(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}
