//! Policies and owners are answered from memory, and are always those of the file.

use std::fmt::Debug;

use common::World;
use futures_lite::future::{block_on, poll_once};
use keywright::store::{
    Batch, Change, Condition, FileStore, KeyStore, StoreError, StoreErrorKind, TenantPolicy,
};
use keywright::{AccountEdit, NewAccount, RoleName, TenantId};

use crate::disk::Disk;
use crate::open;

/// Returns the answer of a call that must not wait for another thread.
#[track_caller]
fn at_once<T: Debug>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    let answer = block_on(poll_once(Box::pin(call)));
    answer.expect("it is in memory").expect("it answers")
}

/// Reads twice, the second time from memory, and returns the answer.
macro_rules! twice {
    ($call:expr) => {{
        let first = block_on($call).expect("it answers");
        assert_eq!(at_once($call), first);
        first
    }};
}

fn new_world() -> (tempfile::TempDir, FileStore, World) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(&folder.path().join("keys.db")).expect("a new store");
    let world = World::new(store.clone());
    world.change_policy(|policy| {
        common::add_role(&mut policy.plan, "analyst", "invoices:read");
    });
    (folder, store, world)
}

#[test]
fn policy_in_memory_is_the_newest() {
    let (_folder, store, world) = new_world();
    let tenants: [TenantId; 2] = [world.admin.tenant().clone(), "initech".parse().expect("an id")];
    let found = twice!(store.policies(&tenants));
    let [before, unset] = found.as_slice() else { panic!("two answers") };
    assert!(before.is_some() && unset.is_none());
    for keys in [7, 8] {
        world.change_policy(|policy| policy.settings.max_keys_per_user = Some(keys));
        let found = twice!(store.policies(&tenants));
        let settings = found[0].as_ref().and_then(|policy| policy.settings.as_ref());
        assert_eq!(settings.expect("settings").max_keys_per_user, Some(keys));
    }
}

#[test]
fn owners_in_memory_are_the_newest() {
    let (_folder, store, world) = new_world();
    let (tenant, bob) = (world.admin.tenant(), world.bob.id());
    assert!(twice!(store.user(tenant, bob)).is_none());
    block_on(world.authority.suspend_user(&world.admin, bob)).expect("he is suspended");
    assert!(twice!(store.user(tenant, bob)).is_some_and(|user| user.suspended));

    let new = NewAccount::new(common::name("nightly"), RoleName::new("analyst").expect("a role"));
    let account = block_on(world.authority.create_account(&world.admin, new)).expect("an account");
    let id = account.account.id;
    assert!(twice!(store.account(tenant, &id)).is_some());
    let stranger = "initech".parse().expect("an id");
    assert!(twice!(store.account(&stranger, &id)).is_none());
    let edit = AccountEdit::new().name(common::name("hourly"));
    block_on(world.authority.edit_account(&world.admin, &id, edit)).expect("it is renamed");
    let renamed = twice!(store.account(tenant, &id)).expect("the account");
    assert_eq!(renamed.name.as_str(), "hourly");
    block_on(world.authority.delete_account(&world.admin, &id)).expect("it is deleted");
    assert!(twice!(store.account(tenant, &id)).is_none());
}

/// The leader of a group keeps what it has read, so each batch must see the changes before it.
#[test]
fn batches_of_a_group_see_each_other() {
    let disk = Disk::default();
    let store = block_on(FileStore::danger_open_backend(disk.clone())).expect("a store");
    let world = World::new(store.clone());
    world.change_policy(|policy| common::add_role(&mut policy.plan, "analyst", "invoices:read"));
    let new = NewAccount::new(common::name("nightly"), RoleName::new("analyst").expect("a role"));
    let account = block_on(world.authority.create_account(&world.admin, new)).expect("an account");
    let (tenant, id) = (world.admin.tenant(), account.account.id);
    let policies = block_on(store.policies(std::slice::from_ref(tenant))).expect("it answers");
    let policy = policies[0].as_deref().expect("the policy").clone();
    let account = block_on(store.account(tenant, &id)).expect("it answers").expect("the account");
    let (first, version) = (policy.version, account.version);

    let put = |on: u64| {
        let policy = TenantPolicy { version: on + 1, ..policy.clone() };
        let condition = Condition::PolicyVersion { tenant: tenant.clone(), version: on };
        (condition, Change::PutPolicy { tenant: tenant.clone(), policy })
    };
    let of_account =
        |on: u64, change| (Condition::AccountVersion { account: id, version: on }, change);
    let mut edited = account;
    edited.version += 1;
    let batches = [
        (put(first), true),
        (put(first + 1), true),
        (put(first + 1), false),
        (put(first + 2), true),
        (of_account(version, Change::UpdateAccount(edited)), true),
        (of_account(version, put(first + 3).1), false),
        (of_account(version + 1, Change::DeleteAccount(id)), true),
        (of_account(version + 1, put(first + 3).1), false),
        (put(first + 3), true),
    ];
    disk.hold();
    let mut waiting = Vec::new();
    for ((condition, change), is_written) in batches {
        let (conditions, changes) = (vec![condition], vec![change]);
        let mut commit = store.commit(Batch { conditions, changes, ..Batch::of(tenant.clone()) });
        assert!(block_on(poll_once(&mut commit)).is_none(), "syncs wait");
        waiting.push((commit, is_written));
    }
    disk.release();
    for (number, (commit, is_written)) in waiting.into_iter().enumerate() {
        let answer = block_on(commit).map_err(|error| error.kind());
        let expected = if is_written { Ok(()) } else { Err(StoreErrorKind::Conflict) };
        assert_eq!(answer, expected, "batch {number}");
    }
    let policies = block_on(store.policies(std::slice::from_ref(tenant))).expect("it answers");
    assert_eq!(policies[0].as_ref().expect("the policy").version, first + 4);
    block_on(store.check()).expect("the numbers of the tenant are those of its records");
}

#[test]
fn closed_store_answers_nothing_from_memory() {
    let (_folder, store, world) = new_world();
    let (tenant, bob) = (world.admin.tenant(), world.bob.id());
    twice!(store.policies(std::slice::from_ref(tenant)));
    twice!(store.user(tenant, bob));
    block_on(store.close()).expect("it closes");
    let policies = block_on(store.policies(std::slice::from_ref(tenant)));
    assert_eq!(policies.expect_err("it is closed").kind(), StoreErrorKind::Unavailable);
    let user = block_on(store.user(tenant, bob));
    assert_eq!(user.expect_err("it is closed").kind(), StoreErrorKind::Unavailable);
}
