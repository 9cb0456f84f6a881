//! What a route asks of a request's key. The faces bring requests of their kind, and decide nothing.

use std::net::IpAddr;
use std::sync::Arc;

use super::credentials::{Challenge, CredentialSources, Headers};
use super::rejection::{Form, Rejection, RejectionCause};
use super::source::TrustedProxies;
use crate::decision::request::AccessRequest;
use crate::decision::{Denial, Grant};
use crate::value::scope::{Access, Scope};
use crate::verifier::Verifier;

/// Lets requests through whose key is accepted and allows what the route needs.
///
/// A guard is a `tower::Layer` (feature `tower`), so it protects routers and routes of axum, services
/// of tonic, and anything else that speaks tower. It is a `Transform` of actix-web too (feature
/// `actix`). What was accepted is a [`Grant`] in the request's extensions; what was not is answered
/// as [`Rejection`] says, and the handler does not run.
///
/// A new guard asks for an accepted key, and for write access unless the request's method is safe
/// (`GET`, `HEAD`, `OPTIONS`, `TRACE`: RFC 9110 section 9.2.1). **It asks for no scope**: say with
/// [`require`](Self::require) what a route needs. Clones are cheap.
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
/// Where a request passes two guards over verifiers of one [`Keywright`](crate::Keywright), its key is verified
/// and counted once, by the outermost that finds a credential: where it may stand and which proxies
/// are believed is for that guard to say, so make all of them from one. The inner ones ask the grant for
/// the scopes and the access that they need. So a guard around a whole router and guards with scopes on
/// its routes go together; whatever one of them refuses is refused.
#[derive(Clone, Debug)]
#[must_use = "a guard protects what it is put around"]
pub struct Guard(Arc<Settings>);

#[derive(Clone, Debug)]
struct Settings {
    verifier: Verifier,
    credentials: CredentialSources,
    proxies: Option<TrustedProxies>,
    scopes: Vec<Scope>,
    access: Needed,
    optional: bool,
    hide: bool,
    grpc: bool,
}

/// Which access a request needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Needed {
    ByMethod,
    Always(Access),
    /// What those inside say.
    Inside,
}

/// Who asks what a guard says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asker {
    /// The guard, around something.
    Guard,
    /// A handler, which is innermost: nobody inside asks for what is left to those inside.
    Handler { is_optional: bool },
}

/// What a face knows of a request.
pub(super) struct Incoming<'r, H> {
    pub(super) headers: &'r H,
    pub(super) is_safe: bool,
    pub(super) peer: Option<IpAddr>,
    pub(super) asker: Asker,
    /// What an outer guard has left in the request's extensions.
    pub(super) earlier: Option<&'r Verified>,
}

/// A grant, and whose it is. It lies in a request's extensions, where only a guard can put it.
#[derive(Clone)]
pub(super) struct Verified {
    pub(super) grant: Grant,
    by: Verifier,
    /// Whether a guard has asked for the access that the request needs.
    access_asked: bool,
}

impl Guard {
    /// Asks for an accepted key.
    pub fn new(verifier: Verifier) -> Self {
        Self(Arc::new(Settings {
            verifier,
            credentials: CredentialSources::default(),
            proxies: None,
            scopes: Vec::new(),
            access: Needed::ByMethod,
            optional: false,
            hide: false,
            grpc: false,
        }))
    }

    /// The same guard, which asks for this scope too, and for a key if it could do without.
    pub fn require(&self, scope: Scope) -> Self {
        self.with(|settings| {
            settings.scopes.push(scope);
            settings.optional = false;
        })
    }

    /// Asks for this access, whatever the request's method is.
    ///
    /// A search by `POST` changes nothing: let read-only keys in with [`Access::ReadOnly`].
    pub fn access(&self, access: Access) -> Self {
        self.with(|settings| settings.access = Needed::Always(access))
    }

    /// Asks for no access, and leaves that to guards inside and to handlers that take a [`Grant`].
    ///
    /// For a guard around routes that differ: one that asks for write access on every `POST` can't be
    /// undone by another inside. **A handler inside with neither is open to read-only keys.**
    pub fn leave_access_to_handler(&self) -> Self {
        self.with(|settings| settings.access = Needed::Inside)
    }

    /// Lets requests through that carry no credential, without a [`Grant`].
    ///
    /// A credential that is not accepted is refused all the same: a client with a dead key is told so,
    /// and does not become an anonymous one. The scopes that were asked for before are asked of whoever
    /// has a key, and of nobody else: **say it last, and only where the handler runs for everybody**.
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

    /// Reads these credentials.
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

