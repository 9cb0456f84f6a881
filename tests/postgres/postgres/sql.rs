//! Random queries, page by page: PostgreSQL finds the same records as a store in memory, with every
//! kind of name.

mod queries;

use std::collections::BTreeMap;

use keywright::store::{
    AccountQuery, Batch, Change, KeyRecord, KeyStore, MemoryStore, OwnerRecord, Page,
    PostgresOptions, PostgresStore, StoredKey, TenantEntry, TenantQuery, Usage, UsageBatch,
    UsageDelta, UseKind,
};
use keywright::{Event, KeyId, Owner, ServiceAccount, TenantId, Timestamp, User, UserId};
use serde_json::{Value, json};

use crate::stage::{Stage, account_with, event_with, key_with};
use common::{Random, SECOND, seed, start, tenant};

const KEYS: usize = 300;
const ACCOUNTS: usize = 40;
const SIZES: [u16; 6] = [1, 2, 3, 7, 50, 500];
/// Enough pages for every kind of page boundary.
const MOST_PAGES: usize = 12;

/// Pieces from which names are built.
const PIECES: [&str; 24] = [
    "prod",
    "PROD",
    "Main",
    "100%",
    "%",
    "a_b",
    "_",
    r"a\b",
    r"\",
    "it's",
    "\"q\"",
    "Stra\u{df}e",
    "STRASSE",
    "\u{130}stanbul",
    "istanbul",
    "\u{3a3}\u{39f}\u{3a6}\u{39f}\u{3a3}",
    "\u{3c3}\u{3bf}\u{3c6}\u{3bf}\u{3c2}",
    "\u{e4}pfel",
    "\u{c4}PFEL",
    "a\u{308}",
    "\u{1f511}",
    "$1",
    "{schema}",
    "user:",
];

const CONTACTS: [&str; 4] = ["ops@example.com", "Ops@example.com", "o'ps 100%", "\u{c9}quipe"];
const OWNERS: [&str; 6] = ["alice", "Alice", "bob", "a_b", "100%", "user:x"];

struct Both {
    random: Random,
    memory: MemoryStore,
    postgres: PostgresStore,
    keys: Vec<KeyRecord>,
    accounts: Vec<ServiceAccount>,
    users: Vec<User>,
}

impl Both {
    async fn of(postgres: PostgresStore) -> Self {
        let (memory, random) = (MemoryStore::new(), Random::seeded(seed()));
        let (keys, accounts, users) = (Vec::new(), Vec::new(), Vec::new());
        let mut both = Self { random, memory, postgres, keys, accounts, users };
        for n in 0..ACCOUNTS {
            let (name, created) = (both.name(), both.time());
            let role = ["analyst", "operator", "o-p"][both.random.below(3)];
            let other = both.is_other();
            let account = account_with(n as u64, |account| {
                account["id"] = json!(both.random.symbols(16));
                account["name"] = json!(name);
                account["created_at"] = json!(created);
                account["role"] = json!(role);
                if other {
                    account["tenant"] = json!("other");
                }
            });
            both.accounts.push(account);
        }
        let accounts = both.accounts.iter().cloned();
        let accounts = accounts.map(|new| (new.tenant.clone(), Change::InsertAccount(new), None));
        both.commit(accounts.collect()).await;
        for (n, id) in OWNERS.into_iter().enumerate() {
            for tenant in [tenant(), TenantId::new("other").expect("a tenant")] {
                // Some users have no record, and some no display name.
                let name = (both.random.below(4) > 0).then(|| both.name());
                let user = json!({
                    "id": id, "tenant": tenant, "display_name": name, "suspended": n % 2 == 0,
                    "updated_at": start(), "version": 1,
                });
                both.users.push(serde_json::from_value(user).expect("a user"));
            }
        }
        let users = both.users.iter().skip(1).cloned();
        let users = users.map(|new| (new.tenant.clone(), Change::PutUser(new), None));
        both.commit(users.collect()).await;
        for _ in 0..KEYS {
            let record = both.key();
            both.keys.push(record);
        }
        for some in both.keys.clone().chunks(50) {
            let change = |record: &KeyRecord| {
                let change = Change::InsertKey(record.clone());
                (record.key().tenant.clone(), change, Some(both.event(record)))
            };
            let changes = some.iter().map(change).collect();
            both.commit(changes).await;
        }
        both.use_some().await;
        both
    }

