//! The crate's promises, with at least one test for each promise of the guide, on every store of
//! the crate. A test's name starts with its promise: `w1_` holds W1.

mod abilities;
mod abilities_and_generate;
mod access_page;
mod account_entries;
mod account_keys;
mod alerts;
mod concurrent_changes;
mod concurrent_limits;
mod console;
mod counts;
mod dropped;
mod events;
mod id_and_secret;
mod leak_reports;
mod listing;
mod notes;
mod operator;
mod organization_keys;
mod outages;
mod owner_races;
mod owners;
mod peppers;
mod plan_limits;
mod policy_limits;
mod possessors;
mod refusals;
mod restrictions;
mod rotation;
mod service_accounts;
mod stale_edits;
mod sweeps;
mod tenant_admin;
mod tickets;
mod unexpected_keys;
mod usage;

common::suite!();
