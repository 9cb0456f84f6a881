//! Problems (RFC 9457): the table of every code with its status and detail, and the response.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::record::quantity::Quantity;
use crate::record::requirement::{Requirement, Requirements};
use crate::record::violation::Violation;

/// The challenge that RFC 9110 section 15.5.2 requires for each 401. The scheme is not `Bearer`, so
/// that no client tries to manage keys with a key.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Login realm="API keys""#);
/// The value of `Retry-After`, in seconds. A failed store, a failed random source and a conflict
/// usually pass quickly.
const RETRY: HeaderValue = HeaderValue::from_static("1");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// A version that no record has. It replaces an entity tag that this API did not create, so that
/// the authority still checks permission and existence before it compares the version.
pub(crate) const NO_VERSION: u64 = u64::MAX;

macro_rules! codes {
    ($($name:ident = $status:ident $text:literal $(: $detail:literal)?;)*) => {
        /// The code of a problem, for programs. A released code keeps its text and its status.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Code {
            $($name,)*
        }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }

            /// Returns the detail that every problem of this code has, or `None` if the detail
            /// varies.
            pub(super) const fn fixed_detail(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => codes!(@detail $($detail)?),)*
                }
            }
        }
    };
    (@detail $detail:literal) => { Some($detail) };
    (@detail) => { None };
}

// A text after the code is the whole detail. Without one, the detail is the text of the error. A
// key or an account gets the same detail whether it is absent, belongs to another tenant, is hidden
// from the actor or has a malformed id. The texts of a store or a random source are for operators,
// never for clients.
codes! {
    InvalidQuery = BAD_REQUEST "invalid_query";
    MalformedJson = BAD_REQUEST "malformed_json";
    InvalidPrecondition = BAD_REQUEST "invalid_precondition":
        "If-Match must be one entity tag, such as \"3\", or *";
    PreconditionNotSupported = BAD_REQUEST "precondition_not_supported";
    LoginRequired = UNAUTHORIZED "login_required": "log in to manage API keys";
    UpgradeRequired = PAYMENT_REQUIRED "upgrade_required";
    PermissionDenied = FORBIDDEN "permission_denied";
    CrossSite = FORBIDDEN "cross_site":
        "a page of another site sent this request; a request of your own has the type application/json";
    NotFound = NOT_FOUND "not_found": "the path is unknown; see openapi.json for the routes";
    KeyNotFound = NOT_FOUND "key_not_found": "the key does not exist, or you have no access to it";
    AccountNotFound = NOT_FOUND "account_not_found": "the service account does not exist";
    UserNotFound = NOT_FOUND "user_not_found":
        "the path has no user id: 1 to 128 visible ASCII characters, percent-encoded";
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed":
        "the path does not support this method; see openapi.json for the routes";
    AccessOff = CONFLICT "access_off";
    AccountDisabled = CONFLICT "account_disabled";
    UserSuspended = CONFLICT "user_suspended";
    TooManyKeys = CONFLICT "too_many_keys";
    TicketUsed = CONFLICT "ticket_used";
    WrongStatus = CONFLICT "wrong_status";
    Stale = PRECONDITION_FAILED "stale":
        "the record has another version than If-Match names; read it again, and repeat the change";
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type":
        "the Content-Type must be application/json, in UTF-8";
    InvalidBody = UNPROCESSABLE_ENTITY "invalid_body";
    InvalidName = UNPROCESSABLE_ENTITY "invalid_name";
    ExpiryRequired = UNPROCESSABLE_ENTITY "expiry_required";
    ExpiryPassed = UNPROCESSABLE_ENTITY "expiry_passed";
    ZeroLifetime = UNPROCESSABLE_ENTITY "zero_lifetime";
    LifetimeOverflow = UNPROCESSABLE_ENTITY "lifetime_overflow";
    LifetimeTooLong = UNPROCESSABLE_ENTITY "lifetime_too_long";
    NeverValid = UNPROCESSABLE_ENTITY "never_valid";
    ScopeOutsideCeiling = UNPROCESSABLE_ENTITY "scope_outside_ceiling";
    NoScopeLeft = UNPROCESSABLE_ENTITY "no_scope_left";
    RateAboveLimit = UNPROCESSABLE_ENTITY "rate_above_limit";
    SetByAdministrator = UNPROCESSABLE_ENTITY "set_by_administrator";
    OverlapTooLong = UNPROCESSABLE_ENTITY "overlap_too_long";
    OverlapWhileDisabled = UNPROCESSABLE_ENTITY "overlap_while_disabled";
    UnknownRole = UNPROCESSABLE_ENTITY "unknown_role";
    InvalidMaxKeys = UNPROCESSABLE_ENTITY "invalid_max_keys";
    InvalidAlertPeriod = UNPROCESSABLE_ENTITY "invalid_alert_period";
    DefaultAboveMax = UNPROCESSABLE_ENTITY "default_above_max";
    NotWholeSeconds = UNPROCESSABLE_ENTITY "not_whole_seconds";
    EventRetentionTooShort = UNPROCESSABLE_ENTITY "event_retention_too_short";
    TooManyRoles = UNPROCESSABLE_ENTITY "too_many_roles";
    TooManyScopes = UNPROCESSABLE_ENTITY "too_many_scopes";
    UnknownScope = UNPROCESSABLE_ENTITY "unknown_scope";
    InvalidNamePattern = UNPROCESSABLE_ENTITY "invalid_name_pattern";
    BeyondPlan = UNPROCESSABLE_ENTITY "beyond_plan";
    PreconditionRequired = PRECONDITION_REQUIRED "precondition_required":
        "send If-Match with the version of the plan that this request replaces";
    RandomSourceFailed = SERVICE_UNAVAILABLE "random_source_failed":
        "the random source of the service failed; nothing was changed, try again";
    Contended = SERVICE_UNAVAILABLE "contended":
        "too many concurrent changes; nothing was changed, try again";
    Unavailable = SERVICE_UNAVAILABLE "unavailable":
        "the service is unavailable; a change may have been made, so read the record before you repeat one";
}

