//! A request that a guard refused: the cause for operators, and its row in the table of answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{
    Answer, FORBIDDEN, Form, INVALID, NO_CREDENTIAL, RATE_LIMITED, Row, SEVERAL, UNAVAILABLE,
};
use crate::decision::{Denial, DenialClass, Reason};
use crate::store::StoreError;
use crate::verifier::VerifyError;

/// How long a caller is told to wait while the store is unavailable.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// A refused request, and the answer to it.
///
/// `Display` and the answer say what the caller may learn. [`cause`](Self::cause) says why, for
/// operators. The guard puts the rejection into the extensions of its response, so that a log outside
/// of the guard can print the reason as `key 4fQ2xk9ZrT7bWm1c: the key is revoked`:
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

/// The reason why a request was refused. `Display` is a line for operators, never for callers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RejectionCause {
    /// The request carries no credential: 401.
    NoCredential,
    /// The request carries more than one credential, equal or not: 400. None of them was verified.
    SeveralCredentials,
    /// The credential is not accepted, or not for this request: 401, 403 or 429.
    Denied(Denial),
    /// The credential could not be checked: 503.
    Unavailable(Arc<StoreError>),
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
            Self::Unavailable(error) => write!(f, "the store is unavailable: {error}"),
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

    /// Returns the scope that the key lacks. The needs of a route are no secret from an accepted key.
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

    /// Returns why the request was refused, for operators.
    pub fn cause(&self) -> &RejectionCause {
        &self.cause
    }

    /// Returns the HTTP status of the answer. A guard that answers in gRPC sends 200 and `grpc-status`.
    pub fn status(&self) -> u16 {
        self.cause.row().status
    }

    /// Returns the `code` in the answer's body, for programs: `invalid_token`, `insufficient_scope`.
    pub fn code(&self) -> &'static str {
        self.cause.row().code
    }

    pub(crate) fn answer(&self) -> Answer {
        let Self { cause, form } = self;
        cause.row().answer(*form, cause.retry_after(), cause.missing_scope())
    }
}

/// Answers in HTTP with a challenge for `Bearer`. This is for `?` in a handler that asks a
/// [`Grant`](crate::Grant) for more than its route did.
impl From<Denial> for Rejection {
    fn from(denial: Denial) -> Self {
        Self::new(RejectionCause::Denied(denial), Form::default())
    }
}

/// Answers in HTTP with a challenge for `Bearer`.
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
    fn body_matches_its_row() {
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
    fn cause_names_key_and_reason() {
        let said = causes().map(|(cause, _)| cause.to_string());
        let expected = [
            "the request carries no API key",
            "the request carries more than one API key",
            "key 0123456789ABCDEF: the key is revoked",
            "key 0123456789ABCDEF: the key lacks the scope invoices:read",
            "key 0123456789ABCDEF: the rate of the key is spent; retry after 1.001s",
            "the store is unavailable: page 7 of keys.db",
        ];
        assert_eq!(said, expected);
        assert_eq!(
            RejectionCause::Denied(Denial::malformed()).to_string(),
            "the credential is malformed"
        );
    }

    #[test]
    fn grpc_answer_is_200_without_body() {
        let codes = ["16", "3", "16", "7", "8", "14"];
        for ((cause, _), code) in causes().into_iter().zip(codes) {
            let form = Form { grpc: true, ..Form::default() };
            let answer = Rejection::new(cause, form).answer();
            assert_eq!((answer.status, answer.body), (200, ""));
            assert!(answer.headers.contains(&("grpc-status", code.into())), "{answer:?}");
        }
    }

    #[test]
    fn retry_after_is_rounded_up() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (60_000, "60")] {
            let cause = denied(Reason::RateLimited(Duration::from_millis(millis)));
            let answer = Rejection::new(cause, Form::default()).answer();
            assert!(answer.headers.contains(&("retry-after", seconds.into())), "{answer:?}");
        }
    }
}
