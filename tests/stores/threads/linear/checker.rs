//! Whether a history fits an order: the search of Wing and Gong, with the memory of Lowe.
//!
//! J. M. Wing and C. Gong, "Testing and verifying concurrent objects" (1993); G. Lowe, "Testing for
//! linearizability" (2017). A call is put next in the order if no other that is not in it yet ended
//! before this one began, and if the model answers as it was answered. A call of unknown outcome is
//! put anywhere after its beginning, or nowhere.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::history::{Answer, Call, History, Op};
use super::model::State;

/// The calls of a history that have been put in order: a bit for each.
type Ordered = u128;

/// How much was searched, and what of.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    histories: u32,
    calls: usize,
    /// Pairs of calls that ran at the same time.
    overlaps: usize,
    pub(crate) unknown: usize,
    steps: usize,
    answers: BTreeMap<String, usize>,
}

impl Searched {
    fn of(history: &History, steps: usize) -> Self {
        let ops = &history.0;
        let overlaps =
            |op: &Op| ops.iter().filter(|o| o.began < op.began && op.began < o.ended).count();
        let mut searched = Self {
            histories: 1,
            calls: ops.len(),
            overlaps: ops.iter().map(overlaps).sum(),
            unknown: ops.iter().filter(|op| op.answer.is_none()).count(),
            steps,
            answers: BTreeMap::new(),
        };
        for op in ops {
            *searched.answers.entry(kind(op)).or_default() += 1;
        }
        searched
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.calls += other.calls;
        self.overlaps += other.overlaps;
        self.unknown += other.unknown;
        self.steps += other.steps;
        for (kind, count) in &other.answers {
            *self.answers.entry(kind.clone()).or_default() += count;
        }
    }

    /// Histories in which nothing happens at once, or the same always, would show nothing.
    pub(crate) fn assert_varied(&self) {
        assert!(self.histories < 50 || self.overlaps * 4 > self.calls, "hardly at once: {self}");
        let needed = [
            "Verify Current",
            "Verify Retiring",
            "Verify Denied",
            "Rotate Issued",
            "Revoke Done",
            "Disable Done",
            "Enable Done",
            "FinishRotation Done",
            "Delete Done",
            "RevokeAll RevokedAll",
            "Switch Done",
            "Recognize Done",
            "Show NotFound",
            "List Listed",
        ];
        let absent: Vec<_> =
            needed.iter().filter(|kind| !self.answers.contains_key(**kind)).collect();
        assert!(self.histories < 50 || absent.is_empty(), "{absent:?} never came: {self}");
    }
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, calls, overlaps, unknown, steps, answers } = self;
        write!(
            f,
            "{histories} histories, {calls} calls, {overlaps} pairs at once, {unknown} of unknown \
             outcome, {steps} steps of the search; {answers:?}"
        )
    }
}

/// The call and its answer without what they are about: `Verify Current`.
fn kind(op: &Op) -> String {
    let word = |text: String| text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    let answer = op.answer.as_ref().map_or("unknown".to_owned(), |a| word(format!("{a:?}")));
    format!("{} {answer}", word(format!("{:?}", op.call)))
}

/// How much was searched, or a history as short as can be that fits no order.
pub(crate) fn check(history: &History) -> Result<Searched, String> {
    assert!(history.0.len() <= Ordered::BITS as usize, "a history is too long for the search");
    match search(&history.0) {
        Ok(steps) => Ok(Searched::of(history, steps)),
        Err(()) => Err(shortest(history).to_string()),
    }
}

/// The number of steps that it took to find an order.
fn search(ops: &[Op]) -> Result<usize, ()> {
    let answered = (0..ops.len()).filter(|place| ops[*place].answer.is_some());
    let answered: Ordered = answered.map(|place| 1 << place).sum();
    let mut seen: HashSet<(Ordered, State)> = HashSet::new();
    let mut open = vec![(0, State::default())];
    while let Some((ordered, state)) = open.pop() {
        if ordered & answered == answered {
            return Ok(seen.len());
        }
        if !seen.insert((ordered, state.clone())) {
            continue;
        }
        let left = || (0..ops.len()).filter(|place| ordered & (1 << place) == 0);
        let deadline = left().map(|place| ops[place].deadline()).min().unwrap_or(u64::MAX);
        for place in left().filter(|place| ops[*place].began < deadline) {
            let (answer, next) = state.step(&ops[place].call);
            let fits = ops[place].answer.as_ref().is_none_or(|given| *given == answer);
            // An unknown one that changes nothing need not be put anywhere.
            if fits && (ops[place].answer.is_some() || next != state) {
                open.push((ordered | (1 << place), next));
            }
        }
    }
    Err(())
}

/// The part of a history up to the first answer that fits no order, without calls that only looked
/// and contradict nothing. What is left out can't be what makes it fail.
fn shortest(history: &History) -> History {
    let mut ends: Vec<u64> = history.0.iter().map(|op| op.ended).collect();
    ends.sort_unstable();
    let until = |end: u64| {
        let begun = history.0.iter().filter(|op| op.began < end);
        let cut = |op: &Op| {
            let answer = op.answer.clone().filter(|_| op.ended <= end);
            Op { answer, ..op.clone() }
        };
        begun.map(cut).collect::<Vec<Op>>()
    };
    let failing = ends.into_iter().map(until).find(|ops| search(ops).is_err());
    let mut ops = failing.unwrap_or_else(|| history.0.clone());
    for place in (0..ops.len()).rev() {
        let mut fewer = ops.clone();
        let removed = fewer.remove(place);
        if changes_nothing(&removed) && search(&fewer).is_err() {
            ops = fewer;
        }
    }
    History(ops)
}

/// Whether a call with this answer leaves every state as it is: a history that fits an order fits
/// one without it.
fn changes_nothing(op: &Op) -> bool {
    let changes = match op.answer {
        None | Some(Answer::Issued(_) | Answer::RevokedAll(_)) => true,
        Some(Answer::Done) => !matches!(op.call, Call::Recognize(..)),
        _ => false,
    };
    !changes
}
