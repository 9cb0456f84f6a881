//! `PostgresStore` on a server of the tests' own.

#[path = "../database/mod.rs"]
mod database;

mod contract;
