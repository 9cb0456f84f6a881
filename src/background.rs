//! The background work of a service, on tokio: it flushes, and it refreshes the cache.

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
#[cfg(feature = "postgres")]
use crate::store::MovingStore;
use crate::store::StoreError;
use crate::verifier::Verifier;

impl Keywright {
    /// Starts the background work: it flushes every 5 seconds, and refreshes the cache if the store
    /// is a [`CachedStore`](crate::store::CachedStore).
    ///
    /// Call it once, inside a tokio runtime with time enabled, and call
    /// [`shutdown`](Running::shutdown) at the end. A second call is harmless: it only flushes more
    /// often.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// use keywright::{Keywright, store::MemoryStore};
    ///
    /// let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// let running = keywright.start()?;
    /// // ... serve until the process receives a signal to stop ...
    /// running.shutdown().await?;
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// [`StartError::NoRuntime`] outside of a tokio runtime.
    pub fn start(&self) -> Result<Running, StartError> {
        self.start_with(RunOptions::new())
    }

    /// Starts the background work like [`start`](Self::start), with these options.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// use std::time::Duration;
    /// use keywright::RunOptions;
    ///
    /// let options = RunOptions::new().flush_every(Duration::from_secs(1));
    /// let running = keywright.start_with(options)?;
    /// # running.shutdown().await?;
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// * [`StartError::NoRuntime`] outside of a tokio runtime.
    /// * [`StartError::FlushEvery`] if the time between two flushes is out of its bounds.
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
            #[cfg(feature = "postgres")]
            moving: self.moving().cloned(),
        })
    }
}

/// A handle to the background work that [`Keywright::start`] started.
///
/// Keep it, and call [`shutdown`](Self::shutdown) when the service accepts no more requests.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # use keywright::{Keywright, store::MemoryStore};
/// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// let running = keywright.start()?;
/// if let Some(error) = running.last_flush_error() {
///     eprintln!("the store does not accept writes: {error}");
/// }
/// running.shutdown().await?;
/// # Ok(()) }) }
/// ```
///
/// If the handle is dropped instead, the work continues. It ends with the runtime, or when the
/// [`Keywright`] and all its [`Verifier`]s are dropped. The uses since the last flush are then lost
/// when the process ends.
///
/// See [Background work](crate::guide::background) in the guide.
#[must_use = "keep it, and call `shutdown` at the end: it writes the counted uses"]
pub struct Running {
    verifier: Verifier,
    last_error: LastError,
    stop: Arc<Notify>,
    flushing: JoinHandle<()>,
    #[cfg(feature = "cached")]
    refreshing: Vec<(CachedStore, JoinHandle<()>)>,
    #[cfg(feature = "postgres")]
    moving: Option<MovingStore>,
}

impl Running {
    /// Stops the background work and flushes once more.
    ///
    /// Call it after the last request and before the store is closed. When it returns `Ok`, every
    /// use that was counted before the call is stored. It waits as long as the store does; add a
    /// timeout if the process must end in time.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// use std::time::Duration;
    ///
    /// let running = keywright.start()?;
    /// // ... after the last request ...
    /// tokio::time::timeout(Duration::from_secs(10), running.shutdown()).await??;
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the last flush fails. The uses stay in memory: call [`Verifier::flush`] to
    /// try again.
    ///
    /// # Cancel safety
    /// If the future is dropped after it was polled, the background work has stopped. Uses that are
    /// not stored stay in memory, as after an error. A future that was never polled acts like a
    /// dropped handle.
    pub async fn shutdown(self) -> Result<(), StoreError> {
        #[cfg(feature = "cached")]
        for (cache, refreshing) in self.refreshing {
            refreshing.abort();
            // The task has ended now, so the hints can release their connection of the host's pool.
            let _ = refreshing.await;
            cache.drop_hints();
        }
        #[cfg(feature = "postgres")]
        if let Some(moving) = self.moving {
            moving.stop_refreshing().await;
        }
        self.stop.notify_one();
        // Waits for a flush in progress. If the runtime has ended the task, the flush below
        // replaces it.
        let _ = self.flushing.await;
        self.verifier.flush().await
    }

