//! The operator's tool, driven as a process: exit codes, what goes to which
//! stream, what is never shown, and that every command works and says so.

mod answers;
mod desk;
mod listings;
mod refusals;
mod tokens;
