//! What is possible with a key, and what is not.

mod bad_input;
mod decision;
#[cfg(feature = "file")]
mod queries;
mod regressions;
mod tables;
