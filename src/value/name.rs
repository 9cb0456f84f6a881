//! Names that people give to keys and accounts, and the rules that keep them harmless.
//!
//! A name is shown in listings, logs and mails, so it is one line of visible text that cannot
//! reorder or hide what stands beside it. A name that looks like an e-mail address or a token is
//! always refused: the first is personal data in every log, the second a secret on display.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

use crate::value::redact::looks_like_token;
use crate::value::text::serde_as_text;

/// The name of a key or an account: 1 to 100 visible characters on one line.
///
/// A name is kept in Unicode's normalization form NFC, so one that looks the same is the same,
/// however its accents were typed.
///
/// ```
/// use keywright::{Name, NameError};
///
/// assert_eq!(Name::new("prod-main-app")?.as_str(), "prod-main-app");
/// assert!(matches!(Name::new("bob@example.com"), Err(NameError::LooksLikeEmail)));
/// # Ok::<(), NameError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(Arc<str>);

/// Why a text is not a [`Name`]. No message repeats the text: it may be a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty, or white space alone.
    #[error("the name is empty")]
    Empty,
    /// Longer than [`Name::MAX_CHARS`] characters.
    #[error("the name has {0} characters, at most {max} are possible", max = Name::MAX_CHARS)]
    TooLong(usize),
    /// White space at its beginning or end.
    #[error("the name begins or ends with white space")]
    OuterSpace,
    /// A control character, such as a line break or an escape.
    #[error("the name has a control character ({0:?})")]
    Control(char),
    /// A character that is not seen, formats other characters, or changes the direction of the text.
    #[error("the name has a character that is invisible or turns the text ({0:?})")]
    Invisible(char),
    /// Text around an `@`.
    #[error("the name looks like an e-mail address: name the purpose, not a person")]
    LooksLikeEmail,
    /// A long run of letters and digits.
    #[error("the name looks like a token: a name is shown to many, a token to nobody")]
    LooksLikeToken,
    /// Not `environment-purpose`, which the tenant's policy requires.
    #[error(
        "the name does not follow the pattern environment-purpose ({environments}), as in {example}"
    )]
    Pattern {
        /// The environments that are possible, separated by commas.
        environments: String,
        /// A name that would do.
        example: String,
    },
}

impl Name {
    /// The longest name, in characters (Unicode scalar values).
    pub const MAX_CHARS: usize = 100;

    /// Takes a name.
    ///
    /// # Errors
    /// [`NameError`], by what is wrong.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        text.as_ref().parse()
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.trim().is_empty() {
            return Err(NameError::Empty);
        }
        // Four characters at the most are composed into one: a longer text need not be composed.
        let given = text.chars().count();
        if given > 4 * Self::MAX_CHARS {
            return Err(NameError::TooLong(given));
        }
        let text = &*composed(text);
        let chars = text.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(NameError::TooLong(chars));
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(NameError::Control(c));
        }
        if let Some(c) = text.chars().find(|c| is_invisible(*c)) {
            return Err(NameError::Invisible(c));
        }
        if text.trim() != text {
            return Err(NameError::OuterSpace);
        }
        if looks_like_email(text) {
            return Err(NameError::LooksLikeEmail);
        }
        // In full width, say, a token is one still: NFKC shows what it stands for.
        let shown = || text.nfkc().collect::<String>();
        if looks_like_token(text) || !text.is_ascii() && looks_like_token(&shown()) {
            return Err(NameError::LooksLikeToken);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.as_str())
    }
}

/// A tenant's rule that names say environment and purpose: `prod-main-app`, `staging-api`.
///
/// The environment is one of a list, the purpose one or more words of `a-z0-9`, joined by hyphens.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamePattern {
    /// The environments that a name may begin with.
    pub environments: Vec<String>,
}

impl Default for NamePattern {
    /// Returns `prod`, `staging`, `test`, `dev`: the four that most teams have.
    fn default() -> Self {
        let environments = ["prod", "staging", "test", "dev"].map(str::to_owned);
        Self { environments: environments.into() }
    }
}

impl NamePattern {
    /// Checks whether `name` follows the pattern.
    ///
    /// # Errors
    /// [`NameError::Pattern`], with a name that would do.
    pub fn check(&self, name: &Name) -> Result<(), NameError> {
        let word = |w: &str| {
            !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let follows = self.environments.iter().any(|environment| {
            name.as_str()
                .strip_prefix(environment.as_str())
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|purpose| purpose.split('-').all(word))
        });
        if follows {
            return Ok(());
        }
        let first = self.environments.first().map_or("prod", String::as_str);
        Err(NameError::Pattern {
            environments: self.environments.join(", "),
            example: format!("{first}-main-app"),
        })
    }
}

/// Returns a text in the normalization form NFC (Unicode Standard Annex 15), as names are kept.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// Returns whether a character hides in a line or reorders it. From Unicode 18: the property
/// `Default_Ignorable_Code_Point`, the general categories Cf (bidirectional and other format
/// controls), Zl and Zp (separators of lines and paragraphs), and the noncharacters. In addition
/// the blank of Braille, which has no dots to see.
fn is_invisible(c: char) -> bool {
    let is_noncharacter = u32::from(c) & 0xFFFE == 0xFFFE;
    is_noncharacter
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{0600}'..='\u{0605}' | '\u{061C}' | '\u{06DD}'
            | '\u{070F}' | '\u{0890}' | '\u{0891}' | '\u{08E2}' | '\u{115F}' | '\u{1160}'
            | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Returns whether there is something on both sides of an at-sign.
fn looks_like_email(text: &str) -> bool {
    text.split_whitespace().any(|word| word.trim_matches(is_at_sign).contains(is_at_sign))
}

/// Returns whether a character is `@`, or an `@` of another width or size (by its compatibility
/// decomposition).
fn is_at_sign(c: char) -> bool {
    let mut found = false;
    decompose_compatible(c, |part| found |= part == '@');
    found
}

serde_as_text!(Name);
