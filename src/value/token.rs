//! The text form of tokens: rendering, parsing and the checksum.
//!
//! ```text
//! acme_live _ 4fQ2xk9ZrT7bWm1c 8PzAq0LdVh3sKyNeJ5uGiXo6RtBwYfMC XXXXXX     (without the spaces)
//! prefix      id (16)          secret (32)                      check (6)
//! ```
//!
//! A token has one spelling. Any other text is malformed, and is rejected without a look-up in the
//! store and without an allocation. The check is the CRC-32 (IEEE 802.3) of everything before it,
//! written as six base62 symbols. It finds typing errors and keeps look-alikes away from the store.
//! It adds no security; the 190 bits of the secret do.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::value::base62;
use crate::value::id::KeyId;
use crate::value::random::{Random, RandomError};
use crate::value::redact::redact;
use crate::value::secret::Secret;
use crate::value::text::serde_as_text;

const SECRET_LEN: usize = 32;
const CHECK_LEN: usize = 6;
/// The length of id and secret.
pub(crate) const RANDOM_LEN: usize = KeyId::LEN + SECRET_LEN;
/// The length of secret and check, which a text about a token must not repeat.
pub(crate) const KEY_SECRET_LEN: usize = SECRET_LEN + CHECK_LEN;
/// The length of id, secret and check, which follow the last underscore of a token.
pub(crate) const BODY_LEN: usize = RANDOM_LEN + CHECK_LEN;
/// The maximum length of a token.
pub(crate) const MAX_TOKEN_LEN: usize = Prefix::MAX_LEN + 1 + BODY_LEN;

/// The first part of a token, such as `acme_live`.
///
/// The host chooses it. It usually names the product and the environment.
///
/// A prefix has 1 to 32 characters of `a-z 0-9 _`. It starts with a letter, and each underscore is
/// followed by a letter or digit. The prefix is stored with each key, and a token is accepted only
/// with the prefix of its key.
///
/// ```
/// use keywright::Prefix;
///
/// let prefix = Prefix::new("acme_live")?;
/// assert_eq!(prefix.as_str(), "acme_live");
/// assert!(Prefix::new("acme__live").is_err());
/// # Ok::<(), keywright::PrefixError>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Prefix(
    /// The text, which clones share. Many keys have the same prefix, and each holds it twice, so it is
    /// one word and not two.
    Arc<String>,
);

/// A text that is not a [`Prefix`].
///
/// ```
/// use keywright::Prefix;
///
/// let error = Prefix::new("Acme").err().map(|error| error.to_string());
/// assert!(error.is_some_and(|text| text.contains("\"Acme\" is not a token prefix")));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a token prefix: expected 1 to 32 of a-z 0-9 _ such as acme_live")]
pub struct PrefixError(String);

impl Prefix {
    /// The maximum length of a prefix, in bytes.
    pub const MAX_LEN: usize = 32;

    /// Creates a prefix from text.
    ///
    /// ```
    /// use keywright::Prefix;
    ///
    /// assert_eq!(Prefix::new("acme_test")?.to_string(), "acme_test");
    /// # Ok::<(), keywright::PrefixError>(())
    /// ```
    ///
    /// # Errors
    /// [`PrefixError`] unless the text matches `[a-z][a-z0-9]*(_[a-z0-9]+)*` and has at most 32
    /// characters.
    pub fn new(text: impl AsRef<str>) -> Result<Self, PrefixError> {
        text.as_ref().parse()
    }

    /// Returns the prefix as text.
    ///
    /// ```
    /// use keywright::Prefix;
    ///
    /// assert_eq!(Prefix::new("acme_live")?.as_str(), "acme_live");
    /// # Ok::<(), keywright::PrefixError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn accepts(text: &[u8]) -> bool {
        let [first, rest @ ..] = text else { return false };
        let mut after_underscore = false;
        for byte in rest {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' => after_underscore = false,
                b'_' if !after_underscore => after_underscore = true,
                _ => return false,
            }
        }
        first.is_ascii_lowercase() && !after_underscore && text.len() <= Self::MAX_LEN
    }
}

impl Default for Prefix {
    /// Returns `key`, the prefix of a host that chooses none.
    fn default() -> Self {
        Self(Arc::new("key".to_owned()))
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        if !Self::accepts(text.as_bytes()) {
            return Err(PrefixError(redact(text)));
        }
        Ok(Self(Arc::new(text.to_owned())))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({})", self.0)
    }
}

