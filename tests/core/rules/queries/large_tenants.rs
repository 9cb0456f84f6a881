//! Tenants around the size from which a store in memory has indexes: every query returns what a plain
//! look at all keys returns, whatever has changed before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use keywright::store::{KeyQuery, KeySort, KeyStore, MAX_LIMIT, MemoryStore, StoredKey};
use keywright::{
    Actor, Clock, Contact, Description, KeyEdit, KeyId, KeyStatus, Metadata, Name, NewAccount,
    NewKey, Operator, Owner, OwnerKind, RoleName, TenantId, Timestamp,
};

use super::SORTS;
use common::{DAY, HOUR, Random, SECOND, World, admin, block_on, developer, named, seed, user};

/// The size from which a tenant has an index.
const BORDER: usize = 1_024;
const NAMES: [&str; 6] =
    ["prod-app", "Prod-App", "staging-api", "\u{e4}pfel", "zebra", "\u{3a3}\u{3a3}"];
const SEARCHES: [&str; 14] = [
    "",
    "prod",
    "APP",
    "\u{c4}",
    "\u{3c3}",
    "user:",
    "ser:u1",
    "user",
    "account:",
    "organization",
    "team",
    "no such text",
    "acme",
    "one line\nand",
];

/// A tenant with many keys, some of them in a second tenant.
struct Tenant {
    world: World,
    /// A setup with another prefix.
    staging: World,
    random: Random,
    owners: Vec<Owner>,
    keys: Vec<KeyId>,
}

impl Tenant {
    async fn new(random: Random) -> Self {
        let world = World::on(MemoryStore::new());
        let staging = world
            .with_settings(|builder| builder.prefix("acme_staging".parse().expect("a prefix")));
        let mut owners: Vec<_> = (0..6).map(|n| Owner::User(user(&format!("U{n}")))).collect();
        for n in 0..2 {
            let role = RoleName::new("analyst").expect("a role");
            let new = NewAccount::new(Name::new(format!("nightly {n}")).expect("a name"), role);
            let account = world.authority.create_account(&admin(), new).await.expect("an account");
            owners.push(Owner::Account(account.account.id));
        }
        owners.push(Owner::Organization);
        Self { world, staging, random, owners, keys: Vec::new() }
    }

    fn one<T: Clone>(&self, of: &[T]) -> T {
        of[self.random.below(of.len())].clone()
    }

    fn chance(&self, one_in: usize) -> bool {
        self.random.below(one_in) == 0
    }

    fn new_key(&self) -> NewKey {
        // The organization has most keys.
        let owner = if self.chance(3) { self.one(&self.owners) } else { Owner::Organization };
        let mut new =
            named(&format!("{}{}", self.one(&NAMES), self.random.below(300))).owner(owner);
        if self.chance(3) {
            new = new.expires_in(HOUR * u32::try_from(1 + self.random.below(60)).expect("a few"));
        } else if self.chance(9) {
            let begin = self.world.clock.now().saturating_add(DAY);
            new = new.not_before(begin);
        }
        if self.chance(5) {
            new = new.contact(self.contact());
        }
        if self.chance(5) {
            let text = "One line\nand a second one";
            new = new.description(Description::new(text).expect("a description"));
        }
        if self.chance(4) {
            let team = format!("team {}", self.random.below(4));
            let entries = [("team", team.as_str()), ("region", "eu")];
            new = new.metadata(Metadata::new(entries).expect("metadata"));
        }
        new
    }

    fn contact(&self) -> Contact {
        let contact = format!("Team {} <team@example.com>", self.random.below(4));
        Contact::new(contact).expect("a contact")
    }

    async fn add(&mut self) {
        let world = if self.chance(4) { &self.staging } else { &self.world };
        let issued = world.authority.generate(&admin(), self.new_key()).await.expect("a key");
        if self.chance(3) {
            let _ = world.verifier.verify(issued.token.expose()).await;
        }
        self.keys.push(issued.key.id);
        if self.chance(3) {
            self.world.clock.advance(SECOND);
        }
    }

