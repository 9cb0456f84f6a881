//! Everything that the crate records of a whole lifecycle, at the lowest level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use keywright::store::MemoryStore;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::Heard;
use super::lifecycle::live;
use common::block_on;

/// A log in memory. Clones are the same log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).expect("a log is text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn t_l01_trace_of_a_lifecycle_holds_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let (_, life) =
        tracing::subscriber::with_default(subscriber, || block_on(live(MemoryStore::new())));
    let text = log.text();
    for name in ["key.generate", "key.rotate", "key.revoke", "account.create", "verify", "flush"] {
        assert!(text.contains(&format!("keywright.{name}")), "{name} is not in {text}");
    }
    for outcome in ["accepted", "denied", "done", "unchanged", "refused"] {
        assert!(text.contains(&format!("keywright.outcome=\"{outcome}\"")), "{outcome}");
    }
    let heard = Heard { said: vec![("the log".to_owned(), text.clone())], ..Heard::default() };
    heard.assert_silent_about(&life.needles);
    // No 8 characters of a secret are there either.
    let secrets: Vec<_> = life.needles.iter().filter(|needle| needle.what == "secret").collect();
    assert!(secrets.len() >= 3, "each key has one");
    for secret in secrets {
        for part in secret.text.as_bytes().windows(8) {
            let part = std::str::from_utf8(part).expect("base62");
            assert!(!text.contains(part), "8 characters of a secret are in the log");
        }
    }
}
