//! This module defines the codes by which audit events store the reason of a refusal. The texts for
//! people are those of the errors.

use crate::value::text_enum::text_enum;

text_enum! {
    /// The reason why an operation was refused, with a text form such as `too_many_keys`.
    ///
    /// The text of a code never changes. The values that belong to a code, such as the limit of
    /// keys, are in the event's [`details`](crate::Event::details).
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
        /// The key is unknown in the tenant, or the actor cannot see it.
        KeyNotFound = "key_not_found";
        /// The service account is unknown in the tenant.
        AccountNotFound = "account_not_found";
        /// The service account that would own the key is disabled.
        AccountDisabled = "account_disabled";
        /// The user who owns the key, or would own it, is suspended.
        UserSuspended = "user_suspended";
        /// The owner holds as many live keys as the policy allows. Detail: `limit`.
        TooManyKeys = "too_many_keys";
        /// The form was sent before: a key or an account was created with its ticket.
        TicketUsed = "ticket_used";
        /// The key's status does not allow the operation. Detail: `status`.
        WrongStatus = "wrong_status";
        /// The record has changed since the caller read it. Details: `given_version`,
        /// `current_version`.
        Stale = "stale";
        /// The name is invalid or does not follow the policy's pattern.
        InvalidName = "invalid_name";
        /// The policy requires an expiry.
        ExpiryRequired = "expiry_required";
        /// The expiry is not in the future. Detail: `expires_at`.
        ExpiryPassed = "expiry_passed";
        /// A lifetime is zero. Detail for a lifetime in the policy: `field`.
        ZeroLifetime = "zero_lifetime";
        /// The lifetime ends after the year 9999, the last that a timestamp can hold.
        LifetimeOverflow = "lifetime_overflow";
        /// The lifetime is longer than the policy allows. Detail: `max_seconds`.
        LifetimeTooLong = "lifetime_too_long";
        /// The key would become valid at its expiry or later. Details: `not_before`, `expires_at`.
        NeverValid = "never_valid";
        /// Keys of the owner cannot have the scope. Detail: `scope`.
        ScopeOutsideCeiling = "scope_outside_ceiling";
        /// The rate is above the policy's default rate. Details: `rate`, `max_rate`.
        RateAboveLimit = "rate_above_limit";
        /// An administrator set the limit that the owner's edit would widen. Detail: `field`.
        SetByAdministrator = "set_by_administrator";
        /// The overlap is longer than the policy allows. Detail: `max_seconds`.
        OverlapTooLong = "overlap_too_long";
        /// The rotation of a disabled key has an overlap.
        OverlapWhileDisabled = "overlap_while_disabled";
        /// The tenant's plan does not define the role. Detail: `role`.
        UnknownRole = "unknown_role";
        /// A limit of keys is out of its bounds. Details: `field`, `given`.
        InvalidMaxKeys = "invalid_max_keys";
        /// The default lifetime is longer than the longest lifetime.
        DefaultAboveMax = "default_above_max";
        /// The retention of events is shorter than the minimum. Detail: `given`, in seconds.
        EventRetentionTooShort = "event_retention_too_short";
        /// A duration is not a whole number of seconds. Detail: `field`.
        NotWholeSeconds = "not_whole_seconds";
        /// The policy has too many roles. Detail: `given`.
        TooManyRoles = "too_many_roles";
        /// The plan has more scopes than possible.
        TooManyScopes = "too_many_scopes";
        /// A role or the default scopes name a scope that is not in the plan.
        UnknownScope = "unknown_scope";
        /// The new owner of a key can have none of its scopes.
        NoScopeLeft = "no_scope_left";
        /// The plan's shortest period of alerts is out of its bounds. Detail: `given`, in seconds.
        InvalidAlertPeriod = "invalid_alert_period";
        /// A setting is beyond the bound of the plan.
        BeyondPlan = "beyond_plan";
        /// The name pattern is invalid.
        InvalidNamePattern = "invalid_name_pattern";
        /// The random source drew a value that already exists.
        RandomSourceRepeats = "random_source_repeats";
        /// A request to the management API could not be read. Detail: `problem`.
        Malformed = "malformed";
        /// Several refused calls were counted instead of recorded individually. Details:
        /// `refusals`, `since`, `until`.
        Counted = "counted";
    }
    RefusalCodeError: "the code of a refusal";
}
