//! The rows of a roster: one per key, as columns.

use std::collections::HashMap;

use super::interned::Interned;
use super::texts::{END, Texts, index, place};
use crate::record::key::Owner;
use crate::store::file::facts::Facts;
use crate::value::id::KeyId;

/// The number of a contact that is not there.
const NONE: u32 = u32::MAX;
/// The name of a row whose name is the first field of its text.
const IN_TEXT: u32 = u32::MAX;

pub(super) const REVOKED: u8 = 1;
pub(super) const DISABLED: u8 = 2;
/// The key was deleted.
pub(super) const GONE: u8 = 4;

/// The facts by which lists filter and sort the keys of a tenant.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) ids: Vec<KeyId>,
    pub(super) created: Vec<i64>,
    pub(super) updated: Vec<i64>,
    /// The expiry; `NEVER` without one.
    pub(super) expires: Vec<i64>,
    /// The last use; `NEVER_YET` if there was none.
    pub(super) used: Vec<i64>,
    pub(super) begins: Vec<i64>,
    pub(super) flags: Vec<u8>,
    pub(super) owner: Vec<u32>,
    pub(super) prefix: Vec<u32>,
    pub(super) contact: Vec<u32>,
    pub(super) metadata: Vec<u32>,
    /// The name, the id, the contact and the description in lower case.
    pub(super) texts: Texts,
    /// The names that are not in lower case.
    names: String,
    name_at: Vec<u32>,
    pub(super) owners: Interned<KnownOwner>,
    pub(super) prefixes: Interned<String>,
    pub(super) contacts: Interned<()>,
    /// The metadata as [`Facts::metadata`] has it.
    pub(super) metadatas: Interned<Box<[u8]>>,
    /// The number of rows at the begin that are sorted by id.
    sorted: usize,
    /// The other rows, by id.
    tail: HashMap<KeyId, u32, foldhash::fast::RandomState>,
    gone: usize,
}

/// An owner of keys.
pub(super) struct KnownOwner {
    pub(super) owner: Owner,
    /// The name that listings show, in lower case.
    pub(super) shown: Option<String>,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds a key, or replaces its row. `shown` returns the owner with the name that listings show.
    pub(super) fn put<E>(
        &mut self,
        key: &Facts<'_>,
        used: i64,
        shown: impl FnOnce(&str) -> Result<(Owner, Option<String>), E>,
    ) -> Result<(), E> {
        let owner = self.owners.number(key.owner.as_bytes(), || {
            let (owner, shown) = shown(&key.owner)?;
            Ok(KnownOwner { owner, shown: shown.map(|name| name.to_lowercase()) })
        })?;
        let prefix = self.prefixes.number(key.prefix.as_bytes(), || Ok(key.prefix.to_owned()))?;
        let metadata = self.metadatas.number(&key.metadata, || Ok(key.metadata.as_ref().into()))?;
        let contact = match key.contact {
            Some(contact) => self.contacts.number(contact.as_bytes(), || Ok(()))?,
            None => NONE,
        };
        let row = self.find(&key.id).unwrap_or_else(|| self.add(key.id));
        if self.flags[row] & GONE != 0 {
            self.gone -= 1;
        }
        let flag = |is: bool, flag| if is { flag } else { 0 };
        self.flags[row] = flag(key.is_revoked, REVOKED) | flag(key.is_disabled, DISABLED);
        self.created[row] = key.created;
        self.updated[row] = key.updated;
        self.expires[row] = key.expires;
        self.begins[row] = key.begins;
        self.used[row] = used;
        self.owner[row] = owner;
        self.prefix[row] = prefix;
        self.contact[row] = contact;
        self.metadata[row] = metadata;
        self.put_texts(row, key);
        Ok(())
    }

    fn put_texts(&mut self, row: usize, key: &Facts<'_>) {
        let lower = |text: Option<&str>| text.map(str::to_lowercase).unwrap_or_default();
        let name = key.name.to_lowercase();
        self.name_at[row] = if name == key.name { IN_TEXT } else { self.add_name(key.name) };
        let id = lower(Some(key.id.as_str()));
        let fields = [name, id, lower(key.contact), lower(key.description)];
        if row == self.texts.len() {
            self.texts.push(&fields);
        } else if self.texts.get(row).split_terminator(END).ne(fields.iter().map(String::as_str)) {
            self.texts.replace(row, &fields);
        }
    }

    /// Keeps a name that is not in lower case. Returns its place.
    fn add_name(&mut self, name: &str) -> u32 {
        let at = index(self.names.len());
        self.names.push_str(name);
        self.names.push(END);
        at
    }

