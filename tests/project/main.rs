//! Checks of the project itself: the shape of its source, and its pages' statements about the
//! tests.

mod coverage;
mod dependencies;
mod imports;
mod layers;
mod readme;
mod security;
mod source;
mod structure;
mod tables;
mod threats;

use std::path::Path;

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("it is two folders below the root")
}
