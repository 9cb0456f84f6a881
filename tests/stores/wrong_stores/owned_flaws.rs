//! The flaws in the policies of tenants, the keys of owners and the number of keys.

use super::flaws::{Flaw, Row};

/// Each flaw in `policies`, `owned_keys` or `count_keys`.
pub(crate) const OWNED_FLAWS: [Row; 15] = [
    (
        Flaw::PoliciesSorted,
        "the policies of tenants come in the order of the ids",
        &["policies_have_order_of_tenants"],
    ),
    (
        Flaw::PoliciesOneByOne,
        "the policies of tenants are read one after another",
        &["policies_show_one_moment"],
    ),
    (
        Flaw::OwnersSorted,
        "the answers for owners come in the order of their ids",
        &["owned_keys_have_order_of_owners"],
    ),
    (
        Flaw::OwnedOfLater,
        "the live keys of an owner are counted for one second later",
        &["owned_live_keys_count_at_given_time"],
    ),
    (
        Flaw::OwnedOfAnyTenant,
        "the keys of an owner include those of other tenants",
        &["owned_keys_stay_with_their_owner"],
    ),
    (
        Flaw::OwnedOldestFirst,
        "the keys of an owner come oldest first",
        &["newest_owned_keys_come_first"],
    ),
    (
        Flaw::OwnedTiesAscending,
        "the keys of an owner that were created at one time come by ascending id",
        &["newest_owned_keys_come_first"],
    ),
    (
        Flaw::OwnedNumbersCut,
        "the numbers of an owner's keys count only the keys that are returned",
        &["newest_owned_keys_come_first"],
    ),
    (
        Flaw::OwnedWithoutUsage,
        "the keys of an owner come without their usage",
        &["owned_keys_are_as_stored"],
    ),
    (
        Flaw::OwnedOneByOne,
        "the keys of several owners are read one after another",
        &["owned_keys_show_one_moment"],
    ),
    (
        Flaw::CountOfLater,
        "keys are counted by their status of one second later",
        &["count_is_number_of_matching_keys"],
    ),
    (
        Flaw::CountFindsOwnerKinds,
        "the count of a search finds the kinds of owners too",
        &["count_is_number_of_matching_keys"],
    ),
    (
        Flaw::CountStopsAtLimit,
        "a count ends at the limit of the query",
        &["count_has_no_cursor_and_limit"],
    ),
    (
        Flaw::CountAfterCursor,
        "a count begins at the cursor of the query",
        &["count_has_no_cursor_and_limit"],
    ),
    (
        Flaw::CountOfAllTenants,
        "a count includes the keys of other tenants",
        &["count_stays_in_its_tenant"],
    ),
];
