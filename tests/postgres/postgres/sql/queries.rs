//! Draws random queries that match some of the records.

use std::time::Duration;

use keywright::store::{EventQuery, KeyQuery, KeySort};
use keywright::{Contact, EventKind, KeyStatus, Operation, OwnerKind, Prefix, TenantId, Timestamp};

use super::{ACCOUNTS, Both, CONTACTS, KEYS, PIECES};
use common::tenant;

impl Both {
    /// Draws a part of an existing text, changed in case or shape, or a text that no record has.
    pub(super) fn search(&mut self) -> String {
        let record = self.keys[self.random.below(KEYS)].clone();
        let key = record.key();
        let text = match self.random.below(13) {
            0 => key.name.to_string(),
            1 => key.id.to_string(),
            2 => key.display_prefix(),
            3 => key.owner.to_string(),
            4 => key.owner.id().to_owned(),
            5 => self.accounts[self.random.below(ACCOUNTS)].name.to_string(),
            6 => PIECES[self.random.below(PIECES.len())].to_owned(),
            7 => "acme_live_".to_owned(),
            8 => CONTACTS[self.random.below(CONTACTS.len())].to_owned(),
            9 => key.description.as_ref().map(ToString::to_string).unwrap_or_default(),
            10 => {
                let user = &self.users[self.random.below(self.users.len())];
                user.display_name.as_ref().map_or_else(String::new, ToString::to_string)
            }
            11 => self.accounts[self.random.below(ACCOUNTS)].role.to_string(),
            _ => {
                let odd = [
                    "", "organ", "\0", "a\0b", "\n", ":", "user:", "account:", "live_", "e_",
                    "none", "'", "\\%",
                ];
                odd[self.random.below(odd.len())].to_owned()
            }
        };
        let chars: Vec<char> = text.chars().collect();
        let from = if self.random.below(2) == 0 { 0 } else { self.random.below(chars.len() + 1) };
        let to = if self.random.below(2) == 0 {
            chars.len()
        } else {
            from + self.random.below(chars.len() + 1 - from)
        };
        let part: String = chars[from..to].iter().collect();
        match self.random.below(3) {
            0 => part.to_uppercase(),
            1 => part.to_lowercase(),
            _ => part,
        }
    }

    pub(super) fn key_query(&mut self) -> KeyQuery {
        let mut query = KeyQuery::new().sort(
            [
                KeySort::Created,
                KeySort::Updated,
                KeySort::Name,
                KeySort::Expires,
                KeySort::LastUsed,
            ][self.random.below(5)],
        );
        if self.random.below(2) == 0 {
            query = query.descending();
        }
        if self.random.below(2) == 0 {
            query = query.search(self.search());
        }
        for _ in 0..self.random.below(4).saturating_sub(1) {
            query = query.status(KeyStatus::ALL[self.random.below(KeyStatus::ALL.len())]);
        }
        if self.random.below(5) == 0 {
            query = query.owner(self.owner());
        }
        if self.random.below(6) == 0 {
            query = query.owner_kind(OwnerKind::ALL[self.random.below(OwnerKind::ALL.len())]);
        }
        if self.random.below(6) == 0 {
            let contact = CONTACTS[self.random.below(CONTACTS.len())];
            query = query.contact(Contact::new(contact).expect("a contact"));
        }
        if self.random.below(6) == 0 {
            let team =
                ["billing", "Billing", "", "a\0b", "o'ps\\", "\u{e9}%"][self.random.below(6)];
            query = query.metadata("team", team);
        }
        if self.random.below(6) == 0 {
            let prefix = ["acme_live", "acme_test", "kw", "acme"][self.random.below(4)];
            query = query.prefix(Prefix::new(prefix).expect("a prefix"));
        }
        if self.random.below(6) == 0 {
            let seconds = [0, 1, 5, 400_000_000_000][self.random.below(4)];
            query = query.expiring_within(Duration::from_secs(seconds));
        }
        if self.random.below(6) == 0 {
            query = query.unused_since(self.time());
        }
        if self.random.below(8) == 0 {
            query = query.never_used();
        }
        query
    }

    pub(super) fn event_query(&mut self) -> EventQuery {
        let mut query = EventQuery::new();
        if self.random.below(2) == 0 {
            query = query.oldest_first();
        }
        if self.random.below(5) == 0 {
            query = query.key(*self.keys[self.random.below(KEYS)].id());
        }
        if self.random.below(5) == 0 {
            query = query.account(self.accounts[self.random.below(ACCOUNTS)].id);
        }
        if self.random.below(3) == 0 {
            let actors = ["system", "possessor", "user:alice", "user:a_b", "user:a%"];
            query = query.actor(actors[self.random.below(5)].parse().expect("an actor"));
        }
        if self.random.below(3) == 0 {
            let kinds =
                [Operation::KeyRename.into(), Operation::Sweep.into(), EventKind::ExtensiveUse];
            query = query.kind(kinds[self.random.below(3)]);
        }
        if self.random.below(4) == 0 {
            query = query.since(self.time());
        }
        if self.random.below(4) == 0 {
            query = query.until(self.time());
        }
        query
    }

    /// Draws the time and the tenant of a listing.
    pub(super) fn moment(&mut self) -> (Timestamp, TenantId) {
        let whose =
            if self.is_other() { TenantId::new("other").expect("a tenant") } else { tenant() };
        (self.time(), whose)
    }
}
