//! Lists from the index of the file, each in one read transaction.

mod accounts;
mod all_tenants;
mod counts;
mod entries;
mod events;
mod keys;
mod narrow;
mod tenants;

pub(super) use self::accounts::accounts;
pub(super) use self::all_tenants::{all_tenants, keys_of_all_tenants};
pub(super) use self::counts::{count_keys, numbers_of_owners, owned_keys};
pub(super) use self::entries::{Span, id_of};
pub(super) use self::events::events;
pub(super) use self::keys::{Keys, finish, is_listed, page, sort};
pub(super) use self::tenants::tenants;
