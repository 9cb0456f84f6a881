//! The operation that generates a key.

use std::sync::Arc;

use crate::record::actor::Actor;
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::{Key, KeyRecord};
use crate::record::new_key::NewKey;
use crate::record::operation::Operation;
use crate::record::requirement::{Requirement, Requirements};
use crate::record::usage::Usage;
use crate::store::{Batch, Change, Condition, StoreErrorKind, StoredKey};
use crate::value::random::{Drawn, RandomError};
use crate::value::token::{FreshSecret, Token};

use super::Authority;
use super::attempt::{Attempt, drawn};
use super::errors::GenerateError;
use super::listing::{KeyEntry, entry};
use super::obstacle::Obstacle;

/// A key that was just generated or rotated, with its token.
///
/// The token can be shown only now, because the store keeps only a digest of its secret.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// println!("copy this token now: {}", issued.token.expose());
/// println!("in two parts: {} and {}", issued.token.key_id(), issued.token.expose_key_secret());
///
/// // The key itself holds no secret and can be logged.
/// println!("alice has the key {}", issued.key.display_prefix());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The key, without any secret.
    pub key: Arc<Key>,
    /// The key as a listing shows it to the actor: with its status, its effective scopes and the
    /// possible operations.
    pub entry: KeyEntry,
    /// The token of the key. Show it to its owner now; it cannot be shown again.
    pub token: Token,
}

impl Authority {
    /// Generates a key and returns it with its token.
    ///
    /// The actor owns the key unless [`NewKey::owner`] names another owner. The token is returned
    /// only here, after the store has acknowledged the key.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let scopes = "invoices:read".parse()?;
    /// let new = NewKey::named("prod-main-app")?.scopes(scopes).expires_in_days(90);
    /// let issued = authority.generate(&alice, new).await?;
    /// println!("copy this token now: {}", issued.token.expose());
    ///
    /// let grant = verifier.verify(issued.token.expose()).await?;
    /// assert_eq!(grant.key_id(), &issued.key.id);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// Generating needs three things: the actor's permission, a license (API access in the tenant's
    /// plan, and an actor to whom the host has not denied it), and the tenant's own switch for API
    /// access. The error names all that are missing, and [`abilities`](Self::abilities) tells before.
    /// The limit of live keys for each owner holds
    /// exactly, under any number of concurrent calls.
    ///
    /// # Errors
    /// * [`Missing`](GenerateError::Missing) if the permission, the license or the switch is missing.
    /// * [`AccountNotFound`](GenerateError::AccountNotFound) or
    ///   [`AccountDisabled`](GenerateError::AccountDisabled) if the owner is a service account that
    ///   cannot have new keys, and [`UserSuspended`](GenerateError::UserSuspended) if it is a
    ///   suspended user.
    /// * [`Rule`](GenerateError::Rule) if the name, expiry, scopes or rate break a rule of the
    ///   policy.
    /// * [`TooManyKeys`](GenerateError::TooManyKeys) if the owner holds as many live keys as the
    ///   policy allows.
    /// * [`TicketUsed`](GenerateError::TicketUsed) if the actor has generated a key with the same
    ///   [ticket](NewKey::ticket) before. Of the other refusals, only a missing permission comes before
    ///   it. After the first key was deleted, any other refusal can come before it.
    /// * [`Random`](GenerateError::Random) if the random source failed.
    /// * [`Contended`](GenerateError::Contended) or [`Store`](GenerateError::Store). After a store
    ///   failure of the kind `Unavailable` there may be a key whose token was never shown. In every
    ///   other case nothing was stored.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a key whose token was never shown. Revoke it, and generate
    /// another.
    pub async fn generate(&self, actor: &Actor, new: NewKey) -> Result<Issued, GenerateError> {
        let owner = &new.owner.clone().unwrap_or_else(|| actor.as_owner());
        let new = &new;
        let operation = Operation::KeyGenerate;
        let new_id = self.new_key_id(actor, new.ticket.as_ref());
        let new_id = &drawn(actor, operation, new_id)?;
        let key_id = new_id.id;
        let secret = FreshSecret::generate(&self.setup.random);
        let secret = drawn(actor, operation, secret)?;
        let digest = self.setup.peppers.digest(&key_id, secret.as_bytes());
        let generated = self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                attempt.event.account = owner.account();
                attempt.event.details = EventDetails::NONE
                    .text(DetailField::Name, &new.name)
                    .text(DetailField::Owner, owner);
                let mut rules = attempt.rules().await?;
                let missing = Requirements::missing_for(actor, owner, rules.policy());
                if !missing.contains(Requirement::Permission)
                    && let Some(key) = attempt.key_of_ticket(new_id).await?
                {
                    return Err(attempt.key_ticket_used(key));
                }
                if !missing.is_empty() {
                    return Err(GenerateError::Missing(missing));
                }
                let owner_record = attempt.owner_record(owner).await?;
                if let Some(obstacle) = Obstacle::of_owner(owner, owner_record.as_ref()) {
                    return Err(obstacle.into());
                }
                rules.add_owner(owner_record.as_ref());
                let (policy, account) = (rules.policy(), rules.account.as_ref());
                let checked = new.check(owner, actor, policy, account, attempt.now)?;
                let key = checked.into_key(key_id, self.setup.prefixes.own().clone());
                let limit = policy.max_keys_of(owner);
                let stored = StoredKey {
                    record: KeyRecord::new(key, digest),
                    usage: Usage::default(),
                    owner: owner_record,
                };
                let entry = entry(actor, &stored, policy, attempt.now);
                let batch = insertion(attempt, rules.conditions, limit, stored.record);
                attempt.commit(batch, entry).await.map_err(|error| match (error.kind(), limit) {
                    (StoreErrorKind::LimitReached, Some(limit)) => {
                        GenerateError::TooManyKeys { limit }
                    }
                    (StoreErrorKind::AlreadyExists, _) if new_id.has_ticket() => {
                        attempt.key_ticket_used(key_id)
                    }
                    (StoreErrorKind::AlreadyExists, _) => RandomError::Repeats(Drawn::KeyId).into(),
                    _ => error.into(),
                })
            })
        });
        let entry = generated.await?;
        let token = secret.into_token(self.setup.prefixes.own(), key_id);
        Ok(Issued { key: Arc::clone(&entry.key), entry, token })
    }
}

/// Builds the batch that inserts the key, if the owner is below its limit of keys.
fn insertion(
    attempt: &Attempt<'_>,
    mut conditions: Vec<Condition>,
    limit: Option<u16>,
    record: KeyRecord,
) -> Batch {
    let key = record.key();
    conditions.extend(limit.map(|limit| Condition::LiveKeysBelow {
        tenant: key.tenant.clone(),
        owner: key.owner.clone(),
        limit,
        at: attempt.now,
    }));
    let mut event = attempt.event.clone().of(key);
    if let Some(expires_at) = key.expires_at {
        event.details = event.details.text(DetailField::ExpiresAt, expires_at);
    }
    let tenant = key.tenant.clone();
    Batch { tenant, conditions, changes: vec![Change::InsertKey(record)], events: vec![event] }
}
