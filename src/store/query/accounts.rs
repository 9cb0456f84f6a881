//! Which service accounts.

use super::{Cursor, CursorError, Page, page_size};
use crate::record::account::ServiceAccount;
use crate::value::id::AccountId;
use crate::value::name::composed;
use crate::value::text::decimal;
use crate::value::time::Timestamp;

/// Which service accounts, oldest first.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct AccountQuery {
    pub(crate) search: Option<String>,
    pub(crate) after: Option<(Timestamp, AccountId)>,
    pub(crate) limit: Option<u16>,
}

impl AccountQuery {
    /// All accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only accounts whose name, id or role contains `text`; letters of either case are the same.
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(composed(&text.into()).to_lowercase()), ..self }
    }

    /// At most so many on the page, 1 to [`MAX_LIMIT`](super::MAX_LIMIT).
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Goes on behind a cursor.
    ///
    /// # Errors
    /// [`CursorError`] if it does not come from a page of accounts.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let decode = || {
            let (micros, id) = cursor.0.strip_prefix("account.")?.split_once('.')?;
            let created = Timestamp::from_unix_micros(decimal(micros)?)?;
            Some((created, id.parse().ok()?))
        };
        Ok(Self { after: Some(decode().ok_or(CursorError)?), ..self })
    }

    /// How many items the page may have.
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Whether an account passes the filters.
    pub fn matches(&self, account: &ServiceAccount) -> bool {
        self.search.as_deref().is_none_or(|text| {
            account.name.as_str().to_lowercase().contains(text)
                || account.id.as_str().to_lowercase().contains(text)
                || account.role.as_str().contains(text)
        })
    }

    /// Puts a page together from all accounts of the tenant.
    pub fn page<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a ServiceAccount>,
    ) -> Page<ServiceAccount> {
        let place = |account: &ServiceAccount| (account.created_at, account.id);
        let mut items: Vec<ServiceAccount> = accounts
            .into_iter()
            .filter(|account| self.after.is_none_or(|after| place(account) > after))
            .filter(|account| self.matches(account))
            .cloned()
            .collect();
        items.sort_unstable_by_key(place);
        let size = self.page_size();
        let more = items.len() > size;
        items.truncate(size);
        let cursor = |account: &ServiceAccount| {
            Cursor(format!("account.{}.{}", account.created_at.unix_micros(), account.id))
        };
        let next = items.last().filter(|_| more).map(cursor);
        Page { items, next }
    }
}
