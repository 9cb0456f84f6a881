//! The flaws of commits and of usage, and the contract rules that detect each.

use super::flaws::{Flaw, Row};

/// Each flaw of commits and of usage, in the order of the guide.
pub(crate) const WRITE_FLAWS: [Row; 29] = [
    (
        Flaw::InsertReplaces,
        "an insert of a key that exists replaces it",
        &[
            "insert_refuses_an_existing_key",
            "failed_batch_writes_nothing",
            "events_are_numbered_from_1_without_gaps",
            "one_concurrent_insert_wins",
        ],
    ),
    (
        Flaw::DeletedIdIsFree,
        "the id of a deleted key can be inserted again",
        &[
            "insert_refuses_a_deleted_key",
            "failed_batch_writes_nothing",
            "deleted_id_is_kept_with_its_event",
        ],
    ),
    (
        Flaw::PolicyVersionIgnored,
        "a condition on a policy's version is ignored",
        &[
            "policy_version_condition_holds",
            "failed_batch_writes_nothing",
            "batch_stays_in_its_tenant",
            "forgotten_events_are_gone",
        ],
    ),
    (
        Flaw::AccountVersionIgnored,
        "a condition on an account's version is ignored",
        &[
            "account_version_condition_holds",
            "failed_batch_writes_nothing",
            "batch_stays_in_its_tenant",
        ],
    ),
    (
        Flaw::LimitCountedBefore,
        "live keys are counted before the commit instead of in it",
        &["batch_stays_in_its_tenant", "limit_is_exact_under_concurrency"],
    ),
    (
        Flaw::LimitOneTooHigh,
        "the limit allows one key too many",
        &[
            "moved_key_counts_for_its_new_owner",
            "organization_can_own_keys",
            "limit_is_checked_before_the_batch",
            "limit_counts_live_keys_of_owner",
            "untouched_live_key_is_counted",
            "limit_is_exact_under_concurrency",
        ],
    ),
    (
        Flaw::RevokeOverwritten,
        "an update from before a revoke overwrites it",
        &["older_update_cannot_undo_revoke", "revoke_wins_over_updates"],
    ),
    (
        Flaw::SecondRevokeMoves,
        "a second revoke moves the time of the first",
        &["first_revoke_keeps_its_time"],
    ),
    (
        Flaw::VersionComparedBefore,
        "versions are compared before the commit instead of in it",
        &["one_concurrent_update_wins", "revoke_wins_over_updates", "events_follow_commit_order"],
    ),
    (
        Flaw::HalfABatch,
        "a failed batch keeps its changes before the failure",
        &[
            "moved_key_counts_for_its_new_owner",
            "account_is_deleted_after_its_keys_moved",
            "key_needs_its_new_owner",
            "account_version_condition_holds",
            "key_owner_condition_holds",
            "policy_version_condition_holds",
            "user_version_condition_holds",
            "limit_is_checked_before_the_batch",
            "no_live_key_left_after_batch",
            "untouched_live_key_is_counted",
            "failed_batch_writes_nothing",
            "batch_stays_in_its_tenant",
            "batch_names_nothing_twice",
            "forgotten_events_are_gone",
            "limit_is_exact_under_concurrency",
        ],
    ),
    (
        Flaw::BatchInSteps,
        "the changes of a batch become visible one after another",
        &["batch_names_nothing_twice", "readers_never_see_partial_batches"],
    ),
    (
        Flaw::SubjectsTwice,
        "a batch that names a record twice is written as two batches",
        &["batch_names_nothing_twice"],
    ),
    (
        Flaw::EventsLostOnDelete,
        "a delete writes no event",
        &[
            "batch_is_written_whole",
            "deleted_id_is_kept_with_its_event",
            "event_appears_with_its_change",
            "tenants_are_listed_with_their_numbers",
        ],
    ),
    (
        Flaw::EventsAfterChange,
        "events are written after their change",
        &[
            "batch_stays_in_its_tenant",
            "deleted_id_is_kept_with_its_event",
            "events_follow_commit_order",
            "dropped_commit_is_atomic",
        ],
    ),
    (
        Flaw::EventsWithGaps,
        "a refused commit uses up event numbers",
        &["events_are_numbered_from_1_without_gaps", "events_follow_commit_order"],
    ),
    (
        Flaw::ChangesForgetPolicies,
        "`changes` leaves out policies",
        &["changes_report_every_touched_subject"],
    ),
    (
        Flaw::UsageCountsTwice,
        "a repeated batch of usage is added again",
        &[
            "usage_batch_counts_once",
            "reused_writer_id_is_refused",
            "usage_writers_are_independent",
            "writer_is_remembered_for_7_days",
            "alert_is_due_once_per_window",
            "late_uses_count_in_their_window",
            "replaced_window_stays_closed",
            "refused_uses_are_counted_apart",
            "concurrent_usage_adds_up",
            "dropped_usage_is_atomic",
        ],
    ),
    (
        Flaw::WritersShareNumbers,
        "all writers share their batch numbers",
        &[
            "usage_writers_are_independent",
            "writer_is_remembered_for_7_days",
            "last_use_only_moves_forward",
            "usage_changes_no_record",
            "alert_is_due_once_per_window",
            "late_uses_count_in_their_window",
            "replaced_window_stays_closed",
            "refused_uses_are_counted_apart",
            "concurrent_usage_adds_up",
            "concurrent_uses_raise_one_alert",
            "dropped_usage_is_atomic",
        ],
    ),
    (
        Flaw::SharedWriterIdIgnored,
        "a batch under another process's writer id is silently dropped",
        &["reused_writer_id_is_refused"],
    ),
    (
        Flaw::LastUseGoesBack,
        "the last use is taken from the last batch, even if it is older",
        &[
            "usage_writers_are_independent",
            "last_use_only_moves_forward",
            "usage_of_absent_keys_is_dropped",
            "refused_uses_are_counted_apart",
        ],
    ),
    (
        Flaw::UsageResurrects,
        "usage of a deleted key brings it back",
        &["usage_of_absent_keys_is_dropped"],
    ),
    (
        Flaw::UsageOfAbsentRefused,
        "a batch of usage fails if one of its keys is absent",
        &["unknown_record_is_absent_not_error", "usage_of_absent_keys_is_dropped"],
    ),
    (
        Flaw::UsageWritesRecord,
        "adding usage rewrites the record",
        &["delete_is_final", "owned_keys_are_as_stored", "usage_changes_no_record"],
    ),
    (
        Flaw::AlertsLost,
        "alerts are not written",
        &[
            "events_are_numbered_from_1_without_gaps",
            "event_appears_with_its_change",
            "alert_is_due_once_per_window",
            "late_uses_count_in_their_window",
            "replaced_window_stays_closed",
            "refused_uses_are_counted_apart",
            "concurrent_uses_raise_one_alert",
            "dropped_usage_is_atomic",
        ],
    ),
    (
        Flaw::AlertsRepeated,
        "an alert is written again with each batch above its limit",
        &[
            "alert_is_due_once_per_window",
            "late_uses_count_in_their_window",
            "replaced_window_stays_closed",
            "refused_uses_are_counted_apart",
            "concurrent_uses_raise_one_alert",
        ],
    ),
    (
        Flaw::AlertsDecidedBefore,
        "alerts are decided before the step that adds the uses",
        &["concurrent_uses_raise_one_alert"],
    ),
    (
        Flaw::LateUsesInNoWindow,
        "late uses count in the totals only",
        &[
            "late_uses_count_in_their_window",
            "replaced_window_stays_closed",
            "concurrent_uses_raise_one_alert",
        ],
    ),
    (
        Flaw::WindowsReopened,
        "late uses begin their period again, however old it is",
        &["replaced_window_stays_closed"],
    ),
    (
        Flaw::RefusedCountAsUses,
        "refused uses are counted as accepted ones",
        &["refused_uses_are_counted_apart"],
    ),
];