    /// Changes something, and returns the key if an order can have moved it.
    async fn change(&mut self) -> Option<KeyId> {
        let authority = self.world.authority.clone();
        if self.chance(2) {
            self.world.clock.advance(Duration::from_micros(1));
        }
        let place = self.random.below(self.keys.len());
        let key = self.keys[place];
        // A key can have a status in which an operation is refused.
        match self.random.below(9) {
            0 | 1 => {
                self.add().await;
                return None;
            }
            2 => {
                authority.delete(&admin(), &key).await.expect("it is there");
                self.keys.swap_remove(place);
            }
            3 => {
                let name = Name::new(format!("{} {place}", self.one(&NAMES))).expect("a name");
                authority.rename(&admin(), &key, name).await.expect("any status");
            }
            4 => drop(authority.disable(&admin(), &key).await),
            5 => drop(authority.revoke(&admin(), &key).await),
            6 => {
                let edit = KeyEdit::new().contact(Some(self.contact()));
                drop(authority.edit(&admin(), &key, edit).await);
            }
            7 => {
                let name = Name::new(format!("{} shown", self.one(&NAMES))).expect("a name");
                let name = (!self.chance(3)).then_some(name);
                let of = user(&format!("U{}", self.random.below(6)));
                authority.set_display_name(&admin(), &of, name).await.expect("any user");
                return None;
            }
            _ => {
                let rotated = self.world.authority.rotate(&admin(), &key, SECOND).await;
                if let Ok(rotated) = rotated {
                    let _ = self.world.verifier.verify(rotated.token.expose()).await;
                }
                self.world.verifier.flush().await.expect("the store works");
                self.staging.verifier.flush().await.expect("the store works");
            }
        }
        Some(key)
    }

    /// Reads every key by its id.
    async fn rows(&self) -> Vec<StoredKey> {
        let mut rows = Vec::new();
        for id in &self.keys {
            let found = self.world.store.key(admin().tenant(), id).await.expect("the store works");
            rows.push(found.expect("it is there"));
        }
        rows
    }

    async fn last_uses(&self) -> BTreeMap<KeyId, Option<Timestamp>> {
        let rows = self.rows().await;
        rows.iter().map(|row| (*row.record.id(), row.usage.last_used_at())).collect()
    }

    fn query(&self, rows: &[StoredKey]) -> KeyQuery {
        let now = self.world.clock.now();
        let some = &rows[self.random.below(rows.len())];
        let key = some.record.key();
        let mut query = KeyQuery::new().sort(self.one(&SORTS));
        if self.chance(2) {
            query = query.descending();
        }
        if self.chance(3) {
            query = query.status(self.one(&KeyStatus::ALL)).status(self.one(&KeyStatus::ALL));
        }
        if self.chance(4) {
            query = query.owner(self.one(&self.owners));
        }
        if self.chance(5) {
            query = query.owner_kind(self.one(&[
                OwnerKind::User,
                OwnerKind::Account,
                OwnerKind::Organization,
            ]));
        }
        if self.chance(8) {
            query = query.contact(self.contact());
        }
        if self.chance(8) {
            query = query.metadata("team", format!("team {}", self.random.below(5)));
        }
        if self.chance(8) {
            query = query.prefix(self.one(&["acme_staging", "other"]).parse().expect("a prefix"));
        }
        if self.chance(6) {
            query = query.expiring_within(HOUR * 30);
        }
        if self.chance(6) {
            query = query.unused_since(now);
        }
        if self.chance(6) {
            query = query.never_used();
        }
        query = match self.random.below(5) {
            0 => query.search(self.one(&SEARCHES)),
            1 => query.search(&key.id.as_str()[3..3 + self.random.below(5)]),
            2 => query.search(&key.display_prefix()[..self.random.below(16)]),
            3 => query.search(&key.owner.to_string()[self.random.below(4)..]),
            _ => query,
        };
        if self.chance(2) {
            query = query.behind(query.position(&some.record, &some.usage));
        }
        query.limit(self.one(&[1, 7, 50, MAX_LIMIT]))
    }

