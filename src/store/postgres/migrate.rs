//! Making the tables, and bringing them from one version to the next.

use sqlx::{PgPool, Row};

use super::errors::database;
use super::schema::SchemaName;
use crate::store::error::StoreError;

/// Each brings the tables from the version that is its place to the next. What has been released is
/// never changed.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_tables.sql")];

const PREPARE: &str = "
    CREATE TABLE IF NOT EXISTS {schema}.migrations (
        version int PRIMARY KEY,
        applied timestamptz NOT NULL DEFAULT now()
    );";

const FIND: &str = "
    SELECT current_setting('server_encoding'), to_regclass('{schema}.migrations') IS NOT NULL";

impl SchemaName {
    /// Everything that makes the tables of this version in an empty database, for those who do not
    /// let a service do so.
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

fn done(version: usize) -> String {
    format!("INSERT INTO {{schema}}.migrations (version) VALUES ({version});\n")
}

/// Finds out whether the tables are those of this version.
pub(super) async fn check(pool: &PgPool, schema: &SchemaName) -> Result<(), StoreError> {
    match version(pool, schema).await? {
        MADE => Ok(()),
        found => Err(StoreError::unavailable(format!(
            "the tables in schema {schema} have version {found} and not {MADE}: run the migrations first"
        ))),
    }
}

/// Makes the tables, or brings them to this version. Any number of nodes may do so at once: one does
/// it, and the others wait.
pub(super) async fn migrate(pool: &PgPool, schema: &SchemaName) -> Result<(), StoreError> {
    if version(pool, schema).await? == MADE {
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

const MADE: usize = MIGRATIONS.len();

/// The version of the tables that are there, 0 if there are none.
async fn version(pool: &PgPool, schema: &SchemaName) -> Result<usize, StoreError> {
    let attempt = async {
        // One message and no parameters: behind a pooler a second one may be for another server.
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
        let message = format!("the database keeps text as {encoding}: a store needs UTF8");
        return Err(StoreError::unsupported(message));
    }
    let last = usize::try_from(last).unwrap_or(usize::MAX);
    if last > MADE {
        return Err(StoreError::unsupported(format!(
            "the tables in schema {schema} have version {last}, which a newer version of the crate made; \
             this one knows {MADE}"
        )));
    }
    Ok(last)
}
