//! Commits that are overtaken between their reading and their writing: each is planned again on what is
//! there then, and never writes on what it has read before.

use std::time::Duration;

use keywright::store::{
    Batch, Change, Condition, KeyStore, MemoryStore, PostgresOptions, PostgresStore, StoreError,
    StoreErrorKind, TenantPolicy, Transfer,
};
use keywright::{Policy, TenantId};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::proxy::{Fate, Proxy};
use crate::stage::{
    Stage, account_id, account_with, batch, id, insert, insert_in, key, number, patient, run,
    shard, traces, until, until_one_waits,
};
use common::database::Server;
use common::{open_policy, tenant};

/// Occurs in the values of the statement that writes a key, and in nothing else that is sent.
const WRITE: &str = "created_by";
const PATIENCE: Duration = Duration::from_secs(30);

fn put_policy() -> Batch {
    let Policy { plan, settings, .. } = open_policy();
    let policy = TenantPolicy { plan: Some(plan), settings: Some(settings), version: 1 };
    batch([Change::PutPolicy { tenant: tenant(), policy }])
}

/// Returns a batch that adds a key if the tenant has no policy.
fn insert_without_policy(number: u64) -> Batch {
    let condition = Condition::PolicyVersion { tenant: tenant(), version: 0 };
    Batch { conditions: vec![condition], ..insert(number) }
}

/// A store behind a proxy, and another that is not.
struct Two {
    stage: Stage,
    proxy: Proxy,
    slow: PostgresStore,
    fast: PostgresStore,
    pool: PgPool,
}

impl Two {
    async fn new(name: &'static str, setting: Option<(&str, &str)>, is_pooled: bool) -> Self {
        let stage = Stage::new(name).await;
        let proxy = Proxy::to(stage.server.port()).await;
        let options = stage.options().port(proxy.port()).options(setting);
        let store = PostgresOptions::new();
        let store = if is_pooled { store.behind_transaction_pooler() } else { store };
        let slow = store.open(patient(options, 2)).await.expect("a store");
        let (fast, pool) = (stage.store().await, stage.pool(2).await);
        fast.commit(insert(1)).await.expect("a commit");
        Self { stage, proxy, slow, fast, pool }
    }

    /// Begins a commit through the proxy, which is held between the reading and the writing.
    async fn begin(&self, ours: Batch) -> JoinHandle<Result<(), StoreError>> {
        begin(&self.proxy, &self.slow, ours).await
    }

    /// Commits through the proxy, and does something else between the reading and the writing.
    async fn commit(
        &self,
        ours: Batch,
        meanwhile: impl AsyncFnOnce(&Self),
    ) -> Result<(), StoreError> {
        let ours = self.begin(ours).await;
        meanwhile(self).await;
        self.proxy.release();
        ours.await.expect("no panic")
    }
}

/// Begins a commit through a proxy, which holds it between the reading and the writing.
async fn begin(
    proxy: &Proxy,
    slow: &PostgresStore,
    ours: Batch,
) -> JoinHandle<Result<(), StoreError>> {
    proxy.at(WRITE, Fate::Held);
    let slow = slow.clone();
    let ours = tokio::spawn(async move { slow.commit(ours).await });
    while proxy.is_armed() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    ours
}

#[common::test(postgres)]
async fn overtaken_commit_is_planned_again() {
    let isolated = |level| Some(("default_transaction_isolation", level));
    let table = [
        ("overtaken", None, false),
        ("overtaken_repeatable", isolated("repeatable read"), false),
        ("overtaken_serializable", isolated("serializable"), false),
        ("overtaken_pooled", None, true),
    ];
    for (name, setting, is_pooled) in table {
        let two = Two::new(name, setting, is_pooled).await;
        let ended = two.commit(insert_without_policy(2), async |two| {
            two.fast.commit(insert(3)).await.expect("a commit");
        });
        ended.await.expect("the condition holds still");
        assert_eq!(traces(&two.pool, 2).await, [1; 4], "{name}");
        let ended = two.commit(insert_without_policy(4), async |two| {
            two.fast.commit(put_policy()).await.expect("a commit");
        });
        assert!(ended.await.is_err_and(|error| error.is_conflict()), "{name}");
        assert_eq!(traces(&two.pool, 4).await, [0; 4], "{name}");
    }
}

