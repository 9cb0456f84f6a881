//! Shared code of the benchmarks: worlds to measure in, floors and peers, rounds, and figures with
//! their targets.

mod beside;
mod figure;
mod file;
mod fill;
mod floors;
mod hot;
mod lists;
mod process_memory;
mod ready;
mod rounds;
mod run;
mod tokens;
mod world;

pub use common::allocations::{Counting, allocations_of, held_by_size, held_bytes};

pub use self::beside::{Beside, rate_of, rate_of_two};
pub use self::figure::{Figure, Target, Unit};
pub use self::file::{fill_file, opening};
pub use self::fill::{Population, copy_keys};
pub use self::floors::{FlatMap, Prototype, hmac_sha_256, peer, sha_256_block};
pub use self::hot::hot_beside_memory;
pub use self::lists::Lists;
pub use self::process_memory::{peak_resident_bytes, resident_bytes};
pub use self::ready::{is_ready, ready};
pub use self::rounds::{Lane, interleave, percentile};
pub use self::run::{Run, commit};
pub use self::tokens::{Tokens, Walk};
pub use self::world::World;
