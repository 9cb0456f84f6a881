//! Three node processes, each with a cache, on one PostgreSQL. The tests measure how long a revoked
//! key stays accepted, with and without failures, and race the core between processes.
//!
//! `KEYWRIGHT_REVOCATIONS` sets the number of revoked keys on a healthy database; the other
//! scenarios scale with it. Each scenario prints a row of the table that `scripts/revocations`
//! shows.

#![cfg(unix)]

mod cluster;
mod failover;
mod healthy;
mod hints;
mod measure;
mod node;
mod proxy;
mod races;
mod trouble;
mod watch;

use crate::cluster::{Cluster, alone};
use crate::node::{DATABASE, Hints};
use common::database::Server;

common::suite!();

#[common::test(postgres)]
fn node_ends_with_its_parent() {
    // A node is this test executable, started with a variable that names its database.
    if let Ok(database) = std::env::var(DATABASE) {
        node::run(&database);
    }
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "letting_go", Hints::On);
    for status in cluster.let_go() {
        assert_eq!(status.code(), Some(0), "a node ended with {status}");
    }
}