/// Puts a policy with a commit that leaves the number of the next commit free again.
async fn put_policy_and_free_number(two: &Two, then: &str) {
    let shard = shard(&two.pool, &tenant()).await;
    two.fast.commit(put_policy()).await.expect("a commit");
    run(&two.pool, then.replace("{shard}", &shard.to_string())).await;
}

#[common::test(postgres)]
async fn commit_held_beyond_retention_is_planned_again() {
    let two = Two::new("overslept", None, false).await;
    let ended = two.commit(insert_without_policy(2), async |two| {
        // The row that was read and the number after it are forgotten.
        let forget = "UPDATE keywright.changes SET epoch = 9 WHERE shard = {shard} AND epoch = 2;
            DELETE FROM keywright.changes WHERE shard = {shard} AND epoch < 9";
        put_policy_and_free_number(two, forget).await;
    });
    assert!(ended.await.is_err_and(|error| error.is_conflict()));
    assert_eq!(traces(&two.pool, 2).await, [0; 4]);
}

#[common::test(postgres)]
async fn commit_held_during_failover_is_planned_again() {
    let two = Two::new("failed_over", None, false).await;
    let ended = two.commit(insert_without_policy(2), async |two| {
        // The new primary has a commit of the same number as the one that was read, and no later one.
        let switch = "DELETE FROM keywright.changes WHERE shard = {shard} AND epoch = 2;
            UPDATE keywright.changes SET mark = mark # 1 WHERE shard = {shard} AND epoch = 1";
        put_policy_and_free_number(two, switch).await;
    });
    assert!(ended.await.is_err_and(|error| error.is_conflict()));
    assert_eq!(traces(&two.pool, 2).await, [0; 4]);
}

#[common::test(postgres)]
async fn id_that_another_tenant_takes_first_exists() {
    let two = Two::new("same_id", None, false).await;
    let other = "globex-2".parse().expect("a tenant");
    two.fast.commit(insert_in(&other, 9)).await.expect("a commit");
    assert_ne!(shard(&two.pool, &tenant()).await, shard(&two.pool, &other).await);
    let ended = two.commit(insert(2), async |two| {
        two.fast.commit(insert_in(&other, 2)).await.expect("a commit");
    });
    let error = ended.await.expect_err("the id is taken");
    assert_eq!(error.kind(), StoreErrorKind::AlreadyExists, "{error:?}");
    assert_eq!(traces(&two.pool, 2).await, [1; 4], "of the other tenant");
}

/// The id is inserted and deleted in one tenant, while another tenant is about to insert it.
#[common::test(postgres)]
async fn id_that_another_tenant_deletes_first_exists() {
    let isolated = Some(("default_transaction_isolation", "repeatable read"));
    let table = [("deleted_id", None), ("deleted_id_isolated", isolated)];
    for (name, setting) in table {
        let two = Two::new(name, setting, false).await;
        let other = "globex-2".parse().expect("a tenant");
        let ended = two.commit(insert_in(&other, 2), async |two| {
            two.fast.commit(insert(2)).await.expect("a commit");
            two.fast.commit(batch([Change::DeleteKey(id(2))])).await.expect("a commit");
        });
        let error = ended.await.expect_err("the id was deleted");
        assert_eq!(error.kind(), StoreErrorKind::AlreadyExists, "{name}: {error:?}");
        let keys = format!("SELECT count(*) FROM keywright.keys WHERE id = '{}'", id(2));
        assert_eq!(number(&two.pool, keys).await, 0, "{name}");
    }
}

