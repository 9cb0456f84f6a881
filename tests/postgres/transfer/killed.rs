//! A process is killed while its store moves. Either the file or the database is complete afterwards.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::KeyId;
use keywright::store::{
    FileOptions, FileStore, KeyStore, Marker, MoveOptions, MovingStore, PostgresOptions,
    SchemaName, StoreErrorKind, TransferError,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::PgPool;

use common::transfer::Place;
use common::{World, amount};

const TEST: &str = "killed::b12_killed_move_leaves_one_complete_store";
const FILE: &str = "KEYWRIGHT_TEST_MOVES_FILE";
const URL: &str = "KEYWRIGHT_TEST_MOVES_TO";
const SCHEMA: &str = "KEYWRIGHT_TEST_MOVES_TO_SCHEMA";
const MARK: &str = "mover: ";

/// The process that is killed: it moves its store, generates keys, and prints each acknowledged one.
fn move_until_killed(file: &Path) -> ! {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _entered = runtime.enter();
    let variable = |name| env::var(name).expect("a variable");
    let schema = SchemaName::new(&variable(SCHEMA)).expect("a name");
    let options = PostgresOptions::new().schema(schema);
    let pool = runtime.block_on(PgPool::connect(&variable(URL))).expect("the server");
    let store = MovingStore::new(block_on(FileStore::open(file)).expect("a file"));
    let world = World::on(store.clone());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _entered = runtime.enter();
            println!("{MARK}begins");
            let transfer = block_on(store.begin(options, pool)).expect("a transfer");
            let target = transfer.database();
            block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
            println!("{MARK}moved");
        });
        loop {
            let key = world.issue("prod-main-app");
            assert_eq!(world.says(key.token.expose()), "current");
            block_on(world.verifier.flush()).expect("the use is written");
            println!("{MARK}{}", key.key.id);
        }
    })
}

struct Mover {
    process: Child,
    out: BufReader<Box<dyn Read>>,
    keys: Vec<KeyId>,
    has_moved: bool,
}

impl Mover {
    fn start(file: &Path, place: &Place) -> Self {
        let mut process = Command::new(env::current_exe().expect("this program"))
            .args([TEST, "--exact", "--nocapture"])
            .env(FILE, file)
            .env(URL, place.url())
            .env(SCHEMA, place.schema.as_str())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let out: Box<dyn Read> = Box::new(process.stdout.take().expect("its output"));
        Self { process, out: BufReader::new(out), keys: Vec::new(), has_moved: false }
    }

    /// Reads one line, and returns whether it is this one. Returns `None` at the end.
    fn hears(&mut self, expected: &str) -> Option<bool> {
        let mut line = String::new();
        if self.out.read_line(&mut line).expect("text") == 0 || !line.ends_with('\n') {
            return None;
        }
        let Some(said) = line.trim_end().strip_prefix(MARK) else { return Some(false) };
        match said {
            "begins" => {}
            "moved" => self.has_moved = true,
            key => self.keys.push(key.parse().expect("a key id")),
        }
        Some(said == expected)
    }

    fn kill(mut self) -> (Vec<KeyId>, bool) {
        self.process.kill().expect("it is killed");
        self.process.wait().expect("it ends");
        while self.hears("").is_some() {}
        (self.keys, self.has_moved)
    }
}

/// Asserts that the store has every key with its use, and takes changes.
fn assert_complete(store: &(impl KeyStore + Clone), keys: &[KeyId]) {
    let world = World::on(store.clone());
    for id in keys {
        let found = block_on(store.key(world.tenant(), id)).expect("it answers").expect("the key");
        assert_eq!(found.usage.uses(), 1, "each use is counted once");
    }
    world.issue("prod-made-after");
}

