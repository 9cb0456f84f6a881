//! The screens: each file shows one, and does what its form asks for.

pub(super) mod accounts;
pub(super) mod bulk;
mod bulk_table;
pub(super) mod confirm;
pub(super) mod edit;
pub(super) mod events;
pub(super) mod issued;
pub(super) mod key;
pub(super) mod new;
mod opened;
pub(super) mod owned;
pub(super) mod owner;
pub(super) mod owner_actions;
mod owner_name;
mod prompt;
pub(super) mod rotate;
pub(super) mod settings;
pub(super) mod settings_edit;
pub(super) mod settings_switch;
pub(super) mod tenant_keys;
pub(super) mod transfer;