/// The same with an account, and the deletion is not committed yet when the other tenant inserts the id.
#[common::test(postgres)]
async fn id_that_another_tenant_is_deleting_exists() {
    let isolated = Some(("default_transaction_isolation", "repeatable read"));
    for (name, setting) in [("deleting_id", None), ("deleting_id_isolated", isolated)] {
        let two = Two::new(name, setting, false).await;
        let nap = "CREATE FUNCTION keywright.nap() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
                PERFORM pg_advisory_xact_lock(7); RETURN NEW;
            END $do$;
            CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON keywright.changes
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keywright.nap();";
        run(&two.pool, nap).await;
        let other: TenantId = "globex-2".parse().expect("a tenant");
        let account = |tenant: &TenantId| {
            let of = |account: &mut serde_json::Value| account["tenant"] = tenant.as_str().into();
            Change::InsertAccount(account_with(2, of))
        };
        let mut ours = insert_in(&other, 2);
        ours.changes.push(account(&other));
        let ours = two.begin(ours).await;
        two.fast.commit(batch([account(&tenant())])).await.expect("a commit");
        let mut bed = two.pool.begin().await.expect("a transaction");
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(7)").execute(&mut *bed).await.expect("a lock");
        let fast = two.fast.clone();
        let delete = batch([Change::DeleteAccount(account_id(2))]);
        let deleting = tokio::spawn(async move { fast.commit(delete).await });
        until_one_waits(&two.pool).await;
        two.proxy.release();
        let both_wait = "(SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock') = 2";
        until(&two.pool, both_wait).await;
        bed.rollback().await.expect("the lock is free");
        deleting.await.expect("no panic").expect("a commit");
        let error = ours.await.expect("no panic").expect_err("the id was deleted");
        assert_eq!(error.kind(), StoreErrorKind::AlreadyExists, "{name}: {error:?}");
        assert_eq!(traces(&two.pool, 2).await, [0; 4], "{name}");
    }
}

/// A transfer begins while a commit is about to write into its tables.
#[common::test(postgres)]
async fn beginning_transfer_refuses_held_commit() {
    let stage = Stage::new("transfer_begins").await;
    let proxy = Proxy::to(stage.server.port()).await;
    let slow = PostgresStore::open(patient(stage.options().port(proxy.port()), 2)).await;
    let (slow, pool) = (slow.expect("a store"), stage.pool(4).await);
    let ours = begin(&proxy, &slow, insert(2)).await;
    let source = MemoryStore::new();
    let transfer = Transfer::begin(source, PostgresOptions::new(), pool.clone()).await;
    let transfer = transfer.expect("the tables are empty");
    proxy.release();
    let error = ours.await.expect("no panic").expect_err("the tables are closed");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("being moved"), "{error}");
    assert_eq!(traces(&pool, 2).await, [0; 4]);
    drop(transfer);
}

#[common::test(postgres)]
async fn commit_that_is_always_overtaken_ends() {
    let two = Two::new("always", None, false).await;
    let overtaking = tokio::spawn({
        let (proxy, fast) = (two.proxy.clone(), two.fast.clone());
        async move {
            for number in 100.. {
                proxy.at(WRITE, Fate::Held);
                while proxy.is_armed() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let overtaken = timeout(Duration::from_millis(200), fast.commit(insert(number)));
                let is_overtaken = overtaken.await.is_ok();
                proxy.release();
                if !is_overtaken {
                    return number - 100;
                }
            }
            unreachable!("the commit ends")
        }
    });
    let ended = timeout(PATIENCE, two.slow.commit(insert(2))).await.expect("it ends");
    ended.expect("a commit");
    assert_eq!(overtaking.await.expect("no panic"), 2, "the third attempt holds the shard");
    assert_eq!(traces(&two.pool, 2).await, [1; 4]);
}

#[common::test(postgres)]
async fn commits_take_two_round_trips_reads_one() {
    let two = Two::new("round_trips", None, false).await;
    let one = patient(two.stage.options().port(two.proxy.port()), 1);
    let store = PostgresStore::open(one).await.expect("a store");
    for number in [2, 3] {
        store.commit(insert(number)).await.expect("a commit");
        crate::stage::call(&store, "resolve", 0).await.expect("an answer");
        crate::stage::call(&store, "changes", 0).await.expect("an answer");
    }
    for (what, expected) in [("commit", 2), ("resolve", 1), ("changes", 1), ("key", 2), ("key", 1)]
    {
        two.proxy.round_trips();
        crate::stage::call(&store, what, 4).await.expect("an answer");
        assert_eq!(two.proxy.round_trips(), expected, "{what}");
    }
}

