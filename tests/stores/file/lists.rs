//! The lists of a tenant that is too large to read in whole: each page and count is the one that the
//! documentation of the query gives, after any changes and after reopening.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{
    Batch, Change, Cursor, FileOptions, FileStore, KeyQuery, KeyRecord, KeySort, KeyStore,
    StoredKey, Usage, UsageBatch, UsageDelta, UseKind,
};
use keywright::{
    Contact, KeyId, KeyStatus, Name, Owner, OwnerKind, TenantId, Timestamp, User, UserId,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use common::{Random, World, seed, start, tenant};

/// The number of keys of the large tenant: more than a list looks at one by one.
const LARGE: usize = 700;
const NAMES: [&str; 7] =
    ["prod-app", "Prod-App", "staging-api", "\u{c4}pfel", "zebra", "\u{df}", "\u{130}stanbul"];
const SORTS: [KeySort; 5] =
    [KeySort::Created, KeySort::Updated, KeySort::Name, KeySort::Expires, KeySort::LastUsed];

/// A store with a large tenant and a small one, and what is needed to change it.
struct Lists {
    folder: TempDir,
    options: FileOptions,
    store: FileStore,
    random: Random,
    template: Value,
    tenants: [TenantId; 2],
    batches: u64,
}

impl Lists {
    fn new() -> Self {
        Self::with(FileOptions::new())
    }

    fn with(options: FileOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = options.clone().open(folder.path().join("keys.db"));
        let store = block_on(store).expect("a new store");
        let world = World::on(store.clone());
        let issued = block_on(world.key());
        let found = block_on(store.key(&tenant(), &issued.key.id)).expect("the store works");
        let template = serde_json::to_value(found.expect("a key").record).expect("a record");
        let tenants = [tenant(), "glob".parse().expect("a tenant")];
        let random = Random::seeded(seed());
        let lists = Self { folder, options, store, random, template, tenants, batches: 0 };
        for (place, keys) in [LARGE, 40].into_iter().enumerate() {
            let changes = (0..keys).map(|_| Change::InsertKey(lists.record(place)));
            let changes: Vec<_> = changes.collect();
            for some in changes.chunks(100) {
                lists.commit(place, some.to_vec());
            }
        }
        lists
    }

    /// Returns a random record of a tenant.
    fn record(&self, place: usize) -> KeyRecord {
        let random = &self.random;
        let mut record = self.template.clone();
        let key = &mut record["key"];
        key["tenant"] = json!(self.tenants[place]);
        key["id"] = json!(random.symbols(16));
        key["created_at"] = json!(self.time());
        self.change(key);
        serde_json::from_value(record).expect("a record")
    }

    /// Changes a key at random.
    fn change(&self, key: &mut Value) {
        let random = &self.random;
        let some = |is: bool, value: Value| if is { value } else { Value::Null };
        let owner = ["organization", "user:alice", "user:Bob", "user:carol"][random.below(4)];
        key["owner"] = json!(owner);
        key["name"] = json!(format!("{} {}", NAMES[random.below(7)], random.below(40)));
        key["prefix"] = json!(["sk", "acme_live"][random.below(2)]);
        key["updated_at"] = json!(self.time());
        key["not_before"] = some(random.below(5) == 0, json!(self.time()));
        key["expires_at"] = some(random.below(2) == 0, json!(self.time()));
        key["disabled"] = json!(random.below(4) == 0);
        key["contact"] = some(random.below(5) == 0, json!("Team Ops"));
        key["description"] = some(random.below(3) == 0, json!("first LINE\nsecond line"));
        let rare = if random.below(20) == 0 { "rare" } else { "usual" };
        key["metadata"] = json!({ "kind": rare, "team": "billing" });
        if random.below(6) == 0 {
            key["revoked_at"] = json!(self.time());
        }
    }

    fn time(&self) -> Timestamp {
        // Few times, so that many keys have the same.
        start().saturating_add(Duration::from_secs(self.random.below(200) as u64))
    }

    fn commit(&self, place: usize, changes: Vec<Change>) {
        let batch = Batch { changes, ..Batch::of(self.tenants[place].clone()) };
        block_on(self.store.commit(batch)).expect("the store works");
    }

    /// Changes, deletes, inserts and uses some keys, and names some users.
    fn live(&mut self) {
        for place in [0, 1] {
            let keys = self.all(place);
            let mut changes = Vec::new();
            for found in &keys {
                match self.random.below(20) {
                    0 => changes.push(Change::DeleteKey(*found.record.id())),
                    1 if found.record.key().revoked_at.is_none() => {
                        let mut record = serde_json::to_value(&found.record).expect("a record");
                        self.change(&mut record["key"]);
                        record["key"]["version"] = json!(found.record.key().version + 1);
                        let record = serde_json::from_value(record).expect("a record");
                        changes.push(Change::UpdateKey(record));
                    }
                    2 => changes.push(Change::InsertKey(self.record(place))),
                    _ => {}
                }
            }
            self.commit(place, changes);
            self.name_users(place);
        }
        self.use_keys();
    }

    fn name_users(&self, place: usize) {
        let id: UserId = "alice".parse().expect("a user");
        let tenant = self.tenants[place].clone();
        let before = block_on(self.store.user(&tenant, &id)).expect("the store works");
        let name = ["Alice A.", "Zebra Zoe"][self.random.below(2)];
        let user: User = serde_json::from_value(json!({
            "id": id,
            "tenant": tenant,
            "display_name": Name::new(name).expect("a name"),
            "suspended": false,
            "updated_at": start(),
            "version": before.map_or(1, |user| user.version + 1),
        }))
        .expect("a user");
        self.commit(place, vec![Change::PutUser(user)]);
    }

    fn use_keys(&mut self) {
        let keys = [self.all(0), self.all(1)].concat();
        let mut deltas = Vec::new();
        for found in keys.iter().filter(|_| self.random.below(8) == 0) {
            deltas.push(UsageDelta {
                key: *found.record.id(),
                kind: UseKind::Accepted { secret_number: 1 },
                uses: 1,
                last_used_at: self.time(),
                alert: None,
            });
        }
        self.batches += 1;
        let batch = UsageBatch { writer: [7; 16], sequence: self.batches, at: start(), deltas };
        block_on(self.store.add_usage(&batch)).expect("the store works");
    }

    fn reopen(&mut self) {
        block_on(self.store.close()).expect("the store closes");
        let path = self.folder.path().join("keys.db");
        self.store = block_on(self.options.clone().open(path)).expect("the store opens");
    }

    /// Returns all keys of a tenant, read one by one.
    fn all(&self, place: usize) -> Vec<StoredKey> {
        let tenant = &self.tenants[place];
        let (mut query, mut found) = (KeyQuery::new().limit(500), Vec::new());
        loop {
            let page = block_on(self.store.keys(tenant, &query, start())).expect("a page");
            found.extend(page.items);
            let Some(next) = page.next else { break };
            query = next;
        }
        for key in &found {
            let one = block_on(self.store.key(tenant, key.record.id())).expect("a key");
            assert_eq!(shown(&one.expect("a listed key exists")), shown(key));
        }
        found
    }

    /// Returns a random query, with most kinds of filters.
    fn query(&self, keys: &[StoredKey]) -> KeyQuery {
        let random = &self.random;
        let mut query = KeyQuery::new().sort(SORTS[random.below(5)]).limit(1 + self.below(60));
        if random.below(2) == 0 {
            query = query.descending();
        }
        for _ in 0..random.below(3) {
            let some = &keys[random.below(keys.len())].record;
            let id = some.id().as_str();
            query = match random.below(11) {
                0 => query.status(KeyStatus::ALL[random.below(5)]),
                1 => query.owner(some.key().owner.clone()),
                2 => query.owner_kind([OwnerKind::User, OwnerKind::Organization][random.below(2)]),
                3 => query.contact(Contact::new("Team Ops").expect("a contact")),
                4 => query.metadata("kind", ["rare", "usual", "none"][random.below(3)]),
                5 => query.prefix(some.key().prefix.clone()),
                6 => query.expiring_within(Duration::from_secs(random.below(100) as u64)),
                7 => query.unused_since(self.time()),
                8 => query.never_used(),
                9 => query.search(&id[random.below(8)..][..=random.below(8)]),
                _ => query.search(match random.below(9) {
                    0 => "zebra".to_owned(),
                    1 => "PROD".to_owned(),
                    2 => "i\u{307}stanbul 1".to_owned(),
                    3 => "line\nsecond".to_owned(),
                    4 => "user:al".to_owned(),
                    5 => "bob".to_owned(),
                    6 => format!("{}_{}", some.key().prefix, &id[..2]),
                    7 => "nothing at all".to_owned(),
                    _ => "team ops".to_owned(),
                }),
            };
        }
        query
    }

    fn below(&self, end: usize) -> u16 {
        u16::try_from(self.random.below(end)).expect("a small number")
    }

    /// Compares random queries of a tenant with a plain search through its keys.
    fn compare(&self, place: usize, queries: usize) {
        let tenant = &self.tenants[place];
        let keys = self.all(place);
        let rows = || keys.iter().map(|key| (&key.record, key.usage, key.owner.clone()));
        for _ in 0..queries {
            let (at, mut query) = (self.time(), self.query(&keys));
            let count = block_on(self.store.count_keys(tenant, &query, at)).expect("a count");
            assert_eq!(count, query.count(rows(), at), "{query:?} at {at}");
            // Up to three pages behind each other, the cursors as clients send them.
            for _ in 0..3 {
                let page = block_on(self.store.keys(tenant, &query, at)).expect("a page");
                let expected = query.page(rows(), at);
                let context = || format!("{query:?} at {at}");
                assert_eq!(ids(&page.items), ids(&expected.items), "{}", context());
                let (shown_as, as_expected) = (page.items.iter().map(shown), &expected.items);
                assert!(shown_as.eq(as_expected.iter().map(shown)), "{}", context());
                assert_eq!(page.next_cursor(), expected.next_cursor(), "{}", context());
                let Some(cursor) = page.next_cursor() else { break };
                query = query.after(&through_text(&cursor)).expect("a cursor");
            }
        }
    }

    /// Compares random queries of all tenants with a plain search through all keys.
    fn compare_all(&self, queries: usize) {
        let keys = [self.all(0), self.all(1)].concat();
        let rows = || keys.iter().map(|key| (&key.record, key.usage, key.owner.clone()));
        for _ in 0..queries {
            let (at, query) = (self.time(), self.query(&keys));
            let page = block_on(self.store.keys_of_all_tenants(&query, at)).expect("a page");
            let expected = query.page(rows(), at);
            assert_eq!(ids(&page.items), ids(&expected.items), "{query:?} at {at}");
            assert_eq!(page.next_cursor(), expected.next_cursor(), "{query:?} at {at}");
        }
    }
}

fn through_text(cursor: &Cursor) -> Cursor {
    cursor.to_string().parse().expect("a cursor reads back")
}

fn ids(keys: &[StoredKey]) -> Vec<KeyId> {
    keys.iter().map(|key| *key.record.id()).collect()
}

/// Returns all of a key that a store has, as text.
fn shown(key: &StoredKey) -> String {
    let usage: &Usage = &key.usage;
    format!("{} {usage:?} {:?}", serde_json::to_string(&key.record).expect("JSON"), key.owner)
}

#[test]
fn lists_are_those_of_a_plain_search() {
    let mut lists = Lists::new();
    for round in 0..3 {
        lists.compare(0, 80);
        lists.compare(1, 20);
        lists.compare_all(20);
        lists.live();
        if round % 2 == 1 {
            lists.reopen();
        }
    }
}

#[test]
fn large_tenant_is_read_in_parts() {
    let mut lists = Lists::with(FileOptions::new().search_memory(0));
    lists.compare(0, 40);
    lists.live();
    lists.compare(0, 40);
    lists.compare_all(10);
}

/// Each batch gives the names of two keys to each other. So a search that saw a part of a batch would
/// find none of them, or both.
#[test]
fn search_shows_one_moment() {
    let lists = Lists::new();
    let mut keys = [lists.record(0), lists.record(0)];
    let renamed = |record: &KeyRecord, name: &str, version: u64| -> KeyRecord {
        let mut record = serde_json::to_value(record).expect("a record");
        record["key"]["name"] = json!(name);
        record["key"]["revoked_at"] = Value::Null;
        record["key"]["version"] = json!(version);
        serde_json::from_value(record).expect("a record")
    };
    let names = ["wanted name", "other name"];
    keys = [renamed(&keys[0], names[0], 1), renamed(&keys[1], names[1], 1)];
    lists.commit(0, keys.iter().cloned().map(Change::InsertKey).collect());
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let query = KeyQuery::new().search("wanted NAME");
                while !is_done.load(Ordering::Relaxed) {
                    let page = block_on(lists.store.keys(&lists.tenants[0], &query, start()));
                    assert_eq!(page.expect("a page").items.len(), 1);
                    let count = lists.store.count_keys(&lists.tenants[0], &query, start());
                    assert_eq!(block_on(count).expect("a count"), 1);
                }
            });
        }
        for version in 2..200_u64 {
            let place = usize::try_from(version % 2).expect("0 or 1");
            keys = [
                renamed(&keys[0], names[1 - place], version),
                renamed(&keys[1], names[place], version),
            ];
            lists.commit(0, keys.iter().cloned().map(Change::UpdateKey).collect());
            // The acknowledged change is visible at once.
            let query = KeyQuery::new().search(names[0]);
            let page = block_on(lists.store.keys(&lists.tenants[0], &query, start()));
            let wanted = keys.iter().find(|key| key.key().name.as_str() == names[0]);
            assert_eq!(Some(page.expect("a page").items[0].record.id()), wanted.map(KeyRecord::id));
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn owners_have_the_numbers_of_searches() {
    let mut lists = Lists::new();
    lists.live();
    for place in [0, 1] {
        let keys = lists.all(place);
        let owners = ["organization", "user:alice", "user:Bob", "user:nobody", "user:alice"];
        let owners = owners.map(|owner| owner.parse::<Owner>().expect("an owner"));
        let rows = keys.iter().map(|key| (&key.record, key.usage, key.owner.clone()));
        let at = lists.time();
        let expected = keywright::store::OwnedKeys::of(&owners, rows, 5, at);
        let tenant = &lists.tenants[place];
        let found = block_on(lists.store.owned_keys(tenant, &owners, 5, at)).expect("numbers");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!((found.live, found.all), (expected.live, expected.all));
            assert_eq!(ids(&found.keys), ids(&expected.keys));
        }
    }
}
