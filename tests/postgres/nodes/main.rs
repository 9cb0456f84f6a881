//! Three nodes, each a process of its own with a cache, on one PostgreSQL: how long a revoked key lives
//! on, in good times and in bad, and races of the core between processes.
//!
//! `KEYWRIGHT_REVOCATIONS` says how many keys are revoked where all is well; the other scenarios follow it.
//! Each prints a row of the table that `scripts/revocations` shows.

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
    // The node is this very test, told by a variable where its database is.
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
