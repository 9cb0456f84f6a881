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
    ChangesForgetPolicies,
    UsageCountsTwice,
    WritersShareNumbers,
    SharedWriterIdIgnored,
    LastUseGoesBack,
    UsageResurrects,
    UsageOfAbsentRefused,
    UsageWritesRecord,
    AlertsLost,
    AlertsRepeated,
    AlertsDecidedBefore,
    LateUsesInNoWindow,
    WindowsReopened,
    RefusedCountAsUses,
    PageSkips,
    PageRepeats,
    StatusesOfLater,
    KeyOfAnyTenant,
    AbsentIsAnError,
    StaleAccountResolved,
    TornResolve,
    PeekOutdated,
    PeekDenied,
    StalePolicyRead,
    LockLeftBehind,
    ForgetsNothing,
    ForgetsOneMore,
    NewestForgotten,
    DeletedIdFreeEarly,
    AccountIdFreeEarly,
    BatchKeysTakeRoom,
    WriterForgottenEarly,
    NextOnFullPage,
    OwnerKindIgnored,
    ContactIgnoresCase,
    MetadataIgnoresCase,
    PrefixByBeginning,
    DescriptionNotSearched,
    AllKeysByTenant,
    AllKeysSkip,
    QuietTenantsHidden,
    DeadKeysCounted,
    KeyOwnerIgnored,
    UserVersionIgnored,
    UserOverwritten,
    NameLostOnSuspension,
    UserOfAnyTenant,
    OwnerNotListed,
    StaleUserResolved,
    ChangesForgetUsers,
    OwnerNamesNotSearched,
    MovedKeyListedBefore,
    MovedKeyCountedBefore,
    MovedKeysHoldAccount,
    NewOwnerNotChecked,
    OrganizationIsUser,
    DescriptionsLost,
    PoliciesSorted,
    PoliciesOneByOne,
    OwnersSorted,
    OwnedOfLater,
    OwnedOfAnyTenant,
    OwnedOldestFirst,
    OwnedTiesAscending,
    OwnedNumbersCut,
    OwnedWithoutUsage,
    OwnedOneByOne,
    CountOfLater,
    CountFindsOwnerKinds,
    CountStopsAtLimit,
    CountAfterCursor,
    CountOfAllTenants,
    BatchOfManyTenants,
    KeysOfAnyTenantChanged,
    MarkerRunsAhead,
    ToldBeforeWritten,
    NumberedBeforeWritten,
    ForeignMarkerBelieved,
    LossesInvented,
}

impl Flaw {
    /// Returns whether the flaw is in a filter that compares one field of a key.
    pub(crate) fn is_of_a_filter(self) -> bool {
        matches!(
            self,
            Self::OwnerKindIgnored
                | Self::ContactIgnoresCase
                | Self::MetadataIgnoresCase
                | Self::PrefixByBeginning
                | Self::DescriptionNotSearched
        )
    }
}

