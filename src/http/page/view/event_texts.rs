//! The texts of an audit event: its kind and its outcome.

use crate::http::page::texts::{Message, Text};
use crate::record::event::{Event, EventKind, EventOutcome, RefusalCode};
use crate::record::operation::Operation;

/// The operations that only read, which have no events but those of malformed requests.
const READS: [Operation; 5] = [
    Operation::KeyShow,
    Operation::AccountShow,
    Operation::PolicyShow,
    Operation::UserShow,
    Operation::EventsShow,
];

/// Returns every kind of event.
pub(in crate::http::page) fn kinds() -> impl Iterator<Item = EventKind> {
    let is_read = |kind: &EventKind| READS.iter().any(|read| EventKind::Operation(*read) == *kind);
    EventKind::all().filter(move |kind| !is_read(kind))
}

/// Returns the name of a kind of event.
pub(in crate::http::page) fn kind(kind: EventKind) -> Text {
    match kind {
        EventKind::Operation(operation) => operation_text(operation),
        EventKind::ExtensiveUse => Text::EVENT_EXTENSIVE_USE,
        EventKind::SuspiciousUse => Text::EVENT_SUSPICIOUS_USE,
        EventKind::Refusals => Text::EVENT_REFUSALS,
        EventKind::LeakReported => Text::EVENT_LEAK_REPORTED,
    }
}

fn operation_text(operation: Operation) -> Text {
    use Operation as O;
    match operation {
        O::KeyGenerate => Text::EVENT_KEY_GENERATED,
        O::KeyShow => Text::EVENT_KEY_SHOWN,
        O::KeyRename => Text::EVENT_KEY_RENAMED,
        O::KeyAnnotate => Text::EVENT_KEY_ANNOTATED,
        O::KeyEdit => Text::EVENT_KEY_EDITED,
        O::KeyDisable => Text::EVENT_KEY_DISABLED,
        O::KeyEnable => Text::EVENT_KEY_ENABLED,
        O::KeyRotate => Text::EVENT_KEY_WAS_ROTATED,
        O::KeyFinishRotation => Text::EVENT_KEY_FINISHED,
        O::KeyRevoke => Text::EVENT_KEY_REVOKED,
        O::KeyDelete => Text::EVENT_KEY_DELETED,
        O::KeyTransfer => Text::EVENT_KEY_TRANSFERRED,
        O::AccountCreate => Text::EVENT_ACCOUNT_CREATED,
        O::AccountShow => Text::EVENT_ACCOUNT_SHOWN,
        O::AccountEdit => Text::EVENT_ACCOUNT_EDITED,
        O::AccountDisable => Text::EVENT_ACCOUNT_DISABLED,
        O::AccountEnable => Text::EVENT_ACCOUNT_ENABLED,
        O::AccountDelete => Text::EVENT_ACCOUNT_DELETED,
        O::PolicyShow => Text::EVENT_POLICY_SHOWN,
        O::SettingsEdit => Text::EVENT_SETTINGS_EDITED,
        O::PlanSet => Text::EVENT_PLAN_SET,
        O::UserShow => Text::EVENT_USER_SHOWN,
        O::UserName => Text::EVENT_USER_NAMED,
        O::UserSuspend => Text::EVENT_USER_SUSPENDED,
        O::UserRestore => Text::EVENT_USER_RESTORED,
        O::EventsShow => Text::EVENT_EVENTS_SHOWN,
        O::Sweep => Text::EVENT_SWEPT,
    }
}

/// Returns the outcome of an event, with the reason of a refusal.
pub(in crate::http::page) fn outcome(event: &Event) -> Message {
    match (event.outcome, event.kind) {
        (EventOutcome::Done, EventKind::LeakReported) => Text::OUTCOME_KEY_REVOKED.into(),
        (EventOutcome::Unchanged, EventKind::LeakReported) => Text::OUTCOME_KEY_WORKS.into(),
        (EventOutcome::Done, _) => Text::OUTCOME_DONE.into(),
        (EventOutcome::Unchanged, _) => Text::OUTCOME_UNCHANGED.into(),
        (EventOutcome::Refused(code), _) => Text::OUTCOME_REFUSED.saying("reason", refusal(code)),
    }
}

/// Returns the reason of a refusal.
pub(super) fn refusal(code: RefusalCode) -> Text {
    use RefusalCode as R;
    match code {
        R::PermissionDenied => Text::REFUSED_PERMISSION_DENIED,
        R::UpgradeRequired => Text::REFUSED_UPGRADE_REQUIRED,
        R::AccessOff => Text::REFUSED_ACCESS_OFF,
        R::KeyNotFound => Text::REFUSED_KEY_NOT_FOUND,
        R::AccountNotFound => Text::REFUSED_ACCOUNT_NOT_FOUND,
        R::AccountDisabled => Text::REFUSED_ACCOUNT_DISABLED,
        R::UserSuspended => Text::REFUSED_USER_SUSPENDED,
        R::TooManyKeys => Text::REFUSED_TOO_MANY_KEYS,
        R::TicketUsed => Text::REFUSED_TICKET_USED,
        R::WrongStatus => Text::REFUSED_WRONG_STATUS,
        R::Stale => Text::REFUSED_STALE,
        R::InvalidName => Text::REFUSED_INVALID_NAME,
        R::ExpiryRequired => Text::REFUSED_EXPIRY_REQUIRED,
        R::ExpiryPassed => Text::REFUSED_EXPIRY_PASSED,
        R::ZeroLifetime => Text::REFUSED_ZERO_LIFETIME,
        R::LifetimeOverflow => Text::REFUSED_LIFETIME_OVERFLOW,
        R::LifetimeTooLong => Text::REFUSED_LIFETIME_TOO_LONG,
        R::NeverValid => Text::REFUSED_NEVER_VALID,
        R::ScopeOutsideCeiling => Text::REFUSED_SCOPE_OUTSIDE_CEILING,
        R::RateAboveLimit => Text::REFUSED_RATE_ABOVE_LIMIT,
        R::SetByAdministrator => Text::REFUSED_SET_BY_ADMINISTRATOR,
        R::OverlapTooLong => Text::REFUSED_OVERLAP_TOO_LONG,
        R::OverlapWhileDisabled => Text::REFUSED_OVERLAP_WHILE_DISABLED,
        R::UnknownRole => Text::REFUSED_UNKNOWN_ROLE,
        R::InvalidMaxKeys => Text::REFUSED_INVALID_MAX_KEYS,
        R::DefaultAboveMax => Text::REFUSED_DEFAULT_ABOVE_MAX,
        R::EventRetentionTooShort => Text::REFUSED_EVENT_RETENTION_TOO_SHORT,
        R::NotWholeSeconds => Text::REFUSED_NOT_WHOLE_SECONDS,
        R::TooManyRoles => Text::REFUSED_TOO_MANY_ROLES,
        R::TooManyScopes => Text::REFUSED_TOO_MANY_SCOPES,
        R::UnknownScope => Text::REFUSED_UNKNOWN_SCOPE,
        R::NoScopeLeft => Text::REFUSED_NO_SCOPE_LEFT,
        R::InvalidAlertPeriod => Text::REFUSED_INVALID_ALERT_PERIOD,
        R::BeyondPlan => Text::REFUSED_BEYOND_PLAN,
        R::InvalidNamePattern => Text::REFUSED_INVALID_NAME_PATTERN,
        R::RandomSourceRepeats => Text::REFUSED_RANDOM_SOURCE_REPEATS,
        R::Malformed => Text::REFUSED_MALFORMED,
        R::Counted => Text::REFUSED_COUNTED,
    }
}
