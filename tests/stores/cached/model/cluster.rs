//! Nodes over one history, and their possible steps.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::history::{History, Id, KEYS, Numbering, Touched, key_id, owner_of, tenant_of};
use super::rule::Rule;
use crate::lease::{Bounds, Fill, Forget, Ledger, Sync};
use crate::stamps::{Places, Stamps};
use crate::store::{Age, Changes, Freshness, Marker};
use common::Random;

const BOUNDS: Bounds =
    Bounds { max_staleness: Duration::from_millis(500), outage: Some(Duration::from_secs(5)) };

/// Counts of the kinds of steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) answers: usize,
    pub(super) answers_during_outage: usize,
    pub(super) fills_refused: usize,
    pub(super) syncs_failed: usize,
    pub(super) losses_noticed: usize,
    pub(super) regressions: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.answers_during_outage += other.answers_during_outage;
        self.fills_refused += other.fills_refused;
        self.syncs_failed += other.syncs_failed;
        self.losses_noticed += other.losses_noticed;
        self.regressions += other.regressions;
    }
}

struct Node {
    ledger: Ledger,
    stamps: Arc<Stamps>,
    /// The lease as lookups see it.
    published: Option<Duration>,
    entries: BTreeMap<usize, Entry>,
    syncing: Syncing,
    /// The marker of the last answer, also if its sync was given up.
    answered: Option<Marker>,
    fills: Vec<Filling>,
    /// The node's own changes that are committed and not acknowledged.
    changing: Vec<Id>,
    changed: Vec<Id>,
    /// The last loss that the node has noticed.
    told_of: usize,
}

#[derive(Default)]
enum Syncing {
    #[default]
    Not,
    Asked(Sync),
    /// The second field is set if the store has lost the known state, and says by which loss.
    Answered(Sync, Changes, Option<usize>),
    /// One half is done. Everyone except lookups waits for the other half.
    Half(Forget, Option<usize>),
}

/// An answer in memory.
#[derive(Clone, Copy)]
struct Entry {
    read: Option<Id>,
    fill: Fill,
}

struct Filling {
    fill: Fill,
    key: usize,
    read: Option<Read>,
}

/// The last commit of the key, if there is one.
struct Read(Option<Id>);

/// Returns whether a sync holds the lock of the node's ledger.
fn is_locked(node: &Node) -> bool {
    matches!(node.syncing, Syncing::Half(..))
}

pub(super) struct Cluster<R> {
    random: Random,
    now: Duration,
    history: History,
    is_down: bool,
    nodes: [Node; 3],
    /// Other nodes' changes that are committed and not acknowledged.
    changing: Vec<Id>,
    seen: Seen,
    rule: PhantomData<R>,
}

impl<R: Rule> Cluster<R> {
    pub(super) fn new(seed: u64) -> Self {
        let random = Random::seeded(seed);
        let numbering = [Numbering::Counted, Numbering::Drawn][random.below(2)];
        Self {
            random,
            now: Duration::from_secs(1),
            history: History::new(numbering),
            is_down: false,
            nodes: [(); 3].map(|()| Node::new()),
            changing: Vec::new(),
            seen: Seen::default(),
            rule: PhantomData,
        }
    }

    pub(super) fn seen(&self) -> Seen {
        let regressions = self.nodes.iter().map(|node| node.ledger.regressions()).sum();
        Seen { regressions, ..self.seen }
    }

    /// Performs a random step. Returns a description if the step breaks the promise.
    pub(super) fn step(&mut self) -> Result<(), String> {
        let place = self.random.below(self.nodes.len());
        match self.random.below(1_000) {
            0..300 => return self.look_up(place),
            300..400 => self.now += Duration::from_micros(1 + self.random.number() % 40_000),
            // The machine was suspended.
            400..401 => self.now += Duration::from_secs(1 + self.random.number() % 10_000),
            401..405 => self.change_elsewhere(),
            405..415 => self.acknowledge(),
            415..419 => self.change_own(place),
            419..429 => self.end_own_change(place),
            429..549 => self.begin_fill(place),
            549..669 => self.read_fill(place),
            669..789 => self.end_fill(place),
            789..988 => self.go_on_with_sync(place),
            988..992 => self.is_down = !self.is_down && self.random.below(4) == 0,
            _ => self.fail_over(),
        }
        Ok(())
    }

