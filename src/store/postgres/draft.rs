//! The plan of the batches of a shard: each is planned on the rows that those before it leave behind.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::record::key::KeyRecord;
use crate::store::batch::Batch;
use crate::store::error::StoreError;
use crate::store::plan::{self, Effects, Rows};

/// The effects of the batches of a shard, as one.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The effects of all batches that are not refused. They touch different rows, since no two batches of
    /// a group change the same subject.
    pub(super) effects: Effects,
    /// The answer to each batch.
    pub(super) answers: Vec<Result<(), StoreError>>,
}

impl Draft {
    /// Plans the batches in order. A refused batch has no effects.
    pub(super) fn of(rows: &mut Rows, batches: &[Batch]) -> Self {
        let mut draft = Self::default();
        for (place, batch) in batches.iter().enumerate() {
            let planned = catch_unwind(AssertUnwindSafe(|| plan::batch(rows, batch.clone())));
            let planned = planned.unwrap_or_else(|_| {
                Err(StoreError::corrupt("the plan of a batch panicked; nothing of it was written"))
            });
            let answer = planned.map(|effects| {
                // Nothing is planned on what the last one leaves behind.
                if place + 1 < batches.len() {
                    absorb(rows, &effects);
                }
                draft.add(effects);
            });
            draft.answers.push(answer);
        }
        draft
    }

    pub(super) fn has_effects(&self) -> bool {
        self.answers.iter().any(Result::is_ok)
    }

    fn add(&mut self, effects: Effects) {
        let all = &mut self.effects;
        let Effects {
            new_keys,
            changed_keys,
            deleted_keys,
            new_accounts,
            changed_accounts,
            deleted_accounts,
            users,
            policies,
            // A commit has no usage, and a plan on `Rows` names no ids and writers to forget.
            usage: _,
            writer: _,
            forgotten_writers: _,
            forgotten_ids: _,
            events,
            last_events,
            tombstones,
            forgotten_events,
        } = effects;
        all.new_keys.extend(new_keys);
        all.changed_keys.extend(changed_keys);
        all.deleted_keys.extend(deleted_keys);
        all.new_accounts.extend(new_accounts);
        all.changed_accounts.extend(changed_accounts);
        all.deleted_accounts.extend(deleted_accounts);
        all.users.extend(users);
        all.policies.extend(policies);
        all.events.extend(events);
        all.last_events.extend(last_events);
        all.tombstones.extend(tombstones);
        all.forgotten_events.extend(forgotten_events);
    }
}

/// Changes the rows as a store does that writes the effects.
fn absorb(rows: &mut Rows, effects: &Effects) {
    let keys = effects.written_keys().cloned();
    rows.keys.extend(keys.map(|record: KeyRecord| (*record.id(), record)));
    for key in &effects.deleted_keys {
        rows.keys.remove(key);
    }
    let accounts = effects.written_accounts().cloned();
    rows.accounts.extend(accounts.map(|account| (account.id, account)));
    for account in &effects.deleted_accounts {
        rows.accounts.remove(account);
    }
    let users = effects.users.iter().cloned();
    rows.users.extend(users.map(|user| ((user.tenant.clone(), user.id.clone()), user)));
    rows.policies.extend(effects.policies.iter().cloned());
    rows.deleted.extend(effects.tombstones.iter().map(|tombstone| tombstone.id));
    rows.last_events.extend(effects.last_events.clone());
}
