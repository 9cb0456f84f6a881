//! Why an operation was refused, as a code that is stored. The words for people are the errors'.

use crate::value::text_enum::text_enum;

text_enum! {
    /// Why an operation was refused. Prints as in events: `too_many_keys`.
    ///
    /// A code keeps its text for good. The values that belong to it, such as the limit of keys,
    /// are in the event's [`details`](crate::Event::details).
    ///
    /// ```
    /// use keywright::RefusalCode;
    ///
    /// let code: RefusalCode = "too_many_keys".parse()?;
    /// assert_eq!(code, RefusalCode::TooManyKeys);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub enum RefusalCode {
        /// The actor has no permission for the operation.
        PermissionDenied = "permission_denied";
        /// The tenant's plan does not include API access.
        UpgradeRequired = "upgrade_required";
        /// API access is off in the tenant.
        AccessOff = "access_off";
        /// The tenant has no such key that the actor can see.
        KeyNotFound = "key_not_found";
        /// The tenant has no such service account.
        AccountNotFound = "account_not_found";
        /// The service account that is to own the key is disabled.
        AccountDisabled = "account_disabled";
        /// The owner has as many live keys as the policy allows. Detail: `limit`.
        TooManyKeys = "too_many_keys";
        /// The key's status does not allow the operation. Detail: `status`.
        WrongStatus = "wrong_status";
        /// The record has changed since it was read. Details: `given_version`, `current_version`.
        Stale = "stale";
        /// The name is not possible or does not follow the policy's pattern.
        InvalidName = "invalid_name";
        /// The policy requires an expiry.
        ExpiryRequired = "expiry_required";
        /// The expiry has passed already. Detail: `expires_at`.
        ExpiryPassed = "expiry_passed";
        /// A lifetime is zero. Detail, of a policy: `field`.
        ZeroLifetime = "zero_lifetime";
        /// The lifetime ends after the last time that can be written.
        LifetimeOverflow = "lifetime_overflow";
        /// The lifetime is longer than the policy allows. Detail: `max_seconds`.
        LifetimeTooLong = "lifetime_too_long";
        /// The key would expire before it begins to work. Details: `not_before`, `expires_at`.
        NeverValid = "never_valid";
        /// A scope is outside the ceiling of the owner's keys. Detail: `scope`.
        ScopeOutsideCeiling = "scope_outside_ceiling";
        /// The rate is above the policy's default rate. Details: `rate`, `max_rate`.
        RateAboveLimit = "rate_above_limit";
        /// An administrator set the limit that the owner's edit would widen. Detail: `field`.
        SetByAdministrator = "set_by_administrator";
        /// The overlap is longer than the policy allows. Detail: `max_seconds`.
        OverlapTooLong = "overlap_too_long";
        /// The tenant's policy has no such role. Detail: `role`.
        UnknownRole = "unknown_role";
        /// The limit of keys for each owner is out of its range. Detail: `given`.
        InvalidMaxKeys = "invalid_max_keys";
        /// The default lifetime is longer than the longest lifetime.
        DefaultAboveMax = "default_above_max";
        /// The retention of events is shorter than the shortest one. Detail: `given`, in seconds.
        EventRetentionTooShort = "event_retention_too_short";
        /// A duration is not a whole number of seconds. Detail: `field`.
        NotWholeSeconds = "not_whole_seconds";
        /// The policy has too many roles. Detail: `given`.
        TooManyRoles = "too_many_roles";
        /// The name pattern is not possible.
        InvalidNamePattern = "invalid_name_pattern";
        /// The random source has given the same number twice.
        RandomSourceRepeats = "random_source_repeats";
        /// A request to the management API could not be read. Detail: `problem`.
        Malformed = "malformed";
        /// Refused calls that were counted and not recorded each by itself. Details: `refusals`,
        /// `since`, `until`.
        Counted = "counted";
    }
    RefusalCodeError: "the code of a refusal";
}
