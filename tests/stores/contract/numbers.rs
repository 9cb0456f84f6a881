//! The numbers of events in the plan of a batch: the last one, and the first one of a deleted id.

use keywright::store::plan::{self, DeletedId, Rows};
use keywright::store::{Batch, Change, KeyStore, MemoryStore, StoreErrorKind};

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
