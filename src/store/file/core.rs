//! The open store: its database, its cache, and the run of jobs that share one commit.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::access::{Access, Reading};
use super::cache::Cache;
use super::database::Database;
use super::errors::guarded;
use super::held::Held;
use super::open;
use super::options::FileOptions;
use super::queue::Queue;
use super::rosters::Rosters;
use super::rows::FileRows;
use super::slot::Slot;
use super::write::Writing;
use crate::record::key::{KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::policy::TenantPolicy;
use crate::record::snapshot::Snapshot;
use crate::record::usage::UsageBatch;
use crate::store::batch::{Batch, Subject};
use crate::store::changes::{Changes, Marker};
use crate::store::epoch::Epoch;
use crate::store::error::{StoreError, StoreErrorKind};
#[cfg(feature = "postgres")]
use crate::store::memory::{Journal, Journals, StageCell};
use crate::store::plan::{self, DeletedId, Effects, Tombstone};
use crate::store::resolve::Resolved;
use crate::value::id::{KeyId, TenantId};

/// The most jobs that share a commit.
const MOST_JOBS: usize = 256;
/// The most rows that the jobs of a commit may change together, unless one job changes more.
const MOST_ROWS: usize = 2_048;
/// The number of recent changes that are kept for caches.
const CHANGES_KEPT: usize = 4_096;

/// A job for the thread that leads.
pub(super) enum Job {
    Commit(Batch, Slot<()>),
    Usage(UsageBatch, Slot<()>),
    /// Work that excludes commits.
    Alone(Box<dyn FnOnce(&Core) + Send>),
}

pub(super) struct Core {
    /// `None` once the store is closed. Locked for reading while the file is read or written.
    pub(super) database: RwLock<Option<Database>>,
    pub(super) cache: Cache,
    pub(super) rosters: Rosters,
    pub(super) queue: Queue<Job>,
    recent: Mutex<Recent>,
    /// The stage in a transfer, which decides whether the store takes changes.
    #[cfg(feature = "postgres")]
    pub(super) stage: StageCell,
    /// The journals of the transfers of this store.
    #[cfg(feature = "postgres")]
    pub(super) journals: Mutex<Journals>,
    pub(super) is_closed: AtomicBool,
    /// Whether a write failed. Its result in the file is unknown until the store is opened again.
    is_poisoned: AtomicBool,
}

/// The recent changes, oldest first, each with the epoch of its commit.
struct Recent {
    subjects: VecDeque<(Epoch, Subject)>,
    /// The epoch since which they are complete.
    since: Epoch,
    newest: Epoch,
}

/// Why the jobs of a group were not committed together.
enum Failure {
    /// One job cannot be run. The others can be tried again without it.
    Job(usize, StoreError),
    Group(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Group(error)
    }
}

/// The result of a job of a group: its changes, or the reason why it was refused.
type Planned = Result<Option<Done>, StoreError>;

/// The changes that a job wrote.
struct Done {
    epoch: Epoch,
    effects: Effects,
}

impl Core {
    pub(super) fn new(database: Database, options: &FileOptions) -> Self {
        let newest = Epoch(database.last().state.epoch);
        Self {
            database: RwLock::new(Some(database)),
            cache: Cache::new(options.cache_keys),
            rosters: Rosters::new(options.search_bytes),
            queue: Queue::default(),
            recent: Mutex::new(Recent { subjects: VecDeque::new(), since: newest, newest }),
            #[cfg(feature = "postgres")]
            stage: StageCell::default(),
            #[cfg(feature = "postgres")]
            journals: Mutex::default(),
            is_closed: AtomicBool::new(false),
            is_poisoned: AtomicBool::new(false),
        }
    }

    /// Reads the file as of one moment.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_database(|database| work(&Reading::of(database.begin_read()?)))
    }

    /// Runs work that reads the file, and keeps it open until then.
    pub(super) fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().map_err(|_| panicked())?;
        let database = database.as_ref().ok_or_else(closed)?;
        guarded(|| work(database))
    }

    /// Reads a key from the file, and keeps it in memory.
    pub(super) fn read_key(&self, id: &KeyId) -> Resolved {
        // Another caller may have read it in the meantime.
        if let Some(snapshot) = self.cache.get(id) {
            return Ok(Some(snapshot.into()));
        }
        let fill = self.cache.begin(id);
        self.read(|tables| {
            let Some(record) = tables.key(id)? else { return Ok(None) };
            let key = record.key();
            let tenant = self.cache.tenant(fill.moves, &key.tenant);
            let policy = tenant.policy(|| tables.policy(&key.tenant))?;
            let owner = tenant.owner(&key.owner, || tables.owner_record(key))?;
            let snapshot = Arc::new(Snapshot::new(record, owner, policy)?);
            self.cache.keep(&fill, tenant, &snapshot);
            Ok(Some(snapshot.into()))
        })
    }

    /// Reads the policies of tenants as of one moment, and keeps them in memory.
    pub(super) fn read_policies(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<Option<Arc<TenantPolicy>>>, StoreError> {
        let moves = self.cache.moves();
        self.read(|tables| {
            let policy = |tenant| self.cache.tenant(moves, tenant).policy(|| tables.policy(tenant));
            tenants.iter().map(policy).collect()
        })
    }

    /// Reads the record of an owner, and keeps it in memory.
    pub(super) fn read_owner(
        &self,
        tenant: &TenantId,
        owner: &Owner,
    ) -> Result<Option<OwnerRecord>, StoreError> {
        let moves = self.cache.moves();
        self.read(|tables| {
            let read = || tables.record_of_owner(tenant, owner);
            self.cache.tenant(moves, tenant).owner(owner, read)
        })
    }

    /// Returns the error of a call on a closed store.
    pub(super) fn must_be_open(&self) -> Result<(), StoreError> {
        if self.is_closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// Refuses a write if the store is closed or an earlier write failed. It comes before the batch
    /// is checked, so every batch gets the same error.
    pub(super) fn must_be_sound(&self) -> Result<(), StoreError> {
        self.must_be_open()?;
        if self.is_poisoned.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("an earlier write failed: open the store again"));
        }
        Ok(())
    }

    fn must_be_writable(&self) -> Result<(), StoreError> {
        self.must_be_sound()?;
        let database = self.database.read().map_err(|_| panicked())?;
        if let Some(place) = &database.as_ref().ok_or_else(closed)?.last().moved_to {
            return Err(StoreError::unavailable(open::moved("this file", place)));
        }
        #[cfg(feature = "postgres")]
        self.stage.must_take_changes()?;
        Ok(())
    }

    /// Runs work that writes the database. After a failure, every later write is refused.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().map_err(|_| panicked())?;
        let database = database.as_ref().ok_or_else(closed)?;
        // Set before the write and cleared after it, so any failure in between refuses later
        // writes.
        self.is_poisoned.store(true, Ordering::Release);
        let done = guarded(|| work(database))?;
        self.is_poisoned.store(false, Ordering::Release);
        Ok(done)
    }

    /// Compacts the file. Readers wait.
    pub(super) fn compact(&self) -> Result<(), StoreError> {
        self.must_be_sound()?;
        let mut database = self.database.write().map_err(|_| panicked())?;
        let database = database.as_mut().ok_or_else(closed)?;
        self.is_poisoned.store(true, Ordering::Release);
        guarded(|| database.compact())?;
        self.is_poisoned.store(false, Ordering::Release);
        Ok(())
    }

    /// Runs jobs, which share one commit unless they need to be alone.
    pub(super) fn run(&self, mut jobs: Vec<Job>) {
        if let [Job::Alone(_)] = jobs.as_slice()
            && let Some(Job::Alone(work)) = jobs.pop()
        {
            return work(self);
        }
        jobs.retain(|job| !job.is_abandoned());
        while !jobs.is_empty() {
            if self.must_be_writable().is_err() {
                for job in jobs {
                    job.refuse(self.must_be_writable().err().unwrap_or_else(closed));
                }
                return;
            }
            match self.commit_together(&jobs) {
                Ok(planned) => {
                    for (job, planned) in jobs.into_iter().zip(planned) {
                        job.answer(planned);
                    }
                    return;
                }
                Err(Failure::Job(number, error)) => jobs.remove(number).refuse(error),
                Err(Failure::Group(error)) => {
                    let (kind, message) = (error.kind(), error.to_string());
                    let mut first = Some(error);
                    for job in jobs {
                        let again = || StoreError::new(kind, message.as_str());
                        job.refuse(first.take().unwrap_or_else(again));
                    }
                    return;
                }
            }
        }
    }

    /// Plans and writes jobs in one transaction, and commits it.
    fn commit_together(&self, jobs: &[Job]) -> Result<Vec<Planned>, Failure> {
        let mut failed = None;
        let done = self.write(|database| {
            let transaction = database.begin()?;
            let last = database.last().clone();
            let mut planned = Vec::with_capacity(jobs.len());
            let mut writing = Held::new(Writing::begin(&transaction, &last.state, last.sum));
            for (number, job) in jobs.iter().enumerate() {
                match job.run(&mut writing) {
                    Ok(effects) => planned.push(Ok(effects)),
                    Err(error) if is_refusal(&error) => planned.push(Err(error)),
                    // The record of a job is damaged. The others do not need it.
                    Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                        failed = Some((number, error));
                        return Ok(Vec::new());
                    }
                    Err(error) => return Err(error),
                }
            }
            let state = writing.finish()?;
            let sum = writing.sum;
            let moved = std::mem::take(&mut writing.touched);
            drop(writing);
            let effects = || planned.iter().flatten().flatten();
            if effects().next().is_none() {
                return Ok(planned);
            }
            let (keys, tenants) = touched(effects().map(|done| &done.effects));
            let closed = self.cache.close(&keys, &tenants);
            self.rosters.announce(state.transaction, moved);
            database.commit(transaction, state, sum)?;
            self.note(effects());
            drop(closed);
            Ok(planned)
        });
        match failed {
            Some((number, error)) => Err(Failure::Job(number, error)),
            None => Ok(done?),
        }
    }

    fn note<'a>(&self, all: impl Iterator<Item = &'a Done>) {
        let mut recent = self.recent();
        #[cfg(feature = "postgres")]
        let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
        for Done { epoch, effects, .. } in all {
            recent.newest = *epoch;
            recent.subjects.extend(effects.subjects().map(|subject| (*epoch, subject)));
            #[cfg(feature = "postgres")]
            journals.note(effects);
        }
        while recent.subjects.len() > CHANGES_KEPT {
            if let Some((epoch, _)) = recent.subjects.pop_front() {
                recent.since = epoch;
            }
        }
    }

    /// Begins a journal, which notes the rows that every later change touches.
    #[cfg(feature = "postgres")]
    pub(super) fn begin_journal(&self) -> Journal {
        self.journals.lock().unwrap_or_else(PoisonError::into_inner).begin()
    }

    pub(super) fn changes(&self, since: &Marker) -> Changes {
        let recent = self.recent();
        let since = Epoch::of(since);
        let known = since.filter(|since| (recent.since..=recent.newest).contains(since));
        let touched = |since| {
            let newer = |(epoch, _): &&(Epoch, Subject)| *epoch > since;
            recent.subjects.iter().filter(newer).map(|(_, subject)| subject.clone()).collect()
        };
        let has_lost = since.is_some_and(|since| since > recent.newest);
        Changes { at: recent.newest.marker(), touched: known.map(touched), has_lost }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // A panic while changes are noted can only leave out the newest of them, and the store is
        // then poisoned.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Returns how many jobs in front of the queue run together.
    pub(super) fn together(queue: &VecDeque<Self>) -> usize {
        let (mut count, mut rows) = (0, 0);
        for job in queue {
            let weight = match job {
                Self::Commit(batch, _) => batch.changes.len() + batch.events.len(),
                Self::Usage(batch, _) => batch.deltas.len(),
                Self::Alone(_) => return count.max(1),
            };
            rows += weight;
            if count == MOST_JOBS || count > 0 && rows > MOST_ROWS {
                break;
            }
            count += 1;
        }
        count
    }

    fn is_abandoned(&self) -> bool {
        match self {
            Self::Commit(_, slot) | Self::Usage(_, slot) => slot.is_abandoned(),
            Self::Alone(_) => false,
        }
    }

    fn refuse(self, error: StoreError) {
        match self {
            Self::Commit(_, slot) | Self::Usage(_, slot) => slot.answer(Err(error)),
            Self::Alone(_) => {}
        }
    }

    fn answer(self, planned: Planned) {
        match (self, planned) {
            (job, Err(error)) => job.refuse(error),
            (Self::Commit(_, slot) | Self::Usage(_, slot), Ok(_)) => slot.answer(Ok(())),
            (Self::Alone(_), Ok(_)) => {}
        }
    }

    /// Plans the job on the tables as the jobs before it left them, and writes its effects.
    fn run(&self, writing: &mut Writing<'_>) -> Planned {
        let (rows, effects) = match self {
            Self::Commit(batch, _) => {
                let rows = FileRows::of_batch(writing, batch)?;
                let effects = planning(|| plan::batch(&rows, batch.clone()).map(Some))?;
                (rows, effects)
            }
            Self::Usage(batch, _) => {
                let rows = FileRows::of_usage(writing, batch)?;
                let effects = planning(|| plan::usage(&rows, batch))?;
                (rows, effects)
            }
            Self::Alone(_) => return Ok(None),
        };
        let Some(effects) = effects else { return Ok(None) };
        if let Self::Commit(..) = self {
            let next = writing.epoch.0.checked_add(1);
            writing.epoch = Epoch(next.ok_or_else(|| {
                StoreError::corrupt(
                    "the store has reached the highest epoch and takes no more commits",
                )
            })?);
        }
        writing.write(&rows, &effects)?;
        Ok(Some(Done { epoch: writing.epoch, effects }))
    }
}

