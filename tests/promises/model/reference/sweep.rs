//! The sweep in the reference model.

use super::{Reference, may};
use crate::plain::{Answer, By, KeyData};

impl Reference {
    /// Removes the tenant's oldest events up to the first one that is retained, 500 at a time. The
    /// newest event always stays.
    fn sweep_events(&mut self, by: By) {
        let retention = self.rules(by.tenant).event_retention.0;
        loop {
            let mine = self.events.iter().filter(|event| event.tenant == by.tenant);
            let all = mine.clone().count();
            let due = mine.take(500).take_while(|event| event.at + retention <= self.now).count();
            let due = due.min(all.saturating_sub(1));
            if due == 0 {
                return;
            }
            let mut left = due;
            self.events.retain(|event| {
                let goes = event.tenant == by.tenant && left > 0;
                left -= usize::from(goes);
                !goes
            });
            self.note(by, "sweep", "done", None);
            if due < all.min(500) {
                return;
            }
        }
    }

    pub(super) fn sweep(&mut self, by: By) -> Answer {
        if !may(by.who, "sweep", false) {
            return self.refuse(by, "sweep", None, "not allowed sweep".to_owned());
        }
        self.write_counts(Some(by.tenant), usize::MAX);
        let retention = self.rules(by.tenant).retention.0;
        let due = |key: &KeyData| {
            let expired = key.expires_at.filter(|expires| self.now >= *expires);
            let dead = key.revoked_at.into_iter().chain(expired).min();
            key.tenant == by.tenant && dead.is_some_and(|dead| dead + retention <= self.now)
        };
        let keys = self.keys.iter().map(|key| &key.data).filter(|key| due(key));
        let mut swept: Vec<_> = keys.map(|key| (key.created_at, key.id.clone())).collect();
        swept.sort();
        for (_, id) in &swept {
            self.note(by, "sweep", "done", Some(id));
            self.keys.retain(|key| key.data.id != *id);
        }
        self.sweep_events(by);
        Answer::Ids(swept.into_iter().map(|(_, id)| id).collect())
    }
}
