//! The program `keywright`, run as a process: its exit codes, its two output streams, the secrets that
//! it hides, and the answer of every command.

mod all_tenants;
mod answers;
mod confirmations;
mod desk;
mod exit_codes;
mod files;
mod first_run;
mod generated;
mod hidden;
mod listings;
mod outputs;
mod refusals;
mod service;
mod tokens;
mod tries;
