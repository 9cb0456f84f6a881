//! Power cuts at every step of a lifecycle, on all cores. The remaining file must open with all
//! acknowledged changes, with or without the one change in flight.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::cuts::Cut;
use crate::disk::Disk;
use crate::lifecycle::Life;
use crate::opening::{Found, Opened, open, open_file};

/// An open that takes longer counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// One in this many states is also opened through a file.
const FILES: usize = 50;
/// One in this many states gets power cuts during its recovery.
const RECOVERIES: usize = 100;
/// At one in this many steps the process is killed, and the power fails during the next open.
const KILLS: u64 = 8;
/// Number of states tried for each step of a recovery.
const WAYS: usize = 3;

/// The results of all cuts.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) states: usize,
    /// States with different bytes or different allowed results.
    pub(crate) distinct: usize,
    pub(crate) as_acknowledged: usize,
    pub(crate) with_the_change_in_flight: usize,
    pub(crate) files: usize,
    pub(crate) recoveries: usize,
    pub(crate) cut_recoveries: usize,
    pub(crate) kills: usize,
    pub(crate) cut_kills: usize,
    /// Cuts during the creation of the store, before it was acknowledged.
    pub(crate) unmade: usize,
    pub(crate) refused: BTreeMap<String, usize>,
    pub(crate) wrong: Vec<String>,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.states += other.states;
        self.distinct += other.distinct;
        self.as_acknowledged += other.as_acknowledged;
        self.with_the_change_in_flight += other.with_the_change_in_flight;
        self.files += other.files;
        self.recoveries += other.recoveries;
        self.cut_recoveries += other.cut_recoveries;
        self.kills += other.kills;
        self.cut_kills += other.cut_kills;
        self.unmade += other.unmade;
        for (told, count) in other.refused {
            *self.refused.entry(told).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} states, {} of them distinct:", self.states, self.distinct)?;
        writeln!(f, "{} opened as acknowledged", self.as_acknowledged)?;
        writeln!(f, "{} with the change in flight", self.with_the_change_in_flight)?;
        writeln!(f, "{} refused", self.refused.values().sum::<usize>())?;
        writeln!(f, "{} had no store yet", self.unmade)?;
        writeln!(f, "{} were opened as files too", self.files)?;
        let (recoveries, cut) = (self.recoveries, self.cut_recoveries);
        writeln!(f, "{recoveries} recoveries were cut at each step, into {cut} states more")?;
        let (kills, cut) = (self.kills, self.cut_kills);
        writeln!(f, "{kills} kills and a cut at each step of the next open: {cut} states more")?;
        self.refused.iter().try_for_each(|(told, count)| writeln!(f, "{count} times {told}"))?;
        self.wrong.iter().take(10).try_for_each(|wrong| writeln!(f, "{wrong}"))
    }
}

/// Cuts the lifecycle at every step, and opens about `states` remaining files in total.
pub(crate) fn cut_everywhere(life: &Life, states: usize, seed: u64) -> Totals {
    let campaign = Campaign {
        life,
        states,
        pending: (0..=life.steps.len()).map(|at| Cut::after(at, &life.steps, &[]).pending()).sum(),
        seed,
        next: AtomicUsize::new(0),
        seen: std::array::from_fn(|_| Mutex::default()),
        known: std::array::from_fn(|_| Mutex::default()),
        folder: tempfile::tempdir().expect("a temporary folder"),
    };
    let (teller, heard) = channel();
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(2, usize::from);
        for number in 0..threads {
            let (campaign, teller) = (&campaign, teller.clone());
            scope.spawn(move || campaign.work(number, &teller));
        }
        drop(teller);
        let mut totals = Totals::default();
        loop {
            match heard.recv_timeout(PATIENCE) {
                Ok(part) => totals.add(part),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return totals,
                Err(_) => {
                    // A hung thread cannot be ended, so the test prints its results and aborts.
                    eprintln!("an open hangs; until then: {totals}");
                    std::process::abort();
                }
            }
        }
    })
}

/// The SHA-256 of a state.
type Hash = [u8; 32];

/// The hash of a state, and its allowed results.
type Seen = HashSet<(Hash, RangeInclusive<usize>)>;

struct Campaign<'a> {
    life: &'a Life,
    states: usize,
    /// The number of unsynced steps, summed over all cuts.
    pending: usize,
    seed: u64,
    next: AtomicUsize,
    /// Split by the first byte of the hash, so that no large allocation of the tests hides one of
    /// an open.
    seen: [Mutex<Seen>; 256],
    /// The result of each state that was opened. The same bytes have the same result, so they are
    /// opened once.
    known: [Mutex<HashMap<Hash, Found>>; 256],
    folder: TempDir,
}

