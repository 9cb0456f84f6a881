//! One life of a store in steps, with every kind of change and every end of a key, in two tenants.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{AccountQuery, KeyQuery};
use keywright::{
    Access, AccessRequest, AccountEdit, AccountId, Actor, Credential, KeyEdit, LeakOutcome,
    LeakReport, Metadata, NewAccount, NewKey, Owner, RoleName, SettingsEdit,
};

use crate::{DAY, HOUR, SECOND, World, add_role, name, plan_with};

/// A step, with its name for failure messages.
pub type Step = (&'static str, fn(&mut World));

/// The steps in order.
pub const STEPS: &[Step] = &[
    ("set a policy", |world| {
        world.change_policy(|policy| {
            policy.settings.api_enabled = Some(true);
            policy.plan.scopes = plan_with("invoices:read invoices:write").scopes;
            add_role(&mut policy.plan, "analyst", "invoices:read");
            policy.settings.extensive_use = "2/3600s".parse().ok();
            policy.settings.suspicious_use = "2/3600s".parse().ok();
        });
    }),
    ("refuse a key in the tenant without API access", |world| {
        let new = NewKey::new(name("prod-main-app"));
        let refused = block_on(world.authority.generate(&world.other, new));
        assert!(refused.is_err(), "API access is off there");
    }),
    ("turn API access on in the second tenant", |world| {
        let on = SettingsEdit::new().api_enabled(Some(true));
        block_on(world.authority.edit_settings(&world.other, on)).expect("the settings are set");
    }),
    ("generate a key in the second tenant", |world| {
        let new = NewKey::new(name("prod-main-app"));
        let issued = block_on(world.authority.generate(&world.other, new));
        world.issued.push(("of the other tenant", issued.expect("a key")));
    }),
    ("generate a plain key", |world| make(world, "plain", NewKey::new(name("prod-plain")))),
    ("generate a key with every setting", |world| {
        let metadata = Metadata::new([("team", "billing"), ("Straße", "日本")]);
        let new = NewKey::new(name("prod-all"))
            .scopes("invoices:read".parse().expect("scopes"))
            .networks("203.0.113.0/24 2001:db8::/32".parse().expect("networks"))
            .rate("100/60s".parse().expect("a rate"))
            .metadata(metadata.expect("metadata"))
            .expires_in(DAY);
        make(world, "with everything", new);
    }),
    ("generate a key that is not valid yet", |world| {
        let later = keywright::Clock::now(&world.clock).saturating_add(DAY);
        make(world, "scheduled", NewKey::new(name("prod-later")).not_before(later));
    }),
    ("generate a key that expires soon", |world| {
        make(world, "expired", NewKey::new(name("prod-short")).expires_in(HOUR));
    }),
    ("create an account", |world| make_account(world, "nightly")),
    ("create a second account", |world| make_account(world, "doomed")),
    ("generate a key of the account", |world| make_under(world, "of the account", "nightly")),
    ("generate a key of the second account", |world| make_under(world, "of the doomed", "doomed")),
    ("edit the account", |world| {
        let id = account(world, "nightly");
        let edit = AccountEdit::new().access(Access::ReadOnly);
        block_on(world.authority.edit_account(&world.admin, &id, edit)).expect("it is edited");
    }),
    ("rename a key", |world| {
        let key = world.id("plain");
        block_on(world.authority.rename(&world.admin, &key, name("prod-renamed")))
            .expect("it is renamed");
    }),
    ("edit a key", |world| {
        let edit = KeyEdit::new().scopes("invoices:write".parse().expect("scopes"));
        let key = world.id("plain");
        block_on(world.authority.edit(&world.admin, &key, edit)).expect("it is edited");
    }),
    ("use keys", |world| {
        let source = "203.0.113.7".parse().expect("an address");
        for (_, issued) in &world.issued {
            let request = AccessRequest::token(issued.token.expose()).source(source);
            for _ in 0..4 {
                // Some are refused, such as the key that is not valid yet.
                let _ = block_on(world.verifier.verify_request(&request));
            }
        }
        block_on(world.verifier.flush()).expect("the uses are written");
    }),
    ("rotate with an overlap", |world| {
        make(world, "retiring", NewKey::new(name("prod-rotated")));
        rotate(world, "retiring", "after an overlap", DAY);
    }),
    ("rotate without an overlap", |world| {
        make(world, "replaced", NewKey::new(name("prod-replaced")));
        rotate(world, "replaced", "replacing", Duration::ZERO);
    }),
    ("finish a rotation", |world| {
        make(world, "finished", NewKey::new(name("prod-finished")));
        rotate(world, "finished", "after the finish", DAY);
        let key = world.id("finished");
        block_on(world.authority.finish_rotation(&world.admin, &key)).expect("it is finished");
    }),
    ("disable a key", |world| {
        make(world, "disabled", NewKey::new(name("prod-disabled")));
        let key = world.id("disabled");
        block_on(world.authority.disable(&world.admin, &key)).expect("it is disabled");
    }),
    ("disable and enable a key", |world| {
        make(world, "enabled", NewKey::new(name("prod-enabled")));
        let key = world.id("enabled");
        block_on(world.authority.disable(&world.admin, &key)).expect("it is disabled");
        block_on(world.authority.enable(&world.admin, &key)).expect("it is enabled");
    }),
    ("revoke a key", |world| {
        make(world, "revoked", NewKey::new(name("prod-revoked")));
        let key = world.id("revoked");
        block_on(world.authority.revoke(&world.admin, &key)).expect("it is revoked");
    }),
    ("revoke a key in an overlap", |world| {
        make(world, "revoked while retiring", NewKey::new(name("prod-leaked")));
        rotate(world, "revoked while retiring", "revoked after rotating", DAY);
        let key = world.id("revoked while retiring");
        block_on(world.authority.revoke(&world.admin, &key)).expect("it is revoked");
    }),
    ("delete a key", |world| {
        make(world, "deleted", NewKey::new(name("prod-deleted")));
        let key = world.id("deleted");
        block_on(world.authority.delete(&world.admin, &key)).expect("it is deleted");
    }),
    ("disable the account", |world| {
        let id = account(world, "nightly");
        block_on(world.authority.disable_account(&world.admin, &id)).expect("it is disabled");
    }),
    ("delete the second account with its key", |world| {
        let id = account(world, "doomed");
        block_on(world.authority.delete_account(&world.admin, &id)).expect("it is deleted");
    }),
    ("name and suspend a user", |world| {
        let shown = Some(name("Bob Smith"));
        let named = world.authority.set_display_name(&world.admin, world.bob.id(), shown);
        block_on(named).expect("the user is named");
        let bobs = world.bob.as_owner();
        make_for(world, "of a suspended user", &bobs, NewKey::new(name("prod-of-bob")));
        let suspended = world.authority.suspend_user(&world.admin, world.bob.id());
        block_on(suspended).expect("the user is suspended");
    }),
    ("hand a key to the organization", |world| {
        make(world, "handed over", NewKey::new(name("prod-handed-over")));
        let key = world.id("handed over");
        let handed = world.authority.transfer_key(&world.admin, &key, &Owner::Organization);
        block_on(handed).expect("the key is handed over");
    }),
    ("report a leaked token", |world| {
        make(world, "reported as leaked", NewKey::new(name("prod-in-a-log")));
        let token = world.token("reported as leaked").token.expose().to_owned();
        let report = LeakReport::new(Credential::Token(&token)).reporter("scanner").source("a log");
        let outcome = block_on(world.verifier.report_leak(&report)).expect("it is reported");
        assert!(matches!(outcome, LeakOutcome::Revoked(_)), "{outcome:?}");
    }),
    ("let a key expire", |world| world.clock.advance(2 * HOUR)),
    ("sweep dead keys", |world| {
        world.change_policy(|policy| policy.settings.retention = Some(HOUR));
        block_on(world.authority.sweep(&world.admin)).expect("dead keys are swept");
        make(world, "revoked after the sweep", NewKey::new(name("prod-last")));
        let key = world.id("revoked after the sweep");
        block_on(world.authority.revoke(&world.admin, &key)).expect("it is revoked");
        make(world, "expired after the sweep", NewKey::new(name("prod-gone")).expires_in(SECOND));
        world.clock.advance(SECOND);
    }),
];

/// Runs all steps.
pub fn live(world: &mut World) {
    for (_, step) in STEPS {
        step(world);
        world.clock.advance(SECOND);
    }
}

/// The names of the tokens that must be refused after the last step.
pub const DEAD: &[&str] = &[
    "scheduled",
    "expired",
    "of the account",
    "of the doomed",
    "replaced",
    "finished",
    "disabled",
    "revoked",
    "revoked while retiring",
    "revoked after rotating",
    "deleted",
    "reported as leaked",
    "revoked after the sweep",
    "expired after the sweep",
    "of a suspended user",
];

impl World {
    /// Returns the id of the key of the token with this name.
    pub fn id(&self, name: &str) -> keywright::KeyId {
        self.token(name).key.id
    }

    /// Returns the token with this name, and its key.
    pub fn token(&self, name: &str) -> &keywright::Issued {
        let found = self.issued.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("no token is named {name}")).1
    }
}

