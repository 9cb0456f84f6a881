//! Values: tokens, ids, names, scopes, networks, rates and times. Each is checked when it is
//! created.

pub(crate) mod base62;
pub(crate) mod digest;
pub(crate) mod id;
pub(crate) mod metadata;
pub(crate) mod name;
pub(crate) mod network;
pub(crate) mod note;
pub(crate) mod outside_text;
pub(crate) mod prefixes;
pub(crate) mod random;
pub(crate) mod rate;
pub(crate) mod redact;
pub(crate) mod reentrancy;
pub(crate) mod scope;
pub(crate) mod seat;
pub(crate) mod secret;
pub(crate) mod serde_strict;
pub(crate) mod text;
pub(crate) mod text_enum;
pub(crate) mod ticket;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod use_alert;
pub(crate) mod visible_text;