/// A token: the text that a client sends to authenticate.
///
/// A token is newly generated, or was [found in a text](crate::scan). Only the token contains the
/// secret; a store keeps only a digest of the secret. A token cannot be cloned, compared, printed or serialized, and it is wiped from memory on drop.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// let token = issued.token;
/// assert_eq!(token.key_id(), issued.key.id);
/// println!("Store this token now. It is not shown again: {}", token.expose());
/// println!("In two parts, it is {} and {}.", token.key_id(), token.expose_key_secret());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// These do not compile:
///
/// ```compile_fail
/// fn copy(token: &keywright::Token) -> keywright::Token { token.clone() }
/// ```
/// ```compile_fail
/// fn print(token: keywright::Token) { println!("{token}") }
/// ```
/// ```compile_fail
/// fn send(token: &keywright::Token) -> serde_json::Result<String> { serde_json::to_string(token) }
/// ```
/// ```compile_fail
/// fn compare(a: keywright::Token, b: keywright::Token) -> bool { a == b }
/// ```
///
/// See [Tokens](crate::guide::tokens) and [How to build a page for key ids and key
/// secrets](crate::guide::key_id_and_secret) in the guide.
#[derive(Debug)]
pub struct Token {
    key_id: KeyId,
    text: Secret,
}

impl Token {
    /// Copies a token from a text. Returns `None` if the whole text is not a token.
    pub(crate) fn copied(text: &[u8]) -> Option<(&str, Self)> {
        let key_id = Presented::id_of_token(text)?;
        let text = std::str::from_utf8(text).ok()?;
        let (prefix, _) = text.split_at_checked(text.len().checked_sub(1 + BODY_LEN)?)?;
        Some((prefix, Self { key_id, text: Secret::new(text.to_owned()) }))
    }

    /// Returns the whole token as text, as a client presents it.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let text = issued.token.expose();
    /// assert!(text.starts_with("key_"));
    /// assert!(verifier.verify(text).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns the key id, which is the user name for HTTP Basic.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// assert_eq!(issued.token.key_id(), issued.key.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Returns the key secret, which is the password for HTTP Basic.
    ///
    /// It is the last 38 characters of the token: 32 random characters and 6 of a checksum.
    ///
    /// ```
    /// use keywright::AccessRequest;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    /// # let issued = authority.generate(&alice, new).await?;
    /// let (id, secret) = (issued.token.key_id(), issued.token.expose_key_secret());
    /// let request = AccessRequest::parts(id.as_str(), secret);
    /// assert!(verifier.verify_request(&request).await.is_ok());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn expose_key_secret(&self) -> &str {
        let text = self.text.expose();
        &text[text.len() - KEY_SECRET_LEN..]
    }
}

/// A newly drawn secret, before it becomes part of a [`Token`].
pub(crate) struct FreshSecret(Zeroizing<[u8; SECRET_LEN]>);

impl FreshSecret {
    pub(crate) fn generate(random: &Random) -> Result<Self, RandomError> {
        let mut secret = Zeroizing::new([0; SECRET_LEN]);
        base62::fill(random, secret.as_mut_slice())?;
        Ok(Self(secret))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    pub(crate) fn into_token(self, prefix: &Prefix, key_id: KeyId) -> Token {
        let mut text = String::with_capacity(prefix.0.len() + 1 + BODY_LEN);
        text.push_str(&prefix.0);
        text.push('_');
        text.push_str(key_id.as_str());
        text.extend(self.0.iter().map(|byte| char::from(*byte)));
        let check = base62::six(crc32fast::hash(text.as_bytes()));
        text.extend(check.iter().map(|byte| char::from(*byte)));
        Token { key_id, text: Secret::new(text) }
    }
}

/// The credential of a request: a whole token, or its key id and key secret.
///
/// `Debug` shows no part of it.
///
/// ```
/// use keywright::Credential;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = authority.generate(&alice, new).await?;
/// let credential = Credential::Token(issued.token.expose());
/// verifier.revoke(credential).await?;
/// assert_eq!(format!("{credential:?}"), "Token(..)");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The whole token.
    Token(&'a str),
    /// The two parts of a token. Both are needed.
    Parts {
        /// The 16 characters of the key id.
        key_id: &'a str,
        /// The 38 characters after the key id in the token: 32 random characters and 6 of a
        /// checksum.
        key_secret: &'a str,
    },
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token(..)"),
            Self::Parts { .. } => f.write_str("Parts(..)"),
        }
    }
}

/// A well-formed credential, split into its parts in place.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) key_id: KeyId,
    pub(crate) secret: &'a [u8; SECRET_LEN],
    binding: Binding<'a>,
}

