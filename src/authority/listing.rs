//! Looking at keys: one, or a page of them, with what can be done to each.

use std::time::Duration;

use serde::Serialize;

use crate::decision::{Reason, standing};
use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::key::{Key, Owner};
use crate::record::operation::{Operation, Transition};
use crate::record::policy::Policy;
use crate::record::status::KeyStatus;
use crate::store::{KeyQuery, MAX_LIMIT, Page, StoreError, StoredKey};
use crate::value::id::{AccountId, KeyId};
use crate::value::name::Name;
use crate::value::time::Timestamp;

use super::Authority;
use super::errors::{KeyError, ListError};

/// A key as the listing shows it, with its usage.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct KeyEntry {
    /// The key.
    pub key: Key,
    /// The prefix and the id, which identify the key where a token would be shown:
    /// `acme_live_4fQ2xk9ZrT7bWm1c`.
    pub prefix: String,
    /// The name of the service account that owns it, if one does.
    pub account: Option<Name>,
    /// Its status now.
    pub status: KeyStatus,
    /// How often it was used, as of the last flush.
    pub uses: u64,
    /// When it was last used, as of the last flush.
    pub last_used_at: Option<Timestamp>,
    /// The overlap in which the secret before this one works too, while it lasts.
    pub overlap: Option<Overlap>,
    /// The reason for which every verify would refuse the key now; `None` if there is none.
    pub obstacle: Option<Reason>,
    /// The operations that this actor can do with the key now.
    pub actions: Vec<Operation>,
}

/// The overlap of a rotation, in which two secrets of a key work.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overlap {
    /// When the old secret stops.
    pub overlap_ends_at: Timestamp,
    /// When the old secret was last used.
    pub old_last_used_at: Option<Timestamp>,
    /// When the new secret was last used.
    pub new_last_used_at: Option<Timestamp>,
    /// Whether the overlap can be ended: the new secret is in use, and the old one has not been
    /// used since the rotation, or not for [`Overlap::QUIET`].
    pub safe_to_finish: bool,
}

impl Overlap {
    /// One hour: longer than the usual job that runs now and then with a secret of its own.
    pub const QUIET: Duration = Duration::from_hours(1);

    fn of(stored: &StoredKey, now: Timestamp) -> Option<Self> {
        let key = stored.record.key();
        let live = key.status(now).is_live();
        let overlap_ends_at = key.overlap_ends_at.filter(|end| live && !end.has_passed(now))?;
        let old_last_used_at = stored.usage.last_use_of(key.secret_number.saturating_sub(1));
        let new_last_used_at = stored.usage.last_use_of(key.secret_number);
        let quiet = old_last_used_at.is_none_or(|last| {
            key.rotated_at.is_some_and(|rotated| last < rotated) || now.since(last) >= Self::QUIET
        });
        let safe_to_finish = new_last_used_at.is_some() && quiet;
        Some(Self { overlap_ends_at, old_last_used_at, new_last_used_at, safe_to_finish })
    }
}

impl Authority {
    /// Returns a key with its usage and what the actor can do with it.
    ///
    /// # Errors
    /// [`KeyError`]; here it is `NotFound` or `Store`.
    pub async fn key(&self, actor: &Actor, key: &KeyId) -> Result<KeyEntry, KeyError> {
        let now = self.now();
        let stored = self.setup.store.key(actor.tenant(), key).await?;
        let seen = stored.filter(|s| actor.may(Operation::KeyShow, &s.record.key().owner));
        let stored = seen.ok_or(KeyError::NotFound(*key))?;
        let mut entries = self.entries(actor, vec![stored], now).await?;
        entries.pop().ok_or(KeyError::NotFound(*key))
    }

    /// Lists keys, a page at a time, with their usage and what the actor can do with each. An actor
    /// who may only see their own keys gets those.
    ///
    /// # Errors
    /// [`ListError`]; `PermissionDenied` also if another's keys are asked for and only one's own are open.
    pub async fn keys(&self, actor: &Actor, query: &KeyQuery) -> Result<Page<KeyEntry>, ListError> {
        let now = self.now();
        let operation = Operation::KeyShow;
        check_limit(query.limit)?;
        let mut query = query.clone();
        if !actor.may_for_any(operation) {
            let owner = query.owner.unwrap_or_else(|| actor.as_owner());
            actor.must(operation, &owner)?;
            query.owner = Some(owner);
        }
        let page = self.setup.store.keys(actor.tenant(), &query, now).await?;
        Ok(Page { items: self.entries(actor, page.items, now).await?, next: page.next })
    }

    async fn entries(
        &self,
        actor: &Actor,
        found: Vec<StoredKey>,
        now: Timestamp,
    ) -> Result<Vec<KeyEntry>, StoreError> {
        let policy = self.policy_in_force(actor).await?.0;
        let mut accounts: Vec<(AccountId, Option<ServiceAccount>)> = Vec::new();
        let mut entries = Vec::with_capacity(found.len());
        for stored in found {
            let account = match &stored.record.key().owner {
                Owner::User(_) => None,
                Owner::Account(id) => {
                    if !accounts.iter().any(|(known, _)| known == id) {
                        let account = self.setup.store.account(actor.tenant(), id).await?;
                        accounts.push((*id, account));
                    }
                    accounts.iter().find(|(known, _)| known == id).and_then(|(_, a)| a.as_ref())
                }
            };
            entries.push(entry(actor, &stored, account, &policy, now));
        }
        Ok(entries)
    }
}

fn entry(
    actor: &Actor,
    stored: &StoredKey,
    account: Option<&ServiceAccount>,
    policy: &Policy,
    now: Timestamp,
) -> KeyEntry {
    let key = stored.record.key();
    let status = key.status(now);
    let possible = |operation: &Operation| {
        operation.is_of_a_key()
            && operation.on(status) == Transition::Yes
            && (*operation != Operation::KeyFinishRotation || key.is_overlapping(now))
            && actor.may(*operation, &key.owner)
    };
    KeyEntry {
        prefix: key.display_prefix(),
        account: account.map(|account| account.name.clone()),
        status,
        uses: stored.usage.uses(),
        last_used_at: stored.usage.last_used_at(),
        overlap: Overlap::of(stored, now),
        obstacle: standing(key, account, policy, now),
        actions: Operation::ALL.iter().copied().filter(possible).collect(),
        key: key.clone(),
    }
}

pub(super) fn check_limit(limit: Option<u16>) -> Result<(), ListError> {
    match limit {
        Some(limit) if !(1..=MAX_LIMIT).contains(&limit) => Err(ListError::Limit(limit)),
        _ => Ok(()),
    }
}
