//! Rows that another program has changed: an invalid row is an error and never an absent record,
//! and a commit fails if the rows that it has read have changed.

use keywright::store::{
    AccountQuery, Batch, Change, Condition, EventQuery, Freshness, KeyQuery, KeyStore, Marker,
    PostgresStore, StoreError, StoreErrorKind, TenantPolicy,
};
use keywright::{Owner, Policy};
use serde_json::json;
use sqlx::PgPool;

use crate::stage::{
    Stage, account_id, account_with, batch, delta, event, id, insert, key, key_of_account,
    key_with, next, number, run, texts, traces, until_one_waits, usage,
};
use common::{open_policy, start, tenant, user};

fn put_policy(version: u64) -> Change {
    let Policy { plan, settings, .. } = open_policy();
    let policy = TenantPolicy { plan: Some(plan), settings: Some(settings), version };
    Change::PutPolicy { tenant: tenant(), policy }
}

fn put_user(version: u64) -> Change {
    let user = json!({
        "id": "alice", "tenant": tenant(), "display_name": "Alice Jones", "suspended": false,
        "updated_at": start(), "version": version,
    });
    Change::PutUser(serde_json::from_value(user).expect("a user"))
}

/// Adds a key of a user, the user's record, an account with a key, a policy, and events.
async fn populate(store: &PostgresStore) {
    let changes = [
        Change::InsertKey(key(1)),
        Change::InsertAccount(account_with(1, |_| {})),
        Change::InsertKey(key_of_account(2, 1)),
        put_policy(1),
        put_user(1),
    ];
    let told = Batch { events: vec![event("made")], ..batch(changes) };
    store.commit(told).await.expect("a commit");
}

/// Calls one of the methods that read records.
async fn says(store: &PostgresStore, method: &str) -> Result<(), StoreError> {
    let tenant = tenant();
    match method {
        "resolve 1" => store.resolve(&id(1), Freshness::StoreDefault).await.map(drop),
        "resolve 2" => store.resolve(&id(2), Freshness::StoreDefault).await.map(drop),
        "key" => store.key(&tenant, &id(1)).await.map(drop),
        "keys" => store.keys(&tenant, &KeyQuery::new(), start()).await.map(drop),
        "account" => store.account(&tenant, &account_id(1)).await.map(drop),
        "accounts" => store.accounts(&tenant, &AccountQuery::new()).await.map(drop),
        "user" => store.user(&tenant, &user("alice")).await.map(drop),
        "policies" => store.policies(&[tenant]).await.map(drop),
        "owned_keys" => {
            let owners = [Owner::User(user("alice")), Owner::Account(account_id(1))];
            store.owned_keys(&tenant, &owners, 5, start()).await.map(drop)
        }
        "events" => store.events(&tenant, &EventQuery::new()).await.map(drop),
        "changes" => store.changes(&Marker::default()).await.map(drop),
        "usage" => store.add_usage(&usage(1, 1, vec![delta(1, 1, start())])).await,
        "revoke" => {
            let change = Change::RevokeKey { key: id(1), at: start() };
            store.commit(batch([change])).await.map(drop)
        }
        "edit account" => {
            let change =
                Change::UpdateAccount(account_with(1, |account| account["version"] = 2.into()));
            store.commit(batch([change])).await.map(drop)
        }
        "edit user" => store.commit(batch([put_user(2)])).await.map(drop),
        "look at policy" => {
            let condition = Condition::PolicyVersion { tenant, version: 1 };
            let batch = Batch { conditions: vec![condition], ..insert(9) };
            store.commit(batch).await.map(drop)
        }
        other => panic!("there is no method {other}"),
    }
}

async fn kind(store: &PostgresStore, method: &str) -> Option<StoreErrorKind> {
    says(store, method).await.err().map(|error| error.kind())
}

