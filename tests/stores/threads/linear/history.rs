//! Recorded calls, their answers, and their order in time.

use std::fmt;

/// A call. Keys are named by their place in the history, secrets by their number.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Call {
    Generate(usize),
    Verify(usize, u32),
    RevokeByToken(usize, u32),
    /// Checks whether a token is one of the key's, in every status of the key.
    Recognize(usize, u32),
    Rotate(usize, Overlap),
    FinishRotation(usize),
    Disable(usize),
    Enable(usize),
    Revoke(usize),
    Delete(usize),
    Show(usize),
    /// Lists all keys of the history, in one snapshot.
    List,
    /// Revokes all keys of their owner, in one step.
    RevokeAll,
    /// Turns API access of the tenant on or off, for all keys at once.
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
    /// The number of the new secret.
    Issued(u32),
    Current,
    Retiring,
    Denied(&'static str),
    Shown(Shown),
    Listed(Vec<Option<Shown>>),
    /// The places of the revoked keys.
    RevokedAll(Vec<usize>),
}

/// The visible state of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shown {
    pub(crate) version: u64,
    pub(crate) secret: u32,
    pub(crate) overlapping: bool,
    pub(crate) disabled: bool,
    pub(crate) revoked: bool,
}

/// A call with its times on a clock that ticks at each beginning and each end.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) caller: usize,
    pub(crate) call: Call,
    /// `None` if it is unknown whether and when the call took effect.
    pub(crate) answer: Option<Answer>,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

impl Op {
    /// Returns the latest time at which the call can have taken effect.
    pub(crate) fn deadline(&self) -> u64 {
        if self.answer.is_some() { self.ended } else { u64::MAX }
    }
}

/// A recorded call as tests write it, in the order of the fields of [`Op`].
pub(crate) type Written = (usize, Call, Option<Answer>, u64, u64);

#[derive(Clone, Debug, Default)]
pub(crate) struct History(pub(crate) Vec<Op>);

impl History {
    /// Creates a history, sorted by the beginning of the calls.
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
