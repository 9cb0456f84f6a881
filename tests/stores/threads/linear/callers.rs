//! Concurrent callers, which record their calls and the answers.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures_lite::future::{block_on, poll_fn};
use keywright::store::{KeyQuery, KeyStore};
use keywright::{
    Actor, Authority, Credential, GenerateError, Issued, Key, KeyEntry, KeyError, KeyId, KeyStatus,
    Keywright, ManualClock, NewKey, Outcome, Policy, RandomError, SecretUsed, SetPolicyError,
    SettingsEdit, TenantId, UserId, Verifier, VerifyError,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::history::{Answer, Call, History, Op, Overlap, Shown};
use super::model::KEYS;
use super::stores::{Troubled, Troubles};
use common::{DAY, start};

/// Number of concurrent callers, and of calls for each.
const CALLERS: usize = 4;
const CALLS: usize = 8;

/// A tenant for one history, and the callers' knowledge of it.
pub(crate) struct Callers {
    authority: Authority,
    verifier: Verifier,
    admin: Actor,
    /// Whether callers can drop calls.
    impatient: bool,
    ticks: AtomicU64,
    known: Mutex<Known>,
    ops: Mutex<Vec<Op>>,
}

#[derive(Default)]
struct Known {
    begun: usize,
    keys: [Option<KeyId>; KEYS],
    tokens: Vec<(usize, u32, String)>,
}

/// The outcome of a call: an answer, an unknown result, or a call that had no effect and is not
/// recorded.
enum Told {
    Answer(Answer),
    Unknown,
    Nothing,
}

impl Callers {
    pub(crate) fn new(store: &Arc<dyn KeyStore>, troubles: Troubles, random: &mut StdRng) -> Self {
        let store = Troubled::over(Arc::clone(store), troubles, random.random());
        let impatient = troubles.drops;
        let mut policy = Policy::default();
        policy.settings.api_enabled = Some(true);
        let keywright = Keywright::builder(store)
            .clock(ManualClock::at(start()))
            .default_policy(policy)
            .build()
            .expect("a keywright");
        let tenant = TenantId::new(format!("tenant-{:032x}", random.random::<u128>()));
        let callers = Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            admin: Actor::administrator(UserId::new("ada").expect("a user id"))
                .in_tenant(tenant.expect("a tenant id")),
            impatient,
            ticks: AtomicU64::new(0),
            known: Mutex::default(),
            ops: Mutex::default(),
        };
        let mut random = StdRng::seed_from_u64(random.random());
        callers.known().begun = 1;
        block_on(callers.call(0, Call::Generate(0), &mut random));
        callers
    }

    pub(crate) fn history(&self) -> History {
        History::new(self.ops.lock().expect("no caller panics").clone())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no caller panics")
    }

    /// Makes random calls.
    async fn go_on(&self, caller: usize, mut random: StdRng) {
        for _ in 0..CALLS {
            let call = self.draw(&mut random);
            self.call(caller, call, &mut random).await;
        }
    }

    fn draw(&self, random: &mut StdRng) -> Call {
        let mut known = self.known();
        let mut place = random.random_range(0..KEYS);
        if place >= known.begun {
            known.begun += 1;
            return Call::Generate(place);
        }
        if known.keys[place].is_none() {
            place = 0;
        }
        if known.keys[place].is_none() {
            return Call::List;
        }
        let tokens: Vec<u32> =
            known.tokens.iter().filter(|(of, ..)| *of == place).map(|token| token.1).collect();
        // The newest secrets are the most interesting ones.
        let newest = tokens.len().saturating_sub(random.random_range(1..=3));
        let secret = tokens.get(newest).or(tokens.choose(random)).copied().unwrap_or(1);
        let overlap = if random.random_ratio(2, 3) { Overlap::Day } else { Overlap::None };
        match random.random_range(0..60) {
            0..22 => Call::Verify(place, secret),
            22..31 => Call::Rotate(place, overlap),
            31..36 => Call::FinishRotation(place),
            36..40 => Call::Disable(place),
            40..47 => Call::Enable(place),
            47 => Call::Revoke(place),
            48 => Call::RevokeByToken(place, secret),
            49 => Call::RevokeAll,
            50 => Call::Delete(place),
            51 => Call::Switch(false),
            52..55 => Call::Switch(true),
            55..57 => Call::List,
            _ => Call::Show(place),
        }
    }

    /// Makes a call, possibly drops it after some polls, and records the outcome.
    async fn call(&self, caller: usize, call: Call, random: &mut StdRng) {
        let patience =
            (self.impatient && random.random_ratio(1, 8)).then(|| random.random_range(1..6));
        let began = self.ticks.fetch_add(1, Ordering::SeqCst);
        let told = with_patience(self.make(&call), patience).await.unwrap_or(Told::Unknown);
        let ended = self.ticks.fetch_add(1, Ordering::SeqCst);
        let looks = matches!(call, Call::Verify(..) | Call::Show(_) | Call::List);
        let answer = match told {
            Told::Answer(answer) => Some(answer),
            Told::Unknown if looks => return,
            Told::Unknown => None,
            Told::Nothing => return,
        };
        let op = |call, answer| Op { caller, call, answer, began, ended };
        let mut ops = self.ops.lock().expect("no caller panics");
        match (call, answer) {
            // The call first recognizes the token and then revokes the key, in two steps. A
            // rotation between the two succeeds, and its secret is revoked with the key.
            (Call::RevokeByToken(place, secret), Some(Answer::Done)) => {
                ops.push(op(Call::Recognize(place, secret), Some(Answer::Done)));
                ops.push(op(Call::Revoke(place), Some(Answer::Done)));
            }
            (Call::RevokeByToken(place, _), None) => ops.push(op(Call::Revoke(place), None)),
            (call, answer) => ops.push(op(call, answer)),
        }
    }

    async fn make(&self, call: &Call) -> Told {
        let (authority, admin) = (&self.authority, &self.admin);
        let id = |place: usize| self.known().keys[place].expect("an issued key");
        match *call {
            Call::Generate(place) => {
                let new = NewKey::named(format!("prod-key-{place}")).expect("a name");
                match authority.generate(admin, new).await {
                    Ok(issued) => self.keep(place, &issued),
                    Err(GenerateError::Missing(_)) => Told::Answer(Answer::WrongStatus),
                    // The second error occurs if the store committed the batch and reported a
                    // conflict: the next attempt finds its own key.
                    Err(
                        GenerateError::Contended(_)
                        | GenerateError::Random(RandomError::Repeats(_)),
                    ) => Told::Nothing,
                    Err(GenerateError::Store(_)) => Told::Unknown,
                    Err(error) => panic!("{error:?}"),
                }
            }
            Call::Verify(place, secret) => {
                let token = self.token(place, secret);
                match self.verifier.verify(&token).await {
                    Ok(grant) if grant.secret_used() == SecretUsed::Current => {
                        Told::Answer(Answer::Current)
                    }
                    Ok(_) => Told::Answer(Answer::Retiring),
                    Err(error) => denied(&error),
                }
            }
            Call::RevokeByToken(place, secret) => {
                let token = self.token(place, secret);
                match self.verifier.revoke(Credential::Token(&token)).await {
                    Ok(outcome) => done(&outcome),
                    Err(error) => denied(&error),
                }
            }
            Call::Recognize(..) => unreachable!("only a step of another call"),
            Call::Rotate(place, overlap) => {
                let overlap = if overlap == Overlap::Day { DAY } else { Duration::ZERO };
                match authority.rotate(admin, &id(place), overlap).await {
                    Ok(issued) => self.keep(place, &issued),
                    Err(error) => failed(&error),
                }
            }
            Call::FinishRotation(place) => {
                changed(authority.finish_rotation(admin, &id(place)).await)
            }
            Call::Disable(place) => changed(authority.disable(admin, &id(place)).await),
            Call::Enable(place) => changed(authority.enable(admin, &id(place)).await),
            Call::Revoke(place) => changed(authority.revoke(admin, &id(place)).await),
            Call::Delete(place) => match authority.delete(admin, &id(place)).await {
                Ok(()) => Told::Answer(Answer::Done),
                Err(error) => failed(&error),
            },
            Call::Show(place) => match authority.key(admin, &id(place)).await {
                Ok(entry) => Told::Answer(Answer::Shown(shown(&entry))),
                Err(error) => failed(&error),
            },
            Call::List => {
                let page = authority.keys(admin, &KeyQuery::new()).await.expect("the keys");
                let mut listed = vec![None; KEYS];
                for entry in &page.items {
                    listed[place_of(&entry.key)] = Some(shown(entry));
                }
                Told::Answer(Answer::Listed(listed))
            }
            Call::RevokeAll => match authority.revoke_owned(admin, &admin.as_owner()).await {
                Ok(keys) => {
                    let mut places: Vec<usize> = keys.iter().map(place_of).collect();
                    places.sort_unstable();
                    Told::Answer(Answer::RevokedAll(places))
                }
                Err(error) => failed(&error),
            },
            Call::Switch(on) => {
                let edit = SettingsEdit::new().api_enabled(Some(on));
                match authority.edit_settings(admin, edit).await {
                    Ok(_) => Told::Answer(Answer::Done),
                    Err(SetPolicyError::Stale { .. }) => Told::Nothing,
                    Err(SetPolicyError::Store(_)) => Told::Unknown,
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }

    fn keep(&self, place: usize, issued: &Issued) -> Told {
        let mut known = self.known();
        let number = issued.key.secret_number;
        known.keys[place] = Some(issued.key.id);
        known.tokens.push((place, number, issued.token.expose().to_owned()));
        Told::Answer(Answer::Issued(number))
    }

    fn token(&self, place: usize, secret: u32) -> String {
        let known = self.known();
        let mut of = known.tokens.iter().filter(|token| (token.0, token.1) == (place, secret));
        of.next().expect("an issued token").2.clone()
    }
}

/// Returns the key's place from its name, because a key whose generation was not acknowledged can
/// exist too.
fn place_of(key: &Key) -> usize {
    let place = key.name.as_str().rsplit('-').next().and_then(|place| place.parse().ok());
    place.expect("a name of these callers")
}

fn shown(entry: &KeyEntry) -> Shown {
    let key = &entry.key;
    Shown {
        version: key.version,
        secret: key.secret_number,
        overlapping: key.overlap_ends_at.is_some(),
        disabled: key.disabled,
        revoked: entry.status == KeyStatus::Revoked,
    }
}

fn done<T>(outcome: &Outcome<T>) -> Told {
    Told::Answer(if outcome.is_unchanged() { Answer::Unchanged } else { Answer::Done })
}

fn changed(outcome: Result<Outcome<Key>, KeyError>) -> Told {
    outcome.map_or_else(|error| failed(&error), |outcome| done(&outcome))
}

fn failed(error: &KeyError) -> Told {
    match error {
        KeyError::NotFound(_) => Told::Answer(Answer::NotFound),
        KeyError::WrongStatus(_) | KeyError::OverlapWhileDisabled { .. } => {
            Told::Answer(Answer::WrongStatus)
        }
        // The second error occurs if the store committed the batch and reported a conflict: the
        // next attempt finds its own secret.
        KeyError::Contended(_) | KeyError::Random(RandomError::Repeats(_)) => Told::Nothing,
        KeyError::Store(_) => Told::Unknown,
        error => panic!("{error:?}"),
    }
}

fn denied(error: &VerifyError) -> Told {
    match error {
        VerifyError::Denied(denial) => Told::Answer(Answer::Denied(denial.reason().code())),
        VerifyError::Unavailable(_) => Told::Unknown,
    }
}

/// Waits for `call`, and drops it after this many pending polls.
async fn with_patience<T>(call: impl Future<Output = T>, patience: Option<u32>) -> Option<T> {
    let mut call = pin!(call);
    let mut waited = 0;
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(told) => Poll::Ready(Some(told)),
        Poll::Pending => {
            waited += 1;
            if patience == Some(waited) { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

/// Runs each caller on its own thread, in the order of the scheduler.
pub(crate) fn on_threads(callers: &Callers, random: &mut StdRng) {
    let barrier = Barrier::new(CALLERS);
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let random = StdRng::seed_from_u64(random.random());
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                block_on(callers.go_on(caller, random));
            });
        }
    });
}

/// Runs all callers on this thread, one step at a time, in an order that the seed decides.
pub(crate) fn on_one_thread(callers: &Callers, random: &mut StdRng) {
    let begin = |caller| {
        let random = StdRng::seed_from_u64(random.random());
        Box::pin(callers.go_on(caller, random)) as Pin<Box<dyn Future<Output = ()> + '_>>
    };
    let mut running: Vec<_> = (0..CALLERS).map(begin).collect();
    let mut context = Context::from_waker(Waker::noop());
    while !running.is_empty() {
        let next = random.random_range(0..running.len());
        if running[next].as_mut().poll(&mut context).is_ready() {
            drop(running.swap_remove(next));
        }
    }
}