#[common::test(postgres)]
async fn damaged_record_is_corrupt_not_absent() {
    let stage = Stage::new("damaged").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    populate(&store).await;
    let keys: &[&str] = &["resolve 1", "key", "keys", "owned_keys", "revoke"];
    let policy: &[&str] = &["resolve 1", "resolve 2", "policies", "look at policy"];
    let user: &[&str] = &["resolve 1", "key", "keys", "owned_keys", "user", "edit user"];
    let account: &[&str] = &["resolve 2", "account", "accounts", "edit account"];
    let table: [(&str, &str, &[&str]); 19] = [
        ("keys", "record - 'digest'", keys),
        ("keys", "jsonb_set(record, '{key,version}', '\"x\"')", keys),
        ("keys", "jsonb_set(record, '{key,revoked_at}', '\"yesterday\"')", keys),
        ("keys", "record || '{\"more\": 1}'", keys),
        ("keys", "record #- '{key,revoked_at}'", keys),
        ("keys", "record #- '{key,expires_at}'", keys),
        ("keys", "jsonb_set(record, '{key,version}', '18446744073709551615')", keys),
        ("accounts", "record - 'enabled'", account),
        ("accounts", "jsonb_set(record, '{version}', '9223372036854775808')", account),
        ("users", "record - 'suspended'", user),
        ("users", "jsonb_set(record, '{version}', '9223372036854775808')", user),
        ("policies", "'[]'", policy),
        ("policies", "record #- '{settings,default_rate}'", policy),
        ("policies", "record #- '{plan,name_pattern}'", policy),
        ("policies", "jsonb_set(record, '{version}', '18446744073709551615')", policy),
        ("usage", "'null'", &["key", "keys", "owned_keys", "usage"]),
        ("usage", "record - 'last_used_at'", &["key", "keys", "usage"]),
        ("events", "record - 'details'", &["events"]),
        ("events", "jsonb_set(record, '{kind}', '\"key.eat\"')", &["events"]),
    ];
    for (table, damage, methods) in table {
        run(&pool, format!("CREATE TABLE kept AS SELECT * FROM keywright.{table}")).await;
        run(&pool, format!("UPDATE keywright.{table} SET record = {damage}")).await;
        for method in methods {
            assert_eq!(
                kind(&store, method).await,
                Some(StoreErrorKind::Corrupt),
                "{table} {damage} {method}"
            );
        }
        let restore = format!("UPDATE keywright.{table} AS t SET record = k.record FROM kept AS k");
        let same = match table {
            "usage" => "t.key = k.key",
            "policies" | "users" => "t.tenant = k.tenant",
            "events" => "t.sequence = k.sequence",
            _ => "t.id = k.id",
        };
        run(&pool, format!("{restore} WHERE {same}; DROP TABLE kept;")).await;
    }
    for method in [
        "resolve 1",
        "resolve 2",
        "key",
        "keys",
        "owned_keys",
        "account",
        "user",
        "policies",
        "events",
    ] {
        assert_eq!(kind(&store, method).await, None, "{method}, when all is as it was");
    }
    assert_eq!(traces(&pool, 9).await, [0; 4]);
    says(&store, "usage").await.expect("a refused batch was not claimed");
    let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
    assert_eq!((stored.usage.uses(), stored.record.version()), (1, 1));
}

#[common::test(postgres)]
async fn contradictory_tables_are_corrupt() {
    let stage = Stage::new("contradictory").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    populate(&store).await;
    run(&pool, "UPDATE keywright.keys SET account = NULL").await;
    assert_eq!(
        kind(&store, "resolve 2").await,
        Some(StoreErrorKind::Corrupt),
        "the owner is unknown"
    );
    run(&pool, "UPDATE keywright.changes SET touched = '{tea:1}' WHERE epoch = 1").await;
    assert_eq!(
        kind(&store, "changes").await,
        Some(StoreErrorKind::Corrupt),
        "the touched records are unknown"
    );
}

#[common::test(postgres)]
async fn commit_fails_without_state_or_last_commit() {
    let stage = Stage::new("headless").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    populate(&store).await;
    for (table, number) in [("state", 3), ("changes", 4)] {
        run(&pool, format!("CREATE TABLE kept AS SELECT * FROM keywright.{table}")).await;
        run(&pool, format!("DELETE FROM keywright.{table}")).await;
        let error = store.commit(insert(number)).await.expect_err("there is no order");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error:?}");
        assert_eq!(traces(&pool, number).await, [0; 4]);
        if table == "changes" {
            assert_eq!(kind(&store, "changes").await, Some(StoreErrorKind::Corrupt));
            assert_eq!(kind(&store, "resolve 1").await, Some(StoreErrorKind::Corrupt));
        }
        run(&pool, format!("INSERT INTO keywright.{table} SELECT * FROM kept; DROP TABLE kept"))
            .await;
    }
    assert_eq!(kind(&store, "resolve 1").await, None);
}

