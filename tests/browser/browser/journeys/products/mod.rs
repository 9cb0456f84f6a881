//! The five products of the example, each from its first key to its last.

mod demo;
mod fleetdesk;
mod gatepost;
mod globex;
mod ledgerline;
mod screens;
mod workbase;
