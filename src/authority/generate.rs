//! Making keys.

use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::event::{DetailField, Event, EventDetails};
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::new_key::{NewKey, Validity};
use crate::record::operation::Operation;
use crate::record::policy::Policy;
use crate::record::rules::{admin_limits, check_rate};
use crate::store::{Batch, Change, Condition, StoreErrorKind};
use crate::value::digest::Digest;
use crate::value::id::KeyId;
use crate::value::random::{Drawn, RandomError};
use crate::value::time::Timestamp;
use crate::value::token::{FreshSecret, Token};

use super::errors::GenerateError;
use super::{ATTEMPTS, Authority};

/// A key that was just generated or rotated, with its token: shown once, never again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The key.
    pub key: Key,
    /// The token. Hand it to its owner now: nothing can show it again.
    pub token: Token,
}

/// What a new key's rules rest on, as read.
struct Ground {
    policy: Policy,
    account: Option<ServiceAccount>,
    conditions: Vec<Condition>,
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
        let key_id = KeyId::generate(&self.setup.random)?;
        let secret = FreshSecret::generate(&self.setup.random)?;
        let digest = self.setup.peppers.digest(&key_id, secret.as_bytes());
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let event = generate_event(actor, owner, &new, now);
            let prepared = self.prepare(actor, owner, &new, now).await;
            let (ground, validity) = self.on_record(prepared, &event).await?;
            let key = self.new_key(actor, owner, &new, key_id, &validity, now);
            let limit = ground.policy.max_keys_per_owner;
            let batch = insertion(ground, key.clone(), digest, &event);
            let written = self.commits(batch).await.map_err(|error| match error.kind() {
                StoreErrorKind::LimitReached => GenerateError::TooManyKeys { limit },
                StoreErrorKind::AlreadyExists => RandomError::Repeats(Drawn::KeyId).into(),
                _ => error.into(),
            });
            if self.on_record(written, &event).await? {
                let token = secret.into_token(&self.setup.prefix, key_id);
                return Ok(Issued { key, token });
            }
        }
        Err(GenerateError::Contended(ATTEMPTS))
    }

    /// Everything that can be checked before the commit, in the order in which it is reported.
    async fn prepare(
        &self,
        actor: &Actor,
        owner: &Owner,
        new: &NewKey,
        now: Timestamp,
    ) -> Result<(Ground, Validity), GenerateError> {
        // First: plan, switch and accounts are not told to an actor without the permission.
        actor.must(Operation::KeyGenerate, owner)?;
        let (policy, policy_holds) = self.policy_in_force(actor).await?;
        if !policy.api_in_plan {
            return Err(GenerateError::UpgradeRequired);
        }
        if !policy.api_enabled {
            return Err(GenerateError::AccessOff);
        }
        let mut ground = Ground { policy, account: None, conditions: vec![policy_holds] };
        if let Owner::Account(id) = owner {
            let found = self.account_in_force(actor, id).await?;
            let (account, holds) = found.ok_or(GenerateError::AccountNotFound(*id))?;
            account.must_be_enabled()?;
            ground.account = Some(account);
            ground.conditions.push(holds);
        }
        let validity = new.check(&ground.policy, ground.account.as_ref(), now)?;
        check_rate(new.rate, &ground.policy, actor, owner)?;
        ground.conditions.push(Condition::LiveKeysBelow {
            tenant: actor.tenant().clone(),
            owner: owner.clone(),
            limit: ground.policy.max_keys_per_owner,
            at: now,
        });
        Ok((ground, validity))
    }

    fn new_key(
        &self,
        actor: &Actor,
        owner: &Owner,
        new: &NewKey,
        id: KeyId,
        validity: &Validity,
        now: Timestamp,
    ) -> Key {
        Key {
            id,
            tenant: actor.tenant().clone(),
            owner: owner.clone(),
            name: new.name.clone(),
            prefix: self.setup.prefix.clone(),
            scopes: new.scopes.clone(),
            networks: new.networks.clone(),
            rate: new.rate,
            admin_limits: admin_limits(new, actor, owner),
            metadata: new.metadata.clone(),
            created_at: now,
            created_by: actor.id().clone(),
            updated_at: now,
            not_before: validity.not_before,
            expires_at: validity.expires_at,
            disabled: false,
            revoked_at: None,
            rotated_at: None,
            overlap_ends_at: None,
            secret_number: 1,
            version: 1,
        }
    }
}

fn insertion(ground: Ground, key: Key, digest: Digest, event: &Event) -> Batch {
    let details = match key.expires_at {
        Some(expires) => event.details.clone().text(DetailField::ExpiresAt, expires),
        None => event.details.clone(),
    };
    let event = Event { details, ..event.clone().of(&key) };
    Batch {
        conditions: ground.conditions,
        changes: vec![Change::InsertKey(KeyRecord::new(key, digest))],
        events: vec![event],
    }
}

fn generate_event(actor: &Actor, owner: &Owner, new: &NewKey, now: Timestamp) -> Event {
    let details =
        EventDetails::NONE.text(DetailField::Name, &new.name).text(DetailField::Owner, owner);
    Event { account: owner.account(), details, ..Event::by(actor, Operation::KeyGenerate, now) }
}