    fn look_up(&mut self, place: usize) -> Result<(), String> {
        let key = self.random.below(KEYS);
        let freshness = match self.random.below(4) {
            0 => Freshness::AtMost(Duration::from_millis(self.random.number() % 700)),
            1 if self.random.below(4) == 0 => Freshness::AtMost(Duration::ZERO),
            _ => Freshness::StoreDefault,
        };
        let node = &self.nodes[place];
        let Some(Entry { read, fill }) = node.entries.get(&key).copied() else { return Ok(()) };
        if !R::has_kept(&node.stamps, node.places(key), fill) {
            return Ok(());
        }
        let (age, bound) = match R::usable(BOUNDS, node.published, self.now, freshness) {
            Some(age) => (age, BOUNDS.max_staleness),
            None if self.is_down => {
                let published = node.published;
                let age = R::usable_during_outage(BOUNDS, published, self.now, freshness);
                let Some(age) = age else { return Ok(()) };
                self.seen.answers_during_outage += 1;
                if freshness != Freshness::StoreDefault {
                    return Err(format!("{freshness:?}, and in an outage: {age:?}"));
                }
                if !age.is_during_outage() {
                    return Err(format!("the age does not mention the outage: {age:?}"));
                }
                (age, BOUNDS.outage.unwrap_or_default())
            }
            None => return Ok(()),
        };
        self.seen.answers += 1;
        let asked = match freshness {
            Freshness::AtMost(Duration::ZERO) => return Err("from memory, of no age".to_owned()),
            Freshness::AtMost(asked) => asked,
            Freshness::StoreDefault => bound,
        };
        if age.duration() > bound.min(asked) {
            return Err(format!("{age:?}, where {:?} is too old", bound.min(asked)));
        }
        self.is_true(&self.nodes[place], key, read, age)
    }

