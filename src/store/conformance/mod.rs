//! The contract of [`KeyStore`](crate::store::KeyStore), executable: for whoever writes a store of their own.
//!
//! One line tries every rule on a store, each in a test of its own:
//!
//! ```
//! # #[cfg(test)]
//! mod my_store {
//!     use keywright::store::MemoryStore;
//!
//!     keywright::store_conformance!(MemoryStore::new);
//! }
//! ```
//!
//! What stands between the brackets is a [`Host`]: a function that makes a store, or a type that also
//! says how the store's futures are run. No rule can be left out. [`RULES`] has them as a list, for
//! who wants to run them in another way.
//!
//! Each rule works in tenants of its own, with ids drawn at random. So all of them can be run at once,
//! again and again, on one database that is never emptied.
//!
//! A rule that does not hold panics, and says which rule it is, what was done and what was seen.
//!
//! What no suite can see from outside is left to the store: that what was acknowledged survives a power
//! cut, and that a repeated batch of usage is known for 7 days.

mod accounts;
mod batches;
mod cancellation;
mod commits;
mod conditions;
mod events;
mod faults;
mod host;
mod inserts;
mod intercept;
mod pages;
mod queries;
mod races;
mod reads;
mod revokes;
mod run;
mod tenants;
mod test_tenants;
mod updates;
mod usage;

use std::fmt;

use self::test_tenants::Space;

pub use self::faults::{Fault, Faults};
pub use self::host::{Host, Running};
pub use self::intercept::{Answer, Call, Intercept, InterceptedStore, Method};
pub use self::run::block_on;

/// One rule of the contract.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, which is also that of its test.
    pub name: &'static str,
    /// What the contract says.
    pub says: &'static str,
    /// Tries it, and panics if it does not hold.
    pub check: fn(&dyn Host),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({}: {})", self.name, self.says)
    }
}

/// Tries the rule of this name.
///
/// # Panics
/// If the rule does not hold, or if there is none of this name.
pub fn check(name: &str, host: &dyn Host) {
    let rule = RULES.iter().find(|rule| rule.name == name);
    let Some(rule) = rule else { panic!("the contract has no rule {name}") };
    (rule.check)(host);
}

/// A `calm` rule is one future. A `racing` one has threads of its own, each of which runs futures.
macro_rules! rules {
    ($d:tt $($kind:ident $module:ident::$name:ident: $says:literal,)*) => {
        /// Every rule of the contract that can be tried from outside.
        pub const RULES: &[Rule] = &[$(Rule {
            name: stringify!($name),
            says: $says,
            check: rules!(@$kind $module $name),
        },)*];

        /// Tries every rule of the contract on a store, each in a test of its own.
        ///
        /// Takes a [`Host`](crate::store::conformance::Host): a function that makes a store will do. It is
        /// evaluated once for each rule. See [`conformance`](crate::store::conformance).
        #[macro_export]
        macro_rules! store_conformance {
            ($d host:expr $d(,)?) => {$(
                #[doc = $says]
                #[test]
                fn $name() {
                    $crate::store::conformance::check(stringify!($name), &$d host);
                }
            )*};
        }
    };
    (@calm $module:ident $name:ident) => {
        |host| {
            let space = Space::new(host, stringify!($name));
            space.run($module::$name(&space));
        }
    };
    (@racing $module:ident $name:ident) => {
        |host| $module::$name(&Space::new(host, stringify!($name)))
    };
}

