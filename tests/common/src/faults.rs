//! Faults between a world and its store.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keywright::store::conformance::{Answer, Call, Intercept, Method};
use keywright::store::{
    KeyRecord, KeyStore, OwnerRecord, Snapshot, StoreError, TenantPolicy, async_trait,
};
use keywright::{KeyId, ServiceAccount, User};
use serde_json::Value;

use crate::random::OutOfEntropy;

/// A way in which [`Faults`] makes calls fail, always as unavailable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Every call fails without reaching the store.
    Down,
    /// Every write fails without reaching the store.
    WritesLost,
    /// Every usage batch fails without reaching the store.
    UsageLost,
    /// The store carries out every write, but the caller gets an error.
    AnswersLost,
    /// Every call has one moment before it reaches the store and one after. The caller never gets past the
    /// moment with this number.
    StandsAt(usize),
}

/// The work of other callers before a write.
type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An interceptor that counts calls and makes them fail. Clones share everything.
///
/// It can also run other changes before a write, and replace the records that the store returns.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    /// The number of further commits until this fault is set.
    after: Option<(usize, Fault)>,
    /// The number of moments since the last fault was set.
    moments: usize,
    calls: usize,
    usage_batches: usize,
    before_commit: Option<Meanwhile>,
    after_commit: Option<Meanwhile>,
    before_usage: Option<Arc<dyn Fn() -> Meanwhile + Send + Sync>>,
    forged: HashMap<KeyId, KeyRecord>,
    makes_anew: bool,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.state().fault).finish()
    }
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the fault of all further calls, or removes it.
    pub fn set(&self, fault: impl Into<Option<Fault>>) {
        let mut state = self.state();
        state.fault = fault.into();
        state.moments = 0;
    }

    /// Sets the fault after this many further commits.
    pub fn set_after(&self, commits: usize, fault: Fault) {
        self.state().after = Some((commits, fault));
    }

    /// Runs `change` once, before the next commit reaches the store.
    pub fn meanwhile(&self, change: impl Future<Output = ()> + Send + 'static) {
        self.state().before_commit = Some(Box::pin(change));
    }

    /// Runs `change` once, after the next commit that the store carries out.
    pub fn afterwards(&self, change: impl Future<Output = ()> + Send + 'static) {
        self.state().after_commit = Some(Box::pin(change));
    }

    /// Runs `act` each time before usage is added.
    pub fn before_usage<F>(&self, act: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.state().before_usage = Some(Arc::new(move || Box::pin(act())));
    }

    /// Returns this record for the key in all further calls of `resolve`.
    pub fn forge(&self, key: KeyId, record: Value) {
        let record = serde_json::from_value(record).expect("a record");
        self.state().forged.insert(key, record);
    }

    /// Builds a new snapshot, with new contents, for each further call of `resolve`.
    pub fn make_snapshots_anew(&self) {
        self.state().makes_anew = true;
    }

    /// Returns the number of moments since the last fault was set.
    pub fn moments(&self) -> usize {
        self.state().moments
    }

    /// Returns the number of calls.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// Returns the number of usage batches that reached the store.
    pub fn usage_batches(&self) -> usize {
        self.state().usage_batches
    }

    /// Counts a call, and returns an error if the call fails before it reaches the store.
    fn begin(&self, method: Method) -> Result<(), StoreError> {
        let mut state = self.state();
        state.calls += 1;
        if method == Method::Commit {
            match state.after {
                Some((0, fault)) => (state.fault, state.after) = (Some(fault), None),
                Some((left, fault)) => state.after = Some((left - 1, fault)),
                None => {}
            }
        }
        let fails = match state.fault {
            Some(Fault::Down) => true,
            Some(Fault::WritesLost) => Method::WRITES.contains(&method),
            Some(Fault::UsageLost) => method == Method::AddUsage,
            Some(Fault::AnswersLost | Fault::StandsAt(_)) | None => false,
        };
        if fails { Err(failure()) } else { Ok(()) }
    }

    /// Returns an error if a call fails after the store has answered.
    fn end(&self, method: Method) -> Result<(), StoreError> {
        let mut state = self.state();
        state.usage_batches += usize::from(method == Method::AddUsage);
        let is_lost = state.fault == Some(Fault::AnswersLost) && Method::WRITES.contains(&method);
        if is_lost { Err(failure()) } else { Ok(()) }
    }

    async fn others_act(&self, method: Method) {
        let others = match method {
            Method::Commit => self.state().before_commit.take(),
            Method::AddUsage => self.state().before_usage.as_ref().map(|act| act()),
            _ => None,
        };
        if let Some(others) = others {
            others.await;
        }
    }

    async fn moment(&self) {
        let stands = {
            let mut state = self.state();
            let number = state.moments;
            state.moments += 1;
            state.fault == Some(Fault::StandsAt(number))
        };
        if stands {
            std::future::pending::<()>().await;
        }
    }

    /// Returns the answer, with its record replaced if the test asked for that.
    fn forged(&self, answer: Answer) -> Result<Answer, StoreError> {
        let Answer::Resolve(Some(found)) = answer else { return Ok(answer) };
        let state = self.state();
        let forged = state.forged.get(found.record().id()).cloned();
        if forged.is_none() && !state.makes_anew {
            return Ok(Answer::Resolve(Some(found)));
        }
        let record = forged.unwrap_or_else(|| found.record().clone());
        let owner = found.owner().map(|owner| match owner {
            OwnerRecord::Account(account) => {
                OwnerRecord::Account(Arc::new(ServiceAccount::clone(account)))
            }
            OwnerRecord::User(user) => OwnerRecord::User(Arc::new(User::clone(user))),
        });
        let policy = found.policy().map(|policy| Arc::new(TenantPolicy::clone(policy)));
        Ok(Answer::Resolve(Some(Arc::new(Snapshot::new(record, owner, policy)?).into())))
    }
}

fn failure() -> StoreError {
    StoreError::unavailable("the store is down").with_source(OutOfEntropy)
}

#[async_trait]
impl Intercept for Faults {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        let method = call.method();
        self.begin(method)?;
        self.others_act(method).await;
        if method == Method::Resolve {
            return self.forged(call.pass_on(store).await?);
        }
        self.moment().await;
        let answer = call.pass_on(store).await;
        self.moment().await;
        let answer = answer?;
        if method == Method::Commit {
            let others = self.state().after_commit.take();
            if let Some(others) = others {
                others.await;
            }
        }
        self.end(method)?;
        Ok(answer)
    }
}
