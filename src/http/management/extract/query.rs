//! The extractor for the query of a URL. A handler takes the parameters that it knows; any other
//! parameter is refused.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::http::management::wire::problem::{Code, Problem};
use crate::store::Cursor;
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::redact::redact;
use crate::value::text::decimal;

/// The longest text in `search`, in characters: twice the longest name.
pub(crate) const MAX_SEARCH: usize = 2 * Name::MAX_CHARS;

/// The parameters that the handler has not taken yet.
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(params) =
            params.map_err(|_| invalid("the query is malformed; percent-encode it as UTF-8"))?;
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

/// Creates an `invalid_query` problem.
fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidQuery, detail.into())
}

/// Creates the problem of a parameter that occurs more than once.
fn repeated(name: &str) -> Problem {
    invalid(format!("{name} must not occur more than once")).at(name.to_owned())
}

impl Params {
    /// Takes every value of this parameter.
    fn values(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// Takes the value of this parameter, parsed by `read`.
    pub(crate) fn one<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let values = self.values(name);
        match values.as_slice() {
            [] => Ok(None),
            [value] => read(value)
                .map(Some)
                .map_err(|e| invalid(format!("{name}: {e}")).at(name.to_owned())),
            _ => Err(repeated(name)),
        }
    }

    /// Takes a value of a type of this crate, whose errors never repeat a secret.
    pub(crate) fn value<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one(name, str::parse)
    }

    /// Takes the text to search for. It is compared with every key, so its length is limited.
    pub(crate) fn search(&mut self) -> Result<Option<String>, Problem> {
        self.text("search")
    }

    /// Takes a text of limited length.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.one(name, |text| {
            let fits = text.chars().count() <= MAX_SEARCH;
            fits.then(|| text.to_owned())
                .ok_or_else(|| format!("the text must have at most {MAX_SEARCH} characters"))
        })
    }

    /// Takes every entry `KEY:VALUE` of this parameter. A key that contains a colon cannot be
    /// given.
    pub(crate) fn entries(&mut self, name: &str) -> Result<Vec<(String, String)>, Problem> {
        let entry = |text: &String| {
            let (key, value) = text.split_once(':')?;
            let entry = Metadata::new([(key, value)]).ok()?;
            entry.iter().next().map(|(key, value)| (key.to_owned(), value.to_owned()))
        };
        let entries: Option<Vec<_>> = self.values(name).iter().map(entry).collect();
        let entries = entries.filter(|entries| entries.len() <= Metadata::MAX_ENTRIES);
        entries.ok_or_else(|| {
            let detail = format!(
                "{name}: expected at most {MAX} entries KEY:VALUE, as in team:billing",
                MAX = Metadata::MAX_ENTRIES
            );
            invalid(detail).at(name.to_owned())
        })
    }

    /// Takes a whole number.
    pub(crate) fn number<T: FromStr + ToString>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.one(name, |text| {
            decimal(text).ok_or("expected a whole number in the range of this parameter")
        })
    }

    /// Takes a duration in whole seconds.
    pub(crate) fn seconds(&mut self, name: &str) -> Result<Option<Duration>, Problem> {
        Ok(self.number(name)?.map(Duration::from_secs))
    }

    /// Takes a flag, which is off by default.
    pub(crate) fn switch(&mut self, name: &str) -> Result<bool, Problem> {
        let value = self.one(name, |text| text.parse().map_err(|_| "expected true or false"))?;
        Ok(value.unwrap_or(false))
    }

    /// Takes every value of this parameter as a variant of an enum.
    pub(crate) fn words<T: DeserializeOwned>(&mut self, name: &str) -> Result<Vec<T>, Problem> {
        let read = |value: &String| T::deserialize(value.as_str().into_deserializer());
        let words: Result<_, Error> = self.values(name).iter().map(read).collect();
        // The error of serde repeats the unknown value, which may be a token.
        words.map_err(|_| {
            invalid(format!("{name}: unknown value; see openapi.json for the possible values"))
                .at(name.to_owned())
        })
    }

    /// Takes the value of this parameter as a variant of an enum.
    pub(crate) fn word<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let mut words = self.words(name)?;
        let word = words.pop();
        if !words.is_empty() {
            return Err(repeated(name));
        }
        Ok(word)
    }

    /// Takes the cursor of a page. `after` checks that the cursor belongs to this kind of query.
    pub(crate) fn cursor<Q, E: Display>(
        &mut self,
        query: Q,
        after: impl FnOnce(Q, &Cursor) -> Result<Q, E>,
    ) -> Result<Q, Problem> {
        match self.value::<Cursor>("cursor")? {
            Some(cursor) => {
                after(query, &cursor).map_err(|e| invalid(format!("cursor: {e}")).at("cursor"))
            }
            None => Ok(query),
        }
    }

    /// Returns an error if a parameter is left.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.first() {
            Some((name, _)) => {
                let name = redact(name);
                Err(invalid(format!("unknown parameter {name:?}")).at(name))
            }
            None => Ok(()),
        }
    }
}
