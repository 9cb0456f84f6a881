//! The scenarios: what must hold whoever takes the next step.

mod counts;
mod ends;
mod limits;

use shuttle::thread;

use crate::runner::Scenario;

/// All of them, by the rule that each holds.
pub(crate) const ALL: &[Scenario] = &[
    Scenario { name: "every_use_is_stored_once", run: counts::every_use_is_stored_once },
    Scenario {
        name: "a_flush_stores_what_was_counted_before_it",
        run: counts::a_flush_stores_what_was_counted_before_it,
    },
    Scenario {
        name: "no_use_is_lost_or_stored_twice_while_batches_and_answers_are_lost",
        run: counts::no_use_is_lost_or_stored_twice_while_batches_and_answers_are_lost,
    },
    Scenario {
        name: "a_verifier_that_goes_leaves_its_uses_to_others",
        run: counts::a_verifier_that_goes_leaves_its_uses_to_others,
    },
    Scenario {
        name: "what_is_resolved_was_true_between_the_call_and_its_answer",
        run: ends::what_is_resolved_was_true_between_the_call_and_its_answer,
    },
    Scenario {
        name: "an_end_of_many_keys_is_seen_as_a_whole",
        run: ends::an_end_of_many_keys_is_seen_as_a_whole,
    },
    Scenario {
        name: "a_digest_that_moves_undoes_no_change_of_its_key",
        run: ends::a_digest_that_moves_undoes_no_change_of_its_key,
    },
    Scenario {
        name: "a_rate_lets_exactly_its_number_through",
        run: limits::a_rate_lets_exactly_its_number_through,
    },
    Scenario {
        name: "the_limit_of_keys_holds_exactly",
        run: limits::the_limit_of_keys_holds_exactly,
    },
];

type Work = Box<dyn FnOnce() + Send>;

/// Runs all of it at the same time, and waits for it.
fn together(work: impl IntoIterator<Item = Work>) {
    let running: Vec<_> = work.into_iter().map(|work| thread::spawn(work)).collect();
    for thread in running {
        thread.join().expect("no thread panics");
    }
}
