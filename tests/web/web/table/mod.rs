//! The table: requests as data, each with the one answer that all faces must give.

mod denials;
mod kinds;
mod missing;
mod needs;
mod outages;
pub(crate) mod placeholders;
mod proxies;
mod several;
mod sizes;
mod spellings;
mod tenants;

use std::collections::BTreeSet;

use actix_web::http::header::HeaderValue as HeaderValueOfActix;
use http::HeaderValue;
use keywright::http::Guard;

use crate::exchange::{Answered, Asked, HANDLED};
use crate::faces::{self, Face, Taken};
use crate::paths;
use crate::run;
use crate::site::Site;

use self::placeholders::filled;

/// One request. In header values and in the URI, `{good}` is replaced by a token; see [`words`].
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) guard: fn(&Guard) -> Guard,
    pub(crate) taken: Taken,
    pub(crate) faces: &'static [Face],
    pub(crate) method: &'static str,
    pub(crate) uri: &'static str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) peer: Option<&'static str>,
    pub(crate) answer: Expected,
}

/// A row in one line: its name, its headers, the answer, and its differences from [`ROW`].
macro_rules! row {
    ($name:expr; $($header:literal: $value:expr),* => $answer:expr $(; $field:ident: $setting:expr)*) => {
        $crate::table::Row {
            name: $name,
            headers: &[$(($header, $value)),*],
            answer: $answer,
            $($field: $setting,)*
            ..$crate::table::ROW
        }
    };
}
pub(crate) use row;

