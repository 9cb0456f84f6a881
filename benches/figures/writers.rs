//! Durable commits of the store in a file, by one writer and by many.

use std::path::Path;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{Name, PepperRing};
use kit::{Figure, Lane, Run, Target, Unit, World, rate_of};
use redb::{Database, TableDefinition};

const TABLE: TableDefinition<&str, u64> = TableDefinition::new("table");

const ONE_PHASE: &str = "rename in a file, rate / of redb commits";
const TWO_PHASES: &str = "rename in a file, rate / of redb commits in two phases";
const EIGHT: &str = "generate in a file, rate of 8 writers / of 1";
const MANY: &str = "generate in a file, rate of 32 writers / of 1";

pub(crate) fn measure(run: &Run) {
    if !run.wants_one(&[ONE_PHASE, TWO_PHASES, EIGHT, MANY]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = block_on(FileStore::open(folder.path().join("keys.db"))).expect("a store");
    let world = World::new(store, PepperRing::none());
    if run.wants_one(&[ONE_PHASE, TWO_PHASES]) {
        one(run, &world, folder.path());
    }
    if run.wants_one(&[EIGHT, MANY]) {
        many(run, &world);
    }
}

/// Commits the smallest transaction of redb.
fn commit(database: &Database, two_phases: bool, value: u64) {
    let mut transaction = database.begin_write().expect("a transaction");
    transaction.set_two_phase_commit(two_phases);
    transaction.open_table(TABLE).expect("a table").insert("key", value).expect("inserted");
    transaction.commit().expect("committed");
}

fn one(run: &Run, world: &World, folder: &Path) {
    let key = world.generate("renamed").key;
    let database = Database::create(folder.join("bare.redb")).expect("a database");
    let (mut renames, mut commits) = (0, 0);
    let calls = u32::try_from(run.size(50, 3)).expect("a small number");
    let mut next = || {
        commits += 1;
        commits
    };
    let rate = |time: f64| time.recip();
    let mut timed = |two_phases| {
        let start = std::time::Instant::now();
        (0..calls).for_each(|_| commit(&database, two_phases, next()));
        rate(start.elapsed().as_secs_f64() / f64::from(calls))
    };
    let timed = std::cell::RefCell::new(&mut timed);
    let [ours, one_phase, two_phases] = run.rounds([
        Lane::measured(|| {
            let start = std::time::Instant::now();
            for _ in 0..calls {
                renames += 1;
                let name = Name::new(format!("name {renames}")).expect("a name");
                block_on(world.authority.rename(&world.admin, &key.id, name)).expect("renamed");
            }
            rate(start.elapsed().as_secs_f64() / f64::from(calls))
        }),
        Lane::measured(|| timed.borrow_mut()(false)),
        Lane::measured(|| timed.borrow_mut()(true)),
    ]);
    for (name, reference) in [(ONE_PHASE, one_phase), (TWO_PHASES, two_phases)] {
        let figure = Figure::beside(name, Unit::PerSecond, &ours, &reference);
        run.show(&figure.target(Target::Least(0.7)));
    }
}

fn many(run: &Run, world: &World) {
    let time = run.time(Duration::from_millis(500));
    let lane = |writers| {
        Lane::measured(move || {
            rate_of(writers, time, |writer| {
                world.generate(&format!("written by {writer}"));
            })
        })
    };
    let [one, eight, many] = run.rounds([lane(1), lane(8), lane(32)]);
    for (name, ours, target) in [(EIGHT, eight, 4.0), (MANY, many, 10.0)] {
        let figure = Figure::beside(name, Unit::PerSecond, &ours, &one);
        run.show(&figure.target(Target::Least(target)));
    }
}