    /// Asks random queries of the store, and compares the answers with a look at all keys.
    async fn compare(&self, queries: usize) {
        let rows = self.rows().await;
        let at = self.world.clock.now();
        let all = || rows.iter().map(|row| (&row.record, row.usage, row.owner.clone()));
        for _ in 0..queries {
            let query = self.query(&rows);
            let what = format!("{query:?} of {} keys", rows.len());
            let expected = query.page(all(), at);
            let store = &self.world.store;
            let of_tenant = store.keys(admin().tenant(), &query, at).await.expect("a page");
            let of_all = store.keys_of_all_tenants(&query, at).await.expect("a page");
            for (found, of) in [(of_tenant, "the tenant"), (of_all, "all tenants")] {
                assert_eq!(ids(&found.items), ids(&expected.items), "{what}, of {of}");
                let cursors = (found.next_cursor(), expected.next_cursor());
                assert_eq!(cursors.0, cursors.1, "{what}, of {of}");
            }
            let count = store.count_keys(admin().tenant(), &query, at).await.expect("a number");
            assert_eq!(count, query.count(all(), at), "{what}");
        }
    }
}

fn ids(rows: &[StoredKey]) -> Vec<KeyId> {
    rows.iter().map(|row| *row.record.id()).collect()
}

#[test]
fn indexes_answer_like_a_full_look() {
    let random = Random::seeded(seed());
    block_on(async {
        let mut tenant = Tenant::new(random).await;
        while tenant.keys.len() < BORDER - 10 {
            tenant.add().await;
        }
        // Over the border and back, with pages before, between and after.
        for step in 0..40 {
            tenant.compare(12).await;
            for _ in 0..=tenant.random.below(15) {
                tenant.change().await;
            }
            if step % 10 == 9 {
                tenant.world.clock.advance(HOUR * 20);
            }
        }
    });
}

#[test]
fn worn_index_is_built_anew() {
    let random = Random::seeded(seed());
    block_on(async {
        let mut tenant = Tenant::new(random).await;
        while tenant.keys.len() < 4 * BORDER {
            tenant.add().await;
        }
        tenant.compare(8).await;
        // Most changes replace a key, and far more than a quarter of the keys are changed.
        for step in 0..8 {
            for _ in 0..400 {
                tenant.change().await;
            }
            tenant.compare(if step == 7 { 8 } else { 1 }).await;
        }
        while tenant.keys.len() > BORDER / 4 {
            let key = tenant.keys.pop().expect("a key");
            tenant.world.authority.delete(&admin(), &key).await.expect("it is there");
        }
        tenant.compare(8).await;
    });
}

#[test]
fn key_that_stays_is_on_one_page() {
    let random = Random::seeded(seed());
    block_on(async {
        let mut tenant = Tenant::new(random).await;
        while tenant.keys.len() < BORDER + 100 {
            tenant.add().await;
        }
        for (sort, descending) in SORTS.into_iter().flat_map(|sort| [(sort, false), (sort, true)]) {
            let before: BTreeSet<KeyId> = tenant.keys.iter().copied().collect();
            let mut moved = BTreeSet::new();
            let mut used = tenant.last_uses().await;
            let mut seen: BTreeMap<KeyId, usize> = BTreeMap::new();
            let query = KeyQuery::new().sort(sort).limit(150);
            let mut next = Some(if descending { query.descending() } else { query });
            while let Some(query) = next {
                let at = tenant.world.clock.now();
                let page = tenant.world.store.keys(admin().tenant(), &query, at).await;
                let page = page.expect("a page");
                for id in ids(&page.items) {
                    *seen.entry(id).or_default() += 1;
                }
                next = page.next;
                for _ in 0..5 {
                    moved.extend(tenant.change().await);
                }
                // A flush moves every key that was used since the last one.
                let now_used = tenant.last_uses().await;
                let has_moved = |(id, last): &(&KeyId, &_)| used.get(*id) != Some(*last);
                if sort == KeySort::LastUsed {
                    moved.extend(now_used.iter().filter(has_moved).map(|(id, _)| *id));
                }
                used = now_used;
            }
            let stays = |id: &&KeyId| tenant.keys.contains(id) && !moved.contains(id);
            for id in before.iter().filter(stays) {
                assert_eq!(seen.get(id), Some(&1), "{sort:?}, descending: {descending}, {id}");
            }
        }
    });
}

