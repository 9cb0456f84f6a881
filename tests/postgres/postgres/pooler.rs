//! The contract behind a pooler that assigns a connection per transaction, with fewer server
//! connections than clients.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::{fs, thread};

use keywright::store::conformance::{Host, Running};
use keywright::store::{
    CacheOptions, CachedStore, Change, Freshness, KeyStore, ManualMonotonicClock, PostgresOptions,
    PostgresStore,
};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::stage::{Stage, batch, every_method, id, insert};
use common::database::{Server, free_port};
use common::needs::Need;
use common::start;

/// Number of server connections that all clients share.
const SERVER_CONNECTIONS: u32 = 4;

/// A running pooler in front of the server that all tests share.
struct Pooler {
    port: u16,
    /// Stops the pooler and deletes its folder when its input closes, which happens when this
    /// process ends.
    _keeper: Child,
}

impl Pooler {
    fn start(server: &Server) -> Self {
        let program = Need::PgBouncer.path();
        let folder = tempfile::Builder::new().prefix("keywright-pooler-").tempdir();
        let folder = folder.expect("a folder").keep();
        let port = free_port();
        let configuration = folder.join("pgbouncer.ini");
        let mut file = fs::File::create(&configuration).expect("a file");
        let to = server.port();
        let users = fs::read_to_string("/etc/passwd").expect("the users");
        let user = if users.contains("postgres:") { "postgres" } else { "nobody" };
        // The pooler, like the server, refuses to run as root.
        let is_root = fs::metadata(&folder).expect("the folder").uid() == 0;
        let user = if is_root { format!("user = {user}\n") } else { String::new() };
        write!(
            file,
            "[databases]\n* = host=127.0.0.1 port={to} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {SERVER_CONNECTIONS}\nmax_client_conn = 500\n\
             ignore_startup_parameters = extra_float_digits\n{user}"
        )
        .expect("it is written");
        let mut keeper = Command::new("sh");
        let stop =
            r#""$0" -q pgbouncer.ini >/dev/null 2>&1 & cat >/dev/null; kill $!; rm -rf "$PWD""#;
        keeper.args(["-c", stop]).arg(program).current_dir(&folder).stdin(Stdio::piped());
        keeper.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let pooler = Self { port, _keeper: keeper.spawn().expect("sh runs") };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return pooler;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the pooler does not listen");
    }

    fn shared() -> &'static Self {
        static SHARED: LazyLock<Pooler> = LazyLock::new(|| Pooler::start(Server::shared()));
        &SHARED
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port);
        options.username("postgres").database(database)
    }

    async fn pool(&self, database: &str, connections: u32) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
        pool.connect_with(self.options(database)).await.expect("the pooler")
    }
}

fn pooled() -> PostgresOptions {
    PostgresOptions::new().behind_transaction_pooler()
}

struct Shared {
    runtime: Runtime,
    store: PostgresStore,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let store = runtime.block_on(async {
        Server::shared().create("pooled").await;
        let store = pooled().open(Pooler::shared().pool("pooled", 24).await).await;
        store.expect("a store")
    });
    Shared { runtime, store }
});

/// The store behind the pooler, as a host for the contract.
pub(crate) struct Pooled;

impl Host for Pooled {
    fn store(&self) -> Arc<dyn KeyStore> {
        Arc::new(SHARED.store.clone())
    }

    fn run(&self, future: Running<'_>) {
        SHARED.runtime.block_on(future);
    }
}

#[common::test(postgres, pgbouncer)]
async fn many_nodes_open_through_a_pooler() {
    let stage = Stage::new("pooled_openers").await;
    let pooler = Pooler::shared();
    let mut nodes = JoinSet::new();
    for _ in 0..16 {
        let pool = pooler.pool("pooled_openers", 2).await;
        nodes.spawn(async move {
            for _ in 0..10 {
                pooled().open(pool.clone()).await?;
                pooled().without_migrations().open(pool.clone()).await?;
            }
            pooled().open(pool).await
        });
    }
    for (number, opened) in (1..).zip(nodes.join_all().await) {
        let store = opened.unwrap_or_else(|error| panic!("{error:?}"));
        store.commit(insert(number)).await.expect("a commit");
    }
    for (method, end) in every_method(&stage.store().await, 100).await {
        assert_eq!(end, Ok(()), "{method}");
    }
}

#[common::test(postgres, pgbouncer)]
async fn cache_bound_holds_behind_a_pooler() {
    let stage = Stage::new("pooled_cache").await;
    let pooler = Pooler::shared();
    let store = pooled().open(pooler.pool("pooled_cache", 6).await).await.expect("a store");
    let clock = ManualMonotonicClock::new();
    let bound = Duration::from_millis(100);
    let options = CacheOptions::new().max_staleness(bound).store_timeout(Duration::from_secs(60));
    let cached = CachedStore::new(store, options.clock(clock.clone())).expect("a cache");
    let _task = tokio::spawn(cached.refresh_task());
    let elsewhere = stage.store().await;
    for n in 1..=20 {
        elsewhere.commit(insert(n)).await.expect("a commit");
        cached.sync().await.expect("the store works");
        let found = cached
            .resolve(&id(n), Freshness::StoreDefault)
            .await
            .expect("it works")
            .expect("a key");
        assert_eq!(found.record().key().revoked_at, None);
        let revoke = Change::RevokeKey { key: id(n), at: start() };
        elsewhere.commit(batch([revoke])).await.expect("a commit");
        clock.advance(bound + Duration::from_millis(1));
        let found = cached
            .resolve(&id(n), Freshness::StoreDefault)
            .await
            .expect("it works")
            .expect("a key");
        assert_eq!(
            found.record().key().revoked_at,
            Some(start()),
            "key {n} is older than the bound"
        );
    }
}
