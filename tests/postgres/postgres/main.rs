//! `PostgresStore` on a server that the tests start.

mod all_tenants;
mod contract;
mod external_changes;
mod groups;
mod growth;
mod leaks;
mod lost;
mod migrations;
mod observed;
mod order;
mod overtaken;
mod plans;
mod pooler;
mod proxy;
mod sql;
mod stage;
mod trouble;
mod usage;

common::suite!(contract::trials());
