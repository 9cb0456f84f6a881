//! The file does not grow with dead records: sweeps reclaim their space, and the rows that an open
//! reads are bounded by the live records and the retention of events.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{
    Batch, Change, EventQuery, FileStore, KeyRecord, KeyStore, StoreError, StoreErrorKind,
};
use keywright::{
    Actor, Authority, KeyId, Keywright, ManualClock, NewKey, Policy, TenantId, UserId,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableHandle};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::disk::{Disk, Fault};

use common::DAY;

const PAUSE: Duration = Duration::from_secs(600);
/// Number of cycles between two sweeps.
const SWEPT: usize = 100;

type Table<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
/// A removal of rows from a file.
type Loss = fn(&redb::WriteTransaction);

/// A tenant on a store, whose events are kept for a day.
struct Tenant {
    store: FileStore,
    clock: ManualClock,
    authority: Authority,
    admin: Actor,
}

impl Tenant {
    fn on(store: FileStore, clock: &ManualClock) -> Self {
        let mut policy = Policy::default();
        policy.settings.api_enabled = Some(true);
        policy.settings.event_retention = Some(DAY);
        policy.settings.max_keys_per_user = Some(1_000);
        policy.plan.max_keys_per_user = 1_000;
        let keywright = Keywright::builder(store.clone())
            .default_policy(policy)
            .clock(clock.clone())
            .build()
            .expect("a keywright");
        let authority = keywright.authority();
        let admin = Actor::administrator(UserId::new("ada").expect("a user"));
        Self { store, clock: clock.clone(), authority, admin }
    }

    fn make(&self) -> KeyId {
        let new = NewKey::named("prod-main-app").expect("a name");
        let owner = self.admin.as_owner();
        let issued = block_on(self.authority.generate(&self.admin, new.owner(owner.clone())));
        issued.expect("a key").key.id
    }

    fn delete(&self, key: &KeyId) {
        block_on(self.authority.delete(&self.admin, key)).expect("it is deleted");
    }

    fn sweep(&self) -> u64 {
        block_on(self.authority.sweep(&self.admin)).expect("a sweep").events
    }

    /// Generates and deletes a key this many times, with regular sweeps.
    fn cycle(&self, times: usize) {
        for n in 1..=times {
            self.delete(&self.make());
            self.clock.advance(PAUSE);
            if n % SWEPT == 0 {
                assert!(n / SWEPT < 3 || self.sweep() > 0, "there is always something to remove");
            }
        }
    }

    fn record(&self, key: &KeyId) -> KeyRecord {
        let stored = block_on(self.store.key(self.admin.tenant(), key)).expect("the store is up");
        stored.expect("the key").record
    }

    fn insert(&self, record: &KeyRecord) -> Result<(), StoreErrorKind> {
        let changes = vec![Change::InsertKey(record.clone())];
        let said = block_on(
            self.store.commit(Batch { changes, ..Batch::of(record.key().tenant.clone()) }),
        );
        said.map(drop).map_err(|error| error.kind())
    }
}

fn on(disk: &Disk) -> Tenant {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().expect("a time"));
    let store = block_on(FileStore::danger_open_backend(disk.clone())).expect("a store");
    Tenant::on(store, &clock)
}

/// Returns the number of rows in each table of a closed store.
fn rows(disk: &Disk) -> Vec<(String, u64)> {
    let copy = Disk::holding(disk.bytes());
    let database = common::sealed::database_on(copy);
    let transaction = database.begin_read().expect("a transaction");
    let tables = transaction.list_tables().expect("the tables");
    let count = |name: &str| {
        transaction.open_table(Table::new(name)).and_then(|table| Ok(table.len()?)).expect("rows")
    };
    tables.map(|table| (table.name().to_owned(), count(table.name()))).collect()
}

#[test]
fn t_f23_file_stops_growing_under_sweeps() {
    let disk = Disk::default();
    let tenant = on(&disk);
    tenant.cycle(300);
    let (early, rows_early) = (disk.bytes().len(), rows(&disk));
    tenant.cycle(2_700);
    let late = disk.bytes().len();
    assert!(late <= 2 * early, "{early} bytes after 300 cycles, {late} after 3,000");
    block_on(tenant.store.close()).expect("it closes");
    // These are all rows that an open reads. The number of sweeps in a day varies by one.
    for ((table, early), (_, late)) in rows_early.iter().zip(rows(&disk)) {
        assert!(late <= early + 1, "{table}: {early} rows after 300 cycles, {late} after 3,000");
    }
    let deleted = rows_early.iter().find(|(table, _)| table == "deleted").expect("the table");
    assert!(deleted.1 < 300, "{} ids are remembered", deleted.1);
}

