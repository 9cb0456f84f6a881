//! The node: a process with a cache over the database that answers lines over TCP.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, iter, process, thread};

use async_trait::async_trait;
use keywright::store::{
    CacheOptions, CachedStore, ChangeHints, PostgresHints, PostgresStore, StoreError,
    StoreErrorKind,
};
use keywright::{
    Actor, Authority, GenerateError, KeyId, Keywright, NewKey, Plan, Policy, SettingsEdit,
    TenantId, UserId, Verifier, VerifyError,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, sleep_until};

use crate::watch::{Seen, Watch, now};

/// The environment variable with the port and name of the node's database.
pub(crate) const DATABASE: &str = "KEYWRIGHT_NODE_DATABASE";
/// The environment variable for the kind of hints.
pub(crate) const HINTS: &str = "KEYWRIGHT_NODE_HINTS";
/// The prefix of the node's first line, which names its address.
pub(crate) const MARK: &str = "the node listens on ";

/// The first word of an answer: done, the database is unreachable, or refused.
pub(crate) const OK: &str = "ok";
pub(crate) const UNAVAILABLE: &str = "unavailable";
pub(crate) const REFUSED: &str = "refused";

/// Maximum staleness of an answer.
pub(crate) const BOUND: Duration = Duration::from_millis(500);
/// The tenants of the watched keys. They are of two shards.
pub(crate) const TENANTS: [&str; 2] = ["acme", "globex"];
/// Longest time to wait for the database.
const PATIENCE: Duration = Duration::from_millis(300);
const CONNECTIONS: u32 = 20;
/// Longer than the cache waits for a hint before it polls.
const DELAY: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hints {
    On,
    Off,
    Late,
}

impl Hints {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Late => "late",
        }
    }
}

/// Hints that arrive long after their commits.
struct Late {
    hints: PostgresHints,
    due: Option<Instant>,
}

#[async_trait]
impl ChangeHints for Late {
    async fn next(&mut self) {
        // Stored, because the call can be dropped while it waits.
        if self.due.is_none() {
            self.hints.next().await;
            self.due = Some(Instant::now() + DELAY);
        }
        if let Some(due) = self.due {
            sleep_until(due).await;
        }
        self.due = None;
    }
}

struct Node {
    cache: CachedStore,
    authority: Authority,
    verifier: Verifier,
    admin: Actor,
    watches: Mutex<HashMap<KeyId, Arc<Watch>>>,
}

/// Runs a node until the parent closes its input.
pub(crate) fn run(database: &str) -> ! {
    let runtime = Runtime::new().expect("a runtime");
    let (port, name) = database.split_once(' ').expect("a port and a name");
    let port = port.parse().expect("a port");
    let node = Arc::new(runtime.block_on(Node::open(port, name)));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let runtime = Arc::new(runtime);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (node, runtime) = (Arc::clone(&node), Arc::clone(&runtime));
            thread::spawn(move || node.serve(&stream.expect("a connection"), &runtime));
        }
    });
    println!("\n{MARK}{address}");
    let ended = io::copy(&mut io::stdin(), &mut io::sink());
    process::exit(i32::from(ended.is_err()))
}

impl Node {
    async fn open(port: u16, database: &str) -> Self {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
        let options = options.username("postgres").database(database);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let pool = pool.connect_with(options).await.expect("the server");
        let store = PostgresStore::open(pool).await.expect("a store");
        let options = CacheOptions::new().max_staleness(BOUND).store_timeout(PATIENCE);
        let cache = match env::var(HINTS).as_deref() {
            Ok("on") => {
                let hints = store.hints().await.expect("hints");
                CachedStore::with_hints(store, options, hints)
            }
            Ok("late") => {
                let hints = Late { hints: store.hints().await.expect("hints"), due: None };
                CachedStore::with_hints(store, options, hints)
            }
            _ => CachedStore::new(store, options),
        };
        let cache = cache.expect("a cache");
        tokio::spawn(cache.refresh_task());
        let mut policy = Policy::default();
        policy.settings.api_enabled = Some(true);
        policy.settings.max_keys_per_user = Some(Plan::MAX_KEYS);
        let keywright =
            Keywright::builder(cache.clone()).default_policy(policy).build().expect("a keywright");
        Self {
            authority: keywright.authority(),
            verifier: keywright.verifier(),
            admin: Actor::administrator(UserId::new("ada").expect("a user id")),
            cache,
            watches: Mutex::default(),
        }
    }

