//! Users, and keys that are handed to another owner, in the reference model.

use super::keys::{is_live, is_possible, status};
use super::{Reference, may};
use crate::plain::{AccountData, Answer, By, Id, KeyData, NAMES, Owner, UserData, refused};

impl Reference {
    pub(super) fn find_owner(&self, owner: &Owner) -> Option<&AccountData> {
        let id = owner.account()?;
        self.accounts.iter().find(|account| account.id == id)
    }

    fn user(&self, tenant: usize, id: &'static str) -> UserData {
        let known = self.users.iter().find(|user| user.tenant == tenant && user.id == id);
        known.cloned().unwrap_or(UserData {
            id,
            tenant,
            display_name: None,
            suspended: false,
            updated_at: self.now,
            version: 0,
        })
    }

    pub(crate) fn is_suspended(&self, tenant: usize, owner: &Owner) -> bool {
        matches!(owner, Owner::User(id) if self.user(tenant, id).suspended)
    }

    /// Returns the name of the key's owner that listings show.
    pub(super) fn owner_name(&self, key: &KeyData) -> Option<usize> {
        match &key.owner {
            Owner::User(id) => self.user(key.tenant, id).display_name,
            Owner::Account(_) => self.account_of(key).map(|account| account.name),
            Owner::Organization => None,
        }
    }

    /// Checks that an owner can have another key: neither missing nor stopped.
    pub(super) fn can_have_keys(&self, tenant: usize, owner: &Owner) -> Result<(), String> {
        let reason = match owner {
            Owner::Account(_) => match self.find_owner(owner) {
                Some(account) if account.tenant == tenant && account.enabled => return Ok(()),
                Some(account) if account.tenant == tenant => "account disabled",
                _ => "no account",
            },
            _ if self.is_suspended(tenant, owner) => "user suspended",
            _ => return Ok(()),
        };
        Err(reason.to_owned())
    }

    pub(super) fn show_user(&self, by: By, id: &'static str) -> Answer {
        if may(by.who, "user.show", false) {
            Answer::User(false, self.user(by.tenant, id))
        } else {
            refused("not allowed user.show")
        }
    }

    pub(super) fn name_user(&mut self, by: By, id: &'static str, name: Option<usize>) -> Answer {
        if name.is_some_and(|name| !NAMES[name].1) {
            return refused("no name");
        }
        self.change_user(
            by,
            "user.name",
            UserData { display_name: name, ..self.user(by.tenant, id) },
        )
    }

    pub(super) fn suspend_user(&mut self, by: By, id: &'static str, suspended: bool) -> Answer {
        let kind = if suspended { "user.suspend" } else { "user.restore" };
        self.change_user(by, kind, UserData { suspended, ..self.user(by.tenant, id) })
    }

    fn change_user(&mut self, by: By, kind: &str, next: UserData) -> Answer {
        if !may(by.who, kind, false) {
            return self.refuse(by, kind, None, format!("not allowed {kind}"));
        }
        if next == self.user(by.tenant, next.id) {
            self.note(by, kind, "unchanged", None);
            return Answer::User(true, next);
        }
        let next = UserData { updated_at: self.now, version: next.version + 1, ..next };
        self.users.retain(|user| (user.tenant, user.id) != (by.tenant, next.id));
        self.users.push(next.clone());
        self.note(by, kind, "done", None);
        Answer::User(false, next)
    }

    pub(super) fn transfer(&mut self, by: By, id: &str, to: &Owner) -> Answer {
        let kind = "key.transfer";
        let handed = self.find(by, id, kind).and_then(|place| {
            self.can_have_keys(by.tenant, to)?;
            let key = &self.keys[place].data;
            let next = self.handed(key, to)?;
            if key.owner != *to {
                let limit = self.limit_holds(by.tenant, to, 1);
                limit.map_err(|limit| format!("new owner too many keys {limit}"))?;
            }
            Ok((place, next))
        });
        match handed {
            Err(reason) => self.refuse(by, kind, Some(id), reason),
            Ok((place, next)) if next == self.keys[place].data => {
                self.note(by, kind, "unchanged", Some(id));
                Answer::Unchanged(next)
            }
            Ok((place, next)) => {
                let next = self.hand(by, place, next);
                Answer::Done(next)
            }
        }
    }

    pub(super) fn transfer_owned(&mut self, by: By, from: &Owner, to: &Owner) -> Answer {
        let kind = "key.transfer";
        let account = from.account();
        match self.all_handed(by, from, to) {
            Err(reason) => {
                self.note_of(by, kind, "refused", None, account.as_deref());
                refused(reason)
            }
            Ok(handed) if handed.is_empty() => {
                self.note_of(by, kind, "unchanged", None, account.as_deref());
                Answer::Ids(Vec::new())
            }
            Ok(handed) => {
                let ids: Vec<Id> = handed.iter().map(|key| key.id.clone()).collect();
                for next in handed {
                    let place = self.keys.iter().position(|key| key.data.id == next.id);
                    self.hand(by, place.expect("it was found"), next);
                }
                Answer::Ids(ids)
            }
        }
    }

    /// Returns the live keys of an owner as they are with another owner, from the oldest on.
    fn all_handed(&self, by: By, from: &Owner, to: &Owner) -> Result<Vec<KeyData>, String> {
        if !may(by.who, "key.transfer", false) {
            return Err("not allowed key.transfer".to_owned());
        }
        self.can_have_keys(by.tenant, to)?;
        let keys = self.keys.iter().map(|key| &key.data);
        let of_owner = keys.filter(|key| key.tenant == by.tenant && key.owner == *from);
        let mut live: Vec<_> = of_owner.filter(|key| is_live(key, self.now)).collect();
        live.sort_by_key(|key| (key.created_at, &key.id));
        if from == to {
            return Ok(Vec::new());
        }
        let handed = live.into_iter().map(|key| self.handed(key, to));
        let handed = handed.collect::<Result<Vec<_>, _>>()?;
        if !handed.is_empty() {
            let limit = self.limit_holds(by.tenant, to, handed.len());
            limit.map_err(|limit| format!("new owner too many keys {limit}"))?;
        }
        Ok(handed)
    }

    /// Returns the key as it is with another owner. It keeps the scopes that it effectively has,
    /// without those that keys of the new owner cannot have, and it never gains one.
    fn handed(&self, key: &KeyData, to: &Owner) -> Result<KeyData, String> {
        let status = status(key, self.now);
        if !is_possible("key.transfer", status) {
            return Err(format!("not possible {status}"));
        }
        let mut next = KeyData { owner: to.clone(), ..key.clone() };
        if key.owner == *to || (key.owner.account().is_none() && to.account().is_none()) {
            return Ok(next);
        }
        let before = self.scopes_of(key);
        // Every scope that the new owner's keys can have at all, read-only or not.
        let possible = self.scopes_of(&KeyData { scopes: u8::MAX, ..next.clone() });
        next.scopes = before & possible;
        // Without scopes of its own, the key would follow those of its new owner.
        let was_silent = before == 0 && key.scopes == 0;
        let stays_silent = was_silent && self.scopes_of(&next) == 0;
        if next.scopes == 0 && !stays_silent {
            return Err("rule no scope left".to_owned());
        }
        Ok(next)
    }

    fn hand(&mut self, by: By, place: usize, next: KeyData) -> KeyData {
        let key = &mut self.keys[place].data;
        *key = KeyData { updated_at: self.now, version: next.version + 1, ..next };
        let key = key.clone();
        self.note(by, "key.transfer", "done", Some(&key.id));
        key
    }
}
