//! The entries of keys that an actor has just changed, for the answer to the change.
//!
//! The actor may no longer see the key, for example after handing it to another owner.

use std::collections::HashSet;

use crate::record::actor::Actor;
use crate::record::key::{Key, Owner};
use crate::store::{KeyQuery, MAX_LIMIT, StoreError};
use crate::value::id::KeyId;

use super::Authority;
use super::listing::{KeyEntry, entry_of_deleted};

impl Authority {
    /// Returns the entry of a key that the actor has just changed. If the key was deleted meanwhile,
    /// the entry shows the key after the change, and has no actions.
    pub(crate) async fn entry_after(
        &self,
        actor: &Actor,
        changed: Key,
    ) -> Result<KeyEntry, StoreError> {
        if let Some(entry) = self.entries_after(actor, &[changed.id]).await?.pop() {
            return Ok(entry);
        }
        let policy = self.stored_policy(actor.tenant()).await?;
        Ok(entry_of_deleted(&changed, policy.in_force(), self.now()))
    }

    /// Returns the entries of keys that the actor has just changed, without those that were deleted
    /// meanwhile.
    pub(crate) async fn entries_after(
        &self,
        actor: &Actor,
        keys: &[KeyId],
    ) -> Result<Vec<KeyEntry>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            found.extend(self.setup.store.key(actor.tenant(), key).await?);
        }
        self.entries(actor, found, self.now()).await
    }

    /// Returns the entries of an owner's keys that the actor has just changed.
    pub(crate) async fn entries_of(
        &self,
        actor: &Actor,
        owner: &Owner,
        changed: &[Key],
    ) -> Result<Vec<KeyEntry>, StoreError> {
        let now = self.now();
        let changed: HashSet<KeyId> = changed.iter().map(|key| key.id).collect();
        let mut found = Vec::with_capacity(changed.len());
        let mut query = KeyQuery::new().owner(owner.clone()).limit(MAX_LIMIT);
        while found.len() < changed.len() {
            let page = self.setup.store.keys(actor.tenant(), &query, now).await?;
            let of_them = |id: &KeyId| changed.contains(id);
            found.extend(page.items.into_iter().filter(|stored| of_them(stored.record.id())));
            let Some(next) = page.next else { break };
            query = next;
        }
        self.entries(actor, found, now).await
    }
}
