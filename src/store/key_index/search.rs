//! The search of a query in the texts of an arena.
//!
//! The text of a key has every field in which [`KeyQuery::matches`] searches, in lower case, with a
//! control character between two fields. No field has one of these characters, so a match lies
//! within one field.
//!
//! [`KeyQuery::matches`]: crate::store::query::KeyQuery::matches

use memchr::memmem::Finder;

use super::arena::Arena;
use super::bits::{Bits, slot};
use super::columns::Columns;
use crate::record::key::{Key, OwnerKind};

/// The character before the id, which is the first field of a text.
const ID: char = '\u{1}';
/// The character before a field that needs no mark of its own.
const FIELD: char = '\u{0}';
/// A search reads the text of single keys if at most one in so many keys passes the filters.
const FEW: u64 = 16;

/// Returns the character before the id of an owner.
fn mark(kind: OwnerKind) -> char {
    match kind {
        OwnerKind::User => '\u{2}',
        OwnerKind::Account => '\u{3}',
        OwnerKind::Organization => '\u{4}',
    }
}

/// Writes the text of a key, in place of what `text` holds.
pub(super) fn write_text(key: &Key, text: &mut String) {
    text.clear();
    push(text, ID, key.id.as_str());
    push(text, mark(key.owner.kind()), key.owner.id());
    push(text, FIELD, key.name.as_str());
    if let Some(contact) = &key.contact {
        push(text, FIELD, contact.as_str());
    }
    if let Some(description) = &key.description {
        push(text, FIELD, description.as_str());
    }
}

fn push(text: &mut String, mark: char, field: &str) {
    text.push(mark);
    if field.is_ascii() {
        let start = text.len();
        text.push_str(field);
        text[start..].make_ascii_lowercase();
    } else {
        text.push_str(&field.to_lowercase());
    }
}

/// A text to search for, in one of the forms in which it can be in the text of a key.
pub(super) struct Needle {
    finder: Finder<'static>,
    /// The prefix of the keys that are found by the needle; `None` if they can have any.
    prefix: Option<u32>,
}

impl Needle {
    fn new(text: &str, prefix: Option<u32>) -> Self {
        Self { finder: Finder::new(text).into_owned(), prefix }
    }

    /// Returns the forms of a text. `prefixes` are the prefixes of all keys, with their numbers.
    pub(super) fn forms<'a>(
        text: &str,
        prefixes: impl Iterator<Item = (&'a str, u32)>,
    ) -> Vec<Self> {
        // No field has control characters, except the line breaks of a description.
        if text.contains(|c: char| c.is_control() && c != '\n') {
            return Vec::new();
        }
        let mut forms = vec![Self::new(text, None)];
        if let Some((kind, id)) = text.split_once(':') {
            // A part of `user:alice` with the colon: the end of the kind, and the start of the id.
            let kinds = [OwnerKind::User, OwnerKind::Account];
            let kinds = kinds.into_iter().filter(|of| of.as_str().ends_with(kind));
            forms.extend(kinds.map(|of| Self::new(&format!("{}{id}", mark(of)), None)));
        }
        for (prefix, number) in prefixes {
            // A display prefix: the prefix, and the start of the id.
            let id = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
            if let Some(id) = id.filter(|id| !id.is_empty()) {
                forms.push(Self::new(&format!("{ID}{id}"), Some(number)));
            }
        }
        forms
    }
}

/// The search of a query in the keys of an index.
pub(super) struct Search<'a> {
    pub(super) columns: &'a Columns,
    pub(super) arena: &'a Arena,
    pub(super) needles: Vec<Needle>,
    /// The owners whose name, as pages show it, contains the text.
    pub(super) owners: Option<Bits>,
}

impl Search<'_> {
    /// Returns whether the search finds a slot.
    pub(super) fn finds(&self, slot: u32) -> bool {
        let text = self.arena.text(slot as usize);
        let is_in =
            |needle: &Needle| self.has_prefix(slot, needle) && needle.finder.find(text).is_some();
        self.finds_owner(slot) || self.needles.iter().any(is_in)
    }

    /// Removes the slots that the search does not find.
    pub(super) fn narrow(&self, slots: &mut Bits) {
        let len = self.columns.len();
        if slots.count() <= len as u64 / FEW {
            slots.retain(|slot| self.finds(slot));
            return;
        }
        let mut found = match &self.owners {
            Some(_) => Bits::all(len),
            None => Bits::none(len),
        };
        found.retain(|slot| self.finds_owner(slot));
        for needle in &self.needles {
            self.arena.find(&needle.finder, |number| {
                if self.has_prefix(slot(number), needle) {
                    found.insert(slot(number));
                }
            });
        }
        slots.intersect(&found);
    }

    fn finds_owner(&self, slot: u32) -> bool {
        self.owners.as_ref().is_some_and(|owners| owners.has(self.columns.owners[slot as usize]))
    }

    fn has_prefix(&self, slot: u32, needle: &Needle) -> bool {
        needle.prefix.is_none_or(|prefix| self.columns.prefixes.get(slot) == prefix)
    }
}
