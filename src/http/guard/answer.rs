//! The one table of answers to refused requests: status, headers and body, for every framework.

use std::borrow::Cow;
use std::time::Duration;

/// How a response to a refused request is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    pub(super) challenge: Challenge,
    pub(super) grpc: bool,
}

/// How a refused caller is told to authenticate (RFC 9110 section 11.6.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Challenge {
    #[default]
    Bearer,
    Basic,
    /// For a header of one's own there is no registered scheme.
    ApiKey,
}

/// A response to a refused request, before it is a framework's.
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
    /// The status code of gRPC, for a guard that answers in gRPC.
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
        "the API key could not be checked; try again later";
}

impl Row {
    /// Writes the answer of this row. `retry_after` is how long the caller should wait, and
    /// `missing_scope` the scope that its key lacks.
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

    /// Writes an answer without a message, which gRPC calls trailers only.
    fn grpc_answer(&self, retry_after: Option<(&'static str, Cow<'static, str>)>) -> Answer {
        let mut headers: Vec<(_, Cow<'static, str>)> = vec![
            ("content-type", "application/grpc".into()),
            ("grpc-status", self.grpc.to_string().into()),
            ("grpc-message", self.detail.into()),
        ];
        headers.extend(retry_after);
        Answer { status: 200, headers, body: "" }
    }

    /// RFC 9110 section 15.5.2 requires a challenge with each 401. Only Bearer has errors in it.
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

/// Rounds up and gives at least one second, so that no caller comes back too early.
fn whole_seconds(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1).to_string()
}
