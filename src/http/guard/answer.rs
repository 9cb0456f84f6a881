//! The table of answers to refused requests: status, headers and body, the same for every
//! framework.

use std::borrow::Cow;
use std::time::Duration;

/// The form in which a guard answers a refused request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    pub(super) challenge: Challenge,
    pub(super) grpc: bool,
}

/// The scheme in the `WWW-Authenticate` header of an answer (RFC 9110 section 11.6.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Challenge {
    #[default]
    Bearer,
    Basic,
    /// The scheme if only a header is read. No registered scheme fits.
    ApiKey,
}

/// The response to a refused request, before it is converted to the type of a framework.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) body: &'static str,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) status: u16,
    pub(super) code: &'static str,
    /// The error code of RFC 6750 section 3.1, for the challenge.
    bearer_error: Option<&'static str>,
    /// The gRPC status code, for a guard that answers in gRPC.
    grpc: u8,
    pub(super) detail: &'static str,
    body: &'static str,
}

macro_rules! table {
    ($($name:ident: $status:literal $title:literal, $code:literal, $error:expr, grpc $grpc:literal, $detail:literal;)*) => {$(
        pub(super) const $name: Row = Row {
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
        "an API key is required";
    SEVERAL: 400 "Bad Request", "invalid_request", Some("invalid_request"), grpc 3,
        "the request carries more than one API key; send exactly one";
    INVALID: 401 "Unauthorized", "invalid_token", Some("invalid_token"), grpc 16,
        "the API key is not accepted";
    FORBIDDEN: 403 "Forbidden", "insufficient_scope", Some("insufficient_scope"), grpc 7,
        "the API key does not allow this";
    RATE_LIMITED: 429 "Too Many Requests", "rate_limited", None, grpc 8,
        "the API key is used too often";
    UNAVAILABLE: 503 "Service Unavailable", "unavailable", None, grpc 14,
        "the API key could not be checked; try again later";
}

impl Row {
    /// Builds the answer of this row. `retry_after` is the time that the caller should wait, and
    /// `missing_scope` is the scope that the key lacks.
    pub(super) fn answer(
        &self,
        form: Form,
        retry_after: Option<Duration>,
        missing_scope: Option<&str>,
    ) -> Answer {
        let retry_after = retry_after.map(|wait| ("retry-after", whole_seconds(wait).into()));
        if form.grpc {
            return self.grpc_answer(retry_after);
        }
        let mut headers: Vec<(_, Cow<'static, str>)> = vec![
            ("content-type", "application/problem+json".into()),
            ("cache-control", "no-store".into()),
        ];
        let challenge = self.challenge(form.challenge, missing_scope);
        headers.extend(challenge.map(|challenge| ("www-authenticate", challenge)));
        headers.extend(retry_after);
        Answer { status: self.status, headers, body: self.body }
    }

    /// Builds an answer without a message, which gRPC calls trailers-only.
    fn grpc_answer(&self, retry_after: Option<(&'static str, Cow<'static, str>)>) -> Answer {
        let mut headers: Vec<(_, Cow<'static, str>)> = vec![
            ("content-type", "application/grpc".into()),
            ("grpc-status", self.grpc.to_string().into()),
            ("grpc-message", self.detail.into()),
        ];
        headers.extend(retry_after);
        Answer { status: 200, headers, body: "" }
    }

    /// Returns the `WWW-Authenticate` header. RFC 9110 section 15.5.2 requires it for each 401.
    /// Only the Bearer scheme has error codes.
    fn challenge(
        &self,
        challenge: Challenge,
        missing_scope: Option<&str>,
    ) -> Option<Cow<'static, str>> {
        match (challenge, self.bearer_error) {
            (Challenge::Bearer, Some(error)) => Some(match missing_scope {
                Some(scope) => format!(r#"Bearer error="{error}", scope="{scope}""#).into(),
                None => format!(r#"Bearer error="{error}""#).into(),
            }),
            _ if self.status != 401 => None,
            (Challenge::Bearer, None) => Some("Bearer".into()),
            (Challenge::Basic, _) => Some(r#"Basic realm="API", charset="UTF-8""#.into()),
            (Challenge::ApiKey, _) => Some("ApiKey".into()),
        }
    }
}

/// Formats a duration in whole seconds, rounded up and at least 1, so that no caller retries too
/// early.
fn whole_seconds(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1).to_string()
}
