//! The rosters of tenants whose keys were searched, kept exact over commits.
//!
//! Every transaction has a number, which it writes into the state record. Before it commits, the
//! writer announces the number with the keys that it touched. A reader takes a roster, then begins
//! its read transaction, and brings the roster to the number of that transaction with the
//! announced keys. So the roster and the records are of one moment, also while commits go on.

mod slot;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockWriteGuard};

use self::slot::Slot;
use super::access::{Access, Reading};
use super::facts::Facts;
use super::index::{Order, split_time};
use super::lists::{Keys, Span};
use super::roster::Roster;
use super::tables::malformed;
use super::touches::Touch;
use crate::record::owner_record::OwnerRecord;
use crate::store::error::StoreError;
use crate::store::query::KeyQuery;
use crate::value::id::{KeyId, TenantId};
use crate::value::time::{NEVER_YET, Timestamp};

/// A generous estimate of the bytes per key, to know before a build that a roster is too large.
const BYTES_PER_KEY: u64 = 256;
/// The fewest and the most keys of a part, if the roster of a tenant is too large to be kept.
const PARTS: (u64, u64) = (256, 65_536);

/// The rosters, bounded in bytes.
pub(super) struct Rosters {
    most_bytes: u64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The number of the last transaction that was announced.
    announced: u64,
    /// The number of reads, by which the slots are ordered in time.
    reads: u64,
    slots: HashMap<TenantId, Arc<Slot>>,
}

impl Rosters {
    pub(super) fn new(most_bytes: u64) -> Self {
        Self { most_bytes, known: Mutex::default() }
    }

    /// Announces a transaction that is about to commit.
    pub(super) fn announce(&self, number: u64, touched: Vec<(TenantId, Touch)>) {
        let mut known = self.known();
        known.announced = number;
        if known.slots.is_empty() {
            return;
        }
        for (tenant, touch) in touched {
            let Some(slot) = known.slots.get(&tenant) else { continue };
            if !slot.announce(number, touch) {
                // The roster was not read for so long that it is cheaper to build it again.
                known.remove(&tenant);
            }
        }
    }

    /// Runs a query on the roster of a tenant and on the records of the same moment. Builds the
    /// roster if there is none. Returns `None` if it would be too large.
    pub(super) fn read<T>(
        &self,
        tenant: &TenantId,
        begin: impl Fn() -> Result<Reading, StoreError>,
        run: impl FnOnce(&Reading, &Roster) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let slot = self.slot(tenant);
        {
            // The roster is locked before the transaction begins, so it is never the newer one.
            let kept = slot.read();
            if let Some(roster) = kept.as_deref().and_then(Option::as_ref) {
                let reading = begin()?;
                if slot.is_current(reading.number()?) {
                    return run(&reading, roster).map(Some);
                }
            }
        }
        let mut kept = slot.write();
        let reading = begin()?;
        let number = reading.number()?;
        let current = match kept.take() {
            Some(mut roster) if !slot.is_closed() => {
                follow(&mut roster, tenant, &reading, slot.take_until(number))?;
                roster
            }
            _ if reading.tenant(tenant)?.keys.saturating_mul(BYTES_PER_KEY) > self.most_bytes => {
                self.remove(tenant);
                return Ok(None);
            }
            _ => {
                let roster = build(tenant, &reading)?;
                if number < slot.since || slot.is_closed() {
                    // The slot may not know of a transaction that this one does not include.
                    return run(&reading, &roster).map(Some);
                }
                drop(slot.take_until(number));
                roster
            }
        };
        slot.set_bytes(current.bytes() as u64);
        *kept = Some(current);
        self.evict(tenant);
        let kept = RwLockWriteGuard::downgrade(kept);
        kept.as_ref().map(|roster| run(&reading, roster)).transpose()
    }

    /// Reads all keys of a tenant, a part at a time, so that a tenant of any size needs little memory.
    pub(super) fn in_parts(
        &self,
        tenant: &TenantId,
        reading: &Reading,
        query: &KeyQuery,
        mut run: impl FnMut(&Roster) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let keys = Keys::of(reading);
        let most = (self.most_bytes / BYTES_PER_KEY).clamp(PARTS.0, PARTS.1);
        let (mut part, mut size) = (Roster::default(), 0);
        for row in Span::of_tenant(Order::Created, tenant).rows(reading)? {
            let (entry, value) = row?;
            let facts = decode(entry.value(), value.value())?;
            let used = if query.looks_at_usage() { last_use(&keys, &facts.id)? } else { NEVER_YET };
            put(&mut part, &keys, tenant, &facts, used)?;
            size += 1;
            if size == most {
                run(&std::mem::take(&mut part))?;
                size = 0;
            }
        }
        run(&part)
    }

