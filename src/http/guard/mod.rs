//! The guard: the checks that a route makes on the key of a request.
//!
//! Every decision is made here, so that each framework answers the same request in the same way.

mod answer;
mod check;
pub(super) mod credentials;
pub(super) mod headers;
pub(super) mod rejection;
pub(super) mod request;
pub(super) mod source_address;
pub(super) mod tenant;

use std::sync::Arc;
use std::time::Duration;

use self::credentials::CredentialSources;
use self::source_address::TrustedProxies;
use self::tenant::{RequestHead, TenantSource};
use crate::value::scope::{Access, Scope};
use crate::verifier::Verifier;

/// Checks the API key of each request and refuses requests that the key does not allow.
///
/// A guard is a `tower::Layer` (feature `tower`), so it protects routers and routes of axum,
/// services of tonic, and any other tower service. It is also a `Transform` of actix-web (feature
/// `actix`). The guide shows a guard in [axum](crate::guide::axum),
/// [actix-web](crate::guide::actix) and [tonic](crate::guide::tonic).
///
/// ```text
/// request --> guard -----------------------------------> handler
///               |  1. finds the credential                 takes the Grant
///               |  2. verifies it for access and scopes
///               |  3. counts the use against the rate
///               v
///             refused: the guard answers, and leaves a Rejection in the response
/// ```
///
/// An accepted request has a [`Grant`](crate::Grant) in its extensions. For a refused request the
/// handler does not run; the guard answers with a [`Rejection`](crate::http::Rejection).
///
/// A new guard requires an accepted key. It also requires write access, unless the method is safe
/// (`GET`, `HEAD`, `OPTIONS`, `TRACE`: RFC 9110 section 9.2.1). **It requires no scope**: add the
/// scopes of a route with [`require`](Self::require). Clones are cheap.
///
/// ```
/// # #[cfg(not(feature = "axum"))] fn main() {}
/// # #[cfg(feature = "axum")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
/// # use axum::{body::Body, http::Request};
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
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
/// use axum::{Router, routing::{get, post}};
/// use keywright::http::Guard;
///
/// let guard = Guard::new(keywright.verifier());
/// let app: Router = Router::new()
///     .route("/invoices", get(list).layer(guard.require("invoices:read".parse()?)))
///     .route("/invoices", post(create).layer(guard.require("invoices:write".parse()?)));
///
/// // The key behind this token has the scope `invoices:read` only.
/// assert_eq!(status(&app, "GET", "/invoices", Some(token)).await, 200);
/// assert_eq!(status(&app, "POST", "/invoices", Some(token)).await, 403);
/// assert_eq!(status(&app, "GET", "/invoices", None).await, 401);
/// # Ok(()) }) }
/// ```
///
/// See [in a web service](crate::guide::web) in the guide.
///
/// # Nested guards
/// A request may pass several guards over verifiers of one [`Keywright`](crate::Keywright). Its key
/// is then verified and counted once, by the outermost guard that finds a credential. The settings
/// of that guard for credentials and proxies apply, so derive all guards from one.
/// [`max_age`](Self::max_age) of an inner guard can make it verify the key again.
///
/// The inner guards check the grant for the tenant, the scopes and the access that they require. A request
/// reaches the handler only if every guard allows it. A denial by an inner guard is counted as a refused use, besides the
/// use that the outer guard has counted. So one guard around a whole router works
/// together with guards on its routes that require scopes.
#[derive(Clone, Debug)]
#[must_use = "a guard protects only the service that it wraps"]
pub struct Guard(Arc<Settings>);

#[derive(Clone, Debug)]
struct Settings {
    verifier: Verifier,
    credentials: CredentialSources,
    proxies: Option<TrustedProxies>,
    tenant: TenantSource,
    max_age: Option<Duration>,
    scopes: Vec<Scope>,
    access: NeededAccess,
    optional: bool,
    strips_credential: bool,
    grpc: bool,
}

/// The access that a request needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NeededAccess {
    /// Read access for safe methods, write access for all others.
    ByMethod,
    Always(Access),
    /// Inner guards and handlers check the access.
    LeftToHandler,
}

