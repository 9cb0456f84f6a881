//! Listings of keys and events in the reference model.

use super::keys::{POSSIBLE, is_live, is_possible, status};
use super::{Key, Reference, may, owns};
use crate::plain::{
    Answer, By, END_OF_TIME, EntryData, EventFilter, HOUR, NAMES, Owner, Query, Sort, refused,
};

impl Reference {
    pub(super) fn show(&self, by: By, id: &str) -> Answer {
        match self.find(by, id, "key.show") {
            Ok(place) => Answer::Entries(vec![self.entry(by, &self.keys[place])]),
            Err(reason) => refused(reason),
        }
    }

    fn entry(&self, by: By, key: &Key) -> EntryData {
        let data = &key.data;
        let status = status(data, self.now);
        let live = is_live(data, self.now);
        let overlapping = data.overlap_ends_at.filter(|end| live && self.now < *end);
        let overlap = overlapping.map(|end| {
            let old = key.used.get(&(data.secret_number - 1)).copied();
            let new = key.used.get(&data.secret_number).copied();
            let quiet = match (old, data.rotated_at) {
                (None, _) => true,
                (Some(old), Some(rotated)) => old < rotated || self.now - old >= HOUR,
                (Some(old), None) => self.now - old >= HOUR,
            };
            (end, old, new, new.is_some() && quiet)
        });
        let own = owns(by, &data.owner);
        let actions = POSSIBLE.iter().map(|(operation, _)| *operation).filter(|operation| {
            is_possible(operation, status)
                && may(by.who, operation, own)
                && (*operation != "key.finish_rotation" || overlapping.is_some())
        });
        EntryData {
            key: data.clone(),
            owner_name: self.owner_name(data),
            scopes: self.scopes_of(data),
            write: self.account_of(data).is_none_or(|account| !account.read_only),
            rate: self.rate_of(data),
            status,
            uses: key.uses,
            last_used_at: key.last_used_at,
            refused: key.refused,
            last_refused_at: key.last_refused_at,
            overlap,
            refused_because: self.refused_because(key),
            actions: actions.collect(),
        }
    }

    pub(super) fn list(&self, by: By, query: &Query) -> Answer {
        if query.limit == 0 || query.limit > 500 {
            return refused(format!("limit {}", query.limit));
        }
        let mut owner = query.owner.clone();
        if !may(by.who, "key.show", false) {
            let mine = Owner::User(by.who.user());
            let asked = owner.get_or_insert(mine);
            if !may(by.who, "key.show", owns(by, asked)) {
                return refused("not allowed key.show");
            }
        }
        let search = query.search.as_ref().map(|text| text.to_lowercase());
        let mut found: Vec<&Key> = self
            .keys
            .iter()
            .filter(|key| key.data.tenant == by.tenant)
            .filter(|key| owner.as_ref().is_none_or(|owner| key.data.owner == *owner))
            .filter(|key| self.is_asked_for(key, query, search.as_deref()))
            .collect();
        found.sort_by(|a, b| {
            let order = match query.sort {
                Sort::Created => a.data.created_at.cmp(&b.data.created_at),
                Sort::Updated => a.data.updated_at.cmp(&b.data.updated_at),
                Sort::Name => NAMES[a.data.name].0.cmp(NAMES[b.data.name].0),
                Sort::Expires => {
                    let end = |key: &Key| key.data.expires_at.unwrap_or(i64::MAX);
                    end(a).cmp(&end(b))
                }
                Sort::LastUsed => a.last_used_at.cmp(&b.last_used_at),
            };
            order.then_with(|| a.data.id.cmp(&b.data.id))
        });
        if query.descending {
            found.reverse();
        }
        Answer::Entries(found.into_iter().map(|key| self.entry(by, key)).collect())
    }

    fn is_asked_for(&self, key: &Key, query: &Query, search: Option<&str>) -> bool {
        let data = &key.data;
        if !query.statuses.is_empty() && !query.statuses.contains(&status(data, self.now)) {
            return false;
        }
        if let Some(period) = query.expiring_within {
            let end = (self.now + period).min(END_OF_TIME);
            if !is_live(data, self.now) || data.expires_at.is_none_or(|expires| expires > end) {
                return false;
            }
        }
        if let Some(since) = query.unused_since
            && (data.created_at >= since || key.last_used_at.is_some_and(|last| last >= since))
        {
            return false;
        }
        if query.never_used && key.last_used_at.is_some() {
            return false;
        }
        let owner = match &data.owner {
            Owner::User(user) => user,
            Owner::Account(id) => id.as_str(),
            Owner::Organization => "organization",
        };
        let shown = self.owner_name(data).map_or("", |name| NAMES[name].0);
        let texts = [NAMES[data.name].0, &data.id, owner, shown];
        search.is_none_or(|text| texts.iter().any(|known| known.to_lowercase().contains(text)))
    }

    pub(super) fn list_events(&self, by: By, filter: &EventFilter) -> Answer {
        if !may(by.who, "events.show", false) {
            return refused("not allowed events.show");
        }
        if filter.limit == 0 || filter.limit > 500 {
            return refused(format!("limit {}", filter.limit));
        }
        let events = self.events.iter().filter(|event| {
            event.tenant == by.tenant
                && filter.key.as_ref().is_none_or(|key| event.key.as_ref() == Some(key))
                && filter.kind.is_none_or(|kind| event.kind == kind)
                && filter.since.is_none_or(|since| event.at >= since)
        });
        let mut events: Vec<_> = events.cloned().collect();
        if !filter.oldest_first {
            events.reverse();
        }
        Answer::Events(events)
    }
}
