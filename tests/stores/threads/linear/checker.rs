//! Checks whether a history fits a sequential order: the search of Wing and Gong, with Lowe's
//! memoization.
//!
//! J. M. Wing and C. Gong, "Testing and verifying concurrent objects" (1993); G. Lowe, "Testing for
//! linearizability" (2017). A call can come next in the order if no other remaining call ended
//! before it began, and if the model gives the recorded answer. A call with an unknown outcome is
//! placed anywhere after its beginning, or left out.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::history::{Answer, Call, History, Op};
use super::model::State;

/// The ordered calls of a history, as one bit each.
type Ordered = u128;

/// Statistics of the searched histories.
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

    /// Asserts that the histories contain enough overlaps and different answers to test something.
    pub(crate) fn assert_varied(&self) {
        assert!(
            self.histories < 50 || self.overlaps * 4 > self.calls,
            "too few overlapping calls: {self}"
        );
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
        assert!(self.histories < 50 || absent.is_empty(), "{absent:?} never occurred: {self}");
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

/// Returns the kinds of the call and its answer without their arguments: `Verify Current`.
fn kind(op: &Op) -> String {
    let word = |text: String| text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    let answer = op.answer.as_ref().map_or("unknown".to_owned(), |a| word(format!("{a:?}")));
    format!("{} {answer}", word(format!("{:?}", op.call)))
}

/// Returns the statistics of the search, or a short history that fits no order.
pub(crate) fn check(history: &History) -> Result<Searched, String> {
    assert!(history.0.len() <= Ordered::BITS as usize, "a history is too long for the search");
    match search(&history.0) {
        Ok(steps) => Ok(Searched::of(history, steps)),
        Err(()) => Err(shortest(history).to_string()),
    }
}

/// Returns the number of steps until an order was found.
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
            let fits = ops[place].answer.as_ref().is_none_or(|given| {
                *given == answer || is_overtaken(ops, &ops[place], &answer, given)
            });
            // A call with an unknown outcome and without an effect can be left out.
            if fits && (ops[place].answer.is_some() || next != state) {
                open.push((ordered | (1 << place), next));
            }
        }
    }
    Err(())
}

/// Returns whether a call that ends a key is a success because another call deletes the key at the
/// same time.
fn is_overtaken(ops: &[Op], op: &Op, answer: &Answer, given: &Answer) -> bool {
    let (key, success) = match op.call {
        Call::Revoke(key) | Call::RevokeByToken(key, _) => (key, Answer::Unchanged),
        Call::Delete(key) => (key, Answer::Done),
        _ => return false,
    };
    let at_the_same_time = |other: &&Op| {
        matches!(other.call, Call::Delete(other) if other == key)
            && !std::ptr::eq(*other, op)
            && other.began < op.ended
            && op.began < other.deadline()
    };
    *given == success
        && [Answer::NotFound, Answer::Denied("unrecognized")].contains(answer)
        && ops.iter().any(|other| at_the_same_time(&other))
}

/// Returns the history up to the first answer that fits no order, without read-only calls that
/// contradict nothing. The removed calls cannot be the cause of the failure.
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

/// Returns whether a call with this answer changes no state. A history that fits an order also fits
/// one without the call.
fn changes_nothing(op: &Op) -> bool {
    let changes = match op.answer {
        None | Some(Answer::Issued(_) | Answer::RevokedAll(_)) => true,
        Some(Answer::Done) => !matches!(op.call, Call::Recognize(..)),
        _ => false,
    };
    !changes
}
