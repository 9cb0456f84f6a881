//! This module lists the fields of a policy and the permission that a change of each field needs.

use crate::record::operation::Operation;
use crate::value::text_enum::text_enum;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $text:literal by $operation:ident;)+) => {
        text_enum! {
            /// A field of a [`Policy`](crate::Policy), with a text form such as `max_overlap`.
            ///
            /// ```
            /// use keywright::PolicyField;
            ///
            /// assert_eq!(PolicyField::MaxOverlap.to_string(), "max_overlap");
            /// ```
            pub enum PolicyField {
                $($(#[$doc])* $name = $text;)+
            }
        }

        impl PolicyField {
            /// Returns the operation that a change of this field needs permission for.
            ///
            /// ```
            /// use keywright::{Operation, PolicyField};
            ///
            /// assert_eq!(PolicyField::MaxOverlap.operation(), Operation::PolicySet);
            /// assert_eq!(PolicyField::ApiInPlan.operation(), Operation::PlanSet);
            /// ```
            pub const fn operation(self) -> Operation {
                match self {
                    $(Self::$name => Operation::$operation,)+
                }
            }
        }
    };
}

fields! {
    /// Whether the tenant's plan includes API access. The host sets this field.
    ApiInPlan = "api_in_plan" by PlanSet;
    /// The tenant's switch for API access.
    ApiEnabled = "api_enabled" by PolicySet;
    /// The requirement that new keys expire.
    RequireExpiry = "require_expiry" by PolicySet;
    /// The default lifetime of a new key.
    DefaultLifetime = "default_lifetime" by PolicySet;
    /// The longest lifetime of a new key.
    MaxLifetime = "max_lifetime" by PolicySet;
    /// The number of live keys that an owner may hold.
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
    /// The alert for extensive use.
    ExtensiveUse = "extensive_use" by PolicySet;
    /// The alert for suspicious use.
    SuspiciousUse = "suspicious_use" by PolicySet;
    /// The time for which a dead key is kept.
    Retention = "retention" by PolicySet;
    /// The time for which an audit event is kept.
    EventRetention = "event_retention" by PolicySet;
}

impl PolicyField {
    /// Returns the operation that a change of these fields is: `plan.set` if only the plan changes,
    /// and `policy.set` otherwise.
    pub(crate) fn operation_of(changed: &[Self]) -> Operation {
        let is_plan = |field: &Self| field.operation() == Operation::PlanSet;
        if !changed.is_empty() && changed.iter().all(is_plan) {
            Operation::PlanSet
        } else {
            Operation::PolicySet
        }
    }
}
