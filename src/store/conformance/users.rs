//! Rules of the records of users: display names and suspensions.

use super::test_tenants::{Space, at, name, put_user, user, user_record};
use crate::record::key::{KeyRecord, Owner};
use crate::record::owner_record::OwnerRecord;
use crate::record::user::User;
use crate::store::{Change, Freshness, KeyQuery, Marker, StoreErrorKind, Subject};
use crate::value::id::{TenantId, UserId};

async fn stored_user(space: &Space<'_>, tenant: &TenantId, id: &UserId) -> Option<User> {
    space.done("looking up a user", space.store.user(tenant, id).await)
}

/// Checks the owner that `resolve`, `key` and `keys` return with a key.
async fn comes_with(space: &Space<'_>, step: &str, key: &KeyRecord, owner: Option<&OwnerRecord>) {
    let found =
        space.done("resolving", space.store.resolve(key.id(), Freshness::StoreDefault).await);
    let found = found.as_ref().and_then(|found| found.owner());
    space.same(format!("the owner that is resolved with a key {step}"), &found, &owner);
    let found = space.found(key.id()).await;
    space.same(format!("the owner in a lookup of a key {step}"), &found.owner.as_ref(), &owner);
    let page = space.store.keys(&space.tenant, &KeyQuery::new(), at(1)).await;
    let page = space.done("listing keys", page);
    let listed = page.items.iter().find(|stored| stored.record.id() == key.id());
    let listed = listed.and_then(|stored| stored.owner.as_ref());
    space.same(format!("the owner of a listed key {step}"), &listed, &owner);
}

pub(super) async fn user_write_needs_the_previous_version(space: &Space<'_>) {
    let record = |version| user_record(&space.tenant, "alice", version);
    let put = |version| space.batch([Change::PutUser(record(version))]);
    for version in [0, 2] {
        let said = space.store.commit(put(version)).await;
        let what = format!("writing version {version} of a user's record that does not exist");
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    space.done("the first record of a user", space.store.commit(put(1)).await);
    space.done("the second record of a user", space.store.commit(put(2)).await);
    for version in [0, 1, 2, 4] {
        let said = space.store.commit(put(version)).await;
        let what = format!("writing version {version} over version 2 of a user's record");
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    let stored = stored_user(space, &space.tenant, &record(2).id).await;
    space.same("the user's record after refused ones", &stored, &Some(record(2)));
}

pub(super) async fn user_reads_back_unchanged(space: &Space<'_>) {
    let first = user_record(&space.tenant, "alice", 1);
    let named = User { display_name: Some(name("Älice \u{1F511} %_")), ..first.clone() };
    let steps = [
        named.clone(),
        User { suspended: true, version: 2, updated_at: at(7), ..named.clone() },
        User { suspended: true, display_name: None, version: 3, ..first.clone() },
        User { version: 4, ..named },
    ];
    for step in steps {
        space.put([Change::PutUser(step.clone())]).await;
        let stored = stored_user(space, &space.tenant, &step.id).await;
        space.same("a user's record", &stored, &Some(step));
    }
}

pub(super) async fn user_stays_in_its_tenant(space: &Space<'_>) {
    let abroad = user_record(&space.other, "alice", 1);
    space.put([Change::PutUser(abroad.clone())]).await;
    let stored = stored_user(space, &space.tenant, &abroad.id).await;
    space.same("the record of another tenant's user with the same id", &stored, &None);
    let stored = stored_user(space, &space.other, &abroad.id).await;
    space.same("the record of a user of the tenant", &stored, &Some(abroad.clone()));
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    comes_with(space, "while another tenant has a user with the owner's id", &key, None).await;
    let mine = user_record(&space.tenant, "alice", 1);
    let mine = User { display_name: Some(name("Another Alice")), ..mine };
    space.put([Change::PutUser(mine.clone())]).await;
    let stored = stored_user(space, &space.other, &abroad.id).await;
    space.same("a user's record after a change in another tenant", &stored, &Some(abroad));
    comes_with(space, "of a user in two tenants", &key, Some(&OwnerRecord::User(mine.into())))
        .await;
}

pub(super) async fn key_comes_with_its_owner(space: &Space<'_>) {
    let account = space.account();
    let of_user = space.key();
    let of_account = space.key_of(&Owner::Account(account.id));
    let insert = [Change::InsertKey(of_user.clone()), Change::InsertKey(of_account.clone())];
    space.put([Change::InsertAccount(account.clone())].into_iter().chain(insert)).await;
    comes_with(space, "of a user without a record", &of_user, None).await;
    let account = OwnerRecord::Account(account.into());
    for version in 1..4 {
        let record = user_record(&space.tenant, "alice", version);
        // A suspended user without a name, so that the record differs in all fields.
        let record = match version {
            2 => User { suspended: true, display_name: None, ..record },
            _ => record,
        };
        space.put([Change::PutUser(record.clone())]).await;
        let record = OwnerRecord::User(record.into());
        comes_with(space, "after a change of the user", &of_user, Some(&record)).await;
        comes_with(space, "of an account", &of_account, Some(&account)).await;
    }
}

pub(super) async fn changes_name_users(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key)]).await;
    let begin = &space.changes(&Marker::default()).await.at;
    for version in 1..3 {
        let since = &space.changes(begin).await.at;
        let record = user_record(&space.tenant, "alice", version);
        let subject = Subject::User(space.tenant.clone(), record.id.clone());
        space.put([Change::PutUser(record)]).await;
        for since in [begin, since] {
            // A store need not know its changes.
            let Some(told) = space.changes(since).await.touched else { continue };
            let what = format!("`changes` since {since:?} leaves out {subject:?}");
            space.holds(what, told.contains(&subject));
        }
    }
}

