//! The pieces of HTML that several screens share. Each gets the [`Frame`](super::frame::Frame) of
//! the request, for its texts and paths.

pub(super) mod account;
pub(super) mod actions;
pub(super) mod author;
mod event_details;
pub(super) mod event_table;
pub(super) mod event_texts;
pub(super) mod facts;
pub(super) mod fields;
pub(super) mod key_table;
pub(super) mod listing;
pub(super) mod navigation;
pub(super) mod obstacles;
pub(super) mod overlap;
mod policy_words;
pub(super) mod settings_table;
pub(super) mod span;
pub(super) mod stale;