impl Campaign<'_> {
    fn work(&self, worker: usize, teller: &Sender<Totals>) {
        let file = self.folder.path().join(format!("{worker}.db"));
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at > self.life.steps.len() {
                return;
            }
            // The receiver is gone only when all work has ended.
            let _ = teller.send(self.cut(at, &file));
            if at >= self.life.made && (at as u64).wrapping_add(self.seed).is_multiple_of(KILLS) {
                let _ = teller.send(self.kill(at));
            }
        }
    }

    fn cut(&self, at: usize, file: &Path) -> Totals {
        let mut totals = Totals::default();
        let allowed = self.life.allowed(at);
        let cut = Cut::after(at, &self.life.steps, &[]);
        let seed = self.seed.wrapping_add(at as u64);
        // Cuts with more unsynced steps get more of the states.
        let ways = (self.states * cut.pending()).div_ceil(self.pending);
        for (way, left) in cut.leaves(ways, seed).enumerate() {
            totals.states += 1;
            let hash = hash(&left);
            if !lock(&self.seen[usize::from(hash[0])]).insert((hash, allowed.clone())) {
                continue;
            }
            totals.distinct += 1;
            let name = || format!("{}, way {way}", self.life.name(at));
            if at < self.life.made {
                match self.open(left) {
                    Found::State(0) | Found::Refused(_) => totals.unmade += 1,
                    other => totals.wrong.push(format!("{}: {other:?}", name())),
                }
                continue;
            }
            if (at + way).is_multiple_of(FILES) {
                totals.files += 1;
                let found = open_file(self.life, file, &left);
                judge(&mut totals, &found, &allowed, || format!("{}, as a file", name()));
            }
            let is_watched = (at * 7 + way).is_multiple_of(RECOVERIES);
            let (found, opened) = Opened::on(self.life, Disk::holding(left.clone()));
            match &found {
                Found::State(number) if number == allowed.start() => totals.as_acknowledged += 1,
                Found::State(_) => totals.with_the_change_in_flight += 1,
                _ => {}
            }
            judge(&mut totals, &found, &allowed, name);
            let Found::State(number) = found else { continue };
            // A second open has the same result, after a close or without one.
            let Opened { disk, after, while_open } = opened;
            let again = if way.is_multiple_of(2) { while_open } else { disk.bytes() };
            let again = self.open(again);
            judge(&mut totals, &again, &(number..=number), || format!("{}, again", name()));
            if is_watched {
                totals.recoveries += 1;
                let steps = disk.steps();
                for within in 0..=steps.len() {
                    // After the open has returned, the result must not change again.
                    let allowed = if within < after { allowed.clone() } else { number..=number };
                    let cut = Cut::after(within, &steps, &left);
                    for left in cut.leaves(WAYS, seed ^ within as u64) {
                        totals.cut_recoveries += 1;
                        let found = self.open(left);
                        judge(&mut totals, &found, &allowed, || {
                            format!("{}, and its recovery at step {within}", name())
                        });
                    }
                }
            }
        }
        totals
    }

    /// Kills the process at this step: the next one sees all its writes, and no more of them is
    /// synced. Then cuts the power at the steps of the next one's recovery.
    fn kill(&self, at: usize) -> Totals {
        let mut totals = Totals { kills: 1, ..Totals::default() };
        let allowed = self.life.allowed(at);
        let killed = Cut::after(at, &self.life.steps, &[]);
        let (found, opened) = Opened::on(self.life, Disk::holding(killed.all()));
        let name = || format!("a kill in place of {}", self.life.name(at));
        judge(&mut totals, &found, &allowed, name);
        let Found::State(number) = found else { return totals };
        let unsynced = killed.pending();
        let steps = [killed.unsynced(), &opened.disk.steps()].concat();
        for within in 0..=steps.len() - unsynced {
            let allowed = if within < opened.after { allowed.clone() } else { number..=number };
            let cut = Cut::after(unsynced + within, &steps, killed.synced());
            for left in cut.leaves(WAYS, self.seed ^ (at + within) as u64) {
                totals.cut_kills += 1;
                let found = self.open(left);
                judge(&mut totals, &found, &allowed, || {
                    format!("{}, and a cut at step {within} of the next open", name())
                });
            }
        }
        totals
    }

    /// Opens these bytes, unless they were opened before.
    fn open(&self, left: Vec<u8>) -> Found {
        let hash = hash(&left);
        let known = &self.known[usize::from(hash[0])];
        if let Some(found) = lock(known).get(&hash) {
            return found.clone();
        }
        let found = open(self.life, left);
        lock(known).insert(hash, found.clone());
        found
    }
}

fn hash(left: &[u8]) -> Hash {
    Sha256::digest(left).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change under these locks is one call, so a panic cannot leave it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn judge(
    totals: &mut Totals,
    found: &Found,
    allowed: &RangeInclusive<usize>,
    name: impl FnOnce() -> String,
) {
    match found {
        Found::State(number) if allowed.contains(number) => {}
        Found::State(number) => {
            totals.wrong.push(format!("{}: it has {number} changes, not {allowed:?}", name()));
        }
        Found::Wrong(wrong) => totals.wrong.push(format!("{}: {wrong}", name())),
        Found::Refused(told) => {
            *totals.refused.entry(told.clone()).or_default() += 1;
            totals.wrong.push(format!("{}: it is refused: {told}", name()));
        }
    }
}
