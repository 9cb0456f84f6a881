//! The indexes by which a state lists the keys of large tenants, and of all tenants.

use std::sync::atomic::Ordering;

use foldhash::fast::RandomState;
use papaya::{HashMap as ConcurrentMap, HashMapRef, LocalGuard};

use super::indexed::{Begun, Indexed, START};
use super::tables::{Entry, Tables, Tenant};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::usage::Usage;
use crate::store::error::StoreError;
use crate::store::key_index::{KeyIndex, SLICE, Source, WORTH_INDEX};
use crate::value::id::{KeyId, TenantId};
use crate::value::name::Name;

/// The keys of a state, for an index. The tables are locked, so no key changes.
pub(super) struct Keys<'a> {
    tables: &'a Tables,
    index: HashMapRef<'a, KeyId, Entry, RandomState, LocalGuard<'a>>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(
        tables: &'a Tables,
        index: &'a ConcurrentMap<KeyId, Entry, RandomState>,
    ) -> Self {
        Self { tables, index: index.pin() }
    }

    /// Returns a key of any tenant, as a query looks at it.
    pub(super) fn row(&self, id: &KeyId) -> Option<(&KeyRecord, Usage, Option<OwnerRecord>)> {
        let record = self.index.get(id)?.snapshot.record();
        let tenant = self.tables.tenants.get(&record.key().tenant)?;
        Some(self.tables.row(tenant, record))
    }

    /// Returns the index of a tenant. The first lists build it: each call adds a slice of the keys, and
    /// returns `None` until the index has all of them. The caller lets changes of keys pass, and calls
    /// again.
    pub(super) fn index_of<'t>(&self, id: &TenantId, tenant: &'t Tenant) -> Option<&'t KeyIndex> {
        self.built(&tenant.index, || Begun::new(tenant.keys.len(), [id.clone()]))
    }

    /// Returns the index of the keys of all tenants, as [`index_of`](Self::index_of) does.
    pub(super) fn index_of_all(&self) -> Option<&KeyIndex> {
        let tenants = || self.tables.tenants.keys().cloned();
        self.built(&self.tables.index, || Begun::new(self.index.len(), tenants()))
    }

    fn built<'t>(
        &self,
        indexed: &'t Indexed,
        first: impl FnOnce() -> Begun,
    ) -> Option<&'t KeyIndex> {
        self.tables.has_indexes.store(true, Ordering::Relaxed);
        indexed.whole().or_else(|| indexed.build(first, |begun| self.add_slice(begun)))
    }

    fn add_slice(&self, Begun { index, rest, from }: &mut Begun) {
        let mut left = SLICE;
        while let Some(tenant) = rest.first().map(|id| self.tables.tenants.get(id)) {
            for place in tenant.iter().flat_map(|tenant| tenant.keys.from(*from)) {
                if left == 0 {
                    *from = *place;
                    return;
                }
                left -= 1;
                if let Some((record, usage, owner)) = self.row(&place.1) {
                    index.insert(record, &usage, owner.as_ref());
                }
            }
            rest.pop_first();
            *from = START;
        }
    }
}

impl Source for Keys<'_> {
    fn look<T>(
        &self,
        key: &KeyId,
        look: impl FnOnce(&KeyRecord, &Usage, Option<&OwnerRecord>) -> T,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.row(key).map(|(record, usage, owner)| look(record, &usage, owner.as_ref())))
    }
}

impl Tables {
    /// Adds a key to the indexes that exist, or replaces its previous version.
    pub(super) fn list_key(&mut self, record: &KeyRecord) {
        let id = record.id();
        let Some(tenant) = self.tenants.get_mut(&record.key().tenant) else { return };
        if tenant.index.get_mut().is_none() && self.index.get_mut().is_none() {
            return;
        }
        let usage = self.usage.get(id);
        let owner = tenant.owner_record(&record.key().owner);
        tenant.index.insert(record, &usage, owner.as_ref());
        self.index.insert(record, &usage, owner.as_ref());
        self.drop_worn_index(&record.key().tenant);
    }

    /// Removes a key from the indexes that exist.
    pub(super) fn unlist_key(&mut self, key: &Key) {
        let tenant = self.tenants.get_mut(&key.tenant);
        let of_tenant = tenant.and_then(|tenant| tenant.index.get_mut());
        for index in of_tenant.into_iter().chain(self.index.get_mut()) {
            index.remove(&key.id);
        }
        self.drop_worn_index(&key.tenant);
    }

    /// Returns whether an index was ever built.
    pub(super) fn has_indexes(&self) -> bool {
        self.has_indexes.load(Ordering::Relaxed)
    }

    /// Sets the usage of a key in the indexes that exist.
    pub(super) fn list_usage(&mut self, key: &Key, usage: &Usage) {
        let of_tenant = self.tenants.get_mut(&key.tenant).and_then(|of| of.index.get_mut());
        for index in of_tenant.into_iter().chain(self.index.get_mut()) {
            index.set_usage(&key.id, usage);
        }
    }

    /// Sets the name of an owner, as pages show it, in the indexes that exist.
    pub(super) fn list_owner_name(
        &mut self,
        tenant: &TenantId,
        owner: &Owner,
        name: Option<&Name>,
    ) {
        let of_tenant = self.tenants.get_mut(tenant).and_then(|tenant| tenant.index.get_mut());
        for index in of_tenant.into_iter().chain(self.index.get_mut()) {
            index.set_owner_name(tenant, owner, name);
        }
    }

