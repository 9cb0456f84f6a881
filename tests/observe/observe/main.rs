//! What an operator sees of each operation: its span, its fields and its outcome.

mod background;
mod capture;
mod metrics;
mod operations;
mod tables;
mod verifications;
