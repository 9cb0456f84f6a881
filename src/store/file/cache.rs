//! The keys in memory: a bounded number of snapshots, which are never older than the file.
//!
//! A hit takes no lock. An answer that was read from the file is kept only if no commit could have
//! changed it since before the read began:
//!
//! * Each key belongs to a stripe, and each tenant has a gate. Before a commit, the leader closes the
//!   stripes of the keys and the gates of the tenants that the commit touches. After it, the leader
//!   opens them.
//! * Closing a stripe drops the touched keys from memory, and its number moves. An answer is kept
//!   under the lock of its stripe, if the stripe is open and its number did not move since before the
//!   read. A gate is for the policy and the owners of a tenant, which are kept with it: every change
//!   of a key reads them first. A closed gate, and one whose number moved, makes all kept answers of
//!   the tenant invalid.
//! * Between closing and opening, reads of these keys go to the file, which changes at one moment.
//!
//! If the stripe were closed only after the commit, one caller could read the new state from the file
//! and a later one the old state from memory.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use papaya::HashMap as ConcurrentMap;

use crate::record::freshness::Age;
use crate::record::key::Owner;
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::snapshot::Snapshot;
use crate::store::resolve::{FoundRef, Look};
use crate::value::id::{KeyId, TenantId};

/// The most stripes. A commit closes one stripe for each key that it touches.
const MOST_STRIPES: usize = 1_024;
/// The fewest keys for each stripe, so that few keys do not displace each other.
const FEWEST_PER_STRIPE: usize = 64;
/// The most owners of a tenant whose records are shared by the snapshots of their keys.
const MOST_OWNERS: usize = 10_000;
/// The number of tenants after which gates without keys in memory are dropped.
const GATES_KEPT: usize = 1_024;

pub(super) struct Cache {
    entries: ConcurrentMap<KeyId, Entry, RandomState>,
    stripes: Box<[Mutex<Stripe>]>,
    per_stripe: usize,
    gates: Mutex<Gates>,
    /// Moves before any gate closes and before it opens.
    moves: AtomicU64,
}

/// A key as a verification reads it.
struct Entry {
    snapshot: Arc<Snapshot>,
    gate: Arc<Gate>,
    /// The number of the gate when the snapshot was read.
    read_at: u64,
    /// Whether the entry was used since it was last considered for removal.
    is_used: AtomicBool,
}

#[derive(Default)]
struct Stripe {
    is_closed: bool,
    /// The number of times that the stripe was closed.
    closings: u64,
    /// The keys of the stripe in memory, in the order in which they are considered for removal. A
    /// key that was dropped since is still here once.
    keys: VecDeque<KeyId>,
}

struct Gates {
    by_tenant: HashMap<TenantId, Arc<Gate>, RandomState>,
    /// The number of gates at which unused ones are dropped.
    limit: usize,
}

/// The gate of a tenant. Its number is odd while it is closed.
#[derive(Default)]
pub(super) struct Gate {
    number: AtomicU64,
    known: Mutex<Known>,
}

/// The policy and the owners of a tenant, which its snapshots share.
#[derive(Default)]
struct Known {
    /// The number of the gate for which they hold.
    number: u64,
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it is known, the inner whether it exists"
    )]
    policy: Option<Option<Arc<TenantPolicy>>>,
    owners: HashMap<Owner, Option<OwnerRecord>, RandomState>,
}

/// A read of a key that is about to begin.
pub(super) struct Fill {
    stripe: usize,
    is_open: bool,
    closings: u64,
    pub(super) moves: Moves,
}

/// How often gates had moved when a read was about to begin.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Moves(u64);

/// The tenant of a key during a read, whose policy and owners may be shared.
pub(super) struct TenantFill {
    gate: Arc<Gate>,
    /// The number of the gate; `None` if a gate moved since the read began, so that nothing that was
    /// read can be kept.
    number: Option<u64>,
}

