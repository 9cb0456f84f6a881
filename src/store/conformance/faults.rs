//! Outages of a store that are planned, to see what stands in front of a store when one happens.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::intercept::{Answer, Call, Intercept, Method};
use super::run::turn;
use crate::store::{KeyStore, StoreError, async_trait};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The call fails and never reaches the store.
    Before,
    /// The store carries the call out, and its answer is lost: the caller sees a failure.
    After,
    /// The call reaches the store late, and so does the answer the caller: each after so many turns
    /// in which other futures of the thread can run.
    Delay(usize),
    /// The store carries the call out, and its answer is held back until another fault is planned or
    /// the last one is mended.
    Hold,
}

/// An interceptor that makes calls of a store go wrong. Clones share everything.
///
/// A call that fails does so with [`Unavailable`](crate::store::StoreErrorKind::Unavailable), after which
/// no caller can know whether a write has happened.
///
/// ```
/// use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
/// use keywright::store::{KeyStore, MemoryStore};
/// use keywright::TenantId;
///
/// let faults = Faults::new();
/// let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
/// let tenant = TenantId::default();
///
/// // An outage that lasts.
/// faults.fail(Method::ALL, Fault::Before);
/// assert!(block_on(store.policy(&tenant)).is_err());
/// faults.mend();
/// assert!(block_on(store.policy(&tenant)).is_ok());
///
/// // One call of many.
/// faults.fail_once(2, &[Method::Policy], Fault::Before);
/// assert!(block_on(store.policy(&tenant)).is_ok());
/// assert!(block_on(store.policy(&tenant)).is_err());
/// assert!(block_on(store.policy(&tenant)).is_ok());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    /// Of any method, since the last fault was planned.
    calls: usize,
    planned: Option<Planned>,
    /// How many plans there were.
    number: usize,
    /// Whose answers are held back.
    waiting: Vec<Waker>,
}

#[derive(Debug)]
struct Planned {
    methods: Vec<Method>,
    fault: Fault,
    /// How many calls of the methods are to come, the first that goes wrong among them.
    to_come: usize,
    is_once: bool,
}

impl Faults {
    /// Returns an interceptor that passes every call on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets every call of these methods go wrong from now on.
    ///
    /// Only the last plan holds.
    pub fn fail(&self, methods: &[Method], fault: Fault) {
        self.set(Some((1, methods, fault, false)));
    }

    /// Lets the `nth` call of these methods from now on go wrong, counted from 1, and no other.
    ///
    /// Only the last plan holds.
    pub fn fail_once(&self, nth: usize, methods: &[Method], fault: Fault) {
        self.set(Some((nth, methods, fault, true)));
    }

    /// Ends the plan and lets held answers go. Returns whether a fault was still to come.
    pub fn mend(&self) -> bool {
        self.set(None)
    }

    /// Returns how many calls there were, of any method, since the last fault was planned or since the
    /// beginning.
    pub fn calls(&self) -> usize {
        self.plan().calls
    }

    /// Returns whether there was a plan before.
    fn set(&self, planned: Option<(usize, &[Method], Fault, bool)>) -> bool {
        let mut plan = self.plan();
        let before = plan.planned.take();
        plan.number += 1;
        if let Some((to_come, methods, fault, is_once)) = planned {
            plan.calls = 0;
            plan.planned = Some(Planned { methods: methods.to_vec(), fault, to_come, is_once });
        }
        let waiting = mem::take(&mut plan.waiting);
        drop(plan);
        waiting.into_iter().for_each(Waker::wake);
        before.is_some()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with the call that begins here, and by which plan.
    fn begin(&self, method: Method) -> Option<(Fault, usize)> {
        let mut plan = self.plan();
        plan.calls += 1;
        let planned = plan.planned.as_mut()?;
        if !planned.methods.contains(&method) {
            return None;
        }
        planned.to_come = planned.to_come.saturating_sub(1);
        if planned.to_come > 0 {
            return None;
        }
        let fault = planned.fault;
        if planned.is_once {
            plan.planned = None;
        }
        Some((fault, plan.number))
    }

    /// Waits for the plan after this one.
    async fn released(&self, number: usize) {
        poll_fn(|context| {
            let mut plan = self.plan();
            if plan.number != number {
                return Poll::Ready(());
            }
            plan.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl Intercept for Faults {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        let method = call.method();
        let Some((fault, plan)) = self.begin(method) else { return call.pass_on(store).await };
        match fault {
            Fault::Before => Err(failure(method)),
            Fault::After => {
                call.pass_on(store).await?;
                Err(failure(method))
            }
            Fault::Delay(turns) => {
                for _ in 0..turns {
                    turn().await;
                }
                let answer = call.pass_on(store).await;
                for _ in 0..turns {
                    turn().await;
                }
                answer
            }
            Fault::Hold => {
                let answer = call.pass_on(store).await;
                self.released(plan).await;
                answer
            }
        }
    }
}

fn failure(method: Method) -> StoreError {
    StoreError::unavailable(format!("{method:?} was told to fail"))
}
