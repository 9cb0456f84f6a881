//! Epochs in the tables: the number of the commit in the high bits, and random bits below it.
//!
//! The random bits identify the commit. A server that has lost commits and made others with the same
//! numbers has other epochs, so a cache notices the loss.

/// The number of random bits in an epoch.
const RANDOM_BITS: u32 = 20;

/// Returns the SQL assignment that replaces the epoch with the next one.
pub(super) fn advance() -> String {
    advance_from("epoch")
}

/// Returns the SQL assignment that replaces the epoch with one above it and above another one, such
/// as `$1`.
pub(in crate::store) fn advance_beyond(other: &str) -> String {
    advance_from(&format!("greatest(epoch, {other})"))
}

fn advance_from(epoch: &str) -> String {
    format!(
        "epoch = ((({epoch} >> {RANDOM_BITS}) + 1) << {RANDOM_BITS}) + floor(random() * {})::bigint",
        1_u32 << RANDOM_BITS,
    )
}

/// Returns the number of the commit that an epoch belongs to, counted from 1.
pub(super) fn count(epoch: u64) -> u64 {
    epoch >> RANDOM_BITS
}
