//! Keys in the reference model: their status and the operations on them.

use std::collections::BTreeMap;

use super::{Key, Reference, exceeds, may, owns};
use crate::plain::{
    Answer, By, END_OF_TIME, Edit, Expiry, KeyData, NAMES, New, Owner, RATES, SCOPES, Span, Time,
    Who, refused,
};

/// Returns the status: revoked before expired before disabled before scheduled. A bound has passed
/// when it is reached.
pub(crate) fn status(key: &KeyData, now: Time) -> &'static str {
    if key.revoked_at.is_some() {
        return "revoked";
    }
    if let Some(expires) = key.expires_at
        && now >= expires
    {
        return "expired";
    }
    if key.disabled {
        return "disabled";
    }
    match key.not_before {
        Some(begin) if now < begin => "scheduled",
        _ => "active",
    }
}

pub(crate) fn is_live(key: &KeyData, now: Time) -> bool {
    ["active", "scheduled", "disabled"].contains(&status(key, now))
}

/// The statuses in which each operation changes a key.
pub(crate) const POSSIBLE: [(&str, &[&str]); 10] = [
    ("key.rename", &["active", "scheduled", "disabled", "expired", "revoked"]),
    ("key.annotate", &["active", "scheduled", "disabled", "expired", "revoked"]),
    ("key.edit", &["active", "scheduled", "disabled"]),
    ("key.disable", &["active", "scheduled"]),
    ("key.enable", &["disabled"]),
    ("key.rotate", &["active", "scheduled", "disabled"]),
    ("key.finish_rotation", &["active", "scheduled", "disabled"]),
    ("key.revoke", &["active", "scheduled", "disabled"]),
    ("key.delete", &["active", "scheduled", "disabled", "expired", "revoked"]),
    ("key.transfer", &["active", "scheduled", "disabled"]),
];

pub(crate) fn is_possible(operation: &str, status: &str) -> bool {
    POSSIBLE.iter().any(|(known, statuses)| *known == operation && statuses.contains(&status))
}

/// Returns the first scope of a set that the ceiling lacks.
fn first_outside(scopes: u8, ceiling: u8) -> Option<&'static str> {
    let place = (scopes & !ceiling).trailing_zeros() as usize;
    SCOPES.get(place).copied()
}

impl Reference {
    pub(super) fn generate(&mut self, by: By, owner: &Owner, new: &New, fresh: &str) -> Answer {
        if !NAMES[new.name].1 {
            return refused("no name");
        }
        let account = owner.account();
        match self.may_generate(by, owner, new) {
            Ok((not_before, expires)) => {
                let data = KeyData {
                    id: fresh.to_owned(),
                    tenant: by.tenant,
                    owner: owner.clone(),
                    name: new.name,
                    scopes: new.scopes,
                    networks: new.networks,
                    rate: new.rate,
                    of_admin: if is_admin(by, owner) {
                        [new.scopes != 0, new.networks != 0, new.rate != 0]
                    } else {
                        [false; 3]
                    },
                    metadata: new.metadata,
                    created_at: self.now,
                    created_by: by.who.user(),
                    updated_at: self.now,
                    not_before,
                    expires_at: expires,
                    disabled: false,
                    revoked_at: None,
                    rotated_at: None,
                    overlap_ends_at: None,
                    secret_number: 1,
                    version: 1,
                };
                self.keys.push(Key {
                    data: data.clone(),
                    old_secret_known: false,
                    uses: 0,
                    last_used_at: None,
                    refused: 0,
                    last_refused_at: None,
                    periods: [Vec::new(), Vec::new()],
                    used: BTreeMap::new(),
                });
                self.note_of(by, "key.generate", "done", Some(fresh), account.as_deref());
                Answer::Done(data)
            }
            Err(reason) => {
                self.note_of(by, "key.generate", "refused", None, account.as_deref());
                refused(reason)
            }
        }
    }

