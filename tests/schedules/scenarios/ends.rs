//! The visible state of a key while the key, its account or its policy changes.

use std::sync::Mutex;
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};

use super::{Work, together};
use crate::authority::Issued;
use crate::record::account::NewAccount;
use crate::record::key::Owner;
use crate::record::new_key::NewKey;
use crate::record::role::RoleName;
use crate::record::settings::SettingsEdit;
use crate::record::snapshot::Snapshot;
use crate::store::Freshness;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::value::digest::PepperRing;
use crate::value::id::AccountId;
use crate::world::World;

const DAY: Duration = Duration::from_hours(24);

/// Creates a service account with this many keys.
fn account_with_keys(world: &World, keys: usize) -> (AccountId, Vec<Issued>) {
    let role = RoleName::new("analyst").expect("a role");
    world.add_role(role.clone());
    let new = NewAccount::new("nightly".parse().expect("a name"), role);
    let account =
        block_on(world.authority.create_account(&world.admin, new)).expect("an account").account;
    let owner = Owner::Account(account.id);
    let make = |_| {
        let new = NewKey::named("prod-nightly").expect("a name");
        block_on(world.authority.generate(&world.admin, new.owner(owner.clone()))).expect("a key")
    };
    (account.id, (0..keys).map(make).collect())
}

/// Returns the versions of key, account and policy.
fn versions(snapshot: &Snapshot) -> [u64; 3] {
    let account = snapshot.account().map_or(0, |account| account.version);
    let policy = snapshot.policy().map_or(0, |policy| policy.version);
    [snapshot.record().version(), account, policy]
}