    /// Returns the error of the last flush, for health checks; `None` if it succeeded.
    ///
    /// The next flush tries again. The method also returns an error if the flush task has ended,
    /// because the function for flush errors panicked or the runtime has no timers.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// let running = keywright.start()?;
    /// let healthy = running.last_flush_error().is_none();
    /// assert!(healthy);
    /// # running.shutdown().await?;
    /// # Ok(()) }) }
    /// ```
    pub fn last_flush_error(&self) -> Option<Arc<StoreError>> {
        if self.flushing.is_finished() {
            let ended =
                StoreError::unavailable("the flush task has ended, so uses are no longer written");
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

/// Options for the background work that [`Keywright::start_with`] starts.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # use keywright::{Keywright, store::MemoryStore};
/// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// use std::time::Duration;
/// use keywright::RunOptions;
///
/// let options = RunOptions::new()
///     .flush_every(Duration::from_secs(2))
///     .on_flush_error(|error| eprintln!("uses of API keys are not written yet: {error}"));
/// let running = keywright.start_with(options)?;
/// # running.shutdown().await?;
/// # Ok(()) }) }
/// ```
#[derive(Clone)]
#[must_use = "setters take and return by value"]
pub struct RunOptions {
    flush_every: Duration,
    on_flush_error: Arc<dyn Fn(&StoreError) + Send + Sync>,
}

impl RunOptions {
    /// Creates the default options: a flush every 5 seconds, and flush errors are not reported.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// use keywright::RunOptions;
    ///
    /// let running = keywright.start_with(RunOptions::new())?; // the same as `start`
    /// # running.shutdown().await?;
    /// # Ok(()) }) }
    /// ```
    pub fn new() -> Self {
        Self { flush_every: Duration::from_secs(5), on_flush_error: Arc::new(|_| {}) }
    }

    /// Sets the time between two flushes, from 100 ms to 1 hour.
    ///
    /// The default is 5 seconds. A process that is killed loses the uses since the last flush. A
    /// shorter time costs more writes: a flush writes the uses of all keys together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use keywright::RunOptions;
    ///
    /// let options = RunOptions::new().flush_every(Duration::from_millis(500));
    /// # drop(options);
    /// ```
    pub fn flush_every(self, interval: Duration) -> Self {
        Self { flush_every: interval, ..self }
    }

    /// Sets a function to call with the error of each failed flush, usually to log it.
    ///
    /// The next flush tries again, and no use is counted twice. After a failed write, a `FileStore`
    /// fails every flush until it is opened again; the uses that wait in memory are then lost with
    /// the process. The function must not block or panic.
    ///
    /// ```
    /// use keywright::RunOptions;
    ///
    /// let options = RunOptions::new()
    ///     .on_flush_error(|error| eprintln!("uses of API keys are not written yet: {error}"));
    /// # drop(options);
    /// ```
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

/// The background work could not be started.
///
/// ```
/// use keywright::{Keywright, StartError, store::MemoryStore};
///
/// // There is no tokio runtime here.
/// let keywright = Keywright::builder(MemoryStore::new()).build()?;
/// assert!(matches!(keywright.start(), Err(StartError::NoRuntime)));
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The call was made outside of a tokio runtime.
    #[error("no tokio runtime is running here; call start inside of one")]
    NoRuntime,
    /// The time between two flushes is shorter than 100 ms or longer than 1 hour.
    #[error("flush_every must be between 100 ms and 1 h, got {0:?}")]
    FlushEvery(Duration),
}

/// The error of the last flush, shared with the flush task.
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

/// Flushes in a loop until `stop` is notified or the verifier no longer exists.
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
