//! The keys of one owner: their numbers, and the newest of them.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::keys::StoredKey;
use crate::record::key::{KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::usage::Usage;
use crate::value::time::Timestamp;

/// The keys of one owner: how many there are, and the newest of them.
///
/// A page shows from it "3 of 10 keys". [`KeyStore::owned_keys`](crate::store::KeyStore::owned_keys)
/// returns one for each owner.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-old-app")?).await?;
/// # authority.revoke(&alice, &issued.key.id).await?;
/// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # let now = issued.key.created_at;
/// use keywright::store::{KeyStore, OwnedKeys};
///
/// // Alice has a live key and a revoked one.
/// let found = store.owned_keys(alice.tenant(), &[alice.as_owner()], 1, now).await?;
/// let owned: &OwnedKeys = &found[0];
/// assert_eq!((owned.live, owned.all), (1, 2));
/// assert_eq!(owned.keys[0].record.key().name.as_str(), "prod-main-app");
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct OwnedKeys {
    /// The number of live keys: active, scheduled and disabled ones.
    pub live: u64,
    /// The number of all keys, expired and revoked ones included.
    pub all: u64,
    /// The newest keys, up to the number that was asked for, newest first. Keys of one time of
    /// creation are in the descending order of their ids.
    pub keys: Vec<StoredKey>,
}

impl OwnedKeys {
    /// Counts the keys of owners at the time `at`, and returns the newest `most` of each, in the
    /// order of `owners`.
    ///
    /// `keys` are all keys of the tenant, in any order. A store without an index needs this method.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{KeyStore, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// # let keywright = Keywright::builder(store.clone()).default_policy(policy).build()?;
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = keywright.authority().generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # let at = issued.key.created_at;
    /// # let Some(stored) = store.key(alice.tenant(), &issued.key.id).await? else { panic!("no key") };
    /// use keywright::Owner;
    /// use keywright::store::OwnedKeys;
    ///
    /// // `stored` is a key of Alice, with its record and usage.
    /// let keys = [(&stored.record, stored.usage, stored.owner.clone())];
    /// let owned = OwnedKeys::of(&[alice.as_owner(), Owner::Organization], keys, 10, at);
    /// assert_eq!((owned[0].live, owned[0].keys.len()), (1, 1));
    /// assert_eq!(owned[1].all, 0);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn of<'a>(
        owners: &[Owner],
        keys: impl IntoIterator<Item = (&'a KeyRecord, Usage, Option<OwnerRecord>)>,
        most: u16,
        at: Timestamp,
    ) -> Vec<Self> {
        let mut by_owner: HashMap<&Owner, Vec<_>> = HashMap::new();
        for row in keys {
            by_owner.entry(&row.0.key().owner).or_default().push(row);
        }
        for found in by_owner.values_mut() {
            found.sort_unstable_by_key(|(r, ..)| Reverse((r.key().created_at, r.key().id)));
        }
        let of = |owner| {
            let Some(found) = by_owner.get(owner) else { return Self::default() };
            let is_live = |(record, ..): &&(&KeyRecord, _, _)| record.key().status(at).is_live();
            let stored = |(record, usage, owner): &(&KeyRecord, _, Option<OwnerRecord>)| {
                StoredKey { record: KeyRecord::clone(record), usage: *usage, owner: owner.clone() }
            };
            Self {
                live: found.iter().filter(is_live).count() as u64,
                all: found.len() as u64,
                keys: found.iter().take(most.into()).map(stored).collect(),
            }
        };
        owners.iter().map(of).collect()
    }
}