/// `GET /invoices` without a header, through every face of a guard that requires no scope.
pub(crate) const ROW: Row = Row {
    name: "",
    guard: Guard::clone,
    taken: Taken::Grant,
    faces: faces::ALL,
    method: "GET",
    uri: "/invoices",
    headers: &[],
    peer: None,
    answer: Expected::CannotBeSent,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// The handler runs with this key.
    Runs(&'static str),
    /// The handler runs without a key, and the store is not read.
    RunsWithout,
    /// The handler does not run. The values are the answer, the precise cause in the response's
    /// extensions, and the number of store reads.
    Refused(Refusal, &'static str, usize),
    /// No header value can hold these bytes, in either version of the type.
    CannotBeSent,
}

/// All parts of an answer that the guard sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) challenge: Option<&'static str>,
    pub(crate) retry_after: Option<&'static str>,
    pub(crate) grpc: Option<(&'static str, &'static str)>,
    pub(crate) body: &'static str,
}

/// A malformed token is refused without a store access.
pub(crate) const MALFORMED: Expected = Expected::Refused(INVALID, "malformed", 0);
pub(crate) const NONE: Expected = Expected::Refused(MISSING, "none", 0);
pub(crate) const TWO: Expected = Expected::Refused(SEVERAL, "several", 0);

pub(crate) const fn denied(cause: &'static str) -> Expected {
    Expected::Refused(INVALID, cause, 1)
}

pub(crate) const MISSING: Refusal = Refusal {
    status: 401,
    challenge: Some("Bearer"),
    retry_after: None,
    grpc: None,
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_credential","detail":"an API key is required"}"#,
};
pub(crate) const SEVERAL: Refusal = Refusal {
    status: 400,
    challenge: Some(r#"Bearer error="invalid_request""#),
    retry_after: None,
    grpc: None,
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"invalid_request","detail":"the request carries more than one API key; send exactly one"}"#,
};
pub(crate) const INVALID: Refusal = Refusal {
    status: 401,
    challenge: Some(r#"Bearer error="invalid_token""#),
    retry_after: None,
    grpc: None,
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"invalid_token","detail":"the API key is not accepted"}"#,
};
pub(crate) const FORBIDDEN: Refusal = Refusal {
    status: 403,
    challenge: Some(r#"Bearer error="insufficient_scope""#),
    retry_after: None,
    grpc: None,
    body: r#"{"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope","detail":"the API key does not allow this"}"#,
};
pub(crate) const LIMITED: Refusal = Refusal {
    status: 429,
    challenge: None,
    retry_after: Some("60"),
    grpc: None,
    body: r#"{"type":"about:blank","title":"Too Many Requests","status":429,"code":"rate_limited","detail":"the API key is used too often"}"#,
};
pub(crate) const UNAVAILABLE: Refusal = Refusal {
    status: 503,
    challenge: None,
    retry_after: Some("1"),
    grpc: None,
    body: r#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"unavailable","detail":"the API key could not be checked; try again later"}"#,
};

impl Refusal {
    /// Returns every header of the answer, sorted by name.
    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let kind =
            if self.grpc.is_some() { "application/grpc" } else { "application/problem+json" };
        let headers = [
            ("cache-control", self.grpc.is_none().then_some("no-store")),
            ("content-type", Some(kind)),
            ("grpc-message", self.grpc.map(|(_, message)| message)),
            ("grpc-status", self.grpc.map(|(status, _)| status)),
            ("retry-after", self.retry_after),
            ("www-authenticate", self.challenge),
        ];
        let sent = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        sent.map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

/// Sends each row to each of its faces.
pub(crate) fn hold(rows: &[Row]) {
    run(async |site| {
        for row in rows {
            row.hold(site).await;
        }
    });
}

impl Row {
    fn asked(&self, site: &Site) -> Asked {
        let uri = String::from_utf8(filled(self.uri, site)).expect("a URI is text");
        let asked = Asked::get().method(self.method).uri(&uri);
        let asked =
            Asked { peer: self.peer.map(|peer| peer.parse().expect("an address")), ..asked };
        let headers = self.headers.iter();
        headers.fold(asked, |asked, (name, value)| asked.header(name, filled(value, site)))
    }

    /// Sends the row to every face and compares the answers.
    pub(crate) async fn hold(&self, site: &Site) {
        let asked = self.asked(site);
        if matches!(self.answer, Expected::CannotBeSent) {
            let refused = |(_, value): &(String, Vec<u8>)| {
                HeaderValue::from_bytes(value).is_err()
                    && HeaderValueOfActix::from_bytes(value).is_err()
            };
            assert!(asked.headers.iter().any(refused), "{}: it can be sent", self.name);
            return;
        }
        let guard = (self.guard)(&site.guard());
        for face in self.faces {
            let before = site.faults.calls();
            let answered = face.ask(&guard, self.taken, &asked).await;
            let calls = site.faults.calls() - before;
            self.compare(site, *face, &answered, calls);
        }
    }

    fn compare(&self, site: &Site, face: Face, answered: &Answered, calls: usize) {
        let place = format!("{} through {face:?}", self.name);
        let (key, expected_calls) = match &self.answer {
            Expected::Runs(name) => (Some(site.id(name)), 1),
            Expected::RunsWithout => (None, 0),
            Expected::Refused(refusal, cause, calls_of_it) => {
                assert_eq!(answered.cause, Some(*cause), "{place}");
                assert_eq!(answered.status, refusal.status, "{place}");
                assert_eq!(answered.headers, refusal.headers(), "{place}");
                let body = self.left_of(refusal.body, face);
                assert_eq!(String::from_utf8_lossy(&answered.body), body, "{place}");
                assert!(answered.seen.is_none(), "{place}: the handler ran");
                assert_eq!(calls, *calls_of_it, "{place}: calls of the store");
                return;
            }
            Expected::CannotBeSent => unreachable!("it was not sent"),
        };
        let (name, value, body) = HANDLED;
        assert_eq!(answered.cause, None, "{place}");
        assert_eq!(answered.status, 200, "{place}");
        assert_eq!(answered.headers, [(name.to_owned(), value.into())], "{place}");
        assert_eq!(String::from_utf8_lossy(&answered.body), self.left_of(body, face), "{place}");
        assert_eq!(answered.key(), key, "{place}");
        assert_eq!(calls, expected_calls, "{place}: calls of the store");
    }

    /// Returns the body that is left. Only here do the frameworks differ: axum's router empties the
    /// body of an answer to HEAD; tower and actix-web leave that to the server.
    fn left_of(&self, body: &'static str, face: Face) -> &'static str {
        let by_router = matches!(face, Face::AxumLayer | Face::AxumExtractor);
        if self.method == "HEAD" && by_router { "" } else { body }
    }
}

#[test]
fn t_h15_table_requests_are_many_and_unique() {
    let subjects: [&[&[Row]]; 11] = [
        &denials::ROWS,
        &kinds::ROWS,
        &missing::ROWS,
        &needs::ROWS,
        &outages::ROWS,
        &[paths::ROWS],
        &proxies::ROWS,
        &several::ROWS,
        &sizes::ROWS,
        &spellings::ROWS,
        &tenants::ROWS,
    ];
    let names: Vec<_> =
        subjects.into_iter().flatten().copied().flatten().map(|row| row.name).collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), different.len());
    assert!(names.len() >= 100, "only {} requests", names.len());
}