    /// Sets the last use of a key.
    pub(super) fn set_used(&mut self, id: &KeyId, used: i64) {
        if let Some(row) = self.find(id) {
            self.used[row] = used;
        }
    }

    pub(super) fn remove(&mut self, id: &KeyId) {
        if let Some(row) = self.find(id).filter(|row| self.flags[*row] & GONE == 0) {
            self.flags[row] = GONE;
            self.gone += 1;
        }
    }

    /// Sets the name that listings show for an owner.
    pub(super) fn set_shown(&mut self, owner: &Owner, name: Option<String>) {
        let number = self.owners.find(&owner.to_string());
        if let Some(known) = number.and_then(|number| self.owners.get_mut(number)) {
            known.shown = name.map(|name| name.to_lowercase());
        }
    }

    /// Returns whether the row is one of a key that exists.
    fn is_kept(&self, row: usize) -> bool {
        self.flags[row] & GONE == 0
    }

    /// Returns the name of a key as it is, not in lower case.
    pub(super) fn name(&self, row: usize) -> &str {
        let text = match self.name_at[row] {
            IN_TEXT => self.texts.get(row),
            at => &self.names[place(at)..],
        };
        text.split_once(END).map_or(text, |(name, _)| name)
    }

    /// Returns the size in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // The lengths of the columns of one row.
        const ROW: usize = 16 + 5 * 8 + 1 + 5 * 4;
        // An estimate for a value that is not shared, with its place in a map.
        const VALUE: usize = 160;
        let values = self.owners.values().len()
            + self.contacts.values().len()
            + 2 * self.metadatas.values().len();
        self.ids.capacity() * ROW
            + self.texts.bytes()
            + self.names.capacity()
            + self.tail.capacity() * 24
            + values * VALUE
    }

    /// Returns whether the rows should be made anew, because many of them are outdated or not
    /// sorted.
    pub(super) fn is_worn(&self) -> bool {
        let waste = self.tail.len().max(self.gone).max(self.texts.outdated());
        waste > 1_024 + self.len() / 4
    }

    /// Sorts all rows by id. The roster is then complete.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.len()).filter(|row| self.is_kept(*row)).collect();
        order.sort_unstable_by_key(|row| self.ids[*row]);
        let mut old = std::mem::take(self);
        let taken = order.len();
        *self = Self {
            owners: std::mem::take(&mut old.owners),
            prefixes: std::mem::take(&mut old.prefixes),
            contacts: std::mem::take(&mut old.contacts),
            metadatas: std::mem::take(&mut old.metadatas),
            sorted: taken,
            ids: order.iter().map(|row| old.ids[*row]).collect(),
            created: picked(&old.created, &order),
            updated: picked(&old.updated, &order),
            expires: picked(&old.expires, &order),
            used: picked(&old.used, &order),
            begins: picked(&old.begins, &order),
            flags: picked(&old.flags, &order),
            owner: picked(&old.owner, &order),
            prefix: picked(&old.prefix, &order),
            contact: picked(&old.contact, &order),
            metadata: picked(&old.metadata, &order),
            texts: Texts::default(),
            names: String::new(),
            name_at: Vec::with_capacity(taken),
            tail: HashMap::default(),
            gone: 0,
        };
        for row in order {
            let text = old.texts.get(row);
            self.texts.push(&[text.strip_suffix(END).unwrap_or(text)]);
            let name = (old.name_at[row] != IN_TEXT).then(|| old.name(row));
            let at = name.map_or(IN_TEXT, |name| self.add_name(name));
            self.name_at.push(at);
        }
    }

    /// Returns the row of a key.
    pub(super) fn find(&self, id: &KeyId) -> Option<usize> {
        let sorted = self.ids[..self.sorted].binary_search(id).ok();
        sorted.or_else(|| self.tail.get(id).map(|row| place(*row)))
    }

    /// Adds a row with an id, still without a text.
    fn add(&mut self, id: KeyId) -> usize {
        let row = self.len();
        self.ids.push(id);
        self.flags.push(0);
        for column in [&mut self.created, &mut self.updated, &mut self.expires, &mut self.begins] {
            column.push(0);
        }
        self.used.push(0);
        for column in [&mut self.owner, &mut self.prefix, &mut self.contact, &mut self.metadata] {
            column.push(0);
        }
        self.name_at.push(IN_TEXT);
        self.tail.insert(id, index(row));
        row
    }
}

fn picked<T: Copy>(column: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| column[*row]).collect()
}
