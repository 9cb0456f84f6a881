//! Creating the tables: by many nodes at once, by hand, by users with few rights, and not at all
//! where that would be wrong.

use keywright::store::{
    Change, Freshness, KeyQuery, KeyStore, PostgresOptions, PostgresStore, SchemaName, StoreError,
    StoreErrorKind,
};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::stage::{
    Stage, batch, every_method, id, insert, key, key_with, number, opened_both_ways, run, texts,
};
use common::{start, tenant};

/// Returns every object of a schema, including the time at which each row of its versions was
/// written.
async fn tables(pool: &PgPool, schema: &str) -> Vec<String> {
    let objects =
        "SELECT relname || ' ' || oid::text FROM pg_class WHERE relnamespace::regnamespace::text";
    let mut all = texts(pool, format!("{objects} = quote_ident('{schema}') ORDER BY 1")).await;
    if !all.is_empty() {
        let rows = format!("SELECT version || ' ' || xmin FROM \"{schema}\".migrations ORDER BY 1");
        all.extend(texts(pool, rows).await);
    }
    all
}

async fn schemas(pool: &PgPool) -> i64 {
    number(pool, "SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'").await
}

fn schema(name: &str) -> SchemaName {
    SchemaName::new(name).unwrap_or_else(|error| panic!("{error}"))
}

async fn open_in(name: &str, pool: &PgPool) -> PostgresStore {
    PostgresOptions::new().schema(schema(name)).open(pool.clone()).await.expect("a store")
}

#[track_caller]
fn assert_refused(opened: Result<PostgresStore, StoreError>, kind: StoreErrorKind, says: &str) {
    let error = opened.expect_err("the store must not be opened");
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
}

async fn works(store: &PostgresStore) {
    store.commit(insert(1)).await.expect("a commit");
    for (method, end) in every_method(store, 2).await {
        assert_eq!(end, Ok(()), "{method}");
    }
}

#[common::test(postgres)]
async fn sixteen_nodes_open_at_once() {
    let stage = Stage::new("sixteen").await;
    let mut nodes = JoinSet::new();
    for _ in 0..16 {
        let pool = stage.pool(2).await;
        nodes.spawn(PostgresStore::open(pool));
    }
    let stores: Vec<_> = nodes.join_all().await.into_iter().collect();
    let pool = stage.pool(2).await;
    let made = tables(&pool, "keywright").await;
    assert_eq!(number(&pool, "SELECT count(*) FROM keywright.migrations").await, 1);
    assert_eq!(number(&pool, "SELECT count(*) FROM keywright.state").await, 1);
    for (n, store) in (1..).zip(stores) {
        store.expect("each opens").commit(insert(n)).await.expect("each writes");
    }
    PostgresStore::open(pool.clone()).await.expect("once more");
    assert_eq!(tables(&pool, "keywright").await, made, "opening again changes nothing");
    assert_eq!(number(&pool, "SELECT count(*) FROM keywright.keys").await, 16);
}

#[common::test]
fn schema_name_needs_no_quoting_care() {
    let (longest, too_long) = ("x".repeat(50), "x".repeat(51));
    let good = ["keywright", "select", "user", "public", "_", "_1", "a__9", "pg", "pgx", &longest];
    for name in good {
        assert_eq!(schema(name).as_str(), name);
        assert_eq!(name.parse(), Ok(schema(name)));
    }
    let bad = [
        "",
        "1a",
        "Keys",
        "a-b",
        "a b",
        "a.b",
        "a\"b",
        "a'b",
        "a;b",
        "a$b",
        "a\0b",
        "a\\b",
        "\u{e9}",
        "pg_",
        "pg_x",
        "pg_catalog",
        "{schema}",
        "%s",
        "x\"; DROP SCHEMA public CASCADE; --",
        "x' || pg_sleep(9) || '",
        "\u{ff41}",
        &too_long,
    ];
    for name in bad {
        let error = SchemaName::new(name).expect_err(name);
        assert_eq!(name.parse::<SchemaName>(), Err(error.clone()));
        assert!(error.to_string().contains("is not a schema name"), "{error}");
    }
    assert_eq!(SchemaName::default().to_string(), "keywright");
}

