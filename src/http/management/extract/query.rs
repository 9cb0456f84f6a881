//! The query of a URL. A handler takes it parameter by parameter; one that is left over is refused.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::http::management::wire::problem::{Code, Problem};
use crate::store::Cursor;
use crate::value::name::Name;
use crate::value::redact::redact;
use crate::value::text::decimal;

/// The longest text to search for, in characters: twice the longest name.
pub(crate) const MAX_SEARCH: usize = 2 * Name::MAX_CHARS;

/// The parameters that the handler has not taken yet.
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(params) = params.map_err(|_| invalid("the query can't be read"))?;
        Ok(Self(params))
    }
}

/// A query without parameters.
pub(crate) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Params::from_request_parts(parts, state).await?.end()?;
        Ok(Self)
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidQuery, detail.into())
}

impl Params {
    /// Takes every value of this name.
    fn values(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// Takes the one value of this name, read by `read`.
    pub(crate) fn one<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let values = self.values(name);
        match values.as_slice() {
            [] => Ok(None),
            [value] => read(value).map(Some).map_err(|e| invalid(format!("{name}: {e}"))),
            _ => Err(invalid(format!("{name} is there more than once"))),
        }
    }

    /// Takes a value of a type of the crate, whose errors repeat no secret.
    pub(crate) fn value<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one(name, str::parse)
    }

    /// Takes the text to search for. It is compared with every key, so its length is bounded.
    pub(crate) fn search(&mut self) -> Result<Option<String>, Problem> {
        self.one("search", |text| {
            let fits = text.chars().count() <= MAX_SEARCH;
            fits.then(|| text.to_owned()).ok_or("longer than any text that could be found")
        })
    }

    /// Takes a whole number.
    pub(crate) fn number<T: FromStr + ToString>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one(name, |text| decimal(text).ok_or("expected a whole number in its range"))
    }

    /// Takes a duration in whole seconds.
    pub(crate) fn seconds(&mut self, name: &str) -> Result<Option<Duration>, Problem> {
        Ok(self.number(name)?.map(Duration::from_secs))
    }

    /// Takes a switch. It is off by default.
    pub(crate) fn switch(&mut self, name: &str) -> Result<bool, Problem> {
        let value = self.one(name, |text| text.parse().map_err(|_| "expected true or false"))?;
        Ok(value.unwrap_or(false))
    }

    /// Takes every value of this name as a word that the crate reads with serde.
    pub(crate) fn words<T: DeserializeOwned>(&mut self, name: &str) -> Result<Vec<T>, Problem> {
        let read = |value: &String| T::deserialize(value.as_str().into_deserializer());
        let words: Result<_, Error> = self.values(name).iter().map(read).collect();
        // The error of serde repeats the unknown word.
        words.map_err(|_| invalid(format!("{name}: unknown word")))
    }

    /// Takes one word that the crate reads with serde.
    pub(crate) fn word<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let mut words = self.words(name)?;
        let word = words.pop();
        if !words.is_empty() {
            return Err(invalid(format!("{name} is there more than once")));
        }
        Ok(word)
    }

    /// Takes the cursor of a page. `after` checks that it is of this kind of query.
    pub(crate) fn cursor<Q, E: Display>(
        &mut self,
        query: Q,
        after: impl FnOnce(Q, &Cursor) -> Result<Q, E>,
    ) -> Result<Q, Problem> {
        match self.value::<Cursor>("cursor")? {
            Some(cursor) => after(query, &cursor).map_err(|e| invalid(format!("cursor: {e}"))),
            None => Ok(query),
        }
    }

    /// Refuses the query if a parameter is left.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.first() {
            Some((name, _)) => Err(invalid(format!("there is no parameter {:?}", redact(name)))),
            None => Ok(()),
        }
    }
}
