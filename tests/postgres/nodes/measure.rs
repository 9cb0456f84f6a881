//! Rounds of revocations, the properties that each must have, and the table's rows.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Line, NODES};
use crate::node::{BOUND, TENANTS};
use crate::watch::Seen;

/// Number of keys that are watched at once.
const KEYS_AT_ONCE: usize = 16;
/// Time after the bound until the tests check whether a key is still accepted.
const MARGIN: Duration = Duration::from_millis(100);

/// Returns the number of revocations on a healthy database, from the environment or the default.
fn healthy_amount() -> usize {
    let given = env::var("KEYWRIGHT_REVOCATIONS").ok();
    given.map_or(60, |text| text.parse().expect("KEYWRIGHT_REVOCATIONS is a number"))
}

/// Returns a fraction of that number, for scenarios in which each revocation takes longer.
pub(crate) fn amount(part: usize) -> usize {
    (healthy_amount() / part).max(10)
}

/// A row of the table.
#[derive(Default)]
pub(crate) struct Row {
    /// From the return of the revoke call to the end of the last node's acceptance.
    delays: Vec<Duration>,
    accepted_too_late: u64,
    unavailable: u64,
    /// From the end of a failure until all nodes accept a living key again.
    recoveries: Vec<Duration>,
}

/// Keys that all nodes watch, to be revoked together.
pub(crate) struct Round {
    pub(crate) lines: Vec<Line>,
    keys: Vec<WatchedKey>,
}

struct WatchedKey {
    tenant: &'static str,
    id: String,
    token: String,
    /// The time at which the revoke call returned.
    revoked_at: Option<Duration>,
}

impl Round {
    /// Generates keys of both tenants and waits until all nodes accept them.
    pub(crate) fn begin(cluster: &Cluster, amount: usize) -> Self {
        let mut lines = cluster.lines();
        let mut keys = Vec::new();
        for number in 0..amount {
            let tenant = TENANTS[number % TENANTS.len()];
            let (id, token) = lines[number % NODES].generate(&format!("alice {tenant}"));
            keys.push(WatchedKey { tenant, id, token, revoked_at: None });
        }
        let mut round = Self { lines, keys };
        round.watch();
        round
    }

    fn watch(&mut self) {
        for WatchedKey { id, token, .. } in &self.keys {
            self.lines.iter_mut().for_each(|line| drop(line.ask(&format!("watch {id} {token}"))));
        }
        for WatchedKey { id, .. } in &self.keys {
            self.lines.iter_mut().for_each(|line| drop(line.ask(&format!("accepted {id}"))));
        }
    }

    /// Waits until all nodes refuse the revoked keys.
    pub(crate) fn wait_until_refused(&mut self) {
        for WatchedKey { id, .. } in &self.keys {
            self.lines.iter_mut().for_each(|line| drop(line.ask(&format!("refused {id}"))));
        }
    }

    /// Waits until all nodes accept the keys again, because the revocations were lost.
    pub(crate) fn wait_until_accepted(&mut self) {
        self.watch_anew();
        // The refusals before the caches were emptied must not count.
        self.watch_anew();
    }

    fn watch_anew(&mut self) {
        for key in &mut self.keys {
            key.revoked_at = None;
            self.lines.iter_mut().for_each(|line| drop(line.ask(&format!("seen {}", key.id))));
        }
        self.watch();
    }

    /// Revokes this many of the remaining keys through one node. While the database is unreachable,
    /// the call is repeated.
    pub(crate) fn revoke(&mut self, node: usize, amount: usize) {
        let left = self.keys.iter_mut().filter(|key| key.revoked_at.is_none());
        for key in left.take(amount) {
            let revoke = format!("revoke {} {}", key.id, key.tenant);
            let said = self.lines[node].ask_until_done(&revoke);
            key.revoked_at = Some(Duration::from_micros(said.parse().expect("a moment")));
        }
    }

    pub(crate) fn revoke_all(&mut self, node: usize) {
        self.revoke(node, usize::MAX);
    }

    /// Waits until no node may accept any of the keys.
    pub(crate) fn wait_for_the_bound() {
        thread::sleep(BOUND + MARGIN);
    }