    /// Checks that an answer is allowed.
    fn is_true(&self, node: &Node, key: usize, read: Option<Id>, age: Age) -> Result<(), String> {
        let since = self.now.saturating_sub(age.duration());
        let is_old = |id| self.history.is_acknowledged_before(id, since);
        if !self.history.reflects(key, read, is_old) {
            return Err(format!("a change of {key} is older than {age:?} and not in the answer"));
        }
        if !self.history.reflects(key, read, |id| node.changed.contains(&id)) {
            return Err(format!("a change of {key} by the node itself is not in the answer"));
        }
        // A node that has seen none of the lost commits, except in this answer, does not notice the
        // loss. It may give the answer until the key changes.
        match read.and_then(|id| self.history.lost_by(id)) {
            Some(loss) if loss <= node.told_of => {
                Err(format!("the answer for {key} was lost, and the node has noticed it"))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether commits are allowed now. A store that counts its commits cannot detect a
    /// loss once it has as many commits again, so it gets none until every node has noticed the
    /// loss.
    fn can_write(&self) -> bool {
        let knows = |node: &Node| {
            let since = node.ledger.begin_sync(self.now).since;
            let in_flight = match &node.syncing {
                Syncing::Answered(_, changes, _) => changes.at.clone(),
                _ => since.clone(),
            };
            self.history.knows(&since) && self.history.knows(&in_flight)
        };
        let drawn = self.history.numbering() == Numbering::Drawn;
        !self.is_down && (drawn || self.nodes.iter().all(knows))
    }

    fn change_elsewhere(&mut self) {
        if self.can_write() {
            let touched = Touched::draw(&mut self.random);
            self.changing.push(self.history.commit(touched, &mut self.random));
        }
    }

    fn acknowledge(&mut self) {
        if let Some(id) = take(&mut self.changing, &mut self.random) {
            self.history.acknowledge(id, self.now);
        }
    }

    fn change_own(&mut self, place: usize) {
        if self.can_write() {
            let touched = Touched::draw(&mut self.random);
            let id = self.history.commit(touched, &mut self.random);
            self.nodes[place].changing.push(id);
        }
    }

    fn end_own_change(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if is_locked(node) {
            return;
        }
        let Some(id) = take(&mut node.changing, &mut self.random) else { return };
        let touched = self.history.touched(id).subject();
        let keys = R::note_own_change(&mut node.ledger, touched);
        node.forget(&Forget::These(keys));
        // Otherwise the answer was lost.
        if self.random.below(4) > 0 {
            self.history.acknowledge(id, self.now);
            node.changed.push(id);
        }
    }

    fn begin_fill(&mut self, place: usize) {
        let key = self.random.below(KEYS);
        let node = &mut self.nodes[place];
        if !is_locked(node) && node.fills.len() < 3 {
            node.fills.push(Filling { fill: node.ledger.begin_fill(), key, read: None });
        }
    }

    fn read_fill(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if let Some(filling) = node.fills.iter_mut().find(|filling| filling.read.is_none())
            && !self.is_down
        {
            filling.read = Some(Read(self.history.state(filling.key)));
        }
    }

    fn end_fill(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if is_locked(node) {
            return;
        }
        let Some(filling) = take(&mut node.fills, &mut self.random) else { return };
        // Otherwise the store failed.
        let Some(Read(read)) = filling.read else { return };
        let places = node.places(filling.key);
        if R::admits(&node.ledger, filling.fill, &key_id(filling.key), places) {
            let fill = R::kept_fill(&node.ledger, filling.fill);
            node.entries.insert(filling.key, Entry { read, fill });
        } else {
            self.seen.fills_refused += 1;
        }
    }

    fn go_on_with_sync(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        node.syncing = match std::mem::take(&mut node.syncing) {
            Syncing::Not => {
                let answered = node.answered.take();
                Syncing::Asked(R::begin_sync(&node.ledger, self.now, answered))
            }
            Syncing::Asked(sync) | Syncing::Answered(sync, ..) if self.random.below(8) == 0 => {
                self.seen.syncs_failed += 1;
                R::give_sync_up(&mut node.ledger, &sync);
                node.published = node.ledger.confirmed();
                Syncing::Not
            }
            Syncing::Asked(sync) if self.is_down => Syncing::Asked(sync),
            Syncing::Asked(sync) => {
                let lost = (!self.history.knows(&sync.since)).then_some(self.history.losses());
                let mut changes = R::ask(&self.history, &sync.since);
                if self.random.below(100) == 0 {
                    // A store is free to forget old changes.
                    changes.touched = None;
                }
                node.answered = Some(changes.at.clone());
                Syncing::Answered(sync, changes, lost)
            }
            Syncing::Answered(sync, changes, lost) => {
                let forget = R::end_sync(&mut node.ledger, &sync, changes, self.now);
                if R::FORGETS_FIRST {
                    node.forget(&forget);
                } else {
                    node.published = node.ledger.confirmed();
                }
                Syncing::Half(forget, lost)
            }
            Syncing::Half(forget, lost) => {
                if R::FORGETS_FIRST {
                    node.published = node.ledger.confirmed();
                } else {
                    node.forget(&forget);
                }
                if let Some(loss) = lost {
                    self.seen.losses_noticed += 1;
                    node.told_of = loss;
                }
                Syncing::Not
            }
        };
    }

    fn fail_over(&mut self) {
        // As many commits again would hide an unnoticed loss.
        if self.can_write() && self.random.below(6) == 0 {
            self.history.lose(1 + self.random.below(4));
        }
    }
}

impl Node {
    fn new() -> Self {
        let stamps = Arc::new(Stamps::new(1 << 10));
        Self {
            ledger: Ledger::new(Arc::clone(&stamps)),
            stamps,
            published: None,
            entries: BTreeMap::new(),
            syncing: Syncing::Not,
            answered: None,
            fills: Vec::new(),
            changing: Vec::new(),
            changed: Vec::new(),
            told_of: 0,
        }
    }

    fn places(&self, key: usize) -> Places {
        self.stamps.places(&tenant_of(key), &owner_of(key))
    }

    fn forget(&mut self, forget: &Forget) {
        match forget {
            Forget::These(keys) => self.entries.retain(|key, _| !keys.contains(&key_id(*key))),
            // A cache removes the entries later, if at all.
            Forget::Everything => {}
        }
    }
}

/// Removes and returns a random element.
fn take<T>(from: &mut Vec<T>, random: &mut Random) -> Option<T> {
    if from.is_empty() { None } else { Some(from.swap_remove(random.below(from.len()))) }
}
