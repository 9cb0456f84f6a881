//! A statement that consists of only the parts that it needs.
//!
//! Most commits change one row of a kind or two. A statement with a part for every kind of row costs the
//! server several times as much, even if most parts have no rows.

use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::{Arguments, AssertSqlSafe, Encode, Error, Type};

use super::database::Database;

/// A statement and its values.
pub(super) struct Parts<'a> {
    database: &'a Database,
    sql: String,
    arguments: PgArguments,
    error: Option<Error>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(database: &'a Database) -> Self {
        Self { database, sql: String::new(), arguments: PgArguments::default(), error: None }
    }

    /// Adds text, in which `{schema}.keys` names a table of the schema.
    pub(super) fn text(&mut self, template: &str) -> &mut Self {
        for (number, text) in template.split("{schema}").enumerate() {
            if number > 0 {
                self.sql.push('"');
                self.sql.push_str(self.database.schema.as_str());
                self.sql.push('"');
            }
            self.sql.push_str(text);
        }
        self
    }

    /// Adds a value.
    pub(super) fn value<'v>(
        &mut self,
        value: impl Encode<'v, Postgres> + Type<Postgres>,
    ) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.error = Some(Error::Encode(error));
        }
        self.sql.push('$');
        self.sql.push_str(&self.arguments.len().to_string());
        self
    }

    /// Adds a list of texts, as an expression of the type `text[]`.
    ///
    /// It is a subquery, so that the server does not see how many there are. It would otherwise plan the
    /// statement again for each list that is shorter than it expects.
    pub(super) fn texts<T: ToString>(&mut self, texts: impl IntoIterator<Item = T>) -> &mut Self {
        let texts: Vec<String> = texts.into_iter().map(|text| text.to_string()).collect();
        self.text("((SELECT ").value(texts).text("::text[])::text[])")
    }

    /// Adds a list of numbers, as [`texts`](Self::texts) does.
    pub(super) fn numbers(&mut self, numbers: impl IntoIterator<Item = i64>) -> &mut Self {
        let numbers: Vec<i64> = numbers.into_iter().collect();
        self.text("((SELECT ").value(numbers).text("::bigint[])::bigint[])")
    }

    pub(super) fn query(self) -> Result<Query<'static, Postgres, PgArguments>, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let query = sqlx::query_with(AssertSqlSafe(self.sql), self.arguments);
        Ok(query.persistent(self.database.persistent))
    }
}
