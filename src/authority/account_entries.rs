//! Service accounts as listings show them: with the numbers of their keys, the newest keys, and the
//! possible operations.

use std::iter;
use std::sync::Arc;

use serde::Serialize;

use crate::decision::{Reason, standing_of_owner};
use crate::record::account::ServiceAccount;
use crate::record::actor::Actor;
use crate::record::key::Owner;
use crate::record::operation::{Operation, Outcome, Transition};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy_in_force::PolicyInForce;
use crate::record::scopes_in_force::ScopesInForce;
use crate::store::{AccountQuery, Listed, OwnedKeys, StoreError, StoredKey, sealed};
use crate::value::scope::ScopeSet;
use crate::value::time::Timestamp;

use super::Authority;
use super::listing::{KeyEntry, entry};
use super::obstacle::Obstacle;

/// A service account as a listing shows it: with the numbers of its keys, its newest keys, and the
/// operations that are possible now.
///
/// A change of an account returns its entry too. If the store fails after the change, the call still
/// succeeds, and the entry has the account alone: no scopes, numbers, keys or actions.
///
/// ```
/// # use keywright::{Actor, Keywright, NewAccount, NewKey, Owner, Policy, Role, UserId, store::MemoryStore};
/// # use keywright::store::AccountQuery;
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.roles.insert("billing".parse()?, Role::new("invoices:read".parse()?));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// # let new = NewAccount::new("invoice-export".parse()?, "billing".parse()?);
/// # let account = authority.create_account(&ada, new).await?.account;
/// # let new = NewKey::named("prod-export")?.owner(Owner::Account(account.id));
/// # authority.generate(&ada, new).await?;
/// let page = authority.accounts(&ada, &AccountQuery::new()).await?;
/// for entry in &page.items {
///     println!("{}: {:?} live keys", entry.account.name, entry.live_keys);
///     for key in &entry.keys {
///         println!("  {} ({})", key.key.name, key.status);
///     }
/// }
/// assert_eq!(page.items[0].keys.len(), 1);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct AccountEntry {
    /// The account.
    pub account: ServiceAccount,
    /// The scopes that keys of the account effectively have, unless they have scopes of their own:
    /// those of the role, cut to the plan and the access.
    pub scopes: ScopeSet,
    /// The number of live keys: active, disabled and scheduled ones. `None` if the actor may not see
    /// keys of the account.
    pub live_keys: Option<u64>,
    /// The maximum number of live keys; `None` if there is no limit.
    pub max_keys: Option<u16>,
    /// The number of all keys, with the revoked and the expired ones. `None` if the actor may not
    /// see keys of the account.
    pub all_keys: Option<u64>,
    /// The newest keys of the account, newest first, at most [`NEWEST_KEYS`](Self::NEWEST_KEYS).
    /// Empty if the actor may not see keys of the account. [`Authority::keys`] lists all of them.
    pub keys: Vec<KeyEntry>,
    /// The reason for which every key of the account is refused now; `None` if there is none.
    pub refused_because: Option<Reason>,
    /// The operations on the account that are possible now and that the actor has the permission
    /// for. [`Operation::KeyRevoke`] and [`Operation::KeyTransfer`] stand for all live keys.
    pub actions: Vec<Operation>,
}

impl AccountEntry {
    /// The maximum number of keys in an entry. A page of 500 accounts is still of a size that a
    /// page shows.
    pub const NEWEST_KEYS: u16 = 20;

    fn of(
        actor: &Actor,
        account: ServiceAccount,
        found: OwnedKeys,
        policy: PolicyInForce<'_>,
        now: Timestamp,
    ) -> Self {
        let owner = Owner::Account(account.id);
        let record = OwnerRecord::Account(Arc::new(account.clone()));
        let OwnedKeys { live, all, keys } = found;
        let obstacles = Obstacle::all(actor, &owner, Some(&record), live, policy);
        let actions = Operation::ALL.iter().copied().filter(|operation| match operation {
            Operation::KeyGenerate => obstacles.is_empty(),
            Operation::KeyRevoke | Operation::KeyTransfer => {
                live > 0 && actor.may(*operation, &owner)
            }
            other => {
                other.on_account(account.enabled) == Transition::Allowed
                    && actor.may_for_any(*other)
            }
        });
        let is_shown = actor.may(Operation::KeyShow, &owner);
        let newest = keys.into_iter().filter(|_| is_shown);
        let newest = newest.map(|stored| StoredKey { owner: Some(record.clone()), ..stored });
        Self {
            scopes: ScopesInForce::followed_by(&owner, Some(&account), policy.plan).to_set(),
            live_keys: is_shown.then_some(live),
            max_keys: policy.max_keys_of(&owner),
            all_keys: is_shown.then_some(all),
            keys: newest.map(|stored| entry(actor, &stored, policy, now)).collect(),
            refused_because: standing_of_owner(Some(&record), policy),
            actions: actions.collect(),
            account,
        }
    }

    /// Returns the entry of an account of which nothing else could be read.
    fn alone(account: ServiceAccount) -> Self {
        Self {
            scopes: ScopeSet::empty(),
            live_keys: None,
            max_keys: None,
            all_keys: None,
            keys: Vec::new(),
            refused_because: None,
            actions: Vec::new(),
            account,
        }
    }
}

impl sealed::Item for AccountEntry {}

impl Listed for AccountEntry {
    type Query = AccountQuery;
}

impl Authority {
    /// Describes accounts with two calls of the store, however many they are.
    pub(super) async fn account_entries(
        &self,
        actor: &Actor,
        accounts: Vec<ServiceAccount>,
        now: Timestamp,
    ) -> Result<Vec<AccountEntry>, StoreError> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.stored_policy(actor.tenant()).await?;
        let owned = self.keys_of_accounts(actor, &accounts, now).await?;
        let entry =
            |(account, owned)| AccountEntry::of(actor, account, owned, stored.in_force(), now);
        Ok(iter::zip(accounts, owned).map(entry).collect())
    }

    /// Describes an account that the actor has just changed. The change is done, so a store that
    /// fails now does not fail the call: the entry then has the account alone.
    pub(super) async fn account_entry_after(
        &self,
        actor: &Actor,
        changed: Outcome<ServiceAccount>,
    ) -> Outcome<AccountEntry> {
        let is_unchanged = changed.is_unchanged();
        let account = changed.into_inner();
        let read = self.account_entries(actor, vec![account.clone()], self.now()).await;
        let entry = read.ok().and_then(|mut entries| entries.pop());
        let entry = entry.unwrap_or_else(|| AccountEntry::alone(account));
        if is_unchanged { Outcome::Unchanged(entry) } else { Outcome::Done(entry) }
    }

    async fn keys_of_accounts(
        &self,
        actor: &Actor,
        accounts: &[ServiceAccount],
        now: Timestamp,
    ) -> Result<Vec<OwnedKeys>, StoreError> {
        let owners: Vec<_> = accounts.iter().map(|account| Owner::Account(account.id)).collect();
        let is_shown = actor.may_for_any(Operation::KeyShow);
        let most = if is_shown { AccountEntry::NEWEST_KEYS } else { 0 };
        self.owned_keys(actor.tenant(), &owners, most, now).await
    }
}

/// Describes an account that is about to be created, and so has no keys.
pub(super) fn new_account_entry(
    actor: &Actor,
    account: ServiceAccount,
    policy: PolicyInForce<'_>,
    now: Timestamp,
) -> AccountEntry {
    AccountEntry::of(actor, account, OwnedKeys::default(), policy, now)
}
