//! The abilities of an actor: what it may do, asked before it tries.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::observe::{Activity, Work};
use crate::record::actor::Actor;
use crate::record::key::{Owner, OwnerKind};
use crate::record::operation::Operation;
use crate::record::owner_record::OwnerRecord;
use crate::record::plan::ScopeDefinition;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::rules::{ExpiryField, check_lifetime, highest_rate};
use crate::record::scopes_in_force::{ScopesInForce, can_have};
use crate::store::StoreError;
use crate::value::name::NamePattern;
use crate::value::rate::Rate;
use crate::value::scope::{Access, Scope, ScopeSet};
use crate::value::time::Timestamp;

use super::Authority;
use super::ending;
use super::errors::ListError;
use super::obstacle::Obstacle;

/// The abilities of an actor: the operations that it may call, and whether and how it can generate
/// a key for one owner.
///
/// [`Authority::abilities`] returns them, so that a page can show only what will work.
///
/// ```
/// # use keywright::{Actor, Keywright, Operation, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// let alice = Actor::developer(UserId::new("alice")?);
/// let abilities = authority.abilities(&alice, &alice.as_owner()).await?;
/// if abilities.can_generate() {
///     println!("show the button for a new key");
/// }
/// for obstacle in &abilities.obstacles {
///     println!("no new key: {obstacle}");
/// }
/// assert!(abilities.operations.contains(&Operation::KeyRotate));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Abilities {
    /// The owner of the keys in question.
    pub owner: Owner,
    /// The operations for which the actor has the permission: those on keys of this owner, and
    /// those on the tenant, such as [`Operation::EventsShow`].
    pub operations: Vec<Operation>,
    /// The operations for which the actor has the permission for every owner of the tenant.
    pub operations_for_any: Vec<Operation>,
    /// The kinds of owners for which the actor may generate keys. Without
    /// [`Operation::KeyGenerate`] in `operations_for_any`, the only owner is the actor itself.
    pub owner_kinds: Vec<OwnerKind>,
    /// Everything that prevents the actor from generating a key for the owner now, in the order in
    /// which [`generate`](Authority::generate) checks it. Empty if a key can be generated.
    ///
    /// For an actor that may neither generate nor see keys of this owner, only the missing
    /// requirements are listed, which do not depend on the owner.
    pub obstacles: Vec<Obstacle>,
    /// The numbers of the owner's keys. `None` if the actor may not see them.
    pub keys: Option<KeyNumbers>,
    /// The possible values of the fields of a new key. `None` if the actor may neither generate
    /// keys of this owner, nor see them and the policy.
    pub choices: Option<KeyChoices>,
}

/// The numbers of an owner's keys, for texts such as "3 of 10 keys".
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// let abilities = authority.abilities(&alice, &alice.as_owner()).await?;
/// if let Some(keys) = abilities.keys {
///     println!("{} of {:?} keys", keys.live, keys.max);
///     assert_eq!((keys.live, keys.max), (1, Some(10)));
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyNumbers {
    /// The number of live keys: active, disabled and scheduled ones.
    pub live: u64,
    /// The maximum number of live keys; `None` if there is no limit.
    pub max: Option<u16>,
    /// The number of all keys, with the revoked and the expired ones.
    pub all: u64,
}

/// The possible values of the fields of a new key, for a form.
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let abilities = authority.abilities(&alice, &alice.as_owner()).await?;
/// if let Some(choices) = abilities.choices {
///     for (scope, definition) in &choices.scopes {
///         println!("{scope}: {:?}", definition.description);
///     }
///     assert_eq!(choices.scopes.len(), 2);
///     assert!(choices.never_expires);
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyChoices {
    /// The scopes that a key of this owner can have, with their descriptions and whether they read
    /// or write. A key has at most [`ScopeSet::MAX`] scopes of its own.
    pub scopes: BTreeMap<Scope, ScopeDefinition>,
    /// The scopes of a key that is generated without scopes of its own, as they are now.
    pub default_scopes: ScopeSet,
    /// The access of the owner. With [`Access::ReadOnly`], the scopes that write have no effect.
    pub access: Access,
    /// True if a key without an expiry is possible.
    pub never_expires: bool,
    /// The lifetime of a key whose expiry is not given. `None` if such a key never expires, or if
    /// the expiry must be given because `never_expires` is false.
    pub default_lifetime: Option<Duration>,
    /// The longest lifetime; `None` if there is no limit.
    pub max_lifetime: Option<Duration>,
    /// The longest overlap of a rotation.
    pub max_overlap: Duration,
    /// The rate of a key that is generated without a rate of its own; `None` if there is no limit.
    pub default_rate: Option<Rate>,
    /// The highest rate that the actor can give a key of this owner; `None` if there is no limit.
    pub max_rate: Option<Rate>,
    /// The pattern that the name must follow, in which those of plan and settings are combined.
    /// `None` if there is none, or if [`Obstacle::NoName`] says that no name is possible.
    pub name_pattern: Option<NamePattern>,
}

