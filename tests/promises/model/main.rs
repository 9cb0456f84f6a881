//! Random operations on the crate and on a plain reference model, one by one. Every answer must be
//! equal, and from time to time the whole visible state.
//!
//! `KEYWRIGHT_OPS` sets the number of operations, `KEYWRIGHT_SEED` the seed. A failure prints its
//! seed, which repeats the same operations.

mod draw;
mod plain;
mod policy;
mod real;
mod reference;

use std::fmt::Debug;

use rand::SeedableRng;
use rand::rngs::StdRng;

use common::stores::StoreKind;

use crate::draw::Draw;
use crate::plain::{
    Answer, By, Damage, EventFilter, Id, Op, Presented, Query, Sort, Time, Wanted, Who,
};
use crate::real::Real;
use crate::reference::Reference;

/// Operations between two comparisons of the whole visible state.
const PERIOD: u32 = 500;

common::suite!();

#[common::test(each_store)]
fn t_f21_crate_matches_the_reference_model(kind: StoreKind) {
    let seed = common::new_seed();
    // The slower the store, the fewer operations.
    let operations = match kind {
        StoreKind::Memory => 80_000,
        StoreKind::Cached => 40_000,
        StoreKind::File => 20_500,
        StoreKind::Postgres => 4_000,
    };
    let operations = common::amount("KEYWRIGHT_OPS", operations);
    run(Real::on(kind, common::BEGINNING, seed), seed, operations);
}

fn run(mut real: Real, seed: u64, operations: u32) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut reference = Reference::new(common::BEGINNING, real.is_durable());
    let mut gone: Vec<Id> = Vec::new();
    let mut answers = Answers::default();
    let mut compared = 0;
    for number in 0..operations {
        let op = Draw { random: &mut random, reference: &reference, gone: &gone }.op();
        let (answer, fresh) = real.carry_out(&op);
        let expected = reference.carry_out(&op, fresh.as_deref());
        assert_same(&answer, &expected, &format!("seed {seed}, operation {number}: {op:?}"));
        answers.count(&answer);
        if number % PERIOD == PERIOD - 1 || number + 1 == operations {
            let what = format!("seed {seed}, after operation {number}");
            compare_everything(&mut real, &mut reference, &mut compared, &what);
            // The tokens of deleted keys were just seen to be unrecognized, and need no further
            // check.
            let there = |id: &Id| reference.keys.iter().any(|key| key.data.id == *id);
            gone.extend(real.tokens.keys().map(|(id, _)| id).filter(|id| !there(id)).cloned());
            real.tokens.retain(|(id, _), _| there(id));
        }
    }
    println!("{operations} operations: {answers:?}, {} events", reference.events.len());
    answers.assert_varied(operations);
}

/// Asserts that two answers are equal. For long answers the failure shows only the first
/// difference.
#[track_caller]
fn assert_same(seen: &Answer, expected: &Answer, what: &str) {
    fn first<T: Debug + PartialEq>(a: &[T], b: &[T]) -> String {
        let place = (0..a.len().max(b.len())).find(|place| a.get(*place) != b.get(*place));
        let place = place.unwrap_or(0);
        let (seen, expected) = (a.get(place), b.get(place));
        format!("at {place} of {}:\n  gives    {seen:?}\n  expected {expected:?}", b.len())
    }
    let is_same = match (seen, expected) {
        (Answer::RateLimited(seen), Answer::RateLimited(permitted)) => {
            permitted.contains(seen.start()) && permitted.contains(seen.end())
        }
        _ => seen == expected,
    };
    if is_same {
        return;
    }
    let difference = match (seen, expected) {
        (Answer::Entries(a), Answer::Entries(b)) => first(a, b),
        (Answer::Events(a), Answer::Events(b)) => first(a, b),
        (Answer::Accounts(a), Answer::Accounts(b)) => first(a, b),
        (a, b) => first(&[a], &[b]),
    };
    panic!("{what}\n{difference}");
}

/// Compares the keys, accounts, users, policies and new events of both tenants, and the verification of
/// every token.
#[track_caller]
fn compare_everything(real: &mut Real, reference: &mut Reference, compared: &mut Time, what: &str) {
    for tenant in 0..2 {
        let by = By { who: Who::Admin, tenant };
        let query = Query {
            search: None,
            statuses: Vec::new(),
            owner: None,
            expiring_within: None,
            unused_since: None,
            never_used: false,
            sort: Sort::Created,
            descending: false,
            limit: 7,
        };
        let since = *compared;
        let events = EventFilter {
            key: None,
            kind: None,
            since: Some(since),
            oldest_first: true,
            limit: 500,
        };
        let everything = [
            Op::List(by, query),
            Op::Accounts(by, None, 3),
            Op::Policy(by),
            Op::Events(by, events),
            Op::User(by, "alice"),
            Op::User(by, "bob"),
        ];
        for op in everything {
            let (seen, expected) = (real.carry_out(&op).0, reference.carry_out(&op, None));
            assert_same(&seen, &expected, &format!("{what}: {op:?}"));
        }
    }
    *compared = reference.now;
    let tokens: Vec<(Id, u32)> = real.tokens.keys().cloned().collect();
    for (key, secret) in tokens {
        let presented = Presented { key, secret, in_two_parts: false, damage: Damage::None };
        let op = Op::Present(presented, Wanted { source: 1, write: false, scopes: 0 });
        let (seen, expected) = (real.carry_out(&op).0, reference.carry_out(&op, None));
        assert_same(&seen, &expected, &format!("{what}: {op:?}"));
    }
}

/// Counts of each kind of answer: a run in which nothing is granted would test little.
#[derive(Debug, Default)]
struct Answers {
    done: u32,
    already: u32,
    refused: u32,
    granted: u32,
    retiring: u32,
    seen: u32,
}

impl Answers {
    fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Done(_) | Answer::Nothing | Answer::Many(_) | Answer::Ids(_) => self.done += 1,
            Answer::Unchanged(_)
            | Answer::Account(true, _)
            | Answer::Plan(true, _)
            | Answer::Settings(true, _)
            | Answer::User(true, _) => self.already += 1,
            Answer::Refused(_) | Answer::RateLimited(_) => self.refused += 1,
            Answer::Granted(granted) if granted.retiring => self.retiring += 1,
            Answer::Granted(_) => self.granted += 1,
            _ => self.seen += 1,
        }
    }

    fn assert_varied(&self, operations: u32) {
        let Self { done, already, refused, granted, retiring, seen } = self;
        let rarest = [done, already, refused, granted, seen].into_iter().min().expect("five");
        assert!(
            operations < 1_000 || *rarest > operations / 100,
            "too few kinds of answers: {self:?}"
        );
        // Uses of a retiring secret are rare: 4,000 operations have about thirty, and rarely only two.
        assert!(
            operations < 1_000 || *retiring > operations / 5_000,
            "too few uses of a retiring secret: {self:?}"
        );
    }
}
