//! The store in a file with many keys: opening, hot and cold checks, pages and searches.

use std::hint::black_box;
use std::path::Path;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{PepperRing, Verifier};
use kit::{
    Figure, Lane, Lists, Population, Run, Target, Unit, World, fill_file, hot_beside_memory,
    opening,
};
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::Many;

const TABLE: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

const OPEN: &str = "open a file of 1,000,000 keys";
const OPEN_LARGE: &str = "open a file of 10,000,000 keys";
const HOT: &str = "verify hot, file / memory";
const COLD: &str = "first verify of a key after open, file / redb get";
const SIZE: &str = "bytes per key on disk";

pub(crate) fn measure(run: &Run, many: &Many<'_>) {
    if run.wants(HOT) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
        hot_beside_memory(run, HOT, store);
    }
    let lists = Lists::<FileStore>::are_wanted(run, "file");
    if lists || run.wants_one(&[OPEN, COLD, SIZE]) {
        let population = many.get();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys.db");
        fill_file(population, &path);
        on_disk(run, population, &path);
        open(run, OPEN, &path);
        let store = block_on(FileStore::open(&path)).expect("a store");
        if run.wants(COLD) {
            cold(run, population, store.clone(), folder.path());
        }
        Lists { store: &store, name: "file" }.measure(run, population, population.tokens.len());
    }
    if run.is_large() && run.wants(OPEN_LARGE) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys.db");
        fill_file(&Population::of(run.size(10_000_000, 20_000)), &path);
        open(run, OPEN_LARGE, &path);
    }
}

fn on_disk(run: &Run, population: &Population, path: &Path) {
    let bytes = std::fs::metadata(path).expect("the file").len();
    #[expect(clippy::cast_precision_loss, reason = "a figure has few digits")]
    let each = bytes as f64 / population.tokens.len() as f64;
    run.show(&Figure::alone(SIZE, Unit::Bytes, &[each]));
}

fn open(run: &Run, name: &str, path: &Path) {
    if !run.wants(name) {
        return;
    }
    let [values] = run.rounds([opening(path)]);
    run.show(&Figure::alone(name, Unit::Seconds, &values).target(Target::Most(0.05)));
}

/// Checks each key once in a store that was just opened, beside a read of the same bytes from a
/// bare table that was just opened.
fn cold(run: &Run, population: &Population, store: FileStore, folder: &Path) {
    let tokens = &population.tokens;
    let path = folder.join("bare.redb");
    bare_table(population, &path);
    let database = Database::open(&path).expect("a database");
    let verifier: Verifier =
        World::setup(store, PepperRing::none()).build().expect("a setup").verifier();
    let mut walks = [tokens.walk(); 2];
    let [ours, theirs] = &mut walks;
    // All rounds together check less than all keys.
    let calls = u32::try_from(tokens.len() / 50).expect("a small number");
    let [ours, reference] = run.rounds([
        Lane::calls(calls, || {
            black_box(block_on(verifier.verify(tokens.at(ours.step()))).expect("accepted"));
        }),
        Lane::calls(calls, || {
            let table = database.begin_read().expect("a transaction").open_table(TABLE);
            let found = table.expect("a table").get(tokens.id(theirs.step())).expect("it answers");
            black_box(found.expect("a record").value()[0]);
        }),
    ]);
    run.show(&Figure::beside(COLD, Unit::Seconds, &ours, &reference).target(Target::Most(2.5)));
}

fn bare_table(population: &Population, path: &Path) {
    let database = Database::create(path).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    {
        let mut table = transaction.open_table(TABLE).expect("a table");
        for place in 0..population.tokens.len() {
            let record = serde_json::to_vec(&population.record(place)).expect("JSON");
            table.insert(population.tokens.id(place), &*record).expect("inserted");
        }
    }
    transaction.commit().expect("committed");
}
