//! Epochs as the tables number them: a count, and bits that are drawn behind it.
//!
//! An epoch says which commit it was, and not only which number, so that a cache sees when a server has lost
//! some of them.

/// How many of an epoch's bits are drawn.
const RANDOM_BITS: u32 = 20;

/// The assignment in SQL that moves the epoch on.
pub(in crate::store) fn advance() -> String {
    format!(
        "epoch = (((epoch >> {RANDOM_BITS}) + 1) << {RANDOM_BITS}) + floor(random() * {})::bigint",
        1_u32 << RANDOM_BITS,
    )
}

/// How many commits there were up to an epoch.
pub(super) fn count(epoch: u64) -> u64 {
    epoch >> RANDOM_BITS
}
