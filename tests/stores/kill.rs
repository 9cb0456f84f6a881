//! A process that writes to a store is killed at random moments, again and again. Every
//! acknowledged change is there afterwards, whole, and only the changes in flight are uncertain.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{EventKind, EventOutcome, KeyEntry, KeyId, Operation};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use common::writer::{Doing, FILE, MARK, SEED, THREADS, write_until_killed};
use common::{World, all_keys, amount, events_of, says};

const TEST: &str = "t_f12_acknowledged_changes_survive_a_kill";
/// Number of rounds until the test starts a new file.
const ROUNDS_PER_FILE: u32 = 20;

#[test]
fn t_f12_acknowledged_changes_survive_a_kill() {
    // The writer is this test executable, with the path in a variable.
    if let Some(file) = env::var_os(FILE) {
        write_until_killed(Path::new(&file));
    }
    let seed = common::new_seed();
    let mut random = StdRng::seed_from_u64(seed);
    let rounds = amount("KEYWRIGHT_ROUNDS", 200);
    let mut totals = Totals::default();
    let mut folder = tempfile::tempdir().expect("a temporary folder");
    let mut known = Known::default();
    for round in 0..rounds {
        if round % ROUNDS_PER_FILE == 0 {
            folder = tempfile::tempdir().expect("a temporary folder");
            known = Known::default();
        }
        println!("round {round}");
        let file = folder.path().join("keys.db");
        let mut doing: [Option<Doing>; THREADS] = [const { None }; THREADS];
        for line in write_and_kill(&file, &mut random) {
            totals.lines += 1;
            known.hear(&line, &mut doing);
        }
        // Every other round checks a copy, so that the next writer opens the file as the kill left
        // it.
        let left = folder.path().join("copy.db");
        let looked_at = if random.random_bool(0.5) && file.exists() {
            fs::copy(&file, &left).expect("a copy");
            &left
        } else {
            &file
        };
        totals.in_flight += doing.iter().flatten().count();
        totals.taken_over += known.check(looked_at, doing);
    }
    println!(
        "{rounds} kills: {} lines heard, {} changes in flight, {} of them were written",
        totals.lines, totals.in_flight, totals.taken_over
    );
    assert!(rounds < 50 || totals.in_flight > 0, "no kill met a change in flight");
}

#[derive(Debug, Default)]
struct Totals {
    lines: usize,
    in_flight: usize,
    taken_over: usize,
}