    /// Asserts that all nodes report the keys as revoked in the end, and that all earlier answers
    /// were right.
    pub(crate) fn end(mut self, row: &mut Row) {
        self.wait_until_refused();
        for key in &self.keys {
            let revoked = key.revoked_at.expect("it was revoked");
            let mut stopped = revoked;
            for line in &mut self.lines {
                let seen = line.ask(&format!("seen {}", key.id));
                let seen = Seen::read(&seen).expect("the node's observations");
                assert_eq!(seen.revived, 0, "a key came back: {seen:?}");
                check(&seen);
                assert!(
                    seen.known <= Some(revoked),
                    "revoked at {revoked:?}, an answer claimed to be younger: {seen:?}"
                );
                row.accepted_too_late += u64::from(seen.last_accepted > Some(revoked + BOUND));
                row.unavailable += seen.unavailable;
                stopped = stopped.max(seen.stopped.expect("it was refused"));
            }
            row.delays.push(stopped.saturating_sub(revoked));
        }
    }
}

/// Asserts the properties of every watched key.
fn check(seen: &Seen) {
    assert_eq!(seen.strange, None, "an undecided key was called invalid");
    assert_eq!(seen.too_old, 0, "an answer was older than the bound: {seen:?}");
}

/// A key that is never revoked: no node may ever call it invalid.
pub(crate) struct LivingKey {
    lines: Vec<Line>,
    id: String,
}

impl LivingKey {
    pub(crate) fn watch(cluster: &Cluster) -> Self {
        let Round { lines, mut keys } = Round::begin(cluster, 1);
        Self { lines, id: keys.remove(0).id }
    }

    /// Waits until all nodes accept the key again, without any help.
    pub(crate) fn recovers(&mut self, row: &mut Row) {
        let begin = Instant::now();
        let question = format!("accepted {}", self.id);
        self.lines.iter_mut().for_each(|line| drop(line.ask(&question)));
        row.recoveries.push(begin.elapsed());
    }

    pub(crate) fn end(mut self, row: &mut Row) {
        for line in &mut self.lines {
            let seen = Seen::read(&line.ask(&format!("seen {}", self.id)))
                .expect("the node's observations");
            check(&seen);
            assert!(!seen.is_refused && seen.revived == 0, "the key was never revoked: {seen:?}");
            row.unavailable += seen.unavailable;
        }
    }
}

/// Revokes keys on a healthy database, some at once, each through another node than the one that
/// generated it.
pub(crate) fn revoke_on_healthy_database(cluster: &Cluster, amount: usize) -> Row {
    let mut total = Row::default();
    let living = LivingKey::watch(cluster);
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..KEYS_AT_ONCE.min(amount) {
            scope.spawn(|| {
                let mut row = Row::default();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= amount {
                        break;
                    }
                    let mut round = Round::begin(cluster, 1);
                    round.revoke_all(number % NODES);
                    Round::wait_for_the_bound();
                    round.end(&mut row);
                }
                rows.lock().expect("no thread panicked").push(row);
            });
        }
    });
    for row in rows.into_inner().expect("no thread panicked") {
        total.add(row);
    }
    living.end(&mut total);
    total
}

impl Row {
    fn add(&mut self, other: Self) {
        self.delays.extend(other.delays);
        self.accepted_too_late += other.accepted_too_late;
        self.unavailable += other.unavailable;
        self.recoveries.extend(other.recoveries);
    }

    pub(crate) fn unavailable(&self) -> u64 {
        self.unavailable
    }

    /// Prints the row, and fails if a node accepted a key too late.
    pub(crate) fn show(mut self, scenario: &str) {
        self.delays.sort();
        let at = |share: usize| {
            let last = self.delays.len() - 1;
            millis(self.delays[(last * share).div_ceil(1_000)])
        };
        let recovery = self.recoveries.iter().max().copied().map_or("–".to_owned(), millis);
        println!(
            "\n| {scenario} | {} | {} | {} | {} | {} | {} | {recovery} |",
            self.delays.len(),
            at(500),
            at(990),
            at(1_000),
            self.accepted_too_late,
            self.unavailable,
        );
        assert_eq!(self.accepted_too_late, 0, "accepted later than the bound allows: {scenario}");
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1_000.0)
}
