//! Notes of people: the description of a key, a scope or a role, and the contact of a key.
//!
//! Both are shown in listings, logs and mails, so the rules of names apply: nothing hides or
//! reorders the text around it, and nothing looks like a token. A contact may be an e-mail address,
//! and a description may have several lines.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::value::text::serde_as_text;
use crate::value::text_enum::text_enum;
use crate::value::visible_text::{Flaw, hides_a_token, visible};

/// The business need of a key, or the meaning of a scope or a role: 1 to 1000 visible characters,
/// spaces and line breaks.
///
/// A line break is `\n`; `\r\n` is converted to it. Like a [`Name`](crate::Name), a description is
/// converted to Unicode's normalization form NFC.
///
/// ```
/// use keywright::{Description, NoteError};
///
/// let description = Description::new("Sends invoices to the archive.\nRuns every night.")?;
/// assert_eq!(description.as_str().lines().count(), 2);
/// # Ok::<(), NoteError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Description(
    // Few keys have one, and this is 8 bytes where they have none; an `Arc<str>` is 16.
    Arc<String>,
);

/// The technical owner of a key, who is told before a rotation: 1 to 200 visible characters or
/// spaces on one line.
///
/// A contact may be an e-mail address. Like a [`Name`](crate::Name), it is converted to Unicode's
/// normalization form NFC.
///
/// ```
/// use keywright::{Contact, NoteError};
///
/// let contact = Contact::new("billing-team@example.com")?;
/// assert_eq!(contact.as_str(), "billing-team@example.com");
/// # Ok::<(), NoteError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Contact(Arc<String>);

text_enum! {
    /// A note of people, with a text form such as `contact`.
    ///
    /// ```
    /// use keywright::NoteField;
    ///
    /// assert_eq!(NoteField::Contact.to_string(), "contact");
    /// ```
    pub enum NoteField {
        /// The [`Description`] of a key, a scope or a role.
        Description = "description";
        /// The key's [`Contact`].
        Contact = "contact";
    }
}

impl NoteField {
    /// Returns the maximum length, in characters (Unicode scalar values).
    ///
    /// ```
    /// use keywright::NoteField;
    ///
    /// assert_eq!(NoteField::Contact.max_chars(), 200);
    /// ```
    pub const fn max_chars(self) -> usize {
        match self {
            Self::Description => Description::MAX_CHARS,
            Self::Contact => Contact::MAX_CHARS,
        }
    }
}

/// The error for a text that is not a [`Description`] or not a [`Contact`].
///
/// The messages do not repeat the text, since it may be a secret.
///
/// ```
/// use keywright::{Contact, NoteError, NoteField};
///
/// let field = NoteField::Contact;
/// assert_eq!(Contact::new(" ops"), Err(NoteError::OuterSpace(field)));
/// assert_eq!(Contact::new("x".repeat(201)), Err(NoteError::TooLong { field, chars: 201 }));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The text is empty or only white space.
    #[error("the {0} must not be empty")]
    Empty(NoteField),
    /// The text is longer than [`NoteField::max_chars`].
    #[error("the {field} must have at most {max} characters, got {chars}", max = field.max_chars())]
    TooLong {
        /// The note that is too long.
        field: NoteField,
        /// The length of the text, in characters.
        chars: usize,
    },
    /// The text begins or ends with white space.
    #[error("the {0} must not begin or end with white space")]
    OuterSpace(NoteField),
    /// The text has a control character. A line break is one, except in a description.
    #[error("the {field} must not have control characters, got {found:?}")]
    Control {
        /// The note with the character.
        field: NoteField,
        /// The first such character.
        found: char,
    },
    /// The text has a character that is invisible, formats other characters, or changes the text
    /// direction.
    #[error("the {field} must not have invisible or text-direction characters, got {found:?}")]
    Invisible {
        /// The note with the character.
        field: NoteField,
        /// The first such character.
        found: char,
    },
    /// The text has a run of ASCII letters and digits that could be a token: 32 characters of at
    /// least two of lower case, upper case and digits, or 20 characters of all three.
    #[error("the {0} looks like a token: it is shown in listings, so write another")]
    LooksLikeToken(NoteField),
}

/// Returns the text as it is kept, if it is a valid note.
fn checked(text: &str, field: NoteField) -> Result<Arc<String>, NoteError> {
    let has_lines = field == NoteField::Description;
    let text = if has_lines { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let is_allowed = |c| has_lines && c == '\n';
    let text = visible(&text, field.max_chars(), is_allowed).map_err(|flaw| match flaw {
        Flaw::Empty => NoteError::Empty(field),
        Flaw::TooLong(chars) => NoteError::TooLong { field, chars },
        Flaw::Control(found) => NoteError::Control { field, found },
        Flaw::Invisible(found) => NoteError::Invisible { field, found },
        Flaw::OuterSpace => NoteError::OuterSpace(field),
    })?;
    if hides_a_token(&text) {
        return Err(NoteError::LooksLikeToken(field));
    }
    Ok(Arc::new(text.into_owned()))
}

impl Description {
    /// The maximum length, in characters (Unicode scalar values).
    pub const MAX_CHARS: usize = 1_000;

    /// Creates a description from text.
    ///
    /// ```
    /// use keywright::Description;
    ///
    /// let description = Description::new("Sends invoices to the archive")?;
    /// assert_eq!(description.to_string(), "Sends invoices to the archive");
    /// # Ok::<(), keywright::NoteError>(())
    /// ```
    ///
    /// # Errors
    /// [`NoteError`] for the first rule that the text breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NoteError> {
        text.as_ref().parse()
    }

    /// Returns the description as text.
    ///
    /// ```
    /// use keywright::Description;
    ///
    /// assert_eq!(Description::new("Sends invoices to the archive")?.as_str(), "Sends invoices to the archive");
    /// # Ok::<(), keywright::NoteError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Description {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        checked(text, NoteField::Description).map(Self)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Description({:?})", self.as_str())
    }
}

impl Contact {
    /// The maximum length, in characters (Unicode scalar values).
    pub const MAX_CHARS: usize = 200;

    /// Creates a contact from text.
    ///
    /// ```
    /// use keywright::Contact;
    ///
    /// let contact = Contact::new("billing-team@example.com")?;
    /// assert_eq!(contact.to_string(), "billing-team@example.com");
    /// # Ok::<(), keywright::NoteError>(())
    /// ```
    ///
    /// # Errors
    /// [`NoteError`] for the first rule that the text breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NoteError> {
        text.as_ref().parse()
    }

    /// Returns the contact as text.
    ///
    /// ```
    /// use keywright::Contact;
    ///
    /// assert_eq!(Contact::new("billing-team@example.com")?.as_str(), "billing-team@example.com");
    /// # Ok::<(), keywright::NoteError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Contact {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        checked(text, NoteField::Contact).map(Self)
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({:?})", self.as_str())
    }
}

serde_as_text!(Description, Contact);