    /// Commits changes and their events to both stores, in a batch for each tenant.
    async fn commit(&self, changes: Vec<(TenantId, Change, Option<Event>)>) {
        let mut batches: BTreeMap<TenantId, Batch> = BTreeMap::new();
        for (tenant, change, event) in changes {
            let batch = batches.entry(tenant.clone()).or_insert_with(|| Batch::of(tenant));
            batch.changes.push(change);
            batch.events.extend(event);
        }
        for batch in batches.into_values() {
            self.memory.commit(batch.clone()).await.expect("in memory");
            self.postgres.commit(batch).await.expect("in PostgreSQL");
        }
    }

    fn is_other(&mut self) -> bool {
        self.random.below(10) == 0
    }

    fn name(&mut self) -> String {
        let count = 1 + self.random.below(3);
        let pieces: Vec<_> = (0..count).map(|_| PIECES[self.random.below(PIECES.len())]).collect();
        pieces.join(["-", "", " "][self.random.below(3)])
    }

    /// Draws one of few times, so that many are equal.
    fn time(&mut self) -> Timestamp {
        start().saturating_add(SECOND * u32::try_from(self.random.below(12)).expect("small"))
    }

    fn or_null(&mut self, one_in: usize) -> Value {
        let time = self.time();
        if self.random.below(one_in) == 0 { json!(time) } else { Value::Null }
    }

    fn owner(&mut self) -> Owner {
        if self.random.below(4) > 0 {
            let user = OWNERS[self.random.below(OWNERS.len())];
            return Owner::User(UserId::new(user).expect("a user"));
        }
        if self.random.below(4) == 0 {
            return Owner::Organization;
        }
        Owner::Account(self.accounts[self.random.below(ACCOUNTS)].id)
    }

    fn key(&mut self) -> KeyRecord {
        let owner = self.owner();
        let account = owner.account().and_then(|id| self.accounts.iter().find(|a| a.id == id));
        let of_account = account.map(|account| account.tenant.clone());
        let of_user =
            if self.is_other() { TenantId::new("other").expect("a tenant") } else { tenant() };
        let (name, symbols) = (self.name(), self.random.symbols(16));
        let (created, updated) = (self.time(), self.time());
        let (begin, end, revoked) = (self.or_null(3), self.or_null(2), self.or_null(4));
        let disabled = self.random.below(4) == 0;
        let prefix = ["acme_live", "acme_test", "kw"][self.random.below(3)];
        let contact = self.random.below(3) > 0;
        let contact = contact.then(|| CONTACTS[self.random.below(CONTACTS.len())]);
        let description = (self.random.below(3) == 0).then(|| self.name());
        let team = ["billing", "Billing", "o'ps\\", "\u{e9}%"][self.random.below(4)];
        let metadata = if self.random.below(3) > 0 { json!({ "team": team }) } else { json!({}) };
        key_with(0, |key| {
            key["id"] = json!(symbols);
            key["tenant"] = json!(of_account.unwrap_or(of_user));
            key["owner"] = json!(owner);
            key["name"] = json!(name);
            key["prefix"] = json!(prefix);
            key["contact"] = json!(contact);
            key["description"] = json!(description);
            key["metadata"] = metadata;
            key["created_at"] = json!(created);
            key["updated_at"] = json!(updated);
            key["not_before"] = begin;
            key["expires_at"] = end;
            key["revoked_at"] = revoked;
            key["disabled"] = json!(disabled);
        })
    }

    fn event(&mut self, record: &KeyRecord) -> Event {
        let key = record.key();
        let actor = ["system", "possessor", "user:alice", "user:Alice", "user:a_b"];
        let (actor, at) = (actor[self.random.below(5)], self.time());
        let kind = ["key.rename", "key.rotate", "key.extensive_use"][self.random.below(3)];
        let has_key = self.random.below(5) > 0;
        event_with(|event| {
            event["tenant"] = json!(key.tenant);
            event["actor"] = json!(actor);
            event["kind"] = json!(kind);
            event["at"] = json!(at);
            event["key"] = if has_key { json!(key.id) } else { Value::Null };
            event["account"] = json!(key.owner.account());
            event["details"] = json!({ "name": key.name });
        })
    }