/// Starts a writer, kills it at a random moment, and returns its output.
fn write_and_kill(file: &Path, random: &mut StdRng) -> Vec<String> {
    let mut writer = Command::new(env::current_exe().expect("this program"))
        .args([TEST, "--exact", "--nocapture"])
        .env(FILE, file)
        .env(SEED, random.random_range(0..u64::MAX / 2).to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the writer starts");
    let mut out = BufReader::new(writer.stdout.take().expect("its output"));
    // One in six is killed while it opens the store, the others while they write.
    let (lines, moment) = match random.random_range(0..6) {
        0 => (0, Duration::from_micros(random.random_range(0..15_000))),
        _ => (random.random_range(1..250), Duration::from_micros(random.random_range(0..1_000))),
    };
    let mut heard = Vec::new();
    while heard.len() < lines && hear(&mut out, &mut heard) {}
    let begin = Instant::now();
    while begin.elapsed() < moment {
        std::hint::spin_loop();
    }
    kill(&mut writer);
    while hear(&mut out, &mut heard) {}
    heard
}

/// Reads the writer's next line, and returns false at the end. An incomplete line is dropped.
fn hear(out: &mut impl BufRead, heard: &mut Vec<String>) -> bool {
    let mut line = String::new();
    while out.read_line(&mut line).expect("its output is text") > 0 {
        if let Some(said) = line.strip_prefix(MARK).and_then(|line| line.strip_suffix('\n')) {
            heard.push(said.to_owned());
            return true;
        }
        line.clear();
    }
    false
}

fn kill(writer: &mut Child) {
    use std::os::unix::process::ExitStatusExt;
    writer.kill().expect("it can be killed");
    let status = writer.wait().expect("it ends");
    assert_eq!(status.signal(), Some(9), "the writer ended before the kill: {status}");
}

/// The expected state of all keys in a file.
#[derive(Debug, Default)]
struct Known(BTreeMap<KeyId, KnownKey>);

#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate change, visible or not")]
struct KnownKey {
    secret_number: u32,
    /// Whether the secret before the current one works too.
    overlapping: bool,
    disabled: bool,
    revoked: bool,
    deleted: bool,
    uses: u64,
    /// The acknowledged tokens by secret number.
    tokens: BTreeMap<u32, String>,
}

impl Known {
    /// Applies a line of the writer's output.
    fn hear(&mut self, line: &str, doing: &mut [Option<Doing>; THREADS]) {
        let (number, said) = line.split_once(' ').expect("a thread and its line");
        let mine = &mut doing[number.parse::<usize>().expect("a number")];
        match said.split_once(' ') {
            Some(("begins", what)) => {
                let what = what.parse().unwrap_or_else(|error| panic!("{error}"));
                assert!(mine.replace(what).is_none(), "it begins one change after another");
            }
            Some(("ends", told)) => {
                let done = mine.take().expect("it ends the change that it began");
                match told.split_once(' ') {
                    Some((id, token)) => {
                        let id = id.parse().expect("a key id");
                        self.apply(&done, Some((id, token)));
                    }
                    None if told == "refused" => {}
                    None => self.apply(&done, None),
                }
            }
            _ => panic!("the writer said {line:?}"),
        }
    }

    /// Applies a change. A generated or rotated key comes with its token, if the token is known.
    fn apply(&mut self, done: &Doing, issued: Option<(KeyId, &str)>) {
        match done {
            Doing::Generate(_) => {
                let (id, token) = issued.expect("a key");
                let tokens = BTreeMap::from([(1, token.to_owned())]);
                let new = KnownKey { secret_number: 1, tokens, ..KnownKey::default() };
                assert!(self.0.insert(id, new).is_none(), "the id {id} was generated twice");
            }
            Doing::Rotate(id, overlap) => {
                let key = self.key(id);
                key.secret_number += 1;
                key.overlapping = !overlap.is_zero();
                let token = issued.map(|(_, token)| (key.secret_number, token.to_owned()));
                key.tokens.extend(token);
            }
            Doing::Disable(id) => self.key(id).disabled = true,
            Doing::Enable(id) => self.key(id).disabled = false,
            Doing::Revoke(id) => self.key(id).revoked = true,
            Doing::Delete(id) => self.key(id).deleted = true,
            Doing::Flush(uses) => uses.iter().for_each(|(id, count)| self.key(id).uses += count),
        }
    }

    fn key(&mut self, id: &KeyId) -> &mut KnownKey {
        self.0.get_mut(id).expect("a key that was acknowledged")
    }

    /// Opens the file and compares it with the expected state. Takes over the changes in flight as
    /// found, and returns how many of them are there.
    fn check(&mut self, file: &Path, doing: [Option<Doing>; THREADS]) -> usize {
        let store = block_on(FileStore::open(file))
            .unwrap_or_else(|error| panic!("it does not open after the kill: {error:?}"));
        let world = World::bare(store.clone());
        let found = block_on(all_keys(&world.authority, &world.admin));
        let mut taken_over = 0;
        for doing in doing.into_iter().flatten() {
            taken_over += usize::from(self.take_over(&doing, &found));
        }
        let there: Vec<_> =
            self.0.iter().filter(|(_, key)| !key.deleted).map(|(id, _)| *id).collect();
        let mut ids: Vec<_> = found.iter().map(|entry| entry.key.id).collect();
        ids.sort();
        assert_eq!(ids, there, "the stored keys");
        for (id, key) in &self.0 {
            key.check(id, found.iter().find(|entry| entry.key.id == *id), &world);
        }
        block_on(store.close()).expect("the store closes");
        taken_over
    }

    /// Returns whether a change in flight was written, and updates the expected state of the key if
    /// so.
    fn take_over(&mut self, doing: &Doing, found: &[KeyEntry]) -> bool {
        let entry = |id: &KeyId| found.iter().find(|entry| entry.key.id == *id);
        let written = match doing {
            Doing::Generate(name) => {
                let mut new = found.iter().filter(|entry| entry.key.name.as_str() == name);
                let Some(entry) = new.next() else { return false };
                assert!(new.next().is_none(), "one key was made as {name}");
                // The token of this key was never printed.
                let key = KnownKey { secret_number: 1, ..KnownKey::default() };
                assert!(self.0.insert(entry.key.id, key).is_none(), "its id is new");
                return true;
            }
            Doing::Rotate(id, _) => {
                entry(id).is_some_and(|e| e.key.secret_number != self.0[id].secret_number)
            }
            Doing::Disable(id) | Doing::Enable(id) => {
                entry(id).is_some_and(|e| e.key.disabled != self.0[id].disabled)
            }
            Doing::Revoke(id) => entry(id).is_some_and(|e| e.key.revoked_at.is_some()),
            Doing::Delete(id) => entry(id).is_none(),
            Doing::Flush(uses) => {
                uses.keys().any(|id| entry(id).is_some_and(|e| e.uses != self.0[id].uses))
            }
        };
        if written {
            self.apply(doing, None);
        }
        written
    }
}

impl KnownKey {
    fn check(&self, id: &KeyId, entry: Option<&KeyEntry>, world: &World) {
        for (number, token) in &self.tokens {
            assert_eq!(says(&world.verifier, token), self.expected(*number), "{id}, {self:?}");
        }
        let events = events_of(world, *id);
        let done = |operation: Operation| {
            let kind = EventKind::Operation(operation);
            events.iter().filter(|e| e.kind == kind && e.outcome == EventOutcome::Done).count()
        };
        let told = [
            (Operation::KeyGenerate, 1),
            (Operation::KeyRotate, self.secret_number as usize - 1),
            (Operation::KeyRevoke, usize::from(self.revoked)),
            (Operation::KeyDelete, usize::from(self.deleted)),
        ];
        for (operation, times) in told {
            assert_eq!(done(operation), times, "{id}: {operation}, {self:?}");
        }
        let toggled = done(Operation::KeyDisable) - done(Operation::KeyEnable);
        assert_eq!(toggled, usize::from(self.disabled), "{id}: {self:?}");
        let Some(entry) = entry else { return };
        let key = &entry.key;
        let seen = (key.secret_number, key.disabled, key.revoked_at.is_some(), entry.uses);
        let expected = (self.secret_number, self.disabled, self.revoked, self.uses);
        assert_eq!(seen, expected, "{id}: number, disabled, revoked, uses");
        assert_eq!(key.overlap_ends_at.is_some(), self.overlapping, "{id}");
    }

    /// Returns the expected answer to the token with this secret number.
    fn expected(&self, number: u32) -> &'static str {
        let current = number == self.secret_number;
        let retiring = number + 1 == self.secret_number && self.overlapping;
        match self {
            Self { deleted: true, .. } => "unrecognized",
            _ if !current && !retiring => "unrecognized",
            Self { revoked: true, .. } => "revoked",
            Self { disabled: true, .. } => "disabled",
            _ if current => "current",
            _ => "retiring",
        }
    }
}