/// The response to a refused or failed request.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    /// The text for people. Parts of the request are shortened in it, and it never contains a
    /// secret.
    detail: Cow<'static, str>,
    /// The field of the request that is wrong, with its value and the bound.
    field: Option<Cow<'static, str>>,
    value: Option<Quantity>,
    bound: Option<Quantity>,
    /// Set if the authority was called, which records the requests that it refuses.
    was_asked: bool,
    extra: Option<Box<Extra>>,
}

/// A part that few problems have. No problem has both.
#[derive(Debug)]
enum Extra {
    /// Everything that is missing to generate a key.
    Missing(Box<[&'static str]>),
    Cause(Cause),
}

/// The error behind a 503 of the management API, in the extensions of the response.
///
/// A client never gets it. The host logs it in a layer of its own:
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use keywright::http::management::Cause;
///
/// async fn log(request: Request, next: Next) -> Response {
///     let response = next.run(request).await;
///     if let Some(cause) = response.extensions().get::<Cause>() {
///         eprintln!("the management API is unavailable: {}", cause.error());
///     }
///     response
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// Returns the error of the operation, whose source is that of the store or the random source.
    ///
    /// ```
    /// use keywright::http::management::Cause;
    ///
    /// fn logged(cause: &Cause) -> String {
    ///     format!("the management API is unavailable: {}", cause.error())
    /// }
    /// ```
    pub fn error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

/// The mark of a request that was refused before the authority was called, in the extensions of its
/// response. The authority has recorded no event for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unasked(pub(crate) Code);

/// Creates a problem with the fixed detail of its code.
impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code, code.fixed_detail().unwrap_or(code.as_str()))
    }
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self { code, detail, field: None, value: None, bound: None, was_asked: false, extra: None }
    }

    /// Names the field of the request that is wrong.
    pub(crate) fn at(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Adds the field of the request that breaks a limit, with its value and the bound.
    pub(super) fn about(self, violation: Violation) -> Self {
        let Violation { field, value, bound } = violation;
        // The client sent a foreign entity tag, and not this number.
        let value = value.filter(|value| *value != Quantity::Number(NO_VERSION));
        Self { field: Some(field.into()), value, bound, ..self }
    }

    /// Adds everything that is missing to generate a key.
    pub(super) fn missing(self, missing: &Requirements) -> Self {
        let missing = missing.iter().map(Requirement::as_str).collect();
        Self { extra: Some(Box::new(Extra::Missing(missing))), ..self }
    }

    /// Marks the problem as an error of the authority.
    pub(super) fn of_authority(self) -> Self {
        Self { was_asked: true, ..self }
    }

    /// Keeps the error behind a 503, for the host alone.
    pub(super) fn because(self, error: impl Error + Send + Sync + 'static) -> Self {
        if self.code.status() != StatusCode::SERVICE_UNAVAILABLE {
            return self;
        }
        Self { extra: Some(Box::new(Extra::Cause(Cause(Arc::new(error))))), ..self }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Returns the body of the response.
    pub(super) fn view(&self) -> ProblemView {
        let status = self.code.status();
        ProblemView {
            // With the type about:blank, the title is the phrase of the status.
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: self.detail.clone(),
            field: self.field.clone(),
            value: self.value.clone(),
            bound: self.bound.clone(),
            missing: match self.extra.as_deref() {
                Some(Extra::Missing(missing)) => missing.clone(),
                _ => Box::default(),
            },
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
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Quantity>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: Box<[&'static str]>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut response = (status, axum::Json(self.view())).into_response();
        if !self.was_asked {
            response.extensions_mut().insert(Unasked(self.code));
        }
        if let Some(Extra::Cause(cause)) = self.extra.map(|extra| *extra) {
            response.extensions_mut().insert(cause);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::RefusalCode;

    #[test]
    fn guide_lists_every_code_under_its_status() {
        let guide = include_str!("../../../guide/management.md");
        for code in Code::ALL {
            let status = format!("| {} |", code.status().as_u16());
            let mut row = guide.lines().filter(|line| line.starts_with(&status));
            let name = format!("`{}`", code.as_str());
            assert!(row.any(|row| row.contains(&name)), "{status} {name}");
        }
    }

    #[test]
    fn refusal_code_equals_problem_code() {
        // Clients learn less of these, or they are not about one request.
        let only_in_events =
            [RefusalCode::RandomSourceRepeats, RefusalCode::Malformed, RefusalCode::Counted];
        for refusal in RefusalCode::ALL.iter().filter(|code| !only_in_events.contains(code)) {
            let found = Code::ALL.iter().any(|code| code.as_str() == refusal.as_str());
            assert!(found, "{refusal}");
        }
    }
}
