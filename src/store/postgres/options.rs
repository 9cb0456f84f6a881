//! The options for opening a store in PostgreSQL.

use super::schema::SchemaName;

/// The options for opening a [`PostgresStore`](crate::store::PostgresStore).
///
/// ```no_run
/// # async fn open(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// use keywright::store::{PostgresOptions, SchemaName};
///
/// let options = PostgresOptions::new().schema(SchemaName::new("api_keys")?).without_migrations();
/// let store = options.open(pool).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct PostgresOptions {
    pub(in crate::store) schema: SchemaName,
    pub(super) keeps_tables: bool,
    pub(super) is_pooled: bool,
}

impl PostgresOptions {
    /// Creates the default options: the schema is `keywright`, and the store creates and upgrades its
    /// tables.
    ///
    /// ```no_run
    /// # async fn open(pool: sqlx::PgPool) -> Result<(), keywright::store::StoreError> {
    /// # use keywright::store::PostgresOptions;
    /// let store = PostgresOptions::new().open(pool).await?;
    /// # Ok(()) }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the schema that holds the tables.
    ///
    /// The default is `keywright`. Stores in different schemas of one database are independent of each
    /// other.
    ///
    /// ```no_run
    /// # async fn open(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// # use keywright::store::{PostgresOptions, SchemaName};
    /// let live = PostgresOptions::new().schema(SchemaName::new("keys_live")?);
    /// let test = PostgresOptions::new().schema(SchemaName::new("keys_test")?);
    /// let (live, test) = (live.open(pool.clone()).await?, test.open(pool).await?);
    /// # Ok(()) }
    /// ```
    pub fn schema(self, schema: SchemaName) -> Self {
        Self { schema, ..self }
    }

    /// Opens the tables as they are, without creating or upgrading them.
    ///
    /// Use this if the database user of the service has no right to create tables. Run the SQL of
    /// [`SchemaName::migrations`] before the first start.
    ///
    /// ```no_run
    /// # async fn open(pool: sqlx::PgPool) -> Result<(), keywright::store::StoreError> {
    /// # use keywright::store::PostgresOptions;
    /// let store = PostgresOptions::new().without_migrations().open(pool).await?;
    /// # Ok(()) }
    /// ```
    pub fn without_migrations(self) -> Self {
        Self { keeps_tables: true, ..self }
    }

    /// Makes the store work behind a connection pooler in transaction mode, such as PgBouncer with
    /// `pool_mode = transaction`.
    ///
    /// Use this if the pooler does not track prepared statements. Every call is then a transaction of
    /// its own and costs more round trips. Hints do not pass through such a pooler; see
    /// [`PostgresStore::hints`](crate::store::PostgresStore::hints).
    ///
    /// ```no_run
    /// # async fn open(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// # use keywright::store::{CacheOptions, CachedStore, PostgresOptions};
    /// let store = PostgresOptions::new().behind_transaction_pooler().open(pool).await?;
    /// let cache = CachedStore::new(store, CacheOptions::new())?; // without hints
    /// # Ok(()) }
    /// ```
    pub fn behind_transaction_pooler(self) -> Self {
        Self { is_pooled: true, ..self }
    }
}