fn make(world: &mut World, known_as: &'static str, new: NewKey) {
    let owner = world.alice.as_owner();
    make_for(world, known_as, &owner, new);
}

fn make_for(world: &mut World, known_as: &'static str, owner: &Owner, new: NewKey) {
    world.change_policy(|policy| policy.settings.max_keys_per_user = Some(100));
    let issued =
        block_on(world.authority.generate(&world.admin, new.owner(owner.clone()))).expect("a key");
    world.issued.push((known_as, issued));
}

fn make_account(world: &World, called: &str) {
    let role = RoleName::new("analyst").expect("a role");
    let new = NewAccount::new(name(called), role);
    block_on(world.authority.create_account(&world.admin, new)).expect("an account");
}

fn make_under(world: &mut World, known_as: &'static str, called: &str) {
    let owner = Owner::Account(account(world, called));
    make_for(world, known_as, &owner, NewKey::new(name("prod-nightly")));
}

fn rotate(world: &mut World, old: &'static str, new: &'static str, overlap: Duration) {
    let key = world.id(old);
    let issued =
        block_on(world.authority.rotate(&world.admin, &key, overlap)).expect("it is rotated");
    world.issued.push((new, issued));
}

fn account(world: &World, called: &str) -> AccountId {
    let found = block_on(world.authority.accounts(&world.admin, &AccountQuery::new()))
        .expect("the accounts");
    let mut found = found.items.into_iter().map(|entry| entry.account);
    let found = found.find(|account| account.name.as_str() == called);
    found.unwrap_or_else(|| panic!("no account is named {called}")).id
}

/// Returns the number of keys that an actor can see.
pub fn count(world: &World, actor: &Actor) -> usize {
    let page = block_on(world.authority.keys(actor, &KeyQuery::new().limit(500)));
    page.expect("the keys").items.len()
}
