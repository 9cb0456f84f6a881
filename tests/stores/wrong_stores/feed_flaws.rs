//! The flaws of batches that cross tenants, and of the feed of changes.

use super::flaws::{Flaw, Row};

/// Each flaw in the tenant of a batch or in `changes`.
pub(crate) const FEED_FLAWS: [Row; 7] = [
    (
        Flaw::BatchOfManyTenants,
        "a batch is written for every tenant that it names",
        &["update_changes_no_identity", "batch_stays_in_its_tenant"],
    ),
    (
        Flaw::KeysOfAnyTenantChanged,
        "a batch revokes and deletes keys of other tenants",
        &["batch_stays_in_its_tenant"],
    ),
    (
        Flaw::MarkerRunsAhead,
        "the marker of `changes` includes commits that were not told",
        &["concurrent_changes_are_told_once_visible"],
    ),
    (
        Flaw::ToldBeforeWritten,
        "`changes` includes a commit before it is written",
        &["concurrent_changes_are_told_once_visible"],
    ),
    (
        Flaw::NumberedBeforeWritten,
        "commits are numbered before they are written, and the marker is the highest number written",
        &["concurrent_changes_are_told_once_visible"],
    ),
    (
        Flaw::ForeignMarkerBelieved,
        "nothing has changed since a marker that the store does not know",
        &["unknown_marker_is_no_error"],
    ),
    (
        Flaw::LossesInvented,
        "`changes` always says that commits were lost",
        &[
            "changes_report_every_touched_subject",
            "changes_name_users",
            "unknown_marker_is_no_error",
            "concurrent_changes_are_told_once_visible",
        ],
    ),
];
