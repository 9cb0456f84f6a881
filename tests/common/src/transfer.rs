//! Transfers of a store into PostgreSQL.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_lite::future::block_on;
use keywright::store::{
    KeyStore, PostgresOptions, PostgresStore, SchemaName, StoreError, Transfer, TransferError,
    TransferSource,
};
use serde_json::Value;
use sqlx::PgPool;
use tokio::runtime::{EnterGuard, Runtime};

use crate::World;
use crate::database::Server;
use crate::store_lifecycle::live;

/// The destination of a transfer: a runtime, a pool and an empty schema.
pub struct Place {
    pub server: &'static Server,
    pub runtime: Runtime,
    pub pool: PgPool,
    pub schema: SchemaName,
}

impl Place {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::shared();
        let runtime = Runtime::new().expect("a runtime");
        let pool = runtime.block_on(server.pool("postgres", 10));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = SchemaName::new(&format!("moved_{number}")).expect("a name");
        Self { server, runtime, pool, schema }
    }

    pub fn url(&self) -> String {
        self.server.url("postgres")
    }

    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    pub fn options(&self) -> PostgresOptions {
        PostgresOptions::new().schema(self.schema.clone())
    }

    pub fn begin(&self, source: impl Into<TransferSource>) -> Result<Transfer, TransferError> {
        block_on(Transfer::begin(source, self.options(), self.pool.clone()))
    }

    pub fn open(&self) -> Result<PostgresStore, StoreError> {
        block_on(self.options().open(self.pool.clone()))
    }
}

/// Returns everything that both tenants show, which must be equal before and after a transfer.
pub fn seen(world: &World) -> Value {
    let verdicts: Vec<_> = world
        .issued
        .iter()
        .map(|(name, issued)| (name, world.says(issued.token.expose())))
        .collect();
    serde_json::json!([world.seen_by(&world.admin), world.seen_by(&world.other), verdicts])
}

pub fn lived(store: impl KeyStore) -> World {
    let mut world = World::bare(store);
    live(&mut world);
    block_on(world.verifier.flush()).expect("the uses are written");
    world
}