impl Cache {
    /// Creates a cache for about this number of keys, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let stripes = (capacity / FEWEST_PER_STRIPE).clamp(1, MOST_STRIPES).next_power_of_two();
        let stripes = stripes.min(MOST_STRIPES);
        Self {
            entries: ConcurrentMap::default(),
            stripes: (0..stripes).map(|_| Mutex::default()).collect(),
            per_stripe: (capacity / stripes).max(1),
            gates: Mutex::new(Gates { by_tenant: HashMap::default(), limit: GATES_KEPT }),
            moves: AtomicU64::new(0),
        }
    }

    /// Returns the snapshot of a key, if it is in memory and valid.
    pub(super) fn get(&self, key: &KeyId) -> Option<Arc<Snapshot>> {
        let entries = self.entries.pin();
        entries.get(key).and_then(Entry::used).cloned()
    }

    /// Looks at the snapshot of a key without a copy. Returns whether it is in memory and valid.
    pub(super) fn peek(&self, key: &KeyId, look: &mut Look<'_>) -> bool {
        let entries = self.entries.pin();
        let Some(snapshot) = entries.get(key).and_then(Entry::used) else { return false };
        look(Some(FoundRef { snapshot, age: Age::NONE }));
        true
    }

    /// Notes that a read of a key is about to begin.
    pub(super) fn begin(&self, key: &KeyId) -> Fill {
        let stripe = self.stripe_of(key);
        let moves = self.moves();
        let state = lock(&self.stripes[stripe]);
        Fill { stripe, is_open: !state.is_closed, closings: state.closings, moves }
    }

    /// Notes that a read of policies or owners is about to begin.
    pub(super) fn moves(&self) -> Moves {
        Moves(self.moves.load(Ordering::SeqCst))
    }

    /// Returns a tenant whose policy or owners are read after the gates had moved this often.
    pub(super) fn tenant(&self, moves: Moves, tenant: &TenantId) -> TenantFill {
        let gate = self.gate(tenant);
        let number = gate.number.load(Ordering::SeqCst);
        // If no gate moved since before the read, the gate had this number all the time.
        let is_still = self.moves() == moves && number.is_multiple_of(2);
        TenantFill { gate, number: is_still.then_some(number) }
    }

    /// Returns the policies of tenants as of one moment, if all of them are in memory and valid.
    pub(super) fn policies(&self, tenants: &[TenantId]) -> Option<Vec<Option<Arc<TenantPolicy>>>> {
        let moves = self.moves();
        let policy = |tenant| {
            let tenant = self.tenant(moves, tenant);
            tenant.known(tenant.number?).policy.clone()
        };
        let policies = tenants.iter().map(policy).collect::<Option<_>>()?;
        (self.moves() == moves).then_some(policies)
    }

    /// Returns the record of an owner, or that there is none, if it is in memory and valid.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it is known, the inner whether it exists"
    )]
    pub(super) fn owner(&self, tenant: &TenantId, owner: &Owner) -> Option<Option<OwnerRecord>> {
        let tenant = self.tenant(self.moves(), tenant);
        tenant.known(tenant.number?).owners.get(owner).cloned()
    }

    /// Keeps a snapshot that was read after `fill` began, unless a commit may have changed it since.
    pub(super) fn keep(&self, fill: &Fill, tenant: TenantFill, snapshot: &Arc<Snapshot>) {
        let Some(read_at) = tenant.number.filter(|_| fill.is_open) else { return };
        let key = *snapshot.record().id();
        let mut stripe = lock(&self.stripes[fill.stripe]);
        if stripe.is_closed || stripe.closings != fill.closings {
            return;
        }
        let entries = self.entries.pin();
        let entry = Entry {
            snapshot: Arc::clone(snapshot),
            gate: tenant.gate,
            read_at,
            is_used: AtomicBool::new(false),
        };
        if entries.insert(key, entry).is_none() {
            stripe.keys.push_back(key);
        }
        while stripe.keys.len() > self.per_stripe {
            let Some(first) = stripe.keys.pop_front() else { break };
            // A used key gets a second chance. The new key is the last, so the loop ends.
            let is_used = |entry: &Entry| entry.is_used.swap(false, Ordering::Relaxed);
            if first != key && entries.get(&first).is_some_and(is_used) {
                stripe.keys.push_back(first);
            } else {
                entries.remove(&first);
            }
        }
    }

    /// Closes the stripes of these keys and the gates of these tenants, until the result is dropped.
    /// Only one caller may hold a result.
    pub(super) fn close<'a>(
        &self,
        keys: &HashSet<KeyId>,
        tenants: impl IntoIterator<Item = &'a TenantId>,
    ) -> Closed<'_> {
        let gates: Vec<_> = tenants.into_iter().map(|tenant| self.gate(tenant)).collect();
        if !gates.is_empty() {
            self.moves.fetch_add(1, Ordering::SeqCst);
            for gate in &gates {
                gate.number.fetch_add(1, Ordering::SeqCst);
            }
        }
        let stripes: HashSet<usize> = keys.iter().map(|key| self.stripe_of(key)).collect();
        for stripe in &stripes {
            let mut stripe = lock(&self.stripes[*stripe]);
            stripe.is_closed = true;
            stripe.closings += 1;
            stripe.keys.retain(|key| !keys.contains(key));
        }
        let entries = self.entries.pin();
        for key in keys {
            entries.remove(key);
        }
        Closed { cache: self, stripes, gates }
    }

    fn gate(&self, tenant: &TenantId) -> Arc<Gate> {
        let mut gates = lock(&self.gates);
        if let Some(gate) = gates.by_tenant.get(tenant) {
            return Arc::clone(gate);
        }
        if gates.by_tenant.len() >= gates.limit {
            gates.by_tenant.retain(|_, gate| Arc::strong_count(gate) > 1);
            gates.limit = GATES_KEPT.max(2 * gates.by_tenant.len());
        }
        Arc::clone(gates.by_tenant.entry(tenant.clone()).or_default())
    }

    fn stripe_of(&self, key: &KeyId) -> usize {
        let (front, _) = key.as_bytes().split_first_chunk::<8>().expect("16 bytes hold 8");
        let mixed = u64::from_le_bytes(*front).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        usize::try_from(mixed).unwrap_or_default() % self.stripes.len()
    }
}

