//! The journeys of people who use the page, and of those who attack it.

mod bulk;
mod cross_site;
mod faults;
mod handover;
mod keyboard;
mod own_layout;
mod people;
mod plain;
mod products;
mod shown_once;
