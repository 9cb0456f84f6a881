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
        /// The field [`Plan::api_access`](crate::Plan::api_access).
        ApiAccess = "api_access";
        /// The field [`Plan::scopes`](crate::Plan::scopes).
        Scopes = "scopes";
        /// The field [`Plan::default_scopes`](crate::Plan::default_scopes).
        DefaultScopes = "default_scopes";
        /// The field [`Plan::roles`](crate::Plan::roles).
        Roles = "roles";
        /// The field [`Plan::max_rate`](crate::Plan::max_rate).
        MaxRate = "max_rate";
        /// The fields [`Plan::max_keys_per_user`](crate::Plan::max_keys_per_user) and
        /// [`Settings::max_keys_per_user`](crate::Settings::max_keys_per_user).
        MaxKeysPerUser = "max_keys_per_user";
        /// The field [`Plan::max_keys_per_account`](crate::Plan::max_keys_per_account).
        MaxKeysPerAccount = "max_keys_per_account";
        /// The field [`Plan::max_keys_of_organization`](crate::Plan::max_keys_of_organization).
        MaxKeysOfOrganization = "max_keys_of_organization";
        /// The field [`Settings::api_enabled`](crate::Settings::api_enabled).
        ApiEnabled = "api_enabled";
        /// The fields [`Plan::require_expiry`](crate::Plan::require_expiry) and
        /// [`Settings::require_expiry`](crate::Settings::require_expiry).
        RequireExpiry = "require_expiry";
        /// The field [`Settings::default_lifetime`](crate::Settings::default_lifetime).
        DefaultLifetime = "default_lifetime";
        /// The fields [`Plan::max_lifetime`](crate::Plan::max_lifetime) and
        /// [`Settings::max_lifetime`](crate::Settings::max_lifetime).
        MaxLifetime = "max_lifetime";
        /// The fields [`Plan::max_overlap`](crate::Plan::max_overlap) and
        /// [`Settings::max_overlap`](crate::Settings::max_overlap).
        MaxOverlap = "max_overlap";
        /// The fields [`Plan::name_pattern`](crate::Plan::name_pattern) and
        /// [`Settings::name_pattern`](crate::Settings::name_pattern).
        NamePattern = "name_pattern";
        /// The field [`Settings::default_rate`](crate::Settings::default_rate).
        DefaultRate = "default_rate";
        /// The field [`Plan::min_alert_period`](crate::Plan::min_alert_period).
        MinAlertPeriod = "min_alert_period";
        /// The field [`Settings::extensive_use`](crate::Settings::extensive_use).
        ExtensiveUse = "extensive_use";
        /// The field [`Settings::suspicious_use`](crate::Settings::suspicious_use).
        SuspiciousUse = "suspicious_use";
        /// The field [`Plan::max_retention`](crate::Plan::max_retention).
        MaxRetention = "max_retention";
        /// The field [`Settings::retention`](crate::Settings::retention).
        Retention = "retention";
        /// The field [`Plan::min_event_retention`](crate::Plan::min_event_retention).
        MinEventRetention = "min_event_retention";
        /// The field [`Plan::max_event_retention`](crate::Plan::max_event_retention).
        MaxEventRetention = "max_event_retention";
        /// The field [`Settings::event_retention`](crate::Settings::event_retention).
        EventRetention = "event_retention";
    }
}

/// Returns a value as text, or `none`.
pub(super) fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