/// Changes rows between the reads and the write of a commit, and returns the commit's result.
async fn meanwhile(
    store: &PostgresStore,
    pool: &PgPool,
    other: &'static str,
    ours: Batch,
) -> Result<(), StoreError> {
    let mut by_hand = pool.begin().await.expect("a transaction");
    sqlx::raw_sql(other).execute(&mut *by_hand).await.expect("a change");
    let store = store.clone();
    let commit = tokio::spawn(async move { store.commit(ours).await });
    until_one_waits(pool).await;
    by_hand.commit().await.expect("the other program is done");
    commit.await.expect("no panic")
}

#[common::test(postgres)]
async fn t_m07_foreign_change_during_commit_conflicts() {
    let stage = Stage::new("meanwhile").await;
    let pool = stage.pool(4).await;
    let store = stage.store().await;
    populate(&store).await;
    let rename = Change::UpdateKey(next(&key(1), |key| key["name"] = "new".into()));
    let table = [
        ("UPDATE keywright.keys SET version = version + 1 WHERE id LIKE '%1'", rename),
        (
            "UPDATE keywright.accounts SET version = version + 1",
            Change::UpdateAccount(account_with(1, |account| account["version"] = 2.into())),
        ),
        ("UPDATE keywright.policies SET version = version + 1", put_policy(2)),
        ("UPDATE keywright.users SET version = version + 1", put_user(2)),
        ("DELETE FROM keywright.keys WHERE id LIKE '%1'", Change::DeleteKey(id(1))),
    ];
    for (n, (other, ours)) in (10..).zip(table) {
        let mut ours = batch([ours]);
        ours.changes.push(Change::InsertKey(key(n)));
        ours.events.push(event(id(n).as_str()));
        let before = number(&pool, "SELECT max(epoch) FROM keywright.changes").await;
        let error = meanwhile(&store, &pool, other, ours).await.expect_err(other);
        assert_eq!(error.kind(), StoreErrorKind::Conflict, "{other}: {error:?}");
        assert_eq!(traces(&pool, n).await, [0; 4], "{other}");
        assert_eq!(number(&pool, "SELECT max(epoch) FROM keywright.changes").await, before);
        let names = "SELECT record -> 'key' ->> 'name' FROM keywright.keys";
        assert!(!texts(&pool, names).await.contains(&"new".to_owned()));
    }
}

#[common::test(postgres)]
async fn account_with_keys_cannot_be_deleted() {
    let stage = Stage::new("owned").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    populate(&store).await;
    let refused = sqlx::raw_sql("DELETE FROM keywright.accounts").execute(&pool).await;
    let refused = refused.expect_err("it owns a key");
    let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
    assert_eq!(code.as_deref(), Some("23503"), "{refused}");
    assert_eq!(kind(&store, "resolve 2").await, None);
}

#[common::test(postgres)]
async fn key_of_last_version_can_be_revoked() {
    let stage = Stage::new("last_version").await;
    let pool = stage.pool(2).await;
    let store = stage.store().await;
    let last = key_with(1, |key| key["version"] = i64::MAX.into());
    let edited = key_with(1, |key| {
        key["version"] = i64::MAX.into();
        key["name"] = "new".into();
    });
    store.commit(batch([Change::InsertKey(last), Change::InsertKey(key(2))])).await.expect("made");
    let error = store.commit(batch([Change::UpdateKey(edited)])).await.expect_err("no version");
    assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}");
    assert_eq!(kind(&store, "revoke").await, None);
    assert_eq!(kind(&store, "revoke").await, Some(StoreErrorKind::Conflict));
    let stored = store.key(&tenant(), &id(1)).await.expect("it works").expect("a key");
    assert!(stored.record.key().revoked_at.is_some());
    assert_eq!(stored.record.version(), i64::MAX.cast_unsigned());
    run(&pool, "UPDATE keywright.tenants SET last_event = 9223372036854775807".to_owned()).await;
    run(&pool, "INSERT INTO keywright.tenants VALUES ('globex', 9223372036854775807) ON CONFLICT DO NOTHING".to_owned()).await;
    let told = Batch { events: vec![event("made")], ..batch([Change::DeleteKey(id(2))]) };
    let error = store.commit(told).await.expect_err("the event has no number left");
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error:?}");
    run(&pool, "UPDATE keywright.tenants SET last_event = -1".to_owned()).await;
    let told = Batch { events: vec![event("made")], ..batch([Change::DeleteKey(id(2))]) };
    let error = store.commit(told).await.expect_err("the number is invalid");
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error:?}");
}
