//! A call of the management API, and its answer.

use std::fmt::Write;

use serde_json::Value;

/// The router that a call is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Router {
    /// The routes of a tenant.
    Tenant,
    /// The routes of the host's operators, for all tenants.
    Operator,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) router: Router,
    pub(crate) method: &'static str,
    /// The path with its query.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) if_match: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
    pub(crate) tag: Option<String>,
    /// The error of the store behind a 503, which a service does not send.
    pub(crate) cause: Option<String>,
}

impl Call {
    fn new(method: &'static str, path: String, body: Option<Value>) -> Self {
        Self { router: Router::Tenant, method, path, body, if_match: None }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path.into(), None)
    }

    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new("POST", path.into(), Some(body))
    }

    pub(crate) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new("PATCH", path.into(), Some(body))
    }

    pub(crate) fn put(path: impl Into<String>, body: Value) -> Self {
        Self::new("PUT", path.into(), Some(body))
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path.into(), None)
    }

    /// Adds the parameters of the query.
    pub(crate) fn query(mut self, params: &[(&'static str, String)]) -> Self {
        for (name, value) in params {
            let before = if self.path.contains('?') { '&' } else { '?' };
            self.path.push(before);
            self.path.push_str(name);
            self.path.push('=');
            self.path.push_str(&encoded(value));
        }
        self
    }

    pub(crate) fn if_match(self, tag: Option<String>) -> Self {
        Self { if_match: tag, ..self }
    }

    /// Sends the call to the routes of the operators.
    pub(crate) fn of_operator(self) -> Self {
        Self { router: Router::Operator, ..self }
    }

    /// Returns whether the call changes nothing.
    pub(crate) fn only_reads(&self) -> bool {
        self.method == "GET"
    }
}

/// Percent-encodes a text for a path or a query (RFC 3986 section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // A write to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