impl Entry {
    /// Returns the snapshot if it is valid, after a [`touch`](Snapshot::touch), and notes the use.
    fn used(&self) -> Option<&Arc<Snapshot>> {
        if self.gate.number.load(Ordering::Acquire) != self.read_at {
            return None;
        }
        if !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        self.snapshot.touch();
        Some(&self.snapshot)
    }
}

impl TenantFill {
    /// Returns the policy of the tenant, from memory or from the file.
    pub(super) fn policy<E>(
        &self,
        read: impl FnOnce() -> Result<Option<TenantPolicy>, E>,
    ) -> Result<Option<Arc<TenantPolicy>>, E> {
        let Some(number) = self.number else { return Ok(read()?.map(Arc::new)) };
        if let Some(policy) = self.known(number).policy.clone() {
            return Ok(policy);
        }
        let policy = read()?.map(Arc::new);
        Ok(self.known(number).policy.get_or_insert(policy).clone())
    }

    /// Returns the record of an owner in the tenant, from memory or from the file.
    pub(super) fn owner<E>(
        &self,
        owner: &Owner,
        read: impl FnOnce() -> Result<Option<OwnerRecord>, E>,
    ) -> Result<Option<OwnerRecord>, E> {
        let Some(number) = self.number else { return read() };
        if let Some(record) = self.known(number).owners.get(owner) {
            return Ok(record.clone());
        }
        let record = read()?;
        let mut known = self.known(number);
        if known.owners.len() >= MOST_OWNERS {
            known.owners.clear();
        }
        known.owners.insert(owner.clone(), record.clone());
        Ok(record)
    }

    /// Returns what is known for this number of the gate.
    fn known(&self, number: u64) -> MutexGuard<'_, Known> {
        let mut known = lock(&self.gate.known);
        if known.number != number {
            *known = Known { number, ..Known::default() };
        }
        known
    }
}

/// Closed stripes and gates, which open on drop.
pub(super) struct Closed<'a> {
    cache: &'a Cache,
    stripes: HashSet<usize>,
    gates: Vec<Arc<Gate>>,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if !self.gates.is_empty() {
            self.cache.moves.fetch_add(1, Ordering::SeqCst);
            for gate in &self.gates {
                gate.number.fetch_add(1, Ordering::SeqCst);
            }
        }
        for stripe in &self.stripes {
            lock(&self.cache.stripes[*stripe]).is_closed = false;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No call under these locks can panic between two changes that belong together.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
