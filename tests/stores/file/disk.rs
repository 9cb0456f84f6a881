//! A disk that fails on request and knows which writes were synced.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use rand::rngs::StdRng;

/// The message of the panics that a test requests.
pub(crate) const EXPECTED: &str = "the disk panics";

/// The ways in which a disk fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Writes fail: the disk is full.
    Full,
    /// Writes fail: the file system has become read-only.
    ReadOnly,
    /// Syncs fail.
    Sync,
    /// Writes fail: the disk is broken (`EIO`).
    Broken,
    /// A signal interrupts the operation (`EINTR`).
    Interrupted,
    /// Half of a write arrives, then the disk is full.
    Short,
    /// Reads fail.
    Read,
    /// Writes panic.
    Panic,
}

impl Fault {
    /// The faults that can hit both a change and an open.
    pub(crate) const ALL: [Self; 7] = [
        Self::Full,
        Self::ReadOnly,
        Self::Sync,
        Self::Broken,
        Self::Interrupted,
        Self::Short,
        Self::Read,
    ];

    fn strikes(self, operation: Operation) -> bool {
        match self {
            Self::Full => matches!(operation, Operation::Write | Operation::Resize),
            Self::ReadOnly | Self::Broken | Self::Interrupted | Self::Panic => {
                operation != Operation::Read
            }
            Self::Sync => operation == Operation::Sync,
            Self::Short => operation == Operation::Write,
            Self::Read => operation == Operation::Read,
        }
    }

    fn error(self) -> io::Error {
        match self {
            Self::Full | Self::Short => ErrorKind::StorageFull.into(),
            Self::ReadOnly => ErrorKind::ReadOnlyFilesystem.into(),
            Self::Sync => io::Error::other("the sync failed"),
            Self::Broken | Self::Read => io::Error::from_raw_os_error(5),
            Self::Interrupted => ErrorKind::Interrupted.into(),
            Self::Panic => io::Error::other("a panic"),
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operation {
    Write,
    Resize,
    Sync,
    Read,
}

/// A disk. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    inner: Arc<Mutex<Inner>>,
    /// Whether syncs wait.
    gate: Arc<(Mutex<bool>, Condvar)>,
}

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    /// The bytes at the last sync, and the operations since then.
    synced: Vec<u8>,
    since: Vec<Done>,
    /// The fault, and the number of affected operations that still succeed.
    fault: Option<(Fault, u32)>,
    /// Whether the fault ends after it has struck once.
    once: bool,
    struck: bool,
    syncs: u32,
    bytes_read: u64,
}

#[derive(Clone, Debug)]
enum Done {
    Write(usize, Vec<u8>),
    Resize(usize),
}

impl Disk {
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        let inner = Inner { synced: bytes.clone(), bytes, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(inner)), gate: Arc::default() }
    }

    /// Lets `let_through` more operations of the kind succeed, then fails.
    pub(crate) fn fail(&self, fault: Fault, let_through: u32, once: bool) {
        let mut inner = self.lock();
        inner.fault = Some((fault, let_through));
        inner.once = once;
    }

    pub(crate) fn mend(&self) {
        self.lock().fault = None;
    }

    /// Returns whether a fault has struck.
    pub(crate) fn has_struck(&self) -> bool {
        self.lock().struck
    }

    /// Returns the number of requested syncs, including failed ones.
    pub(crate) fn syncs(&self) -> u32 {
        self.lock().syncs
    }

    /// Makes all further syncs wait until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        *self.gate.0.lock().expect("no panic at the gate") = true;
    }

    pub(crate) fn release(&self) {
        *self.gate.0.lock().expect("no panic at the gate") = false;
        self.gate.1.notify_all();
    }

    /// Returns the number of bytes that were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.lock().bytes_read
    }

    /// Returns the file with every write, synced or not.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// Returns the file after a power cut: every synced write, and any part of the others.
    pub(crate) fn after_a_power_cut(&self, random: &mut StdRng) -> Vec<u8> {
        let inner = self.lock();
        let mut left = inner.synced.clone();
        for done in &inner.since {
            if random.random_bool(0.5) {
                continue;
            }
            match done {
                Done::Resize(length) => left.resize(*length, 0),
                Done::Write(offset, data) => {
                    let end = offset + data.len();
                    if left.len() < end {
                        left.resize(end, 0);
                    }
                    // A write can reach the disk in part, sector by sector.
                    for (place, sector) in data.chunks(512).enumerate() {
                        if random.random_bool(0.8) {
                            let at = offset + place * 512;
                            left[at..at + sector.len()].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        left
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The disk stays usable after the panics that a test requests.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn pass(&mut self, operation: Operation) -> io::Result<()> {
        let Some((fault, let_through)) = &mut self.fault else { return Ok(()) };
        if !fault.strikes(operation) {
            return Ok(());
        }
        if *let_through > 0 {
            *let_through -= 1;
            return Ok(());
        }
        let fault = *fault;
        let error = fault.error();
        self.struck = true;
        if self.once {
            self.fault = None;
        }
        assert!(fault != Fault::Panic, "{EXPECTED}");
        Err(error)
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("a small disk")
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut inner = self.lock();
        inner.pass(Operation::Read)?;
        inner.bytes_read += out.len() as u64;
        let found = inner.bytes.get(place(offset)..place(offset) + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut inner = self.lock();
        inner.pass(Operation::Resize)?;
        inner.bytes.resize(place(length), 0);
        inner.since.push(Done::Resize(place(length)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let held = self.gate.0.lock().expect("no panic at the gate");
        drop(self.gate.1.wait_while(held, |held| *held).expect("no panic at the gate"));
        let mut inner = self.lock();
        inner.syncs += 1;
        inner.pass(Operation::Sync)?;
        let Inner { bytes, synced, since, .. } = &mut *inner;
        synced.clone_from(bytes);
        since.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut inner = self.lock();
        let short = inner.fault.is_some_and(|(fault, _)| fault == Fault::Short);
        let passed = inner.pass(Operation::Write);
        let data = match passed {
            Ok(()) => data,
            Err(_) if short => &data[..data.len() / 2],
            Err(error) => return Err(error),
        };
        let begin = place(offset);
        let end = begin + data.len();
        inner.bytes.get_mut(begin..end).ok_or(ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        inner.since.push(Done::Write(begin, data.to_vec()));
        passed
    }
}
