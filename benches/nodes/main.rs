//! The cost of many nodes: PostgreSQL beside bare statements, the cache, and a transfer of a million
//! keys. Starts a server of its own, with the settings that it comes with.
//!
//! ```text
//! cargo bench -p keywright-benches --bench nodes [-- [--json] [--quick] PART...]
//! ```
//!
//! The figures have the form of the benchmark `figures`.

mod cache;
mod idle;
mod many;
mod miss;
mod populate;
mod writers;

use std::process::ExitCode;

use common::database::Server;
use common::needs::Need;
use futures_lite::future::block_on;
use keywright::store::{PostgresOptions, PostgresStore, SchemaName};
use kit::{Counting, Run};
use sqlx::PgPool;
use tokio::runtime::Runtime;

// As in `figures`, so that their figures can be compared.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The connections of a node, and of the bare statements beside it.
const CONNECTIONS: u32 = 20;

/// A database server, and a pool of connections to it.
struct Database<'a> {
    run: &'a Run,
    runtime: &'a Runtime,
    pool: PgPool,
}

impl Database<'_> {
    /// Opens a store in a schema of its own.
    fn store(&self, schema: &str) -> PostgresStore {
        let schema = SchemaName::new(schema).expect("a name");
        let options = PostgresOptions::new().schema(schema);
        block_on(options.open(self.pool.clone())).expect("a store")
    }

    fn execute(&self, sql: &'static str) {
        block_on(sqlx::raw_sql(sql).execute(&self.pool)).expect("it runs");
    }
}

fn main() -> ExitCode {
    Run::main(measure)
}

fn measure(run: &Run) {
    let runtime = Runtime::new().expect("a runtime");
    let _context = runtime.enter();
    cache::beside_memory(run);
    if let Some(reason) = Need::Postgres.missing() {
        run.note(format!("left out the other figures: {reason}"));
    } else {
        let server = Server::start(&["max_connections = 200"]);
        let pool = block_on(server.pool("postgres", CONNECTIONS));
        let database = Database { run, runtime: &runtime, pool };
        // First, as it counts all transactions of the database.
        idle::measure(&database);
        miss::measure(&database);
        writers::measure(&database);
        cache::hit_rate(&database);
        many::measure(&database);
    }
}