/// The bytes of the keys and values of all tables.
fn stored_bytes(disk: &Disk) -> usize {
    let copy = Disk::holding(disk.bytes());
    let database = common::sealed::database_on(copy);
    let transaction = database.begin_write().expect("a transaction");
    let bytes = transaction.stats().expect("the numbers").stored_bytes();
    transaction.abort().expect("nothing is written");
    usize::try_from(bytes).expect("a size")
}

#[test]
fn compacted_file_has_a_bounded_size() {
    let disk = Disk::default();
    let tenant = on(&disk);
    let kept = tenant.make();
    let keys: Vec<_> = (0..600).map(|_| tenant.make()).collect();
    for key in &keys[..400] {
        tenant.delete(key);
    }
    tenant.clock.advance(DAY);
    tenant.make();
    tenant.sweep();
    let before = disk.bytes().len();
    block_on(tenant.store.compact()).expect("it is compacted");
    block_on(tenant.store.check()).expect("it is whole");
    assert_eq!(tenant.record(&kept).id(), &kept);
    let (after, stored) = (disk.bytes().len(), stored_bytes(&disk));
    println!("{before} bytes, {after} after the compaction, {stored} of records");
    assert!(after < before && after <= 5 * stored + (64 << 10), "{after} for {stored}");
    // The store is still in use.
    tenant.cycle(2);
    block_on(tenant.store.close()).expect("it closes");
}

#[test]
fn t_f11_power_cut_during_compaction_loses_nothing() {
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let original = Disk::default();
    let tenant = on(&original);
    let keys: Vec<_> = (0..40).map(|_| tenant.make()).collect();
    for key in &keys[..30] {
        tenant.delete(key);
    }
    block_on(tenant.store.close()).expect("it closes");
    for let_through in 0.. {
        let disk = Disk::holding(original.bytes());
        let tenant = on(&disk);
        disk.fail(Fault::ReadOnly, let_through, false);
        let compacted = block_on(tenant.store.compact());
        let left = Disk::holding(disk.after_a_power_cut(&mut random));
        if let Err(error) = &compacted {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
            disk.mend();
            tenant.record(&keys[30]);
        }
        drop(tenant);
        let tenant = on(&left);
        block_on(tenant.store.check()).expect("it is whole");
        for key in &keys[30..] {
            tenant.record(key);
        }
        if compacted.is_ok() {
            return assert!(let_through > 10, "it has {let_through} steps");
        }
    }
}

#[test]
fn t_f23_deleted_id_is_reserved_until_sweep() {
    let disk = Disk::default();
    let mut tenant = on(&disk);
    let keys = [tenant.make(), tenant.make()];
    let [record, other] = keys.map(|key| tenant.record(&key));
    for key in &keys {
        tenant.delete(key);
    }
    tenant.make();
    let reopen = |tenant: Tenant| {
        block_on(tenant.store.close()).expect("it closes");
        let store = block_on(FileStore::danger_open_backend(disk.clone())).expect("a store");
        Tenant::on(store, &tenant.clock)
    };
    tenant.clock.advance(DAY.saturating_sub(Duration::from_micros(1)));
    assert_eq!(tenant.sweep(), 0, "within the retention");
    for _ in 0..2 {
        assert_eq!(tenant.insert(&record), Err(StoreErrorKind::AlreadyExists));
        tenant = reopen(tenant);
    }
    tenant.clock.advance(Duration::from_micros(1));
    assert_eq!(tenant.sweep(), 4, "all but the newest");
    // From now on only the 95 random bits of an id prevent its reuse, in memory and in the file.
    assert_eq!(tenant.insert(&record), Ok(()));
    tenant = reopen(tenant);
    assert_eq!(tenant.insert(&other), Ok(()));
}

#[test]
fn t_f23_event_numbers_continue_after_reopen() {
    let disk = Disk::default();
    let tenant = on(&disk);
    tenant.cycle(2);
    tenant.clock.advance(DAY);
    assert_eq!(tenant.sweep(), 3, "all but the newest of four");
    block_on(tenant.store.close()).expect("it closes");
    let store = block_on(FileStore::danger_open_backend(disk.clone())).expect("a store");
    let tenant = Tenant::on(store, &tenant.clock);
    tenant.make();
    let query = EventQuery::new().oldest_first();
    let events = block_on(tenant.authority.events(&tenant.admin, &query)).expect("events").items;
    let numbers: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [4, 5, 6], "the newest event, the sweep, and the events after the reopen");
}

