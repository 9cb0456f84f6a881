//! Queries of service accounts.

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::record::account::ServiceAccount;
use crate::value::id::AccountId;
use crate::value::name::composed;
use crate::value::text::decimal;
use crate::value::time::Timestamp;

/// A query of service accounts, oldest first.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct AccountQuery {
    pub(crate) search: Option<String>,
    pub(crate) after: Option<(Timestamp, AccountId)>,
    pub(crate) limit: Option<u16>,
}

impl AccountQuery {
    /// Selects all accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects accounts whose name, id or role contains `text`, in either case.
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(composed(&text.into()).to_lowercase()), ..self }
    }

    /// Sets the most items on a page, 1 to [`MAX_LIMIT`](super::MAX_LIMIT).
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues behind a cursor that a client sent back.
    ///
    /// # Errors
    /// [`CursorError`] if it is not a cursor of accounts.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let decode = || {
            let (micros, id) = cursor.0.strip_prefix("account.")?.split_once('.')?;
            let created = Timestamp::from_unix_micros(decimal(micros)?)?;
            Some((created, id.parse().ok()?))
        };
        Ok(Self { after: Some(decode().ok_or(CursorError)?), ..self })
    }

    /// Returns the cursor of the place behind which the query continues, if it does.
    pub fn cursor(&self) -> Option<Cursor> {
        let (created, id) = self.after?;
        Some(Cursor(format!("account.{}.{id}", created.unix_micros())))
    }

    /// Returns how many items the page may have.
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Returns whether an account passes the filters.
    pub fn matches(&self, account: &ServiceAccount) -> bool {
        self.search.as_deref().is_none_or(|text| {
            account.name.as_str().to_lowercase().contains(text)
                || account.id.as_str().to_lowercase().contains(text)
                || account.role.as_str().contains(text)
        })
    }

    /// Assembles a page from all accounts of the tenant.
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
        let behind = |last| Self { after: Some(place(last)), ..self.clone() };
        let next = items.last().filter(|_| more).map(behind);
        Page { items, next }
    }
}

impl sealed::Query for AccountQuery {}

impl ListQuery for AccountQuery {
    fn cursor(&self) -> Option<Cursor> {
        self.cursor()
    }
}

impl sealed::Item for ServiceAccount {}

impl Listed for ServiceAccount {
    type Query = AccountQuery;
}
