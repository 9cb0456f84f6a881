//! Queries of service accounts.

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::record::account::ServiceAccount;
use crate::value::id::AccountId;
use crate::value::text::decimal;
use crate::value::time::Timestamp;
use crate::value::visible_text::composed;

/// A query of service accounts, oldest first.
///
/// ```
/// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
/// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
/// # authority.create_account(&ada, first).await?;
/// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
/// # let account = authority.create_account(&ada, second).await?.account;
/// use keywright::store::AccountQuery;
///
/// let query = AccountQuery::new().search("report").limit(20);
/// let page = authority.accounts(&ada, &query).await?;
/// assert_eq!(page.items[0].account.name.as_str(), "nightly-report");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct AccountQuery {
    pub(crate) search: Option<String>,
    pub(crate) after: Option<(Timestamp, AccountId)>,
    pub(crate) limit: Option<u16>,
}

impl AccountQuery {
    /// Creates a query that selects all accounts.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// use keywright::store::AccountQuery;
    ///
    /// let page = authority.accounts(&ada, &AccountQuery::new()).await?;
    /// assert_eq!(page.items.len(), 2);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects accounts whose name, id or role contains `text`.
    ///
    /// The search ignores case.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// # use keywright::store::AccountQuery;
    /// // The account `invoice-export` has the role `billing`.
    /// let page = authority.accounts(&ada, &AccountQuery::new().search("Billing")).await?;
    /// assert_eq!(page.items[0].account.name.as_str(), "invoice-export");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn search(self, text: impl Into<String>) -> Self {
        Self { search: Some(composed(&text.into()).to_lowercase()), ..self }
    }

    /// Sets the maximum number of items on a page, from 1 to [`MAX_LIMIT`](super::MAX_LIMIT), which
    /// is 500.
    ///
    /// The default is [`DEFAULT_LIMIT`](super::DEFAULT_LIMIT), which is 50.
    ///
    /// The authority refuses other values with [`ListError::Limit`](crate::ListError::Limit). A
    /// store uses [`page_size`](Self::page_size), which is always in this range.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// # use keywright::store::AccountQuery;
    /// let page = authority.accounts(&ada, &AccountQuery::new().limit(1)).await?;
    /// assert_eq!(page.items.len(), 1);
    /// assert!(page.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues after a cursor that a client sent back.
    ///
    /// The cursor holds no filters: set the same ones again.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// # use keywright::store::AccountQuery;
    /// let first = authority.accounts(&ada, &AccountQuery::new().limit(1)).await?;
    /// if let Some(cursor) = first.next_cursor() {
    ///     let second = authority.accounts(&ada, &AccountQuery::new().after(&cursor)?).await?;
    ///     assert_eq!(second.items.len(), 1);
    /// }
    /// # assert!(first.next.is_some());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
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

    /// Returns the cursor after which the query continues; `None` if it starts at the beginning.
    ///
    /// ```
    /// # use keywright::store::AccountQuery;
    /// let cursor = "account.1767225600000000.4fQ2xk9ZrT7bWm1c".parse()?;
    /// assert_eq!(AccountQuery::new().after(&cursor)?.cursor(), Some(cursor));
    /// # Ok::<(), keywright::store::CursorError>(())
    /// ```
    pub fn cursor(&self) -> Option<Cursor> {
        let (created, id) = self.after?;
        Some(Cursor(format!("account.{}.{id}", created.unix_micros())))
    }

    /// Returns the maximum number of items on the page: the limit, or the default if no limit is
    /// set.
    ///
    /// A limit of 0 counts as 1. A limit above [`MAX_LIMIT`](super::MAX_LIMIT) counts as
    /// `MAX_LIMIT`.
    ///
    /// ```
    /// # use keywright::store::AccountQuery;
    /// assert_eq!(AccountQuery::new().page_size(), 50);
    /// assert_eq!(AccountQuery::new().limit(9_000).page_size(), 500);
    /// ```
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Returns whether an account passes the filters.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// # use keywright::store::AccountQuery;
    /// assert!(AccountQuery::new().search("report").matches(&account));
    /// assert!(!AccountQuery::new().search("invoice").matches(&account));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn matches(&self, account: &ServiceAccount) -> bool {
        self.search.as_deref().is_none_or(|text| {
            account.name.as_str().to_lowercase().contains(text)
                || account.id.as_str().to_lowercase().contains(text)
                || account.role.as_str().contains(text)
        })
    }

    /// Builds a page from all accounts of the tenant, in any order.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewAccount, Policy, Role, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
    /// # policy.plan.roles.insert("reports".parse()?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let first = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
    /// # authority.create_account(&ada, first).await?;
    /// # let second = NewAccount::new("nightly-report".parse()?, "reports".parse()?);
    /// # let account = authority.create_account(&ada, second).await?.account;
    /// # use keywright::store::AccountQuery;
    /// let page = AccountQuery::new().page([&account]);
    /// assert_eq!(page.items, [account.clone()]);
    /// assert!(page.next.is_none());
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
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
