//! The schema that holds the tables, and the statements that name it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use crate::value::redact::redact;

/// The limit of PostgreSQL is 63 bytes. The channel name `keywright_{schema}` must fit too.
const MAX_LEN: usize = 50;

/// The name of the schema that holds a store's tables.
///
/// A name has 1 to 50 characters and matches `[a-z_][a-z0-9_]*`. It does not start with `pg_`, which
/// PostgreSQL reserves. The default is `keywright`.
///
/// ```
/// use keywright::store::SchemaName;
///
/// let schema: SchemaName = "api_keys".parse()?;
/// assert_eq!(schema.to_string(), "api_keys");
/// assert_eq!(SchemaName::default().as_str(), "keywright");
/// # Ok::<(), keywright::store::SchemaNameError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SchemaName(Arc<str>);

/// The text is not a [`SchemaName`].
///
/// ```
/// use keywright::store::SchemaName;
///
/// let error = SchemaName::new("Keys").expect_err("a capital letter is not allowed");
/// assert!(error.to_string().starts_with("Keys is not a schema name"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0} is not a schema name: use 1 to 50 characters a-z, 0-9 and _, without a leading digit or pg_"
)]
pub struct SchemaNameError(String);

impl SchemaName {
    /// Checks and returns a name.
    ///
    /// ```
    /// use keywright::store::SchemaName;
    ///
    /// assert!(SchemaName::new("api_keys").is_ok());
    /// assert!(SchemaName::new("api keys").is_err());
    /// ```
    ///
    /// # Errors
    /// [`SchemaNameError`] if the text does not follow the rules of [`SchemaName`].
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

    /// Returns the name as text.
    ///
    /// ```
    /// # use keywright::store::SchemaName;
    /// assert_eq!(SchemaName::default().as_str(), "keywright");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Replaces `{schema}` in a statement with this name, in quotes because it may be an SQL keyword. A
    /// name contains no quote, so it cannot inject SQL.
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

/// A statement of this crate. Only its [`SchemaName`] comes from the caller.
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