    /// Answers line after line.
    fn serve(&self, stream: &TcpStream, runtime: &Runtime) {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            let words: Vec<_> = line.split(' ').collect();
            let answer = match runtime.block_on(self.answer(&words)) {
                Ok(said) => format!("{OK} {said}\n"),
                Err(error) => format!("{} {}\n", kind(&*error), whole_chain(&*error)),
            };
            let mut stream = stream;
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    /// Returns the answer to a completed request: the requested value, or the time.
    async fn answer(&self, words: &[&str]) -> Result<String, Box<dyn Error>> {
        let (authority, admin) = (&self.authority, &self.admin);
        match *words {
            ["generate", owner] => return self.generate(owner, TenantId::default()).await,
            ["generate", owner, tenant] => return self.generate(owner, tenant.parse()?).await,
            ["revoke", id] => drop(authority.revoke(admin, &id.parse()?).await?),
            ["revoke", id, tenant] => {
                let admin = admin.clone().in_tenant(tenant.parse()?);
                drop(authority.revoke(&admin, &id.parse()?).await?);
            }
            ["disable", id] => drop(authority.disable(admin, &id.parse()?).await?),
            ["enable", id] => drop(authority.enable(admin, &id.parse()?).await?),
            ["rotate", id] => {
                let issued = authority.rotate(admin, &id.parse()?, Duration::ZERO).await?;
                return Ok(format!("{} {}", issued.key.secret_number, issued.token.expose()));
            }
            ["limit", keys] => {
                let edit = SettingsEdit::new().max_keys_per_user(Some(keys.parse()?));
                drop(authority.edit_settings(admin, edit).await?);
            }
            ["verify", token] => return self.verify(token).await,
            ["flush"] => self.verifier.flush().await?,
            ["uses", id] => {
                return Ok(authority.key(admin, &id.parse()?).await?.uses.to_string());
            }
            ["regressions"] => return Ok(self.cache.regressions().to_string()),
            ["watch", id, token] => {
                let watch = Watch::start(self.verifier.clone(), token.to_owned());
                self.watches().insert(id.parse()?, watch);
            }
            ["accepted", id] => {
                let asked = now();
                self.until(id, |seen| seen.last_accepted > Some(asked)).await?;
            }
            ["refused", id] => self.until(id, |seen| seen.is_refused).await?,
            ["seen", id] => {
                let watch = self.watches().remove(&id.parse()?).ok_or("it is not watched")?;
                watch.end();
                let seen = watch.seen().write();
                return Ok(seen);
            }
            _ => return Err("it does not understand".into()),
        }
        Ok(now().as_micros().to_string())
    }

    async fn generate(&self, owner: &str, tenant: TenantId) -> Result<String, Box<dyn Error>> {
        let owner = Actor::developer(UserId::new(owner)?).in_tenant(tenant);
        let new = NewKey::named("a-key")?;
        match self.authority.generate(&owner, new).await {
            Ok(issued) => Ok(format!("{} {}", issued.key.id, issued.token.expose())),
            Err(GenerateError::TooManyKeys { .. }) => Ok("too many".to_owned()),
            Err(error) => Err(error.into()),
        }
    }

    async fn verify(&self, token: &str) -> Result<String, Box<dyn Error>> {
        match self.verifier.verify(token).await {
            Ok(_) => Ok("accepted".to_owned()),
            Err(VerifyError::Denied(denial)) => Ok(denial.reason().code().to_owned()),
            Err(error) => Err(error.into()),
        }
    }

    async fn until(&self, id: &str, is_so: impl Fn(&Seen) -> bool) -> Result<(), Box<dyn Error>> {
        let watch = self.watches().get(&id.parse()?).cloned().ok_or("it is not watched")?;
        while !is_so(&watch.seen()) {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<KeyId, Arc<Watch>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the first word for a failure, which tells a failed store from a refusal.
fn kind(error: &(dyn Error + 'static)) -> &'static str {
    let store = iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
        .find_map(|error| error.downcast_ref::<StoreError>());
    match store.map(StoreError::kind) {
        Some(StoreErrorKind::Unavailable) => UNAVAILABLE,
        _ => REFUSED,
    }
}

fn whole_chain(error: &(dyn Error + 'static)) -> String {
    let said = iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    said.map(ToString::to_string).collect::<Vec<_>>().join(": ").replace('\n', " ")
}