impl Abilities {
    /// Returns whether the actor can generate a key for the owner now, with values of
    /// [`choices`](Self::choices).
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// let (ada, alice) = (Actor::auditor(UserId::new("ada")?), UserId::new("alice")?);
    /// let abilities = authority.abilities(&ada, &keywright::Owner::User(alice)).await?;
    /// assert!(!abilities.can_generate(), "an auditor only reads");
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn can_generate(&self) -> bool {
        self.obstacles.is_empty()
    }
}

impl Authority {
    /// Returns what an actor may do, before it tries.
    ///
    /// The answer has the operations that the actor may call, whether it can generate a key for
    /// `owner`, everything that prevents it, and the values that a new key can have. It follows the
    /// same rules as [`generate`](Self::generate), as they are now. Every actor may ask. An actor that
    /// may not generate keys of the owner, and cannot see them, learns nothing about the owner.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// let alice = Actor::developer(UserId::new("alice")?);
    /// let abilities = authority.abilities(&alice, &alice.as_owner()).await?;
    /// assert!(abilities.can_generate());
    /// authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ListError::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn abilities(&self, actor: &Actor, owner: &Owner) -> Result<Abilities, ListError> {
        let work = Work::begin(Activity::AbilitiesShow, Some(actor.tenant()));
        work.run(self.abilities_now(actor, owner), ending::of_read).await
    }

    async fn abilities_now(&self, actor: &Actor, owner: &Owner) -> Result<Abilities, ListError> {
        let may = |operation: Operation| actor.may(operation, owner);
        let may_generate = may(Operation::KeyGenerate);
        let sees_keys = may(Operation::KeyShow);
        let sees_record = owner.account().is_none() || actor.may_for_any(Operation::AccountShow);
        let sees_owner = may_generate || sees_keys && sees_record;
        let sees_choices = may_generate || sees_owner && actor.may_for_any(Operation::PolicyShow);
        let now = self.now();
        let stored = self.stored_policy(actor.tenant()).await?;
        let policy = stored.in_force();
        let (mut keys, mut choices) = (None, None);
        let obstacles = if sees_owner {
            let record = self.owner_record(actor.tenant(), owner, now).await?;
            let record = record.as_ref();
            let numbers = self.key_numbers(actor, owner, policy, now).await?;
            keys = sees_keys.then_some(numbers);
            choices = sees_choices.then(|| KeyChoices::of(actor, owner, record, policy));
            Obstacle::all(actor, owner, record, numbers.live, policy)
        } else {
            Obstacle::of_requirements(actor, owner, policy)
        };
        let all = || Operation::ALL.iter().copied();
        Ok(Abilities {
            owner: owner.clone(),
            operations: all().filter(|operation| may(*operation)).collect(),
            operations_for_any: all().filter(|operation| actor.may_for_any(*operation)).collect(),
            owner_kinds: owner_kinds(actor),
            obstacles,
            keys,
            choices,
        })
    }

    async fn key_numbers(
        &self,
        actor: &Actor,
        owner: &Owner,
        policy: PolicyInForce<'_>,
        now: Timestamp,
    ) -> Result<KeyNumbers, StoreError> {
        let owners = std::slice::from_ref(owner);
        let found = self.owned_keys(actor.tenant(), owners, 0, now).await?;
        let (live, all) = found.first().map_or((0, 0), |keys| (keys.live, keys.all));
        Ok(KeyNumbers { live, max: policy.max_keys_of(owner), all })
    }
}

impl KeyChoices {
    fn of(
        actor: &Actor,
        owner: &Owner,
        record: Option<&OwnerRecord>,
        policy: PolicyInForce<'_>,
    ) -> Self {
        let account = record.and_then(OwnerRecord::account);
        let plan = policy.plan;
        let can_have = |(scope, _): &(&Scope, _)| can_have(owner, account, plan, scope);
        let scopes = plan.scopes.iter().filter(can_have);
        Self {
            scopes: scopes.map(|(scope, found)| (scope.clone(), found.clone())).collect(),
            default_scopes: ScopesInForce::followed_by(owner, account, plan).to_set(),
            access: account.map_or(Access::ReadWrite, |account| account.access),
            never_expires: check_lifetime(None, ExpiryField::NeverExpires, policy).is_ok(),
            default_lifetime: policy.default_lifetime().value,
            max_lifetime: policy.max_lifetime().value,
            max_overlap: policy.max_overlap().value,
            default_rate: policy.default_rate().value,
            max_rate: highest_rate(owner, actor, policy),
            name_pattern: policy.name_rule().unwrap_or_default(),
        }
    }
}

/// Returns the kinds of owners for which the actor may generate keys.
fn owner_kinds(actor: &Actor) -> Vec<OwnerKind> {
    let own = actor.as_owner();
    let may = |kind: &OwnerKind| {
        actor.may_for_any(Operation::KeyGenerate)
            || *kind == own.kind() && actor.may(Operation::KeyGenerate, &own)
    };
    OwnerKind::ALL.iter().copied().filter(may).collect()
}
