//! `keywright transfer`, killed at random moments.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{NewKey, Owner, UserId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use common::transfer::{Place, lived, seen};
use common::{World, name};

/// Enough keys that a transfer takes some time.
const KEYS: usize = 1_200;

#[common::test(postgres)]
fn b12_killed_move_continues_and_loses_nothing() {
    let place = Place::new();
    let _runtime = place.enter();
    let mut random = StdRng::seed_from_u64(common::new_seed());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.db");
    let store = block_on(FileStore::open(&file)).expect("a store");
    let mut world = lived(store.clone());
    world.change_policy(|policy| policy.settings.max_keys_per_user = Some(1_000));
    fill(&world);
    let before = seen(&world);
    world.let_go();
    block_on(store.close()).expect("it closes");
    drop(store);
    let url = place.url();
    let (mut kills, mut longest) = (0, 40);
    loop {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keywright-under-test"));
        command.arg("--store").arg(&file).args([
            "transfer",
            "--to",
            &url,
            "--schema",
            place.schema.as_str(),
            "--yes",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("keywright starts");
        // The time until the kill grows with each attempt, so that the transfer completes in the
        // end.
        thread::sleep(Duration::from_millis(random.random_range(1..longest)));
        child.kill().expect("it is killed");
        let ended = child.wait_with_output().expect("the process is known");
        // The last process may have been killed while its final commit was on its way.
        let told = String::from_utf8_lossy(&ended.stderr);
        if ended.status.success() || told.contains("the schema holds keys already") {
            break;
        }
        let was_killed = ended.status.code().is_none();
        assert!(was_killed || told.contains("is running"), "keywright ended by itself: {told}");
        kills += 1;
        longest += longest / 5;
        assert!(kills < 60, "the transfer does not complete");
    }
    println!("{kills} kills");
    assert!(kills >= 3, "it was killed only {kills} times");
    world.reopen(place.open().expect("it has moved"));
    assert_eq!(seen(&world), before);
}

/// Generates keys of ten owners.
fn fill(world: &World) {
    for number in 0..KEYS {
        let owner = UserId::new(format!("user-{}", number % 10)).expect("an id");
        let owner = Owner::User(owner);
        let new = NewKey::new(name("prod-main-app"));
        block_on(world.authority.generate(&world.admin, new.owner(owner.clone()))).expect("a key");
    }
}