/// Runs the rules of a commit. A panic is an error of this job alone, because nothing of it was
/// written.
fn planning<T>(plan: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(plan)).unwrap_or_else(|_| {
        Err(StoreError::corrupt("the plan of the batch panicked: nothing of it was written"))
    })
}

/// Returns whether an error is the answer to a batch that was planned, of which nothing is written.
fn is_refusal(error: &StoreError) -> bool {
    use StoreErrorKind::{AlreadyExists, Conflict, LimitReached, Unsupported};
    matches!(error.kind(), AlreadyExists | Conflict | LimitReached | Unsupported)
}

/// Returns the keys and the tenants whose answers in memory the effects change.
fn touched<'a>(all: impl Iterator<Item = &'a Effects>) -> (HashSet<KeyId>, HashSet<TenantId>) {
    let (mut keys, mut tenants) = (HashSet::new(), HashSet::new());
    for effects in all {
        keys.extend(effects.written_keys().map(KeyRecord::id));
        keys.extend(&effects.deleted_keys);
        tenants.extend(effects.written_accounts().map(|account| account.tenant.clone()));
        let is_account = |new: &&Tombstone| matches!(new.id, DeletedId::Account(_));
        let deleted_accounts = effects.tombstones.iter().filter(is_account);
        tenants.extend(deleted_accounts.map(|new| new.tenant.clone()));
        tenants.extend(effects.users.iter().map(|user| user.tenant.clone()));
        tenants.extend(effects.policies.iter().map(|(tenant, _)| tenant.clone()));
    }
    (keys, tenants)
}

/// Returns the error of every call on a closed store.
pub(super) fn closed() -> StoreError {
    StoreError::unavailable("the store is closed: open it again")
}

/// Returns the error of every call after a panic under the lock of the database.
pub(super) fn panicked() -> StoreError {
    StoreError::corrupt("an earlier write of this store panicked: open it again")
}
