//! Short writes by the operating system: under a limit on the file size, one write ends early and
//! the next one fails.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{GenerateError, NewKey};

use common::{World, name};

const FILE: &str = "KEYWRIGHT_TEST_WRITES_SHORT_TO";
const TEST: &str = "short_writes::t_f03_partial_writes_lose_nothing";
/// The unit of `ulimit -f`, in bytes.
const BLOCK: usize = 512;
/// Number of keys that the process tries to generate under the limit.
const KEYS: usize = 40;

#[test]
fn t_f03_partial_writes_lose_nothing() {
    // The limited process is this test executable, with the path in a variable.
    if let Some(file) = env::var_os(FILE) {
        return make_keys(Path::new(&file));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, copy) = (folder.path().join("keys.db"), folder.path().join("copy.db"));
    let store = block_on(FileStore::open(&file)).expect("a new store");
    let world = World::new(store.clone());
    world.change_policy(|policy| policy.settings.max_keys_per_user = Some(100));
    block_on(store.close()).expect("the store closes");
    drop(world);
    let whole = fs::read(&file).expect("the store file");
    let used = whole.iter().rposition(|byte| *byte != 0).expect("something is written");
    let (mut failed, mut failed_later) = (0, 0);
    // An odd number of blocks ends within a page of the database.
    for blocks in (9..used / BLOCK + 200).step_by(22) {
        write_private(&copy, &whole);
        let (tokens, error) = make_keys_within(blocks, &copy);
        let what = format!("with a limit of {blocks} blocks");
        if let Some(error) = error {
            assert!(error.contains("no space is left"), "{what}: {error}");
            failed += 1;
            failed_later += u32::from(!tokens.is_empty());
        } else {
            assert_eq!(tokens.len(), KEYS, "{what}");
        }
        let store = block_on(FileStore::open(&copy))
            .unwrap_or_else(|error| panic!("{what}: it does not open: {error:?}"));
        let world = World::bare(store.clone());
        for token in &tokens {
            assert_eq!(world.says(token), "current", "{what}: an acknowledged key is lost");
        }
        let keys = common::store_lifecycle::count(&world, &world.admin);
        assert!([tokens.len(), tokens.len() + 1].contains(&keys), "{what}: {keys} keys");
        block_on(store.close()).expect("the store closes");
    }
    println!("{failed} limits were met, {failed_later} of them after a change");
    assert!(failed > 10 && failed_later > 1, "{failed} limits were met, {failed_later} later");
}

/// Runs a process with this limit, and returns the tokens that it generated and the error that
/// ended it.
fn make_keys_within(blocks: usize, file: &Path) -> (Vec<String>, Option<String>) {
    let this = env::current_exe().expect("this program");
    // Without the trap, reaching the limit would end the process by a signal.
    let limited = "trap '' XFSZ; ulimit -f \"$1\"; exec \"$0\" \"$2\" --exact --nocapture";
    let output = Command::new("sh")
        .args(["-c", limited])
        .arg(this)
        .args([blocks.to_string().as_str(), TEST])
        .env(FILE, file)
        .output()
        .expect("the process runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "with {blocks} blocks: {printed}");
    let said = |what| {
        let lines = printed.lines().filter_map(move |line| line.split_once(what));
        lines.map(|(_, said)| said.to_owned())
    };
    (said("child made: ").collect(), said("child failed: ").next())
}

/// Generates keys until a write fails.
fn make_keys(file: &Path) {
    let store = match block_on(FileStore::open(file)) {
        Ok(store) => store,
        Err(error) => return println!("child failed: {error}"),
    };
    let world = World::bare(store);
    for _ in 0..KEYS {
        let new = NewKey::new(name("prod-main-app"));
        match block_on(world.authority.generate(&world.admin, new)) {
            Ok(issued) => println!("child made: {}", issued.token.expose()),
            Err(GenerateError::Store(error)) => return println!("child failed: {error}"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Writes a store file with the permissions that the crate gives it: no access for other users.
fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("the file is written");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("the mode is set");
}