#[common::test(postgres)]
async fn reserved_and_long_schema_names_work() {
    let stage = Stage::new("words").await;
    let pool = stage.pool(4).await;
    let longest = "x".repeat(50);
    for name in ["select", "user", "table", "null", "_", &longest] {
        works(&open_in(name, &pool).await).await;
        let made = tables(&pool, name).await;
        open_in(name, &pool).await;
        assert_eq!(tables(&pool, name).await, made, "{name}");
    }
    let public = PostgresOptions::new().schema(schema("public")).open(pool.clone()).await;
    works(&public.expect("a schema that existed before")).await;
}

#[common::test(postgres)]
async fn two_schemas_are_independent() {
    let stage = Stage::new("two").await;
    let pool = stage.pool(4).await;
    let (one, other) = (open_in("one", &pool).await, open_in("other", &pool).await);
    one.commit(insert(1)).await.expect("a commit");
    let absent = other.resolve(&id(1), Freshness::StoreDefault).await.expect("the store works");
    assert!(absent.is_none());
    let theirs = key_with(1, |key| key["name"] = "theirs".into());
    other.commit(batch([Change::InsertKey(theirs)])).await.expect("the id is unused there");
    one.commit(batch([Change::DeleteKey(id(1))])).await.expect("a commit");
    let left = other.keys(&tenant(), &KeyQuery::new(), start()).await.expect("a page").items;
    assert_eq!(
        left.iter().map(|key| key.record.key().name.as_str()).collect::<Vec<_>>(),
        ["theirs"]
    );
    let back = one.commit(batch([Change::InsertKey(key(1))])).await.expect_err("it was deleted");
    assert_eq!(back.kind(), StoreErrorKind::AlreadyExists);
}

#[common::test(postgres)]
async fn newer_tables_are_left_untouched() {
    let stage = Stage::new("newer").await;
    let pool = stage.pool(2).await;
    PostgresStore::open(pool.clone()).await.expect("a store");
    run(
        &pool,
        "INSERT INTO keywright.migrations SELECT max(version) + 1 FROM keywright.migrations",
    )
    .await;
    let before = tables(&pool, "keywright").await;
    for opened in opened_both_ways(&pool).await {
        assert_refused(opened, StoreErrorKind::Unsupported, "newer version");
    }
    assert_eq!(tables(&pool, "keywright").await, before);
}

#[common::test(postgres)]
async fn unmigrated_database_is_unavailable() {
    let stage = Stage::new("untouched").await;
    let pool = stage.pool(2).await;
    let before = schemas(&pool).await;
    let opened = PostgresOptions::new().without_migrations().open(pool.clone()).await;
    assert_refused(opened, StoreErrorKind::Unavailable, "run the migrations first");
    assert_eq!(schemas(&pool).await, before, "no table was created");
}

#[common::test(postgres)]
async fn manual_migrations_make_equal_tables() {
    let stage = Stage::new("by_hand").await;
    let pool = stage.pool(4).await;
    run(&pool, schema("by_hand").migrations()).await;
    let options = PostgresOptions::new().schema(schema("by_hand"));
    let store = options.clone().without_migrations().open(pool.clone()).await.expect("a store");
    works(&store).await;
    let made = tables(&pool, "by_hand").await;
    options.open(pool.clone()).await.expect("every table exists");
    assert_eq!(tables(&pool, "by_hand").await, made);
    open_in("by_store", &pool).await;
    let columns = async |schema: &str| {
        let columns = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
            || coalesce(collation_name, '') FROM information_schema.columns WHERE table_schema";
        let mut all = texts(&pool, format!("{columns} = '{schema}' ORDER BY 1")).await;
        let indexes =
            "SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname";
        all.extend(texts(&pool, format!("{indexes} = '{schema}' ORDER BY indexname")).await);
        all
    };
    let by_hand: Vec<_> =
        columns("by_hand").await.iter().map(|line| line.replace("\"\"", "")).collect();
    assert!(by_hand.len() > 40, "{by_hand:?}");
    assert_eq!(by_hand, columns("by_store").await);
}

/// Returns a pool of a user who has only the right to connect.
async fn user(stage: &Stage, pool: &PgPool, name: &str) -> PgPool {
    run(pool, format!("CREATE ROLE {name} LOGIN")).await;
    let options = stage.options().username(name);
    sqlx::postgres::PgPoolOptions::new().max_connections(4).connect_lazy_with(options)
}

