//! The store that all nodes share, and the `Keywright` over it.

use keywright::store::{KeyStore, PostgresOptions, PostgresStore, SchemaName};
use keywright::{Keywright, Policy, Prefix};
use sqlx::postgres::PgPoolOptions;

use crate::Failure;

/// Opens the store. Several nodes can do so at the same time; the first one creates the tables.
pub(crate) async fn open(url: &str) -> Result<PostgresStore, Failure> {
    let pool = PgPoolOptions::new().test_before_acquire(false).connect(url).await?;
    let options = PostgresOptions::new().schema(SchemaName::new("keywright_cluster")?);
    Ok(options.open(pool).await?)
}

/// Builds the `Keywright`, with the same settings on every node.
pub(crate) fn keywright(store: impl KeyStore) -> Result<Keywright, keywright::Error> {
    let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    Ok(Keywright::builder(store)
        .prefix(Prefix::new("acme_live")?)
        .default_policy(policy)
        .build()?)
}
