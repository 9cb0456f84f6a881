//! The contract of [`KeyStore`](crate::store::KeyStore) as an executable suite, for stores of your own.
//!
//! One line checks every rule on a store, each in a test of its own:
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
//! The argument is a [`Host`]: a function that creates a store, or a type that also runs the store's
//! futures. No rule can be left out. [`RULES`] lists all of them, for other test runners.
//!
//! Each rule works in new tenants with random ids. So all rules can run at the same time, and any
//! number of times, on one database that is never emptied.
//!
//! If a rule does not hold, it panics. The message names the rule, the call, the expected result and the
//! actual one.
//!
//! A suite cannot check from outside that an acknowledged change survives a power cut. It also cannot
//! wait: a store that measures the 7 days for which it remembers a writer of usage with a clock of its
//! own, and not with [`UsageBatch::at`](crate::store::UsageBatch::at), needs a test of its own for them.
//!
//! The module also has [`InterceptedStore`] and [`Faults`], which make a store fail in tests of your
//! service.

mod accounts;
mod all_tenants;
mod batches;
mod cancellation;
mod commits;
mod conditions;
mod counts;
mod events;
mod faults;
mod filters;
mod host;
mod inserts;
mod intercept;
mod moments;
mod moves;
mod owned_keys;
mod pages;
mod peeks;
mod queries;
mod races;
mod reads;
mod revokes;
mod run;
mod tenants;
mod test_tenants;
mod updates;
mod usage;
mod users;

use std::fmt;

use self::test_tenants::Space;

pub use self::faults::{Fault, Faults};
pub use self::host::{Host, Running};
pub use self::intercept::{Answer, Call, Intercept, InterceptedStore, Method};
pub use self::run::block_on;

/// One rule of the contract.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::store::conformance::{RULES, Rule};
///
/// let rule: &Rule = &RULES[0];
/// println!("{}: {}", rule.name, rule.summary);
/// (rule.check)(&MemoryStore::new); // panics if the rule does not hold
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rule {
    /// The name of the rule and of its test.
    pub name: &'static str,
    /// The rule in one or two sentences.
    pub summary: &'static str,
    /// The function that checks the rule on a host's store. It panics if the rule does not hold.
    pub check: fn(&dyn Host),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({}: {})", self.name, self.summary)
    }
}

/// Checks the rule with the given name on a host's store.
///
/// ```
/// use keywright::store::MemoryStore;
/// use keywright::store::conformance::{RULES, check};
///
/// for rule in &RULES[..3] {
///     check(rule.name, &MemoryStore::new);
/// }
/// ```
///
/// # Panics
/// Panics if the rule does not hold, or if no rule has this name.
pub fn check(name: &str, host: &dyn Host) {
    let rule = RULES.iter().find(|rule| rule.name == name);
    let Some(rule) = rule else { panic!("no rule is named {name}: see `RULES` for the names") };
    (rule.check)(host);
}

