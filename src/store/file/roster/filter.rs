//! The filters of a query on the rows of a roster.
//!
//! Each filter is one pass over one or two columns, so that a million rows take about a millisecond
//! per filter.

use super::matches::Matches;
use super::rows::{DISABLED, GONE, KnownOwner, REVOKED, Rows};
use super::texts::{END, place};
use crate::record::key::Owner;
use crate::record::status::KeyStatus;
use crate::store::file::facts::metadata_value;
use crate::store::query::KeyQuery;
use crate::value::time::{NEVER, Timestamp};

impl Rows {
    /// Returns the rows that pass the filters of a query, by the rules of [`KeyQuery::matches`].
    pub(super) fn matches(&self, query: &KeyQuery, at: Timestamp) -> Matches {
        // Every field is named, so that a new filter cannot be forgotten.
        let KeyQuery {
            search,
            statuses,
            owner,
            owner_kind,
            contact,
            metadata,
            prefix,
            expiring_within,
            unused_since,
            never_used,
            sort: _,
            descending: _,
            after: _,
            limit: _,
        } = query;
        let mut found = match search.as_deref() {
            None | Some("") => Matches::of(&self.flags, |flags| flags & GONE == 0),
            Some(text) => {
                let mut found = self.search(text);
                found.retain(&self.flags, |flags| flags & GONE == 0);
                found
            }
        };
        let at_micros = at.unix_micros();
        if !statuses.is_empty() {
            self.retain_statuses(&mut found, statuses, at_micros);
        }
        // A value that no row has ever had matches none.
        let number = |wanted: Option<u32>| move |number: &u32| wanted == Some(*number);
        if let Some(owner) = owner {
            found.retain(&self.owner, number(self.owners.find(&owner.to_string())));
        }
        if let Some(contact) = contact {
            found.retain(&self.contact, number(self.contacts.find(contact.as_str())));
        }
        if let Some(prefix) = prefix {
            found.retain(&self.prefix, number(self.prefixes.find(prefix.as_str())));
        }
        if let Some(kind) = owner_kind {
            let kinds = self.owners.matching(|known| known.owner.kind() == *kind);
            found.retain(&self.owner, |owner| kinds[place(*owner)]);
        }
        if !metadata.is_empty() {
            let wanted = self.metadatas.matching(|known| {
                let mut wanted = metadata.iter();
                wanted.all(|(name, value)| metadata_value(known, name) == Some(value))
            });
            found.retain(&self.metadata, |metadata| wanted[place(*metadata)]);
        }
        if *never_used {
            found.retain(&self.used, |used| *used < 0);
        }
        if let Some(since) = unused_since.map(Timestamp::unix_micros) {
            found.retain(&self.created, |created| *created < since);
            found.retain(&self.used, |used| *used < since);
        }
        if let Some(period) = expiring_within {
            let end = at.saturating_add(*period).unix_micros();
            found.retain(&self.expires, |at| *at != NEVER && *at <= end && *at > at_micros);
            found.retain(&self.flags, |flags| flags & REVOKED == 0);
        }
        found
    }

    /// Keeps the rows with one of these statuses, by the rules of [`Key::status`](crate::Key::status).
    fn retain_statuses(&self, found: &mut Matches, statuses: &[KeyStatus], at: i64) {
        let [active, scheduled, disabled, expired, revoked] =
            KeyStatus::ALL.map(|status| statuses.contains(&status));
        let is_revoked = Matches::of(&self.flags, |flags| flags & REVOKED != 0);
        if revoked && statuses.len() == 1 {
            return found.and(&is_revoked);
        }
        let is_over = Matches::of(&self.expires, |expires| *expires <= at);
        let is_disabled = Matches::of(&self.flags, |flags| flags & DISABLED != 0);
        let is_early = if active == scheduled {
            Matches::none(self.len())
        } else {
            Matches::of(&self.begins, |begins| *begins > at)
        };
        let when = |is: bool, rows: u64| if is { rows } else { 0 };
        found.and_each(|word| {
            let [is_revoked, is_over, is_disabled, is_early] =
                [&is_revoked, &is_over, &is_disabled, &is_early].map(|set| set.word(word));
            let is_live = !is_revoked & !is_over;
            let is_enabled = is_live & !is_disabled;
            when(revoked, is_revoked)
                | when(expired, !is_revoked & is_over)
                | when(disabled, is_live & is_disabled)
                | when(scheduled, is_enabled & is_early)
                | when(active, is_enabled & !is_early)
        });
    }

    /// Returns the rows that a search finds, by the rules of [`KeyQuery::matches`].
    fn search(&self, text: &str) -> Matches {
        let mut found = Matches::none(self.len());
        if text.contains(END) {
            return found;
        }
        self.texts.search(text, |row| found.insert(row));
        let owners = self.owners.matching(|KnownOwner { owner, shown }| {
            owner.id().to_lowercase().contains(text)
                || shown.as_ref().is_some_and(|name| name.contains(text))
                || text.contains(':') && owner.to_string().to_lowercase().contains(text)
        });
        if owners.contains(&true) {
            found.extend(&self.owner, |owner| owners[place(*owner)]);
        }
        // The display prefix: the prefix of the token, and the begin of the id.
        let ids = self.prefixes.values().iter().map(|prefix| {
            let id = text.strip_prefix(prefix.as_str())?.strip_prefix('_')?;
            (!id.is_empty()).then_some(id.as_bytes())
        });
        let ids: Vec<Option<&[u8]>> = ids.collect();
        if ids.iter().any(Option::is_some) {
            for (row, prefix) in self.prefix.iter().enumerate() {
                let id = self.ids[row].as_bytes();
                let is_begin = |begin: &[u8]| {
                    id.get(..begin.len()).is_some_and(|id| id.eq_ignore_ascii_case(begin))
                };
                if ids[place(*prefix)].is_some_and(is_begin) {
                    found.insert(row);
                }
            }
        }
        found
    }

    /// Returns the numbers of live keys and of all keys of owners.
    pub(super) fn numbers(&self, owners: &[Owner], at: i64) -> Vec<(u64, u64)> {
        let mut numbers = vec![(0_u64, 0_u64); self.owners.values().len()];
        for (row, owner) in self.owner.iter().enumerate() {
            let flags = self.flags[row];
            if flags & GONE == 0 {
                let (live, all) = &mut numbers[place(*owner)];
                *live += u64::from(flags & REVOKED == 0 && self.expires[row] > at);
                *all += 1;
            }
        }
        let number = |owner: &Owner| self.owners.find(&owner.to_string());
        owners.iter().map(|owner| number(owner).map_or((0, 0), |n| numbers[place(n)])).collect()
    }
}
