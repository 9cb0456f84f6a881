//! The scenarios: rules that must hold in every schedule.

#[cfg(feature = "cached")]
mod cached;
mod counts;
mod ends;
mod limits;

use shuttle::thread;

use crate::runner::Scenario;

/// All scenarios, named by the rule that they test.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "t_c05_every_use_is_stored_once",
        run: counts::t_c05_every_use_is_stored_once,
    },
    Scenario {
        name: "t_c05_a_flush_stores_what_was_counted_before_it",
        run: counts::t_c05_a_flush_stores_what_was_counted_before_it,
    },
    Scenario {
        name: "t_c05_no_use_is_lost_or_stored_twice_while_batches_and_answers_are_lost",
        run: counts::t_c05_no_use_is_lost_or_stored_twice_while_batches_and_answers_are_lost,
    },
    Scenario {
        name: "t_c05_a_verifier_that_goes_leaves_its_uses_to_others",
        run: counts::t_c05_a_verifier_that_goes_leaves_its_uses_to_others,
    },
    Scenario {
        name: "t_c12_what_is_resolved_was_true_between_the_call_and_its_answer",
        run: ends::t_c12_what_is_resolved_was_true_between_the_call_and_its_answer,
    },
    Scenario {
        name: "t_c01_an_end_of_many_keys_is_seen_as_a_whole",
        run: ends::t_c01_an_end_of_many_keys_is_seen_as_a_whole,
    },
    Scenario {
        name: "t_c04_a_digest_that_moves_undoes_no_change_of_its_key",
        run: ends::t_c04_a_digest_that_moves_undoes_no_change_of_its_key,
    },
    Scenario {
        name: "t_c07_rate_admits_exactly_its_number",
        run: limits::t_c07_rate_admits_exactly_its_number,
    },
    Scenario {
        name: "t_c06_limit_of_keys_holds_exactly",
        run: limits::t_c06_limit_of_keys_holds_exactly,
    },
    Scenario {
        name: "t_c02_of_rotations_at_once_the_last_secret_works_and_the_one_before_retires",
        run: ends::t_c02_of_rotations_at_once_the_last_secret_works_and_the_one_before_retires,
    },
    Scenario {
        name: "t_c03_a_revocation_ends_both_secrets_of_a_rotation_at_the_same_time",
        run: ends::t_c03_a_revocation_ends_both_secrets_of_a_rotation_at_the_same_time,
    },
    #[cfg(feature = "cached")]
    Scenario {
        name: "t_m06_no_fill_brings_back_what_the_node_knows_to_be_revoked",
        run: cached::t_m06_no_fill_brings_back_what_the_node_knows_to_be_revoked,
    },
    #[cfg(feature = "cached")]
    Scenario {
        name: "t_m13_who_waits_is_answered_whoever_leaves",
        run: cached::t_m13_who_waits_is_answered_whoever_leaves,
    },
    #[cfg(feature = "cached")]
    Scenario {
        name: "lease_covers_only_what_was_checked",
        run: cached::lease_covers_only_what_was_checked,
    },
];

type Work = Box<dyn FnOnce() + Send>;

/// Runs all work at the same time and waits until it is done.
fn together(work: impl IntoIterator<Item = Work>) {
    let running: Vec<_> = work.into_iter().map(|work| thread::spawn(work)).collect();
    for thread in running {
        thread.join().expect("no thread panics");
    }
}
