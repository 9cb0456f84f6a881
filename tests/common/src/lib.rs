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
pub mod support;

use std::path::Path;

/// The folder of the whole project.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("it is two folders below")
}
