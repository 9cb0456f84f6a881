//! What can be wrong with a store, and which rules see it.

/// One thing that is wrong with a store.
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

/// Each flaw, what such a store does, and all rules that see it: these and no other.
pub(crate) const FLAWS: [(Flaw, &str, &[&str]); 38] = [
    (
        Flaw::InsertReplaces,
        "an insert of a key that exists replaces it",
        &[
            "an_insert_refuses_a_key_that_exists",
            "a_batch_that_fails_writes_nothing",
            "events_are_numbered_from_1_without_gaps",
            "one_insert_of_an_id_wins",
        ],
    ),
    (
        Flaw::DeletedIdIsFree,
        "the id of a deleted key can be inserted again",
        &[
            "an_insert_refuses_a_key_that_was_deleted",
            "a_batch_that_fails_writes_nothing",
            "deleted_id_is_kept_with_its_event",
        ],
    ),
    (
        Flaw::PolicyVersionIgnored,
        "a condition on a policy's version is lost",
        &[
            "the_version_of_a_policy_holds",
            "a_batch_that_fails_writes_nothing",
            "forgotten_events_are_gone",
        ],
    ),
    (
        Flaw::AccountVersionIgnored,
        "a condition on an account's version is lost",
        &["the_version_of_an_account_holds", "a_batch_that_fails_writes_nothing"],
    ),
    (
        Flaw::LimitCountedBefore,
        "live keys are counted before the commit and not in it",
        &["the_limit_is_exact"],
    ),
    (
        Flaw::LimitOneTooHigh,
        "the limit lets one key too many through",
        &[
            "the_limit_is_a_boundary",
            "the_limit_counts_live_keys_of_the_owner",
            "the_limit_is_exact",
        ],
    ),
    (
        Flaw::RevokeOverwritten,
        "an update from before a revoke is written over it",
        &["a_revoke_is_undone_by_nothing_older", "a_revoke_wins"],
    ),
    (
        Flaw::SecondRevokeMoves,
        "a second revoke moves the time of the first",
        &["the_first_revoke_stays"],
    ),
    (
        Flaw::VersionComparedBefore,
        "versions are compared before the commit and not in it",
        &["one_update_of_a_version_wins", "a_revoke_wins"],
    ),
    (
        Flaw::HalfABatch,
        "a batch that fails leaves what came before the failure",
        &[
            "the_version_of_an_account_holds",
            "the_version_of_a_policy_holds",
            "the_limit_is_a_boundary",
            "no_live_key_is_left_after_the_batch",
            "a_batch_that_fails_writes_nothing",
            "a_batch_names_nothing_twice",
            "forgotten_events_are_gone",
            "the_limit_is_exact",
        ],
    ),
    (
        Flaw::BatchInSteps,
        "a batch is written one change after another",
        &["a_batch_names_nothing_twice", "no_reader_sees_a_part_of_a_batch"],
    ),
    (
        Flaw::SubjectsTwice,
        "a batch that names something twice is written as if it were two",
        &["a_batch_names_nothing_twice"],
    ),
    (
        Flaw::EventsLostOnDelete,
        "a delete is done without its event",
        &[
            "a_batch_is_written_whole",
            "deleted_id_is_kept_with_its_event",
            "an_event_comes_with_its_change",
        ],
    ),
    (
        Flaw::EventsAfterChange,
        "events are written after their change",
        &[
            "deleted_id_is_kept_with_its_event",
            "events_follow_the_order_of_commits",
            "a_dropped_commit_is_done_or_not",
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
        &["epochs_grow", "events_follow_the_order_of_commits"],
    ),
    (
        Flaw::ChangesForgetPolicies,
        "changes do not tell of policies",
        &["changes_tell_all_that_was_touched"],
    ),
    (
        Flaw::UsageCountsTwice,
        "a repeated batch of usage is added again",
        &[
            "a_batch_of_usage_counts_once",
            "a_writer_id_in_use_twice_is_refused",
            "writers_of_usage_do_not_hide_each_other",
            "an_alert_is_due_once",
            "usage_of_many_writers_sums_up",
            "dropped_usage_is_added_or_not",
        ],
    ),
    (
        Flaw::WritersShareNumbers,
        "the numbers of one writer's batches hide those of another",
        &[
            "writers_of_usage_do_not_hide_each_other",
            "the_last_use_only_moves_forward",
            "usage_touches_no_record",
            "usage_of_many_writers_sums_up",
            "dropped_usage_is_added_or_not",
        ],
    ),
    (
        Flaw::SharedWriterIdIgnored,
        "a batch under another process's writer id is dropped in silence",
        &["a_writer_id_in_use_twice_is_refused"],
    ),
    (
        Flaw::LastUseGoesBack,
        "the last use is that of the last batch",
        &[
            "writers_of_usage_do_not_hide_each_other",
            "the_last_use_only_moves_forward",
            "usage_of_what_is_absent_is_dropped",
        ],
    ),
    (
        Flaw::UsageResurrects,
        "usage of a deleted key brings it back",
        &["usage_of_what_is_absent_is_dropped"],
    ),
    (
        Flaw::UsageOfAbsentRefused,
        "a batch of usage fails if one of its keys is absent",
        &["what_is_unknown_is_absent_and_no_error", "usage_of_what_is_absent_is_dropped"],
    ),
    (
        Flaw::UsageWritesRecord,
        "adding usage writes the record anew",
        &["a_delete_is_final", "usage_touches_no_record"],
    ),
    (
        Flaw::AlertsLost,
        "no alert is written",
        &[
            "events_are_numbered_from_1_without_gaps",
            "an_event_comes_with_its_change",
            "an_alert_is_due_once",
            "dropped_usage_is_added_or_not",
        ],
    ),
    (
        Flaw::PageSkips,
        "a page leaves out its last key",
        &[
            "keys_come_once_and_in_order",
            "a_page_keeps_its_limit",
            "keys_that_stay_appear_once_while_others_move",
        ],
    ),
    (
        Flaw::PageRepeats,
        "a page begins with the last key of the one before",
        &["keys_come_once_and_in_order", "keys_that_stay_appear_once_while_others_move"],
    ),
    (
        Flaw::StatusesOfLater,
        "statuses are those of a second later",
        &["keys_are_filtered_as_the_query_says"],
    ),
    (
        Flaw::KeyOfAnyTenant,
        "a key is looked up in every tenant",
        &["an_insert_refuses_a_key_of_another_tenant", "a_lookup_stays_in_its_tenant"],
    ),
    (
        Flaw::AbsentIsAnError,
        "looking up a policy that was never set is an error",
        &[
            "a_batch_that_fails_writes_nothing",
            "a_batch_names_nothing_twice",
            "lookups_see_what_was_acknowledged",
            "what_is_unknown_is_absent_and_no_error",
            "a_lookup_stays_in_its_tenant",
            "resolve_shows_one_moment",
        ],
    ),
    (
        Flaw::StaleAccountResolved,
        "resolve remembers accounts",
        &["resolve_sees_what_was_acknowledged", "resolve_shows_one_moment"],
    ),
    (
        Flaw::TornResolve,
        "resolve reads the key first and then its policy",
        &["resolve_shows_one_moment"],
    ),
    (
        Flaw::StalePolicyRead,
        "the policy is read from a copy",
        &["lookups_see_what_was_acknowledged", "resolve_shows_one_moment"],
    ),
    (
        Flaw::LockLeftBehind,
        "a read that is dropped leaves its lock behind",
        &["a_revoke_wins", "a_delete_wins", "a_dropped_read_leaves_nothing_behind"],
    ),
    (
        Flaw::ForgetsNothing,
        "events that are to be forgotten stay",
        &["forgotten_events_are_gone", "newest_event_is_kept", "changes_tell_all_that_was_touched"],
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
