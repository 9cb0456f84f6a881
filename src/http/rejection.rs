//! The one table from what went wrong to status, headers and body. Every face answers from it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::credentials::Challenge;
use crate::decision::{Denial, DenialClass, Reason};
use crate::store::StoreError;
use crate::verifier::VerifyError;

/// How long a caller is told to wait while the store can't be asked.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// A request that was not let through, and the answer to it.
///
/// `Display` and the answer say what the caller may learn, [`cause`](Self::cause) says why. The guard
/// puts it into the extensions of its response, so that a log outside of the guard can tell the reason
/// in one line, as `key 4fQ2xk9ZrT7bWm1c: the key is revoked`:
///
/// ```
/// # #[cfg(feature = "tower")] fn f() {
/// use keywright::http::Rejection;
///
/// fn log<B>(response: &http::Response<B>) {
///     if let Some(rejection) = response.extensions().get::<Rejection>() {
///         eprintln!("{}", rejection.cause());
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    cause: RejectionCause,
    form: Form,
}

/// Why a request was not let through. `Display` is a line for operators, never for callers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RejectionCause {
    /// It carries no credential: 401.
    NoCredential,
    /// It carries more than one, equal or not: 400. None of them was verified.
    SeveralCredentials,
    /// Its credential is not accepted, or not for this: 401, 403 or 429.
    Denied(Denial),
    /// It can't be said whether its credential is accepted: 503.
    Unavailable(Arc<StoreError>),
}

/// In which form to answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    pub(super) challenge: Challenge,
    pub(super) grpc: bool,
}

/// An answer, before it is a framework's.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(super) body: &'static str,
}

/// A row of the table.
struct Row {
    status: u16,
    code: &'static str,
    /// The error code of RFC 6750 section 3.1, for the challenge.
    bearer_error: Option<&'static str>,
    /// The status code of gRPC, for a guard that speaks it.
    grpc: u8,
    detail: &'static str,
    body: &'static str,
}

macro_rules! table {
    ($($name:ident: $status:literal $title:literal, $code:literal, $error:expr, grpc $grpc:literal, $detail:literal;)*) => {$(
        const $name: Row = Row {
            status: $status,
            code: $code,
            bearer_error: $error,
            grpc: $grpc,
            detail: $detail,
            // RFC 9457: with the type about:blank, the title is the phrase of the status.
            body: concat!(
                r#"{"type":"about:blank","title":""#, $title, r#"","status":"#, $status,
                r#","code":""#, $code, r#"","detail":""#, $detail, r#""}"#,
            ),
        };
    )*};
}

table! {
    NO_CREDENTIAL: 401 "Unauthorized", "missing_credential", None, grpc 16,
        "an API key is needed";
    SEVERAL: 400 "Bad Request", "invalid_request", Some("invalid_request"), grpc 3,
        "more than one API key was sent";
    INVALID: 401 "Unauthorized", "invalid_token", Some("invalid_token"), grpc 16,
        "the API key is not accepted";
    FORBIDDEN: 403 "Forbidden", "insufficient_scope", Some("insufficient_scope"), grpc 7,
        "the API key does not allow this";
    RATE_LIMITED: 429 "Too Many Requests", "rate_limited", None, grpc 8,
        "the API key is used too often";
    UNAVAILABLE: 503 "Service Unavailable", "unavailable", None, grpc 14,
        "it can't be said now whether the API key is accepted";
}

impl fmt::Display for RejectionCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential => f.write_str("the request carries no API key"),
            Self::SeveralCredentials => f.write_str("the request carries more than one API key"),
            Self::Denied(denial) => match denial.key_id() {
                Some(key) => write!(f, "key {key}: {}", denial.reason()),
                None => denial.reason().fmt(f),
            },
            Self::Unavailable(error) => write!(f, "the store can't be asked: {error}"),
        }
    }
}

impl std::error::Error for RejectionCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(error) => error.source(),
            _ => None,
        }
    }
}