/// The part of a credential that ties its secret to the prefix of the key.
#[derive(Clone, Copy)]
enum Binding<'a> {
    /// The prefix of the setup. The check has been confirmed.
    Usual(&'a Prefix),
    /// Another prefix. The check has been confirmed.
    Prefix(&'a [u8]),
    /// The check, which covers a prefix that the client did not present.
    Check(&'a [u8; CHECK_LEN]),
}

/// The beginning of most tokens that a setup is shown, with the state of their checksum after it.
///
/// A token that begins otherwise takes the same result from a few more steps.
#[derive(Clone, Debug)]
pub(crate) struct UsualPrefix {
    prefix: Prefix,
    checksum: crc32fast::Hasher,
}

impl UsualPrefix {
    pub(crate) fn new(prefix: Prefix) -> Self {
        Self { checksum: checksum_of(prefix.0.as_bytes()), prefix }
    }
}

/// Returns the part of a token that is safe to show.
pub(crate) fn display_prefix(prefix: &Prefix, key_id: KeyId) -> String {
    [prefix.as_str(), "_", key_id.as_str()].concat()
}

/// Returns the state of the checksum after a prefix and its underscore.
fn checksum_of(prefix: &[u8]) -> crc32fast::Hasher {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(prefix);
    checksum.update(b"_");
    checksum
}

/// Returns whether `check` is the checksum of a prefix, an id and a secret. `checksum` has the prefix.
#[inline]
fn confirms(
    check: [u8; CHECK_LEN],
    mut checksum: crc32fast::Hasher,
    random: &[u8; RANDOM_LEN],
) -> bool {
    checksum.update(random);
    base62::value_of_six(check) == Some(checksum.finalize().into())
}

impl<'a> Presented<'a> {
    /// Splits a credential into its parts. Returns `None` if it is malformed.
    pub(crate) fn parse(credential: Credential<'a>, usual: &'a UsualPrefix) -> Option<Self> {
        match credential {
            Credential::Token(text) => Self::parse_token(text.as_bytes(), usual),
            Credential::Parts { key_id, key_secret } => {
                let key_id = KeyId::from_bytes(key_id.as_bytes().try_into().ok()?)?;
                let (secret, check) = key_secret.as_bytes().split_first_chunk()?;
                let check = check.try_into().ok()?;
                let binding = Binding::Check(check);
                base62::is_base62(key_secret.as_bytes()).then_some(Self { key_id, secret, binding })
            }
        }
    }

    /// Returns whether a text is a token of any prefix.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_token(text: &'a str) -> bool {
        Self::id_of_token(text.as_bytes()).is_some()
    }

    /// Returns the key id of a token of any prefix. Returns `None` if the whole text is not a token.
    pub(crate) fn id_of_token(text: &'a [u8]) -> Option<KeyId> {
        let (prefix, random, check) = Self::split_token(text)?;
        let is_token = Prefix::accepts(prefix)
            && base62::is_base62(random)
            && confirms(*check, checksum_of(prefix), random);
        let (id, _) = random.split_first_chunk()?;
        is_token.then(|| KeyId::from_base62(*id))
    }

    fn parse_token(text: &'a [u8], usual: &'a UsualPrefix) -> Option<Self> {
        let (prefix, random, check) = Self::split_token(text)?;
        let (checksum, binding) = if prefix == usual.prefix.0.as_bytes() {
            (usual.checksum.clone(), Binding::Usual(&usual.prefix))
        } else if Prefix::accepts(prefix) {
            (checksum_of(prefix), Binding::Prefix(prefix))
        } else {
            return None;
        };
        if !base62::is_base62(random) || !confirms(*check, checksum, random) {
            return None;
        }
        let (id, secret) = random.split_first_chunk()?;
        let key_id = KeyId::from_base62(*id);
        Some(Self { key_id, secret: secret.try_into().ok()?, binding })
    }

    /// Splits a text by lengths alone: into what may be a prefix, an id with a secret, and a check.
    fn split_token(
        text: &'a [u8],
    ) -> Option<(&'a [u8], &'a [u8; RANDOM_LEN], &'a [u8; CHECK_LEN])> {
        if text.len() > MAX_TOKEN_LEN {
            return None;
        }
        let (head, check) = text.split_last_chunk()?;
        let (head, random) = head.split_last_chunk()?;
        Some((head.strip_suffix(b"_")?, random, check))
    }

    /// Returns whether the credential has the prefix of the setup, and the text of `prefix` is that
    /// text, as with the keys that the setup has generated. It reads neither.
    pub(crate) fn shares_prefix(&self, prefix: &Prefix) -> bool {
        matches!(self.binding, Binding::Usual(usual) if Arc::ptr_eq(&usual.0, &prefix.0))
    }

    /// Returns whether the credential was generated under `prefix`.
    pub(crate) fn is_bound_to(&self, prefix: &Prefix) -> bool {
        match self.binding {
            Binding::Usual(usual) => usual.0.as_bytes() == prefix.0.as_bytes(),
            Binding::Prefix(presented) => presented == prefix.0.as_bytes(),
            Binding::Check(check) => {
                let mut random = [0; RANDOM_LEN];
                random[..KeyId::LEN].copy_from_slice(self.key_id.as_bytes());
                random[KeyId::LEN..].copy_from_slice(self.secret);
                confirms(*check, checksum_of(prefix.0.as_bytes()), &random)
            }
        }
    }
}

serde_as_text!(Prefix);
