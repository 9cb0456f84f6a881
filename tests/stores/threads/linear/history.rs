//! What was called, what came of it, and what was before what.

use std::fmt;

/// A key is known by its place in the history, a secret by its number.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Call {
    Generate(usize),
    Verify(usize, u32),
    RevokeByToken(usize, u32),
    /// Whether a token is one of the key's, whatever the key's status.
    Recognize(usize, u32),
    Rotate(usize, Overlap),
    FinishRotation(usize),
    Disable(usize),
    Enable(usize),
    Revoke(usize),
    Delete(usize),
    Show(usize),
    /// All keys of the history, as of one moment.
    List,
    /// All keys of their owner, in one step.
    RevokeAll,
    /// Turns API access of the tenant on or off: for all keys at once.
    Switch(bool),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Overlap {
    None,
    Day,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Done,
    Unchanged,
    NotFound,
    WrongStatus,
    /// A secret of this number.
    Issued(u32),
    Current,
    Retiring,
    Denied(&'static str),
    Shown(Shown),
    Listed(Vec<Option<Shown>>),
    /// The places of the keys that were revoked.
    RevokedAll(Vec<usize>),
}

/// What is seen of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shown {
    pub(crate) version: u64,
    pub(crate) secret: u32,
    pub(crate) overlapping: bool,
    pub(crate) disabled: bool,
    pub(crate) revoked: bool,
}

/// A call with its time on a clock that ticks at each beginning and each end.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) caller: usize,
    pub(crate) call: Call,
    /// `None` if it is not known whether it happened, then or later.
    pub(crate) answer: Option<Answer>,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

impl Op {
    /// When it must have happened at the latest.
    pub(crate) fn deadline(&self) -> u64 {
        if self.answer.is_some() { self.ended } else { u64::MAX }
    }
}

/// What a test writes down of an operation, in the order of [`Op`].
pub(crate) type Written = (usize, Call, Option<Answer>, u64, u64);

#[derive(Clone, Debug, Default)]
pub(crate) struct History(pub(crate) Vec<Op>);

impl History {
    /// In the order in which the calls began.
    pub(crate) fn new(mut ops: Vec<Op>) -> Self {
        ops.sort_by_key(|op| op.began);
        Self(ops)
    }

    pub(crate) fn written(written: &[Written]) -> Self {
        let op = |(caller, call, answer, began, ended): Written| Op {
            caller,
            call,
            answer,
            began,
            ended,
        };
        Self::new(written.iter().cloned().map(op).collect())
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "began ended caller")?;
        for op in &self.0 {
            let Op { caller, call, answer, began, ended } = op;
            write!(f, "{began:5} {ended:5} {caller:6}  {call:?} -> ")?;
            match answer {
                Some(answer) => writeln!(f, "{answer:?}")?,
                None => writeln!(f, "unknown")?,
            }
        }
        Ok(())
    }
}
