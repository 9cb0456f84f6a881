//! Rejections: the cause of a refusal for operators, and its row in the table of answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{
    Answer, FORBIDDEN, Form, INVALID, NO_CREDENTIAL, RATE_LIMITED, Row, SEVERAL, UNAVAILABLE,
};
use crate::decision::{Denial, DenialClass, Reason};
use crate::store::StoreError;
use crate::verifier::VerifyError;

/// The value of `Retry-After` while the store is unavailable.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// The refusal of a request by a guard, and the answer to it.
///
/// `Display` and the answer contain only what the caller may learn. [`cause`](Self::cause) returns
/// the reason for operators. The guide lists [the answers](crate::guide::web#the-answers).
///
/// The guard puts the rejection into the extensions of its response. A log layer outside of the
/// guard can print the reason, for example `key 4fQ2xk9ZrT7bWm1c: the key is revoked`:
///
/// ```
/// # #[cfg(not(feature = "axum"))] fn main() {}
/// # #[cfg(feature = "axum")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use axum::{Router, body::Body, http::Request, routing::{get, post}};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, http::Guard, store::MemoryStore};
/// # use tower_service::Service;
/// # async fn list() -> &'static str { "invoice 1" }
/// # async fn create() -> &'static str { "invoice 2" }
/// # async fn status(app: &Router, method: &str, path: &str, key: Option<&str>) -> u16 {
/// #     let request = Request::builder().method(method).uri(path);
/// #     let request = key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
/// #     let request = request.body(Body::empty()).expect("a request");
/// #     app.clone().call(request).await.expect("infallible").status().as_u16()
/// # }
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = keywright.authority().generate(&alice, new).await?;
/// # let token = issued.token.expose();
/// # let guard = Guard::new(keywright.verifier());
/// use keywright::http::Rejection;
///
/// let mut app: Router = Router::new().route("/invoices", get(list)).layer(guard);
/// let request = Request::get("/invoices").header("x-api-key", "not a key").body(Body::empty())?;
/// let response = app.call(request).await?;
/// let rejection = response.extensions().get::<Rejection>().ok_or("the guard left no rejection")?;
/// assert_eq!(rejection.to_string(), "the API key is not accepted");
/// assert_eq!(rejection.cause().to_string(), "the credential is malformed");
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    cause: RejectionCause,
    form: Form,
}

/// The reason why a guard refused a request.
///
/// `Display` prints one line for operators. Do not show it to callers.
///
/// ```
/// use keywright::http::{Rejection, RejectionCause};
///
/// /// Counts refusals by reason, without the text of any request.
/// fn label(rejection: &Rejection) -> &'static str {
///     match rejection.cause() {
///         RejectionCause::NoCredential => "no_credential",
///         RejectionCause::Denied(denial) => denial.reason().code(), // "revoked", "missing_scope"
///         RejectionCause::Unavailable(_) => "store_unavailable",
///         _ => "other",
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RejectionCause {
    /// The request carries no credential: 401.
    NoCredential,
    /// The request carries more than one credential: 400. None of them is verified, even if they
    /// are equal.
    SeveralCredentials,
    /// The request does not name its tenant, and [`Guard::tenant_from`] requires it: 401, like a
    /// key that is not accepted. The credential is not verified.
    ///
    /// [`Guard::tenant_from`]: crate::http::Guard::tenant_from
    NoTenant,
    /// The credential is not accepted (401), its key does not allow this request (403), or its key
    /// has used up its rate (429).
    Denied(Denial),
    /// The store could not be reached, or its answer cannot be used: 503.
    Unavailable(Arc<StoreError>),
}

impl fmt::Display for RejectionCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential => f.write_str("the request carries no API key"),
            Self::SeveralCredentials => f.write_str("the request carries more than one API key"),
            Self::NoTenant => f.write_str("the request does not name its tenant"),
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
            Self::NoTenant => &INVALID,
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
            Self::NoCredential | Self::SeveralCredentials | Self::NoTenant => None,
        }
    }

    /// Returns the scope that the key lacks. The holder of an accepted key may learn what a route
    /// requires.
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

    /// Returns the reason of the refusal, for operators.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
    /// use keywright::http::Rejection;
    ///
    /// let error = verifier.verify("not a token").await.expect_err("the token is malformed");
    /// let rejection = Rejection::from(error);
    /// assert_eq!(rejection.cause().to_string(), "the credential is malformed");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn cause(&self) -> &RejectionCause {
        &self.cause
    }

    /// Returns the HTTP status: 400, 401, 403, 429 or 503.
    ///
    /// A guard that answers in gRPC sends 200 and a `grpc-status` instead.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
    /// use keywright::http::Rejection;
    ///
    /// let error = verifier.verify("not a token").await.expect_err("the token is malformed");
    /// assert_eq!(Rejection::from(error).status(), 401);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn status(&self) -> u16 {
        self.cause.row().status
    }

    /// Returns the `code` in the body of the answer, such as `invalid_token` or
    /// `insufficient_scope`, for programs.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
    /// use keywright::http::Rejection;
    ///
    /// let error = verifier.verify("not a token").await.expect_err("the token is malformed");
    /// assert_eq!(Rejection::from(error).code(), "invalid_token");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn code(&self) -> &'static str {
        self.cause.row().code
    }

    pub(crate) fn answer(&self) -> Answer {
        let Self { cause, form } = self;
        cause.row().answer(*form, cause.retry_after(), cause.missing_scope())
    }
}

/// Converts a denial into an answer in HTTP with a challenge for `Bearer`, for `?` in a handler
/// that checks its [`Grant`](crate::Grant):
///
/// ```
/// use keywright::http::Rejection;
/// use keywright::{Grant, Scope};
///
/// async fn export(grant: Grant, needed: Scope) -> Result<String, Rejection> {
///     grant.require(&needed)?;
///     Ok(format!("the invoices of {}", grant.tenant()))
/// }
/// ```
impl From<Denial> for Rejection {
    fn from(denial: Denial) -> Self {
        Self::new(RejectionCause::Denied(denial), Form::default())
    }
}

/// Converts the error into an answer in HTTP with a challenge for `Bearer`.
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

    /// Returns at least one cause for each row, with its status.
    fn causes() -> [(RejectionCause, u16); 7] {
        let scope = "invoices:read".parse().expect("a scope");
        let store = StoreError::corrupt("page 7 of keys.db");
        [
            (RejectionCause::NoCredential, 401),
            (RejectionCause::SeveralCredentials, 400),
            (RejectionCause::NoTenant, 401),
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
            "the request does not name its tenant",
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
        let codes = ["16", "3", "16", "16", "7", "8", "14"];
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
