//! The background work of a service, on tokio: flushing, and refreshing its cache.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::keywright::Keywright;
#[cfg(feature = "cached")]
use crate::store::CachedStore;
use crate::store::StoreError;
use crate::verifier::Verifier;

impl Keywright {
    /// Starts the background work: it flushes every 5 seconds and refreshes the cache, if the store is a
    /// [`CachedStore`](crate::store::CachedStore).
    ///
    /// Call it once, inside a tokio runtime with time enabled, and [`shutdown`](Running::shutdown) at the
    /// end. A second call does no harm and has no use.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use keywright::Keywright;
    /// use keywright::store::MemoryStore;
    ///
    /// let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// let running = keywright.start()?;
    /// // ... serve until the process is told to stop ...
    /// running.shutdown().await?;
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// [`StartError::NoRuntime`] outside of a tokio runtime.
    pub fn start(&self) -> Result<Running, StartError> {
        self.start_with(RunOptions::new())
    }

    /// Starts the background work with other settings.
    ///
    /// # Errors
    /// [`StartError`] outside of a tokio runtime, or if a setting is out of its bounds.
    pub fn start_with(&self, options: RunOptions) -> Result<Running, StartError> {
        options.check()?;
        let runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let (stop, last_error) = (Arc::new(Notify::new()), LastError::default());
        let verifier = self.verifier();
        let weak = verifier.downgrade();
        let flushing = flush_loop(weak, options, Arc::clone(&stop), last_error.clone());
        Ok(Running {
            verifier,
            last_error,
            stop,
            flushing: runtime.spawn(flushing),
            #[cfg(feature = "cached")]
            refreshing: self
                .caches()
                .map(|cache| (cache.clone(), runtime.spawn(cache.refresh_task())))
                .collect(),
        })
    }
}

/// The background work that [`Keywright::start`] started.
///
/// Call [`shutdown`](Self::shutdown) when the service takes no more requests.
///
/// If the handle is dropped instead, the work continues until the runtime ends or nothing holds the
/// [`Keywright`] or a [`Verifier`] of it. Uses that were counted since the last flush are then lost when
/// the process ends, as if it were killed.
#[must_use = "keep it, and call `shutdown` at the end: it writes what was counted"]
pub struct Running {
    verifier: Verifier,
    last_error: LastError,
    stop: Arc<Notify>,
    flushing: JoinHandle<()>,
    #[cfg(feature = "cached")]
    refreshing: Vec<(CachedStore, JoinHandle<()>)>,
}

impl Running {
    /// Stops the background work, and flushes once more.
    ///
    /// Call it after the last request and before the store is closed: every use that was counted before
    /// the call is stored when it returns `Ok`. It waits as long as the store does; put a timeout around
    /// it if the process must end in time.
    ///
    /// # Errors
    /// [`StoreError`] of that flush. Nothing is lost yet: [`Verifier::flush`] can be called again.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the work has stopped, and uses that are not stored stay
    /// counted, as after an error. Before that it is as if the handle was dropped.
    pub async fn shutdown(self) -> Result<(), StoreError> {
        #[cfg(feature = "cached")]
        for (cache, refreshing) in self.refreshing {
            refreshing.abort();
            // It has ended then, and the hints can let go of a connection of the host's pool.
            let _ = refreshing.await;
            cache.drop_hints();
        }
        self.stop.notify_one();
        // A flush that is under way ends first. If the runtime has ended the task, the next line does its work.
        let _ = self.flushing.await;
        self.verifier.flush().await
    }

    /// Returns the error of the last flush, for health checks; `None` if it succeeded. The next flush
    /// tries again.
    ///
    /// If the background work itself has ended, because the function for flush errors panicked or the runtime
    /// has no timers, that is the error.
    pub fn last_flush_error(&self) -> Option<Arc<StoreError>> {
        if self.flushing.is_finished() {
            let ended =
                StoreError::unavailable("the flush task has ended; nothing is flushed any more");
            return Some(Arc::new(ended));
        }
        self.last_error.get()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("last_flush_error", &self.last_flush_error())
            .finish_non_exhaustive()
    }
}

/// Settings of the background work.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use std::time::Duration;
///
/// use keywright::store::MemoryStore;
/// use keywright::{Keywright, RunOptions};
///
/// let options = RunOptions::new()
///     .flush_every(Duration::from_secs(2))
///     .on_flush_error(|error| eprintln!("uses of API keys are not written yet: {error}"));
/// let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// let running = keywright.start_with(options)?;
/// running.shutdown().await?;
/// # Ok(()) }) }
/// ```
#[derive(Clone)]
#[must_use = "setters take and return by value"]
pub struct RunOptions {
    flush_every: Duration,
    on_flush_error: Arc<dyn Fn(&StoreError) + Send + Sync>,
}

impl RunOptions {
    /// Returns the defaults: a flush every 5 seconds.
    ///
    /// A killed process loses the uses of that time. A flush is one write for all keys that were used, so
    /// a shorter time costs more writes.
    pub fn new() -> Self {
        Self { flush_every: Duration::from_secs(5), on_flush_error: Arc::new(|_| {}) }
    }

    /// Sets the time between two flushes, 100 ms to 1 hour.
    pub fn flush_every(self, interval: Duration) -> Self {
        Self { flush_every: interval, ..self }
    }

    /// Sets a function that is called with the error of each flush that fails, for a log. The next flush
    /// tries again, and nothing is lost or counted twice. The function must neither block nor panic.
    pub fn on_flush_error(self, warn: impl Fn(&StoreError) + Send + Sync + 'static) -> Self {
        Self { on_flush_error: Arc::new(warn), ..self }
    }

    fn check(&self) -> Result<(), StartError> {
        let bounds = Duration::from_millis(100)..=Duration::from_hours(1);
        match self.flush_every {
            interval if bounds.contains(&interval) => Ok(()),
            interval => Err(StartError::FlushEvery(interval)),
        }
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions").field("flush_every", &self.flush_every).finish_non_exhaustive()
    }
}

/// The background work cannot be started.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The call was made outside of a tokio runtime.
    #[error("no tokio runtime: call start inside of one")]
    NoRuntime,
    /// The time between two flushes is out of its bounds.
    #[error("flush_every must be between 100 ms and 1 h, got {0:?}")]
    FlushEvery(Duration),
}

#[derive(Clone, Default)]
struct LastError(Arc<Mutex<Option<Arc<StoreError>>>>);

impl LastError {
    fn get(&self) -> Option<Arc<StoreError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, error: Option<Arc<StoreError>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

/// Flushes until it is told to stop, or the verifier is gone.
async fn flush_loop(
    verifier: impl Fn() -> Option<Verifier>,
    options: RunOptions,
    stop: Arc<Notify>,
    last_error: LastError,
) {
    while timeout(options.flush_every, stop.notified()).await.is_err() {
        let Some(verifier) = verifier() else { return };
        let error = verifier.flush().await.err().map(Arc::new);
        last_error.set(error.clone());
        if let Some(error) = error {
            (options.on_flush_error)(&error);
        }
    }
}
