//! Repeppering: moves digests to the current pepper as keys are used.
//!
//! A new digest needs the secret, and only a request has it. A verification therefore leaves the
//! new digest here, and the next flush stores it outside of any request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::decision::Grant;
use crate::store::{Batch, Change, Freshness, KeyStore, StoreError};
use crate::value::digest::{Digest, PepperRing};
use crate::value::id::KeyId;

/// The maximum number of waiting digests. Further keys move after a later use.
const MOST: usize = 10_000;

/// The waiting digests, by key and number of its secret.
#[derive(Default)]
pub(super) struct Repeppering(Mutex<HashMap<(KeyId, u32), Digest>>);

impl Repeppering {
    pub(super) fn remember(&self, grant: &Grant, digest: Digest) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST {
            waiting.insert((*grant.key_id(), grant.secret_number()), digest);
        }
    }

    pub(super) async fn flush(
        &self,
        store: &dyn KeyStore,
        peppers: &PepperRing,
    ) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for ((key, number), digest) in waiting {
            let Some(snapshot) = store.resolve(&key, Freshness::CURRENT).await? else { continue };
            let record = snapshot.record();
            let outdated = record.digest_of(number).is_some_and(|old| peppers.is_outdated(old));
            let Some(next) = record.with_digest(number, digest).filter(|_| outdated) else {
                continue;
            };
            let tenant = next.key().tenant.clone();
            let changes = vec![Change::UpdateKey(next)];
            match store.commit(Batch { changes, ..Batch::of(tenant) }).await {
                Ok(()) => {}
                // The key changed in the meantime. Its next use leaves the digest here again.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