/// Two callers of one node take the same key: the first wins, also within a group.
#[common::test(postgres)]
async fn waiting_commits_are_written_together() {
    let two = Two::new("together", None, false).await;
    let mut hold = two.pool.begin().await.expect("a transaction");
    let next = "INSERT INTO keywright.changes (shard, epoch, mark, touched)
        SELECT shard, max(epoch) + 1, 1, '{}' FROM keywright.changes GROUP BY shard";
    sqlx::raw_sql(next).execute(&mut *hold).await.expect("the rows");
    let mut commits = Vec::new();
    for number in [10, 11, 12, 12, 13, 14] {
        let store = two.fast.clone();
        let batch = match number {
            // A condition that does not hold, and a change that cannot be.
            13 => Batch {
                conditions: vec![Condition::PolicyVersion { tenant: tenant(), version: 7 }],
                ..insert(13)
            },
            14 => batch([Change::InsertKey(key(14)), Change::InsertKey(key(14))]),
            number => insert(number),
        };
        commits.push(tokio::spawn(async move { store.commit(batch).await }));
        if number == 10 {
            until_one_waits(&two.pool).await;
        }
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    hold.rollback().await.expect("the rows are free");
    let mut ended = Vec::new();
    for commit in commits {
        ended.push(commit.await.expect("no panic").map_err(|error| error.kind()));
    }
    let refused =
        [StoreErrorKind::AlreadyExists, StoreErrorKind::Conflict, StoreErrorKind::Unsupported];
    let expected: Vec<_> = [Ok(()); 3].into_iter().chain(refused.map(Err)).collect();
    assert_eq!(ended, expected);
    let shard = shard(&two.pool, &tenant()).await;
    let groups = format!(
        "SELECT array_length(touched, 1)::text FROM keywright.changes WHERE shard = {shard} AND epoch > 1
        ORDER BY epoch"
    );
    assert_eq!(crate::stage::texts(&two.pool, groups).await, ["1", "2"]);
    for (number, expected) in [(10, 1), (11, 1), (12, 1), (13, 0), (14, 0)] {
        assert_eq!(traces(&two.pool, number).await, [expected; 4], "{number}");
    }
}

/// Commits take no lock that a notification of the host holds for long.
#[common::test(postgres)]
async fn commits_do_not_wait_for_notifications() {
    // A transaction waits for a standby that does not exist, after it has taken the lock of notifications.
    let server = Server::start(&["fsync = off", "synchronous_standby_names = 'nobody'"]);
    let patient_host = server.options("postgres").options([("synchronous_commit", "on")]);
    let host = patient(patient_host, 1);
    let local = server.options("postgres").options([("synchronous_commit", "local")]);
    let store = PostgresStore::open(patient(local.clone(), 4)).await.expect("a store");
    let pool = patient(local, 2);
    let notifying = tokio::spawn(async move {
        let change = "CREATE TABLE host (); SELECT pg_notify('host', '');";
        sqlx::raw_sql(change).execute(&host).await.map(drop)
    });
    let waits = "EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')";
    crate::stage::until(&pool, waits).await;
    for number in 1..=20 {
        let ended = timeout(PATIENCE, store.commit(insert(number))).await;
        ended.expect("it does not wait").expect("a commit");
    }
    assert!(!notifying.is_finished());
    notifying.abort();
}

/// A statement that the server plans for each call costs several times as much.
#[common::test(postgres)]
async fn commits_and_checks_are_planned_once() {
    let stage = Stage::new("planned").await;
    let store = PostgresStore::open(patient(stage.options(), 1)).await.expect("a store");
    for number in 1..=20 {
        for method in ["commit", "resolve", "key", "user", "account", "policies", "changes"] {
            crate::stage::call(&store, method, number).await.expect("an answer");
        }
    }
    let planned = "SELECT custom_plans || ' times: ' || statement FROM pg_prepared_statements
        WHERE custom_plans > 5";
    // Older servers do not count plans.
    let counts = "SELECT (current_setting('server_version_num')::int >= 140000)::int";
    if crate::stage::number(store.pool(), counts).await == 1 {
        let planned = crate::stage::texts(store.pool(), planned).await;
        assert!(planned.is_empty(), "{}", planned.join("\n"));
    }
}
