//! A lifecycle of keys over a store that fails at the first call, at the second, and so on. Every
//! operation reports the failure, accepts no request that it must refuse, and leaves nothing half
//! done.

use std::cell::Cell;
use std::error::Error;

use futures_lite::future::{yield_now, zip};
use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method};
use keywright::store::{
    AccountQuery, EventQuery, KeyQuery, KeyStore, MemoryStore, StoreError, StoreErrorKind,
};
use keywright::{
    AccountEdit, AccountId, Clock, Credential, Issued, KeyEdit, Metadata, Name, NewAccount,
    Outcome, Owner, RoleName, SettingsEdit, VerifyError,
};

use common::{DAY, HOUR, World, admin, block_on, denied, developer, named, tenant, user};

type Failed = Box<dyn Error>;

/// A world with a key for every operation.
struct Life {
    store: MemoryStore,
    faults: Faults,
    world: World,
    account: AccountId,
    active: Issued,
    disabled: Issued,
    overlapping: Issued,
    revoked: Issued,
    expired: Issued,
}

/// An operation. Each works on a new world, and each changes records or reads them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Deed {
    Generate,
    GenerateForAccount,
    Rename,
    Edit,
    Disable,
    Enable,
    Rotate,
    FinishRotation,
    Revoke,
    RevokeByToken,
    RevokeOwned,
    Delete,
    CreateAccount,
    EditAccount,
    DisableAccount,
    DeleteAccount,
    EditSettings,
    Sweep,
    Flush,
    Verify,
    List,
}

const DEEDS: [Deed; 21] = [
    Deed::Generate,
    Deed::GenerateForAccount,
    Deed::Rename,
    Deed::Edit,
    Deed::Disable,
    Deed::Enable,
    Deed::Rotate,
    Deed::FinishRotation,
    Deed::Revoke,
    Deed::RevokeByToken,
    Deed::RevokeOwned,
    Deed::Delete,
    Deed::CreateAccount,
    Deed::EditAccount,
    Deed::DisableAccount,
    Deed::DeleteAccount,
    Deed::EditSettings,
    Deed::Sweep,
    Deed::Flush,
    Deed::Verify,
    Deed::List,
];

/// More calls than any operation makes.
const MOST_CALLS: usize = 40;

