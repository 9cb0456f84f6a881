//! The rules of keys: valid and bad input, decisions, listings, and the tables of the guide.

mod bad_input;
mod decision;
#[cfg(feature = "file")]
mod queries;
#[cfg(feature = "file")]
mod quoted_errors;
mod regressions;
mod tables;
