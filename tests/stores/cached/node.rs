//! A node with a cache, the store behind it, and another node without a cache.

use std::time::Duration;

use keywright::store::{
    CacheOptions, CachedStore, Found, Freshness, KeyStore, ManualMonotonicClock, Resolved,
    StoreErrorKind,
};
use keywright::{AccessRequest, Grant, Issued, KeyId, VerifyError};

use crate::held::{Call, Held};
use common::{World, admin};

/// The default maximum staleness in these tests.
pub(crate) const BOUND: Duration = Duration::from_secs(1);

pub(crate) struct Node {
    pub(crate) behind: Held,
    /// The clock of the lease, which only the test advances.
    pub(crate) clock: ManualMonotonicClock,
    pub(crate) cache: CachedStore,
    /// A world that goes through the cache.
    pub(crate) here: World,
    /// A world that goes to the store directly.
    pub(crate) elsewhere: World,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(change: impl FnOnce(CacheOptions) -> CacheOptions) -> Self {
        let (behind, clock) = (Held::default(), ManualMonotonicClock::new());
        // A long timeout, so that a slow machine is not mistaken for a silent store.
        let timeout = Duration::from_mins(1);
        let options = CacheOptions::new().max_staleness(BOUND).store_timeout(timeout);
        let options = change(options.clock(clock.clone()));
        let cache = CachedStore::new(behind.store(), options).expect("options that are possible");
        let (here, elsewhere) = (World::on(cache.clone()), World::on(behind.store()));
        Self { behind, clock, cache, here, elsewhere }
    }

    /// Generates a key on the other node and caches it here, with a lease that starts now.
    pub(crate) async fn cached_key(&self) -> Issued {
        let issued = self.elsewhere.key().await;
        self.sync().await;
        self.found(&issued.key.id).await;
        issued
    }

    pub(crate) async fn sync(&self) {
        self.cache.sync().await.expect("the store is up");
    }

    pub(crate) async fn resolve(&self, key: &KeyId) -> Resolved {
        self.cache.resolve(key, Freshness::StoreDefault).await
    }

    pub(crate) async fn found(&self, key: &KeyId) -> Found {
        self.resolve(key).await.expect("the store is up").expect("the key is there")
    }

    pub(crate) async fn is_absent(&self, key: &KeyId) -> bool {
        self.resolve(key).await.expect("the store is up").is_none()
    }

    pub(crate) async fn is_unavailable(&self, key: &KeyId) -> bool {
        let resolved = self.resolve(key).await;
        resolved.is_err_and(|error| error.kind() == StoreErrorKind::Unavailable)
    }

    /// Returns whether a lookup of the key reaches the store.
    pub(crate) async fn asks(&self, key: &KeyId) -> bool {
        let before = self.asked(key);
        self.resolve(key).await.expect("the store is up");
        self.asked(key) > before
    }

    pub(crate) fn asked(&self, key: &KeyId) -> usize {
        self.behind.asked(Call::Resolve(*key))
    }

    pub(crate) async fn revoke_elsewhere(&self, key: &KeyId) {
        self.elsewhere.authority.revoke(&admin(), key).await.expect("it is revoked");
    }

    /// Returns `accepted` or the reason of the refusal.
    pub(crate) async fn says(&self, issued: &Issued) -> &'static str {
        match self.verify(AccessRequest::token(issued.token.expose())).await {
            Ok(_) => "accepted",
            Err(VerifyError::Denied(denial)) => denial.reason().code(),
            Err(_) => "unavailable",
        }
    }

    pub(crate) async fn verify(&self, request: AccessRequest<'_>) -> Result<Grant, VerifyError> {
        self.here.verifier.verify_request(&request).await
    }
}
