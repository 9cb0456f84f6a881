//! The crate and the reference model, side by side.

use std::fmt::Debug;

use rand::Rng;

use common::stores::StoreKind;

use crate::draw::Draw;
use crate::plain::{
    Answer, By, Damage, EventFilter, Id, Op, Presented, Query, Sort, Time, Wanted, Who,
};
use crate::real::Real;
use crate::reference::Reference;

/// The crate on one store, and the reference model of what it must answer.
pub(crate) struct Pair {
    real: Real,
    reference: Reference,
    /// Keys that were deleted.
    gone: Vec<Id>,
    /// The time up to which events were compared.
    compared: Time,
}

impl Pair {
    pub(crate) fn on(kind: StoreKind, seed: u64) -> Self {
        let real = Real::on(kind, common::BEGINNING, seed);
        let reference = Reference::new(common::BEGINNING, real.is_durable());
        Self { real, reference, gone: Vec::new(), compared: 0 }
    }

    /// Draws an operation, performs it on both sides, and asserts that the answers are equal.
    #[track_caller]
    pub(crate) fn step(&mut self, random: &mut dyn Rng, what: &str) -> Answer {
        let op = Draw { random, reference: &self.reference, gone: &self.gone }.op();
        let (answer, fresh) = self.real.carry_out(&op);
        let expected = self.reference.carry_out(&op, fresh.as_deref());
        assert_same(&answer, &expected, &format!("{what}: {op:?}"));
        answer
    }

    /// Compares the keys, accounts, users, policies and new events of both tenants, and the verification of
    /// every token.
    #[track_caller]
    pub(crate) fn compare_everything(&mut self, what: &str) {
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
            let since = self.compared;
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
                let (seen, expected) =
                    (self.real.carry_out(&op).0, self.reference.carry_out(&op, None));
                assert_same(&seen, &expected, &format!("{what}: {op:?}"));
            }
        }
        self.compared = self.reference.now;
        let tokens: Vec<(Id, u32)> = self.real.tokens.keys().cloned().collect();
        for (key, secret) in tokens {
            let presented = Presented { key, secret, in_two_parts: false, damage: Damage::None };
            let op = Op::Present(presented, Wanted { source: 1, write: false, scopes: 0 });
            let (seen, expected) =
                (self.real.carry_out(&op).0, self.reference.carry_out(&op, None));
            assert_same(&seen, &expected, &format!("{what}: {op:?}"));
        }
        // The tokens of deleted keys were just seen to be unrecognized, and need no further check.
        let there = |id: &Id| self.reference.keys.iter().any(|key| key.data.id == *id);
        self.gone
            .extend(self.real.tokens.keys().map(|(id, _)| id).filter(|id| !there(id)).cloned());
        self.real.tokens.retain(|(id, _), _| there(id));
    }
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
