//! Refused checks that differ in the secret alone, for callgrind. `scripts/secrets` runs it, and compares the
//! instructions of the functions whose names begin with `counted_`.
//!
//! All are counted in one process with one store, in which the lookup of one key takes the same steps each time.

use std::hint::black_box;

use common::{ALPHABET, HOUR, World, admin, block_on, render};

/// The number of checks of each kind.
const CALLS: usize = 1_000;

/// Wrong secrets that differ from the right one at one place.
struct Wrong {
    first: String,
    middle: String,
    last: String,
    all: String,
}

impl Wrong {
    fn of(id: &str, secret: &str) -> Self {
        let with = |places: &[usize]| {
            let other = |symbol: u8| if symbol == ALPHABET.as_bytes()[7] { '9' } else { '7' };
            let symbols = secret.bytes().take(32).enumerate();
            let changed = symbols.map(|(place, symbol)| {
                if places.contains(&place) { other(symbol) } else { char::from(symbol) }
            });
            render("acme_live", id, &changed.collect::<String>())
        };
        let all: Vec<usize> = (0..32).collect();
        Self { first: with(&[0]), middle: with(&[16]), last: with(&[31]), all: with(&all) }
    }
}

/// Declares functions that callgrind counts apart. Each refuses a token many times.
macro_rules! counted {
    ($($name:ident)*) => {$(
        #[inline(never)]
        fn $name(world: &World, token: &str) {
            // Functions with equal instructions would become one.
            black_box(stringify!($name));
            for _ in 0..CALLS {
                let answer = block_on(world.verifier.verify(black_box(token)));
                black_box(answer.expect_err("a wrong secret"));
            }
        }
    )*};
}

counted! {
    warm_up counted_live_first counted_live_middle counted_live_last counted_live_all
    counted_overlap counted_disabled counted_revoked counted_unknown
}

/// Compares byte by byte and stops at the first difference, as no check may.
#[inline(never)]
fn naive(a: &str, b: &str) -> bool {
    black_box(a).bytes().zip(black_box(b).bytes()).all(|(a, b)| a == b)
}

#[inline(never)]
fn counted_naive_first(right: &str, wrong: &str) {
    black_box("first");
    for _ in 0..CALLS {
        assert!(!naive(right, wrong));
    }
}

#[inline(never)]
fn counted_naive_last(right: &str, wrong: &str) {
    black_box("last");
    for _ in 0..CALLS {
        assert!(!naive(right, wrong));
    }
}

fn main() {
    let world = World::in_memory();
    let (authority, admin) = (&world.authority, admin());
    let live = block_on(world.key());
    let id = live.key.id;
    let wrong = Wrong::of(id.as_str(), live.token.expose_key_secret());
    // The first checks of a key take a copy of it.
    for token in [&wrong.first, &wrong.last] {
        warm_up(&world, token);
    }
    counted_live_first(&world, &wrong.first);
    counted_live_middle(&world, &wrong.middle);
    counted_live_last(&world, &wrong.last);
    counted_live_all(&world, &wrong.all);
    let right = live.token.expose();
    counted_naive_first(right, &wrong.first);
    counted_naive_last(right, &wrong.last);

    // It is one key in each status: the steps of a lookup depend on the id.
    block_on(authority.rotate(&admin, &id, HOUR)).expect("active");
    warm_up(&world, &wrong.all);
    counted_overlap(&world, &wrong.all);
    block_on(authority.disable(&admin, &id)).expect("active");
    warm_up(&world, &wrong.all);
    counted_disabled(&world, &wrong.all);
    block_on(authority.revoke(&admin, &id)).expect("disabled");
    warm_up(&world, &wrong.all);
    counted_revoked(&world, &wrong.all);

    let unknown = Wrong::of("0000000000000000", live.token.expose_key_secret()).all;
    warm_up(&world, &unknown);
    counted_unknown(&world, &unknown);
}
