//! A map with papaya's guarantees: each operation is one step, and a found value stays readable
//! while a guard is held. Replaced values are never freed, because schedules are short.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Mutex;

pub(crate) struct HashMap<K, V: 'static, S>(Mutex<BTreeMap<K, &'static V>>, PhantomData<S>);

impl<K, V, S> Default for HashMap<K, V, S> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()), PhantomData)
    }
}

/// The counterpart of papaya's guard, which has nothing to protect here.
pub(crate) struct LocalGuard<'a>(PhantomData<&'a ()>);

pub(crate) struct HashMapRef<'a, K, V: 'static, S, G>(&'a HashMap<K, V, S>, PhantomData<G>);

impl<K: Ord, V, S> HashMap<K, V, S> {
    pub(crate) fn pin(&self) -> HashMapRef<'_, K, V, S, LocalGuard<'_>> {
        HashMapRef(self, PhantomData)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().expect("no panic inside").len()
    }
}

impl<K: Ord, V, S, G> HashMapRef<'_, K, V, S, G> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.0.lock().expect("no panic inside").get(key).copied()
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.0.0.lock().expect("no panic inside").insert(key, Box::leak(Box::new(value)));
    }

    pub(crate) fn remove(&self, key: &K) -> Option<&V> {
        self.0.0.lock().expect("no panic inside").remove(key)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&self) {
        self.0.0.lock().expect("no panic inside").clear();
    }

    /// Removes entries one by one, like papaya: another thread can run between.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool)
    where
        K: Clone + 'static,
    {
        for key in self.keys() {
            if self.get(key).is_some_and(|value| !keep(key, value)) {
                self.remove(key);
            }
        }
    }

    pub(crate) fn keys(&self) -> std::vec::IntoIter<&'static K>
    where
        K: Clone + 'static,
    {
        let entries = self.0.0.lock().expect("no panic inside");
        let keys: Vec<&'static K> =
            entries.keys().map(|key| &*Box::leak(Box::new(key.clone()))).collect();
        keys.into_iter()
    }
}