/// A flaw, its effect, and exactly the rules that detect it.
pub(crate) type Row = (Flaw, &'static str, &'static [&'static str]);

/// Each flaw that is not in [`WRITE_FLAWS`](super::write_flaws::WRITE_FLAWS),
/// [`FEED_FLAWS`](super::feed_flaws::FEED_FLAWS) or [`OWNED_FLAWS`](super::owned_flaws::OWNED_FLAWS).
pub(crate) const OTHER_FLAWS: [Row; 43] = [
    (
        Flaw::PageSkips,
        "a page leaves out its last key",
        &[
            "keys_come_once_and_in_order",
            "page_keeps_its_limit",
            "full_last_page_has_no_next",
            "unmoved_keys_appear_on_one_page",
            "owner_kind_filter_is_obeyed",
            "search_reads_description_and_contact",
        ],
    ),
    (
        Flaw::PageRepeats,
        "a page repeats the last key of the page before",
        &[
            "keys_come_once_and_in_order",
            "unmoved_keys_appear_on_one_page",
            "owner_kind_filter_is_obeyed",
            "search_reads_description_and_contact",
        ],
    ),
    (
        Flaw::StatusesOfLater,
        "statuses are computed for one second later",
        &["key_query_filters_are_obeyed"],
    ),
    (
        Flaw::KeyOfAnyTenant,
        "a lookup finds keys of every tenant",
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
            "policies_have_order_of_tenants",
            "resolve_shows_one_moment",
            "peek_shows_no_older_state",
            "policies_show_one_moment",
        ],
    ),
    (
        Flaw::StaleAccountResolved,
        "`resolve` returns accounts from an old copy",
        &["resolve_sees_acknowledged_changes", "resolve_shows_one_moment"],
    ),
    (
        Flaw::TornResolve,
        "`resolve` reads the key first and its policy later",
        &["resolve_shows_one_moment"],
    ),
    (
        Flaw::PeekOutdated,
        "`peek` shows the first answer that it ever gave for a key",
        &["peek_shows_what_resolve_returns", "peek_shows_no_older_state"],
    ),
    (
        Flaw::PeekDenied,
        "`peek` shows an answer and returns false",
        &["peek_shows_what_resolve_returns", "peek_shows_no_older_state"],
    ),
    (
        Flaw::StalePolicyRead,
        "policies are read from an old copy",
        &[
            "policy_reads_back_unchanged",
            "lookups_see_acknowledged_changes",
            "policies_have_order_of_tenants",
            "resolve_shows_one_moment",
            "peek_shows_no_older_state",
            "policies_show_one_moment",
        ],
    ),
    (
        Flaw::LockLeftBehind,
        "a dropped read keeps its lock",
        &[
            "revoke_wins_over_updates",
            "delete_wins_over_updates",
            "events_follow_commit_order",
            "dropped_read_leaves_nothing",
        ],
    ),
    (
        Flaw::ForgetsNothing,
        "events that a batch forgets stay",
        &[
            "batch_stays_in_its_tenant",
            "forgotten_events_are_gone",
            "newest_event_is_kept",
            "changes_report_every_touched_subject",
        ],
    ),
    (
        Flaw::ForgetsOneMore,
        "a batch forgets one event too many",
        &["forgotten_events_are_gone", "deleted_id_is_kept_with_its_event"],
    ),
    (Flaw::NewestForgotten, "the newest event can be forgotten", &["newest_event_is_kept"]),
    (
        Flaw::DeletedIdFreeEarly,
        "deleted ids can be used again after any event is forgotten",
        &["deleted_id_is_kept_with_its_event"],
    ),
    (
        Flaw::AccountIdFreeEarly,
        "the tenant's newest event is not read for a deleted account",
        &["deleted_account_id_stays_taken"],
    ),
    (
        Flaw::BatchKeysTakeRoom,
        "the keys of the batch count toward `OwnerKeys::most`",
        &["untouched_live_key_is_counted"],
    ),
    (
        Flaw::WriterForgottenEarly,
        "a writer of usage is forgotten as soon as another one has a newer batch",
        &["writer_is_remembered_for_7_days"],
    ),
    (
        Flaw::NextOnFullPage,
        "the last page of keys has a next query if it is full",
        &["full_last_page_has_no_next"],
    ),
    (
        Flaw::OwnerKindIgnored,
        "the filter by kind of owner finds the keys of every owner",
        &["owner_kind_filter_is_obeyed"],
    ),
    (
        Flaw::ContactIgnoresCase,
        "contacts are compared without regard to case",
        &["contact_filter_is_obeyed"],
    ),
    (
        Flaw::MetadataIgnoresCase,
        "metadata is compared without regard to case",
        &["metadata_filter_is_obeyed"],
    ),
    (
        Flaw::PrefixByBeginning,
        "the filter by prefix finds longer prefixes too",
        &["prefix_filter_is_obeyed"],
    ),
    (
        Flaw::DescriptionNotSearched,
        "a search does not read descriptions",
        &["search_reads_description_and_contact"],
    ),
    (
        Flaw::AllKeysByTenant,
        "the keys of all tenants are ordered by tenant",
        &["keys_of_all_tenants_have_one_order"],
    ),
    (
        Flaw::AllKeysSkip,
        "a page of the keys of all tenants leaves out its last key",
        &["keys_of_all_tenants_have_one_order"],
    ),
    (
        Flaw::QuietTenantsHidden,
        "a tenant without keys is not listed",
        &["tenants_are_listed_with_their_numbers"],
    ),
    (
        Flaw::DeadKeysCounted,
        "expired and revoked keys count as live",
        &["tenants_are_listed_with_their_numbers"],
    ),
    (
        Flaw::KeyOwnerIgnored,
        "a condition on the owner of a key is ignored",
        &["key_owner_condition_holds", "batch_stays_in_its_tenant"],
    ),
    (
        Flaw::UserVersionIgnored,
        "a condition on the version of a user's record is ignored",
        &[
            "user_version_condition_holds",
            "failed_batch_writes_nothing",
            "batch_stays_in_its_tenant",
        ],
    ),
    (
        Flaw::UserOverwritten,
        "a user's record replaces every version",
        &["user_write_needs_the_previous_version"],
    ),
    (
        Flaw::NameLostOnSuspension,
        "a suspended user loses the display name",
        &["user_reads_back_unchanged"],
    ),
    (
        Flaw::UserOfAnyTenant,
        "a lookup finds the record of a user of every tenant",
        &["user_stays_in_its_tenant"],
    ),
    (
        Flaw::OwnerNotListed,
        "queries return keys without the records of their owners",
        &["key_comes_with_its_owner", "user_stays_in_its_tenant"],
    ),
    (
        Flaw::StaleUserResolved,
        "`resolve` returns users from an old copy",
        &["key_comes_with_its_owner"],
    ),
    (Flaw::ChangesForgetUsers, "`changes` leaves out users", &["changes_name_users"]),
    (
        Flaw::OwnerNamesNotSearched,
        "a search does not look at the names of owners",
        &["keys_are_found_by_owner_name"],
    ),
    (
        Flaw::MovedKeyListedBefore,
        "the keys of an owner include one that was handed over",
        &["moved_key_has_its_new_owner"],
    ),
    (
        Flaw::MovedKeyCountedBefore,
        "a limit still counts a key that was handed over",
        &["moved_key_counts_for_its_new_owner"],
    ),
    (
        Flaw::MovedKeysHoldAccount,
        "an account is kept in the batch that hands its keys over",
        &["account_is_deleted_after_its_keys_moved"],
    ),
    (
        Flaw::NewOwnerNotChecked,
        "handing a key to an account that does not exist succeeds",
        &["key_needs_its_new_owner"],
    ),
    (
        Flaw::OrganizationIsUser,
        "the organization and a user with the id `organization` share a limit",
        &["organization_can_own_keys"],
    ),
    (
        Flaw::DescriptionsLost,
        "a policy loses the descriptions of its scopes",
        &["policy_reads_back_unchanged"],
    ),
];