#[common::test(postgres)]
async fn user_with_table_rights_can_work() {
    let stage = Stage::new("few_rights").await;
    let pool = stage.pool(2).await;
    let few = user(&stage, &pool, "few").await;
    for opened in opened_both_ways(&few).await {
        let error = opened.expect_err("there is nothing yet");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    }
    assert_eq!(
        texts(&pool, "SELECT nspname::text FROM pg_namespace WHERE nspname = 'keywright'")
            .await
            .len(),
        0
    );
    PostgresStore::open(pool.clone()).await.expect("a store");
    for opened in opened_both_ways(&few).await {
        assert_refused(opened, StoreErrorKind::Unavailable, "user lacks a privilege");
    }
    let grant = "GRANT USAGE ON SCHEMA keywright TO few;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA keywright TO few;";
    run(&pool, grant).await;
    let made = tables(&pool, "keywright").await;
    let [one, other] = opened_both_ways(&few).await;
    works(&one.expect("every table exists")).await;
    other.expect("the tables are there").commit(insert(3)).await.expect("a commit");
    assert_eq!(tables(&pool, "keywright").await, made);
}

#[common::test(postgres)]
async fn database_without_utf8_is_refused() {
    let stage = Stage::new("texts").await;
    let pool = stage.pool(2).await;
    for (name, encoding) in [("raw", "SQL_ASCII"), ("latin", "LATIN1")] {
        run(
            &pool,
            format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"),
        )
        .await;
        let pool = stage.server.pool(name, 2).await;
        let before = schemas(&pool).await;
        for opened in opened_both_ways(&pool).await {
            assert_refused(
                opened,
                StoreErrorKind::Unsupported,
                encoding.replace("SQL_", "").as_str(),
            );
        }
        assert_eq!(schemas(&pool).await, before, "no table was created");
    }
}

async fn finds_by_a_part_of_a_name(store: &PostgresStore) {
    let one = key_with(8, |key| key["name"] = "nightly-report".into());
    store.commit(batch([Change::InsertKey(one)])).await.expect("a commit");
    let page = store.keys(&tenant(), &KeyQuery::new().search("LY-REP"), start()).await;
    assert_eq!(page.expect("a page").items.len(), 1);
}

const SEARCHED_BY_INDEX: &str =
    "SELECT count(*) FROM pg_indexes WHERE schemaname = 'keywright' AND indexname = 'keys_search'";

#[common::test(postgres)]
async fn name_search_works_without_extension() {
    let stage = Stage::new("with_extension").await;
    let pool = stage.pool(4).await;
    // The extension's schema can have any name.
    run(&pool, "CREATE SCHEMA \"Odd \"\" name\"").await;
    let is_there = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'";
    let is_there = number(&pool, is_there).await;
    if is_there == 1 {
        run(&pool, "CREATE EXTENSION pg_trgm SCHEMA \"Odd \"\" name\"").await;
    }
    finds_by_a_part_of_a_name(&PostgresStore::open(pool.clone()).await.expect("a store")).await;
    assert_eq!(number(&pool, SEARCHED_BY_INDEX).await, is_there);

    let stage = Stage::new("without_extension").await;
    let pool = stage.pool(4).await;
    let owner = user(&stage, &pool, "owner").await;
    run(&pool, "CREATE SCHEMA keywright AUTHORIZATION owner").await;
    finds_by_a_part_of_a_name(&PostgresStore::open(owner).await.expect("a store")).await;
    assert_eq!(number(&pool, SEARCHED_BY_INDEX).await, 0);
}

#[common::test(postgres)]
async fn forbidden_extension_is_no_obstacle() {
    let stage = Stage::new("hidden_extension").await;
    let pool = stage.pool(4).await;
    let guest = user(&stage, &pool, "guest").await;
    let is_there = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'";
    if number(&pool, is_there).await == 1 {
        run(&pool, "CREATE SCHEMA hidden; CREATE EXTENSION pg_trgm SCHEMA hidden;").await;
    }
    run(&pool, "CREATE SCHEMA keywright AUTHORIZATION guest").await;
    finds_by_a_part_of_a_name(&PostgresStore::open(guest).await.expect("a store")).await;
    assert_eq!(number(&pool, SEARCHED_BY_INDEX).await, 0);
}
