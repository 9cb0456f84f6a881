//! Hints over a connection that fails without a signal.

use std::time::Duration;

use keywright::store::{ChangeHints, KeyStore, PostgresStore};
use keywright::{Actor, Keywright, NewKey, Plan, Policy, UserId};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::{sleep, timeout};

use crate::cluster::{alone, block_on};
use crate::proxy::Proxy;
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
