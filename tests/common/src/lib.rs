//! What the tests share.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test that goes wrong panics, whoever finds it out"
)]

#[cfg(feature = "postgres")]
pub mod database;
#[cfg(feature = "file")]
pub mod harness;
pub mod kit;
#[cfg(feature = "postgres")]
pub mod moving;
pub mod needs;
#[cfg(feature = "postgres")]
pub mod on_tokio;
pub mod stores;
pub mod suite;
pub mod support;

use std::path::Path;

pub use inventory;
pub use keywright_test_macros::test;
pub use libtest_mimic::Trial;

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
