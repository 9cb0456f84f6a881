//! The screens of the service accounts: the list, one account, and the forms about it.

pub(in crate::http::page) mod account;
pub(in crate::http::page) mod confirm;
pub(in crate::http::page) mod edit;
mod fields;
mod gate;
mod keys;
pub(in crate::http::page) mod list;
pub(in crate::http::page) mod new;
mod opened;
pub(in crate::http::page) mod transfer;
