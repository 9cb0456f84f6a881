//! This module counts the uses of one key in memory until they are flushed.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::record::policy::{Policy, TenantPolicy};
use crate::value::id::KeyId;
use crate::value::time::Timestamp;

/// The uses of a key that are counted and not yet taken. The tally holds more than bare counters: a
/// use must find its counter without a lookup, and a flush must find the counters that were used.
///
/// A tally is kept apart from its snapshot, so that a counter that waits for a flush keeps nothing
/// else in memory.
#[derive(Debug)]
pub(crate) struct Tally {
    key: KeyId,
    /// The number of the secret that counts as the current one.
    secret_number: u32,
    alert: AlertThreshold,
    current: Count,
    retiring: Count,
    /// Uses of secrets before those two, from snapshots that were taken before a rotation.
    older: Count,
    /// True while the tally is on a list of tallies to be taken.
    listed: AtomicBool,
}

/// The stored part of the rule for events of extensive use. The rest comes from the host's default
/// policy when the uses are taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AlertThreshold {
    /// The tenant's setting, if it has one.
    setting: Option<NonZeroU64>,
    /// The lowest threshold of the tenant's stored plan, if it has one.
    min: Option<NonZeroU64>,
}

impl AlertThreshold {
    pub(crate) fn of(policy: Option<&TenantPolicy>) -> Self {
        let settings = policy.and_then(|policy| policy.settings.as_ref());
        let plan = policy.and_then(|policy| policy.plan.as_ref());
        Self {
            setting: settings.and_then(|settings| settings.extensive_use),
            min: plan.map(|plan| plan.min_extensive_use),
        }
    }

    pub(crate) fn under(self, default: &Policy) -> Option<NonZeroU64> {
        let min = self.min.unwrap_or(default.plan.min_extensive_use);
        self.setting.or(default.settings.extensive_use).map(|every| every.max(min))
    }
}

#[derive(Debug, Default)]
struct Count {
    uses: AtomicU64,
    last_used_at: AtomicI64,
}

/// A number of uses, and the time of the last one.
pub(crate) type Uses = (u64, Timestamp);

/// The uses that were taken from a tally, for each secret.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) current: Option<Uses>,
    pub(crate) retiring: Option<Uses>,
    pub(crate) older: Option<Uses>,
}

impl Tally {
    pub(crate) fn new(key: KeyId, secret_number: u32, alert: AlertThreshold) -> Self {
        Self {
            key,
            secret_number,
            alert,
            current: Count::default(),
            retiring: Count::default(),
            older: Count::default(),
            listed: AtomicBool::new(false),
        }
    }

    pub(crate) fn key(&self) -> &KeyId {
        &self.key
    }

    pub(crate) fn secret_number(&self) -> u32 {
        self.secret_number
    }

    pub(crate) fn alert(&self) -> AlertThreshold {
        self.alert
    }

    /// Counts a use. Returns whether the tally is on the list of tallies to be taken.
    pub(crate) fn count(&self, retiring: bool, now: Timestamp) -> bool {
        let count = if retiring { &self.retiring } else { &self.current };
        count.add((1, now));
        self.listed.load(Ordering::SeqCst)
    }

    /// Returns whether the tally's secret is newer than that of another snapshot of the key.
    pub(crate) fn is_ahead_of(&self, other: &Self) -> bool {
        self.secret_number > other.secret_number
    }

    /// Moves the counts of another snapshot of the key, whose secret is not newer, into this tally.
    pub(crate) fn absorb(&self, other: &Self) {
        let taken = other.take();
        let (current, retiring) = match self.secret_number.saturating_sub(other.secret_number) {
            0 => (&self.current, &self.retiring),
            1 => (&self.retiring, &self.older),
            _ => (&self.older, &self.older),
        };
        let places =
            [(current, taken.current), (retiring, taken.retiring), (&self.older, taken.older)];
        for (count, uses) in places {
            if let Some(uses) = uses {
                count.add(uses);
            }
        }
    }

    /// Returns whether the tally is on the list of tallies to be taken.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// Marks the tally as listed. Returns false if it was marked before.
    pub(crate) fn mark_listed(&self) -> bool {
        !self.listed.swap(true, Ordering::SeqCst)
    }

    /// Marks the tally as not listed.
    pub(crate) fn unlist(&self) {
        self.listed.store(false, Ordering::SeqCst);
    }

    /// Takes the counted uses and marks the tally as not listed.
    pub(crate) fn take(&self) -> Taken {
        self.unlist();
        Taken {
            current: self.current.take(),
            retiring: self.retiring.take(),
            older: self.older.take(),
        }
    }
}

impl Count {
    fn add(&self, (uses, last): Uses) {
        if self.last_used_at.load(Ordering::Relaxed) < last.unix_micros() {
            self.last_used_at.fetch_max(last.unix_micros(), Ordering::Relaxed);
        }
        // `count` adds before it reads `listed`, and `take` clears `listed` before it swaps, in one total order.
        // So a flush that takes a listed tally sees every use that found the tally listed.
        self.uses.fetch_add(uses, Ordering::SeqCst);
    }

    fn take(&self) -> Option<Uses> {
        let uses = self.uses.swap(0, Ordering::SeqCst);
        let last = Timestamp::from_unix_micros(self.last_used_at.load(Ordering::Relaxed));
        (uses > 0).then_some((uses, last.unwrap_or(Timestamp::MIN)))
    }
}