/// Lists the rules. A `calm` rule is one future. A `racing` rule starts threads, each of which runs
/// futures.
macro_rules! rules {
    ($d:tt $($kind:ident $module:ident::$name:ident: $summary:literal,)*) => {
        /// Every rule of the contract that can be checked from outside.
        ///
        /// ```
        /// use keywright::store::conformance::RULES;
        ///
        /// for rule in RULES {
        ///     println!("{}: {}", rule.name, rule.summary);
        /// }
        /// ```
        pub const RULES: &[Rule] = &[$(Rule {
            name: stringify!($name),
            summary: $summary,
            check: rules!(@$kind $module $name),
        },)*];

        /// Creates a test for every rule of the contract of [`KeyStore`](crate::store::KeyStore).
        ///
        /// The argument is a [`Host`](crate::store::conformance::Host), such as a function that creates
        /// a store. Each test evaluates it once. See [`conformance`](crate::store::conformance).
        ///
        /// ```
        /// # #[cfg(test)]
        /// mod my_store {
        ///     use keywright::store::MemoryStore;
        ///
        ///     keywright::store_conformance!(MemoryStore::new);
        /// }
        /// ```
        #[macro_export]
        macro_rules! store_conformance {
            ($d host:expr $d(,)?) => {$(
                #[doc = $summary]
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
    calm inserts::key_needs_its_owning_account: "Inserting a key is a conflict if the service account that owns it is absent.",
    calm inserts::records_read_back_unchanged: "Key, digests, account and policy come back as they were written.",
    calm inserts::policy_reads_back_unchanged: "A policy comes back as it was written: plan and settings, each with every field, or only one of them.",
    calm users::user_reads_back_unchanged: "A user's record comes back as it was written.",
    calm updates::key_update_needs_the_previous_version: "An update replaces a key whose version is one less. Otherwise it is a conflict.",
    calm updates::account_update_needs_the_previous_version: "An update replaces an account whose version is one less. Otherwise it is a conflict.",
    calm updates::policy_write_needs_the_previous_version: "A policy replaces the version that is one less, 0 if there is none. Otherwise it is a conflict.",
    calm users::user_write_needs_the_previous_version: "A user's record replaces the version that is one less, 0 if there is none. Otherwise it is a conflict.",
    calm updates::update_of_absent_record_conflicts: "An update of an absent record is a conflict.",
    calm updates::update_changes_no_identity: "An update that changes tenant or creation time of a key, or the tenant of an account, is refused as unsupported.",
    calm revokes::revoke_needs_no_version: "A revoke applies `KeyRecord::revoked` to the record, at any version.",
    calm revokes::older_update_cannot_undo_revoke: "An update that was read before a revoke can't undo it.",
    calm revokes::first_revoke_keeps_its_time: "A revoke is a conflict if the key is already revoked: the time of the first revoke stays.",
    calm revokes::revoke_of_absent_key_conflicts: "A revoke is a conflict if the key is absent.",
    calm revokes::delete_is_final: "A delete removes a key with its usage, and nothing brings it back.",
    calm accounts::account_with_keys_is_kept: "Deleting an account is a conflict if it owns a key that the batch does not delete too.",
    calm accounts::account_is_deleted_with_its_keys: "One batch can delete an account and every key that it owns.",
    calm accounts::deleted_account_is_gone: "A delete removes an account, and nothing brings it back.",
    calm moves::moved_key_has_its_new_owner: "An update can hand a key to another owner, whose key it then is in every method.",
    calm moves::moved_key_counts_for_its_new_owner: "The limit and `NoLiveKeyLeft` count a key for the owner that it has.",
    calm moves::account_is_deleted_after_its_keys_moved: "One batch can hand the keys of an account to other owners and delete the account.",
    calm moves::key_needs_its_new_owner: "Handing a key to a service account that is absent, or of another tenant, is a conflict.",
    calm moves::organization_can_own_keys: "The organization owns keys, apart from every user and account.",
    calm conditions::account_version_condition_holds: "A condition on an account's version holds at the commit, or nothing is written.",
    calm conditions::key_owner_condition_holds: "A condition on the owner of a key holds at the commit, or nothing is written.",
    calm conditions::policy_version_condition_holds: "A condition on a policy's version holds at the commit, or nothing is written.",
    calm conditions::user_version_condition_holds: "A condition on the version of a user's record holds at the commit, or nothing is written.",
    calm conditions::limit_is_checked_before_the_batch: "A commit is refused if the owner holds as many live keys as the limit before the batch.",
    calm conditions::limit_counts_live_keys_of_owner: "The limit counts the owner's keys in this tenant that are live at the given time.",
    calm conditions::no_live_key_left_after_batch: "`NoLiveKeyLeft` counts the owner's keys after the batch.",
    calm conditions::untouched_live_key_is_counted: "`NoLiveKeyLeft` and the limit count every live key of the owner, however many of them the batch revokes or deletes.",
    calm batches::failed_batch_writes_nothing: "A commit writes all of a batch, with its events, or nothing of it.",
    calm batches::batch_is_written_whole: "A commit writes all of a batch.",
    calm batches::batch_stays_in_its_tenant: "A batch that names another tenant is refused, and a key or account of another tenant is absent.",
    calm batches::batch_names_nothing_twice: "A batch with two changes of one key, account, user or policy is refused as unsupported.",
    calm events::events_are_numbered_from_1_without_gaps: "Each tenant's events are numbered from 1 in the order in which they were written, without gaps.",
    calm events::event_numbers_reveal_no_other_tenant: "A tenant's event numbers reveal nothing of what other tenants do.",
    calm events::events_read_back_unchanged: "An event comes back as it was written, with its number.",
    calm events::forgotten_events_are_gone: "`ForgetEvents` removes the tenant's events up to a number, and no others. Numbering continues.",
    calm events::newest_event_is_kept: "`ForgetEvents` never removes the tenant's newest event.",
    calm events::deleted_id_is_kept_with_its_event: "A deleted id is refused until the event of its deletion is forgotten.",
    calm events::deleted_account_id_stays_taken: "The id of a deleted account is refused until the event is forgotten that was the tenant's newest at the deletion.",
    calm events::event_appears_with_its_change: "An event is visible no later than its change.",
    calm commits::changes_report_every_touched_subject: "`changes` returns every subject that was touched since a marker, or that the store no longer knows.",
    calm users::changes_name_users: "`changes` returns every user whose record changed since a marker.",
    calm commits::unknown_marker_is_no_error: "`changes` since a marker that the store has not given succeeds and names no subjects.",
    calm reads::resolve_returns_key_account_and_policy: "`resolve` returns the key, its account and its tenant's policy.",
    calm reads::resolve_sees_acknowledged_changes: "Every `resolve` sees all changes that were acknowledged before it started.",
    calm peeks::peek_shows_what_resolve_returns: "`peek` shows one answer, that of `resolve`, or it shows none and returns false.",
    calm reads::lookups_see_acknowledged_changes: "Every lookup sees all changes that were acknowledged before it started.",
    calm reads::queries_see_acknowledged_changes: "Every query sees all changes that were acknowledged before it started.",
    calm users::key_comes_with_its_owner: "`resolve`, lookups and queries return a key with the record of its owner, as it is now.",
    calm reads::unknown_record_is_absent_not_error: "A call for an unknown id or tenant succeeds and finds nothing.",
    calm tenants::lookup_stays_in_its_tenant: "A lookup in one tenant never returns anything of another.",
    calm tenants::query_stays_in_its_tenant: "A query in one tenant never returns anything of another.",
    calm tenants::policies_have_order_of_tenants: "`policies` has one answer for each tenant, in the order of the ids, also for a tenant without a policy.",
    calm owned_keys::owned_keys_have_order_of_owners: "`owned_keys` has one answer for each owner, in the order of the owners, also for an owner without keys.",
    calm owned_keys::owned_live_keys_count_at_given_time: "`owned_keys` counts as live the keys that are active, disabled or scheduled at the given time.",
    calm owned_keys::owned_keys_stay_with_their_owner: "`owned_keys` counts no key of another owner, and none of an owner with the same id in another tenant.",
    calm owned_keys::newest_owned_keys_come_first: "`owned_keys` returns the newest keys of an owner first, those of one time by descending id, and at most as many as wanted.",
    calm owned_keys::owned_keys_are_as_stored: "`owned_keys` returns keys with usage and owner, as all changes that were acknowledged before it started left them.",
    calm counts::count_is_number_of_matching_keys: "`count_keys` returns the number of keys that `KeyQuery::matches` accepts at the given time.",
    calm counts::count_has_no_cursor_and_limit: "`count_keys` returns the same number for every cursor, order and limit.",
    calm counts::count_stays_in_its_tenant: "`count_keys` counts only keys of its tenant.",
    calm all_tenants::keys_of_all_tenants_have_one_order: "`keys_of_all_tenants` returns the keys of all tenants that a query matches, in one order, each once.",
    calm all_tenants::tenants_are_listed_with_their_numbers: "`tenants` lists every tenant that has an event, by id, each once, with the numbers of its records.",
    calm users::user_stays_in_its_tenant: "The records of users with one id in two tenants are independent.",
    calm pages::keys_come_once_and_in_order: "Keys come in the order of the query, each once, on pages of any size.",
    calm pages::accounts_come_once_and_in_order: "Accounts come oldest first, each once, on pages of any size.",
    calm pages::events_come_once_and_in_order: "Events come newest first or oldest first, each once, on pages of any size.",
    calm pages::page_keeps_its_limit: "A page has at most as many items as the query's limit, and a next query if there are more.",
    calm pages::full_last_page_has_no_next: "The last page of keys or accounts has no next query, also if it is full.",
    calm pages::unmoved_keys_appear_on_one_page: "A key that is neither added nor removed nor moved in the order appears on exactly one page.",
    calm queries::key_query_filters_are_obeyed: "A query returns the keys that `KeyQuery::matches` accepts at the given time.",
    calm filters::owner_kind_filter_is_obeyed: "`KeyQuery::owner_kind` finds the keys of owners of that kind, and no others.",
    calm filters::contact_filter_is_obeyed: "`KeyQuery::contact` finds the keys with exactly that contact.",
    calm filters::metadata_filter_is_obeyed: "`KeyQuery::metadata` finds the keys whose metadata has exactly that entry, or all of several.",
    calm filters::prefix_filter_is_obeyed: "`KeyQuery::prefix` finds the keys with exactly that prefix.",
    calm filters::search_reads_description_and_contact: "A search finds text in descriptions and contacts, in upper or lower case.",
    calm users::keys_are_found_by_owner_name: "A search finds keys by the name of their account or the display name of their user, as it is now.",
    calm queries::account_query_filters_are_obeyed: "Accounts are found by name, id and role, in upper or lower case.",
    calm queries::event_query_filters_are_obeyed: "A query returns the events that `EventQuery::matches` accepts.",
    calm usage::usage_deltas_add_up: "The usage of a key is the sum of its deltas, in every method that returns it.",
    calm usage::usage_batch_counts_once: "Adding the same batch of usage again changes nothing.",
    calm usage::reused_writer_id_is_refused: "A batch with a number that its writer has passed, or with other deltas than the batch of that number, is a conflict.",
    calm usage::usage_writers_are_independent: "Batches of one writer never hide batches of another.",
    calm usage::writer_is_remembered_for_7_days: "A repeated batch counts once for 7 days, also after other writers have added newer batches.",
    calm usage::last_use_only_moves_forward: "The last use of a key never goes back.",
    calm usage::usage_of_absent_keys_is_dropped: "A delta for an absent key is dropped, and the others are added.",
    calm usage::usage_changes_no_record: "Adding usage changes only usage and events, never a record.",
    calm usage::alert_is_due_once_per_window: "An alert is written once for each key and period, with the use that exceeds its limit.",
    calm usage::late_uses_count_in_their_window: "Uses of the period before count in that period, not in the current one.",
    calm usage::replaced_window_stays_closed: "Uses that are older than two later periods of the key count in the totals only.",
    calm usage::refused_uses_are_counted_apart: "Refused uses have a total, a last use and alerts of their own.",
    racing commits::concurrent_changes_are_told_once_visible: "`changes` from marker to marker name every commit of every tenant, and each of them is visible.",
    racing races::one_concurrent_insert_wins: "Of many concurrent inserts of one id, exactly one succeeds.",
    racing races::one_concurrent_update_wins: "Of many concurrent updates of one version, exactly one succeeds.",
    racing races::limit_is_exact_under_concurrency: "A limit holds exactly, also under concurrent commits.",
    racing races::revoke_wins_over_updates: "A revoke wins against every update that runs at the same time.",
    racing races::delete_wins_over_updates: "A delete wins against every update that runs at the same time.",
    racing races::concurrent_usage_adds_up: "Usage that many writers add concurrently is added completely and once.",
    racing races::concurrent_uses_raise_one_alert: "Uses that many writers add concurrently raise one alert for each period.",
    racing races::events_follow_commit_order: "Events and epochs have the order of their commits.",
    racing races::resolve_shows_one_moment: "`resolve` returns key, account and policy as they were at one moment.",
    racing peeks::peek_shows_no_older_state: "`peek` shows no older state than the last acknowledged one, and key, account and policy of one moment.",
    racing moments::owned_keys_show_one_moment: "`owned_keys` returns the numbers and keys of all owners as they were at one moment.",
    racing moments::policies_show_one_moment: "`policies` returns all policies as they were at one moment.",
    racing races::readers_never_see_partial_batches: "No reader sees a part of a batch.",
    calm cancellation::dropped_commit_is_atomic: "A dropped commit takes effect completely or not at all.",
    calm cancellation::dropped_usage_is_atomic: "A dropped usage batch takes effect completely or not at all.",
    calm cancellation::dropped_read_leaves_nothing: "A dropped read leaves the store usable.",
}
