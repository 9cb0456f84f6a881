//! The steps in which a guard checks a request, the same for every framework.

use super::answer::{Challenge, Form};
use super::credentials::Carried;
use super::rejection::{Rejection, RejectionCause};
use super::request::GuardedRequest;
use super::tenant::RequestTenant;
use super::{Guard, NeededAccess};
use crate::decision::request::AccessRequest;
use crate::decision::{Denial, Grant, Reason};
use crate::value::scope::Access;
use crate::verifier::Verifier;

/// The part of a service that calls a guard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asker {
    /// The guard itself, around a route or a whole service.
    Guard,
    /// A handler that takes a grant. The handler is innermost, so it must check the access that the
    /// guards have left open.
    Handler { is_optional: bool },
}

/// A grant with the verifier that issued it. Only a guard can put this type into the extensions of
/// a request.
#[derive(Clone)]
struct Verified {
    grant: Grant,
    by: Verifier,
    /// Set after a guard has checked the access of the request.
    access_asked: bool,
}

impl Guard {
    /// Checks a request and prepares it for the inner service: puts the grant into its extensions,
    /// and marks or removes the headers that may carry a credential.
    pub(crate) async fn admit<R: GuardedRequest>(&self, request: &mut R) -> Result<(), Rejection> {
        for header in self.0.credentials.headers() {
            request.mark_sensitive(header);
        }
        let verified = self.decide(request, Asker::Guard).await?;
        if self.0.strips_credential
            && let Some(header) = self.0.credentials.used_header(request.headers())
        {
            request.remove_header(header);
        }
        // An outer guard may have left the grant of another verifier. It is replaced, even by
        // `None`.
        request.set_extension(verified.as_ref().map(|verified| verified.grant.clone()));
        request.set_extension(verified);
        Ok(())
    }

    /// Checks a request. Returns `None` if it has no credential and needs none.
    async fn decide<R: GuardedRequest>(
        &self,
        request: &R,
        asker: Asker,
    ) -> Result<Option<Verified>, Rejection> {
        // A grant of another verifier proves nothing here: that verifier may use another store.
        let earlier = request.extension::<Verified>();
        let earlier = earlier.filter(|earlier| earlier.by.is_same(&self.0.verifier));
        let decided = match earlier {
            Some(earlier) => self.ask_again(request, earlier, asker).await.map(Some),
            None => self.verify(request, asker).await,
        };
        decided.map_err(|cause| self.reject(cause))
    }

    /// Verifies the credential of a request that no other guard over this verifier has seen.
    async fn verify<R: GuardedRequest>(
        &self,
        incoming: &R,
        asker: Asker,
    ) -> Result<Option<Verified>, RejectionCause> {
        let settings = &*self.0;
        let may_be_absent = settings.optional || asker == Asker::Handler { is_optional: true };
        let carried = match self.credential(incoming)? {
            None if may_be_absent => return Ok(None),
            None => return Err(RejectionCause::NoCredential),
            Some(carried) => carried,
        };
        let extension = incoming.extension();
        let request = self.request(incoming, &carried, extension.as_ref())?;
        let request = request.access(self.needed_access(incoming.is_safe(), asker));
        let request = settings.scopes.iter().fold(request, AccessRequest::scope);
        let grant = settings.verifier.verify_request(&request).await?;
        let access_asked = self.settles_access(asker);
        Ok(Some(Verified { grant, by: settings.verifier.clone(), access_asked }))
    }

