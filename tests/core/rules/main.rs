//! What is possible with a key, and what is not.

mod bad_input;
mod decision;
mod queries;
mod regressions;
mod tables;