/// Checks the stores that a killed process left. Returns which of them was in use.
fn check(file: &Path, place: &Place, keys: &[KeyId], has_moved: bool) -> &'static str {
    match block_on(FileStore::open(file)) {
        Ok(store) => {
            assert!(!has_moved, "the move was acknowledged");
            if let Ok(new) = place.open() {
                // The process was killed before it closed the tables.
                let told = block_on(new.changes(&Marker::default())).expect("it answers");
                assert_eq!(told.touched, Some(Vec::new()), "only one store takes changes");
            }
            assert_complete(&store, keys);
            "file"
        }
        Err(error) if error.kind() == StoreErrorKind::Unsupported => match place.open() {
            Ok(database) => {
                assert_complete(&database, keys);
                "database"
            }
            Err(error) => {
                assert!(error.to_string().contains("moved"), "{error}");
                continue_move(file, place);
                assert_complete(&place.open().expect("the tables are open"), keys);
                "neither before the move was continued"
            }
        },
        Err(error) => panic!("{error}"),
    }
}

/// Continues a move whose last step was interrupted.
fn continue_move(file: &Path, place: &Place) {
    let options = FileOptions::new().danger_open_moved_file();
    let file = block_on(options.open(file)).expect("it opens for reading");
    let store = MovingStore::new(file.clone());
    let transfer = loop {
        match block_on(store.begin(place.options(), place.pool.clone())) {
            Err(TransferError::Running) => {}
            begun => break begun.expect("a transfer"),
        }
    };
    // The file takes changes again, because the tables were never opened.
    let during = World::on(store.clone()).issue("prod-made-during");
    let target = transfer.database();
    block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
    block_on(file.close()).expect("it closes");
    let found = block_on(store.key(&during.key.tenant, &during.key.id)).expect("it answers");
    assert!(found.is_some());
}

#[common::test(postgres)]
fn b12_killed_move_leaves_one_complete_store() {
    if let Some(file) = env::var_os(FILE) {
        move_until_killed(Path::new(&file));
    }
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let mut left = std::collections::BTreeMap::<_, u32>::new();
    let mut longest = 20;
    for _ in 0..amount("KEYWRIGHT_ROUNDS", 12) {
        let place = Place::new();
        let _runtime = place.enter();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys.db");
        let mut mover = Mover::start(&file, &place);
        while !mover.hears("begins").expect("it begins to move") {}
        thread::sleep(Duration::from_millis(random.random_range(0..longest)));
        let (keys, has_moved) = mover.kill();
        let in_use = check(&file, &place, &keys, has_moved);
        // About half of the processes are killed before the end of the move.
        longest = if in_use == "file" { longest * 3 / 2 } else { (longest * 2 / 3).max(10) };
        *left.entry(in_use).or_default() += 1;
    }
    println!("in use after the kill: {left:?}");
}

#[common::test(postgres)]
fn b12_move_killed_in_last_step_continues() {
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.db");
    // The last step waits for this lock after the file has recorded the move.
    place.open().expect("the tables are made");
    let mut mover = Mover::start(&file, &place);
    let sql = format!(
        "CREATE FUNCTION {0}.wait() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NOT new.is_moving THEN PERFORM pg_sleep(60); END IF; RETURN new; END $$;
        CREATE TRIGGER wait BEFORE UPDATE ON {0}.state FOR EACH ROW EXECUTE FUNCTION {0}.wait()",
        place.schema
    );
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&place.pool)).expect("a trigger");
    while !mover.hears("begins").expect("it begins to move") {}
    let is_waiting = || {
        let waiting = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep')";
        block_on(sqlx::query_scalar::<_, bool>(waiting).fetch_one(&place.pool)).expect("an answer")
    };
    while !is_waiting() {}
    let (keys, has_moved) = mover.kill();
    assert!(!has_moved && block_on(FileStore::open(&file)).is_err(), "the file records the move");
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep';
        DROP TRIGGER wait ON {}.state",
        place.schema
    );
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&place.pool)).expect("it is mended");
    let in_use = check(&file, &place, &keys, has_moved);
    assert_eq!(in_use, "neither before the move was continued");
}
