//! This module holds the records (keys, accounts, policies, actors and events) and every legal
//! transition between their states.

pub(crate) mod account;
pub(crate) mod actor;
pub(crate) mod admin_limits;
pub(crate) mod alerts;
pub(crate) mod edit;
pub(crate) mod event;
pub(crate) mod freshness;
pub(crate) mod head;
pub(crate) mod interner;
pub(crate) mod key;
pub(crate) mod key_transfer;
pub(crate) mod new_key;
pub(crate) mod operation;
pub(crate) mod operator;
pub(crate) mod owner_record;
pub(crate) mod plan;
pub(crate) mod policy;
mod policy_bounds;
pub(crate) mod policy_error;
pub(crate) mod policy_field;
pub(crate) mod policy_in_force;
pub(crate) mod quantity;
pub(crate) mod rates_in_force;
pub(crate) mod requirement;
pub(crate) mod role;
pub(crate) mod rotation;
pub(crate) mod rules;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod scopes_in_force;
pub(crate) mod settings;
pub(crate) mod snapshot;
pub(crate) mod status;
pub(crate) mod tally;
pub(crate) mod usage;
pub(crate) mod use_windows;
pub(crate) mod user;
pub(crate) mod violation;
