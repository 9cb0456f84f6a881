//! Service accounts in the reference model.

use super::{Reference, may};
use crate::plain::{AccountData, Answer, By, NAMES, Owner, refused};

impl Reference {
    pub(super) fn create_account(
        &mut self,
        by: By,
        name: usize,
        role: usize,
        read_only: bool,
        fresh: &str,
    ) -> Answer {
        if !NAMES[name].1 {
            return refused("no name");
        }
        let kind = "account.create";
        if !may(by.who, kind, false) {
            return self.refuse(by, kind, None, format!("not allowed {kind}"));
        }
        if !self.plans[by.tenant].roles.contains_key(&role) {
            return self.refuse(by, kind, None, "unknown role".to_owned());
        }
        let account = AccountData {
            id: fresh.to_owned(),
            tenant: by.tenant,
            name,
            role,
            read_only,
            enabled: true,
            created_at: self.now,
            updated_at: self.now,
            version: 1,
        };
        self.accounts.push(account.clone());
        self.note_of(by, kind, "done", None, Some(fresh));
        Answer::Account(false, account)
    }

    pub(super) fn find_account(
        &self,
        by: By,
        id: &str,
        kind: &str,
    ) -> Result<&AccountData, String> {
        if !may(by.who, kind, false) {
            return Err(format!("not allowed {kind}"));
        }
        let found = self.accounts.iter().find(|a| a.id == id && a.tenant == by.tenant);
        found.ok_or_else(|| "not found".to_owned())
    }

    pub(super) fn edit_account(
        &mut self,
        by: By,
        id: &str,
        name: Option<usize>,
        role: Option<usize>,
        read_only: Option<bool>,
    ) -> Answer {
        if name.is_some_and(|name| !NAMES[name].1) {
            return refused("no name");
        }
        let known = role.is_none_or(|role| self.plans[by.tenant].roles.contains_key(&role));
        self.change_account(by, id, "account.edit", |account| {
            if !known {
                return Err("unknown role".to_owned());
            }
            account.name = name.unwrap_or(account.name);
            account.role = role.unwrap_or(account.role);
            account.read_only = read_only.unwrap_or(account.read_only);
            Ok(())
        })
    }

    pub(super) fn enable_account(&mut self, by: By, id: &str, enabled: bool) -> Answer {
        let kind = if enabled { "account.enable" } else { "account.disable" };
        self.change_account(by, id, kind, |account| {
            account.enabled = enabled;
            Ok(())
        })
    }

    fn change_account(
        &mut self,
        by: By,
        id: &str,
        kind: &str,
        change: impl FnOnce(&mut AccountData) -> Result<(), String>,
    ) -> Answer {
        let changed = self.find_account(by, id, kind).cloned().and_then(|before| {
            let mut account = before.clone();
            change(&mut account)?;
            Ok((before, account))
        });
        match changed {
            Err(reason) => {
                self.note_of(by, kind, "refused", None, Some(id));
                refused(reason)
            }
            Ok((before, account)) if before == account => {
                self.note_of(by, kind, "unchanged", None, Some(id));
                Answer::Account(true, before)
            }
            Ok((_, mut account)) => {
                account.updated_at = self.now;
                account.version += 1;
                let stored = self.accounts.iter_mut().find(|known| known.id == id);
                *stored.expect("it was found") = account.clone();
                self.note_of(by, kind, "done", None, Some(id));
                Answer::Account(false, account)
            }
        }
    }

    pub(super) fn delete_account(&mut self, by: By, id: &str) -> Answer {
        let kind = "account.delete";
        if let Err(reason) = self.find_account(by, id, kind) {
            self.note_of(by, kind, "refused", None, Some(id));
            return refused(reason);
        }
        let owner = Owner::Account(id.to_owned());
        let keys = self.keys.iter().map(|key| &key.data).filter(|key| key.owner == owner);
        let mut ids: Vec<_> = keys.map(|key| (key.created_at, key.id.clone())).collect();
        ids.sort();
        self.keys.retain(|key| key.data.owner != owner);
        self.accounts.retain(|account| account.id != id);
        for (_, key) in ids {
            self.note_of(by, "key.delete", "done", Some(&key), Some(id));
        }
        self.note_of(by, kind, "done", None, Some(id));
        Answer::Nothing
    }

    pub(super) fn list_accounts(&self, by: By, search: Option<&str>, limit: u16) -> Answer {
        if !may(by.who, "account.show", false) {
            return refused("not allowed account.show");
        }
        if limit == 0 || limit > 500 {
            return refused(format!("limit {limit}"));
        }
        let found = |account: &&AccountData| {
            let texts = [NAMES[account.name].0, &account.id, crate::plain::ROLES[account.role]];
            let text = search.unwrap_or("").to_lowercase();
            account.tenant == by.tenant && texts.iter().any(|t| t.to_lowercase().contains(&text))
        };
        let mut accounts: Vec<_> = self.accounts.iter().filter(found).cloned().collect();
        accounts.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Answer::Accounts(accounts)
    }
}