impl Deed {
    /// Returns whether a repeated operation adds another record or count.
    fn adds_up(self) -> bool {
        matches!(
            self,
            Self::Generate | Self::GenerateForAccount | Self::CreateAccount | Self::Rotate
        )
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn new_account(text: &str) -> NewAccount {
    NewAccount::new(name(text), RoleName::new("analyst").expect("a role"))
}

impl Life {
    async fn begin() -> Self {
        let (store, faults) = (MemoryStore::new(), Faults::new());
        let world = World::on(InterceptedStore::new(store.clone(), faults.clone()));
        let alice = developer("alice");
        let expired = named("expired").expires_in(HOUR);
        let expired = world.key_of(&alice, expired).await;
        let revoked = world.key_of(&alice, named("revoked")).await;
        world.authority.revoke(&alice, &revoked.key.id).await.expect("it can be revoked");
        world.clock.advance(DAY * 91);
        let account = world.authority.create_account(&admin(), new_account("job")).await;
        let account = account.expect("an account").account.id;
        let owner = Owner::Account(account);
        let of_account =
            world.authority.generate(&admin(), named("of-job").owner(owner.clone())).await;
        of_account.expect("a key of the account");
        let disabled = world.key_of(&alice, named("disabled")).await;
        world.authority.disable(&alice, &disabled.key.id).await.expect("it can be disabled");
        let overlapping = world.key_of(&alice, named("overlapping")).await;
        let rotated = world.authority.rotate(&alice, &overlapping.key.id, HOUR).await;
        rotated.expect("it can be rotated");
        let active = world.key_of(&alice, named("active")).await;
        world.verifier.verify(active.token.expose()).await.expect("it is active");
        Self { store, faults, world, account, active, disabled, overlapping, revoked, expired }
    }

    async fn does(&self, deed: Deed) -> Result<(), Failed> {
        let (authority, alice) = (&self.world.authority, developer("alice"));
        let (id, owner) = (&self.active.key.id, Owner::Account(self.account));
        match deed {
            Deed::Generate => {
                _ = authority.generate(&alice, named("generated")).await?;
            }
            Deed::GenerateForAccount => {
                _ = authority.generate(&admin(), named("generated").owner(owner.clone())).await?;
            }
            Deed::Rename => _ = authority.rename(&alice, id, name("renamed")).await?,
            Deed::Edit => {
                let edit = KeyEdit::new().metadata(Metadata::new([("team", "payments")])?);
                _ = authority.edit(&alice, id, edit).await?;
            }
            Deed::Disable => _ = authority.disable(&alice, id).await?,
            Deed::Enable => _ = authority.enable(&alice, &self.disabled.key.id).await?,
            Deed::Rotate => _ = authority.rotate(&alice, id, HOUR).await?,
            Deed::FinishRotation => {
                _ = authority.finish_rotation(&alice, &self.overlapping.key.id).await?;
            }
            Deed::Revoke => _ = authority.revoke(&alice, id).await?,
            Deed::RevokeByToken => {
                let token = Credential::Token(self.active.token.expose());
                let revoked = self.world.verifier.revoke(token).await?;
                assert!(matches!(revoked, Outcome::Done(_) | Outcome::Unchanged(_)));
            }
            Deed::RevokeOwned => _ = authority.revoke_owned(&alice, &alice.as_owner()).await?,
            Deed::Delete => authority.delete(&alice, id).await?,
            Deed::CreateAccount => {
                _ = authority.create_account(&admin(), new_account("another")).await?;
            }
            Deed::EditAccount => {
                let edit = AccountEdit::new().name(name("renamed"));
                _ = authority.edit_account(&admin(), &self.account, edit).await?;
            }
            Deed::DisableAccount => {
                _ = authority.disable_account(&admin(), &self.account).await?;
            }
            Deed::DeleteAccount => authority.delete_account(&admin(), &self.account).await?,
            Deed::EditSettings => {
                let edit = SettingsEdit::new().max_overlap(Some(2 * DAY));
                authority.edit_settings(&admin(), edit).await?;
            }
            Deed::Sweep => _ = authority.sweep(&admin()).await?,
            Deed::Flush => self.world.verifier.flush().await?,
            Deed::Verify => _ = self.world.verifier.verify(self.active.token.expose()).await?,
            Deed::List => {
                authority.keys(&admin(), &KeyQuery::new()).await?;
                authority.accounts(&admin(), &AccountQuery::new()).await?;
                authority.events(&admin(), &EventQuery::new()).await?;
                authority.key(&admin(), id).await?;
            }
        }
        Ok(())
    }

    /// Returns the stored records, without ids and digests, which are random.
    async fn records(&self) -> Vec<String> {
        let store = &self.store;
        let page = store.keys(&tenant(), &KeyQuery::new(), self.world.clock.now()).await;
        let mut seen = Vec::new();
        for stored in page.expect("the store below works").items {
            let (key, uses) = (stored.record.key(), stored.usage.uses());
            let owner = if key.owner.account().is_some() { "an account" } else { "alice" };
            seen.push(format!(
                "key {} of {owner}: version {}, secret {}, disabled {}, revoked {:?}, {uses} uses",
                key.name, key.version, key.secret_number, key.disabled, key.revoked_at,
            ));
        }
        let page = store.accounts(&tenant(), &AccountQuery::new()).await;
        for account in page.expect("the store below works").items {
            let (name, version) = (account.name, account.version);
            seen.push(format!("account {name}: version {version}, enabled {}", account.enabled));
        }
        let policies = store.policies(&[tenant()]).await.expect("the store below works");
        let versions = policies.iter().flatten().map(|policy| policy.version);
        seen.push(format!("policy {}", versions.sum::<u64>()));
        seen.sort();
        seen
    }

    async fn events(&self) -> Vec<String> {
        let query = EventQuery::new().oldest_first().limit(500);
        let page = self.store.events(&tenant(), &query).await;
        let events = page.expect("the store below works").items;
        events.iter().map(|e| format!("{} {} {}", e.sequence, e.kind, e.outcome)).collect()
    }

    async fn seen(&self) -> (Vec<String>, Vec<String>) {
        (self.records().await, self.events().await)
    }

    /// Asserts that no key is accepted that must be refused.
    async fn assert_still_refused(&self) {
        for (issued, reason) in [(&self.revoked, "revoked"), (&self.expired, "expired")] {
            match self.world.verifier.verify(issued.token.expose()).await {
                Err(VerifyError::Unavailable(_)) => {}
                // A sweep deletes the key.
                verified => assert!([reason, "unrecognized"].contains(&denied(verified))),
            }
        }
    }
}

/// Returns whether the error or one of its sources is an unavailable store.
fn is_unavailable(failed: &(dyn Error + 'static)) -> bool {
    let mut at = Some(failed);
    while let Some(error) = at {
        if let Some(error) = error.downcast_ref::<StoreError>() {
            return error.kind() == StoreErrorKind::Unavailable;
        }
        if matches!(error.downcast_ref(), Some(VerifyError::Unavailable(_))) {
            return true;
        }
        at = error.source();
    }
    false
}

/// Runs an operation with a fault at each of its calls in turn, and returns the number of calls.
async fn each_call_at_fault(deed: Deed, fault: Fault) -> usize {
    let life = Life::begin().await;
    let before = life.seen().await;
    life.does(deed).await.unwrap_or_else(|error| panic!("{deed:?}: {error}"));
    let after = life.seen().await;
    for nth in 1..MOST_CALLS {
        let life = Life::begin().await;
        assert_eq!(life.seen().await, before, "each life begins alike");
        life.faults.fail_once(nth, Method::ALL, fault);
        let done = life.does(deed).await;
        if life.faults.clear() {
            done.unwrap_or_else(|error| panic!("{deed:?} without a fault: {error}"));
            return nth - 1;
        }
        let what = format!("{deed:?} with {fault:?} at call {nth}");
        let seen = life.seen().await;
        match (&done, fault) {
            (Ok(()), _) => assert_eq!(seen, after, "{what} succeeds"),
            (Err(error), Fault::Before | Fault::After) => {
                assert!(is_unavailable(&**error), "{what}: {error:?}");
                assert!(seen == before || seen == after, "{what} is half done: {seen:#?}");
            }
            (Err(error), _) => panic!("{what}: {error}"),
        }
        life.assert_still_refused().await;
        let was_done = seen == after && before != after;
        if was_done && deed.adds_up() {
            continue;
        }
        let again = life.does(deed).await;
        // A second delete reports that the record is absent.
        let is_gone = was_done && matches!(deed, Deed::Delete | Deed::DeleteAccount);
        assert_eq!(again.is_err(), is_gone, "{what}, repeated: {again:?}");
        assert_eq!(life.records().await, after.0, "{what}, repeated");
        if !was_done && before != after {
            assert_eq!(life.events().await, after.1, "{what}, repeated");
        }
    }
    panic!("{deed:?} makes more than {MOST_CALLS} calls");
}

#[test]
fn blocked_call_is_atomic_and_repeatable() {
    block_on(async {
        for deed in DEEDS {
            let calls = Box::pin(each_call_at_fault(deed, Fault::Before)).await;
            assert!(calls > 0, "{deed:?} calls the store");
        }
    });
}

#[test]
fn lost_answer_is_atomic_and_repeatable() {
    block_on(async {
        for deed in DEEDS {
            assert!(
                Box::pin(each_call_at_fault(deed, Fault::After)).await > 0,
                "{deed:?} calls the store"
            );
        }
    });
}

#[test]
fn slow_call_changes_nothing() {
    block_on(async {
        for deed in DEEDS {
            assert!(
                Box::pin(each_call_at_fault(deed, Fault::Delay(3))).await > 0,
                "{deed:?} calls the store"
            );
        }
    });
}

#[test]
fn failing_store_makes_verify_unavailable() {
    block_on(async {
        for fault in [Fault::Before, Fault::After] {
            let life = Life::begin().await;
            let tokens = [&life.active, &life.disabled, &life.revoked, &life.expired];
            for issued in tokens {
                life.faults.fail_once(1, Method::ALL, fault);
                let verified = life.world.verifier.verify(issued.token.expose()).await;
                let said = verified.expect_err("the store fails");
                assert!(matches!(said, VerifyError::Unavailable(_)), "{fault:?}: {said:?}");
            }
            assert!(!life.faults.clear());
            life.world.verifier.verify(life.active.token.expose()).await.expect("it is active");
            let good = user("alice");
            assert_eq!(life.active.key.owner, Owner::User(good));
        }
    });
}

#[test]
fn sweep_obeys_concurrently_lengthened_event_retention() {
    block_on(async {
        let (store, faults) = (MemoryStore::new(), Faults::new());
        let world = World::on(InterceptedStore::new(store.clone(), faults.clone()));
        world
            .set_policy(|policy| policy.settings.event_retention = Some(DAY))
            .await
            .expect("the policy is set");
        world.key().await;
        world.clock.advance(2 * DAY);
        world.key().await;
        // The policy changes between the reads and the commit of the sweep.
        faults.fail_once(1, &[Method::Commit], Fault::Delay(3));
        let (ada, lengthened) = (admin(), 30 * DAY);
        let lengthen =
            world.set_policy(|policy| policy.settings.event_retention = Some(lengthened));
        let (swept, lengthened) = zip(world.authority.sweep(&ada), lengthen).await;
        lengthened.expect("the policy is set");
        assert_eq!(swept.expect("a sweep").events, 0);
        let oldest = EventQuery::new().oldest_first().limit(1);
        let oldest = store.events(&tenant(), &oldest).await.expect("a page").items;
        assert_eq!(oldest[0].sequence, 1, "the events that the new policy retains exist");
    });
}

#[test]
fn held_answer_arrives_after_repair() {
    block_on(async {
        let (store, faults) = (MemoryStore::new(), Faults::new());
        let world = World::on(InterceptedStore::new(store.clone(), faults.clone()));
        faults.fail_once(1, &[Method::Commit], Fault::Hold);
        let is_mended = Cell::new(false);
        let made = async {
            world.key().await;
            assert!(is_mended.get(), "the answer was held until then");
        };
        let mended = async {
            let query = KeyQuery::new();
            while store.keys(&tenant(), &query, world.now()).await.expect("keys").items.is_empty() {
                yield_now().await;
            }
            is_mended.set(true);
            faults.clear();
        };
        zip(made, mended).await;
    });
}
