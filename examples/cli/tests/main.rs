//! The operator's tool, run as a process: its exit codes, its two output streams, the secrets that
//! it hides, and the answer of every command.

mod all_tenants;
mod answers;
mod desk;
mod listings;
mod refusals;
mod tokens;
mod tries;
