//! Rules of the filters that compare one field of a key: each finds exactly the keys that it names.

use super::test_tenants::{Space, at, name, user};
use crate::record::key::{Key, KeyRecord, Owner, OwnerKind};
use crate::store::{Change, KeyQuery, MAX_LIMIT};
use crate::value::metadata::Metadata;
use crate::value::note::{Contact, Description};
use crate::value::token::Prefix;

fn contact(text: &str) -> Contact {
    Contact::new(text).expect("the suite's contacts are valid")
}

fn prefix(text: &str) -> Prefix {
    Prefix::new(text).expect("the suite's prefixes are valid")
}

/// Builds a key for each number below `count` and writes them all.
async fn keys(space: &Space<'_>, count: usize, change: impl Fn(usize, &mut Key)) -> Vec<KeyRecord> {
    let keys: Vec<_> = (0..count).map(|n| space.key_with(|key| change(n, key))).collect();
    space.put(keys.iter().cloned().map(Change::InsertKey)).await;
    keys
}

/// Checks that a query finds exactly the keys with these numbers, in both directions and on pages
/// of any size.
async fn finds(space: &Space<'_>, keys: &[KeyRecord], query: KeyQuery, numbers: &[usize]) {
    for (query, numbers) in [
        (query.clone(), numbers.to_vec()),
        (query.descending(), numbers.iter().rev().copied().collect()),
    ] {
        for limit in [1, 2, MAX_LIMIT] {
            let mut next = Some(query.clone().limit(limit));
            let mut found = Vec::new();
            while let Some(query) = next.take() {
                let page = space.store.keys(&space.tenant, &query, at(0)).await;
                let page = space.done("listing keys", page);
                found.extend(page.items.iter().map(|stored| {
                    let place = keys.iter().position(|key| key.id() == stored.record.id());
                    place.unwrap_or_else(|| space.broken("a key that was not written was listed"))
                }));
                next = page.next;
            }
            space.same(format!("the keys of {query:?} with limit {limit}"), &found, &numbers);
        }
    }
}

/// Sets the creation time, so that keys have the order of their numbers.
fn created(n: usize, key: &mut Key) {
    key.created_at = at(u32::try_from(n).unwrap_or(0));
}

pub(super) async fn owner_kind_filter_is_obeyed(space: &Space<'_>) {
    let account = space.account();
    space.put([Change::InsertAccount(account.clone())]).await;
    let owners = [user("alice"), Owner::Account(account.id), user("account"), user("bob")];
    let keys = keys(space, 8, |n, key| {
        created(n, key);
        key.owner = owners[n % 4].clone();
    });
    let keys = keys.await;
    let of = |kind| KeyQuery::new().owner_kind(kind);
    finds(space, &keys, of(OwnerKind::User), &[0, 2, 3, 4, 6, 7]).await;
    finds(space, &keys, of(OwnerKind::Account), &[1, 5]).await;
    finds(space, &keys, of(OwnerKind::User).owner(owners[1].clone()), &[]).await;
    finds(space, &keys, of(OwnerKind::User).search("ACCOUNT"), &[2, 6]).await;
}

pub(super) async fn contact_filter_is_obeyed(space: &Space<'_>) {
    let contacts = ["ops@example.com", "Ops@example.com", "ops@example.community", "100%", "o'ps"];
    let keys = keys(space, 12, |n, key| {
        created(n, key);
        key.contact = contacts.get(n % 6).copied().map(contact);
    });
    let keys = keys.await;
    for (n, text) in contacts.into_iter().enumerate() {
        finds(space, &keys, KeyQuery::new().contact(contact(text)), &[n, n + 6]).await;
    }
    finds(space, &keys, KeyQuery::new().contact(contact("example.com")), &[]).await;
    finds(space, &keys, KeyQuery::new().contact(contact("___")), &[]).await;
}

pub(super) async fn metadata_filter_is_obeyed(space: &Space<'_>) {
    let entries: [&[(&str, &str)]; 6] = [
        &[("team", "billing"), ("region", "eu")],
        &[("team", "Billing")],
        &[("billing", "team"), ("team", "")],
        &[("team", "billing"), ("region", "us")],
        &[],
        &[("te'am\\", "\"bill%\"")],
    ];
    let keys = keys(space, 6, |n, key| {
        created(n, key);
        key.metadata =
            Metadata::new(entries[n].iter().copied()).expect("the suite's metadata is valid");
    });
    let keys = keys.await;
    let with = |name: &str, value: &str| KeyQuery::new().metadata(name, value);
    finds(space, &keys, with("team", "billing"), &[0, 3]).await;
    finds(space, &keys, with("team", "Billing"), &[1]).await;
    finds(space, &keys, with("team", ""), &[2]).await;
    finds(space, &keys, with("TEAM", "billing"), &[]).await;
    finds(space, &keys, with("team", "bill"), &[]).await;
    finds(space, &keys, with("te'am\\", "\"bill%\""), &[5]).await;
    finds(space, &keys, with("team", "billing").metadata("region", "us"), &[3]).await;
    finds(space, &keys, with("team", "billing").metadata("team", "Billing"), &[]).await;
    // No metadata has control characters, and not every store can compare with them.
    finds(space, &keys, with("team\0", "billing"), &[]).await;
    finds(space, &keys, with("team", "bill\0ing"), &[]).await;
}

pub(super) async fn prefix_filter_is_obeyed(space: &Space<'_>) {
    let prefixes = ["acme_live", "acme", "acme_test", "acmexlive"];
    let keys = keys(space, 8, |n, key| {
        created(n, key);
        key.prefix = prefix(prefixes[n % 4]);
    });
    let keys = keys.await;
    for (n, text) in prefixes.into_iter().enumerate() {
        finds(space, &keys, KeyQuery::new().prefix(prefix(text)), &[n, n + 4]).await;
    }
    finds(space, &keys, KeyQuery::new().prefix(prefix("acme_liv")), &[]).await;
}

pub(super) async fn search_reads_description_and_contact(space: &Space<'_>) {
    let notes = [
        (Some("Sends invoices\nto the Archive 100%"), Some("Équipe@example.com")),
        (Some("invoices"), None),
        (None, Some("invoices-team")),
        (None, None),
    ];
    let keys = keys(space, 4, |n, key| {
        created(n, key);
        key.name = name("a key");
        let (description, owner) = notes[n];
        let described = |text| Description::new(text).expect("the suite's descriptions are valid");
        key.description = description.map(described);
        key.contact = owner.map(contact);
    });
    let keys = keys.await;
    let search = |text: &str| KeyQuery::new().search(text);
    finds(space, &keys, search("INVOICES"), &[0, 1, 2]).await;
    finds(space, &keys, search("archive 100%"), &[0]).await;
    finds(space, &keys, search("invoices\nto"), &[0]).await;
    finds(space, &keys, search("équipe@"), &[0]).await;
    finds(space, &keys, search("-team"), &[2]).await;
    // No text is found across two fields.
    finds(space, &keys, search("com\nsends"), &[]).await;
    finds(space, &keys, search("a key"), &[0, 1, 2, 3]).await;
}
