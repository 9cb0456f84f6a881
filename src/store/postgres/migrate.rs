//! Migrations, which create the tables and upgrade them from one version to the next.

use sqlx::{PgPool, Row};

use super::errors::database;
use super::schema::SchemaName;
use crate::store::error::StoreError;

/// The migrations. The one at index `n` upgrades the tables from version `n` to version `n + 1`. A
/// released migration never changes.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_tables.sql")];

const PREPARE: &str = "
    CREATE TABLE IF NOT EXISTS {schema}.migrations (
        version int PRIMARY KEY,
        applied timestamptz NOT NULL DEFAULT now()
    );";

const FIND: &str = "
    SELECT current_setting('server_encoding'), to_regclass('{schema}.migrations') IS NOT NULL";

impl SchemaName {
    /// Returns the SQL that creates the schema and its tables in a database that has neither.
    ///
    /// Use it if the service's database user has no right to create tables. Run it as another user, then
    /// open the store with
    /// [`PostgresOptions::without_migrations`](crate::store::PostgresOptions::without_migrations).
    ///
    /// ```
    /// use keywright::store::SchemaName;
    ///
    /// let sql = SchemaName::new("api_keys")?.migrations(); // write it to a file, and run that with psql
    /// assert!(sql.starts_with("CREATE SCHEMA IF NOT EXISTS \"api_keys\";"));
    /// # Ok::<(), keywright::store::SchemaNameError>(())
    /// ```
    pub fn migrations(&self) -> String {
        let mut all = format!("CREATE SCHEMA IF NOT EXISTS \"{self}\";\n");
        all += self.sql(PREPARE).as_str();
        for (version, migration) in (1..).zip(MIGRATIONS) {
            all += self.sql(migration).as_str();
            all += self.sql(&done(version)).as_str();
        }
        all
    }
}

/// Returns the statement that records a migration.
fn done(version: usize) -> String {
    format!("INSERT INTO {{schema}}.migrations (version) VALUES ({version});\n")
}

/// Checks that the tables have the version that this crate needs.
pub(super) async fn check(pool: &PgPool, schema: &SchemaName) -> Result<(), StoreError> {
    match version(pool, schema).await? {
        LATEST => Ok(()),
        found => Err(StoreError::unavailable(format!(
            "the tables in schema {schema} must have version {LATEST}, got {found} (0 means that there are \
             none); run the migrations first"
        ))),
    }
}

/// Creates the tables or upgrades them. If several nodes call this at once, one migrates and the others
/// wait.
pub(super) async fn migrate(pool: &PgPool, schema: &SchemaName) -> Result<(), StoreError> {
    if version(pool, schema).await? == LATEST {
        return Ok(());
    }
    let attempt = async {
        let mut transaction = pool.begin().await?;
        // Held until the transaction ends.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('keywright ' || $1, 0))")
            .persistent(false)
            .bind(schema.as_str())
            .execute(&mut *transaction)
            .await?;
        let has_schema = sqlx::query("SELECT to_regnamespace(quote_ident($1)) IS NOT NULL")
            .persistent(false)
            .bind(schema.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if !has_schema.try_get::<bool, _>(0)? {
            let create = schema.sql("CREATE SCHEMA {schema}");
            sqlx::raw_sql(create.safe()).execute(&mut *transaction).await?;
        }
        sqlx::raw_sql(schema.sql(PREPARE).safe()).execute(&mut *transaction).await?;
        let last = schema.sql("SELECT coalesce(max(version), 0) FROM {schema}.migrations");
        let last = sqlx::query(last.safe()).persistent(false).fetch_one(&mut *transaction).await?;
        let last = usize::try_from(last.try_get::<i32, _>(0)?).unwrap_or(0);
        for (version, migration) in (1..).zip(MIGRATIONS).skip(last) {
            sqlx::raw_sql(schema.sql(migration).safe()).execute(&mut *transaction).await?;
            sqlx::raw_sql(schema.sql(&done(version)).safe()).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    };
    attempt.await.map_err(database)
}

/// The version of the tables that this crate needs.
const LATEST: usize = MIGRATIONS.len();

/// Returns the version of the existing tables; 0 if there are none.
async fn version(pool: &PgPool, schema: &SchemaName) -> Result<usize, StoreError> {
    let attempt = async {
        // One message without parameters: behind a pooler, a second one may reach another server
        // connection.
        let row = sqlx::raw_sql(schema.sql(FIND).safe()).fetch_one(pool).await?;
        let encoding: String = row.try_get(0)?;
        if !row.try_get::<bool, _>(1)? {
            return Ok((encoding, 0));
        }
        let last = schema.sql("SELECT coalesce(max(version), 0) FROM {schema}.migrations");
        let last = sqlx::raw_sql(last.safe()).fetch_one(pool).await?;
        Ok((encoding, last.try_get::<i32, _>(0)?))
    };
    let (encoding, last) = attempt.await.map_err(database)?;
    if encoding != "UTF8" {
        let message = format!("the database encoding must be UTF8, got {encoding}");
        return Err(StoreError::unsupported(message));
    }
    let last = usize::try_from(last).unwrap_or(usize::MAX);
    if last > LATEST {
        return Err(StoreError::unsupported(format!(
            "the tables in schema {schema} have version {last}, from a newer version of keywright; this \
             version supports {LATEST}: upgrade keywright"
        )));
    }
    Ok(last)
}
