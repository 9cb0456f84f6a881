//! The flaws of the wrong stores, and the contract rules that detect each.

/// One deviation of a store from the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    InsertReplaces,
    DeletedIdIsFree,
    PolicyVersionIgnored,
    AccountVersionIgnored,
    LimitCountedBefore,
    LimitOneTooHigh,
    RevokeOverwritten,
    SecondRevokeMoves,
    VersionComparedBefore,
    HalfABatch,
    BatchInSteps,
    SubjectsTwice,
    EventsLostOnDelete,
    EventsAfterChange,
    EventsWithGaps,
    EpochStandsStill,
    ChangesForgetPolicies,
    UsageCountsTwice,
    WritersShareNumbers,
    SharedWriterIdIgnored,
    LastUseGoesBack,
    UsageResurrects,
    UsageOfAbsentRefused,
    UsageWritesRecord,
    AlertsLost,
    PageSkips,
    PageRepeats,
    StatusesOfLater,
    KeyOfAnyTenant,
    AbsentIsAnError,
    StaleAccountResolved,
    TornResolve,
    StalePolicyRead,
    LockLeftBehind,
    ForgetsNothing,
    ForgetsOneMore,
    NewestForgotten,
    DeletedIdFreeEarly,
}

/// Each flaw, its effect, and exactly the rules that detect it.
pub(crate) const FLAWS: [(Flaw, &str, &[&str]); 38] = [
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
        "a condition on a policy's version is lost",
        &[
            "policy_version_condition_holds",
            "failed_batch_writes_nothing",
            "forgotten_events_are_gone",
        ],
    ),
    (
        Flaw::AccountVersionIgnored,
        "a condition on an account's version is lost",
        &["account_version_condition_holds", "failed_batch_writes_nothing"],
    ),
    (
        Flaw::LimitCountedBefore,
        "live keys are counted before the commit and not in it",
        &["limit_is_exact_under_concurrency"],
    ),
    (
        Flaw::LimitOneTooHigh,
        "the limit lets one key too many through",
        &[
            "limit_is_checked_before_the_batch",
            "limit_counts_live_keys_of_owner",
            "limit_is_exact_under_concurrency",
        ],
    ),
    (
        Flaw::RevokeOverwritten,
        "an update from before a revoke is written over it",
        &["older_update_cannot_undo_revoke", "revoke_wins_over_updates"],
    ),
    (
        Flaw::SecondRevokeMoves,
        "a second revoke moves the time of the first",
        &["first_revoke_keeps_its_time"],
    ),
    (
        Flaw::VersionComparedBefore,
        "versions are compared before the commit and not in it",
        &["one_concurrent_update_wins", "revoke_wins_over_updates"],
    ),
    (
        Flaw::HalfABatch,
        "a batch that fails leaves what came before the failure",
        &[
            "account_version_condition_holds",
            "policy_version_condition_holds",
            "limit_is_checked_before_the_batch",
            "no_live_key_left_after_batch",
            "failed_batch_writes_nothing",
            "batch_names_nothing_twice",
            "forgotten_events_are_gone",
            "limit_is_exact_under_concurrency",
        ],
    ),
    (
        Flaw::BatchInSteps,
        "a batch is written one change after another",
        &["batch_names_nothing_twice", "readers_never_see_partial_batches"],
    ),
    (
        Flaw::SubjectsTwice,
        "a batch that names something twice is written as if it were two",
        &["batch_names_nothing_twice"],
    ),
    (
        Flaw::EventsLostOnDelete,
        "a delete is done without its event",
        &[
            "batch_is_written_whole",
            "deleted_id_is_kept_with_its_event",
            "event_appears_with_its_change",
        ],
    ),
    (
        Flaw::EventsAfterChange,
        "events are written after their change",
        &[
            "deleted_id_is_kept_with_its_event",
            "events_follow_commit_order",
            "dropped_commit_is_atomic",
        ],
    ),
    (
        Flaw::EventsWithGaps,
        "a commit that is refused uses up a number of an event",
        &["events_are_numbered_from_1_without_gaps"],
    ),
    (
        Flaw::EpochStandsStill,
        "every commit has the same epoch",
        &["epochs_always_increase", "events_follow_commit_order"],
    ),
    (
        Flaw::ChangesForgetPolicies,
        "changes do not tell of policies",
        &["changes_report_every_touched_subject"],
    ),
    (
        Flaw::UsageCountsTwice,
        "a repeated batch of usage is added again",
        &[
            "usage_batch_counts_once",
            "reused_writer_id_is_refused",
            "usage_writers_are_independent",
            "alert_is_due_once",
            "concurrent_usage_adds_up",
            "dropped_usage_is_atomic",
        ],
    ),
    (
        Flaw::WritersShareNumbers,
        "the numbers of one writer's batches hide those of another",
        &[
            "usage_writers_are_independent",
            "last_use_only_moves_forward",
            "usage_changes_no_record",
            "concurrent_usage_adds_up",
            "dropped_usage_is_atomic",
        ],
    ),
    (
        Flaw::SharedWriterIdIgnored,
        "a batch under another process's writer id is dropped in silence",
        &["reused_writer_id_is_refused"],
    ),
    (
        Flaw::LastUseGoesBack,
        "the last use is that of the last batch",
        &[
            "usage_writers_are_independent",
            "last_use_only_moves_forward",
            "usage_of_absent_keys_is_dropped",
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
        "adding usage writes the record anew",
        &["delete_is_final", "usage_changes_no_record"],
    ),
    (
        Flaw::AlertsLost,
        "no alert is written",
        &[
            "events_are_numbered_from_1_without_gaps",
            "event_appears_with_its_change",
            "alert_is_due_once",
            "dropped_usage_is_atomic",
        ],
    ),
    (
        Flaw::PageSkips,
        "a page leaves out its last key",
        &["keys_come_once_and_in_order", "page_keeps_its_limit", "unmoved_keys_appear_on_one_page"],
    ),
    (
        Flaw::PageRepeats,
        "a page begins with the last key of the one before",
        &["keys_come_once_and_in_order", "unmoved_keys_appear_on_one_page"],
    ),
    (
        Flaw::StatusesOfLater,
        "statuses are those of a second later",
        &["key_query_filters_are_obeyed"],
    ),
    (
        Flaw::KeyOfAnyTenant,
        "a key is looked up in every tenant",
        &["insert_refuses_a_key_of_any_tenant", "lookup_stays_in_its_tenant"],
    ),
    (
        Flaw::AbsentIsAnError,
        "looking up a policy that was never set is an error",
        &[
            "failed_batch_writes_nothing",
            "batch_names_nothing_twice",
            "lookups_see_acknowledged_changes",
            "unknown_record_is_absent_not_error",
            "lookup_stays_in_its_tenant",
            "resolve_shows_one_moment",
        ],
    ),
    (
        Flaw::StaleAccountResolved,
        "resolve remembers accounts",
        &["resolve_sees_acknowledged_changes", "resolve_shows_one_moment"],
    ),
    (
        Flaw::TornResolve,
        "resolve reads the key first and then its policy",
        &["resolve_shows_one_moment"],
    ),
    (
        Flaw::StalePolicyRead,
        "the policy is read from a copy",
        &["lookups_see_acknowledged_changes", "resolve_shows_one_moment"],
    ),
    (
        Flaw::LockLeftBehind,
        "a read that is dropped leaves its lock behind",
        &["revoke_wins_over_updates", "delete_wins_over_updates", "dropped_read_leaves_nothing"],
    ),
    (
        Flaw::ForgetsNothing,
        "events that are to be forgotten stay",
        &[
            "forgotten_events_are_gone",
            "newest_event_is_kept",
            "changes_report_every_touched_subject",
        ],
    ),
    (
        Flaw::ForgetsOneMore,
        "one event more than asked for is forgotten",
        &["forgotten_events_are_gone", "deleted_id_is_kept_with_its_event"],
    ),
    (Flaw::NewestForgotten, "the newest event can be forgotten", &["newest_event_is_kept"]),
    (
        Flaw::DeletedIdFreeEarly,
        "deleted ids are free once any event is forgotten",
        &["deleted_id_is_kept_with_its_event"],
    ),
];