    /// Believes these proxies about the source of a request. Without them it is the connection's peer.
    pub fn trust_proxies(&self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.proxies = Some(proxies))
    }

    /// Takes the credential out of a request before it goes on, for a handler that passes requests to
    /// another service. It needs the guard around the route: an extractor changes nothing of a request.
    pub fn strip_credential(&self) -> Self {
        self.with(|settings| settings.hide = true)
    }

    /// Answers in gRPC: status 200 with `grpc-status` and `grpc-message`, as gRPC clients expect it.
    ///
    /// Every call in gRPC is a `POST`. Where a method changes nothing, say so with
    /// [`access`](Self::access).
    pub fn grpc(&self) -> Self {
        self.with(|settings| settings.grpc = true)
    }

    /// The same guard with something else.
    fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.0);
        change(&mut settings);
        Self(Arc::new(settings))
    }

    /// Decides about a request. `None` if it has no credential and needs none.
    pub(super) async fn decide<H: Headers>(
        &self,
        incoming: Incoming<'_, H>,
    ) -> Result<Option<Verified>, Rejection> {
        let decided = match incoming.earlier.filter(|earlier| self.trusts(earlier)) {
            Some(earlier) => self.ask_again(earlier, incoming.is_safe, incoming.asker).map(Some),
            None => self.verify(&incoming).await,
        };
        decided.map_err(|cause| self.reject(cause))
    }

    pub(super) fn reject(&self, cause: RejectionCause) -> Rejection {
        Rejection::new(cause, self.form())
    }

    /// The header to take out of a request that was let through.
    pub(super) fn hidden(&self, headers: &impl Headers) -> Option<&str> {
        self.0.hide.then(|| self.0.credentials.place(headers)).flatten()
    }

    /// The headers that no log may show.
    pub(super) fn sensitive(&self) -> impl Iterator<Item = &str> {
        self.0.credentials.places()
    }

    /// A grant of another verifier says nothing here: it may rest on another store.
    fn trusts(&self, earlier: &Verified) -> bool {
        earlier.by.is_same(&self.0.verifier)
    }

    fn form(&self) -> Form {
        let challenge =
            if self.0.grpc { Challenge::default() } else { self.0.credentials.challenge() };
        Form { challenge, grpc: self.0.grpc }
    }

    fn needed_access(&self, is_safe: bool, asker: Asker) -> Access {
        match self.0.access {
            Needed::Always(access) => access,
            Needed::Inside if asker == Asker::Guard => Access::ReadOnly,
            Needed::ByMethod | Needed::Inside if is_safe => Access::ReadOnly,
            Needed::ByMethod | Needed::Inside => Access::ReadWrite,
        }
    }

    /// Whether with this guard's answer the access that the request needs has been asked for.
    fn settles_access(&self, asker: Asker) -> bool {
        self.0.access != Needed::Inside || asker != Asker::Guard
    }

    /// Asks the grant of an outer guard for what this one needs.
    fn ask_again(
        &self,
        earlier: &Verified,
        is_safe: bool,
        asker: Asker,
    ) -> Result<Verified, RejectionCause> {
        let needed = match self.0.access {
            // A handler leaves it at what the guards around it have asked.
            Needed::ByMethod | Needed::Inside if asker != Asker::Guard && earlier.access_asked => {
                Access::ReadOnly
            }
            _ => self.needed_access(is_safe, asker),
        };
        self.ask(&earlier.grant, needed).map_err(RejectionCause::Denied)?;
        let access_asked = earlier.access_asked || self.settles_access(asker);
        Ok(Verified { access_asked, ..earlier.clone() })
    }

    /// In the order in which a verification does.
    fn ask(&self, grant: &Grant, access: Access) -> Result<(), Denial> {
        if access == Access::ReadWrite {
            grant.require_write()?;
        }
        self.0.scopes.iter().try_for_each(|scope| grant.require(scope))
    }

    async fn verify<H: Headers>(
        &self,
        incoming: &Incoming<'_, H>,
    ) -> Result<Option<Verified>, RejectionCause> {
        let settings = &*self.0;
        let does_without =
            settings.optional || incoming.asker == Asker::Handler { is_optional: true };
        let carried = match settings.credentials.find(incoming.headers) {
            Err(_) => return Err(RejectionCause::SeveralCredentials),
            Ok(None) if does_without => return Ok(None),
            Ok(None) => return Err(RejectionCause::NoCredential),
            Ok(Some(carried)) => carried,
        };
        let Some(credential) = carried.credential() else {
            return Err(RejectionCause::Denied(Denial::malformed()));
        };
        let access = self.needed_access(incoming.is_safe, incoming.asker);
        let mut request = AccessRequest::new(credential).access(access);
        request.source = match (&settings.proxies, incoming.peer) {
            (Some(proxies), Some(peer)) => proxies.source(peer, incoming.headers),
            (_, peer) => peer,
        };
        let request = settings.scopes.iter().fold(request, AccessRequest::scope);
        let grant = settings.verifier.verify_request(&request).await?;
        let access_asked = self.settles_access(incoming.asker);
        Ok(Some(Verified { grant, by: settings.verifier.clone(), access_asked }))
    }
}

impl From<Verifier> for Guard {
    fn from(verifier: Verifier) -> Self {
        Self::new(verifier)
    }
}
