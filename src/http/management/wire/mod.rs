//! The wire format: the bodies of requests and responses, and the problems.

pub(super) mod abilities;
mod error_codes;
pub(super) mod policy_bodies;
pub(super) mod policy_views;
pub(super) mod problem;
pub(super) mod request_bodies;
pub(super) mod responses;
pub(super) mod strict_values;
pub(super) mod tenants;
pub(super) mod views;
