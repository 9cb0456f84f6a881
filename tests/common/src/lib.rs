//! What the tests share.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    reason = "a test that goes wrong panics, and what is made here is used at once"
)]

mod actors;
mod answers;
#[cfg(feature = "postgres")]
pub mod database;
pub mod faults;
pub mod guide;
pub mod needs;
#[cfg(feature = "postgres")]
pub mod on_tokio;
pub mod operations;
mod random;
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

pub use crate::actors::{SCOPES, admin, developer, name, named, open_policy, tenant, user};
pub use crate::answers::{chain, decided, denial, denied, says, secret_of};
pub use crate::random::{OutOfEntropy, Random, amount, new_seed, seed};
pub use crate::time::{BEGINNING, DAY, HOUR, MOMENT, SECOND, start, time};
pub use crate::tokens::{ALPHABET, check, drawing, render};
pub use crate::visible_state::{all_events, all_keys, events_of, picture, picture_of_now};
pub use crate::world::{TestResult, World};

/// The main function of a binary whose tests say what they need, with some more trials.
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

/// The folder of the whole project.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("it is two folders below")
}
