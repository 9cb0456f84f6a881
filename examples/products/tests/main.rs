//! The five products as their users see them: every screen, and the life of a key on each page.

mod browser;
mod fleetdesk;
mod gatepost;
mod globex;
mod ledgerline;
mod login;
mod screens;
mod workbase;
