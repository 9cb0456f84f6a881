//! A request and its answer, in the words of no framework.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use keywright::http::{Rejection, RejectionCause};
use keywright::{Grant, KeyId};

/// What the handler answers with, where it runs.
pub(crate) const HANDLED: (&str, &str, &str) = ("x-handler", "ran", "handled");

/// A request. Header values are bytes, as on the wire.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: Option<IpAddr>,
}

/// What came back, and what the handler saw if it ran.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// In the order of their names.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// The cause of the [`Rejection`] in the response's extensions, in one word.
    pub(crate) cause: Option<&'static str>,
    pub(crate) seen: Option<Seen>,
}

/// What a handler saw of its request. `Debug` shows no value of a header.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) key: Option<KeyId>,
    /// Name, value, and whether it is marked as sensitive; in the order of the names.
    pub(crate) headers: Vec<(String, Vec<u8>, bool)>,
    /// The framework's own `Debug` of the request, as a careless log would print it. It is another
    /// one in each framework, and so is not compared.
    pub(crate) printed: Printed,
}

/// Equal to every other.
#[derive(Clone, Default)]
pub(crate) struct Printed(pub(crate) String);

/// Where a handler leaves what it saw.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Vec<Seen>>>);

impl Asked {
    /// `GET /` without a header.
    pub(crate) fn get() -> Self {
        Self { method: "GET".into(), uri: "/".into(), headers: Vec::new(), peer: None }
    }

    pub(crate) fn method(self, method: &str) -> Self {
        Self { method: method.into(), ..self }
    }

    pub(crate) fn uri(self, uri: &str) -> Self {
        Self { uri: uri.into(), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        std::str::from_utf8(value).ok()
    }

    /// The key that the handler was run with.
    #[track_caller]
    pub(crate) fn key(&self) -> Option<KeyId> {
        self.seen.as_ref().expect("the handler ran").key
    }
}

impl Seen {
    pub(crate) fn new(grant: Option<&Grant>, printed: String) -> Self {
        let key = grant.map(|grant| *grant.key_id());
        Self { key, headers: Vec::new(), printed: Printed(printed) }
    }

    /// With the headers that the request had when it came to the handler.
    pub(crate) fn with<'h>(
        mut self,
        headers: impl Iterator<Item = (&'h str, &'h [u8], bool)>,
    ) -> Self {
        let owned = headers.map(|(name, value, is_secret)| (name.into(), value.into(), is_secret));
        self.headers = owned.collect();
        self.headers.sort();
        self
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = self.headers.iter().filter(|(header, ..)| header == name);
        named.map(|(_, value, _)| value.as_slice()).collect()
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value, is_secret)| {
            format!("{name}: {} bytes{}", value.len(), if *is_secret { ", sensitive" } else { "" })
        });
        let headers: Vec<_> = headers.collect();
        let mut shown = f.debug_struct("Seen");
        shown.field("key", &self.key).field("headers", &headers).finish_non_exhaustive()
    }
}

impl Eq for Printed {}

impl PartialEq for Printed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Witness {
    pub(crate) fn note(&self, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    /// What the handler saw since the last call. A request that runs it twice is a failure.
    pub(crate) fn take(&self) -> Option<Seen> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(seen.len() < 2, "the handler ran {} times", seen.len());
        seen.pop()
    }
}

/// The cause of a rejection, in one word.
pub(crate) fn cause(rejection: &Rejection) -> &'static str {
    match rejection.cause() {
        RejectionCause::NoCredential => "none",
        RejectionCause::SeveralCredentials => "several",
        RejectionCause::Denied(denial) => denial.reason().code(),
        RejectionCause::Unavailable(_) => "unavailable",
        other => panic!("a cause that the tests do not know: {other:?}"),
    }
}
