//! The fields of a policy, and the permission that a change of each needs.

use crate::record::operation::Operation;
use crate::value::text_enum::text_enum;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $text:literal by $operation:ident;)+) => {
        text_enum! {
            /// A field of a [`Policy`](crate::Policy). Prints as the field: `max_overlap`.
            pub enum PolicyField {
                $($(#[$doc])* $name = $text;)+
            }
        }

        impl PolicyField {
            /// Returns the operation that a change of this field is, which takes a permission of its own.
            pub const fn operation(self) -> Operation {
                match self {
                    $(Self::$name => Operation::$operation,)+
                }
            }
        }
    };
}

fields! {
    /// Whether the plan includes API access: the host's to set.
    ApiInPlan = "api_in_plan" by PlanSet;
    /// Whether API access is on.
    ApiEnabled = "api_enabled" by PolicySet;
    /// Whether new keys must expire.
    RequireExpiry = "require_expiry" by PolicySet;
    /// The lifetime of a new key by default.
    DefaultLifetime = "default_lifetime" by PolicySet;
    /// The longest lifetime of a new key.
    MaxLifetime = "max_lifetime" by PolicySet;
    /// The most live keys of an owner.
    MaxKeysPerOwner = "max_keys_per_owner" by PolicySet;
    /// The longest overlap of a rotation.
    MaxOverlap = "max_overlap" by PolicySet;
    /// The pattern of new names.
    NamePattern = "name_pattern" by PolicySet;
    /// The scopes that a user's key can have.
    ScopeCeiling = "scope_ceiling" by PolicySet;
    /// The roles of service accounts.
    Roles = "roles" by PolicySet;
    /// The default rate of a key.
    DefaultRate = "default_rate" by PolicySet;
    /// The number of uses after which an event is due.
    ExtensiveUse = "extensive_use" by PolicySet;
    /// How long a dead key is kept.
    Retention = "retention" by PolicySet;
    /// How long an event is kept.
    EventRetention = "event_retention" by PolicySet;
}

impl PolicyField {
    /// Returns the operation that a change of these fields is: of the plan if nothing else changes.
    pub(crate) fn operation_of(changed: &[Self]) -> Operation {
        let is_plan = |field: &Self| field.operation() == Operation::PlanSet;
        if !changed.is_empty() && changed.iter().all(is_plan) {
            Operation::PlanSet
        } else {
            Operation::PolicySet
        }
    }
}