#[test]
fn search_takes_owners_of_their_own_tenant() {
    block_on(async {
        let world = World::on(MemoryStore::new());
        let tenants: [TenantId; 2] = ["globex", "initech"].map(|id| id.parse().expect("a tenant"));
        let mut of_first = Vec::new();
        for (n, tenant) in tenants.iter().enumerate() {
            let alice = developer("alice").in_tenant(tenant.clone());
            let admin: Actor = admin().in_tenant(tenant.clone());
            let name = Name::new(["Alice of Globex", "Somebody else"][n]).expect("a name");
            let authority = &world.authority;
            let named_alice = authority.set_display_name(&admin, &user("alice"), Some(name)).await;
            named_alice.expect("any user");
            for _ in 0..BORDER / 2 + 10 {
                let issued = authority.generate(&alice, named("prod-app")).await.expect("a key");
                of_first.extend((n == 0).then_some(issued.key.id));
            }
        }
        let operator = Operator::new(user("carol"));
        let query = KeyQuery::new().search("GLOBEX").limit(MAX_LIMIT);
        let mut found = Vec::new();
        let mut next = Some(query);
        while let Some(query) = next {
            let page =
                world.authority.keys_of_all_tenants(&operator, &query).await.expect("a page");
            found.extend(page.items.iter().map(|entry| entry.key.id));
            next = page.next;
        }
        found.sort();
        of_first.sort();
        assert_eq!(found, of_first);
    });
}

#[test]
fn lists_beside_changes_miss_no_key() {
    let random = Random::seeded(seed());
    let mut tenant = block_on(Tenant::new(random));
    while tenant.keys.len() < BORDER + 200 {
        block_on(tenant.add());
    }
    let (changing, staying) = tenant.keys.split_at(400);
    let staying: BTreeSet<KeyId> = staying.iter().copied().collect();
    let (store, authority) = (&tenant.world.store, &tenant.world.authority);
    let at = tenant.world.clock.now();
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        for sort in SORTS {
            let staying = &staying;
            scope.spawn(move || {
                let mut rounds = 0;
                while !is_over.load(Ordering::SeqCst) || rounds == 0 {
                    let query = KeyQuery::new().sort(sort).limit(100);
                    let mut next = Some(query);
                    let mut seen: BTreeMap<KeyId, usize> = BTreeMap::new();
                    while let Some(query) = next {
                        let page = block_on(store.keys(admin().tenant(), &query, at));
                        let page = page.expect("a page");
                        for id in ids(&page.items) {
                            *seen.entry(id).or_default() += 1;
                        }
                        next = page.next;
                    }
                    let twice = staying.iter().find(|id| seen.get(id) != Some(&1));
                    assert_eq!(twice, None, "{sort:?}");
                    rounds += 1;
                }
            });
        }
        for (n, key) in changing.iter().enumerate() {
            let name = Name::new(format!("changed app {n}")).expect("a name");
            block_on(authority.rename(&admin(), key, name)).expect("any status");
            if n % 3 == 0 {
                block_on(authority.delete(&admin(), key)).expect("it is there");
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
}
