//! The quick road from a snapshot in memory agrees with the full decision.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use keywright::store::MemoryStore;
use keywright::store::conformance::{Faults, InterceptedStore};
use keywright::{
    Access, AccessRequest, AccountEdit, Keywright, Owner, PepperRing, Policy, Prefix, Scope,
    SecretUsed, Settings, SettingsEdit, TenantId, Timestamp, UserId, Verifier, VerifyError,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use common::{
    HOUR, SECOND, World, add_role, admin, block_on, named, open_policy, plan_with, render,
};

use super::{account, address};

/// All that a caller can see of an answer.
#[derive(Debug, PartialEq)]
enum Seen {
    Accepted(String, SecretUsed, Timestamp, Access, String),
    Denied(String),
}

async fn seen(verifier: &Verifier, request: &AccessRequest<'_>) -> Seen {
    match verifier.verify_request(request).await {
        Ok(grant) => Seen::Accepted(
            grant.key_id().to_string(),
            grant.secret_used(),
            grant.decided_at(),
            grant.access(),
            grant.scopes().to_string(),
        ),
        Err(VerifyError::Denied(denial)) => Seen::Denied(format!("{:?}", denial.reason())),
        Err(VerifyError::Unavailable(error)) => panic!("the store works: {error}"),
    }
}

fn drawn_policy(random: &mut SmallRng) -> Policy {
    let mut policy = open_policy();
    let catalogs = ["invoices:read invoices:write reports:read", "invoices:read", "reports:read"];
    policy.plan.roles.clear();
    policy.plan.scopes = plan_with(catalogs[random.random_range(0..3)]).scopes;
    if random.random_bool(0.7) {
        add_role(&mut policy.plan, "analyst", catalogs[random.random_range(0..3)]);
    }
    policy.plan.api_access = random.random_bool(0.9);
    policy.plan.max_rate = random.random_bool(0.2).then(|| "3/60s".parse().expect("a rate"));
    let first = Scope::new("invoices:read").expect("a scope");
    if policy.plan.scopes.contains_key(&first) && random.random_bool(0.5) {
        policy.plan.default_scopes = "invoices:read".parse().expect("scopes");
    }
    policy.settings.api_enabled =
        [Some(true), Some(true), Some(true), Some(false), None][random.random_range(0..5)];
    policy.settings.default_rate =
        random.random_bool(0.2).then(|| "2/60s".parse().expect("a rate"));
    policy
}

/// Returns a setup's prefixes: its own, and those that it accepts.
fn drawn_prefixes(random: &mut SmallRng) -> (Prefix, Option<Vec<Prefix>>) {
    let [live, test] = ["acme_live", "acme_test"].map(|text| Prefix::new(text).expect("a prefix"));
    let (own, other) = if random.random_bool(0.7) { (live, test) } else { (test, live) };
    let accepted = match random.random_range(0..3) {
        0 => None,
        1 => Some(vec![own.clone()]),
        _ => Some(vec![other, own.clone()]),
    };
    (own, accepted)
}

/// Returns peppers for new keys, and those of a setup that knows them all.
fn drawn_peppers(random: &mut SmallRng) -> (PepperRing, PepperRing) {
    let one = || PepperRing::none().with(1, [7; 32]).expect("a pepper");
    let two = || one().with(2, [8; 32]).expect("a pepper");
    match random.random_range(0..4) {
        0 => (PepperRing::none(), PepperRing::none()),
        1 => (PepperRing::none(), one()),
        2 => (one(), one()),
        _ => (one(), two()),
    }
}

/// Returns a token as a client may present it: as it is, with a typing error, or with another
/// secret.
fn drawn_presented(token: &str, random: &mut SmallRng) -> String {
    let (prefix, body) = token.rsplit_once('_').expect("a prefix");
    match random.random_range(0..20) {
        0 => token.replacen(|c: char| c.is_ascii_digit(), "x", 1),
        1 => render(prefix, &body[..16], "00000000000000000000000000000000"),
        2 => render("acme_other", &body[..16], &body[16..48]),
        3 => render(prefix, "0000000000000000", &body[16..48]),
        _ => token.to_owned(),
    }
}

/// Generates keys of all owners with all limits, and returns their tokens.
async fn drawn_tokens(world: &World, random: &mut SmallRng) -> Vec<String> {
    let (authority, admin) = (&world.authority, &admin());
    world
        .set_policy(|policy| add_role(&mut policy.plan, "analyst", "invoices:read reports:read"))
        .await
        .expect("the policy is set");
    let account = account(world, "analyst").await;
    let alice = UserId::new("alice").expect("an id");
    let mut tokens = Vec::new();
    for n in 0..8 {
        let owner = match random.random_range(0..3) {
            0 => Owner::Account(account),
            1 => Owner::Organization,
            _ => Owner::User(alice.clone()),
        };
        let mut new = named(&format!("prod-key-{n}")).owner(owner);
        if random.random_bool(0.4) {
            new = new.scopes("invoices:read".parse().expect("scopes"));
        }
        if random.random_bool(0.2) {
            new = new.networks("203.0.113.0/24".parse().expect("networks"));
        }
        if random.random_bool(0.2) {
            new = new.rate("5/60s".parse().expect("a rate"));
        }
        if random.random_bool(0.3) {
            new = new.expires_in(24 * HOUR);
        }
        if random.random_bool(0.2) {
            new = new.not_before(world.later(HOUR));
        }
        let issued = authority.generate(admin, new).await.expect("a key");
        tokens.push(issued.token.expose().to_owned());
        let id = issued.key.id;
        if random.random_bool(0.3) {
            let rotated = authority.rotate(admin, &id, HOUR).await.expect("the key is live");
            tokens.push(rotated.token.expose().to_owned());
        }
        if random.random_bool(0.15) {
            authority.disable(admin, &id).await.expect("the key is live");
        }
        if random.random_bool(0.15) {
            authority.revoke(admin, &id).await.expect("the key is live");
        }
    }
    if random.random_bool(0.3) {
        let edit = AccountEdit::new().access(Access::ReadOnly);
        authority.edit_account(admin, &account, edit).await.expect("the account exists");
    }
    if random.random_bool(0.15) {
        authority.disable_account(admin, &account).await.expect("the account exists");
    }
    if random.random_bool(0.15) {
        authority.suspend_user(admin, &alice).await.expect("suspended");
    }
    tokens
}

/// Stores a plan, settings, both, or leaves the open policy of the keys' generation.
async fn store_policy(world: &World, policy: Policy, random: &mut SmallRng) {
    if random.random_bool(0.6) {
        let Settings { api_enabled, default_rate, .. } = policy.settings;
        let edit = SettingsEdit::new().api_enabled(api_enabled).default_rate(default_rate);
        // A plan may forbid the rate; the settings then stay.
        let _ = world.authority.edit_settings(&admin(), edit).await;
    }
    if random.random_bool(0.6) {
        let _ = world.authority.set_plan(&admin(), policy.plan).await;
    }
}

#[test]
fn t_a09_quick_road_agrees_with_full_decision() {
    let (mut accepted, mut denied) = (0, 0);
    for seed in 0..120 {
        block_on(async {
            let random = &mut SmallRng::seed_from_u64(seed);
            let (peppers, known) = drawn_peppers(random);
            let world = World::with(MemoryStore::new(), |builder| builder.peppers(peppers));
            let tokens = drawn_tokens(&world, random).await;
            let policy = drawn_policy(random);
            store_policy(&world, policy, random).await;
            let default = drawn_policy(random);
            let quick = Keywright::builder(Arc::clone(&world.store));
            // This store has nothing in memory, so that each request takes the full decision.
            let full = InterceptedStore::new(Arc::clone(&world.store), Faults::new());
            let (own, accepted_here) = drawn_prefixes(random);
            let [quick, full] = [quick, Keywright::builder(full)].map(|builder| {
                let builder = builder.clock(world.clock.clone()).peppers(known.clone());
                let mut builder = builder.prefix(own.clone());
                if let Some(accepted) = &accepted_here {
                    builder = builder.accept_prefixes(accepted.clone());
                }
                builder.default_policy(default.clone()).build().expect("a keywright").verifier()
            });
            for _ in 0..60 {
                let token = &tokens[random.random_range(0..tokens.len())];
                let token = drawn_presented(token, random);
                let mut request = AccessRequest::token(&token);
                if random.random_bool(0.3) {
                    let (id, secret) = token.split_at(token.len() - 38);
                    request = AccessRequest::parts(&id[id.len() - 16..], secret);
                }
                let scopes = ["invoices:read", "invoices:write", "reports:read"]
                    .map(|text| Scope::new(text).expect("a scope"));
                for scope in &scopes {
                    if random.random_bool(0.25) {
                        request = request.scope(scope);
                    }
                }
                if random.random_bool(0.3) {
                    request = request.write();
                }
                if random.random_bool(0.5) {
                    request = request.source(address("203.0.113.7"));
                }
                let others = TenantId::new("globex").expect("an id");
                if random.random_bool(0.3) {
                    let tenant = if random.random_bool(0.8) { world.tenant() } else { &others };
                    request = request.tenant(tenant);
                }
                let answer = seen(&quick, &request).await;
                assert_eq!(answer, seen(&full, &request).await, "seed {seed}: {request:?}");
                match answer {
                    Seen::Accepted(..) => accepted += 1,
                    Seen::Denied(_) => denied += 1,
                }
                let steps = [Duration::ZERO, SECOND, 20 * SECOND, HOUR];
                world.clock.advance(steps[random.random_range(0..4)]);
            }
        });
    }
    assert!(accepted > 500 && denied > 500, "{accepted} are accepted, {denied} denied");
}

/// Returns the addresses of the key that the grants of eight threads hold at the same time.
fn addresses(verifier: &Verifier, request: &AccessRequest<'_>) -> BTreeSet<usize> {
    let all_hold = Barrier::new(8);
    std::thread::scope(|scope| {
        let address = || {
            let grant = block_on(verifier.verify_request(request)).expect("accepted");
            all_hold.wait();
            std::ptr::from_ref(grant.key()).addr()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(address)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn threads_hold_copies_of_a_hot_key() {
    block_on(async {
        let world = World::in_memory();
        let bound = named("prod-bound-app").networks("203.0.113.0/24".parse().expect("networks"));
        for (new, is_quick) in [(named("prod-main-app"), true), (bound, false)] {
            let issued = world.key_of(&admin(), new).await;
            let request = AccessRequest::token(issued.token.expose());
            let request = request.source(address("203.0.113.7"));
            assert_eq!(addresses(&world.verifier, &request).len(), 1, "quick: {is_quick}");
            for _ in 8..8_192 {
                world.verifier.verify_request(&request).await.expect("accepted");
            }
            assert!(addresses(&world.verifier, &request).len() > 1, "quick: {is_quick}");
            world.verifier.flush().await.expect("the store works");
            let entry = world.authority.key(&admin(), &issued.key.id).await.expect("the key");
            assert_eq!(entry.uses, 8_192 + 8);
        }
    });
}
