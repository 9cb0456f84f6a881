//! Texts that many keys have in common, each kept once in memory.

use std::collections::HashSet;
use std::hash::Hash;

use crate::record::key::{KeyRecord, Owner};
use crate::value::id::{TenantId, UserId};
use crate::value::scope::ScopeSet;
use crate::value::token::Prefix;

/// The most texts of a kind that are known. Beyond it, the interner forgets them and begins anew.
const MOST: usize = 1_024;

/// The texts of the keys that were added last.
///
/// Each request and each row of a file brings texts of its own. A store in memory replaces those of
/// a key by equal ones of other keys.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    tenants: Known<TenantId>,
    users: Known<UserId>,
    prefixes: Known<Prefix>,
    scopes: Known<ScopeSet>,
}

impl Interner {
    /// Returns the record with the texts of other keys, where they are equal.
    pub(crate) fn intern(&mut self, record: KeyRecord) -> KeyRecord {
        record.with_texts(|key| {
            self.tenants.intern(&mut key.tenant);
            self.users.intern(&mut key.created_by);
            self.prefixes.intern(&mut key.prefix);
            self.scopes.intern(&mut key.scopes);
            if let Owner::User(user) = &mut key.owner {
                self.users.intern(user);
            }
        })
    }
}

#[derive(Debug)]
struct Known<T>(HashSet<T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Clone + Eq + Hash> Known<T> {
    fn intern(&mut self, value: &mut T) {
        if let Some(known) = self.0.get(value) {
            *value = known.clone();
            return;
        }
        if self.0.len() == MOST {
            self.0.clear();
        }
        self.0.insert(value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_kept_once() {
        let mut known = Known::default();
        let id = |n: usize| UserId::new(format!("user-{n}")).expect("an id");
        let is_shared = |known: &mut Known<UserId>, n| {
            let (fresh, mut interned) = (id(n), id(n));
            let before = interned.as_str().as_ptr();
            known.intern(&mut interned);
            assert_eq!(interned, fresh);
            interned.as_str().as_ptr() != before
        };
        assert!(!is_shared(&mut known, 0));
        assert!(is_shared(&mut known, 0));
        for n in 1..3 * MOST {
            is_shared(&mut known, n);
            assert!(known.0.len() <= MOST);
        }
        assert!(is_shared(&mut known, 3 * MOST - 1));
    }
}
