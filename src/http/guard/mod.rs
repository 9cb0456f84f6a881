//! The guard: what a route asks of a request's key. The adapters for frameworks decide nothing.

mod answer;
mod check;
pub(super) mod credentials;
pub(super) mod headers;
pub(super) mod rejection;
pub(super) mod request;
pub(super) mod source_address;

use std::sync::Arc;

use self::credentials::CredentialSources;
use self::source_address::TrustedProxies;
use crate::value::scope::{Access, Scope};
use crate::verifier::Verifier;

/// Checks the API key of each request, and refuses requests whose key does not allow what the route
/// needs.
///
/// A guard is a `tower::Layer` (feature `tower`), so it protects routers and routes of axum, services
/// of tonic, and anything else that uses tower. It is a `Transform` of actix-web too (feature
/// `actix`). An accepted request has a [`Grant`](crate::Grant) in its extensions. A refused request is
/// answered with a [`Rejection`](crate::http::Rejection), and the handler does not run.
///
/// A new guard asks for an accepted key, and for write access unless the request's method is safe
/// (`GET`, `HEAD`, `OPTIONS`, `TRACE`: RFC 9110 section 9.2.1). **It asks for no scope**: name the
/// scopes of a route with [`require`](Self::require). Clones are cheap.
///
/// ```
/// # #[cfg(feature = "axum")] fn f() -> Result<axum::Router, keywright::Error> {
/// use axum::{Router, routing::{get, post}};
/// use keywright::http::Guard;
/// # use keywright::{Grant, Keywright, Verifier, store::MemoryStore};
/// # async fn list() {}
/// # async fn create() {}
/// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
///
/// let guard = Guard::new(verifier);
/// let routes = Router::new()
///     .route("/invoices", get(list).layer(guard.require("invoices:read".parse()?)))
///     .route("/invoices", post(create).layer(guard.require("invoices:write".parse()?)));
/// # Ok(routes) }
/// ```
///
/// # Guards inside of guards
/// If a request passes two guards over verifiers of one [`Keywright`](crate::Keywright), its key is
/// verified and counted once, by the outermost guard that finds a credential. That guard's settings
/// for credentials and proxies apply, so make all guards from one. The inner guards ask the grant for
/// the scopes and the access that they need. So a guard around a whole router works together with
/// guards with scopes on its routes: a request is let through only if all of them allow it.
#[derive(Clone, Debug)]
#[must_use = "a guard protects only the service that it wraps"]
pub struct Guard(Arc<Settings>);

#[derive(Clone, Debug)]
struct Settings {
    verifier: Verifier,
    credentials: CredentialSources,
    proxies: Option<TrustedProxies>,
    scopes: Vec<Scope>,
    access: NeededAccess,
    optional: bool,
    strips_credential: bool,
    grpc: bool,
}

/// The access that a request needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NeededAccess {
    ByMethod,
    Always(Access),
    /// Guards and handlers inside ask for it.
    LeftToHandler,
}

impl Guard {
    /// Creates a guard that asks for an accepted key, and for write access on methods that are not
    /// safe.
    pub fn new(verifier: Verifier) -> Self {
        Self(Arc::new(Settings {
            verifier,
            credentials: CredentialSources::default(),
            proxies: None,
            scopes: Vec::new(),
            access: NeededAccess::ByMethod,
            optional: false,
            strips_credential: false,
            grpc: false,
        }))
    }

    /// Asks for this scope too, and for a key if the guard was [`optional`](Self::optional).
    pub fn require(&self, scope: Scope) -> Self {
        self.with(|settings| {
            settings.scopes.push(scope);
            settings.optional = false;
        })
    }

    /// Asks for this access, whatever the request's method is.
    ///
    /// A search by `POST` changes nothing: allow read-only keys with [`Access::ReadOnly`].
    pub fn access(&self, access: Access) -> Self {
        self.with(|settings| settings.access = NeededAccess::Always(access))
    }

    /// Leaves the access to guards inside and to handlers that take a [`Grant`](crate::Grant).
    ///
    /// Use it on a guard around routes that differ: if the outer guard asks for write access on every
    /// `POST`, no guard inside can undo that. **A route inside with neither a guard nor a handler that
    /// takes a grant is open to read-only keys.**
    pub fn leave_access_to_handler(&self) -> Self {
        self.with(|settings| settings.access = NeededAccess::LeftToHandler)
    }

    /// Lets requests without a credential through, without a [`Grant`](crate::Grant).
    ///
    /// A credential that is not accepted is refused all the same: a client with a dead key gets an error
    /// and does not become an anonymous one. Scopes that were required before are asked only of
    /// requests with a key: **call this last, and only if the handler is safe for anonymous requests**.
    ///
    /// ```
    /// # #[cfg(feature = "axum")] fn f() -> Result<axum::Router, keywright::Error> {
    /// use axum::{Router, routing::get};
    /// use keywright::{Grant, http::Guard};
    /// # use keywright::{Keywright, Verifier, store::MemoryStore};
    /// # let guard = Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
    ///
    /// async fn greet(grant: Option<Grant>) -> String {
    ///     grant.map_or("hello".into(), |grant| format!("hello {}", grant.owner()))
    /// }
    /// let routes = Router::new().route("/", get(greet).layer(guard.optional()));
    /// # Ok(routes.with_state(guard)) }
    /// ```
    pub fn optional(&self) -> Self {
        self.with(|settings| settings.optional = true)
    }

    /// Sets where a request may carry its credential.
    ///
    /// ```
    /// use keywright::http::{CredentialSources, Guard};
    /// # use keywright::{Keywright, Verifier, store::MemoryStore};
    /// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
    ///
    /// let credentials = CredentialSources::default().without_basic().header("X-Acme-Key")?;
    /// let guard = Guard::new(verifier).credentials(credentials);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn credentials(&self, credentials: CredentialSources) -> Self {
        self.with(|settings| settings.credentials = credentials)
    }

    /// Trusts these proxies about the source of a request. Without this setting the source is the
    /// connection's peer.
    pub fn trust_proxies(&self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.proxies = Some(proxies))
    }

    /// Removes the credential from a request before the handler gets it, for a handler that passes
    /// requests to another service.
    ///
    /// The guard must be around the route: an extractor changes no header of a request.
    pub fn strip_credential(&self) -> Self {
        self.with(|settings| settings.strips_credential = true)
    }

    /// Answers in gRPC: status 200 with `grpc-status` and `grpc-message`.
    ///
    /// Every call in gRPC is a `POST`. Allow read-only keys on a method that changes nothing with
    /// [`access`](Self::access).
    pub fn grpc(&self) -> Self {
        self.with(|settings| settings.grpc = true)
    }

    /// Returns this guard with other settings.
    fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.0);
        change(&mut settings);
        Self(Arc::new(settings))
    }
}

impl From<Verifier> for Guard {
    fn from(verifier: Verifier) -> Self {
        Self::new(verifier)
    }
}
