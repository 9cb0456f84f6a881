//! The project as it lies there: the shape of its source, and what its pages say of the tests.

mod coverage;
mod imports;
mod layers;
mod readme;
mod source;
mod structure;

use std::path::Path;

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("it is two folders below")
}
