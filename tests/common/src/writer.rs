//! A process that writes to a store until it is killed, and reports every change on its output.
//!
//! Each thread prints one line before a change and one line after it. The second line has the id and the
//! token of a new key.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::FileStore;
use keywright::{KeyEntry, KeyError, KeyId, KeyStatus, NewKey, Verifier};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::{DAY, World, all_keys, says};

/// The environment variables with the path of the store's file and with the seed of the random changes.
pub const FILE: &str = "KEYWRIGHT_TEST_WRITES_TO";
pub const SEED: &str = "KEYWRIGHT_TEST_WRITES_WITH_SEED";
/// The mark of the writer's lines, which sets them apart from those of the test harness.
pub const MARK: &str = "writer: ";
pub const THREADS: usize = 4;

/// A change that a thread reports and then makes.
#[derive(Clone, Debug)]
pub enum Doing {
    Generate(String),
    Rotate(KeyId, Duration),
    Disable(KeyId),
    Enable(KeyId),
    Revoke(KeyId),
    Delete(KeyId),
    /// A flush, with the number of uses of each key since the last flush of this thread.
    Flush(BTreeMap<KeyId, u64>),
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate(name) => write!(f, "generate {name}"),
            Self::Rotate(id, overlap) => write!(f, "rotate {id} {}", overlap.as_secs()),
            Self::Disable(id) => write!(f, "disable {id}"),
            Self::Enable(id) => write!(f, "enable {id}"),
            Self::Revoke(id) => write!(f, "revoke {id}"),
            Self::Delete(id) => write!(f, "delete {id}"),
            Self::Flush(uses) => {
                write!(f, "flush")?;
                uses.iter().try_for_each(|(id, count)| write!(f, " {id}={count}"))
            }
        }
    }
}

impl FromStr for Doing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let strange = || format!("unexpected line of the writer: {text:?}");
        let words: Vec<&str> = text.split(' ').collect();
        let id = |word: &str| word.parse::<KeyId>().map_err(|_| strange());
        match words.as_slice() {
            ["generate", name] => Ok(Self::Generate((*name).to_owned())),
            ["rotate", key, seconds] => {
                let seconds = seconds.parse().map_err(|_| strange())?;
                Ok(Self::Rotate(id(key)?, Duration::from_secs(seconds)))
            }
            ["disable", key] => Ok(Self::Disable(id(key)?)),
            ["enable", key] => Ok(Self::Enable(id(key)?)),
            ["revoke", key] => Ok(Self::Revoke(id(key)?)),
            ["delete", key] => Ok(Self::Delete(id(key)?)),
            ["flush", uses @ ..] => {
                let uses = uses.iter().map(|word| {
                    let (key, count) = word.split_once('=').ok_or_else(strange)?;
                    Ok((id(key)?, count.parse().map_err(|_| strange())?))
                });
                Ok(Self::Flush(uses.collect::<Result<_, String>>()?))
            }
            _ => Err(strange()),
        }
    }
}

/// Changes keys on several threads until the process is killed, and reports each change before and after.
pub fn write_until_killed(file: &Path) -> ! {
    let seed: u64 = env::var(SEED).expect("a seed").parse().expect("a number");
    let store = block_on(FileStore::open(file)).expect("the store opens");
    let world = World::bare(store.clone());
    world.change_policy(|policy| {
        policy.settings.api_enabled = Some(true);
        policy.settings.max_keys_per_user = Some(1_000);
    });
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (world, random) = (&world, StdRng::seed_from_u64(seed + number as u64));
            // Each thread has its own verifier, so that a flush writes only the uses that the thread counted.
            let counting = World::bare(store.clone()).verifier;
            scope.spawn(move || Writer::new(world, number, random, counting).write());
        }
    });
    unreachable!("the threads write until the process is killed")
}

/// One thread of the writer, which changes only its own keys.
struct Writer<'a> {
    world: &'a World,
    number: usize,
    random: StdRng,
    verifier: Verifier,
    /// The thread's keys that are not revoked.
    alive: Vec<KeyId>,
    revoked: Vec<KeyId>,
    /// The newest token of each key.
    tokens: BTreeMap<KeyId, String>,
    used: BTreeMap<KeyId, u64>,
    made: u32,
}

