//! Shared code of the benchmarks: a world to measure in, and figures beside a reference.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_lite::future::block_on;
use keywright::{
    Access, Actor, Authority, Keywright, Name, NewAccount, NewKey, Owner, PepperRing, Plan, Prefix,
    Role, RoleName, Scope, SettingsEdit, UserId, Verifier,
};

/// A setup with a stored policy and a service account.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) verifier: Verifier,
    pub(crate) admin: Actor,
    pub(crate) account: Owner,
    pub(crate) scope: Scope,
}

impl World {
    pub(crate) fn new(store: impl keywright::store::KeyStore, peppers: PepperRing) -> Self {
        let keywright = Keywright::builder(store)
            .prefix(Prefix::new("acme_live").expect("a prefix"))
            .peppers(peppers)
            .build()
            .expect("a keywright");
        let authority = keywright.authority();
        let verifier = keywright.verifier();
        let admin = Actor::administrator(UserId::new("ada").expect("an id"));
        let role = RoleName::new("worker").expect("a role");
        let scopes = |text: &str| text.parse().expect("scopes");
        let mut plan = Plan::allowing(scopes("jobs:read"), scopes("jobs:run"));
        plan.roles.insert(role.clone(), Role::new(scopes("jobs:read jobs:run")));
        block_on(authority.set_plan(&admin, plan)).expect("a plan");
        let on = SettingsEdit::new().api_enabled(Some(true));
        block_on(authority.edit_settings(&admin, on)).expect("the settings");
        let account = NewAccount::new(Name::new("worker").expect("a name"), role);
        let account =
            block_on(authority.create_account(&admin, account)).expect("an account").account;
        assert_eq!(account.access, Access::ReadWrite);
        let scope = Scope::new("jobs:run").expect("a scope");
        Self { authority, verifier, admin, account: Owner::Account(account.id), scope }
    }

    /// Builds a verifier over another store with the same keys.
    pub(crate) fn verifier_of(store: impl keywright::store::KeyStore) -> Verifier {
        Keywright::builder(store).build().expect("a verifier").verifier()
    }

    /// Generates a key. A name such as `u17` makes it a key of that user, any other name one of the
    /// account.
    pub(crate) fn generate(&self, name: &str) -> keywright::Issued {
        let of_user = name.strip_prefix('u').is_some_and(|rest| rest.parse::<u64>().is_ok());
        let owner = if of_user {
            Owner::User(UserId::new(name).expect("an id"))
        } else {
            self.account.clone()
        };
        let new = NewKey::named(name).expect("a name");
        block_on(self.authority.generate(&self.admin, new.owner(owner.clone()))).expect("a key")
    }
}

/// Returns the output of a future that is ready at once.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the store answers from memory"),
    }
}

/// Prints the header of the figures.
pub(crate) fn head() {
    println!("{:<42} {:>12} {:>12} {:>8}   ratio p10..p90", "name", "ours", "reference", "ratio");
}

/// Measures both in turns and prints one line.
pub(crate) fn figure(name: &str, each: u32, mut ours: impl FnMut(), mut reference: impl FnMut()) {
    const ROUNDS: usize = 41;
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..each {
            work();
        }
        start.elapsed().as_secs_f64() / f64::from(each)
    };
    time(&mut ours);
    time(&mut reference);
    let rounds: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (time(&mut ours), time(&mut reference))).collect();

    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let ours = sorted(rounds.iter().map(|round| round.0).collect());
    let reference = sorted(rounds.iter().map(|round| round.1).collect());
    let ratios = sorted(rounds.iter().map(|(a, b)| a / b).collect());
    println!(
        "{name:<42} {:>12} {:>12} {:>8.2}   {:.2}..{:.2}",
        nanoseconds(ours[ROUNDS / 2]),
        nanoseconds(reference[ROUNDS / 2]),
        ratios[ROUNDS / 2],
        ratios[ROUNDS / 10],
        ratios[ROUNDS - 1 - ROUNDS / 10],
    );
}

fn nanoseconds(seconds: f64) -> String {
    format!("{:.1} ns", seconds * 1e9)
}
