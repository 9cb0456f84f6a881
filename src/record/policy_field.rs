//! The names of the fields of plans and settings, for errors and events.

use std::fmt::Display;

use crate::value::text_enum::text_enum;

text_enum! {
    /// A field of a [`Plan`](crate::Plan) or of [`Settings`](crate::Settings).
    ///
    /// A field that both records have has the same name in both: the value of the plan is the bound
    /// of the setting.
    ///
    /// ```
    /// use keywright::PolicyField;
    ///
    /// assert_eq!(PolicyField::MaxLifetime.as_str(), "max_lifetime");
    /// ```
    pub enum PolicyField {
        /// [`Plan::api_access`](crate::Plan::api_access)
        ApiAccess = "api_access";
        /// [`Plan::scopes`](crate::Plan::scopes)
        Scopes = "scopes";
        /// [`Plan::default_scopes`](crate::Plan::default_scopes)
        DefaultScopes = "default_scopes";
        /// [`Plan::roles`](crate::Plan::roles)
        Roles = "roles";
        /// [`Plan::max_rate`](crate::Plan::max_rate)
        MaxRate = "max_rate";
        /// [`Plan::max_keys_per_user`](crate::Plan::max_keys_per_user) and
        /// [`Settings::max_keys_per_user`](crate::Settings::max_keys_per_user)
        MaxKeysPerUser = "max_keys_per_user";
        /// [`Plan::max_keys_per_account`](crate::Plan::max_keys_per_account)
        MaxKeysPerAccount = "max_keys_per_account";
        /// [`Plan::max_keys_of_organization`](crate::Plan::max_keys_of_organization)
        MaxKeysOfOrganization = "max_keys_of_organization";
        /// [`Settings::api_enabled`](crate::Settings::api_enabled)
        ApiEnabled = "api_enabled";
        /// [`Plan::require_expiry`](crate::Plan::require_expiry) and
        /// [`Settings::require_expiry`](crate::Settings::require_expiry)
        RequireExpiry = "require_expiry";
        /// [`Settings::default_lifetime`](crate::Settings::default_lifetime)
        DefaultLifetime = "default_lifetime";
        /// [`Plan::max_lifetime`](crate::Plan::max_lifetime) and
        /// [`Settings::max_lifetime`](crate::Settings::max_lifetime)
        MaxLifetime = "max_lifetime";
        /// [`Plan::max_overlap`](crate::Plan::max_overlap) and
        /// [`Settings::max_overlap`](crate::Settings::max_overlap)
        MaxOverlap = "max_overlap";
        /// [`Plan::name_pattern`](crate::Plan::name_pattern) and
        /// [`Settings::name_pattern`](crate::Settings::name_pattern)
        NamePattern = "name_pattern";
        /// [`Settings::default_rate`](crate::Settings::default_rate)
        DefaultRate = "default_rate";
        /// [`Plan::min_alert_period`](crate::Plan::min_alert_period)
        MinAlertPeriod = "min_alert_period";
        /// [`Settings::extensive_use`](crate::Settings::extensive_use)
        ExtensiveUse = "extensive_use";
        /// [`Settings::suspicious_use`](crate::Settings::suspicious_use)
        SuspiciousUse = "suspicious_use";
        /// [`Plan::max_retention`](crate::Plan::max_retention)
        MaxRetention = "max_retention";
        /// [`Settings::retention`](crate::Settings::retention)
        Retention = "retention";
        /// [`Plan::min_event_retention`](crate::Plan::min_event_retention)
        MinEventRetention = "min_event_retention";
        /// [`Plan::max_event_retention`](crate::Plan::max_event_retention)
        MaxEventRetention = "max_event_retention";
        /// [`Settings::event_retention`](crate::Settings::event_retention)
        EventRetention = "event_retention";
    }
}

/// Returns a value as text, or `none`.
pub(super) fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
