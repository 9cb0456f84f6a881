//! The store that all nodes share, and what is built on top of it.

use keywright::store::{KeyStore, PostgresOptions, PostgresStore, SchemaName};
use keywright::{Keywright, Policy, Prefix};
use sqlx::postgres::PgPoolOptions;

use crate::Failure;

/// Opens the store. Any number of nodes may do so at once: the first one makes the tables.
pub(crate) async fn open(url: &str) -> Result<PostgresStore, Failure> {
    let pool = PgPoolOptions::new().test_before_acquire(false).connect(url).await?;
    let options = PostgresOptions::new().schema(SchemaName::new("keywright_cluster")?);
    Ok(options.open(pool).await?)
}

/// The same on every node.
pub(crate) fn keywright(store: impl KeyStore) -> Result<Keywright, keywright::Error> {
    let mut policy = Policy::default();
    policy.api_enabled = true;
    Ok(Keywright::builder(store)
        .prefix(Prefix::new("acme_live")?)
        .default_policy(policy)
        .build()?)
}
