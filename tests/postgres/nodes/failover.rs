//! Failover to a standby that has every commit, and to one that lags behind.

use std::thread::sleep;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::cluster::{Cluster, alone, block_on};
use crate::measure::{LivingKey, Round, Row, amount};
use crate::node::{Hints, TENANTS};
use common::database::Server;

const PAUSE: Duration = Duration::from_millis(20);

#[common::test(postgres)]
fn t_m12_synchronous_failover_loses_no_revocation() {
    let _alone = alone();
    let primary = Server::start(&["synchronous_standby_names = 'standby'"]);
    let standby = primary.standby(&["synchronous_standby_names = ''"]);
    let cluster = Cluster::start(&primary, "replicated", Hints::On);
    let mut row = Row::default();
    let mut living = LivingKey::watch(&cluster);
    let mut round = Round::begin(&cluster, amount(50));
    assert_two_shards(&primary, "replicated");
    round.revoke_all(0);
    primary.down("immediate");
    standby.promote();
    cluster.proxies.iter().for_each(|proxy| proxy.turn_to(standby.port()));
    living.recovers(&mut row);
    Round::wait_for_the_bound();
    for line in &mut round.lines {
        assert_eq!(line.ask("regressions"), "0", "no acknowledged change is lost");
    }
    round.end(&mut row);
    living.end(&mut row);
    row.show("a synchronous standby takes over");
}

#[common::test(postgres)]
fn t_m11_lagging_standby_makes_nodes_forget() {
    let _alone = alone();
    let primary = Server::start(&[]);
    let standby = primary.standby(&[]);
    let cluster = Cluster::start(&primary, "lagging", Hints::On);
    let mut row = Row::default();
    let mut living = LivingKey::watch(&cluster);
    let mut round = Round::begin(&cluster, amount(50));
    assert_two_shards(&primary, "lagging");
    wait_for_standby(&primary);
    standby.down("fast");
    round.revoke_all(0);
    round.wait_until_refused();
    primary.down("immediate");
    standby.up();
    standby.promote();
    cluster.proxies.iter().for_each(|proxy| proxy.turn_to(standby.port()));
    living.recovers(&mut row);
    // The standby has not received the revocations, so they are lost; only synchronous replication
    // would keep them. Every node accepts the keys again only if it has emptied its cache.
    round.wait_until_accepted();
    for line in &mut round.lines {
        assert_ne!(line.ask("regressions"), "0", "an acknowledged revocation is lost unnoticed");
    }
    round.revoke_all(1);
    Round::wait_for_the_bound();
    round.end(&mut row);
    living.end(&mut row);
    row.show("a standby that lagged takes over: all revocations are lost, and made again");
}

/// Asserts that the keys are of two tenants, whose changes are of two shards.
fn assert_two_shards(server: &Server, database: &str) {
    let sql = "SELECT count(DISTINCT tenant) = 2 AND count(DISTINCT shard) = 2 FROM keywright.keys
        WHERE tenant = ANY($1)";
    let asked = async {
        let mut connection = PgConnection::connect_with(&server.options(database)).await?;
        let asked = sqlx::query_scalar::<_, bool>(sql).bind(TENANTS);
        asked.fetch_one(&mut connection).await
    };
    assert!(block_on(asked).expect("an answer"), "two tenants of two shards");
}

/// Waits until the standby of this server has every commit.
fn wait_for_standby(primary: &Server) {
    block_on(async {
        let mut connection =
            PgConnection::connect_with(&primary.options("postgres")).await.expect("the server");
        let sql =
            "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()";
        while !sqlx::query_scalar::<_, bool>(sql)
            .fetch_one(&mut connection)
            .await
            .expect("an answer")
        {
            sleep(PAUSE);
        }
    });
}
