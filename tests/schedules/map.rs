//! A map that does what papaya's promises: each operation is one step, and what was found stays
//! readable while it is held. What is replaced is never freed: schedules are short.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Mutex;

pub(crate) struct HashMap<K, V: 'static, S>(Mutex<BTreeMap<K, &'static V>>, PhantomData<S>);

impl<K, V, S> Default for HashMap<K, V, S> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()), PhantomData)
    }
}

pub(crate) struct Pinned<'a, K, V: 'static, S>(&'a HashMap<K, V, S>);

impl<K: Ord, V, S> HashMap<K, V, S> {
    pub(crate) fn pin(&self) -> Pinned<'_, K, V, S> {
        Pinned(self)
    }
}

impl<K: Ord, V, S> Pinned<'_, K, V, S> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.0.lock().expect("no panic inside").get(key).copied()
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.0.0.lock().expect("no panic inside").insert(key, Box::leak(Box::new(value)));
    }

    pub(crate) fn remove(&self, key: &K) -> Option<&V> {
        self.0.0.lock().expect("no panic inside").remove(key)
    }
}
