//! The view of an operator: the span of each operation, its fields and its outcome.

mod background;
mod leaks;
mod metrics;
mod operations;
mod tables;
mod verifications;
