//! Handing keys to another owner: one key, or all keys of an owner that leaves.

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::key_transfer::{Sides, TransferKeyError};
use crate::record::operation::{Operation, Outcome};
use crate::record::rules::RuleError;
use crate::setup::retry::Attempted;
use crate::store::{Batch, Change, Condition, KeyQuery, StoreErrorKind};
use crate::value::id::KeyId;

use super::Authority;
use super::attempt::{Attempt, Rules};
use super::errors::{KeyError, NewOwnerError};

impl Authority {
    /// Hands a key to another owner of the tenant.
    ///
    /// The key's tokens keep working. The key keeps the scopes that it effectively has, cut to those that keys of the new owner
    /// can have. It counts as a key of the new owner at once.
    ///
    /// ```
    /// use keywright::Owner;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let transferred = authority.transfer_key(&ada, &issued.key.id, &Owner::Organization).await?;
    /// assert_eq!(transferred.into_inner().owner, Owner::Organization);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError`]: the actor has no permission, the key was not found or is expired or revoked,
    /// the new owner cannot take it ([`KeyError::NewOwner`]), the new owner can have none of its
    /// scopes, or the store failed. Nothing is changed.
    pub async fn transfer_key(
        &self,
        actor: &Actor,
        key: &KeyId,
        to: &Owner,
    ) -> Result<Outcome<Key>, KeyError> {
        let operation = Operation::KeyTransfer;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                attempt.event.details = EventDetails::NONE.text(DetailField::To, to);
                let record = attempt.key(key, operation).await?;
                attempt.event.details = both(&record.key().owner, to);
                let (rules, from) = attempt.rules_of_transfer(&record.key().owner, to).await?;
                let handed = rules.hand(&record, from.as_ref(), to, attempt)?;
                let Outcome::Done(next) = handed else {
                    return Ok(attempt
                        .unchanged(handed.map(|record| record.key().clone()))
                        .await?);
                };
                let key = next.key().clone();
                let batch = attempt.batch_of_transfer(rules, vec![(record, next)], to)?;
                attempt.commit_transfer(batch.0, batch.1, Outcome::Done(key)).await
            })
        })
        .await
    }

    /// Hands all live keys of an owner to another owner, in one atomic step.
    ///
    /// Use it for a person who leaves. Expired and revoked keys stay with their owner.
    ///
    /// ```
    /// use keywright::Owner;
    ///
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// let keys = authority.transfer_owned(&ada, &alice.as_owner(), &Owner::Organization).await?;
    /// assert_eq!(keys.len(), 1);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`KeyError`]: the actor has no permission, the new owner cannot take all of the keys
    /// ([`KeyError::NewOwner`]) or can have none of the scopes of one, or the store failed. Nothing
    /// is changed.
    pub async fn transfer_owned(
        &self,
        actor: &Actor,
        from: &Owner,
        to: &Owner,
    ) -> Result<Vec<Key>, KeyError> {
        let operation = Operation::KeyTransfer;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                attempt.event.account = from.account();
                attempt.event.details = both(from, to);
                actor.must(operation, from)?;
                let (rules, account) = attempt.rules_of_transfer(from, to).await?;
                let live = KeyQuery::new().live();
                let mut handed = Vec::new();
                for stored in attempt.keys_of(from, live).await? {
                    let next = rules.hand(&stored.record, account.as_ref(), to, attempt)?;
                    if let Outcome::Done(next) = next {
                        handed.push((stored.record, next));
                    }
                }
                if handed.is_empty() {
                    return Ok(attempt.unchanged(Vec::new()).await?);
                }
                let keys = handed.iter().map(|(_, next)| next.key().clone()).collect();
                let (mut batch, limit) = attempt.batch_of_transfer(rules, handed, to)?;
                batch.conditions.push(Condition::NoLiveKeyLeft {
                    tenant: actor.tenant().clone(),
                    owner: from.clone(),
                    at: attempt.now,
                });
                attempt.commit_transfer(batch, limit, keys).await
            })
        })
        .await
    }
}

impl Attempt<'_> {
    /// Returns the rules for keys of the new owner, and the account that the keys leave, if it is
    /// one.
    async fn rules_of_transfer(
        &self,
        from: &Owner,
        to: &Owner,
    ) -> Result<(Rules, Option<ServiceAccount>), KeyError> {
        if from.account().or(to.account()).is_some() {
            self.actor.must_for_any(Operation::AccountEdit)?;
        }
        let from = self.rules_of(from).await?;
        let mut rules = self.rules().await?;
        rules.conditions.extend(from.conditions);
        let record = self.owner_record(to).await?;
        if let Some(error) = NewOwnerError::of(to, record.as_ref()) {
            return Err(error.into());
        }
        rules.add_owner(record.as_ref());
        Ok((rules, from.account))
    }

    /// Builds the batch that hands the keys over, and returns it with the limit of keys of the new
    /// owner.
    fn batch_of_transfer(
        &self,
        rules: Rules,
        handed: Vec<(KeyRecord, KeyRecord)>,
        to: &Owner,
    ) -> Result<(Batch, Option<u16>), KeyError> {
        let limit = rules.policy().max_keys_of(to);
        let mut conditions = rules.conditions;
        if let Some(limit) = limit {
            // The condition counts the keys before the batch. Each key is new to the owner.
            let others = u16::try_from(handed.len() - 1).unwrap_or(u16::MAX);
            let below = limit.checked_sub(others).filter(|below| *below > 0);
            conditions.push(Condition::LiveKeysBelow {
                tenant: self.actor.tenant().clone(),
                owner: to.clone(),
                limit: below.ok_or(NewOwnerError::TooManyKeys { limit })?,
                at: self.now,
            });
        }
        let event = |(before, next): &(KeyRecord, KeyRecord)| {
            let from = &before.key().owner;
            let details = both(from, to).text(DetailField::Scope, &next.key().scopes);
            let previous_account = from.account();
            Event { previous_account, details, ..self.event.clone().of(next.key()) }
        };
        let events = handed.iter().map(event).collect();
        let changes = handed.into_iter().map(|(_, next)| Change::UpdateKey(next)).collect();
        let tenant = self.actor.tenant().clone();
        Ok((Batch { tenant, conditions, changes, events }, limit))
    }

    async fn commit_transfer<T>(
        &self,
        batch: Batch,
        limit: Option<u16>,
        value: T,
    ) -> Result<Attempted<T>, KeyError> {
        self.commit(batch, value).await.map_err(|error| match (error.kind(), limit) {
            (StoreErrorKind::LimitReached, Some(limit)) => {
                NewOwnerError::TooManyKeys { limit }.into()
            }
            _ => error.into(),
        })
    }
}

/// Returns the details that name both owners.
fn both(from: &Owner, to: &Owner) -> EventDetails {
    EventDetails::NONE.text(DetailField::From, from).text(DetailField::To, to)
}

impl Rules {
    fn hand(
        &self,
        record: &KeyRecord,
        from: Option<&ServiceAccount>,
        to: &Owner,
        attempt: &Attempt<'_>,
    ) -> Result<Outcome<KeyRecord>, KeyError> {
        let sides = Sides { from, to: self.account.as_ref() };
        record.transfer(to, sides, self.policy(), attempt.now).map_err(|error| match error {
            TransferKeyError::WrongStatus(error) => error.into(),
            TransferKeyError::NoScopeLeft => RuleError::NoScopeLeft.into(),
        })
    }
}
