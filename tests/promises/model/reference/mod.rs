//! The reference model: the crate's promises, written from the guide and not from the crate's code.
//! It has flat lists of keys, accounts and events, without an index or a cache.

mod accounts;
mod keys;
mod listing;
mod owners;
mod policy;
mod rates;
mod refusals;
mod sweep;
mod verify;

use std::collections::BTreeMap;

use self::rates::Spent;
use self::refusals::Minutes;
use crate::plain::{
    AccountData, Answer, By, EventData, Id, KeyData, Op, Owner, Time, UserData, Who, refused,
};
use crate::policy::{Alert, PlanData, SettingsData, Uses};

pub(crate) struct Reference {
    /// Whether the store can be reopened, with the loss of the uses that were not flushed.
    durable: bool,
    pub(crate) now: Time,
    pub(crate) keys: Vec<Key>,
    pub(crate) accounts: Vec<AccountData>,
    pub(crate) plans: [PlanData; 2],
    pub(crate) settings: [SettingsData; 2],
    /// The users of whom something is stored.
    users: Vec<UserData>,
    pub(crate) events: Vec<EventData>,
    /// Uses that were counted and not flushed.
    counted: BTreeMap<Counter, Counted>,
    /// The spent part of the rate of each key, and of the shared rate of each owner's new keys.
    spent: BTreeMap<String, Spent>,
    /// The refused calls of each actor in the current minute.
    refusals: Minutes,
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) data: KeyData,
    /// Whether the store still holds the digest of the previous secret.
    old_secret_known: bool,
    uses: u64,
    last_used_at: Option<Time>,
    refused: u64,
    last_refused_at: Option<Time>,
    /// The periods in which accepted uses and refused ones are counted, at most two of each.
    periods: [Vec<Period>; 2],
    /// The last use of each secret.
    used: BTreeMap<u32, Time>,
}

/// Uses that are counted together: those of one key, refused or not, with one secret, under one alert
/// and in one of its periods.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Counter {
    key: Id,
    is_refused: bool,
    secret: u32,
    /// The start of the period, and the alert.
    period: Option<(Time, Alert)>,
}

#[derive(Clone, Copy)]
struct Counted {
    uses: u64,
    last: Time,
}

/// The uses of a key in a period: its start and length, the uses, the last one, and whether the
/// event is written.
#[derive(Clone, Copy, Debug)]
struct Period {
    start: Time,
    seconds: i64,
    uses: u64,
    last: Time,
    told: bool,
}

impl Reference {
    pub(crate) fn new(now: Time, durable: bool) -> Self {
        Self {
            durable,
            now,
            keys: Vec::new(),
            accounts: Vec::new(),
            plans: [PlanData::of_host(), PlanData::of_host()],
            settings: [SettingsData::default(), SettingsData::default()],
            users: Vec::new(),
            events: Vec::new(),
            counted: BTreeMap::new(),
            spent: BTreeMap::new(),
            refusals: Minutes::new(),
        }
    }

    /// Performs an operation. `fresh` is the id that was drawn for a new key or account.
    pub(crate) fn carry_out(&mut self, op: &Op, fresh: Option<&str>) -> Answer {
        let fresh = fresh.unwrap_or("none was drawn");
        match op {
            Op::Clock(time) => {
                self.now = *time;
                Answer::Nothing
            }
            Op::Reopen => {
                if !self.durable {
                    self.flush();
                }
                self.counted.clear();
                self.spent.clear();
                self.refusals.clear();
                Answer::Nothing
            }
            Op::Generate(by, owner, new) => self.generate(*by, owner, new, fresh),
            Op::Show(by, id) => self.show(*by, id),
            Op::Rename(by, id, name) => self.rename(*by, id, *name),
            Op::Edit(by, id, edit) => self.edit(*by, id, edit),
            Op::Disable(by, id) => self.set_disabled(*by, id, true),
            Op::Enable(by, id) => self.set_disabled(*by, id, false),
            Op::Rotate(by, id, overlap) => self.rotate(*by, id, *overlap),
            Op::Finish(by, id) => self.finish(*by, id),
            Op::Revoke(by, id) => self.revoke(*by, id),
            Op::RevokeMany(by, ids) => {
                Answer::Many(ids.iter().map(|id| (id.clone(), self.revoke(*by, id))).collect())
            }
            Op::RevokeOwned(by, owner) => self.revoke_owned(*by, owner),
            Op::Delete(by, id) => self.delete(*by, id),
            Op::Present(presented, wanted) => self.present(presented, *wanted),
            Op::RevokeByToken(presented) => self.revoke_by_token(presented),
            Op::Flush => self.flush(),
            Op::Sweep(by) => self.sweep(*by),
            Op::List(by, query) => self.list(*by, query),
            Op::CreateAccount(by, name, role, read_only) => {
                self.create_account(*by, *name, *role, *read_only, fresh)
            }
            Op::EditAccount(by, id, name, role, read_only) => {
                self.edit_account(*by, id, *name, *role, *read_only)
            }
            Op::EnableAccount(by, id, enabled) => self.enable_account(*by, id, *enabled),
            Op::DeleteAccount(by, id) => self.delete_account(*by, id),
            Op::ShowAccount(by, id) => match self.find_account(*by, id, "account.show") {
                Ok(found) => Answer::Account(false, found.clone()),
                Err(reason) => refused(reason),
            },
            Op::Accounts(by, search, limit) => self.list_accounts(*by, *search, *limit),
            Op::SetPlan(by, plan) => self.set_plan(*by, plan),
            Op::EditSettings(by, edit, version) => self.edit_settings(*by, edit, *version),
            Op::Policy(by) => self.policy(*by),
            Op::Transfer(by, id, to) => self.transfer(*by, id, to),
            Op::TransferOwned(by, from, to) => self.transfer_owned(*by, from, to),
            Op::User(by, user) => self.show_user(*by, user),
            Op::NameUser(by, user, name) => self.name_user(*by, user, *name),
            Op::SuspendUser(by, user, suspended) => self.suspend_user(*by, user, *suspended),
            Op::Events(by, filter) => self.list_events(*by, filter),
        }
    }