    /// Finds the credential of a request.
    fn credential<'r, R: GuardedRequest>(
        &self,
        incoming: &'r R,
    ) -> Result<Option<Carried<'r>>, RejectionCause> {
        let found = self.0.credentials.find(incoming.headers());
        found.map_err(|_| RejectionCause::SeveralCredentials)
    }

    /// Builds the part of an access request that does not depend on the route.
    fn request<'r, R: GuardedRequest>(
        &self,
        incoming: &'r R,
        carried: &'r Carried<'_>,
        extension: Option<&'r RequestTenant>,
    ) -> Result<AccessRequest<'r>, RejectionCause> {
        let Some(credential) = carried.credential() else {
            let denial = Denial::malformed();
            self.0.verifier.observe_denied(&denial);
            return Err(RejectionCause::Denied(denial));
        };
        let mut request = AccessRequest::new(credential);
        request.source = match (&self.0.proxies, incoming.peer()) {
            (Some(proxies), Some(peer)) => proxies.source(peer, incoming.headers()),
            (_, peer) => peer,
        };
        request.tenant = self.0.tenant.tenant(incoming, extension)?;
        Ok(match self.0.max_age {
            Some(age) => request.max_age(age),
            None => request,
        })
    }

    /// Checks that the grant of an outer guard allows what this guard requires.
    async fn ask_again<R: GuardedRequest>(
        &self,
        incoming: &R,
        earlier: Verified,
        asker: Asker,
    ) -> Result<Verified, RejectionCause> {
        let earlier = self.renewed(incoming, earlier).await?;
        let denied = |denial| {
            self.0.verifier.count_denied(&earlier.grant, &denial);
            RejectionCause::Denied(denial)
        };
        let extension = incoming.extension();
        let tenant = self.0.tenant.tenant(incoming, extension.as_ref())?;
        if tenant.is_some_and(|tenant| tenant != earlier.grant.tenant().as_str()) {
            return Err(denied(Denial::of(*earlier.grant.key_id(), Reason::Unrecognized)));
        }
        let is_safe = incoming.is_safe();
        let needed = match self.0.access {
            // The guards around the handler have checked the access already.
            NeededAccess::ByMethod | NeededAccess::LeftToHandler
                if asker != Asker::Guard && earlier.access_asked =>
            {
                Access::ReadOnly
            }
            _ => self.needed_access(is_safe, asker),
        };
        self.ask(&earlier.grant, needed).map_err(denied)?;
        let access_asked = earlier.access_asked || self.settles_access(asker);
        Ok(Verified { access_asked, ..earlier })
    }

    /// Verifies the credential again if the grant of an outer guard is older than this guard allows.
    /// The use stays counted once.
    async fn renewed<R: GuardedRequest>(
        &self,
        incoming: &R,
        earlier: Verified,
    ) -> Result<Verified, RejectionCause> {
        if self.0.max_age.is_none_or(|age| earlier.grant.age().duration() <= age) {
            return Ok(earlier);
        }
        let carried = self.credential(incoming)?.ok_or(RejectionCause::NoCredential)?;
        let extension = incoming.extension();
        let request = self.request(incoming, &carried, extension.as_ref())?;
        let grant = self.0.verifier.renew(&request).await?;
        if grant.key_id() != earlier.grant.key_id() {
            // The outer guard reads other headers, and found another key there.
            return Err(RejectionCause::SeveralCredentials);
        }
        Ok(Verified { grant, ..earlier })
    }

    /// Checks access and scopes in the order of a verification.
    fn ask(&self, grant: &Grant, access: Access) -> Result<(), Denial> {
        if access == Access::ReadWrite {
            grant.require_write()?;
        }
        self.0.scopes.iter().try_for_each(|scope| grant.require(scope))
    }

    fn needed_access(&self, is_safe: bool, asker: Asker) -> Access {
        match self.0.access {
            NeededAccess::Always(access) => access,
            NeededAccess::LeftToHandler if asker == Asker::Guard => Access::ReadOnly,
            NeededAccess::ByMethod | NeededAccess::LeftToHandler if is_safe => Access::ReadOnly,
            NeededAccess::ByMethod | NeededAccess::LeftToHandler => Access::ReadWrite,
        }
    }

    /// Returns whether this guard checks the access that the request needs.
    fn settles_access(&self, asker: Asker) -> bool {
        self.0.access != NeededAccess::LeftToHandler || asker != Asker::Guard
    }

    fn reject(&self, cause: RejectionCause) -> Rejection {
        let grpc = self.0.grpc;
        let challenge = if grpc { Challenge::default() } else { self.0.credentials.challenge() };
        Rejection::new(cause, Form { challenge, grpc })
    }
}

/// The checks of the extractors.
#[cfg(any(feature = "actix", feature = "axum"))]
impl Guard {
    /// Checks the request of a handler that takes a grant.
    ///
    /// # Errors
    /// [`Rejection`] if the request carries no credential, or one that is refused.
    pub(crate) async fn grant<R: GuardedRequest>(
        &self,
        request: &mut R,
    ) -> Result<Grant, Rejection> {
        let grant = self.extract(request, false).await?;
        grant.ok_or_else(|| self.reject(RejectionCause::NoCredential))
    }

    /// Checks the request of a handler that takes an optional grant.
    ///
    /// # Errors
    /// [`Rejection`] if the request carries a credential that is refused.
    pub(crate) async fn optional_grant<R: GuardedRequest>(
        &self,
        request: &mut R,
    ) -> Result<Option<Grant>, Rejection> {
        self.extract(request, true).await
    }

    async fn extract<R: GuardedRequest>(
        &self,
        request: &mut R,
        is_optional: bool,
    ) -> Result<Option<Grant>, Rejection> {
        let Some(verified) = self.decide(request, Asker::Handler { is_optional }).await? else {
            return Ok(None);
        };
        let grant = verified.grant.clone();
        // The next extractor of this request uses it, so that the key is verified and counted once.
        request.set_extension(Some(verified));
        Ok(Some(grant))
    }
}