/// Creates a closed store file with seven events, of which a sweep removed the first two.
fn swept_file() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.db");
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().expect("a time"));
    let tenant = Tenant::on(block_on(FileStore::open(&path)).expect("a new store"), &clock);
    tenant.delete(&tenant.make());
    clock.advance(DAY);
    tenant.delete(&tenant.make());
    assert_eq!(tenant.sweep(), 2);
    tenant.delete(&tenant.make());
    block_on(tenant.store.close()).expect("it closes");
    (folder, path)
}

fn with_checksum(table: &str, key: &[u8], value: &[u8]) -> Vec<u8> {
    let parts = [table.as_bytes(), key, value]
        .map(|part| [(part.len() as u64).to_be_bytes().as_slice(), part].concat());
    [&Sha256::digest(parts.concat())[..16], value].concat()
}

fn place(number: u64) -> Vec<u8> {
    [TenantId::default().as_str().as_bytes(), &[0], &number.to_be_bytes()].concat()
}

/// Changes a file through the database, and opens it as a store.
fn opened_after(change: impl FnOnce(&redb::WriteTransaction)) -> Result<FileStore, StoreError> {
    let (_folder, path) = swept_file();
    let database = common::sealed::database(&path);
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_two_phase_commit(true);
    change(&transaction);
    transaction.commit().expect("it is written");
    drop(database);
    block_on(FileStore::open(&path))
}

fn take_event(transaction: &redb::WriteTransaction, number: u64) {
    let mut events = transaction.open_table(Table::new("events")).expect("the table");
    assert!(events.remove(place(number).as_slice()).expect("a removal").is_some());
}

/// Changes the state record.
fn change_state(transaction: &redb::WriteTransaction, change: impl FnOnce(&mut serde_json::Value)) {
    let mut meta = transaction.open_table(Table::new("meta")).expect("the table");
    let state = meta.get(b"state".as_slice()).expect("a row").expect("the state").value().to_vec();
    let mut json: serde_json::Value = serde_json::from_slice(&state[16..]).expect("JSON");
    change(&mut json);
    let state = with_checksum("meta", b"state", json.to_string().as_bytes());
    meta.insert(b"state".as_slice(), state.as_slice()).expect("it is written");
}

/// Sets the stored number of events.
fn set_event_count(transaction: &redb::WriteTransaction, all: u64) {
    change_state(transaction, |state| state["rows"]["events"] = all.into());
}

#[test]
fn t_f23_lost_events_are_detected() {
    assert!(opened_after(|_| {}).is_ok(), "unchanged");
    // Events 3 to 7 exist. The first and last event do not reveal a missing one in between, and the
    // count does not reveal an event that is removed together with its count.
    let lost: [(&str, Loss); 5] = [
        ("the first", |transaction| take_event(transaction, 3)),
        ("one in the middle", |transaction| take_event(transaction, 5)),
        ("the newest", |transaction| take_event(transaction, 7)),
        ("one in the middle, with its count", |transaction| {
            take_event(transaction, 5);
            set_event_count(transaction, 4);
        }),
        ("a row of the index", |transaction| {
            let mut index = transaction.open_table(Table::new("index")).expect("a table");
            assert!(index.pop_first().expect("a removal").is_some());
        }),
    ];
    for (what, change) in lost {
        let refused = opened_after(change).and_then(|store| block_on(store.check()));
        let refused = refused.expect_err(what);
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{what}: {refused}");
    }
}

#[test]
fn last_event_number_is_not_exceeded() {
    let store = opened_after(|transaction| {
        let numbers =
            format!(r#"{{"last_event":{},"keys":0,"unrevoked":0,"accounts":0}}"#, u64::MAX);
        let mut tenants = transaction.open_table(Table::new("tenants")).expect("the table");
        let row = with_checksum("tenants", b"a", numbers.as_bytes());
        tenants.insert(b"a".as_slice(), row.as_slice()).expect("it is written");
        change_state(transaction, |state| {
            let count = &mut state["rows"]["records"][7];
            *count = (count.as_u64().expect("a number") + 1).into();
        });
    });
    let clock = ManualClock::at("2026-01-03T00:00:00Z".parse().expect("a time"));
    let mut tenant = Tenant::on(store.expect("it opens"), &clock);
    let other = TenantId::new("a").expect("a tenant");
    tenant.admin = Actor::administrator(UserId::new("ada").expect("a user")).in_tenant(other);
    let new = NewKey::named("prod-main-app").expect("a name");
    let owner = tenant.admin.as_owner();
    let said = block_on(tenant.authority.generate(&tenant.admin, new.owner(owner.clone())))
        .expect_err("no more");
    assert!(format!("{said:?}").contains("has no number left for another event"), "{said:?}");
}
