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
        name: "t_c05_flush_stores_all_earlier_uses",
        run: counts::t_c05_flush_stores_all_earlier_uses,
    },
    Scenario {
        name: "t_c05_lost_batches_store_each_use_once",
        run: counts::t_c05_lost_batches_store_each_use_once,
    },
    Scenario {
        name: "t_c05_dropped_verifier_leaves_its_uses",
        run: counts::t_c05_dropped_verifier_leaves_its_uses,
    },
    Scenario {
        name: "t_c12_resolved_state_was_true_during_call",
        run: ends::t_c12_resolved_state_was_true_during_call,
    },
    Scenario { name: "t_c01_many_keys_end_at_once", run: ends::t_c01_many_keys_end_at_once },
    Scenario {
        name: "t_c04_moved_digest_undoes_no_change",
        run: ends::t_c04_moved_digest_undoes_no_change,
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
        name: "t_c02_last_secret_works_and_previous_retires",
        run: ends::t_c02_last_secret_works_and_previous_retires,
    },
    Scenario {
        name: "t_c03_revocation_ends_both_rotated_secrets",
        run: ends::t_c03_revocation_ends_both_rotated_secrets,
    },
    #[cfg(feature = "cached")]
    Scenario {
        name: "t_m06_fill_never_restores_a_revoked_key",
        run: cached::t_m06_fill_never_restores_a_revoked_key,
    },
    #[cfg(feature = "cached")]
    Scenario {
        name: "t_m13_waiting_callers_survive_dropped_ones",
        run: cached::t_m13_waiting_callers_survive_dropped_ones,
    },
    #[cfg(feature = "cached")]
    Scenario {
        name: "lease_covers_only_checked_keys",
        run: cached::lease_covers_only_checked_keys,
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
