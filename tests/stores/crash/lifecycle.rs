//! A recorded lifecycle of a store: the changes acknowledged after each step, and the visible state
//! at that time.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{FileStore, MemoryStore};
use keywright::{Access, AccessRequest, AccountEdit, NewAccount, NewKey, Owner, RoleName};
use serde_json::{Value, json};

use crate::disk::{Disk, Step};
use common::{DAY, World, add_role, name, plan_with, says};

/// A change that is one commit.
type Change = (&'static str, fn(&mut World));

/// The changes between two opens of the store.
const CHANGES: [&[Change]; 3] = [
    &[
        ("set the plan", |world| {
            world.change_policy(|policy| {
                policy.plan.scopes = plan_with("invoices:read invoices:write").scopes;
                add_role(&mut policy.plan, "analyst", "invoices:read");
                policy.plan.default_scopes = "invoices:read".parse().expect("scopes");
            });
        }),
        ("set the settings", |world| {
            world.change_policy(|policy| {
                policy.settings.api_enabled = Some(true);
                policy.settings.max_keys_per_user = Some(100);
            });
        }),
        ("generate", |world| generate(world, "first")),
        ("generate another", |world| generate(world, "second")),
        ("flush", flush),
        ("rotate with an overlap", |world| rotate(world, "first", "first, rotated", DAY)),
        ("flush after a rotation", flush),
        ("disable", |world| {
            block_on(world.authority.disable(&world.admin, &world.id("second"))).expect("done");
        }),
        ("revoke", |world| revoke(world, "second")),
        ("generate one to leak", |world| generate(world, "leaked")),
        ("rotate one to leak", |world| rotate(world, "leaked", "leaked, rotated", DAY)),
        ("revoke in an overlap", |world| revoke(world, "leaked")),
        ("name a user", |world| {
            let (bob, shown) = (world.bob.id(), Some(name("Bob Smith")));
            block_on(world.authority.set_display_name(&world.admin, bob, shown)).expect("done");
        }),
        ("generate for the user", |world| {
            let new = NewKey::new(name("of-the-user")).owner(world.bob.as_owner());
            let issued = block_on(world.authority.generate(&world.admin, new));
            world.issued.push(("of the user", issued.expect("a key")));
        }),
    ],
    &[
        ("create an account", |world| {
            let role = RoleName::new("analyst").expect("a role");
            let new = NewAccount::new(name("nightly"), role);
            block_on(world.authority.create_account(&world.admin, new)).expect("done");
        }),
        ("generate under the account", |world| {
            let owner = Owner::Account(account(world));
            let new = NewKey::new(name("of-the-account"));
            let issued = block_on(world.authority.generate(&world.admin, new.owner(owner.clone())));
            world.issued.push(("of the account", issued.expect("a key")));
        }),
        ("edit the account", |world| {
            let edit = AccountEdit::new().access(Access::ReadOnly);
            let id = account(world);
            block_on(world.authority.edit_account(&world.admin, &id, edit)).expect("done");
        }),
        ("finish the rotation", |world| {
            let key = world.id("first");
            block_on(world.authority.finish_rotation(&world.admin, &key)).expect("done");
        }),
        ("rotate at once", |world| {
            rotate(world, "first, rotated", "first, rotated again", Duration::ZERO);
        }),
        ("delete", |world| {
            block_on(world.authority.delete(&world.admin, &world.id("second"))).expect("done");
        }),
        ("suspend the user", |world| {
            block_on(world.authority.suspend_user(&world.admin, world.bob.id())).expect("done");
        }),
        ("hand a key to the account", |world| {
            let (key, heir) = (world.id("of the user"), Owner::Account(account(world)));
            block_on(world.authority.transfer_key(&world.admin, &key, &heir)).expect("done");
        }),
        ("generate after a delete", |world| generate(world, "third")),
        ("flush again", flush),
    ],
    &[
        ("disable the account", |world| {
            let id = account(world);
            block_on(world.authority.disable_account(&world.admin, &id)).expect("done");
        }),
        ("hand all keys to the organization", |world| {
            let (leaver, heir) = (Owner::Account(account(world)), Owner::Organization);
            let handed = world.authority.transfer_owned(&world.admin, &leaver, &heir);
            assert_eq!(block_on(handed).expect("done").len(), 2);
        }),
        ("restore the user", |world| {
            block_on(world.authority.restore_user(&world.admin, world.bob.id())).expect("done");
        }),
        ("hand a key to the user", |world| {
            let (key, heir) = (world.id("of the user"), world.bob.as_owner());
            block_on(world.authority.transfer_key(&world.admin, &key, &heir)).expect("done");
        }),
        ("delete the account", |world| {
            let id = account(world);
            block_on(world.authority.delete_account(&world.admin, &id)).expect("done");
        }),
        ("change the policy", |world| {
            world.change_policy(|policy| policy.settings.max_keys_per_user = Some(7));
        }),
        ("generate one more", |world| generate(world, "fourth")),
        ("generate one for an owner", |world| {
            let new = NewKey::new(name("of-alice")).owner(world.alice.as_owner());
            let issued = block_on(world.authority.generate(&world.admin, new));
            world.issued.push(("of alice", issued.expect("a key")));
        }),
        ("revoke all of an owner", |world| {
            let owner = world.alice.as_owner();
            block_on(world.authority.revoke_owned(&world.admin, &owner)).expect("done");
        }),
    ],
];

/// A recorded lifecycle, which tests cut at any step.
pub(crate) struct Life {
    pub(crate) steps: Vec<Step>,
    /// The number of steps until the creation of the store was acknowledged.
    pub(crate) made: usize,
    /// The first and last step of each change.
    changes: Vec<(&'static str, usize, usize)>,
    /// The visible state at the beginning and after each change.
    states: Vec<Value>,
    tokens: Vec<String>,
    /// The file at the end, after compaction.
    pub(crate) closed: Vec<u8>,
    /// The file of a process that is killed after the last change.
    pub(crate) killed: Vec<u8>,
}

impl Life {
    pub(crate) fn lead() -> Self {
        let disk = Disk::default();
        let open = || block_on(FileStore::danger_open_backend(disk.clone())).expect("it opens");
        let mut store = open();
        let made = disk.count();
        let mut world = World::bare(store.clone());
        let (mut changes, mut seen) = (Vec::new(), vec![world.seen_by(&world.admin)]);
        let mut said = vec![Vec::new()];
        for (session, session_changes) in CHANGES.into_iter().enumerate() {
            if session > 0 {
                block_on(store.close()).expect("it closes");
                compact(&disk);
                store = open();
                world.reopen(store.clone());
            }
            for (what, change) in session_changes {
                let begin = disk.count();
                change(&mut world);
                changes.push((*what, begin, disk.count()));
                seen.push(world.seen_by(&world.admin));
                said.push(verdicts(&world));
            }
        }
        let killed = disk.bytes();
        block_on(store.close()).expect("it closes");
        world.reopen(MemoryStore::new());
        let closed = Disk::holding(disk.bytes());
        compact(&closed);
        let tokens: Vec<_> =
            world.issued.iter().map(|(_, issued)| issued.token.expose().to_owned()).collect();
        // Tokens that were issued later are unrecognized.
        for said in &mut said {
            said.resize(tokens.len(), "unrecognized");
        }
        let states: Vec<_> = seen.iter().zip(&said).map(|(seen, said)| state(seen, said)).collect();
        for (place, pair) in states.windows(2).enumerate() {
            assert_ne!(pair[0], pair[1], "\"{}\" can't be seen", changes[place].0);
        }
        // Otherwise a test could not see that the last change is lost and a dead key works again.
        let [.., before, last] = states.as_slice() else { panic!("there are changes") };
        assert_ne!(before["verify"], last["verify"], "the last change ends a key");
        let (steps, closed) = (disk.steps(), closed.bytes());
        Self { steps, made, changes, states, tokens, closed, killed }
    }

    /// Returns each change with its steps.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&'static str, std::ops::Range<usize>)> {
        self.changes.iter().map(|(what, begin, end)| (*what, *begin..*end))
    }

    /// Returns the states that are allowed after a cut at this step: the last acknowledged one, and
    /// the one with the change in flight.
    pub(crate) fn allowed(&self, cut: usize) -> std::ops::RangeInclusive<usize> {
        let acknowledged = self.changes.iter().filter(|(_, _, end)| *end <= cut).count();
        let begun = self.changes.iter().filter(|(_, begin, _)| *begin < cut).count();
        acknowledged..=begun
    }

    /// Returns the number of the last state.
    pub(crate) fn last(&self) -> usize {
        self.changes.len()
    }

    /// Returns the number of a visible state.
    pub(crate) fn number(&self, seen: &Value) -> Option<usize> {
        self.states.iter().position(|state| state == seen)
    }

    /// Returns the name of the change that a cut at this step interrupts.
    pub(crate) fn name(&self, cut: usize) -> String {
        let within = self.changes.iter().find(|(_, begin, end)| (*begin..*end).contains(&cut));
        let what = within.map_or("between changes", |(what, ..)| what);
        format!("a cut at step {cut} of {} ({what})", self.steps.len())
    }

    /// Returns everything visible of a store: the tenant as its administrator sees it, and the
    /// verification of each token.
    pub(crate) fn look(&self, store: FileStore) -> Value {
        let world = World::bare(store);
        let said: Vec<_> = self.tokens.iter().map(|token| says(&world.verifier, token)).collect();
        state(&world.seen_by(&world.admin), &said)
    }

    /// Changes a store in several ways, and returns the result of each.
    pub(crate) fn change(&self, store: &FileStore) -> Vec<Result<(), String>> {
        let world = World::bare(store.clone());
        world.clock.advance(30 * DAY);
        for token in &self.tokens {
            let request = AccessRequest::token(token.as_str());
            drop(block_on(world.verifier.verify_request(&request)));
        }
        let (authority, admin) = (&world.authority, &world.admin);
        let new = NewKey::new(name("after-the-damage"));
        let owner = world.bob.as_owner();
        vec![
            block_on(authority.generate(admin, new)).map(drop).map_err(described),
            block_on(world.verifier.flush()).map(drop).map_err(described),
            block_on(authority.revoke_owned(admin, &owner)).map(drop).map_err(described),
            block_on(authority.sweep(admin)).map(drop).map_err(described),
        ]
    }

    /// Returns whether a store accepts a token that was dead at the end.
    pub(crate) fn is_revived_in(&self, store: &FileStore) -> bool {
        let world = World::bare(store.clone());
        let last = self.states.last().and_then(|state| state["verify"].as_array());
        let tokens = self.tokens.iter().zip(last.expect("the verdicts"));
        let mut dead = tokens
            .filter(|(_, said)| !["current", "retiring"].contains(&said.as_str().expect("text")));
        let source = "203.0.113.7".parse().expect("an address");
        dead.any(|(token, _)| {
            let request = AccessRequest::token(token).source(source);
            block_on(world.verifier.verify_request(&request)).is_ok()
        })
    }
}

/// Compacts the file, so that the next changes make it grow.
fn compact(disk: &Disk) {
    let mut database = common::sealed::database_on(disk.clone());
    while database.compact().expect("it is compacted") {}
}

fn described(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn state(seen: &Value, said: &[&str]) -> Value {
    json!({ "seen": seen, "verify": said })
}

fn verdicts(world: &World) -> Vec<&'static str> {
    world.issued.iter().map(|(_, issued)| world.says(issued.token.expose())).collect()
}

fn generate(world: &mut World, known_as: &'static str) {
    let new = NewKey::new(name("prod-main-app"));
    let issued = block_on(world.authority.generate(&world.admin, new));
    world.issued.push((known_as, issued.expect("a key")));
}

fn rotate(world: &mut World, old: &'static str, new: &'static str, overlap: Duration) {
    let key = world.id(old);
    let issued = block_on(world.authority.rotate(&world.admin, &key, overlap));
    world.issued.push((new, issued.expect("a new token")));
}

fn revoke(world: &mut World, token: &str) {
    block_on(world.authority.revoke(&world.admin, &world.id(token))).expect("it is revoked");
}

fn flush(world: &mut World) {
    verdicts(world);
    block_on(world.verifier.flush()).expect("the uses are written");
}

fn account(world: &World) -> keywright::AccountId {
    let query = keywright::store::AccountQuery::new();
    let page = block_on(world.authority.accounts(&world.admin, &query)).expect("the accounts");
    page.items.first().expect("an account").account.id
}
