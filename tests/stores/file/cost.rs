//! The cost of opening a file and of many writers: bytes that are read, and syncs of the disk.

use futures_lite::future::{block_on, poll_once};
use keywright::store::{Batch, Change, FileStore, Freshness, KeyRecord, KeyStore, MemoryStore};
use keywright::{Actor, Keywright, NewKey, Policy, UserId};

use crate::disk::Disk;

/// Generates keys in memory, as records for a file.
fn records(keys: usize) -> Vec<KeyRecord> {
    let source = MemoryStore::new();
    let mut policy = Policy::default();
    policy.settings.api_enabled = Some(true);
    let keywright = Keywright::builder(source.clone()).default_policy(policy).build();
    let authority = keywright.expect("a setup").authority();
    let record = |n: usize| {
        let owner = UserId::new(format!("user-{n}")).expect("an id");
        let new = NewKey::named(format!("key-{n}")).expect("a name");
        let issued = block_on(authority.generate(&Actor::developer(owner), new)).expect("a key");
        let found = block_on(source.resolve(&issued.key.id, Freshness::StoreDefault));
        found.expect("it answers").expect("the key").record().clone()
    };
    (0..keys).map(record).collect()
}

fn insertion(records: &[KeyRecord]) -> Batch {
    let changes = records.iter().cloned().map(Change::InsertKey).collect();
    Batch { changes, ..Batch::of(records[0].key().tenant.clone()) }
}

fn open(disk: &Disk) -> FileStore {
    block_on(FileStore::danger_open_backend(disk.clone())).expect("a store")
}

#[test]
fn waiting_writers_share_a_sync() {
    let (disk, records) = (Disk::default(), records(33));
    let store = open(&disk);
    let before = disk.syncs();
    block_on(store.commit(insertion(&records[..1]))).expect("it is written");
    let of_one = disk.syncs() - before;
    assert!(of_one > 0, "a commit is durable");

    let before = disk.syncs();
    disk.hold();
    let commits =
        records[1..].iter().map(|record| store.commit(insertion(std::slice::from_ref(record))));
    let mut waiting: Vec<_> = commits.collect();
    for commit in &mut waiting {
        assert!(block_on(poll_once(commit)).is_none(), "no commit is acknowledged before its sync");
    }
    disk.release();
    for commit in waiting {
        block_on(commit).expect("it is written");
    }
    // The first group may have been taken before the others waited.
    let of_all = disk.syncs() - before;
    assert!(of_all <= 2 * of_one, "{of_all} syncs for 32 writers, {of_one} for one");
}

#[test]
fn open_reads_few_bytes_of_large_file() {
    let of = |keys: usize| {
        let disk = Disk::default();
        let store = open(&disk);
        for records in records(keys).chunks(500) {
            block_on(store.commit(insertion(records))).expect("they are written");
        }
        block_on(store.close()).expect("the store closes");
        let before = disk.bytes_read();
        let store = open(&disk);
        let read = disk.bytes_read() - before;
        block_on(store.close()).expect("the store closes");
        (read, disk.bytes().len() as u64)
    };
    let ((few, small), (many, large)) = (of(20), of(4_000));
    assert!(large > 10 * small, "the files have {small} and {large} bytes");
    // The trees of more keys are a few pages deeper.
    assert!(many < few + 64 * 1_024, "{few} bytes were read of {small}, {many} of {large}");
}
