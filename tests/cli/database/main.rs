//! The program `keywright` on PostgreSQL.

mod commands;
mod killed;

common::suite!();