impl Guard {
    /// Creates a guard that requires an accepted key, and write access for methods that are not
    /// safe.
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
    /// let guard = Guard::new(keywright.verifier());
    /// let app: Router = Router::new().route("/invoices", get(list)).layer(guard);
    /// assert_eq!(status(&app, "GET", "/invoices", Some(token)).await, 200);
    /// assert_eq!(status(&app, "GET", "/invoices", None).await, 401);
    /// # Ok(()) }) }
    /// ```
    pub fn new(verifier: Verifier) -> Self {
        Self(Arc::new(Settings {
            verifier,
            credentials: CredentialSources::default(),
            proxies: None,
            tenant: TenantSource::default(),
            max_age: None,
            scopes: Vec::new(),
            access: NeededAccess::ByMethod,
            optional: false,
            strips_credential: false,
            grpc: false,
        }))
    }

    /// Requires one more scope.
    ///
    /// After this call, a guard that was [`optional`](Self::optional) requires a key again.
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
    /// let read = guard.require("invoices:read".parse()?);
    /// let copy = read.require("invoices:write".parse()?); // requires both scopes
    /// let app: Router = Router::new()
    ///     .route("/invoices", get(list).layer(read))
    ///     .route("/copies", post(create).layer(copy));
    /// // The key has the scope `invoices:read` only.
    /// assert_eq!(status(&app, "GET", "/invoices", Some(token)).await, 200);
    /// assert_eq!(status(&app, "POST", "/copies", Some(token)).await, 403);
    /// # Ok(()) }) }
    /// ```
    pub fn require(&self, scope: Scope) -> Self {
        self.with(|settings| {
            settings.scopes.push(scope);
            settings.optional = false;
        })
    }

