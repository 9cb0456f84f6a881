//! Changes by a caller who presents a secret of the key.

use std::sync::OnceLock;

use super::{Inner, VerifyError};
use crate::decision::{DecideError, Denial, Expected, SecretUsed, recognize};
use crate::record::event::{Event, EventActor, EventKind};
use crate::record::freshness::Found;
use crate::record::key::Key;
use crate::record::operation::{Operation, Outcome};
use crate::setup::retry::{Attempted, commit, retry};
use crate::store::{Batch, Change, Freshness, StoreError};
use crate::value::id::KeyId;
use crate::value::time::Timestamp;
use crate::value::token::{Credential, Presented};

/// The step on a key whose secret was presented.
pub(super) enum Step<T> {
    /// Nothing is written.
    Done(T),
    /// The batch is written. After a conflict, the step is taken again on fresh data.
    Commit(Batch, T),
}

/// Returns the batch that revokes a key, with its event.
pub(super) fn revocation(key: &Key, now: Timestamp) -> Batch {
    Batch {
        changes: vec![Change::RevokeKey { key: key.id, at: now }],
        events: vec![by_possessor(key, Operation::KeyRevoke.into(), now)],
        ..Batch::of(key.tenant.clone())
    }
}

/// Returns an event about a key, caused by a caller who presented its token.
pub(super) fn by_possessor(key: &Key, kind: EventKind, now: Timestamp) -> Event {
    Event::new(key.tenant.clone(), now, EventActor::Possessor, kind).of(key)
}

impl Inner {
    /// Finds the key of a credential on fresh data, and takes a step on it.
    ///
    /// `refused` sees a credential that is not accepted, and the key that it names. `deleted` returns
    /// the result for a key that another caller deletes meanwhile.
    pub(super) async fn change_presented<T>(
        &self,
        credential: Credential<'_>,
        deleted: impl Fn(KeyId) -> T,
        refused: impl Fn(Option<&Found>, &DecideError, Timestamp),
        step: impl Fn(&Key, SecretUsed, Timestamp) -> Result<Step<T>, DecideError>,
    ) -> Result<T, VerifyError> {
        let setup = &self.setup;
        let presented =
            &Presented::parse(credential, setup.prefixes.usual()).ok_or_else(Denial::malformed)?;
        let expected = Expected { prefixes: &setup.prefixes, tenant: None };
        let peppers = &*setup.peppers;
        let computed = &peppers.digest(&presented.key_id, presented.secret);
        let recognized_once = &OnceLock::new();
        let (deleted, refused, step) = (&deleted, &refused, &step);
        let changed = retry(|| async move {
            let found = setup.store.resolve(&presented.key_id, Freshness::CURRENT).await?;
            if let (None, Some(key)) = (&found, recognized_once.get()) {
                // Another caller has deleted the key meanwhile, so it is refused for good.
                return Ok(Attempted::Done(deleted(*key)));
            }
            let now = setup.clock.now();
            let recognized = recognize(presented, computed, found.as_ref(), expected, peppers, now);
            let stepped = recognized.and_then(|(found, secret)| {
                let key = found.record().key();
                recognized_once.get_or_init(|| key.id);
                step(key, secret, now)
            });
            match stepped.inspect_err(|error| refused(found.as_ref(), error, now))? {
                Step::Done(value) => Ok(Attempted::Done(value)),
                Step::Commit(batch, value) => {
                    Ok::<_, VerifyError>(commit(&*setup.store, batch, value).await?)
                }
            }
        });
        changed.await?.map(Outcome::into_inner).ok_or_else(|| {
            let message = "too many concurrent changes to the key; nothing was changed, try again";
            StoreError::conflict(message).into()
        })
    }
}
