//! What the tests share: a world with a clock that stands still, fixed random sources, a token
//! renderer of its own, and a store that can be watched, broken and tampered with.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::{TryCryptoRng, TryRng};

use keywright::store::{
    AccountQuery, Batch, Changes, Epoch, EventQuery, Freshness, KeyQuery, KeyStore, MemoryStore,
    Page, Resolve, Snapshot, StoreError, StoredKey, UsageBatch,
};
use keywright::{
    AccountId, Actor, Authority, Builder, Denial, Event, Grant, Issued, KeyId, Keywright,
    ManualClock, NewKey, Policy, Prefix, RoleName, ServiceAccount, TenantId, Timestamp, UserId,
    Verifier, VerifyError,
};

pub const SECOND: Duration = Duration::from_secs(1);
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);
pub const MICRO: Duration = Duration::from_micros(1);

/// The alphabet of ids, secrets and checks, written down once more.
pub const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub use futures_lite::future::block_on;

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// When every world begins.
pub fn start() -> Timestamp {
    time("2026-01-01T00:00:00Z")
}

pub fn tenant() -> TenantId {
    TenantId::new("globex").expect("a tenant")
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).expect("a user id")
}

/// May do everything in the tenant.
pub fn admin() -> Actor {
    Actor::administrator(user("ada")).in_tenant(tenant())
}

/// A developer of the tenant.
pub fn developer(id: &str) -> Actor {
    Actor::developer(user(id)).in_tenant(tenant())
}

/// A policy that lets keys be made: two roles, three scopes, 1,000 keys for each owner.
pub fn open_policy() -> Policy {
    let mut policy = Policy::default();
    policy.api_enabled = true;
    policy.max_keys_per_owner = Policy::MAX_KEYS_PER_OWNER;
    policy.scope_ceiling = "a:read a:write b:read".parse().expect("scopes");
    let roles = [("analyst", "a:read b:read"), ("operator", "a:read a:write b:read")];
    for (name, scopes) in roles {
        policy.roles.insert(RoleName::new(name).expect("a role"), scopes.parse().expect("scopes"));
    }
    policy
}

/// An authority and a verifier over one store, with a clock that only the test moves.
pub struct World {
    pub clock: ManualClock,
    pub builder: Builder,
    pub keywright: Keywright,
    pub authority: Authority,
    pub verifier: Verifier,
}

impl World {
    /// On a store in memory.
    pub fn new() -> Self {
        Self::on(MemoryStore::new())
    }

    pub fn on(store: impl KeyStore) -> Self {
        Self::with(store, |builder| builder)
    }

    /// With other settings.
    pub fn with(store: impl KeyStore, change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::at(start());
        let builder = Keywright::builder(store)
            .prefix(Prefix::new("acme_live").expect("a prefix"))
            .default_policy(open_policy())
            .clock(clock.clone());
        let builder = change(builder);
        let keywright = builder.clone().build().expect("a default policy within its bounds");
        let (authority, verifier) = (keywright.authority(), keywright.verifier());
        Self { clock, builder, keywright, authority, verifier }
    }

    /// A key of `actor`'s own.
    pub async fn key_of(&self, actor: &Actor, new: NewKey) -> Issued {
        self.authority.generate(actor, new).await.expect("a key")
    }

    /// A key of alice's with nothing said of it.
    pub async fn key(&self) -> Issued {
        self.key_of(&developer("alice"), named("prod-main-app")).await
    }

    /// Changes the tenant's policy.
    pub async fn set_policy(&self, change: impl FnOnce(&mut Policy)) {
        let mut policy = self.authority.policy(&admin()).await.expect("a policy");
        change(&mut policy);
        self.authority.set_policy(&admin(), policy).await.expect("the policy is possible");
    }
}

pub fn named(name: &str) -> NewKey {
    NewKey::named(name).expect("a name")
}

/// The denial of a verification that must be one.
#[track_caller]
pub fn denial(verified: Result<Grant, VerifyError>) -> Denial {
    match verified {
        Err(VerifyError::Denied(denial)) => denial,
        other => panic!("a denial was expected, not {other:?}"),
    }
}

