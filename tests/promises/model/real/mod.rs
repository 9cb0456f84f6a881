//! The crate behind an interface of plain data.

mod credential;
mod errors;
mod policy;
mod translate;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_lite::future::block_on;
use keywright::store::{AccountQuery, EventQuery, KeyQuery};
use keywright::{
    AccessRequest, AccountEdit, Authority, Issued, KeyId, Keywright, ManualClock, NewAccount,
    Outcome, Prefix, Verifier, VerifyError,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use common::stores::{Opened, StoreKind};

use self::translate as to;
use crate::plain::{Answer, By, Id, NAMES, Op, Presented, ROLES, SOURCES, Time, Wanted, refused};

pub(crate) const PREFIX: &str = "acme_live";

/// The crate over a store, with every token that it issued.
pub(crate) struct Real {
    kind: StoreKind,
    store: Opened,
    clock: ManualClock,
    authority: Authority,
    verifier: Verifier,
    seed: u64,
    /// The tokens by key and secret number.
    pub(crate) tokens: BTreeMap<(Id, u32), String>,
}

impl Real {
    pub(crate) fn on(kind: StoreKind, now: Time, seed: u64) -> Self {
        let store = kind.open();
        let clock = ManualClock::at(to::time(now));
        let keywright = built(&store, &clock, seed);
        Self {
            kind,
            store,
            clock,
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            seed,
            tokens: BTreeMap::new(),
        }
    }

    /// Returns whether the store can be closed and opened again.
    pub(crate) fn is_durable(&self) -> bool {
        self.kind.is_durable()
    }

    /// Performs an operation, and returns the id that was drawn for a new key or account.
    pub(crate) fn carry_out(&mut self, op: &Op) -> (Answer, Option<Id>) {
        let answer = match op {
            Op::Generate(by, owner, new) => {
                let Ok(new) = to::new_key(new) else { return (refused("no name"), None) };
                let (actor, owner) = (to::actor(*by), to::owner(owner));
                match block_on(self.authority.generate(&actor, new.owner(owner.clone()))) {
                    Ok(issued) => self.hand_out(&issued),
                    Err(error) => refused(errors::generate_error(&error)),
                }
            }
            Op::CreateAccount(by, name, role, read_only) => {
                let Ok(name) = NAMES[*name].0.parse() else { return (refused("no name"), None) };
                let new = NewAccount::new(name, ROLES[*role].parse().expect("a role"));
                let new = if *read_only { new.read_only() } else { new };
                match block_on(self.authority.create_account(&to::actor(*by), new)) {
                    Ok(account) => Answer::Account(false, to::account_data(&account)),
                    Err(error) => refused(errors::account_error(&error)),
                }
            }
            other => self.carry_on(other),
        };
        let fresh = match &answer {
            Answer::Done(key) => Some(key.id.clone()),
            Answer::Account(_, account) => Some(account.id.clone()),
            _ => None,
        };
        (answer, fresh)
    }

    fn carry_on(&mut self, op: &Op) -> Answer {
        let authority = self.authority.clone();
        match op {
            Op::Clock(now) => {
                self.clock.set(to::time(*now));
                Answer::Nothing
            }
            Op::Reopen => self.reopen(),
            Op::Rotate(by, id, overlap) => {
                match block_on(authority.rotate(
                    &to::actor(*by),
                    &to::key_id(id),
                    to::span(*overlap),
                )) {
                    Ok(issued) => self.hand_out(&issued),
                    Err(error) => refused(errors::key_error(&error)),
                }
            }
            Op::RevokeMany(by, ids) => {
                let ids: Vec<KeyId> = ids.iter().map(|id| to::key_id(id)).collect();
                let answers = block_on(authority.revoke_many(&to::actor(*by), &ids));
                let answers =
                    answers.into_iter().map(|(id, answer)| (id.to_string(), to::changed(answer)));
                Answer::Many(answers.collect())
            }
            Op::RevokeOwned(by, owner) => {
                match block_on(authority.revoke_owned(&to::actor(*by), &to::owner(owner))) {
                    Ok(keys) => Answer::Ids(keys.iter().map(|key| key.id.to_string()).collect()),
                    Err(error) => refused(errors::key_error(&error)),
                }
            }
            Op::Delete(by, id) => {
                match block_on(authority.delete(&to::actor(*by), &to::key_id(id))) {
                    Ok(()) => Answer::Nothing,
                    Err(error) => refused(errors::key_error(&error)),
                }
            }
            Op::Present(presented, wanted) => self.present(presented, *wanted),
            Op::RevokeByToken(presented) => {
                let text = self.text(presented);
                match block_on(self.verifier.revoke(text.credential())) {
                    Ok(Outcome::Done(id)) => Answer::Many(vec![(id.to_string(), Answer::Nothing)]),
                    Ok(Outcome::Unchanged(id)) => {
                        Answer::Many(vec![(id.to_string(), refused("unchanged"))])
                    }
                    Err(error) => errors::verify_error(&error),
                }
            }
            Op::Flush => {
                block_on(self.verifier.flush()).expect("the store is up");
                Answer::Nothing
            }
            Op::Sweep(by) => match block_on(authority.sweep(&to::actor(*by))) {
                Ok(swept) => Answer::Ids(swept.keys.iter().map(ToString::to_string).collect()),
                Err(error) => refused(errors::list_error(&error)),
            },
            Op::EditAccount(by, id, name, role, read_only) => {
                let mut edit = AccountEdit::new();
                if let Some(name) = name {
                    let Ok(name) = NAMES[*name].0.parse() else { return refused("no name") };
                    edit = edit.name(name);
                }
                if let Some(role) = role {
                    edit = edit.role(ROLES[*role].parse().expect("a role"));
                }
                if let Some(read_only) = read_only {
                    edit = edit.access(to::access(*read_only));
                }
                to::account_changed(block_on(authority.edit_account(
                    &to::actor(*by),
                    &to::account_id(id),
                    edit,
                )))
            }
            Op::EnableAccount(by, id, enabled) => {
                let (actor, id) = (to::actor(*by), to::account_id(id));
                to::account_changed(if *enabled {
                    block_on(authority.enable_account(&actor, &id))
                } else {
                    block_on(authority.disable_account(&actor, &id))
                })
            }
            Op::DeleteAccount(by, id) => {
                match block_on(authority.delete_account(&to::actor(*by), &to::account_id(id))) {
                    Ok(()) => Answer::Nothing,
                    Err(error) => refused(errors::account_error(&error)),
                }
            }
            Op::SetPlan(by, plan) => self.set_plan(*by, plan),
            Op::EditSettings(by, edit, version) => self.edit_settings(*by, edit, *version),
            Op::TransferOwned(by, from, to) => {
                let (from, to) = (to::owner(from), to::owner(to));
                match block_on(authority.transfer_owned(&to::actor(*by), &from, &to)) {
                    Ok(keys) => Answer::Ids(keys.iter().map(|key| key.id.to_string()).collect()),
                    Err(error) => refused(errors::key_error(&error)),
                }
            }
            _ => self.look_or_change(op),
        }
    }

    fn look_or_change(&self, op: &Op) -> Answer {
        let authority = &self.authority;
        match op {
            Op::Rename(by, id, name) => {
                let Ok(name) = NAMES[*name].0.parse() else { return refused("no name") };
                to::changed(block_on(authority.rename(&to::actor(*by), &to::key_id(id), name)))
            }
            Op::Edit(by, id, edit) => to::changed(block_on(authority.edit(
                &to::actor(*by),
                &to::key_id(id),
                to::key_edit(edit),
            ))),
            Op::Disable(by, id) => {
                to::changed(block_on(authority.disable(&to::actor(*by), &to::key_id(id))))
            }
            Op::Enable(by, id) => {
                to::changed(block_on(authority.enable(&to::actor(*by), &to::key_id(id))))
            }
            Op::Finish(by, id) => {
                to::changed(block_on(authority.finish_rotation(&to::actor(*by), &to::key_id(id))))
            }
            Op::Revoke(by, id) => {
                to::changed(block_on(authority.revoke(&to::actor(*by), &to::key_id(id))))
            }
            Op::Show(by, id) => match block_on(authority.key(&to::actor(*by), &to::key_id(id))) {
                Ok(entry) => Answer::Entries(vec![to::entry_data(&entry)]),
                Err(error) => refused(errors::key_error(&error)),
            },
            Op::ShowAccount(by, id) => {
                match block_on(authority.account(&to::actor(*by), &to::account_id(id))) {
                    Ok(account) => Answer::Account(false, to::account_data(&account)),
                    Err(error) => refused(errors::account_error(&error)),
                }
            }
            Op::Policy(by) => match block_on(authority.policy(&to::actor(*by))) {
                Ok(found) => Answer::Policy(Box::new(policy::policy_data(&found))),
                Err(error) => refused(errors::list_error(&error)),
            },
            Op::List(by, query) => self.list(*by, to::key_query(query)),
            Op::Transfer(by, id, owner) => {
                let (key, owner) = (to::key_id(id), to::owner(owner));
                to::changed(block_on(authority.transfer_key(&to::actor(*by), &key, &owner)))
            }
            Op::User(by, user) => {
                match block_on(authority.user(&to::actor(*by), &to::user_id(user))) {
                    Ok(user) => Answer::User(false, to::user_data(&user)),
                    Err(error) => refused(errors::user_error(&error)),
                }
            }
            Op::NameUser(by, user, name) => {
                let name = name.map(|name| NAMES[name].0.parse()).transpose();
                let Ok(name) = name else { return refused("no name") };
                to::user_changed(block_on(authority.set_display_name(
                    &to::actor(*by),
                    &to::user_id(user),
                    name,
                )))
            }
            Op::SuspendUser(by, user, suspended) => {
                let (actor, user) = (to::actor(*by), to::user_id(user));
                to::user_changed(if *suspended {
                    block_on(authority.suspend_user(&actor, &user))
                } else {
                    block_on(authority.restore_user(&actor, &user))
                })
            }
            Op::Accounts(by, search, limit) => {
                let query = AccountQuery::new().limit(*limit);
                let query = search.map_or(query.clone(), |text| query.search(text));
                self.accounts(*by, query)
            }
            Op::Events(by, filter) => self.events(*by, to::event_query(filter)),
            other => panic!("the model has no operation {other:?}"),
        }
    }

    /// Returns the items of all pages of a listing, in order.
    fn list(&self, by: By, mut query: KeyQuery) -> Answer {
        let mut found = Vec::new();
        loop {
            match block_on(self.authority.keys(&to::actor(by), &query)) {
                Ok(page) => {
                    found.extend(page.items.iter().map(to::entry_data));
                    let Some(next) = page.next else { return Answer::Entries(found) };
                    query = next;
                }
                Err(error) => return refused(errors::list_error(&error)),
            }
        }
    }

    fn accounts(&self, by: By, mut query: AccountQuery) -> Answer {
        let mut found = Vec::new();
        loop {
            match block_on(self.authority.accounts(&to::actor(by), &query)) {
                Ok(page) => {
                    found.extend(page.items.iter().map(to::account_data));
                    let Some(next) = page.next else { return Answer::Accounts(found) };
                    query = next;
                }
                Err(error) => return refused(errors::list_error(&error)),
            }
        }
    }

    fn events(&self, by: By, mut query: EventQuery) -> Answer {
        let mut found = Vec::new();
        loop {
            match block_on(self.authority.events(&to::actor(by), &query)) {
                Ok(page) => {
                    found.extend(page.items.iter().map(to::event_data));
                    let Some(next) = page.next else { return Answer::Events(found) };
                    query = next;
                }
                Err(error) => return refused(errors::list_error(&error)),
            }
        }
    }

    fn present(&self, presented: &Presented, wanted: Wanted) -> Answer {
        let text = self.text(presented);
        let scopes = to::scopes(wanted.scopes);
        let mut request = AccessRequest::new(text.credential()).scopes(&scopes);
        if let Some(source) = SOURCES[wanted.source] {
            request = request.source(source.parse().expect("an address"));
        }
        if wanted.write {
            request = request.write();
        }
        match block_on(self.verifier.verify_request(&request)) {
            Ok(grant) => Answer::Granted(to::granted(&grant)),
            Err(error @ VerifyError::Denied(_)) => errors::verify_error(&error),
            Err(error) => panic!("the store is up, and it could not be decided: {error:?}"),
        }
    }

    fn hand_out(&mut self, issued: &Issued) -> Answer {
        let key = to::key_data(&issued.key);
        let token = issued.token.expose().to_owned();
        self.tokens.insert((key.id.clone(), key.secret_number), token);
        Answer::Done(key)
    }

    fn reopen(&mut self) -> Answer {
        if !self.is_durable() {
            block_on(self.verifier.flush()).expect("the store is up");
        }
        self.store.reopen();
        // The same seed would draw the same ids again.
        self.seed = self.seed.wrapping_add(1);
        let keywright = built(&self.store, &self.clock, self.seed);
        self.authority = keywright.authority();
        self.verifier = keywright.verifier();
        Answer::Nothing
    }
}

/// Builds the crate with a seeded random source for ids and secrets, so that a run can be repeated.
fn built(store: &Opened, clock: &ManualClock, seed: u64) -> Keywright {
    let builder = Keywright::builder(Arc::clone(&store.store))
        .prefix(Prefix::new(PREFIX).expect("a prefix"))
        .clock(clock.clone())
        .default_policy(policy::of_host())
        .random(StdRng::seed_from_u64(!seed));
    builder.build().expect("a default policy within its bounds")
}
