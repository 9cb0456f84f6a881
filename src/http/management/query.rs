//! The query of a URL, taken parameter by parameter. What nobody asks for is refused.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::problem::{Code, Problem};
use crate::store::Cursor;
use crate::value::name::Name;
use crate::value::redact::redact;
use crate::value::text::decimal;

/// The longest text to search for, in characters: twice the longest name.
pub(super) const MAX_SEARCH: usize = 2 * Name::MAX_CHARS;

/// The parameters that are not taken yet.
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(params) = params.map_err(|_| invalid("the query can't be read"))?;
        Ok(Self(params))
    }
}

/// No parameters at all.
pub(super) struct NoParams;

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
    /// Every value of this name.
    fn values(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// The one value of this name, as `read` takes it.
    pub(super) fn one<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let values = self.values(name);
        match values.as_slice() {
            [] => Ok(None),
            [value] => read(value).map(Some).map_err(|e| invalid(format!("{name}: {e}"))),
            _ => Err(invalid(format!("{name} stands there more than once"))),
        }
    }

    /// A value of the crate's: its error repeats nothing secret.
    pub(super) fn value<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one(name, str::parse)
    }

    /// A text to search for. It is held against every key: a long one would be work for nothing.
    pub(super) fn search(&mut self) -> Result<Option<String>, Problem> {
        self.one("search", |text| {
            let fits = text.chars().count() <= MAX_SEARCH;
            fits.then(|| text.to_owned()).ok_or("longer than anything that could be found")
        })
    }

    pub(super) fn number<T: FromStr + ToString>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one(name, |text| decimal(text).ok_or("expected a whole number in its range"))
    }

    pub(super) fn seconds(&mut self, name: &str) -> Result<Option<Duration>, Problem> {
        Ok(self.number(name)?.map(Duration::from_secs))
    }

    /// Whether it says `true`.
    pub(super) fn switch(&mut self, name: &str) -> Result<bool, Problem> {
        let value = self.one(name, |text| text.parse().map_err(|_| "expected true or false"))?;
        Ok(value.unwrap_or(false))
    }

    /// Words of a list that the crate reads with serde.
    pub(super) fn words<T: DeserializeOwned>(&mut self, name: &str) -> Result<Vec<T>, Problem> {
        let read = |value: &String| T::deserialize(value.as_str().into_deserializer());
        let words: Result<_, Error> = self.values(name).iter().map(read).collect();
        // serde would repeat the word that it does not know.
        words.map_err(|_| invalid(format!("{name}: no word that is possible here")))
    }

    pub(super) fn word<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let mut words = self.words(name)?;
        let word = words.pop();
        if !words.is_empty() {
            return Err(invalid(format!("{name} stands there more than once")));
        }
        Ok(word)
    }

    /// Where a page begins; `after` says whether the cursor is one of its kind.
    pub(super) fn cursor<Q, E: Display>(
        &mut self,
        query: Q,
        after: impl FnOnce(Q, &Cursor) -> Result<Q, E>,
    ) -> Result<Q, Problem> {
        match self.value::<Cursor>("cursor")? {
            Some(cursor) => after(query, &cursor).map_err(|e| invalid(format!("cursor: {e}"))),
            None => Ok(query),
        }
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.0.first() {
            Some((name, _)) => Err(invalid(format!("there is no parameter {:?}", redact(name)))),
            None => Ok(()),
        }
    }
}
