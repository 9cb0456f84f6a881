//! Listings on every store: each filter and order holds, and pages of any size return every item
//! once and in order, also while keys are generated, changed and deleted.

mod changes_between_pages;
mod events;
mod keys;
mod large_tenants;
mod listings;

use keywright::store::{
    AccountQuery, Cursor, FileStore, KeyQuery, KeySort, ListQuery, Listed, MemoryStore, Page,
};
use keywright::{AccountEntry, KeyEntry, Name, NewAccount, RoleName};

use common::{SECOND, World, admin, block_on};

/// Runs a test on a new store of each kind.
#[expect(clippy::needless_pass_by_value, reason = "a closure reads better without a reference")]
fn on_each_store(test: impl AsyncFn(&World)) {
    block_on(async {
        test(&World::on(MemoryStore::new())).await;
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("keys.db")).await.expect("a new store");
        test(&World::on(store)).await;
    });
}

const SORTS: [KeySort; 5] =
    [KeySort::Created, KeySort::Updated, KeySort::Name, KeySort::Expires, KeySort::LastUsed];

/// Returns the next page's cursor as a client sends it back, as text.
fn through_text(next: &impl ListQuery) -> Cursor {
    let cursor = next.cursor().expect("a next page has a cursor");
    let json = serde_json::to_string(&cursor).expect("a cursor serializes");
    let text: String = serde_json::from_str(&json).expect("a cursor is a text");
    let back: Cursor = text.parse().expect("a cursor reads back");
    assert_eq!((&back, back.to_string()), (&cursor, text));
    back
}

/// Collects all entries of a query page by page. Each page has the requested size; only the last
/// one can be smaller.
async fn walk(world: &World, query: &KeyQuery, size: u16) -> Vec<KeyEntry> {
    let mut query = query.clone().limit(size);
    let mut found = Vec::new();
    loop {
        let page = world.authority.keys(&admin(), &query).await.expect("a page");
        assert_page_is_full(&page, size);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        query = query.after(&through_text(&next)).expect("a cursor");
    }
}

fn assert_page_is_full<T: Listed>(page: &Page<T>, size: u16) {
    let size = usize::from(size);
    assert!(page.items.len() <= size);
    assert!(page.next.is_none() || page.items.len() == size, "a page with more to come is full");
}

#[test]
fn accounts_are_paged_and_found() {
    on_each_store(async |world| {
        let mut made = Vec::new();
        for (n, (name, role)) in [
            ("Alpha", "analyst"),
            ("beta", "operator"),
            ("ALPHA two", "operator"),
            ("x", "analyst"),
        ]
        .into_iter()
        .cycle()
        .take(11)
        .enumerate()
        {
            // Some keys share an instant of creation, so that the id decides their order.
            if n % 3 == 0 {
                world.clock.advance(SECOND);
            }
            let role = RoleName::new(role).expect("a role");
            let new = NewAccount::new(Name::new(format!("{name} {n}")).expect("a name"), role);
            let entry = world.authority.create_account(&admin(), new).await.expect("an account");
            made.push(entry.account);
        }
        made.sort_by_key(|account| (account.created_at, account.id));
        let id = made[4].id.to_string();
        let searches = ["", "alpha", "ALPHA", "analyst", "perato", &id, &id.to_lowercase(), "none"];
        for search in searches {
            let text = search.to_lowercase();
            let expected: Vec<_> = made
                .iter()
                .filter(|account| {
                    let fields = [account.name.to_string(), account.id.to_string()];
                    let role = account.role.to_string();
                    fields.iter().chain([&role]).any(|field| field.to_lowercase().contains(&text))
                })
                .cloned()
                .collect();
            assert_eq!(expected.is_empty(), search == "none");
            for size in [1, 2, 3, 10, 11, 12, 500] {
                let mut query = AccountQuery::new().search(search).limit(size);
                let mut found = Vec::new();
                loop {
                    let page = world.authority.accounts(&admin(), &query).await.expect("a page");
                    assert_page_is_full(&page, size);
                    found.extend(page.items.into_iter().map(|entry| entry.account));
                    let Some(next) = page.next else { break };
                    query = query.after(&through_text(&next)).expect("a cursor");
                }
                assert_eq!(found, expected, "{search:?} in pages of {size}");
            }
        }
    });
}

#[test]
fn deleted_account_hides_no_other() {
    on_each_store(async |world| {
        for n in 0..6 {
            world.clock.advance(SECOND);
            let role = RoleName::new("analyst").expect("a role");
            let new = NewAccount::new(Name::new(format!("account {n}")).expect("a name"), role);
            world.authority.create_account(&admin(), new).await.expect("an account");
        }
        let query = AccountQuery::new().limit(2);
        let first = world.authority.accounts(&admin(), &query).await.expect("a page");
        let all = world.authority.accounts(&admin(), &AccountQuery::new()).await.expect("a page");
        // Deletes the key at the cursor, then one that is still ahead.
        for gone in [1, 2] {
            world
                .authority
                .delete_account(&admin(), &all.items[gone].account.id)
                .await
                .expect("it is there");
        }
        let query = first.next.expect("more").limit(500);
        let rest = world.authority.accounts(&admin(), &query).await.expect("a page");
        let ids = |entries: &[AccountEntry]| -> Vec<_> {
            entries.iter().map(|entry| entry.account.id).collect()
        };
        assert_eq!(ids(&rest.items), ids(&all.items[3..]));
    });
}
