//! Making keys.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::new_key::NewKey;
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::store::{Batch, Change, Condition, StoreErrorKind};
use crate::value::digest::Digest;
use crate::value::id::KeyId;
use crate::value::random::{Drawn, RandomError};
use crate::value::token::{FreshSecret, Token};

use super::Authority;
use super::attempt::{Attempt, Rules};
use super::errors::GenerateError;

/// A key that was just generated or rotated, with its token: shown once, never again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The key.
    pub key: Key,
    /// The token. Hand it to its owner now: nothing can show it again.
    pub token: Token,
}

impl Authority {
    /// Generates a key and hands out its token, once. The actor owns the key unless
    /// [`NewKey::owner`] names another owner.
    ///
    /// It needs three things, and the error says which one is missing: the actor's permission, a plan
    /// with API access, and the tenant's switch. An actor without the permission learns nothing of
    /// the others. The limit of keys for each owner holds exactly,
    /// under any number of concurrent calls. The token is made before the key is stored, and handed
    /// out only if the store has acknowledged it.
    ///
    /// # Errors
    /// [`GenerateError`], by what is missing or wrong. Nothing was stored, unless the store failed
    /// as `Unavailable`: then there may be a key whose token nobody knows.
    pub async fn generate(&self, actor: &Actor, new: NewKey) -> Result<Issued, GenerateError> {
        let owner = &new.owner.clone().unwrap_or_else(|| actor.as_owner());
        let new = &new;
        let key_id = KeyId::generate(&self.setup.random)?;
        let secret = FreshSecret::generate(&self.setup.random)?;
        let digest = self.setup.peppers.digest(&key_id, secret.as_bytes());
        let generated = self.attempt(actor, Operation::KeyGenerate, |attempt| {
            Box::pin(async move {
                attempt.event.account = owner.account();
                attempt.event.details = EventDetails::NONE
                    .text(DetailField::Name, &new.name)
                    .text(DetailField::Owner, owner);
                // First: plan, switch and accounts are not told to an actor without the permission.
                actor.must(Operation::KeyGenerate, owner)?;
                let mut rules = attempt.rules().await?;
                must_have_access(&rules.policy)?;
                if let Owner::Account(id) = owner {
                    let found = attempt.store().account(actor.tenant(), id).await?;
                    let account = found.ok_or(GenerateError::AccountNotFound(*id))?;
                    account.must_be_enabled()?;
                    rules.add_account(account);
                }
                let checked =
                    new.check(owner, actor, &rules.policy, rules.account.as_ref(), attempt.now)?;
                let key = checked.into_key(key_id, self.setup.prefix.clone());
                let limit = rules.policy.max_keys_per_owner;
                let batch = insertion(attempt, rules, key.clone(), digest);
                attempt.commit(batch, key).await.map_err(|error| match error.kind() {
                    StoreErrorKind::LimitReached => GenerateError::TooManyKeys { limit },
                    StoreErrorKind::AlreadyExists => RandomError::Repeats(Drawn::KeyId).into(),
                    _ => error.into(),
                })
            })
        });
        let key = generated.await?;
        let token = secret.into_token(&self.setup.prefix, key_id);
        Ok(Issued { key, token })
    }
}

/// Checks that the plan includes API access and that it is on.
fn must_have_access(policy: &Policy) -> Result<(), GenerateError> {
    if !policy.api_in_plan {
        return Err(GenerateError::UpgradeRequired);
    }
    if !policy.api_enabled {
        return Err(GenerateError::AccessOff);
    }
    Ok(())
}

/// Inserts a key, on the condition that its owner holds fewer live keys than the policy allows.
fn insertion(attempt: &Attempt<'_>, rules: Rules, key: Key, digest: Digest) -> Batch {
    let mut conditions = rules.conditions;
    conditions.push(Condition::LiveKeysBelow {
        tenant: key.tenant.clone(),
        owner: key.owner.clone(),
        limit: rules.policy.max_keys_per_owner,
        at: attempt.now,
    });
    let mut event = attempt.event.clone().of(&key);
    if let Some(expires_at) = key.expires_at {
        event.details = event.details.text(DetailField::ExpiresAt, expires_at);
    }
    let changes = vec![Change::InsertKey(KeyRecord::new(key, digest))];
    Batch { conditions, changes, events: vec![event] }
}
