//! Planned faults of a store, for tests of the code that uses a store.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::intercept::{Answer, Call, Intercept, Method};
use super::run::turn;
use crate::store::{KeyStore, StoreError, async_trait};

/// A fault of a call to a store.
///
/// ```
/// use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
/// use keywright::store::{Batch, KeyStore, Marker, MemoryStore};
/// use keywright::TenantId;
///
/// let faults = Faults::new();
/// let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
///
/// // The caller gets an error, but the commit has happened.
/// faults.fail_once(1, &[Method::Commit], Fault::After);
/// let before = block_on(store.changes(&Marker::default()))?;
/// assert!(block_on(store.commit(Batch::of(TenantId::default()))).is_err());
/// assert_ne!(block_on(store.changes(&before.at))?.at, before.at);
/// # Ok::<(), keywright::store::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The call fails without reaching the store.
    Before,
    /// The store carries out the call, but its answer is lost: the caller gets an error.
    After,
    /// The call is delayed on its way to the store, and its answer on the way back. Each delay lasts
    /// this many turns, in which other futures of the thread can run.
    Delay(usize),
    /// The store carries out the call, but its answer is held back until another fault is planned or
    /// [`Faults::clear`] is called.
    Hold,
}

/// An interceptor that makes calls to a store fail as planned.
///
/// Clones share the plan. A call fails with [`Unavailable`](crate::store::StoreErrorKind::Unavailable),
/// so the caller cannot know whether a write has happened.
///
/// ```
/// use keywright::TenantId;
/// use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
/// use keywright::store::{KeyStore, MemoryStore};
///
/// let faults = Faults::new();
/// let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
/// let tenants = [TenantId::default()];
///
/// // An outage, until it is mended.
/// faults.fail(Method::ALL, Fault::Before);
/// assert!(block_on(store.policies(&tenants)).is_err());
/// faults.clear();
/// assert!(block_on(store.policies(&tenants)).is_ok());
///
/// // Only the second call.
/// faults.fail_once(2, &[Method::Policies], Fault::Before);
/// assert!(block_on(store.policies(&tenants)).is_ok());
/// assert!(block_on(store.policies(&tenants)).is_err());
/// assert!(block_on(store.policies(&tenants)).is_ok());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    /// The number of calls, of any method, since the last fault was planned.
    calls: usize,
    planned: Option<Planned>,
    /// The number of plans so far.
    number: usize,
    /// The wakers of calls whose answers are held back.
    waiting: Vec<Waker>,
}

#[derive(Debug)]
struct Planned {
    methods: Vec<Method>,
    fault: Fault,
    /// The number of calls of the methods up to and including the first that has the fault.
    to_come: usize,
    is_once: bool,
}

impl Faults {
    /// Creates an interceptor that passes every call on.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
    /// # use keywright::store::{Batch, KeyStore, MemoryStore};
    /// let faults = Faults::new();
    /// let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    /// assert!(block_on(store.policies(&[TenantId::default()])).is_ok());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans a fault for every following call of these methods.
    ///
    /// It replaces the previous plan.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
    /// # use keywright::store::{Batch, KeyStore, MemoryStore};
    /// # let faults = Faults::new();
    /// # let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    /// faults.fail(Method::WRITES, Fault::Before);
    /// assert!(block_on(store.commit(Batch::of(TenantId::default()))).is_err());
    /// assert!(block_on(store.policies(&[TenantId::default()])).is_ok()); // reads still work
    /// ```
    pub fn fail(&self, methods: &[Method], fault: Fault) {
        self.set(Some((1, methods, fault, false)));
    }

    /// Plans a fault for only the `nth` following call of these methods, counted from 1.
    ///
    /// It replaces the previous plan.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
    /// # use keywright::store::{Batch, KeyStore, MemoryStore};
    /// # let faults = Faults::new();
    /// # let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    /// faults.fail_once(2, &[Method::Commit], Fault::Before);
    /// let commits = [1, 2, 3].map(|_| block_on(store.commit(Batch::of(TenantId::default()))).is_ok());
    /// assert_eq!(commits, [true, false, true]);
    /// ```
    pub fn fail_once(&self, nth: usize, methods: &[Method], fault: Fault) {
        self.set(Some((nth, methods, fault, true)));
    }

    /// Ends the plan, releases held answers, and returns whether there was a plan.
    ///
    /// The plan of [`fail_once`](Self::fail_once) also ends when its fault has happened.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
    /// # use keywright::store::{Batch, KeyStore, MemoryStore};
    /// # let faults = Faults::new();
    /// # let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    /// faults.fail(Method::ALL, Fault::Before);
    /// assert!(block_on(store.commit(Batch::of(TenantId::default()))).is_err());
    /// assert!(faults.clear());
    /// assert!(block_on(store.commit(Batch::of(TenantId::default()))).is_ok());
    /// ```
    pub fn clear(&self) -> bool {
        self.set(None)
    }

    /// Returns the number of calls, of any method, since the last fault was planned.
    ///
    /// If no fault was planned, it counts all calls.
    ///
    /// ```
    /// # use keywright::TenantId;
    /// # use keywright::store::conformance::{Fault, Faults, InterceptedStore, Method, block_on};
    /// # use keywright::store::{Batch, KeyStore, MemoryStore};
    /// # let faults = Faults::new();
    /// # let store = InterceptedStore::new(MemoryStore::new(), faults.clone());
    /// block_on(store.policies(&[TenantId::default()]))?;
    /// block_on(store.commit(Batch::of(TenantId::default())))?;
    /// assert_eq!(faults.calls(), 2);
    /// # Ok::<(), keywright::store::StoreError>(())
    /// ```
    pub fn calls(&self) -> usize {
        self.plan().calls
    }

    /// Replaces the plan. Returns whether there was one.
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

    /// Counts a call, and returns its fault with the number of the plan, if one is due.
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

    /// Waits until the plan with this number is replaced.
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
    StoreError::unavailable(format!("{method:?} failed as planned by `Faults`"))
}
