//! Names of keys and service accounts, and the rules that keep them harmless.
//!
//! Names are shown in listings, logs and mails. A name is therefore one line of visible text that
//! cannot reorder or hide the text around it. A name that looks like an e-mail address is always
//! rejected, because it would put personal data into every log. A name that looks like a token is
//! rejected too, because it would display a secret.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::decompose_compatible;

use crate::value::text::serde_as_text;
use crate::value::visible_text::{Flaw, hides_a_token, visible};

/// The name of a key or a service account: 1 to 100 visible characters or spaces on one line.
///
/// Names need not be unique.
///
/// A name is converted to Unicode's normalization form NFC. So two spellings of the same accented
/// letter give equal names.
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

/// The error for a text that is not a [`Name`], or a name that does not follow the tenant's
/// pattern.
///
/// The messages do not repeat the text, since it may be a secret.
///
/// ```
/// use keywright::{Name, NameError};
///
/// assert_eq!(Name::new(" prod"), Err(NameError::OuterSpace));
/// assert_eq!(Name::new("x".repeat(101)), Err(NameError::TooLong(101)));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty or only white space.
    #[error("the name must not be empty")]
    Empty,
    /// The text is longer than [`Name::MAX_CHARS`] characters. The value is its length.
    #[error("the name must have at most {max} characters, got {0}", max = Name::MAX_CHARS)]
    TooLong(usize),
    /// The text begins or ends with white space.
    #[error("the name must not begin or end with white space")]
    OuterSpace,
    /// The text has a control character, such as a line break or an escape.
    #[error("the name must not have control characters, got {0:?}")]
    Control(char),
    /// The text has a character that is invisible, formats other characters, or changes the text
    /// direction.
    #[error("the name must not have invisible or text-direction characters, got {0:?}")]
    Invisible(char),
    /// The text has an `@` between other characters.
    #[error("the name looks like an e-mail address: name a purpose, not a person")]
    LooksLikeEmail,
    /// The text has a run of ASCII letters and digits that could be a token: 32 characters of at
    /// least two of lower case, upper case and digits, or 20 characters of all three.
    #[error("the name looks like a token: names are shown in logs, so choose another")]
    LooksLikeToken,
    /// The name does not follow the tenant's [`NamePattern`].
    #[error(
        "the name must be at least two words of a-z 0-9 joined by hyphens{first}, such as {example}",
        first = first_word(environments)
    )]
    Pattern {
        /// The environments of which one must be the first word. If the list is empty, any word
        /// can come first.
        environments: Vec<String>,
        /// A name that follows the pattern.
        example: String,
    },
    /// No name follows both the pattern of the tenant's plan and that of its settings.
    #[error(
        "no name follows both name patterns: the plan requires {} as the first word, the settings {}; \
         change the settings",
        plan.join(" or "),
        settings.join(" or ")
    )]
    NoneFits {
        /// The environments of the plan's pattern.
        plan: Vec<String>,
        /// The environments of the settings' pattern.
        settings: Vec<String>,
    },
}

impl Name {
    /// The maximum length of a name, in characters (Unicode scalar values).
    pub const MAX_CHARS: usize = 100;

