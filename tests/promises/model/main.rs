//! Random operations on the crate and on a plain reference model, one by one. Every answer must be
//! equal, and from time to time the whole visible state.
//!
//! `KEYWRIGHT_OPS` sets the number of operations, `KEYWRIGHT_SEED` the seed. A failure prints its
//! seed, which repeats the same operations.

mod compare;
mod draw;
mod plain;
mod policy;
mod real;
mod reference;

use rand::SeedableRng;
use rand::rngs::StdRng;

use common::stores::StoreKind;

use crate::compare::Pair;
use crate::plain::Answer;

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
    run(kind, seed, operations);
}

fn run(kind: StoreKind, seed: u64, operations: u32) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut pair = Pair::on(kind, seed);
    let mut answers = Answers::default();
    for number in 0..operations {
        answers.count(&pair.step(&mut random, &format!("seed {seed}, operation {number}")));
        if number % PERIOD == PERIOD - 1 || number + 1 == operations {
            pair.compare_everything(&format!("seed {seed}, after operation {number}"));
        }
    }
    println!("{operations} operations: {answers:?}");
    answers.assert_varied(operations);
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
