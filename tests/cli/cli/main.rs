//! The program `keywright`, run as a process: its exit codes, its two output streams, the secrets that
//! it hides, and the answer of every command.

mod all_tenants;
mod answers;
mod confirmations;
mod desk;
mod encryption;
mod exit_codes;
mod files;
mod first_run;
mod generated;
mod hidden;
mod leaks;
mod listings;
mod outputs;
#[cfg(unix)]
mod pty;
mod refusals;
mod scan;
mod service;
#[cfg(unix)]
mod terminal;
mod tokens;
mod tries;
