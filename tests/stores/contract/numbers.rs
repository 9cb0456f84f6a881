//! The numbers in the plan of a batch: of events, of deleted ids, and of versions.

use keywright::store::plan::{self, DeletedId, ReadSet, Rows};
use keywright::store::{Batch, Change, KeyStore, MemoryStore, StoreErrorKind, TenantPolicy};
use keywright::{AccountId, KeyId, Name, TenantId, Timestamp, UserId};

use common::{TestResult, World, block_on};

/// The largest number of an event.
const LAST: u64 = i64::MAX as u64;

#[test]
fn last_number_has_no_successor() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        let event = world.events_of(&world.key().await.key.id).await?.remove(0);
        let batch = Batch { events: vec![event.clone()], ..Batch::of(event.tenant.clone()) };
        let mut rows = Rows::default();
        rows.last_events.insert(event.tenant.clone(), LAST - 1);
        let effects = plan::batch(&rows, batch.clone())?;
        assert_eq!(effects.events[0].sequence, LAST);
        rows.last_events.extend(effects.last_events);
        let refused = plan::batch(&rows, batch).expect_err("no number is left");
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
        Ok(())
    })
}

/// Event 0 does not exist, so a store that forgets none would forget the id.
#[test]
fn deleted_id_has_a_real_event() -> TestResult {
    block_on(async {
        let store = MemoryStore::new();
        let world = World::new(store.clone());
        let id = world.key().await.key.id;
        let record = store.key(world.tenant(), &id).await?.ok_or("the key is absent")?.record;
        let rows = Rows { keys: [(id, record)].into(), ..Rows::default() };
        let delete = Change::DeleteKey(id);
        let batch = Batch { changes: vec![delete], ..Batch::of(world.tenant().clone()) };
        let tombstones = plan::batch(&rows, batch)?.tombstones;
        assert_eq!((tombstones[0].id, tombstones[0].event), (DeletedId::Key(id), 1));
        Ok(())
    })
}

/// A deleted id is forgotten with an event, whose number the store reads although the batch adds no event.
#[test]
fn deletions_read_the_last_number() -> TestResult {
    let tenant = TenantId::new("globex")?;
    let wanted = |change: Change| {
        ReadSet::of(&Batch { changes: vec![change], ..Batch::of(tenant.clone()) }).numbered
    };
    let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    let account: AccountId = "7bWm1c4fQ2xk9ZrT".parse()?;
    let forget = Change::ForgetEvents { tenant: tenant.clone(), through: 1 };
    for change in [Change::DeleteKey(key), Change::DeleteAccount(account), forget] {
        assert_eq!(wanted(change.clone()), Some(tenant.clone()), "{change:?}");
    }
    let revoke = Change::RevokeKey { key, at: Timestamp::MIN };
    assert_eq!(wanted(revoke), None);
    Ok(())
}

/// The last version is written, and the one after it is refused. No key of a greater version can be read, so none
/// can be tried.
#[test]
fn last_version_has_no_successor() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        let tenant = world.tenant().clone();
        let account = world.account("billing", "analyst").await?;
        let account = |version| {
            let mut account = account.clone();
            account.version = version;
            account
        };
        let (alice, name) = (UserId::new("alice")?, Name::new("Alice Jones")?);
        let user = world.authority.set_display_name(&world.admin, &alice, Some(name));
        let user = user.await?.into_inner();
        let user = |version| {
            let mut user = user.clone();
            user.version = version;
            user
        };
        let policy = |version| TenantPolicy { version, ..TenantPolicy::default() };
        for (version, outcome) in [(LAST, None), (LAST + 1, Some(StoreErrorKind::Unsupported))] {
            let mut rows = Rows::default();
            rows.accounts.insert(account(0).id, account(version - 1));
            rows.users.insert((tenant.clone(), user(0).id), user(version - 1));
            rows.policies.insert(tenant.clone(), policy(version - 1));
            let changes = [
                Change::UpdateAccount(account(version)),
                Change::PutUser(user(version)),
                Change::PutPolicy { tenant: tenant.clone(), policy: policy(version) },
            ];
            for change in changes {
                let text = format!("{change:?}");
                let batch = Batch { changes: vec![change], ..Batch::of(tenant.clone()) };
                let refused = plan::batch(&rows, batch).err();
                assert_eq!(refused.map(|error| error.kind()), outcome, "{text}");
            }
        }
        Ok(())
    })
}
