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
    calm inserts::insert_refuses_an_existing_key: "An insert refuses an id that exists. It never replaces.",
    calm inserts::insert_refuses_a_key_of_any_tenant: "An id that exists in one tenant is refused in every other.",
    calm inserts::insert_refuses_a_deleted_key: "An insert refuses an id that was deleted.",
    calm inserts::insert_refuses_an_existing_account: "An insert refuses the id of an account that exists, in any tenant.",
    calm inserts::insert_refuses_a_deleted_account: "An insert refuses the id of an account that was deleted.",
    calm inserts::key_needs_its_owning_account: "Inserting a key is a conflict if the service account that is to own it is absent.",
    calm inserts::records_read_back_unchanged: "Key, digests, account and policy come back as they were written.",
    calm updates::key_update_needs_the_previous_version: "An update replaces a record whose version is one less. Else it is a conflict.",
    calm updates::account_update_needs_the_previous_version: "An update replaces an account whose version is one less. Else it is a conflict.",
    calm updates::policy_write_needs_the_previous_version: "A policy is written over the version that is one less, 0 if there is none. Else it is a conflict.",
    calm updates::update_of_absent_record_conflicts: "What does not exist can't be updated.",
    calm updates::update_changes_no_identity: "Tenant, owner and creation stay; an update that changes them is refused as unsupported.",
    calm revokes::revoke_needs_no_version: "A revoke makes of the record what `KeyRecord::revoked` makes of it, whatever its version.",
    calm revokes::older_update_cannot_undo_revoke: "An update that was read before a revoke can't undo it.",
    calm revokes::first_revoke_keeps_its_time: "A revoke is a conflict if the key is revoked already: the time of the first one stays.",
    calm revokes::revoke_of_absent_key_conflicts: "A revoke is a conflict if the key is absent.",
    calm revokes::delete_is_final: "A delete removes a key with its usage, and nothing brings it back.",
    calm accounts::account_with_keys_is_kept: "Deleting an account is a conflict if it owns a key that the batch does not remove too.",
    calm accounts::account_is_deleted_with_its_keys: "One batch can delete an account and every key that it owns.",
    calm accounts::deleted_account_is_gone: "A delete removes an account, and nothing brings it back.",
    calm conditions::account_version_condition_holds: "A condition on an account's version holds at the commit, or nothing is written.",
    calm conditions::policy_version_condition_holds: "A condition on a policy's version holds at the commit, or nothing is written.",
    calm conditions::limit_is_checked_before_the_batch: "The owner holds fewer live keys than the limit, before the batch. Else the limit is reached.",
    calm conditions::limit_counts_live_keys_of_owner: "The limit counts the owner's keys in this tenant that are live at the time it names.",
    calm conditions::no_live_key_left_after_batch: "`NoLiveKeyLeft` looks at the owner's keys as they are after the batch.",
    calm batches::failed_batch_writes_nothing: "A commit writes all of a batch or nothing of it, its events among it.",
    calm batches::batch_is_written_whole: "A commit writes all of a batch.",
    calm batches::batch_names_nothing_twice: "A batch with two changes of one key, account or policy is refused as unsupported, whatever they are.",
    calm events::events_are_numbered_from_1_without_gaps: "Each tenant's events are numbered from 1 in the order in which they were written, without gaps.",
    calm events::event_numbers_reveal_no_other_tenant: "A tenant learns nothing from its own events of what others do.",
    calm events::events_read_back_unchanged: "An event comes back as it was written, with its number.",
    calm events::forgotten_events_are_gone: "`ForgetEvents` removes the tenant's events up to a number, and no others. Numbers go on.",
    calm events::newest_event_is_kept: "`ForgetEvents` never removes the tenant's newest event.",
    calm events::deleted_id_is_kept_with_its_event: "A deleted id is refused until the event of its deletion is forgotten.",
    calm events::event_appears_with_its_change: "An event is visible no later than the change that it tells of.",
    calm commits::epochs_always_increase: "Each commit has an epoch greater than those before.",
    calm commits::changes_report_every_touched_subject: "`changes` tells all that was touched since an epoch, or that the store no longer knows.",
    calm reads::resolve_returns_key_account_and_policy: "`resolve` gives the key, its account and its tenant's policy.",
    calm reads::resolve_sees_acknowledged_changes: "What was acknowledged is seen by every `resolve` that starts afterwards.",
    calm reads::lookups_see_acknowledged_changes: "What was acknowledged is seen by every lookup that starts afterwards.",
    calm reads::queries_see_acknowledged_changes: "What was acknowledged is seen by every query that starts afterwards.",
    calm reads::unknown_record_is_absent_not_error: "\"Absent\" is an answer and not a failure.",
    calm tenants::lookup_stays_in_its_tenant: "A lookup in one tenant never returns anything of another.",
    calm tenants::query_stays_in_its_tenant: "A query in one tenant never returns anything of another.",
    calm pages::keys_come_once_and_in_order: "Keys come in the order of the query, each once, on pages of any size.",
    calm pages::accounts_come_once_and_in_order: "Accounts come oldest first, each once, on pages of any size.",
    calm pages::events_come_once_and_in_order: "Events come newest first or oldest first, each once, on pages of any size.",
    calm pages::page_keeps_its_limit: "A page has no more items than the query's limit, and more are announced if there are more.",
    calm pages::unmoved_keys_appear_on_one_page: "A key that is neither added nor removed nor moved in the order appears on exactly one page.",
    calm queries::key_query_filters_are_obeyed: "The keys of a query are those that `KeyQuery::matches` matches, at the time that is given.",
    calm queries::account_query_filters_are_obeyed: "Accounts are found by name, id and role, whatever the case.",
    calm queries::event_query_filters_are_obeyed: "The events of a query are those that `EventQuery::matches` matches.",
    calm usage::usage_deltas_add_up: "Usage of a key is the sum of its deltas, in every method that shows it.",
    calm usage::usage_batch_counts_once: "Adding the same batch of usage again changes nothing.",
    calm usage::reused_writer_id_is_refused: "A batch with a number that its writer has passed, or with other deltas than the batch of that number, is a conflict.",
    calm usage::usage_writers_are_independent: "Batches of different writers are different batches.",
    calm usage::last_use_only_moves_forward: "The last use of a key never goes back.",
    calm usage::usage_of_absent_keys_is_dropped: "A delta for a key that is absent is dropped, and the others are added.",
    calm usage::usage_changes_no_record: "Adding usage touches usage and events alone: never a record.",
    calm usage::alert_is_due_once: "`is_alert_due` is asked for each delta, with the key's total before and after it.",
    racing races::one_concurrent_insert_wins: "Of many inserts of one id at once, one is done.",
    racing races::one_concurrent_update_wins: "Of many updates of one version at once, one is done.",
    racing races::limit_is_exact_under_concurrency: "A limit holds at the moment at which a commit writes, however many there are at once.",
    racing races::revoke_wins_over_updates: "A revoke wins against every update that runs at the same time.",
    racing races::delete_wins_over_updates: "A delete wins against every update that runs at the same time.",
    racing races::concurrent_usage_adds_up: "What many writers of usage add at once is added, all of it and once.",
    racing races::events_follow_commit_order: "Events have the order of the commits that wrote them, and so have epochs.",
    racing races::resolve_shows_one_moment: "`resolve` returns key, account and policy as of one moment.",
    racing races::readers_never_see_partial_batches: "No reader sees a part of a batch.",
    calm cancellation::dropped_commit_is_atomic: "Dropping a commit leaves the store as before it or as after it.",
    calm cancellation::dropped_usage_is_atomic: "Dropping a batch of usage leaves the store as before it or as after it.",
    calm cancellation::dropped_read_leaves_nothing: "Dropping a read leaves the store usable.",
}
