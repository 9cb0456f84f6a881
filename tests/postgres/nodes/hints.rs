//! Hints over a connection that fails without a signal.

use std::time::Duration;

use keywright::store::{ChangeHints, KeyStore, PostgresStore};
use keywright::{Actor, Keywright, NewKey, Plan, Policy, UserId};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

use crate::cluster::{alone, block_on};
use crate::proxy::Proxy;
use common::capture::captured;
use common::database::Server;

const PATIENCE: Duration = Duration::from_secs(60);

#[common::test(postgres)]
fn t_m04_hints_recover_from_half_open_connection() {
    let _alone = alone();
    block_on(hear_again(Server::shared()));
}

async fn hear_again(server: &Server) {
    server.create("hints").await;
    let proxy = Proxy::to(server.port());
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(proxy.port());
    let options = options.username("postgres").database("hints");
    let pool = PgPoolOptions::new().connect_with(options).await.expect("the server");
    let mut hints = PostgresStore::open(pool).await.expect("a store").hints().await.expect("hints");

    let store = PostgresStore::open(server.pool("hints", 2).await).await.expect("a store");
    tokio::spawn(commit_again_and_again(store));
    let mut heard = async || timeout(PATIENCE, hints.next()).await.expect("a hint");
    heard().await;

    proxy.swallow();
    proxy.forward();
    // Hints on the old connection are lost; the store reconnects, and hints arrive again.
    for _ in 0..10 {
        heard().await;
    }
}

#[common::test(postgres)]
fn b22_lost_hints_are_told_once() {
    let _alone = alone();
    let (hint, seen) = captured(|| block_on(lose_connection(Server::shared())));
    hint.expect("a hint for the commits that may be missed");
    let hints = seen.events.iter().filter(|event| event.name.starts_with("keywright.hints."));
    let told: Vec<_> = hints.map(|event| (event.name, event.level.as_str())).collect();
    assert_eq!(told, [("keywright.hints.lost", "WARN"), ("keywright.hints.restored", "INFO")]);
}

async fn lose_connection(server: &Server) -> Result<(), Elapsed> {
    server.create("hints_told").await;
    let pool = server.pool("hints_told", 2).await;
    let store = PostgresStore::open(pool.clone()).await.expect("a store");
    let mut hints = store.hints().await.expect("hints");
    let lose = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = 'hints_told' AND pid <> pg_backend_pid()";
    sqlx::raw_sql(lose).execute(&pool).await.expect("the server works");
    timeout(PATIENCE, hints.next()).await
}

async fn commit_again_and_again(store: impl KeyStore) {
    let mut policy = Policy::default();
    policy.settings.api_enabled = Some(true);
    policy.settings.max_keys_per_user = Some(Plan::MAX_KEYS);
    let authority =
        Keywright::builder(store).default_policy(policy).build().expect("a keywright").authority();
    let alice = Actor::developer(UserId::new("alice").expect("an id"));
    loop {
        let new = NewKey::named("a-key").expect("a name");
        authority.generate(&alice, new).await.expect("a key");
        sleep(Duration::from_millis(100)).await;
    }
}
