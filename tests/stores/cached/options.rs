//! The options of a cache, at both bounds of each.

use std::time::Duration;

use keywright::store::{CacheOptions, CacheOptionsError, CachedStore, MemoryStore};

use common::{DAY, MOMENT};

fn check(options: CacheOptions) -> Result<(), CacheOptionsError> {
    CachedStore::new(MemoryStore::new(), options).map(|_| ())
}

#[test]
fn settings_are_checked_at_their_bounds() {
    type Set = fn(CacheOptions, Duration) -> CacheOptions;
    type Refused = fn(Duration) -> CacheOptionsError;
    let millis = Duration::from_millis;
    let table: [(Set, Duration, Duration, Refused); 3] = [
        (
            CacheOptions::max_staleness,
            millis(10),
            Duration::from_hours(1),
            CacheOptionsError::MaxStaleness,
        ),
        (
            CacheOptions::danger_accept_revoked_keys_during_an_outage,
            // The lower bound is `max_staleness`, here its default.
            Duration::from_secs(1),
            7 * DAY,
            CacheOptionsError::Outage,
        ),
        (
            CacheOptions::store_timeout,
            millis(1),
            Duration::from_mins(1),
            CacheOptionsError::StoreTimeout,
        ),
    ];
    for (set, least, most, refused) in table {
        for taken in [least, most] {
            assert_eq!(check(set(CacheOptions::new(), taken)), Ok(()));
        }
        for beyond in [Duration::ZERO, least.saturating_sub(MOMENT), most + MOMENT, Duration::MAX] {
            assert_eq!(check(set(CacheOptions::new(), beyond)), Err(refused(beyond)));
        }
    }
    assert_eq!(check(CacheOptions::new().capacity(1)), Ok(()));
    assert_eq!(check(CacheOptions::new().capacity(0)), Err(CacheOptionsError::Capacity));
}

#[test]
fn outage_bound_is_at_least_staleness() {
    let hour = Duration::from_hours(1);
    let options = |outage| {
        let options = CacheOptions::new().max_staleness(hour);
        check(options.danger_accept_revoked_keys_during_an_outage(outage))
    };
    let less = hour.saturating_sub(MOMENT);
    assert_eq!(options(less), Err(CacheOptionsError::Outage(less)));
    assert_eq!(options(hour), Ok(()));
}

#[test]
fn debug_output_shows_every_option() {
    let shown = format!("{:?}", CacheOptions::default());
    assert_eq!(
        shown,
        "CacheOptions { max_staleness: 1s, outage: None, store_timeout: 2s, capacity: 1000000, .. }"
    );
}
