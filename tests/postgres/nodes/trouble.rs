//! Nodes lose the database in each possible way while keys are revoked.

use std::thread;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::cluster::{Cluster, alone, block_on};
use crate::measure::{LivingKey, Round, Row, amount};
use crate::node::Hints;
use common::database::Server;

const KEYS_IN_A_ROUND: usize = 20;

/// Revokes keys in rounds. `trouble` gets keys that every node accepts, revokes them, and returns
/// when the failure is over. The nodes must then recover without help.
fn rounds(cluster: &Cluster, mut trouble: impl FnMut(&mut Round)) -> Row {
    let mut row = Row::default();
    let mut living = LivingKey::watch(cluster);
    let mut left = amount(50);
    while left > 0 {
        let keys = left.min(KEYS_IN_A_ROUND);
        left -= keys;
        let mut round = Round::begin(cluster, keys);
        trouble(&mut round);
        living.recovers(&mut row);
        round.end(&mut row);
    }
    living.end(&mut row);
    row
}

#[common::test(postgres)]
fn t_m03_isolated_node_accepts_nothing_after_bound() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "cut_off", Hints::On);
    let row = rounds(&cluster, |round| {
        cluster.proxies[2].refuse();
        round.revoke_all(0);
        Round::wait_for_the_bound();
        cluster.proxies[2].forward();
    });
    assert!(row.unavailable() > 0, "an isolated node reports the outage");
    row.show("one node cut off");
}

#[common::test(postgres)]
fn t_m04_half_open_nodes_accept_nothing_after_bound() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "half_open", Hints::On);
    let row = rounds(&cluster, |round| {
        cluster.proxies[1].swallow();
        cluster.proxies[2].swallow();
        round.revoke_all(0);
        Round::wait_for_the_bound();
        cluster.proxies[1].forward();
        cluster.proxies[2].forward();
    });
    assert!(row.unavailable() > 0, "an isolated node reports the outage");
    row.show("two nodes' connections half open");
}

#[common::test(postgres)]
fn t_m05_revoke_arrives_despite_killed_connections() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "killed", Hints::On);
    let row = rounds(&cluster, |round| {
        // The first half is revoked while no node receives hints, the second while connections are
        // being killed.
        kill_all_connections(server, "killed");
        round.revoke(0, KEYS_IN_A_ROUND / 2);
        thread::scope(|scope| {
            let killing = scope.spawn(|| {
                for _ in 0..10 {
                    kill_all_connections(server, "killed");
                    thread::sleep(Duration::from_millis(20));
                }
            });
            round.revoke_all(1);
            killing.join().expect("they are killed");
        });
        Round::wait_for_the_bound();
    });
    row.show("all connections killed");
}

pub(crate) fn kill_all_connections(server: &Server, database: &str) {
    block_on(async {
        let mut connection =
            PgConnection::connect_with(&server.options("postgres")).await.expect("the server");
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(database)
            .execute(&mut connection)
            .await
            .expect("they are killed");
    });
}

#[common::test(postgres)]
fn t_m12_nodes_survive_a_server_crash() {
    let _alone = alone();
    let server = Server::start(&[]);
    let cluster = Cluster::start(&server, "crashed", Hints::On);
    let row = rounds(&cluster, |round| {
        round.revoke(0, KEYS_IN_A_ROUND / 2);
        thread::scope(|scope| {
            let crash = scope.spawn(|| {
                server.down("immediate");
                Round::wait_for_the_bound();
                server.up();
            });
            round.revoke_all(1);
            crash.join().expect("the server is back");
        });
        Round::wait_for_the_bound();
    });
    assert!(row.unavailable() > 0, "without a server no key can be verified");
    row.show("the server crashes and comes back");
}
