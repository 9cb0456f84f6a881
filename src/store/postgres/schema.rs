//! The schema that holds the tables, and statements that name it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use crate::value::redact::redact;

/// PostgreSQL takes 63; a few are for the name of the channel that is made of it.
const MAX_LEN: usize = 50;

/// The name of the schema that holds a store's tables.
///
/// `[a-z_][a-z0-9_]*`, at most 50 characters, and not `pg_...`, which PostgreSQL keeps for itself. By
/// default it is `keywright`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SchemaName(Arc<str>);

/// A text that is not a [`SchemaName`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} is no name of a schema: a-z, 0-9 and _, at most 50, no digit first, and not pg_...")]
pub struct SchemaNameError(String);

impl SchemaName {
    /// A name.
    ///
    /// # Errors
    /// [`SchemaNameError`] for anything else than is said above.
    pub fn new(name: &str) -> Result<Self, SchemaNameError> {
        let fits = name.len() <= MAX_LEN
            && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !name.starts_with("pg_");
        if !fits {
            return Err(SchemaNameError(redact(name)));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A statement in which `{schema}` is this name, in quotes because it may be a word of SQL's. It
    /// has no quote in it, so it ends where it should.
    pub(in crate::store) fn sql(&self, template: &str) -> Sql {
        Sql(template.replace("{schema}", &format!("\"{self}\"")).into())
    }
}

impl Default for SchemaName {
    fn default() -> Self {
        Self("keywright".into())
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SchemaName {
    type Err = SchemaNameError;

    fn from_str(name: &str) -> Result<Self, SchemaNameError> {
        Self::new(name)
    }
}

/// A statement of ours: nothing of it comes from elsewhere but a [`SchemaName`].
#[derive(Clone, Debug)]
pub(in crate::store) struct Sql(Arc<str>);

impl Sql {
    pub(in crate::store) fn safe(&self) -> AssertSqlSafe<Arc<str>> {
        AssertSqlSafe(Arc::clone(&self.0))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
