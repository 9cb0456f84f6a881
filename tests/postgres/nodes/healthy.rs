//! Revocations on a healthy database, with timely, late and no hints.

use crate::cluster::{Cluster, alone};
use crate::measure::{amount, revoke_on_healthy_database};
use crate::node::Hints;
use common::database::Server;

#[common::test(postgres)]
fn t_m01_revoke_on_one_node_reaches_others() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "healthy", Hints::On);
    revoke_on_healthy_database(&cluster, amount(1)).show("all is well");
}

#[common::test(postgres)]
fn t_m02_without_hints_the_bound_holds() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "no_hints", Hints::Off);
    revoke_on_healthy_database(&cluster, amount(20)).show("no hints");
}

#[common::test(postgres)]
fn t_m02_with_late_hints_bound_holds() {
    let _alone = alone();
    let server = Server::shared();
    let cluster = Cluster::start(server, "late_hints", Hints::Late);
    revoke_on_healthy_database(&cluster, amount(20)).show("hints come 300 ms late");
}
