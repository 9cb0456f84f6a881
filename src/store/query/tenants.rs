//! Queries of tenants, for the operator of the host.

use serde::Serialize;

use super::page::{Cursor, CursorError, ListQuery, Listed, Page, page_size, sealed};
use crate::value::id::TenantId;

/// A tenant in a list of all tenants, with its numbers.
///
/// A store lists every tenant that has an event. Each change has one, so these are all tenants that
/// have or had keys, accounts or a policy.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
/// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// use keywright::Operator;
/// use keywright::store::{TenantEntry, TenantQuery};
///
/// let operator = Operator::new(UserId::new("carol")?);
/// let page = authority.tenants(&operator, &TenantQuery::new()).await?;
/// let globex: &TenantEntry = &page.items[0];
/// assert_eq!((globex.tenant.as_str(), globex.live_keys, globex.keys), ("globex", 1, 1));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TenantEntry {
    /// The tenant.
    pub tenant: TenantId,
    /// The number of live keys: active, scheduled and disabled ones.
    pub live_keys: u64,
    /// The number of all keys, expired and revoked ones included.
    pub keys: u64,
    /// The number of service accounts.
    pub accounts: u64,
    /// The number of the newest event, which is the number of all events ever written in the
    /// tenant.
    pub last_event: u64,
}

/// A query of tenants, in the order of their ids by bytes.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # for tenant in ["acme-de", "acme-uk", "globex"] {
/// #     let alice = Actor::developer(UserId::new("alice")?).in_tenant(tenant.parse()?);
/// #     authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # }
/// use keywright::Operator;
/// use keywright::store::TenantQuery;
///
/// // The tenants are acme-de, acme-uk and globex.
/// let operator = Operator::new(UserId::new("carol")?);
/// let query = TenantQuery::new().starting_with("acme-").limit(100);
/// let page = authority.tenants(&operator, &query).await?;
/// assert_eq!(page.items.len(), 2);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct TenantQuery {
    pub(crate) prefix: Option<String>,
    pub(crate) after: Option<TenantId>,
    pub(crate) limit: Option<u16>,
}

impl TenantQuery {
    /// Creates a query that selects all tenants.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// assert!(TenantQuery::new().matches(&"globex".parse()?));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects tenants whose id starts with `text`, in the same case.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// let query = TenantQuery::new().starting_with("acme-");
    /// assert!(query.matches(&"acme-uk".parse()?));
    /// assert!(!query.matches(&"Acme-uk".parse()?));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn starting_with(self, text: impl Into<String>) -> Self {
        Self { prefix: Some(text.into()), ..self }
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
    /// # use keywright::store::TenantQuery;
    /// assert_eq!(TenantQuery::new().limit(20).page_size(), 20);
    /// ```
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Continues after a cursor that a client sent back.
    ///
    /// The cursor holds no filters: set the same ones again.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// let query = TenantQuery::new().after(&"tenant.globex".parse()?)?;
    /// assert!(!query.is_after_cursor(&"acme".parse()?));
    /// assert!(query.is_after_cursor(&"initech".parse()?));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`CursorError`] if it is not a cursor of tenants.
    pub fn after(self, cursor: &Cursor) -> Result<Self, CursorError> {
        let tenant = cursor.0.strip_prefix("tenant.").and_then(|id| id.parse().ok());
        Ok(Self { after: Some(tenant.ok_or(CursorError)?), ..self })
    }

    /// Returns the cursor after which the query continues; `None` if it starts at the beginning.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// let cursor = "tenant.globex".parse()?;
    /// assert_eq!(TenantQuery::new().after(&cursor)?.cursor(), Some(cursor));
    /// # Ok::<(), keywright::store::CursorError>(())
    /// ```
    pub fn cursor(&self) -> Option<Cursor> {
        self.after.as_ref().map(|tenant| Cursor(format!("tenant.{tenant}")))
    }

    /// Returns the maximum number of items on the page: the limit, or the default if no limit is
    /// set.
    ///
    /// A limit of 0 counts as 1. A limit above [`MAX_LIMIT`](super::MAX_LIMIT) counts as
    /// `MAX_LIMIT`.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// assert_eq!(TenantQuery::new().page_size(), 50);
    /// assert_eq!(TenantQuery::new().limit(9_000).page_size(), 500);
    /// ```
    pub fn page_size(&self) -> usize {
        page_size(self.limit)
    }

    /// Returns whether a tenant passes the filters.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// assert!(!TenantQuery::new().starting_with("acme-").matches(&"globex".parse()?));
    /// # Ok::<(), keywright::IdError>(())
    /// ```
    pub fn matches(&self, tenant: &TenantId) -> bool {
        self.prefix.as_deref().is_none_or(|prefix| tenant.as_str().starts_with(prefix))
    }

    /// Returns whether a tenant comes after the cursor of the query.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// # use keywright::store::TenantQuery;
    /// let query = TenantQuery::new().after(&"tenant.globex".parse()?)?;
    /// assert!(!query.is_after_cursor(&"globex".parse()?));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn is_after_cursor(&self, tenant: &TenantId) -> bool {
        self.after.as_ref().is_none_or(|after| tenant > after)
    }

    /// Builds a page from all tenants, in any order.
    ///
    /// Only implementations of a store need this method.
    ///
    /// ```
    /// use keywright::store::{TenantEntry, TenantQuery};
    ///
    /// let globex = TenantEntry {
    ///     tenant: "globex".parse()?,
    ///     live_keys: 1,
    ///     keys: 3,
    ///     accounts: 0,
    ///     last_event: 12,
    /// };
    /// let page = TenantQuery::new().page([globex.clone()]);
    /// assert_eq!(page.items, [globex]);
    /// assert!(page.next.is_none());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn page(&self, tenants: impl IntoIterator<Item = TenantEntry>) -> Page<TenantEntry> {
        let mut items: Vec<TenantEntry> = tenants
            .into_iter()
            .filter(|entry| self.is_after_cursor(&entry.tenant) && self.matches(&entry.tenant))
            .collect();
        items.sort_unstable_by(|a, b| a.tenant.cmp(&b.tenant));
        let size = self.page_size();
        let more = items.len() > size;
        items.truncate(size);
        let behind = |last: &TenantEntry| Self { after: Some(last.tenant.clone()), ..self.clone() };
        let next = items.last().filter(|_| more).map(behind);
        Page { items, next }
    }
}

impl sealed::Query for TenantQuery {}

impl ListQuery for TenantQuery {
    fn cursor(&self) -> Option<Cursor> {
        self.cursor()
    }
}

impl sealed::Item for TenantEntry {}

impl Listed for TenantEntry {
    type Query = TenantQuery;
}
