//! The lists of all tenants read an index in the order of the page, however many keys there are.

use crate::stage::{Stage, run, texts};

/// Adds keys of 50 tenants, with rows whose records nobody decodes.
const MANY_KEYS: &str = "
    INSERT INTO keywright.keys (id, tenant, shard, owner, name, created_at, updated_at, not_before,
        expires_at, disabled, revoked, version, search, record)
    SELECT lpad(n::text, 16, '0'), 'tenant-' || n % 50, 0, 'user:alice', 'a key', n, n, -1,
        CASE WHEN n % 3 = 0 THEN 9223372036854775807 ELSE 1000000 + n * 7919 % 100000 END,
        false, n % 4 = 0, 1, '', '{}'
    FROM generate_series(1, 20000) AS n;
    INSERT INTO keywright.usage (key, tenant, record) SELECT id, tenant, '{}' FROM keywright.keys;
    INSERT INTO keywright.tenants SELECT 'tenant-' || n, 1 FROM generate_series(0, 49) AS n;
    ANALYZE keywright.keys; ANALYZE keywright.usage; ANALYZE keywright.tenants";

const PAGE: &str = "SELECT k.record, u.record FROM keywright.keys AS k
    JOIN keywright.usage AS u ON u.key = k.id WHERE true";

#[common::test(postgres)]
async fn pages_of_all_tenants_use_index() {
    let stage = Stage::new("all_tenants").await;
    let _store = stage.store().await;
    let pool = stage.pool(1).await;
    run(&pool, MANY_KEYS).await;
    let pages = [
        (
            "NOT k.revoked AND k.expires_at > 1000000 AND k.expires_at <= 1050000",
            "k.expires_at ASC, k.id ASC",
            "keys_all_expires",
        ),
        (
            "(k.expires_at, k.id) < (1050000, '0000000000000100')",
            "k.expires_at DESC, k.id DESC",
            "keys_all_expires",
        ),
        ("u.last_used_at = -1", "k.created_at ASC, k.id ASC", "keys_all_created"),
    ];
    for (filter, order, index) in pages {
        let explain = format!("EXPLAIN {PAGE} AND {filter} ORDER BY {order} LIMIT 51");
        let plan = texts(&pool, explain).await.join("\n");
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{plan}");
    }
}
