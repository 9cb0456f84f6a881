//! A commit reads only the rows that it names, and a filter that matches nothing few, however many there are.

use keywright::store::{
    Batch, Change, Freshness, KeyQuery, KeySort, KeyStore, Marker, PostgresOptions, PostgresStore,
    TenantPolicy, UsageBatch,
};
use keywright::{Contact, KeyStatus, OwnerKind, Prefix, Timestamp};
use serde_json::json;
use sqlx::PgPool;

use crate::stage::{
    Stage, account_id, account_with, batch, delta, event, id, key, key_of_account, next, number,
    run, texts, until, usage,
};
use common::{SECOND, open_policy, start, tenant};

/// The number of rows that are added to each table.
const MANY: i64 = 20_000;

/// Adds rows to each table that grows, as copies of one that the store has written.
const MANY_ROWS: &str = "
    CREATE FUNCTION pg_temp.many(this regclass, VARIADIC changes text[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        columns text;
        selected text;
    BEGIN
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
            string_agg(coalesce(
                (SELECT split_part(c, '=', 2) FROM unnest(changes) AS c WHERE split_part(c, '=', 1) = attname),
                'o.' || quote_ident(attname)), ', ' ORDER BY attnum)
            INTO columns, selected
            FROM pg_attribute WHERE attrelid = this AND attnum > 0 AND attgenerated = '';
        EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM (SELECT * FROM %1$s LIMIT 1) AS o,
            generate_series(1, 20000) AS n', this, columns, selected);
    END $$;
    SELECT pg_temp.many('keywright.accounts', $c$id='A' || lpad(n::text, 15, '0')$c$);
    SELECT pg_temp.many('keywright.keys', $c$id='K' || lpad(n::text, 15, '0')$c$);
    SELECT pg_temp.many('keywright.usage', $c$key='K' || lpad(n::text, 15, '0')$c$);
    SELECT pg_temp.many('keywright.users', $c$owner='user:u' || n$c$);
    SELECT pg_temp.many('keywright.policies', $c$tenant='t' || n$c$);
    SELECT pg_temp.many('keywright.tenants', $c$tenant='t' || n$c$);
    SELECT pg_temp.many('keywright.events', $c$tenant='t' || n$c$);
    SELECT pg_temp.many('keywright.deleted', $c$id='key:D' || lpad(n::text, 15, '0')$c$);
    SELECT pg_temp.many('keywright.writers', $c$writer=n::text::bytea$c$);
    SELECT pg_temp.many('keywright.changes', 'epoch=1000000 + n');";

/// Makes every kind of change, and reads as a verification, a flush and a cache do. `turn` counts from 1.
async fn change_everything(store: &PostgresStore, turn: u64) {
    let (one, two, account) = (10 * turn, 10 * turn + 1, turn);
    let user = json!({
        "id": "alice", "tenant": tenant(), "display_name": "Alice Jones", "suspended": false,
        "updated_at": start(), "version": turn,
    });
    let policy = open_policy();
    let (plan, settings) = (Some(policy.plan), Some(policy.settings));
    let policy = TenantPolicy { plan, settings, version: turn };
    let opened = account_with(account, |_| {});
    let changed = account_with(account, |account| account["version"] = json!(2));
    let batches = [
        batch([Change::InsertAccount(opened), Change::InsertKey(key(one))]),
        batch([Change::InsertKey(key_of_account(two, account)), Change::UpdateAccount(changed)]),
        batch([Change::UpdateKey(next(&key(one), |key| key["name"] = "renamed".into()))]),
        batch([Change::RevokeKey { key: id(one), at: start() }]),
        batch([Change::PutUser(serde_json::from_value(user).expect("a user"))]),
        batch([Change::PutPolicy { tenant: tenant(), policy }]),
        batch([Change::DeleteKey(id(two))]),
        batch([Change::DeleteAccount(account_id(account))]),
    ];
    for batch in batches {
        let told = Batch { events: vec![event("told")], ..batch };
        store.commit(told).await.expect("a commit");
    }
    store.resolve(&id(one), Freshness::StoreDefault).await.expect("it answers").expect("a key");
    let counted: UsageBatch = usage(1, turn, vec![delta(one, 1, start())]);
    store.add_usage(&counted).await.expect("a use");
    store.changes(&Marker::default()).await.expect("it answers");
}

/// Returns the tables of which this many rows were read since the numbers were reset. `read` is the sum of
/// the numbers of the server that count.
async fn tables_read(pool: &PgPool, read: &str, rows: i64) -> Vec<String> {
    let alone = "(SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend') = 1";
    // A connection counts its work when it ends.
    until(pool, alone).await;
    let tables = format!(
        "SELECT relname || ': ' || {read} || ' rows' FROM pg_stat_user_tables
        WHERE schemaname = 'keywright' AND {read} >= {rows}"
    );
    texts(pool, tables).await
}

#[common::test(postgres)]
async fn commit_scans_no_table() {
    let stage = Stage::new("plans").await;
    let pool = stage.pool(1).await;
    let (store, writing) = (stage.store().await, stage.pool(1).await);
    change_everything(&store, 1).await;
    run(&writing, MANY_ROWS).await;
    store.pool().close().await;
    writing.close().await;
    // The server may not have analyzed the tables yet. It plans without their statistics, then with them.
    for (round, analyze) in (0..).zip(["", "ANALYZE"]) {
        run(&pool, analyze).await;
        run(&pool, "SELECT pg_stat_reset()").await;
        let one = stage.pool(1).await;
        let store = PostgresStore::open(one).await.expect("a store");
        // After five times, the server may keep a plan for all values.
        for turn in 0..8 {
            change_everything(&store, 2 + 8 * round + turn).await;
        }
        store.pool().close().await;
        let scanned = tables_read(&pool, "seq_tup_read", MANY).await;
        assert_eq!(scanned, [""; 0], "{analyze}");
    }
    let rows = number(&pool, "SELECT count(*) FROM keywright.keys").await;
    assert!(rows > MANY, "{rows}");
}

#[common::test(postgres)]
async fn filter_without_match_reads_few_rows() {
    let stage = Stage::new("filters").await;
    let pool = stage.pool(1).await;
    let (store, writing) = (stage.store().await, stage.pool(1).await);
    change_everything(&store, 1).await;
    run(&writing, "DELETE FROM keywright.keys; DELETE FROM keywright.usage").await;
    store.commit(batch([Change::InsertKey(key(1))])).await.expect("a commit");
    run(&writing, MANY_ROWS).await;
    run(&writing, "UPDATE keywright.usage SET last_used_at = 1; ANALYZE").await;
    store.pool().close().await;
    writing.close().await;
    let all = KeyQuery::new().sort(KeySort::Name);
    let queries = [
        all.clone().status(KeyStatus::Revoked),
        all.clone().status(KeyStatus::Disabled),
        all.clone().status(KeyStatus::Revoked).status(KeyStatus::Disabled),
        all.clone().status(KeyStatus::Scheduled),
        all.clone().status(KeyStatus::Expired),
        all.clone().expiring_within(SECOND),
        all.clone().owner_kind(OwnerKind::Organization),
        all.clone().prefix(Prefix::new("kw_test").expect("a prefix")),
        all.clone().contact(Contact::new("ops@example.com").expect("a contact")),
        all.clone().never_used(),
        all.clone().unused_since(Timestamp::from_unix_seconds(1).expect("a time")),
    ];
    for query in queries {
        assert!(tables_read(&pool, "0", 1).await.is_empty(), "the connections have ended");
        run(&pool, "SELECT pg_stat_reset()").await;
        let options = PostgresOptions::new().without_migrations();
        let store = options.open(stage.pool(1).await).await.expect("a store");
        for _ in 0..7 {
            let page = store.keys(&tenant(), &query, start()).await.expect("a page");
            assert_eq!(page.items.len(), 0, "{query:?}");
            let found = store.count_keys(&tenant(), &query, start()).await.expect("a number");
            assert_eq!(found, 0, "{query:?}");
        }
        store.pool().close().await;
        let read = "(seq_tup_read + coalesce(idx_tup_fetch, 0))";
        assert_eq!(tables_read(&pool, read, MANY / 10).await, [""; 0], "{query:?}");
    }
}