    fn may_generate(
        &self,
        by: By,
        owner: &Owner,
        new: &New,
    ) -> Result<(Option<Time>, Option<Time>), String> {
        let rules = self.rules(by.tenant);
        let plan = &self.plans[by.tenant];
        let requirements = [
            ("permission", may(by.who, "key.generate", owns(by, owner))),
            ("license", plan.api_access && by.who != Who::Carol),
            ("switch", rules.api_enabled.0),
        ];
        let missing = requirements.iter().filter(|(_, met)| !met).map(|(name, _)| *name);
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            return Err(format!("missing {}", missing.join(" ")));
        }
        self.can_have_keys(by.tenant, owner)?;
        if self.has_pattern(by.tenant) && !NAMES[new.name].2 {
            return Err("rule pattern".to_owned());
        }
        let ceiling = self.ceiling(by.tenant, owner);
        if let Some(scope) = first_outside(new.scopes, ceiling) {
            return Err(format!("rule scope {scope}"));
        }
        let expires = match (new.expiry, rules.default_lifetime.0) {
            (Expiry::In(0), _) => return Err("rule zero lifetime".to_owned()),
            (Expiry::In(span), _) => Some(self.now + span),
            (Expiry::At(time), _) if time <= self.now => return Err("rule passed".to_owned()),
            (Expiry::At(time), _) => Some(time),
            (Expiry::Default, Some(span)) => Some(END_OF_TIME.min(self.now.saturating_add(span))),
            (Expiry::Never, _) | (Expiry::Default, None) => None,
        };
        if expires.is_some_and(|expires| expires > END_OF_TIME) {
            return Err("rule overflow".to_owned());
        }
        if rules.require_expiry.0 && expires.is_none() {
            return Err("rule expiry required".to_owned());
        }
        if let Some(max) = rules.max_lifetime.0 {
            match expires {
                Some(expires) if expires - self.now <= max => {}
                _ => return Err("rule too long".to_owned()),
            }
        }
        let not_before = new.not_before.filter(|begin| *begin > self.now);
        if let (Some(begin), Some(end)) = (not_before, expires)
            && end <= begin
        {
            return Err("rule never valid".to_owned());
        }
        self.rate_is_possible(by, owner, new.rate)?;
        self.limit_holds(by.tenant, owner, 1).map_err(|limit| format!("too many keys {limit}"))?;
        Ok((not_before, expires))
    }

    /// Returns whether a rate is above the plan's highest one, which holds for every actor.
    fn is_above_plan(&self, tenant: usize, rate: usize) -> bool {
        exceeds(RATES[rate], RATES[self.plans[tenant].max_rate])
    }

    /// Checks a new rate against the plan, and against the default rate, which limits actors who
    /// can edit only their own keys.
    fn rate_is_possible(&self, by: By, owner: &Owner, rate: usize) -> Result<(), String> {
        let default = self.rules(by.tenant).default_rate.0.filter(|_| !is_admin(by, owner));
        if self.is_above_plan(by.tenant, rate) || exceeds(RATES[rate], default) {
            return Err("rule rate".to_owned());
        }
        Ok(())
    }

    /// Returns the position of a key that the actor can apply the operation to.
    pub(super) fn find(&self, by: By, id: &str, operation: &str) -> Result<usize, String> {
        let found = self.keys.iter().position(|k| k.data.id == id && k.data.tenant == by.tenant);
        let place = found.ok_or("not found")?;
        let own = owns(by, &self.keys[place].data.owner);
        if !may(by.who, "key.show", own) && !may(by.who, operation, own) {
            return Err("not found".to_owned());
        }
        if !may(by.who, operation, own) {
            return Err(format!("not allowed {operation}"));
        }
        Ok(place)
    }

    /// Applies `change` to a key; it returns false if the key already has the requested state.
    fn change(
        &mut self,
        by: By,
        id: &str,
        operation: &str,
        change: impl FnOnce(&Self, &mut Key) -> Result<bool, String>,
    ) -> Answer {
        let place = match self.find(by, id, operation) {
            Ok(place) => place,
            Err(reason) => return self.refuse(by, operation, Some(id), reason),
        };
        let mut key = self.keys[place].clone();
        let status = status(&key.data, self.now);
        let already = [
            ("key.disable", "disabled"),
            ("key.enable", "active"),
            ("key.enable", "scheduled"),
            ("key.revoke", "revoked"),
        ];
        let changed = if already.contains(&(operation, status)) {
            Ok(false)
        } else if is_possible(operation, status) {
            change(self, &mut key)
        } else {
            Err(format!("not possible {status}"))
        };
        let outcome = match &changed {
            Ok(true) => "done",
            Ok(false) => "unchanged",
            Err(_) => "refused",
        };
        self.note(by, operation, outcome, Some(id));
        match changed {
            Ok(true) => {
                key.data.updated_at = self.now;
                key.data.version += 1;
                self.keys[place] = key.clone();
                Answer::Done(key.data)
            }
            Ok(false) => Answer::Unchanged(key.data),
            Err(reason) => refused(reason),
        }
    }

    pub(super) fn rename(&mut self, by: By, id: &str, name: usize) -> Answer {
        if !NAMES[name].1 {
            return refused("no name");
        }
        self.change(by, id, "key.rename", |this, key| {
            if key.data.name == name {
                return Ok(false);
            }
            if this.has_pattern(by.tenant) && !NAMES[name].2 {
                return Err("rule pattern".to_owned());
            }
            key.data.name = name;
            Ok(true)
        })
    }

    pub(super) fn edit(&mut self, by: By, id: &str, edit: &Edit) -> Answer {
        let more_than_metadata =
            edit.scopes.is_some() || edit.networks.is_some() || edit.rate.is_some();
        let operation = if more_than_metadata { "key.edit" } else { "key.annotate" };
        self.change(by, id, operation, |this, key| {
            let ceiling = this.ceiling(by.tenant, &key.data.owner);
            if let Some(scope) = edit.scopes.and_then(|scopes| first_outside(scopes, ceiling)) {
                return Err(format!("rule scope {scope}"));
            }
            if edit.rate.is_some_and(|rate| this.is_above_plan(by.tenant, rate)) {
                return Err("rule rate".to_owned());
            }
            let before = key.data.clone();
            let [scopes, networks, rate] = &mut key.data.of_admin;
            if is_admin(by, &before.owner) {
                *scopes |= edit.scopes.is_some();
                *networks = edit.networks.map_or(*networks, |networks| networks != 0);
                *rate = edit.rate.map_or(*rate, |rate| rate != 0);
            } else {
                // List 0 allows every address, and list 1 is a subset of list 2.
                let lies_within = |a: usize, b: usize| b == 0 || a == b || a == 1 && b == 2;
                // A key without scopes has those that its owner's keys follow.
                let widens = |wanted: u8| {
                    wanted != before.scopes && (wanted == 0 || wanted & !before.scopes != 0)
                };
                if *scopes && edit.scopes.is_some_and(widens) {
                    return Err("rule scopes of an admin".to_owned());
                }
                if *networks && edit.networks.is_some_and(|n| !lies_within(n, before.networks)) {
                    return Err("rule networks of an admin".to_owned());
                }
                if *rate {
                    if edit.rate.is_some_and(|r| r == 0 || exceeds(RATES[r], RATES[before.rate])) {
                        return Err("rule rate of an admin".to_owned());
                    }
                } else {
                    this.rate_is_possible(by, &before.owner, edit.rate.unwrap_or(0))?;
                }
            }
            key.data.scopes = edit.scopes.unwrap_or(key.data.scopes);
            key.data.networks = edit.networks.unwrap_or(key.data.networks);
            key.data.rate = edit.rate.unwrap_or(key.data.rate);
            key.data.metadata = edit.metadata.unwrap_or(key.data.metadata);
            Ok(key.data != before)
        })
    }

    pub(super) fn set_disabled(&mut self, by: By, id: &str, disabled: bool) -> Answer {
        let operation = if disabled { "key.disable" } else { "key.enable" };
        self.change(by, id, operation, |_, key| {
            key.data.disabled = disabled;
            Ok(true)
        })
    }

    pub(super) fn rotate(&mut self, by: By, id: &str, overlap: Span) -> Answer {
        self.change(by, id, "key.rotate", |this, key| {
            if key.data.disabled && overlap > 0 {
                return Err("overlap while disabled".to_owned());
            }
            if overlap > this.rules(by.tenant).max_overlap.0 {
                return Err("overlap too long".to_owned());
            }
            let end = this.now + overlap;
            let end = key.data.expires_at.map_or(end, |expires| expires.min(end));
            key.old_secret_known = overlap > 0;
            key.data.overlap_ends_at = (overlap > 0).then_some(end);
            key.data.rotated_at = Some(this.now);
            key.data.secret_number += 1;
            Ok(true)
        })
    }

    pub(super) fn finish(&mut self, by: By, id: &str) -> Answer {
        self.change(by, id, "key.finish_rotation", |this, key| {
            if key.data.overlap_ends_at.is_none_or(|end| this.now >= end) {
                return Ok(false);
            }
            key.old_secret_known = false;
            key.data.overlap_ends_at = None;
            Ok(true)
        })
    }

    pub(super) fn revoke(&mut self, by: By, id: &str) -> Answer {
        self.change(by, id, "key.revoke", |this, key| {
            key.data.revoked_at = Some(this.now);
            Ok(true)
        })
    }

    pub(super) fn revoke_owned(&mut self, by: By, owner: &Owner) -> Answer {
        let account = owner.account();
        if !may(by.who, "key.revoke", owns(by, owner)) {
            self.note_of(by, "key.revoke", "refused", None, account.as_deref());
            return refused("not allowed key.revoke");
        }
        let mut live: Vec<_> = self
            .keys
            .iter()
            .map(|key| &key.data)
            .filter(|key| key.tenant == by.tenant && key.owner == *owner && is_live(key, self.now))
            .map(|key| (key.created_at, key.id.clone()))
            .collect();
        live.sort();
        if live.is_empty() {
            self.note_of(by, "key.revoke", "unchanged", None, account.as_deref());
        }
        for (_, id) in &live {
            let now = self.now;
            let key = self.keys.iter_mut().find(|key| key.data.id == *id).expect("it is live");
            key.data.revoked_at = Some(now);
            key.data.updated_at = now;
            key.data.version += 1;
            self.note(by, "key.revoke", "done", Some(id));
        }
        Answer::Ids(live.into_iter().map(|(_, id)| id).collect())
    }

    pub(super) fn delete(&mut self, by: By, id: &str) -> Answer {
        match self.find(by, id, "key.delete") {
            Ok(place) => {
                self.note(by, "key.delete", "done", Some(id));
                self.keys.remove(place);
                Answer::Nothing
            }
            Err(reason) => self.refuse(by, "key.delete", Some(id), reason),
        }
    }
}

/// Returns whether the actor sets the limits of an owner's keys as an administrator.
fn is_admin(by: By, owner: &Owner) -> bool {
    !owns(by, owner) || may(by.who, "key.edit", false)
}