    fn note(&mut self, by: By, kind: &str, outcome: &'static str, key: Option<&str>) {
        self.note_of(by, kind, outcome, key, None);
    }

    fn note_of(
        &mut self,
        by: By,
        kind: &str,
        outcome: &'static str,
        key: Option<&str>,
        account: Option<&str>,
    ) {
        if outcome == "refused" {
            return self.refusal(by, kind, key, account);
        }
        let actor = format!("user:{}", by.who.user());
        self.record(by.tenant, actor, kind, outcome, key, account);
    }

    fn record(
        &mut self,
        tenant: usize,
        actor: String,
        kind: &str,
        outcome: &'static str,
        key: Option<&str>,
        account: Option<&str>,
    ) {
        // An event of a key also names the account that owns the key.
        let of_the_key = self
            .keys
            .iter()
            .find(|known| Some(known.data.id.as_str()) == key && known.data.tenant == tenant);
        let account = account.map(str::to_owned);
        let account = account.or_else(|| of_the_key.and_then(|key| key.data.owner.account()));
        let newest = self.events.iter().rev().find(|event| event.tenant == tenant);
        self.events.push(EventData {
            sequence: newest.map_or(0, |event| event.sequence) + 1,
            tenant,
            at: self.now,
            actor,
            kind: kind.to_owned(),
            key: key.map(str::to_owned),
            account,
            outcome,
            refusals: 0,
        });
    }

    /// Records the refusal.
    fn refuse(&mut self, by: By, kind: &str, key: Option<&str>, reason: String) -> Answer {
        self.note(by, kind, "refused", key);
        refused(reason)
    }

    fn account_of(&self, key: &KeyData) -> Option<&AccountData> {
        match &key.owner {
            Owner::Account(id) => self.accounts.iter().find(|account| account.id == *id),
            Owner::User(_) | Owner::Organization => None,
        }
    }
}

/// Returns whether an actor can do the operation; `own` means that the key is the actor's own.
pub(crate) fn may(who: Who, operation: &str, own: bool) -> bool {
    match who {
        Who::Admin => true,
        Who::TenantAdmin => {
            let of_users = ["user.show", "user.name", "user.suspend", "user.restore"];
            let others = ["key.show", "key.revoke", "account.show"];
            let of_tenant = ["policy.show", "settings.edit", "events.show"];
            [&of_users[..], &others, &of_tenant].concat().contains(&operation)
        }
        Who::Alice | Who::Bob | Who::Carol => {
            let of_keys = operation.starts_with("key.") && operation != "key.transfer";
            operation == "policy.show" || own && of_keys
        }
        Who::Auditor => {
            let shown = ["key.show", "account.show", "policy.show", "events.show", "user.show"];
            shown.contains(&operation)
        }
        Who::Nobody => false,
    }
}

fn owns(by: By, owner: &Owner) -> bool {
    *owner == Owner::User(by.who.user())
}

/// Returns whether a rate admits more uses than a limit, in a burst or over time.
fn exceeds(rate: Option<Uses>, limit: Option<Uses>) -> bool {
    match (rate, limit) {
        (Some((uses, seconds)), Some((most, period))) => {
            uses > most || uses * period > most * seconds
        }
        _ => false,
    }
}