    /// Uses half of the keys, some of them often enough for an event.
    async fn use_some(&mut self) {
        let ids: Vec<KeyId> = self.keys.iter().map(|record| *record.id()).collect();
        let mut deltas = Vec::new();
        for key in ids.into_iter().step_by(2) {
            let uses = 1 + self.random.below(9) as u64;
            let alert = "5/3600s".parse().ok();
            deltas.push(UsageDelta {
                key,
                kind: UseKind::Accepted { secret_number: 1 },
                uses,
                last_used_at: self.time(),
                alert,
            });
        }
        let used = UsageBatch { writer: [7; 16], sequence: 1, at: self.time(), deltas };
        self.memory.add_usage(&used).await.expect("in memory");
        self.postgres.add_usage(&used).await.expect("in PostgreSQL");
    }
}

fn shown(page: &Page<StoredKey>) -> Vec<(Value, Usage, Option<OwnerRecord>)> {
    let json = |key: &StoredKey| serde_json::to_value(&key.record).expect("a record serializes");
    page.items.iter().map(|key| (json(key), key.usage, key.owner.clone())).collect()
}

/// Walks both lists page by page, compares them, and returns the number of items.
macro_rules! walk {
    ($both:ident, $query:ident, $compare:expr, $method:ident ( $($given:expr),* ), $($whose:expr)?) => {{
        let size = SIZES[$both.random.below(SIZES.len())];
        let mut query = $query.clone().limit(size);
        let mut count = 0;
        for _ in 0..MOST_PAGES {
            let expected = $both.memory.$method($(&$whose,)? &query $(, $given)*).await.expect("a page");
            let found = $both.postgres.$method($(&$whose,)? &query $(, $given)*).await.expect("a page");
            let (left, right) = ($compare(&found), $compare(&expected));
            assert_eq!(left, right, "{query:?} in pages of {size}");
            assert_eq!(found.next_cursor(), expected.next_cursor(), "{query:?} in pages of {size}");
            count += expected.items.len();
            let Some(next) = found.next else { break };
            query = next;
        }
        count
    }};
}

async fn compare(store: PostgresStore, queries: usize) {
    let mut both = Both::of(store).await;
    let (mut keys, mut accounts, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..queries {
        let ((at, whose), query) = (both.moment(), both.key_query());
        keys.push(walk!(both, query, shown, keys(at), whose));
        walk!(both, query, shown, keys_of_all_tenants(at),);
        if both.random.below(3) == 0 {
            let ids = |page: &Page<ServiceAccount>| page.items.clone();
            let query = AccountQuery::new().search(both.search());
            accounts.push(walk!(both, query, ids, accounts(), whose));
        }
        if both.random.below(8) == 0 {
            let all = |page: &Page<TenantEntry>| page.items.clone();
            let prefix = ["", "o", "g", "%", "\0"][both.random.below(5)];
            let query = TenantQuery::new().starting_with(prefix);
            walk!(both, query, all, tenants(at),);
        }
        if both.random.below(2) == 0 {
            let all = |page: &Page<Event>| page.items.clone();
            let query = both.event_query();
            events.push(walk!(both, query, all, events(), whose));
        }
    }
    for (what, counts) in [("keys", keys), ("accounts", accounts), ("events", events)] {
        let empty = counts.iter().filter(|count| **count == 0).count();
        let told = format!("{what}: {empty} of {} queries find nothing", counts.len());
        assert!(empty > 0 && empty < counts.len() * 2 / 3, "{told}");
    }
}

#[common::test(postgres)]
async fn random_queries_match_memory() {
    let stage = Stage::new("queries").await;
    compare(stage.store().await, 150).await;
}

#[common::test(postgres)]
async fn random_queries_match_under_other_collation() {
    let stage = Stage::new("languages").await;
    let pool = stage.pool(2).await;
    let create = "CREATE DATABASE language TEMPLATE template0 LOCALE 'C.UTF-8'
        LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'";
    // Servers before version 15 and servers without ICU cannot create this database.
    let is_made = sqlx::raw_sql(create).execute(&pool).await.is_ok();
    let database = if is_made { "language" } else { "languages" };
    let pool = stage.server.pool(database, 4).await;
    let options = PostgresOptions::new().behind_transaction_pooler();
    compare(options.open(pool).await.expect("a store"), 50).await;
}