impl<'a> Writer<'a> {
    fn new(world: &'a World, number: usize, random: StdRng, verifier: Verifier) -> Self {
        let all = block_on(all_keys(&world.authority, &world.admin));
        let mine = |entry: &&KeyEntry| entry.key.name.as_str().starts_with(&format!("t{number}-"));
        let (revoked, alive): (Vec<_>, Vec<_>) =
            all.iter().filter(mine).partition(|entry| entry.status == KeyStatus::Revoked);
        let ids = |entries: Vec<&KeyEntry>| entries.into_iter().map(|entry| entry.key.id).collect();
        let (alive, revoked) = (ids(alive), ids(revoked));
        let (tokens, used) = (BTreeMap::new(), BTreeMap::new());
        Self { world, number, random, verifier, alive, revoked, tokens, used, made: 0 }
    }

    fn write(mut self) -> ! {
        loop {
            for _ in 0..self.random.random_range(0..4) {
                self.use_a_key();
            }
            let doing = self.choose();
            self.say(&format!("begins {doing}"));
            let told = self.carry_out(&doing);
            self.say(&format!("ends {told}"));
        }
    }

    fn choose(&mut self) -> Doing {
        let alive = self.alive.choose(&mut self.random).copied();
        let dead = self.revoked.choose(&mut self.random).copied();
        let drawn = self.random.random_range(0..20);
        match (drawn, alive, dead) {
            (0..4, Some(id), _) => Doing::Rotate(id, DAY),
            (4..7, Some(id), _) => Doing::Rotate(id, Duration::ZERO),
            (7..9, Some(id), _) => Doing::Revoke(id),
            (9..11, Some(id), _) => Doing::Disable(id),
            (11..13, Some(id), _) => Doing::Enable(id),
            (13, _, Some(id)) => Doing::Delete(id),
            (14..17, ..) => Doing::Flush(std::mem::take(&mut self.used)),
            _ => {
                self.made += 1;
                let drawn: u64 = self.random.random();
                Doing::Generate(format!("t{}-{}-{drawn:x}", self.number, self.made))
            }
        }
    }

    /// Makes the change, and returns the report of its end: the id and the token, if there is a new token.
    fn carry_out(&mut self, doing: &Doing) -> String {
        let (authority, admin) = (&self.world.authority, &self.world.admin);
        let issued = match doing {
            Doing::Generate(name) => {
                let new = NewKey::named(name).expect("a name");
                Some(block_on(authority.generate(admin, new)).expect("generated"))
            }
            Doing::Rotate(id, overlap) => match block_on(authority.rotate(admin, id, *overlap)) {
                Err(KeyError::WrongStatus(_) | KeyError::OverlapWhileDisabled { .. }) => {
                    return "refused".to_owned();
                }
                rotated => Some(rotated.expect("rotated")),
            },
            Doing::Disable(id) => {
                block_on(authority.disable(admin, id)).expect("disabled");
                None
            }
            Doing::Enable(id) => {
                block_on(authority.enable(admin, id)).expect("enabled");
                None
            }
            Doing::Revoke(id) => {
                block_on(authority.revoke(admin, id)).expect("revoked");
                self.alive.retain(|known| known != id);
                self.revoked.push(*id);
                None
            }
            Doing::Delete(id) => {
                block_on(authority.delete(admin, id)).expect("deleted");
                self.revoked.retain(|known| known != id);
                None
            }
            Doing::Flush(_) => {
                block_on(self.verifier.flush()).expect("flushed");
                None
            }
        };
        let Some(issued) = issued else { return "done".to_owned() };
        let (id, token) = (issued.key.id, issued.token.expose().to_owned());
        if matches!(doing, Doing::Generate(_)) {
            self.alive.push(id);
        }
        self.tokens.insert(id, token.clone());
        format!("{id} {token}")
    }

    fn use_a_key(&mut self) {
        let tokens: Vec<_> = self.tokens.iter().collect();
        let Some((id, token)) = tokens.choose(&mut self.random) else { return };
        if says(&self.verifier, token) == "current" {
            *self.used.entry(**id).or_default() += 1;
        }
    }

    /// Prints a line in one write, so that a kill leaves the whole line or none of it.
    fn say(&self, text: &str) {
        let line = format!("\n{MARK}{} {text}\n", self.number);
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes())
            .and_then(|()| out.flush())
            .expect("the parent reads the output");
    }
}
