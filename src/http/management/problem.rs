//! Problems: every code with its status, in one table, and the answer that tells it (RFC 9457).

use std::borrow::Cow;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// RFC 9110 section 15.5.2 wants a challenge with each 401. It is not `Bearer`: a key never manages
/// keys, so no client should try one.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Login realm="API keys""#);
/// In seconds. What failed is the store, the random source or a race: all pass soon or not at all.
const RETRY: HeaderValue = HeaderValue::from_static("1");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

macro_rules! codes {
    ($($name:ident = $status:ident $text:literal;)*) => {
        /// What went wrong, for programs. A code that is out keeps its text and its status.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Code {
            $($name,)*
        }

        impl Code {
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            pub(super) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }
        }
    };
}

codes! {
    InvalidQuery = BAD_REQUEST "invalid_query";
    MalformedJson = BAD_REQUEST "malformed_json";
    InvalidPrecondition = BAD_REQUEST "invalid_precondition";
    PreconditionNotSupported = BAD_REQUEST "precondition_not_supported";
    LoginRequired = UNAUTHORIZED "login_required";
    UpgradeRequired = PAYMENT_REQUIRED "upgrade_required";
    PermissionDenied = FORBIDDEN "permission_denied";
    NotFound = NOT_FOUND "not_found";
    KeyNotFound = NOT_FOUND "key_not_found";
    AccountNotFound = NOT_FOUND "account_not_found";
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed";
    AccessOff = CONFLICT "access_off";
    AccountDisabled = CONFLICT "account_disabled";
    TooManyKeys = CONFLICT "too_many_keys";
    WrongStatus = CONFLICT "wrong_status";
    Stale = PRECONDITION_FAILED "stale";
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type";
    InvalidBody = UNPROCESSABLE_ENTITY "invalid_body";
    InvalidName = UNPROCESSABLE_ENTITY "invalid_name";
    ExpiryRequired = UNPROCESSABLE_ENTITY "expiry_required";
    ExpiryPassed = UNPROCESSABLE_ENTITY "expiry_passed";
    ZeroLifetime = UNPROCESSABLE_ENTITY "zero_lifetime";
    LifetimeOverflow = UNPROCESSABLE_ENTITY "lifetime_overflow";
    LifetimeTooLong = UNPROCESSABLE_ENTITY "lifetime_too_long";
    NeverValid = UNPROCESSABLE_ENTITY "never_valid";
    ScopeOutsideCeiling = UNPROCESSABLE_ENTITY "scope_outside_ceiling";
    RateAboveLimit = UNPROCESSABLE_ENTITY "rate_above_limit";
    SetByAdministrator = UNPROCESSABLE_ENTITY "set_by_administrator";
    OverlapTooLong = UNPROCESSABLE_ENTITY "overlap_too_long";
    UnknownRole = UNPROCESSABLE_ENTITY "unknown_role";
    InvalidMaxKeys = UNPROCESSABLE_ENTITY "invalid_max_keys";
    DefaultAboveMax = UNPROCESSABLE_ENTITY "default_above_max";
    NotWholeSeconds = UNPROCESSABLE_ENTITY "not_whole_seconds";
    EventRetentionTooShort = UNPROCESSABLE_ENTITY "event_retention_too_short";
    TooManyRoles = UNPROCESSABLE_ENTITY "too_many_roles";
    InvalidNamePattern = UNPROCESSABLE_ENTITY "invalid_name_pattern";
    PreconditionRequired = PRECONDITION_REQUIRED "precondition_required";
    RandomSourceFailed = SERVICE_UNAVAILABLE "random_source_failed";
    Contended = SERVICE_UNAVAILABLE "contended";
    Unavailable = SERVICE_UNAVAILABLE "unavailable";
}

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) code: Code,
    /// A sentence for people. Whatever it repeats of a request is shortened and no secret.
    detail: Cow<'static, str>,
    /// Whether the authority was asked: it records what it refuses.
    was_asked: bool,
}

/// In the extensions of an answer: the request was refused before the authority was asked, so
/// nothing is recorded of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unasked(pub(super) Code);

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), was_asked: false }
    }

    /// The same, of an answer of the authority.
    pub(super) fn of_authority(self) -> Self {
        Self { was_asked: true, ..self }
    }

    /// As in a body.
    pub(super) fn view(&self) -> ProblemView {
        let status = self.code.status();
        ProblemView {
            // With the type about:blank, the title is the phrase of the status.
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: self.detail.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ProblemView {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: Cow<'static, str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut response = (status, axum::Json(self.view())).into_response();
        if !self.was_asked {
            response.extensions_mut().insert(Unasked(self.code));
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        match status {
            StatusCode::UNAUTHORIZED => headers.insert(WWW_AUTHENTICATE, CHALLENGE),
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(RETRY_AFTER, RETRY),
            _ => None,
        };
        response
    }
}