pub(super) fn t_c12_resolved_state_was_true_during_call() {
    /// The version that each of the changes below increases.
    const STEPS: [usize; 6] = [0, 2, 1, 0, 2, 1];
    let world = World::new();
    let (account, issued) = account_with_keys(&world, 1);
    let id = issued[0].key.id;
    let resolve = move |world: &World| {
        let found =
            block_on(world.store.resolve(&id, Freshness::StoreDefault)).expect("the store is up");
        versions(&found.expect("the key"))
    };
    // The versions after each change.
    let mut truth = vec![resolve(&world)];
    for step in STEPS {
        let mut next = truth[truth.len() - 1];
        next[step] += 1;
        truth.push(next);
    }
    let truth = Arc::new(truth);
    let (begun, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let look = |_| {
        let (world, truth) = (world.clone(), Arc::clone(&truth));
        let (begun, done) = (Arc::clone(&begun), Arc::clone(&done));
        Box::new(move || {
            for _ in 0..4 {
                let from = done.load(Ordering::SeqCst);
                let found = resolve(&world);
                let to = begun.load(Ordering::SeqCst);
                assert!(truth[from..=to].contains(&found), "{found:?}: {:?}", &truth[from..=to]);
            }
        }) as Work
    };
    let changing = world.clone();
    let (begins, ends) = (Arc::clone(&begun), Arc::clone(&done));
    let change = move || {
        let (authority, admin) = (&changing.authority, &changing.admin);
        for (number, step) in STEPS.into_iter().enumerate() {
            begins.fetch_add(1, Ordering::SeqCst);
            let first = number < STEPS.len() / 2;
            match (step, first) {
                (0, true) => drop(block_on(authority.disable(admin, &id)).expect("disabled")),
                (0, false) => drop(block_on(authority.enable(admin, &id)).expect("enabled")),
                (1, true) => {
                    block_on(authority.disable_account(admin, &account)).expect("disabled");
                }
                (1, false) => {
                    block_on(authority.enable_account(admin, &account)).expect("enabled");
                }
                _ => changing.raise_limit(),
            }
            ends.fetch_add(1, Ordering::SeqCst);
        }
    };
    together((0..2).map(look).chain([Box::new(change) as Work]));
    assert_eq!(resolve(&world), truth[STEPS.len()]);
}

pub(super) fn t_c01_many_keys_end_at_once() {
    let world = World::new();
    let (account, issued) = account_with_keys(&world, 2);
    let tokens = [0, 1].map(|place: usize| issued[place].token.expose().to_owned());
    let look = |first: usize| {
        let (world, tokens) = (world.clone(), tokens.clone());
        Box::new(move || {
            let mut refused = false;
            for turn in first..first + 4 {
                let accepted = world.says(&tokens[turn % 2]) == "current";
                assert!(!(refused && accepted), "one was refused, the other accepted later");
                refused |= !accepted;
            }
        }) as Work
    };
    let ending = world.clone();
    let end = move || {
        let (authority, admin) = (&ending.authority, &ending.admin);
        match thread_rng().gen_range(0..4) {
            0 => {
                let owner = Owner::Account(account);
                let revoked = block_on(authority.revoke_owned(admin, &owner));
                assert_eq!(revoked.expect("they are revoked").len(), 2);
            }
            1 => drop(block_on(authority.disable_account(admin, &account)).expect("disabled")),
            2 => {
                block_on(authority.delete_account(admin, &account)).expect("deleted");
            }
            _ => ending.edit_settings(SettingsEdit::new().api_enabled(Some(false))),
        }
    };
    together([look(0), look(1), Box::new(end)]);
    assert!(tokens.iter().all(|token| world.says(token) != "current"));
}

pub(super) fn t_c04_moved_digest_undoes_no_change() {
    let none = PepperRing::none;
    let old = none().with(1, [1; 32]).expect("a ring");
    let both = none().with(1, [1; 32]).and_then(|ring| ring.with(2, [2; 32])).expect("a ring");
    let new = none().with(2, [2; 32]).expect("a ring");
    let world = World::new().with_peppers(old);
    let issued = world.generate();
    let (id, token) = (issued.key.id, issued.token.expose().to_owned());
    let world = world.with_peppers(both);
    let use_and_flush = |_| {
        let (world, token) = (world.clone(), token.clone());
        Box::new(move || {
            world.says(&token);
            world.flush();
        }) as Work
    };
    let (changing, rotates) = (world.clone(), thread_rng().gen_range(0..2) == 0);
    let change = move || {
        let (authority, admin) = (&changing.authority, &changing.admin);
        if rotates {
            block_on(authority.rotate(admin, &id, DAY)).expect("it is rotated");
        } else {
            block_on(authority.revoke(admin, &id)).expect("it is revoked");
        }
    };
    together((0..2).map(use_and_flush).chain([Box::new(change) as Work]));
    assert_eq!(world.says(&token), if rotates { "retiring" } else { "revoked" });
    if rotates {
        world.flush();
        assert_eq!(world.with_peppers(new).says(&token), "retiring", "its digest has not moved");
    }
}

pub(super) fn t_c02_last_secret_works_and_previous_retires() {
    let world = World::new();
    let first = world.generate();
    let rotated = Arc::new(Mutex::new(Vec::new()));
    let rotate = |_| {
        let (world, rotated, id) = (world.clone(), Arc::clone(&rotated), first.key.id);
        Box::new(move || {
            let issued = block_on(world.authority.rotate(&world.admin, &id, DAY));
            rotated.lock().expect("no thread panics").push(issued.expect("it is rotated"));
        }) as Work
    };
    together((0..3).map(rotate));
    let mut all = std::mem::take(&mut *rotated.lock().expect("no thread panics"));
    all.sort_by_key(|issued| issued.key.secret_number);
    let said = [&first].into_iter().chain(&all).map(|issued| world.says(issued.token.expose()));
    let said: Vec<_> = said.collect();
    assert_eq!(said, ["unrecognized", "unrecognized", "retiring", "current"]);
}

pub(super) fn t_c03_revocation_ends_both_rotated_secrets() {
    let world = World::new();
    let old = world.generate();
    let rotated = Arc::new(Mutex::new(None));
    let (rotating, issued, id) = (world.clone(), Arc::clone(&rotated), old.key.id);
    let (revoking, asking) = (world.clone(), world.clone());
    let token = old.token.expose().to_owned();
    let revoked = Arc::new(AtomicUsize::new(0));
    let is_revoked = Arc::clone(&revoked);
    together([
        Box::new(move || {
            // The rotation is refused if it comes second.
            let rotated = block_on(rotating.authority.rotate(&rotating.admin, &id, DAY));
            *issued.lock().expect("no thread panics") = rotated.ok();
        }) as Work,
        Box::new(move || {
            block_on(revoking.authority.revoke(&revoking.admin, &id)).expect("it is revoked");
            is_revoked.store(1, Ordering::SeqCst);
        }),
        Box::new(move || {
            for _ in 0..3 {
                let ended = revoked.load(Ordering::SeqCst) == 1;
                let accepted = matches!(asking.says(&token), "current" | "retiring");
                assert!(!(ended && accepted), "accepted after the revocation returned");
            }
        }),
    ]);
    let new = rotated.lock().expect("no thread panics").take();
    for issued in [Some(&old), new.as_ref()].into_iter().flatten() {
        assert_eq!(world.says(issued.token.expose()), "revoked");
    }
}
