//! A request and its answer, independent of the frameworks.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use keywright::http::{Rejection, RejectionCause};
use keywright::{Grant, KeyId};

/// The answer of the handler.
pub(crate) const HANDLED: (&str, &str, &str) = ("x-handler", "ran", "handled");

/// A request. Header values are bytes, as on the wire.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: Option<IpAddr>,
}

/// An answer, and the request that the handler saw if it ran.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// The headers, sorted by name.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// The cause of the [`Rejection`] in the response's extensions, in one word.
    pub(crate) cause: Option<&'static str>,
    pub(crate) seen: Option<Seen>,
}

/// The request as a handler saw it. `Debug` shows no header value.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) key: Option<KeyId>,
    /// Name, value, and whether it is marked as sensitive; sorted by name.
    pub(crate) headers: Vec<(String, Vec<u8>, bool)>,
    /// The framework's own `Debug` of the request, as a careless log would print it. It differs
    /// between frameworks, so it is not compared.
    pub(crate) printed: Printed,
}

/// A text that counts as equal to every other.
#[derive(Clone, Default)]
pub(crate) struct Printed(pub(crate) String);

/// A place where a handler records its requests.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Vec<Seen>>>);

impl Asked {
    /// Creates `GET /` without a header.
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

    /// Returns the key that the handler was run with.
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

    /// Sets the headers that the request had when it reached the handler.
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

    /// Returns the request that the handler saw since the last call. Panics if one request ran it
    /// twice.
    pub(crate) fn take(&self) -> Option<Seen> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(seen.len() < 2, "the handler ran {} times", seen.len());
        seen.pop()
    }
}

/// Returns the cause of a rejection, in one word.
pub(crate) fn cause(rejection: &Rejection) -> &'static str {
    match rejection.cause() {
        RejectionCause::NoCredential => "none",
        RejectionCause::SeveralCredentials => "several",
        RejectionCause::NoTenant => "no_tenant",
        RejectionCause::Denied(denial) => denial.reason().code(),
        RejectionCause::Unavailable(_) => "unavailable",
        other => panic!("unknown cause: {other:?}"),
    }
}