impl RejectionCause {
    fn row(&self) -> &'static Row {
        match self {
            Self::NoCredential => &NO_CREDENTIAL,
            Self::SeveralCredentials => &SEVERAL,
            Self::Denied(denial) => match denial.class() {
                DenialClass::Invalid => &INVALID,
                DenialClass::Forbidden => &FORBIDDEN,
                DenialClass::RateLimited => &RATE_LIMITED,
            },
            Self::Unavailable(_) => &UNAVAILABLE,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Denied(denial) => denial.retry_after(),
            Self::Unavailable(_) => Some(STORE_RETRY),
            Self::NoCredential | Self::SeveralCredentials => None,
        }
    }

    /// The scope that the key lacks: what the route needs is no secret from a key that is accepted.
    fn missing_scope(&self) -> Option<&str> {
        match self {
            Self::Denied(denial) => match denial.reason() {
                Reason::MissingScope(scope) => Some(scope.as_str()),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Rejection {
    pub(super) fn new(cause: RejectionCause, form: Form) -> Self {
        Self { cause, form }
    }

    /// Why, for operators.
    pub fn cause(&self) -> &RejectionCause {
        &self.cause
    }

    /// The status of the answer in HTTP. (A guard that speaks gRPC answers 200 and its own status.)
    pub fn status(&self) -> u16 {
        self.cause.row().status
    }

    /// The `code` in the answer's body, for programs: `invalid_token`, `insufficient_scope`.
    pub fn code(&self) -> &'static str {
        self.cause.row().code
    }

    pub(super) fn answer(&self) -> Answer {
        if self.form.grpc { self.grpc_answer() } else { self.http_answer() }
    }

    fn http_answer(&self) -> Answer {
        let row = self.cause.row();
        let mut headers: Vec<(_, Cow<'static, str>)> = vec![
            ("content-type", "application/problem+json".into()),
            ("cache-control", "no-store".into()),
        ];
        headers.extend(self.challenge(row).map(|challenge| ("www-authenticate", challenge)));
        headers.extend(self.retry_after_header());
        Answer { status: row.status, headers, body: row.body }
    }

    /// An answer without a message: what gRPC calls trailers only, in the headers.
    fn grpc_answer(&self) -> Answer {
        let row = self.cause.row();
        let mut headers: Vec<(_, Cow<'static, str>)> = vec![
            ("content-type", "application/grpc".into()),
            ("grpc-status", row.grpc.to_string().into()),
            ("grpc-message", row.detail.into()),
        ];
        headers.extend(self.retry_after_header());
        Answer { status: 200, headers, body: "" }
    }

    /// RFC 9110 section 15.5.2 wants a challenge with each 401; errors in it are Bearer's alone.
    fn challenge(&self, row: &Row) -> Option<Cow<'static, str>> {
        match (self.form.challenge, row.bearer_error) {
            (Challenge::Bearer, Some(error)) => Some(match self.cause.missing_scope() {
                Some(scope) => format!(r#"Bearer error="{error}", scope="{scope}""#).into(),
                None => format!(r#"Bearer error="{error}""#).into(),
            }),
            _ if row.status != 401 => None,
            (Challenge::Bearer, None) => Some("Bearer".into()),
            (Challenge::Basic, _) => Some(r#"Basic realm="API", charset="UTF-8""#.into()),
            (Challenge::ApiKey, _) => Some("ApiKey".into()),
        }
    }

    /// In whole seconds, rounded up: whoever comes back then is not too early.
    fn retry_after_header(&self) -> Option<(&'static str, Cow<'static, str>)> {
        let wait = self.cause.retry_after()?;
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(("retry-after", seconds.max(1).to_string().into()))
    }
}

/// In the usual form: HTTP, with a challenge for `Bearer`. For `?` in a handler that asks a
/// [`Grant`](crate::Grant) for more than its route did.
impl From<Denial> for Rejection {
    fn from(denial: Denial) -> Self {
        Self::new(RejectionCause::Denied(denial), Form::default())
    }
}

/// In the usual form.
impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        Self::new(error.into(), Form::default())
    }
}

impl From<VerifyError> for RejectionCause {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Denied(denial) => Self::Denied(denial),
            VerifyError::Unavailable(error) => Self::Unavailable(Arc::new(error)),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause.row().detail)
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(reason: Reason) -> RejectionCause {
        let key_id = "0123456789ABCDEF".parse().expect("an id");
        RejectionCause::Denied(Denial::of(key_id, reason))
    }

    /// One cause for each row, with its status.
    fn causes() -> [(RejectionCause, u16); 6] {
        let scope = "invoices:read".parse().expect("a scope");
        let store = StoreError::corrupt("page 7 of keys.db");
        [
            (RejectionCause::NoCredential, 401),
            (RejectionCause::SeveralCredentials, 400),
            (denied(Reason::Revoked), 401),
            (denied(Reason::MissingScope(scope)), 403),
            (denied(Reason::RateLimited(Duration::from_millis(1_001))), 429),
            (VerifyError::Unavailable(store).into(), 503),
        ]
    }

    #[test]
    fn every_body_is_what_its_row_says() {
        for (cause, status) in causes() {
            let rejection = Rejection::new(cause.clone(), Form::default());
            let (code, answer) = (rejection.code(), rejection.answer());
            assert_eq!((rejection.status(), answer.status), (status, status));
            for part in [
                r#"{"type":"about:blank","#.to_owned(),
                format!(r#""status":{status},"code":"{code}","detail":"{rejection}"}}"#),
            ] {
                assert!(answer.body.contains(&part), "{part} in {}", answer.body);
            }
            if let RejectionCause::Denied(denial) = &cause {
                assert_eq!(rejection.to_string(), denial.to_string());
            }
            assert!(!answer.body.contains("page 7"), "a store's text is for operators");
        }
    }

    #[test]
    fn operators_read_the_key_and_the_reason_and_what_the_store_said() {
        let said = causes().map(|(cause, _)| cause.to_string());
        let expected = [
            "the request carries no API key",
            "the request carries more than one API key",
            "key 0123456789ABCDEF: the key is revoked",
            "key 0123456789ABCDEF: the key lacks the scope invoices:read",
            "key 0123456789ABCDEF: the rate of the key is spent; retry after 1.001s",
            "the store can't be asked: page 7 of keys.db",
        ];
        assert_eq!(said, expected);
        assert_eq!(
            RejectionCause::Denied(Denial::malformed()).to_string(),
            "the credential is malformed"
        );
    }

    #[test]
    fn an_answer_in_grpc_has_no_body_and_the_status_of_http_is_200() {
        let codes = ["16", "3", "16", "7", "8", "14"];
        for ((cause, _), code) in causes().into_iter().zip(codes) {
            let form = Form { grpc: true, ..Form::default() };
            let answer = Rejection::new(cause, form).answer();
            assert_eq!((answer.status, answer.body), (200, ""));
            assert!(answer.headers.contains(&("grpc-status", code.into())), "{answer:?}");
        }
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds_and_never_none() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (60_000, "60")] {
            let cause = denied(Reason::RateLimited(Duration::from_millis(millis)));
            let answer = Rejection::new(cause, Form::default()).answer();
            assert!(answer.headers.contains(&("retry-after", seconds.into())), "{answer:?}");
        }
    }
}
