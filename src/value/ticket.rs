//! Tickets: texts by which a form that is sent twice is recognized.

use std::fmt;
use std::str::FromStr;

use crate::value::base62;
use crate::value::id::IdError;
use crate::value::random::{Random, RandomError};
use crate::value::text::serde_as_text;

/// A random text in a form, by which a second submission of the form is recognized: 22 characters of
/// `0-9A-Za-z` (131 bits).
///
/// A browser sends a form again on a reload or a double click, and a program repeats a request
/// whose answer it has lost. [`Authority::ticket`](crate::Authority::ticket) draws the ticket of a
/// form. [`NewKey::ticket`](crate::NewKey::ticket) and
/// [`NewAccount::ticket`](crate::NewAccount::ticket) take it back. Nothing is stored: the id of the
/// new record is derived from the ticket, so a second call finds the first record.
///
/// A ticket is not secret, and gives no permission. It counts for one tenant, one actor and one
/// kind of record.
///
/// ```
/// use keywright::{GenerateError, Ticket};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let field = authority.ticket()?.to_string(); // for a hidden field of the form
///
/// // The browser sends the form twice.
/// let ticket: Ticket = field.parse()?;
/// let new = NewKey::named("prod-main-app")?.ticket(ticket);
/// let issued = authority.generate(&alice, new.clone()).await?;
/// let again = authority.generate(&alice, new).await;
/// assert!(matches!(again, Err(GenerateError::TicketUsed { key }) if key == issued.key.id));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket([u8; 22]);

impl Ticket {
    /// The length of a ticket in characters.
    pub const LEN: usize = 22;

    pub(crate) fn generate(random: &Random) -> Result<Self, RandomError> {
        let mut ticket = [0; 22];
        base62::fill(random, &mut ticket)?;
        Ok(Self(ticket))
    }

    /// Returns the ticket as text.
    ///
    /// ```
    /// use keywright::Ticket;
    ///
    /// let ticket: Ticket = "4fQ2xk9ZrT7bWm1c8PzAq0".parse()?;
    /// assert_eq!(ticket.as_str(), "4fQ2xk9ZrT7bWm1c8PzAq0");
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Ticket {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes: Option<[u8; 22]> = text.as_bytes().try_into().ok();
        let ticket = bytes.filter(|bytes| base62::is_base62(bytes)).map(Self);
        let expected = "expected 22 characters of 0-9A-Za-z";
        ticket.ok_or_else(|| IdError::new("ticket", expected, text))
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({self})")
    }
}

serde_as_text!(Ticket);
