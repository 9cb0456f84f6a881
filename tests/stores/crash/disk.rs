//! A disk in memory that records every step.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// The stores of these tests have a few hundred kilobytes, so no open needs a longer file.
const MOST_BYTES: u64 = 64 << 20;

/// An operation on a disk that matters for a power cut.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write(usize, Arc<[u8]>),
    Resize(usize),
    Sync,
}

impl Step {
    /// Applies the step to these bytes.
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => write_at(bytes, *at, data),
            Self::Resize(length) => resize(bytes, *length),
            Self::Sync => {}
        }
    }
}

/// Writes into a file, which grows if it is too short, because its own growth can be lost.
pub(crate) fn write_at(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if bytes.len() < end {
        resize(bytes, end);
    }
    bytes[at..end].copy_from_slice(data);
}

/// Works like `Vec::resize`, which is slow without optimization because it goes byte by byte.
fn resize(bytes: &mut Vec<u8>, length: usize) {
    let missing = length.saturating_sub(bytes.len());
    bytes.truncate(length);
    bytes.extend_from_slice(&vec![0; missing]);
}

/// A disk. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    bytes: Vec<u8>,
    steps: Vec<Step>,
}

impl Disk {
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Inner { bytes, steps: Vec::new() })))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// Returns the number of steps so far.
    pub(crate) fn count(&self) -> usize {
        self.lock().steps.len()
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        self.lock().steps.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no panic while the disk is locked")
    }

    fn take(&self, step: Step) {
        let mut inner = self.lock();
        step.apply(&mut inner.bytes);
        inner.steps.push(step);
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
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
        let inner = self.lock();
        let end = offset.checked_add(out.len() as u64).ok_or(ErrorKind::UnexpectedEof)?;
        if end > inner.bytes.len() as u64 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        out.copy_from_slice(&inner.bytes[place(offset)..place(end)]);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        assert!(length < MOST_BYTES, "a small store grows to {length} bytes");
        self.take(Step::Resize(place(length)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.take(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset + data.len() as u64 > self.len()? {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.take(Step::Write(place(offset), data.into()));
        Ok(())
    }
}
