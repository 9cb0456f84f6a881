//! A key for tests of this crate's own parts.

use crate::record::admin_limits::AdminLimits;
use crate::record::key::{Key, Owner};
use crate::value::id::{KeyId, UserId};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
use crate::value::network::Networks;
use crate::value::random::Random;
use crate::value::scope::ScopeSet;
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

/// Returns an active key of the user `alice`, created at the start of 1970.
pub(crate) fn key() -> Key {
    let alice: UserId = "alice".parse().expect("a user");
    let created_at = Timestamp::from_unix_seconds(0).expect("a time");
    Key {
        id: KeyId::generate(&Random::system()).expect("random numbers"),
        tenant: "globex".parse().expect("a tenant"),
        owner: Owner::User(alice.clone()),
        name: Name::new("a key").expect("a name"),
        prefix: Prefix::default(),
        scopes: ScopeSet::empty(),
        networks: Networks::anywhere(),
        rate: None,
        admin_limits: AdminLimits::default(),
        description: None,
        contact: None,
        metadata: Metadata::default(),
        created_at,
        created_by: alice,
        updated_at: created_at,
        not_before: None,
        expires_at: None,
        disabled: false,
        revoked_at: None,
        rotated_at: None,
        overlap_ends_at: None,
        secret_number: 1,
        version: 1,
    }
}