rules! { $
    calm inserts::an_insert_refuses_a_key_that_exists: "An insert refuses an id that exists. It never replaces.",
    calm inserts::an_insert_refuses_a_key_of_another_tenant: "An id that exists in one tenant is refused in every other.",
    calm inserts::an_insert_refuses_a_key_that_was_deleted: "An insert refuses an id that was deleted.",
    calm inserts::an_insert_refuses_an_account_that_exists: "An insert refuses the id of an account that exists, in any tenant.",
    calm inserts::an_insert_refuses_an_account_that_was_deleted: "An insert refuses the id of an account that was deleted.",
    calm inserts::a_key_needs_the_account_that_owns_it: "Inserting a key is a conflict if the service account that is to own it is absent.",
    calm inserts::what_is_written_is_read_back_whole: "Key, digests, account and policy come back as they were written.",
    calm updates::a_key_is_updated_from_the_version_before: "An update replaces a record whose version is one less. Else it is a conflict.",
    calm updates::an_account_is_updated_from_the_version_before: "An update replaces an account whose version is one less. Else it is a conflict.",
    calm updates::a_policy_is_put_over_the_version_before: "A policy is written over the version that is one less, 0 if there is none. Else it is a conflict.",
    calm updates::an_update_of_what_is_absent_is_a_conflict: "What does not exist can't be updated.",
    calm updates::an_update_moves_nothing: "Tenant, owner and creation stay; an update that changes them is refused as unsupported.",
    calm revokes::a_revoke_names_no_version: "A revoke makes of the record what `KeyRecord::revoked` makes of it, whatever its version.",
    calm revokes::a_revoke_is_undone_by_nothing_older: "An update that was read before a revoke can't undo it.",
    calm revokes::the_first_revoke_stays: "A revoke is a conflict if the key is revoked already: the time of the first one stays.",
    calm revokes::a_revoke_of_what_is_absent_is_a_conflict: "A revoke is a conflict if the key is absent.",
    calm revokes::a_delete_is_final: "A delete removes a key with its usage, and nothing brings it back.",
    calm accounts::an_account_that_owns_keys_stays: "Deleting an account is a conflict if it owns a key that the batch does not remove too.",
    calm accounts::an_account_goes_with_its_last_keys: "One batch can delete an account and every key that it owns.",
    calm accounts::a_deleted_account_is_gone: "A delete removes an account, and nothing brings it back.",
    calm conditions::the_version_of_an_account_holds: "A condition on an account's version holds at the commit, or nothing is written.",
    calm conditions::the_version_of_a_policy_holds: "A condition on a policy's version holds at the commit, or nothing is written.",
    calm conditions::the_limit_is_a_boundary: "The owner holds fewer live keys than the limit, before the batch. Else the limit is reached.",
    calm conditions::the_limit_counts_live_keys_of_the_owner: "The limit counts the owner's keys in this tenant that are live at the time it names.",
    calm conditions::no_live_key_is_left_after_the_batch: "`NoLiveKeyLeft` looks at the owner's keys as they are after the batch.",
    calm batches::a_batch_that_fails_writes_nothing: "A commit writes all of a batch or nothing of it, its events among it.",
    calm batches::a_batch_is_written_whole: "A commit writes all of a batch.",
    calm batches::a_batch_names_nothing_twice: "A batch with two changes of one key, account or policy is refused as unsupported, whatever they are.",
    calm events::events_are_numbered_from_1_without_gaps: "Each tenant's events are numbered from 1 in the order in which they were written, without gaps.",
    calm events::a_tenant_does_not_see_the_numbers_of_others: "A tenant learns nothing from its own events of what others do.",
    calm events::events_come_back_whole: "An event comes back as it was written, with its number.",
    calm events::forgotten_events_are_gone: "`ForgetEvents` removes the tenant's events up to a number, and no others. Numbers go on.",
    calm events::newest_event_is_kept: "`ForgetEvents` never removes the tenant's newest event.",
    calm events::deleted_id_is_kept_with_its_event: "A deleted id is refused until the event of its deletion is forgotten.",
    calm events::an_event_comes_with_its_change: "An event is visible no later than the change that it tells of.",
    calm commits::epochs_grow: "Each commit has an epoch greater than those before.",
    calm commits::changes_tell_all_that_was_touched: "`changes` tells all that was touched since an epoch, or that the store no longer knows.",
    calm reads::resolve_gives_key_account_and_policy: "`resolve` gives the key, its account and its tenant's policy.",
    calm reads::resolve_sees_what_was_acknowledged: "What was acknowledged is seen by every `resolve` that starts afterwards.",
    calm reads::lookups_see_what_was_acknowledged: "What was acknowledged is seen by every lookup that starts afterwards.",
    calm reads::queries_see_what_was_acknowledged: "What was acknowledged is seen by every query that starts afterwards.",
    calm reads::what_is_unknown_is_absent_and_no_error: "\"Absent\" is an answer and not a failure.",
    calm tenants::a_lookup_stays_in_its_tenant: "A lookup in one tenant never returns anything of another.",
    calm tenants::a_query_stays_in_its_tenant: "A query in one tenant never returns anything of another.",
    calm pages::keys_come_once_and_in_order: "Keys come in the order of the query, each once, on pages of any size.",
    calm pages::accounts_come_once_and_in_order: "Accounts come oldest first, each once, on pages of any size.",
    calm pages::events_come_once_and_in_order: "Events come newest first or oldest first, each once, on pages of any size.",
    calm pages::a_page_keeps_its_limit: "A page has no more items than the query's limit, and more are announced if there are more.",
    calm pages::keys_that_stay_appear_once_while_others_move: "A key that is neither added nor removed nor moved in the order appears on exactly one page.",
    calm queries::keys_are_filtered_as_the_query_says: "The keys of a query are those that `KeyQuery::matches` matches, at the time that is given.",
    calm queries::accounts_are_searched_as_the_query_says: "Accounts are found by name, id and role, whatever the case.",
    calm queries::events_are_filtered_as_the_query_says: "The events of a query are those that `EventQuery::matches` matches.",
    calm usage::usage_adds_up: "Usage of a key is the sum of its deltas, in every method that shows it.",
    calm usage::a_batch_of_usage_counts_once: "Adding the same batch of usage again changes nothing.",
    calm usage::a_writer_id_in_use_twice_is_refused: "A batch with a number that its writer has passed, or with other deltas than the batch of that number, is a conflict.",
    calm usage::writers_of_usage_do_not_hide_each_other: "Batches of different writers are different batches.",
    calm usage::the_last_use_only_moves_forward: "The last use of a key never goes back.",
    calm usage::usage_of_what_is_absent_is_dropped: "A delta for a key that is absent is dropped, and the others are added.",
    calm usage::usage_touches_no_record: "Adding usage touches usage and events alone: never a record.",
    calm usage::an_alert_is_due_once: "`is_alert_due` is asked for each delta, with the key's total before and after it.",
    racing races::one_insert_of_an_id_wins: "Of many inserts of one id at once, one is done.",
    racing races::one_update_of_a_version_wins: "Of many updates of one version at once, one is done.",
    racing races::the_limit_is_exact: "A limit holds at the moment at which a commit writes, however many there are at once.",
    racing races::a_revoke_wins: "A revoke wins against every update that runs at the same time.",
    racing races::a_delete_wins: "A delete wins against every update that runs at the same time.",
    racing races::usage_of_many_writers_sums_up: "What many writers of usage add at once is added, all of it and once.",
    racing races::events_follow_the_order_of_commits: "Events have the order of the commits that wrote them, and so have epochs.",
    racing races::resolve_shows_one_moment: "`resolve` returns key, account and policy as of one moment.",
    racing races::no_reader_sees_a_part_of_a_batch: "No reader sees a part of a batch.",
    calm cancellation::a_dropped_commit_is_done_or_not: "Dropping a commit leaves the store as before it or as after it.",
    calm cancellation::dropped_usage_is_added_or_not: "Dropping a batch of usage leaves the store as before it or as after it.",
    calm cancellation::a_dropped_read_leaves_nothing_behind: "Dropping a read leaves the store usable.",
}
