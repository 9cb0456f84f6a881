//! Memory per key, and pages and searches, of the store in memory.

use keywright::store::MemoryStore;
use kit::{Figure, Lists, Run, Target, Unit};

use crate::Many;

const RESIDENT: &str = "memory per key, resident";
const REQUESTED: &str = "memory per key, requested from the allocator";

pub(crate) fn measure(run: &Run, many: &Many<'_>) {
    if run.wants_one(&[RESIDENT, REQUESTED]) {
        per_key(run, many);
    }
    if Lists::<MemoryStore>::are_wanted(run, "memory") {
        let population = many.get();
        let lists = Lists { store: &population.store, name: "memory" };
        lists.measure(run, population, population.tokens.len());
    }
}

/// Shows what a key takes, and in allocations of which sizes.
fn per_key(run: &Run, many: &Many<'_>) {
    let population = many.get();
    let keys = whole(population.tokens.len());
    let held = whole(population.held.unsigned_abs()) / keys;
    let figures = [(RESIDENT, whole(population.resident) / keys), (REQUESTED, held)];
    for (name, bytes) in figures {
        run.show(&Figure::alone(name, Unit::Bytes, &[bytes]).target(Target::Most(500.0)));
    }
    for (size, bytes) in population.by_size.iter().take(8).filter(|(_, bytes)| *bytes > 0) {
        let bytes = whole(bytes.unsigned_abs()) / keys;
        let what = match size {
            Some(size) => {
                let each = bytes / whole(*size);
                format!(
                    "allocations of {} to {size} bytes, {each:.2} per key",
                    size.saturating_sub(15)
                )
            }
            None => "larger allocations, such as tables".to_owned(),
        };
        run.note(format!("{bytes:>6.1} bytes per key in {what}"));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure has few digits")]
fn whole(number: usize) -> f64 {
    number as f64
}