    /// Requires this access for every HTTP method.
    ///
    /// Use [`Access::ReadOnly`] for a `POST` that changes nothing, such as a search. Read-only keys
    /// can then call it.
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
    /// # use keywright::{Access, Name, NewAccount, Owner, Role, RoleName};
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("analyst")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, host) = (keywright.authority(), Actor::administrator(UserId::new("host")?));
    /// # let account = NewAccount::new(Name::new("nightly-report")?, RoleName::new("analyst")?).read_only();
    /// # let owner = Owner::Account(authority.create_account(&host, account).await?.account.id);
    /// # let new = NewKey::named("prod-nightly")?.owner(owner);
    /// # let issued = authority.generate(&host, new).await?;
    /// # let read_only = issued.token.expose();
    /// # let guard = Guard::new(keywright.verifier());
    /// let search = guard.access(Access::ReadOnly);
    /// let app: Router = Router::new()
    ///     .route("/invoices/search", post(list).layer(search))
    ///     .route("/invoices", post(create).layer(guard));
    /// // The key belongs to a read-only service account.
    /// assert_eq!(status(&app, "POST", "/invoices/search", Some(read_only)).await, 200);
    /// assert_eq!(status(&app, "POST", "/invoices", Some(read_only)).await, 403);
    /// # Ok(()) }) }
    /// ```
    pub fn access(&self, access: Access) -> Self {
        self.with(|settings| settings.access = NeededAccess::Always(access))
    }

    /// Leaves the access check to inner guards and to handlers that take a [`Grant`](crate::Grant).
    ///
    /// Use it for a guard around routes that need different access. Without this setting, the outer
    /// guard requires write access for every `POST`, even if an inner guard requires less. **A
    /// route inside this guard is open to read-only keys if it has no guard of its own and its
    /// handler takes no grant.**
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
    /// # use keywright::{Access, Name, NewAccount, Owner, Role, RoleName};
    /// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # policy.plan.roles.insert(RoleName::new("analyst")?, Role::new("invoices:read".parse()?));
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, host) = (keywright.authority(), Actor::administrator(UserId::new("host")?));
    /// # let account = NewAccount::new(Name::new("nightly-report")?, RoleName::new("analyst")?).read_only();
    /// # let owner = Owner::Account(authority.create_account(&host, account).await?.account.id);
    /// # let new = NewKey::named("prod-nightly")?.owner(owner);
    /// # let issued = authority.generate(&host, new).await?;
    /// # let read_only = issued.token.expose();
    /// # let guard = Guard::new(keywright.verifier());
    /// let search = guard.access(Access::ReadOnly);
    /// let app: Router = Router::new()
    ///     .route("/invoices/search", post(list).layer(search))
    ///     .route("/invoices", post(create).layer(guard.clone()))
    ///     .layer(guard.leave_access_to_handler());
    /// // The key belongs to a read-only service account.
    /// assert_eq!(status(&app, "POST", "/invoices/search", Some(read_only)).await, 200);
    /// assert_eq!(status(&app, "POST", "/invoices", Some(read_only)).await, 403);
    /// # Ok(()) }) }
    /// ```
    pub fn leave_access_to_handler(&self) -> Self {
        self.with(|settings| settings.access = NeededAccess::LeftToHandler)
    }

    /// Lets requests without a credential through to the handler, which then has no
    /// [`Grant`](crate::Grant).
    ///
    /// A request with a credential that is not accepted is still refused. So a client with a
    /// revoked key gets an error, and is not treated as anonymous. Scopes that were required before
    /// apply only to requests with a key. **Call this method last, and only if the handler is safe
    /// for anonymous requests.**
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
    /// use keywright::Grant;
    ///
    /// async fn greet(grant: Option<Grant>) -> String {
    ///     grant.map_or("hello".into(), |grant| format!("hello {}", grant.owner()))
    /// }
    /// let route = get(greet).layer(guard.optional());
    /// let app: Router = Router::new().route("/greeting", route).with_state(guard);
    /// assert_eq!(status(&app, "GET", "/greeting", None).await, 200);
    /// assert_eq!(status(&app, "GET", "/greeting", Some("not a key")).await, 401);
    /// # Ok(()) }) }
    /// ```
    pub fn optional(&self) -> Self {
        self.with(|settings| settings.optional = true)
    }

    /// Sets the places where a request may carry its credential.
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
    /// use keywright::http::CredentialSources;
    ///
    /// let credentials = CredentialSources::default().without_basic().header("X-Acme-Key")?;
    /// let mut app: Router = Router::new()
    ///     .route("/invoices", get(list))
    ///     .layer(guard.credentials(credentials));
    /// let request = Request::get("/invoices").header("x-acme-key", token).body(Body::empty())?;
    /// assert_eq!(app.call(request).await?.status(), 200);
    /// # Ok(()) }) }
    /// ```
    pub fn credentials(&self, credentials: CredentialSources) -> Self {
        self.with(|settings| settings.credentials = credentials)
    }

    /// Reads the source address of a request from a header that these proxies set.
    ///
    /// Without this setting, the source is the peer of the connection. The guard needs the source
    /// address for keys that are bound to networks.
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
    /// # let new = NewKey::named("prod-main-app")?.networks("203.0.113.0/24".parse()?);
    /// # let issued = keywright.authority().generate(&alice, new).await?;
    /// # let token = issued.token.expose();
    /// # let guard = Guard::new(keywright.verifier());
    /// use keywright::http::{PeerAddr, TrustedProxies};
    ///
    /// let guard = guard.trust_proxies(TrustedProxies::new("10.0.0.2".parse()?)?);
    /// let mut app: Router = Router::new().route("/invoices", get(list)).layer(guard);
    /// // The key is bound to the network 203.0.113.0/24.
    /// let request = Request::get("/invoices")
    ///     .extension(PeerAddr("10.0.0.2".parse()?))
    ///     .header("x-forwarded-for", "203.0.113.7")
    ///     .header("x-api-key", token);
    /// assert_eq!(app.call(request.body(Body::empty())?).await?.status(), 200);
    /// # Ok(()) }) }
    /// ```
    pub fn trust_proxies(&self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.proxies = Some(proxies))
    }

    /// Accepts only keys of the tenant that the request names.
    ///
    /// The function finds the id of the tenant in the host name, the path, a header or an extension
    /// of the request. It runs on each request with a credential, so it should be fast. A key of
    /// another tenant is refused like an unknown key (401). If the function returns `None`, every
    /// key is refused with the same answer, and the cause is
    /// [`RejectionCause::NoTenant`](crate::http::RejectionCause::NoTenant).
    ///
    /// Without this setting, the guard accepts keys of all tenants. The handler must then use
    /// [`Grant::tenant`](crate::Grant::tenant).
    ///
    /// ```
    /// # #[cfg(not(feature = "axum"))] fn main() {}
    /// # #[cfg(feature = "axum")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
    /// # use axum::{Router, body::Body, http::Request, routing::{get, post}};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, http::Guard, store::MemoryStore};
    /// # use tower_service::Service;
    /// # async fn list() -> &'static str { "invoice 1" }
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let acme = keywright::TenantId::new("acme")?;
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant(acme);
    /// # let issued = keywright.authority().generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let token = issued.token.expose(); // of a key of the tenant `acme`
    /// # let guard = Guard::new(keywright.verifier());
    /// let guard = guard.tenant_from(|request| request.host()?.strip_suffix(".api.example.com"));
    /// let mut app: Router = Router::new().route("/invoices", get(list)).layer(guard);
    ///
    /// // The key belongs to the tenant `acme`.
    /// let hosts = [("acme.api.example.com", 200), ("globex.api.example.com", 401), ("example.com", 401)];
    /// for (host, status) in hosts {
    ///     let request = Request::get("/invoices").header("host", host).header("x-api-key", token);
    ///     assert_eq!(app.call(request.body(Body::empty())?).await?.status(), status);
    /// }
    /// # Ok(()) }) }
    /// ```
    pub fn tenant_from(
        &self,
        find: impl for<'r> Fn(RequestHead<'r>) -> Option<&'r str> + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.tenant = TenantSource::new(find))
    }

    /// Limits the age of the store's answer for each request.
    ///
    /// Use zero for routes that must see a revoke at once, even on another node: a cache then asks
    /// the store behind it. Without this setting, a cache answers up to its own staleness bound.
    /// Stores that do not cache ignore the setting.
    ///
    /// Inside a guard without this setting, an older answer makes this guard verify the key again.
    /// The use is still counted once. The credential must then still be in the request, so an outer
    /// guard must not [strip](Self::strip_credential) it: otherwise the answer is 401.
    ///
    /// ```
    /// # #[cfg(not(feature = "axum"))] fn main() {}
    /// # #[cfg(feature = "axum")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
    /// # use axum::{Router, body::Body, http::Request, routing::{get, post}};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, http::Guard, store::MemoryStore};
    /// # use tower_service::Service;
    /// # async fn list() -> &'static str { "invoice 1" }
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = keywright.authority().generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let token = issued.token.expose();
    /// # let guard = Guard::new(keywright.verifier());
    /// use std::time::Duration;
    ///
    /// let payment = get(list).layer(guard.max_age(Duration::ZERO));
    /// let mut app: Router = Router::new().route("/payments", payment);
    /// let request = Request::get("/payments").header("x-api-key", token).body(Body::empty())?;
    /// assert_eq!(app.call(request).await?.status(), 200);
    /// # Ok(()) }) }
    /// ```
    pub fn max_age(&self, age: Duration) -> Self {
        self.with(|settings| settings.max_age = Some(age))
    }

    /// Removes the credential from an accepted request before the handler sees it.
    ///
    /// Use it for a handler that forwards requests to another service. The guard must be a layer
    /// around the route. A guard in the router's state, which only the extractor of `Grant` uses,
    /// does not change the headers.
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
    /// use axum::http::HeaderMap;
    ///
    /// async fn forward(headers: HeaderMap) -> String {
    ///     format!("{} headers are forwarded", headers.len())
    /// }
    /// let mut app: Router = Router::new().route("/", get(forward)).layer(guard.strip_credential());
    /// let request = Request::get("/").header("x-api-key", token).body(Body::empty())?;
    /// let body = axum::body::to_bytes(app.call(request).await?.into_body(), 1024).await?;
    /// assert_eq!(body, "0 headers are forwarded");
    /// # Ok(()) }) }
    /// ```
    pub fn strip_credential(&self) -> Self {
        self.with(|settings| settings.strips_credential = true)
    }

    /// Answers refused requests in gRPC: status 200 with the headers `grpc-status` and
    /// `grpc-message`.
    ///
    /// Every gRPC call is a `POST`. For a service that changes nothing, allow read-only keys with
    /// [`access`](Self::access).
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
    /// let mut app: Router = Router::new().route("/acme.Invoices/List", post(list)).layer(guard.grpc());
    /// let request = Request::post("/acme.Invoices/List").body(Body::empty())?;
    /// let response = app.call(request).await?;
    /// assert_eq!(response.status(), 200);
    /// assert_eq!(response.headers()["grpc-status"], "16"); // UNAUTHENTICATED
    /// # Ok(()) }) }
    /// ```
    pub fn grpc(&self) -> Self {
        self.with(|settings| settings.grpc = true)
    }

    /// Returns a copy of this guard with changed settings.
    fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.0);
        change(&mut settings);
        Self(Arc::new(settings))
    }
}

/// Creates a guard with [`Guard::new`].
impl From<Verifier> for Guard {
    fn from(verifier: Verifier) -> Self {
        Self::new(verifier)
    }
}