/// The code of the reason for a denial.
#[track_caller]
pub fn denied(verified: Result<Grant, VerifyError>) -> &'static str {
    denial(verified).reason().code()
}

/// An error and all that it says it comes from.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut at = error;
    while let Some(source) = at.source() {
        said.push(source.to_string());
        at = source;
    }
    said
}

/// The token of these parts, put together without the crate.
pub fn render(prefix: &str, id: &str, secret: &str) -> String {
    let covered = format!("{prefix}_{id}{secret}");
    let check = check(&covered);
    covered + &check
}

/// CRC-32 (IEEE 802.3), bit by bit, as six symbols.
pub fn check(covered: &str) -> String {
    let mut crc = u32::MAX;
    for byte in covered.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let crc = !crc;
    let symbols = ALPHABET.as_bytes();
    let place = |power: u32| char::from(symbols[(crc / 62_u32.pow(power) % 62) as usize]);
    [5, 4, 3, 2, 1, 0].map(place).iter().collect()
}

/// The seed of a test with random input: fixed, or from `KEYWRIGHT_SEED`. It is printed, so that a
/// failure can be seen again.
pub fn seed() -> u64 {
    let given = std::env::var("KEYWRIGHT_SEED").ok();
    let seed = given.map_or(1, |text| text.parse().expect("KEYWRIGHT_SEED is a number"));
    println!("KEYWRIGHT_SEED={seed}");
    seed
}

/// `SplitMix64`: a small sequence of random numbers that is the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number below `end`. Not quite uniform; enough to choose test cases.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end as u64).expect("below a usize")
    }

    /// So many symbols of the alphabet.
    pub fn symbols(&mut self, count: usize) -> String {
        let alphabet = ALPHABET.as_bytes();
        (0..count).map(|_| char::from(alphabet[self.below(62)])).collect()
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.number() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.number())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.number().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// So that it can stand in for the system's source. It is predictable: for tests alone.
impl TryCryptoRng for Random {}

/// A random source that gives what it was told to, and fails when that is spent.
#[derive(Clone, Debug)]
pub struct Script {
    draws: Arc<Mutex<std::collections::VecDeque<Vec<u8>>>>,
}

/// The script of a [`Script`] has come to its end.
#[derive(Clone, Copy, Debug)]
pub struct OutOfEntropy;

impl fmt::Display for OutOfEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entropy pool is dry")
    }
}

impl Error for OutOfEntropy {}

impl Script {
    /// One entry for each draw. A draw that is shorter than asked for goes on with zeros.
    pub fn new(draws: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let script = Self { draws: Arc::default() };
        script.add(draws);
        script
    }

    pub fn add(&self, draws: impl IntoIterator<Item = Vec<u8>>) {
        self.draws.lock().unwrap_or_else(PoisonError::into_inner).extend(draws);
    }

    /// The draw that makes `text` out of symbols.
    pub fn drawing(text: &str) -> Vec<u8> {
        let value = |c| ALPHABET.find(c).and_then(|place| u8::try_from(place).ok());
        text.chars().map(|c| value(c).expect("a symbol")).collect()
    }
}

impl TryRng for Script {
    type Error = OutOfEntropy;

    fn try_next_u32(&mut self) -> Result<u32, OutOfEntropy> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out).map(|()| u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfEntropy> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out).map(|()| u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), OutOfEntropy> {
        let mut draws = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
        let draw = draws.pop_front().ok_or(OutOfEntropy)?;
        out.fill(0);
        out[..draw.len()].copy_from_slice(&draw);
        Ok(())
    }
}

impl TryCryptoRng for Script {}

/// A store in memory that counts its calls, can be taken down, and can be made to give out other
/// records for a key than it has. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    pub inner: MemoryStore,
    calls: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    forged: Arc<Mutex<HashMap<KeyId, keywright::store::KeyRecord>>>,
    before_usage: BeforeUsage,
    steals_writer: Arc<AtomicBool>,
    usage_down: Arc<AtomicBool>,
    makes_anew: Arc<AtomicBool>,
}

/// What is done before usage is added.
type Hook = dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

#[derive(Clone, Default)]
struct BeforeUsage(Arc<Mutex<Option<Arc<Hook>>>>);