    /// Returns the slot of a tenant, which from now on notes what transactions touch.
    fn slot(&self, tenant: &TenantId) -> Arc<Slot> {
        let mut known = self.known();
        known.reads += 1;
        let (reads, announced) = (known.reads, known.announced);
        let slot = known.slots.entry(tenant.clone()).or_insert_with(|| Slot::new(announced).into());
        slot.set_read(reads);
        Arc::clone(slot)
    }

    fn remove(&self, tenant: &TenantId) {
        self.known().remove(tenant);
    }

    /// Removes the rosters that were not read for the longest time, until all fit.
    fn evict(&self, current: &TenantId) {
        let mut known = self.known();
        let mut bytes: u64 = known.slots.values().map(|slot| slot.bytes()).sum();
        while bytes > self.most_bytes {
            let others = known.slots.iter().filter(|(tenant, _)| *tenant != current);
            let oldest = others.min_by_key(|(_, slot)| slot.last_read());
            let Some(oldest) = oldest.map(|(tenant, _)| tenant.clone()) else { break };
            bytes -= known.remove(&oldest);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Removes the slot of a tenant, and returns its size.
    fn remove(&mut self, tenant: &TenantId) -> u64 {
        let Some(slot) = self.slots.remove(tenant) else { return 0 };
        // A reader may still have it.
        slot.close();
        slot.bytes()
    }
}

fn build(tenant: &TenantId, reading: &Reading) -> Result<Roster, StoreError> {
    let keys = Keys::of(reading);
    let mut roster = Roster::default();
    for row in Span::of_tenant(Order::Created, tenant).rows(reading)? {
        let (entry, value) = row?;
        put(&mut roster, &keys, tenant, &decode(entry.value(), value.value())?, NEVER_YET)?;
    }
    roster.complete();
    for row in Span::of_tenant(Order::Used, tenant).since(NEVER_YET + 1).rows(reading)? {
        let (entry, _) = row?;
        let (used, id) = split_time(entry.value()).ok_or_else(|| damaged(entry.value()))?;
        roster.set_used(&id, used);
    }
    Ok(roster)
}

/// Adds a key to a roster.
fn put(
    roster: &mut Roster,
    keys: &Keys<'_>,
    tenant: &TenantId,
    facts: &Facts<'_>,
    used: i64,
) -> Result<(), StoreError> {
    roster.put(facts, used, |owner| {
        let owner = owner.parse().map_err(|_| damaged(owner.as_bytes()))?;
        let name = shown(keys.reading.record_of_owner(tenant, &owner)?.as_ref());
        Ok((owner, name))
    })
}

fn last_use(keys: &Keys<'_>, id: &KeyId) -> Result<i64, StoreError> {
    Ok(keys.usage(id)?.last_used_at().map_or(NEVER_YET, Timestamp::unix_micros))
}

fn decode<'a>(entry: &[u8], value: &'a [u8]) -> Result<Facts<'a>, StoreError> {
    Facts::decode(entry, value).ok_or_else(|| damaged(entry))
}

/// Returns the error for a damaged entry of the index.
fn damaged(entry: &[u8]) -> StoreError {
    malformed("index", entry)
}

/// Brings a roster to the moment of a transaction.
fn follow(
    roster: &mut Roster,
    tenant: &TenantId,
    reading: &Reading,
    touched: Vec<Touch>,
) -> Result<(), StoreError> {
    let keys = Keys::of(reading);
    for touch in touched {
        match touch {
            // The record in force may be that of a later change, which is among the touched ones too.
            Touch::Key(id) => match reading.key(&id)? {
                Some(record) => {
                    let used = last_use(&keys, &id)?;
                    put(roster, &keys, tenant, &Facts::of(record.key()), used)?;
                }
                None => roster.remove(&id),
            },
            Touch::Used(id, at) => roster.set_used(&id, at),
            Touch::Owner(owner) => {
                let record = reading.record_of_owner(tenant, &owner)?;
                roster.set_shown(&owner, shown(record.as_ref()));
            }
        }
    }
    roster.tidy();
    Ok(())
}

fn shown(owner: Option<&OwnerRecord>) -> Option<String> {
    owner.and_then(OwnerRecord::shown_name).map(|name| name.as_str().to_owned())
}
