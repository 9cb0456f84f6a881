//! A file that was moved records it, and refuses to be used again.

use std::path::Path;

use futures_lite::future::block_on;
use keywright::TenantId;
use keywright::store::{
    Batch, FileOptions, FileStore, KeyStore, MoveOptions, MovingStore, StoreError, StoreErrorKind,
};

use common::World;
use common::transfer::{Place, lived, seen};

fn reopen(file: &Path) -> Result<FileStore, StoreError> {
    block_on(FileStore::open(file))
}

/// Asserts that the file cannot be opened, or only for reading.
fn assert_refuses(file: &Path, place: &Place) {
    let refused = reopen(file).expect_err("it was moved");
    assert_eq!(refused.kind(), StoreErrorKind::Unsupported);
    let said = refused.to_string();
    assert!(
        said.contains("were moved to schema") && said.contains(place.schema.as_str()),
        "{said}"
    );
    let options = FileOptions::new().danger_open_moved_file();
    let read = block_on(options.open(file)).expect("it opens for reading");
    let mut world = World::bare(read.clone());
    let mut plan = block_on(world.authority.policy(&world.admin)).expect("it answers reads").plan;
    plan.api_access = !plan.api_access;
    let refused = block_on(world.authority.set_plan(&world.admin, plan));
    let refused = refused.expect_err("it takes no changes");
    let said = common::chain(&refused).join(": ");
    assert!(said.contains("were moved to schema"), "{said}");
    let refused =
        block_on(read.commit(Batch::of(TenantId::default()))).expect_err("it takes no changes");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    world.let_go();
    block_on(read.close()).expect("it closes");
}

#[common::test(postgres)]
fn b12_moved_file_refuses_a_restart() {
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.db");
    let file = reopen(&path).expect("a store");
    let store = MovingStore::new(file.clone());
    let world = lived(store.clone());
    let before = seen(&world);
    let transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    let target = transfer.database();
    block_on(store.finish(transfer, target, MoveOptions::new())).expect("it has moved");
    let left_behind =
        block_on(file.commit(Batch::of(TenantId::default()))).expect_err("it takes no changes");
    assert_eq!(left_behind.kind(), StoreErrorKind::Unavailable);
    assert!(left_behind.to_string().contains(place.schema.as_str()), "{left_behind}");
    block_on(file.close()).expect("it closes");
    assert_eq!(seen(&world), before, "the service goes on");
    assert_refuses(&path, &place);
    // Going back to the file for good is possible, and is remembered.
    let back = block_on(FileOptions::new().danger_forget_move().open(&path)).expect("it opens");
    block_on(back.close()).expect("it closes");
    let back = reopen(&path).expect("it opens as before");
    World::bare(back.clone()).issue("prod-made-after");
}

#[common::test(postgres)]
fn b12_transferred_file_refuses_a_restart() {
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.db");
    let file = reopen(&path).expect("a store");
    let _world = lived(file.clone());
    block_on(place.begin(file.clone()).expect("begun").finish(|_| {})).expect("it has moved");
    block_on(file.close()).expect("it closes");
    assert_refuses(&path, &place);
}

#[common::test(postgres)]
fn b12_failed_move_leaves_file_unmarked() {
    let place = Place::new();
    let _runtime = place.enter();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.db");
    let file = reopen(&path).expect("a store");
    let store = MovingStore::new(file.clone());
    let world = lived(store.clone());
    let transfer = block_on(store.begin(place.options(), place.pool.clone())).expect("begun");
    let target = transfer.database();
    // The last step, which opens the tables, fails.
    let fail = format!(
        "CREATE FUNCTION {0}.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER fail BEFORE UPDATE ON {0}.state FOR EACH ROW EXECUTE FUNCTION {0}.fail()",
        place.schema
    );
    block_on(sqlx::raw_sql(sqlx::AssertSqlSafe(fail)).execute(&place.pool)).expect("a trigger");
    block_on(store.finish(transfer, target, MoveOptions::new())).expect_err("it fails");
    world.issue("prod-made-after");
    block_on(file.close()).expect("it closes");
    let file = reopen(&path).expect("it is not marked");
    World::bare(file.clone()).issue("prod-made-after-restart");
}