pub(super) async fn keys_are_found_by_owner_name(space: &Space<'_>) {
    let account = space.account();
    let of_account = space.key_of(&Owner::Account(account.id));
    let [of_alice, of_bob] = [space.key(), space.key_of(&user("bob.builder"))];
    let of_organization = space.key_of(&Owner::Organization);
    let all = [&of_account, &of_alice, &of_bob, &of_organization];
    let inserts = all.map(|key| Change::InsertKey(key.clone()));
    let mut account = super::test_tenants::next_account(&account, |account| {
        account.version = 1;
        account.name = name("Nightly 100% Bílling");
    });
    let named = User {
        display_name: Some(name("Ålice Liddell")),
        ..user_record(&space.tenant, "alice", 1)
    };
    // A user of another tenant with the id of this tenant's owner.
    let abroad = User {
        display_name: Some(name("Robert Liddell")),
        ..user_record(&space.other, "bob.builder", 1)
    };
    let owners = [
        Change::InsertAccount(account.clone()),
        Change::PutUser(named.clone()),
        Change::PutUser(abroad),
    ];
    space.put(owners.into_iter().chain(inserts)).await;
    let find = async |text: &str, expected: &[&KeyRecord]| {
        let query = KeyQuery::new().search(text);
        let page = space.store.keys(&space.tenant, &query, at(1)).await;
        let page = space.done("searching keys", page);
        let mut found: Vec<_> = page.items.iter().map(|stored| *stored.record.id()).collect();
        let mut expected: Vec<_> = expected.iter().map(|key| *key.id()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        space.same(format!("the keys that {text:?} finds"), &found, &expected);
    };
    find("liddell", &[&of_alice]).await;
    find("ÅLICE", &[&of_alice]).await;
    find("bíll", &[&of_account]).await;
    find("100%", &[&of_account]).await;
    // The role of an account is not its name.
    find("operator", &[]).await;
    find("robert", &[]).await;
    find("organization", &[&of_organization]).await;
    // The names change, and a search finds the keys by the new ones alone.
    account =
        super::test_tenants::next_account(&account, |account| account.name = name("weekly report"));
    let gone = User { display_name: None, version: 2, ..named };
    space.put([Change::UpdateAccount(account), Change::PutUser(gone)]).await;
    find("liddell", &[]).await;
    find("nightly", &[]).await;
    find("LY REP", &[&of_account]).await;
    space.put([put_user(&space.tenant, "bob.builder", 1)]).await;
    find("bob.builder", &[&of_bob]).await;
}