    /// Creates a name from text.
    ///
    /// ```
    /// use keywright::Name;
    ///
    /// let name = Name::new("prod-main-app")?;
    /// assert_eq!(name.to_string(), "prod-main-app");
    /// # Ok::<(), keywright::NameError>(())
    /// ```
    ///
    /// # Errors
    /// Every [`NameError`] except [`NameError::Pattern`] and [`NameError::NoneFits`], which only a
    /// tenant's policy causes.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        text.as_ref().parse()
    }

    /// Returns the name as text.
    ///
    /// ```
    /// use keywright::Name;
    ///
    /// assert_eq!(Name::new("prod-main-app")?.as_str(), "prod-main-app");
    /// # Ok::<(), keywright::NameError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = &*visible(text, Self::MAX_CHARS, |_| false).map_err(|flaw| match flaw {
            Flaw::Empty => NameError::Empty,
            Flaw::TooLong(chars) => NameError::TooLong(chars),
            Flaw::Control(found) => NameError::Control(found),
            Flaw::Invisible(found) => NameError::Invisible(found),
            Flaw::OuterSpace => NameError::OuterSpace,
        })?;
        if looks_like_email(text) {
            return Err(NameError::LooksLikeEmail);
        }
        if hides_a_token(text) {
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

/// Describes the rule for the first word of a name.
fn first_word(environments: &[String]) -> String {
    match environments {
        [] => String::new(),
        [one] => format!(", the first {one}"),
        several => format!(", the first one of {}", several.join(", ")),
    }
}

/// A tenant's rule for new names of keys: at least two words of `a-z0-9` joined by hyphens, such as
/// `crm-integration` or `prod-main-app`.
///
/// The words say purpose, environment or both. If the pattern has
/// [`environments`](Self::environments), one of them must be the first word. The default pattern has
/// none.
///
/// ```
/// use keywright::{Name, NamePattern};
///
/// let pattern = NamePattern::default();
/// assert!(pattern.check(&Name::new("crm-integration")?).is_ok());
/// assert!(pattern.check(&Name::new("my key")?).is_err());
///
/// let pattern = NamePattern { environments: vec!["prod".to_owned(), "staging".to_owned()] };
/// assert!(pattern.check(&Name::new("staging-api")?).is_ok());
/// assert!(pattern.check(&Name::new("crm-integration")?).is_err());
/// # Ok::<(), keywright::NameError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamePattern {
    /// The environments of which one must be the first word: at most 16, each of 1 to 32 characters
    /// of `a-z0-9`. If the list is empty, any word can come first.
    pub environments: Vec<String>,
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.environments {
            [] => f.write_str("lower-case words with hyphens"),
            environments => write!(f, "one of {} first", environments.join(", ")),
        }
    }
}

impl NamePattern {
    /// Checks that `name` follows the pattern.
    ///
    /// ```
    /// use keywright::{Name, NameError, NamePattern};
    ///
    /// let pattern = NamePattern { environments: vec!["eu".to_owned()] };
    /// let name = Name::new("prod-main-app")?;
    /// let Err(NameError::Pattern { example, .. }) = pattern.check(&name) else {
    ///     panic!("prod is not an environment");
    /// };
    /// assert_eq!(example, "eu-main-app");
    /// # Ok::<(), NameError>(())
    /// ```
    ///
    /// # Errors
    /// [`NameError::Pattern`] with an example of a name that follows the pattern.
    pub fn check(&self, name: &Name) -> Result<(), NameError> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let name = name.as_str();
        let environments = &self.environments;
        let may_be_first =
            |word: &str| environments.is_empty() || environments.iter().any(|e| e == word);
        let begins_well = name.split_once('-').is_some_and(|(first, _)| may_be_first(first));
        if begins_well && name.split('-').all(is_word) {
            return Ok(());
        }
        let example = match environments.first() {
            Some(first) => format!("{first}-main-app"),
            None => "crm-integration".to_owned(),
        };
        Err(NameError::Pattern { environments: environments.clone(), example })
    }

    /// Returns the pattern of the names that follow both the plan's pattern and this one of the
    /// settings.
    ///
    /// # Errors
    /// [`NameError::NoneFits`] if there is no such name.
    pub(crate) fn within(&self, plan: &Self) -> Result<Self, NameError> {
        if plan.environments.is_empty() {
            return Ok(self.clone());
        }
        if self.environments.is_empty() {
            return Ok(plan.clone());
        }
        let is_of_both = |environment: &&String| plan.environments.contains(environment);
        let environments: Vec<_> = self.environments.iter().filter(is_of_both).cloned().collect();
        if environments.is_empty() {
            let (plan, settings) = (plan.environments.clone(), self.environments.clone());
            return Err(NameError::NoneFits { plan, settings });
        }
        Ok(Self { environments })
    }
}

/// Returns whether a word of the text has an at-sign between other characters.
fn looks_like_email(text: &str) -> bool {
    text.split_whitespace().any(|word| word.trim_matches(is_at_sign).contains(is_at_sign))
}

/// Returns whether a character is `@`, or decomposes to `@` in another width or size.
fn is_at_sign(c: char) -> bool {
    let mut found = false;
    decompose_compatible(c, |part| found |= part == '@');
    found
}

serde_as_text!(Name);
