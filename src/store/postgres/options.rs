//! How a store in PostgreSQL is opened.

use super::schema::SchemaName;

/// How a [`PostgresStore`](crate::store::PostgresStore) is opened.
#[derive(Clone, Debug, Default)]
#[must_use = "setters take and return by value"]
pub struct PostgresOptions {
    pub(in crate::store) schema: SchemaName,
    pub(super) keeps_tables: bool,
    pub(super) is_pooled: bool,
}

impl PostgresOptions {
    /// The schema `keywright`, whose tables are made and brought up to date.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another schema.
    pub fn schema(self, schema: SchemaName) -> Self {
        Self { schema, ..self }
    }

    /// Leaves the tables as they are: [`SchemaName::migrations`] is run by somebody else before.
    pub fn without_migrations(self) -> Self {
        Self { keeps_tables: true, ..self }
    }

    /// For a pooler that gives a connection for a transaction at a time, such as PgBouncer in the
    /// mode `transaction`, and does not track prepared statements.
    ///
    /// Every call is a transaction of its own then, and costs more round trips. Hints do not pass
    /// through such a pooler: see [`PostgresStore::hints`](crate::store::PostgresStore::hints).
    pub fn behind_transaction_pooler(self) -> Self {
        Self { is_pooled: true, ..self }
    }
}
