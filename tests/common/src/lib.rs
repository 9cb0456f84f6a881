//! The shared code of the tests.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    reason = "a failing test panics, and a test uses every value at once"
)]

mod actors;
pub mod allocations;
mod answers;
#[cfg(feature = "observed")]
pub mod capture;
#[cfg(feature = "postgres")]
pub mod database;
mod expected_panics;
pub mod faults;
pub mod guide;
pub mod header_rule;
pub mod needs;
#[cfg(feature = "postgres")]
pub mod on_tokio;
pub mod operations;
mod random;
#[cfg(feature = "observed")]
pub mod recorded;
#[cfg(feature = "file")]
pub mod sealed;
pub mod slow_search;
pub mod store_lifecycle;
pub mod stores;
pub mod suite;
mod time;
mod tokens;
#[cfg(feature = "postgres")]
pub mod transfer;
mod visible_state;
mod world;
#[cfg(feature = "file")]
pub mod writer;

use std::path::Path;

pub use futures_lite::future::block_on;
pub use inventory;
pub use keywright_test_macros::test;
pub use libtest_mimic::Trial;

pub use crate::actors::{
    SCOPES, add_role, admin, cut_scopes, developer, enabled, limit_everything, name, named,
    open_policy, plan_with, tenant, user,
};
pub use crate::answers::{chain, decided, denial, denied, missing, says, secret_of};
pub use crate::expected_panics::silence_panics_in;
pub use crate::random::{OutOfEntropy, Random, amount, new_seed, seed};
pub use crate::time::{BEGINNING, DAY, HOUR, MOMENT, SECOND, start, time};
pub use crate::tokens::{ALPHABET, check, drawing, render};
pub use crate::visible_state::{all_events, all_keys, events_of, picture, picture_of_now};
pub use crate::world::{TestResult, World, set_policy, settings_edit};

/// Defines the main function of a test binary with the tests of [`test`](macro@test), and further trials.
#[macro_export]
macro_rules! suite {
    () => {
        $crate::suite!(Vec::new());
    };
    ($more:expr) => {
        fn main() -> std::process::ExitCode {
            $crate::suite::run(env!("CARGO_CRATE_NAME"), env!("CARGO_TARGET_TMPDIR"), $more)
        }
    };
}

/// Returns the root folder of the project.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the package is two folders below the root")
}