impl fmt::Debug for BeforeUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeUsage")
    }
}

impl Watched {
    /// How often the store was asked anything.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// The record of a key as the store has it, as JSON.
    pub async fn stored(&self, key: &KeyId) -> serde_json::Value {
        let found = self
            .inner
            .resolve(key, Freshness::Usual)
            .await
            .expect("the store works")
            .expect("a key");
        serde_json::to_value(found.record()).expect("a record serialises")
    }

    /// Runs this whenever usage is to be added.
    pub fn before_usage(
        &self,
        hook: impl Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + 'static,
    ) {
        *self.before_usage.0.lock().expect("no panic") = Some(Arc::new(hook));
    }

    /// Adds a batch under the id of the next writer, with another one's number, before its own.
    pub fn steal_writer(&self) {
        self.steals_writer.store(true, Ordering::SeqCst);
    }

    /// Usage can't be added while it is down.
    pub fn set_usage_down(&self, down: bool) {
        self.usage_down.store(down, Ordering::SeqCst);
    }

    /// From now on each resolve makes a snapshot, and all that is in it, anew.
    pub fn make_snapshots_anew(&self) {
        self.makes_anew.store(true, Ordering::SeqCst);
    }

    /// From now on the key is resolved with this record.
    pub fn forge(&self, key: KeyId, record: serde_json::Value) {
        let record = serde_json::from_value(record).expect("a record");
        self.forged.lock().unwrap_or_else(PoisonError::into_inner).insert(key, record);
    }

    fn called(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the store is down").with_source(OutOfEntropy));
        }
        Ok(())
    }
}

#[async_trait]
impl KeyStore for Watched {
    fn resolve<'a>(&'a self, key: &KeyId, freshness: Freshness) -> Resolve<'a> {
        if let Err(error) = self.called() {
            return Resolve::ready(Err(error));
        }
        let forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let inner = self.inner.resolve(key, freshness);
        if forged.is_none() && !self.makes_anew.load(Ordering::SeqCst) {
            return inner;
        }
        Resolve::boxed(async move {
            let Some(found) = inner.await? else { return Ok(None) };
            let record = forged.unwrap_or_else(|| found.record().clone());
            let account = found.account().map(|account| Arc::new(ServiceAccount::clone(account)));
            let policy = found.policy().map(|policy| Arc::new(Policy::clone(policy)));
            Ok(Some(Arc::new(Snapshot::new(record, account, policy)?).into()))
        })
    }

    async fn key(&self, tenant: &TenantId, key: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.called()?;
        self.inner.key(tenant, key).await
    }

    async fn account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.called()?;
        self.inner.account(tenant, account).await
    }

    async fn policy(&self, tenant: &TenantId) -> Result<Option<Policy>, StoreError> {
        self.called()?;
        self.inner.policy(tenant).await
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        query: &KeyQuery,
        at: Timestamp,
    ) -> Result<Page<StoredKey>, StoreError> {
        self.called()?;
        self.inner.keys(tenant, query, at).await
    }

    async fn accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Page<ServiceAccount>, StoreError> {
        self.called()?;
        self.inner.accounts(tenant, query).await
    }

    async fn events(
        &self,
        tenant: &TenantId,
        query: &EventQuery,
    ) -> Result<Page<Event>, StoreError> {
        self.called()?;
        self.inner.events(tenant, query).await
    }

    async fn commit(&self, batch: Batch) -> Result<Epoch, StoreError> {
        self.called()?;
        self.inner.commit(batch).await
    }

    async fn add_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.called()?;
        if self.usage_down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("usage can't be added"));
        }
        let hook = self.before_usage.0.lock().expect("no panic").clone();
        if let Some(hook) = hook {
            hook().await;
        }
        if self.steals_writer.swap(false, Ordering::SeqCst) {
            let stolen = UsageBatch { sequence: batch.sequence + 3, deltas: Vec::new(), ..*batch };
            self.inner.add_usage(&stolen).await?;
        }
        self.inner.add_usage(batch).await
    }

    async fn changes(&self, since: Epoch) -> Result<Changes, StoreError> {
        self.called()?;
        self.inner.changes(since).await
    }
}
