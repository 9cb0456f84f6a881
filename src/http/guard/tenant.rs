//! The tenant of a request, which the host finds in its host name, its path, a header or an
//! extension.

use std::fmt;
use std::sync::Arc;

use super::headers::Headers;
use super::rejection::RejectionCause;
use super::request::GuardedRequest;
use crate::value::id::TenantId;

/// The tenant of a request, which the host can set as an extension of the request.
///
/// Use it if your service finds the tenant in another way than from the text of the request, for
/// example in a table of domains. Insert it before the guard runs, and read it with
/// [`RequestHead::tenant`] in [`Guard::tenant_from`](crate::http::Guard::tenant_from).
///
/// ```
/// # #[cfg(feature = "tower")] {
/// use keywright::TenantId;
/// use keywright::http::RequestTenant;
///
/// fn for_tenant<B>(mut request: http::Request<B>, tenant: TenantId) -> http::Request<B> {
///     request.extensions_mut().insert(RequestTenant(tenant));
///     request
/// }
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestTenant(pub TenantId);

/// The parts of a request that can name its tenant.
///
/// [`Guard::tenant_from`](crate::http::Guard::tenant_from) passes it to your function. All parts
/// come from the client, except [`tenant`](Self::tenant). That is safe: a client can only name the
/// tenant of its own key, because the guard refuses every other key.
///
/// ```
/// use keywright::http::RequestHead;
///
/// /// Finds the tenant in `acme.api.example.com`, and without such a host in `/tenants/acme/...`.
/// fn tenant(request: RequestHead<'_>) -> Option<&str> {
///     let in_host = request.host().and_then(|host| host.strip_suffix(".api.example.com"));
///     in_host.or_else(|| request.path().strip_prefix("/tenants/")?.split('/').next())
/// }
/// # use keywright::{Keywright, http::Guard, store::MemoryStore};
/// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
/// let guard = Guard::new(verifier).tenant_from(tenant);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct RequestHead<'r> {
    parts: &'r dyn Parts,
    tenant: Option<&'r RequestTenant>,
}

impl<'r> RequestHead<'r> {
    /// Returns the host name of the request, without the port.
    ///
    /// It comes from the target of the request (`:authority` in HTTP/2), or from the header `Host`.
    /// Its letters are in the case that the client sent. Returns `None` if the request has no host,
    /// has several, or if target and header differ.
    ///
    /// ```
    /// # use keywright::{Keywright, http::Guard, store::MemoryStore};
    /// # let guard = Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
    /// let guard = guard.tenant_from(|request| request.host()?.strip_suffix(".api.example.com"));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn host(&self) -> Option<&'r str> {
        let header = match self.parts.values("host") {
            Values::None => None,
            Values::One(host) => Some(std::str::from_utf8(host).ok()?),
            Values::Several => return None,
        };
        let authority = match (self.parts.authority(), header) {
            (Some(target), Some(header)) if !target.eq_ignore_ascii_case(header) => return None,
            (target, header) => target.or(header)?,
        };
        let host = match authority.rsplit_once(':') {
            // The last colon of `[2001:db8::1]` is in the address.
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        };
        (!host.is_empty() && !host.contains('@')).then_some(host)
    }

    /// Returns the path of the request, as the client sent it, without the query.
    ///
    /// Percent-encoded characters are not decoded. In axum, a guard inside a nested router sees the
    /// path without the prefix of that router.
    ///
    /// ```
    /// # use keywright::{Keywright, http::Guard, store::MemoryStore};
    /// # let guard = Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
    /// // /tenants/acme/invoices
    /// let guard = guard.tenant_from(|request| request.path().split('/').nth(2));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn path(&self) -> &'r str {
        self.parts.path()
    }

    /// Returns the value of a header, or `None` if the header is absent, occurs twice or is not
    /// UTF-8.
    ///
    /// ```
    /// # use keywright::{Keywright, http::Guard, store::MemoryStore};
    /// # let guard = Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
    /// let guard = guard.tenant_from(|request| request.header("x-acme-tenant"));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&'r str> {
        match self.parts.values(name) {
            Values::One(value) => std::str::from_utf8(value).ok(),
            Values::None | Values::Several => None,
        }
    }

    /// Returns the tenant that the host has set as a [`RequestTenant`] extension.
    ///
    /// ```
    /// # use keywright::{Keywright, http::Guard, store::MemoryStore};
    /// # let guard = Guard::new(Keywright::builder(MemoryStore::new()).build()?.verifier());
    /// let guard = guard.tenant_from(|request| request.tenant());
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn tenant(&self) -> Option<&'r str> {
        self.tenant.map(|RequestTenant(tenant)| tenant.as_str())
    }
}

/// Shows no header, because it may be a credential.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("host", &self.host())
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// The values of a header.
enum Values<'r> {
    None,
    One(&'r [u8]),
    Several,
}

/// The request of any framework, as the host's function sees it.
trait Parts {
    fn authority(&self) -> Option<&str>;
    fn path(&self) -> &str;
    fn values(&self, header: &str) -> Values<'_>;
}

impl<R: GuardedRequest> Parts for R {
    fn authority(&self) -> Option<&str> {
        GuardedRequest::authority(self)
    }

    fn path(&self) -> &str {
        GuardedRequest::path(self)
    }

    fn values(&self, header: &str) -> Values<'_> {
        let mut values = self.headers().values(header);
        match (values.next(), values.next()) {
            (None, _) => Values::None,
            (Some(value), None) => Values::One(value),
            (Some(_), Some(_)) => Values::Several,
        }
    }
}

type Find = dyn for<'r> Fn(RequestHead<'r>) -> Option<&'r str> + Send + Sync;

/// The host's function that finds the tenant of a request, if there is one.
#[derive(Clone, Default)]
pub(super) struct TenantSource(Option<Arc<Find>>);

impl TenantSource {
    pub(super) fn new(
        find: impl for<'r> Fn(RequestHead<'r>) -> Option<&'r str> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(find)))
    }

    /// Returns the tenant that the request names, or `None` if the guard accepts every tenant.
    ///
    /// `extension` is the one of the same request. The text need not be a tenant id: any other text
    /// matches no key.
    pub(super) fn tenant<'r, R: GuardedRequest>(
        &self,
        request: &'r R,
        extension: Option<&'r RequestTenant>,
    ) -> Result<Option<&'r str>, RejectionCause> {
        let Some(find) = &self.0 else { return Ok(None) };
        let named = find(RequestHead { parts: request, tenant: extension });
        named.map(Some).ok_or(RejectionCause::NoTenant)
    }
}

impl fmt::Debug for TenantSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}