    /// Takes an index out that is worn, or whose tenant has shrunk. The next list builds it anew.
    fn drop_worn_index(&mut self, tenant: &TenantId) {
        self.worn.extend(self.index.take_worn());
        let Some(tenant) = self.tenants.get_mut(tenant) else { return };
        // A tenant near the border does not build its index again and again.
        let has_shrunk = tenant.keys.len() < WORTH_INDEX / 2;
        let index = &mut tenant.index;
        self.worn.extend(if has_shrunk { index.take() } else { index.take_worn() });
    }
}

impl Tenant {
    /// Returns whether the tenant has an index of all its keys.
    pub(super) fn is_listed(&self) -> bool {
        self.index.whole().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::State;
    use super::*;
    use crate::record::sample;
    use crate::record::usage::{UsageBatch, UsageDelta, UseKind};
    use crate::store::epoch::Epoch;
    use crate::store::plan::Effects;
    use crate::store::query::{KeyQuery, KeySort, Page, StoredKey};
    use crate::value::digest::PepperRing;
    use crate::value::time::Timestamp;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_unix_seconds(second.cast_signed()).expect("a time")
    }

    /// Returns a key. `random` draws a number below its argument.
    fn drawn(random: &mut impl FnMut(u64) -> u64) -> KeyRecord {
        let name = Name::new(format!("app {}", random(65_536))).expect("a name");
        let (created_at, updated_at) = (at(random(9_000)), at(random(9_000)));
        let expires_at = (random(2) == 0).then(|| at(10_000 + random(10_000)));
        let key = Key { name, created_at, updated_at, expires_at, ..sample::key() };
        let digest = PepperRing::none().digest(&key.id, b"0123456789abcdefghijklmnopqrstuv");
        KeyRecord::new(key, digest)
    }

    /// Adds, renames, uses and deletes some keys, and returns the ids of all.
    fn change(
        state: &State,
        keys: &mut Vec<KeyRecord>,
        random: &mut impl FnMut(u64) -> u64,
        step: u64,
    ) {
        let gap = keys.len() / 40;
        let mut some = || {
            let first = usize::try_from(random(gap as u64)).expect("a small number");
            keys.iter().skip(first).step_by(gap).cloned().collect::<Vec<_>>().into_iter()
        };
        let (used, renamed, deleted) = (some(), some(), some());
        let deltas = used.map(|record| UsageDelta {
            key: *record.id(),
            kind: UseKind::Accepted { secret_number: 1 },
            uses: 1,
            last_used_at: at(10_000 + step),
            alert: None,
        });
        let batch =
            UsageBatch { writer: [1; 16], sequence: step, at: at(0), deltas: deltas.collect() };
        let (epoch, effects) = state.plan_usage(&batch).expect("a plan").expect("a new batch");
        state.apply(epoch, effects).expect("applied");

        let changed_keys: Vec<_> = renamed
            .map(|record| {
                let key = Key { name: drawn(random).key().name.clone(), ..record.key().clone() };
                KeyRecord::new(key, *record.digest())
            })
            .collect();
        let new_keys: Vec<_> = (0..40).map(|_| drawn(random)).collect();
        let deleted_keys: Vec<_> = deleted.map(|record| *record.id()).collect();
        keys.retain(|record| !changed_keys.iter().any(|changed| changed.id() == record.id()));
        keys.extend(changed_keys.iter().chain(&new_keys).cloned());
        keys.retain(|record| !deleted_keys.contains(record.id()));
        let effects = Effects { new_keys, changed_keys, deleted_keys, ..Effects::default() };
        state.apply(Epoch(step), effects).expect("applied");
    }

    #[test]
    fn index_has_every_change_between_its_slices() {
        let mut source = fastrand::Rng::with_seed(7);
        let random = &mut |below| source.u64(..below);
        let (state, tenant) = (State::default(), sample::key().tenant);
        let mut keys: Vec<_> = (0..3 * SLICE).map(|_| drawn(random)).collect();
        let effects = Effects { new_keys: keys.clone(), ..Effects::default() };
        state.apply(Epoch(1), effects).expect("applied");
        let sorts = [
            KeySort::Created,
            KeySort::Updated,
            KeySort::Name,
            KeySort::Expires,
            KeySort::LastUsed,
        ];
        let queries = sorts.map(|sort| KeyQuery::new().sort(sort).limit(200)).into_iter();
        let queries = queries.chain([KeyQuery::new().search("9").sort(KeySort::Name)]);
        let (mut step, mut most_steps) = (1, 0);
        for query in queries.cycle().take(12) {
            let before = step;
            for of_all in [false, true] {
                loop {
                    let tables = state.read().expect("no panic");
                    let rows = state.keys_of(&tables);
                    let of_tenant = &tables.tenants[&tenant];
                    let index = if of_all {
                        rows.index_of_all()
                    } else {
                        rows.index_of(&tenant, of_tenant)
                    };
                    let found = index.map(|index| index.first(&query, at(0), &rows));
                    if let Some(found) = found.transpose().expect("no panic").flatten() {
                        let page = query.page(found.iter().filter_map(|id| rows.row(id)), at(0));
                        let all = keys.iter().filter_map(|record| rows.row(record.id()));
                        let expected = query.page(all, at(0));
                        let ids = |page: &Page<StoredKey>| {
                            page.items.iter().map(|key| *key.record.id()).collect::<Vec<_>>()
                        };
                        assert_eq!(ids(&page), ids(&expected), "{query:?} of all: {of_all}");
                        break;
                    }
                    drop(rows);
                    drop(tables);
                    step += 1;
                    change(&state, &mut keys, random, step);
                }
            }
            most_steps = most_steps.max(step - before);
        }
        assert!(most_steps >= 3, "an index of {} keys is built in slices", keys.len());
    }
}
