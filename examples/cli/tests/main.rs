//! The operator's tool among the examples, driven as a process: exit codes, what goes to which
//! stream, what is never shown, and that every command works and says so.

#![cfg(feature = "file")]

mod answers;
mod desk;
mod listings;
mod refusals;
mod tokens;
