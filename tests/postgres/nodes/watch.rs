//! A key that a node verifies continuously, and the answers that it has seen.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keywright::store::{MonotonicClock, SystemMonotonicClock};
use keywright::{Grant, Reason, Verifier, VerifyError};
use tokio::time::sleep;

use crate::node::BOUND;

/// Pause between two verifies of an accepted key. The timer is as coarse.
const PAUSE: Duration = Duration::from_millis(1);
/// Pause between two verifies of a refused key. It must not come back, and the other keys need the
/// processor.
const PAUSE_AFTER: Duration = Duration::from_millis(5);

/// Returns the time of the clock that all processes of the machine share.
pub(crate) fn now() -> Duration {
    SystemMonotonicClock.now()
}

pub(crate) struct Watch {
    is_over: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Seen {
    /// Start of the last verify that accepted the key.
    pub(crate) last_accepted: Option<Duration>,
    /// End of the first verify that did not accept the key, after the last one that did.
    pub(crate) stopped: Option<Duration>,
    /// The latest time at which the key was accepted, according to the age of the answers.
    pub(crate) known: Option<Duration>,
    pub(crate) is_refused: bool,
    pub(crate) unavailable: u64,
    /// Answers whose own age was above the bound.
    pub(crate) too_old: u64,
    /// Number of times the key was accepted after it had been refused.
    pub(crate) revived: u64,
    /// A denial for another reason than a revocation.
    pub(crate) strange: Option<String>,
}

impl Watch {
    pub(crate) fn start(verifier: Verifier, token: String) -> Arc<Self> {
        let watch = Arc::new(Self { is_over: AtomicBool::new(false), seen: Mutex::default() });
        let watching = Arc::clone(&watch);
        tokio::spawn(async move {
            while !watching.is_over.load(Ordering::SeqCst) {
                let began = now();
                let answer = verifier.verify(&token).await;
                let accepted = answer.is_ok();
                watching.seen().note(began, now(), answer);
                sleep(if accepted { PAUSE } else { PAUSE_AFTER }).await;
            }
        });
        watch
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

impl Seen {
    fn note(&mut self, began: Duration, ended: Duration, answer: Result<Grant, VerifyError>) {
        match answer {
            Ok(grant) => {
                let age = grant.age().duration();
                self.last_accepted = Some(began);
                self.stopped = None;
                self.known = self.known.max(Some(began.saturating_sub(age)));
                self.too_old += u64::from(age > BOUND);
                self.revived += u64::from(std::mem::take(&mut self.is_refused));
                return;
            }
            Err(VerifyError::Denied(denial)) if *denial.reason() == Reason::Revoked => {
                self.is_refused = true;
            }
            Err(VerifyError::Denied(denial)) => {
                self.strange = Some(denial.reason().code().to_owned());
            }
            Err(VerifyError::Unavailable(_)) => self.unavailable += 1,
        }
        self.stopped.get_or_insert(ended);
    }

    /// Writes the values in one line.
    pub(crate) fn write(&self) -> String {
        let mut line = String::new();
        for moment in [self.last_accepted, self.stopped, self.known] {
            let _ = write!(line, "{} ", moment.map_or(0, |moment| moment.as_micros()));
        }
        let strange = self.strange.as_deref().unwrap_or("-");
        let Self { is_refused, unavailable, too_old, revived, .. } = self;
        line + &format!("{is_refused} {unavailable} {too_old} {revived} {strange}")
    }

    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut moment = || {
            let micros = words.next()?.parse().ok()?;
            Some((micros > 0).then(|| Duration::from_micros(micros)))
        };
        let (last_accepted, stopped, known) = (moment()?, moment()?, moment()?);
        let is_refused = words.next()?.parse().ok()?;
        let mut number = || words.next()?.parse().ok();
        let (unavailable, too_old, revived) = (number()?, number()?, number()?);
        let strange = words.next().filter(|word| *word != "-").map(ToOwned::to_owned);
        Some(Self {
            last_accepted,
            stopped,
            known,
            is_refused,
            unavailable,
            too_old,
            revived,
            strange,
        })
    }
}

#[common::test(postgres)]
fn observations_read_back_unchanged() {
    let moment = |micros| Some(Duration::from_micros(micros));
    let seen = Seen {
        last_accepted: moment(7),
        stopped: None,
        known: moment(5),
        is_refused: true,
        unavailable: 3,
        too_old: 2,
        revived: 1,
        strange: Some("expired".to_owned()),
    };
    assert_eq!(Seen::read(&seen.write()), Some(seen));
    assert_eq!(Seen::read(&Seen::default().write()), Some(Seen::default()));
    assert_eq!(Seen::read("7 0 5 true 3"), None);
}
