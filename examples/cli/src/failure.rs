//! Failures: a code for programs, a message for people, and the exit code.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use keywright::store::{CursorError, StoreError, StoreErrorKind};
use keywright::{
    AccountError, BuildError, GenerateError, KeyError, KeyId, ListError, MetadataError, NameError,
    NewOwnerError, NoteError, PepperError, PolicyError, Requirement, RuleError, ScopeError,
    SetPolicyError, UserError, Violation,
};
use serde_json::json;

use crate::output::whole_chain;

/// The longest run of letters and digits that is shown: the length of an id. In a token the secret
/// follows the id without a gap, so even the start of a token, as errors quote it, has a longer
/// run.
const LONGEST_RUN: usize = KeyId::LEN;

/// A command that was refused, failed, or was not understood.
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    violation: Option<Violation>,
    exit: u8,
}

impl Failure {
    /// Creates a failure of the rules, the store or the system: exit code 1.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), violation: None, exit: 1 }
    }

    /// Creates a failure of usage, for arguments that cannot be understood: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: "usage", message: message.into(), violation: None, exit: 2 }
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Writes the message to standard error, and returns the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let message = without_tokens(&self.message);
        let mut stderr = std::io::stderr().lock();
        // If standard error cannot be written, the exit code still reports the failure.
        let _ = if json {
            let mut failure = json!({ "error": self.code, "message": message });
            if let Some(Violation { field, value, bound, .. }) = &self.violation {
                failure["field"] = json!(field);
                for (name, quantity) in [("value", value), ("bound", bound)] {
                    if let Some(quantity) = quantity {
                        failure[name] = json!(quantity);
                    }
                }
            }
            writeln!(stderr, "{failure}")
        } else {
            writeln!(stderr, "keywright: {message}")
        };
        self.exit.into()
    }
}

/// Prints the help that was requested, or an error in the arguments, and returns the exit code.
pub(crate) fn report_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A failure to print help is not worth a report.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let message = error.to_string();
    if std::env::args_os().any(|arg| arg == "--json") {
        let message = message.split("\n\n").next().unwrap_or_default();
        return Failure::usage(message.trim_start_matches("error: ")).report(true);
    }
    let _ = write!(std::io::stderr(), "{}", without_tokens(&message));
    ExitCode::from(2)
}

/// Creates the failure of a file or stream that cannot be read.
pub(crate) fn read_error(what: &str, error: &std::io::Error) -> Failure {
    Failure::refused("unreadable", format!("{what}: {}", whole_chain(error)))
}

/// Returns the text with tokens hidden, so that a token typed in the wrong place is not repeated.
fn without_tokens(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_other = |c: char| !c.is_ascii_alphanumeric();
        let run = rest.find(is_other).unwrap_or(rest.len());
        shown.push_str(if run > LONGEST_RUN { "(hidden)" } else { &rest[..run] });
        let gap = rest[run..].find(|c| !is_other(c)).unwrap_or(rest.len() - run);
        shown.push_str(&rest[run..run + gap]);
        rest = &rest[run + gap..];
    }
    shown
}

/// An error of the crate with a code for programs.
pub(crate) trait Coded: Error {
    /// Returns the code.
    fn code(&self) -> &'static str;

    /// Returns the limit that the command breaks, if the error is about one.
    fn violation(&self) -> Option<Violation> {
        None
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        let violation = error.violation();
        Self { violation, ..Self::refused(error.code(), whole_chain(&error)) }
    }
}

/// A cursor of another listing is an error in the arguments, not a refusal.
impl From<CursorError> for Failure {
    fn from(error: CursorError) -> Self {
        Self::usage(error.to_string())
    }
}

impl Coded for StoreError {
    fn code(&self) -> &'static str {
        match self.kind() {
            StoreErrorKind::Conflict => "conflict",
            StoreErrorKind::AlreadyExists => "already_exists",
            StoreErrorKind::LimitReached => "limit_reached",
            StoreErrorKind::Corrupt => "corrupt",
            StoreErrorKind::Unsupported => "unsupported",
            _ => "unavailable",
        }
    }
}

impl Coded for GenerateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing(missing) => match missing.iter().next() {
                Some(Requirement::License) => "upgrade_required",
                Some(Requirement::Switch) => "access_off",
                _ => "permission_denied",
            },
            Self::UserSuspended(_) => "user_suspended",
            Self::AccountNotFound(_) => "not_found",
            Self::AccountDisabled(_) => "account_disabled",
            Self::Rule(error) => error.code(),
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::Random(_) => "random_failed",
            Self::Contended(_) => "contended",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }

    fn violation(&self) -> Option<Violation> {
        self.violation()
    }
}

impl Coded for RuleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name(error) => error.code(),
            Self::ExpiryRequired => "expiry_required",
            Self::ExpiryPassed(_) => "expiry_passed",
            Self::ZeroLifetime => "zero_lifetime",
            Self::LifetimeOverflow(_) => "lifetime_overflow",
            Self::LifetimeTooLong { .. } => "lifetime_too_long",
            Self::NeverValid { .. } => "never_valid",
            Self::ScopeOutsideCeiling(_) => "scope_outside_ceiling",
            Self::NoScopeLeft => "no_scope_left",
            Self::RateAboveLimit { .. } => "rate_above_limit",
            Self::SetByAdministrator { .. } => "set_by_administrator",
            _ => "refused",
        }
    }
}

impl Coded for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::PermissionDenied(_) => "permission_denied",
            Self::NotFound(_) => "not_found",
            Self::WrongStatus(_) => "wrong_status",
            Self::OverlapTooLong { .. } => "overlap_too_long",
            Self::OverlapWhileDisabled { .. } => "overlap_while_disabled",
            Self::Rule(error) => error.code(),
            Self::NewOwner(error) => error.code(),
            Self::Stale { .. } => "stale",
            Self::Random(_) => "random_failed",
            Self::Contended(_) => "contended",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }

    fn violation(&self) -> Option<Violation> {
        self.violation()
    }
}

impl Coded for NewOwnerError {
    fn code(&self) -> &'static str {
        match self {
            Self::AccountNotFound(_) => "not_found",
            Self::AccountDisabled(_) => "account_disabled",
            Self::UserSuspended(_) => "user_suspended",
            Self::TooManyKeys { .. } => "too_many_keys",
            _ => "refused",
        }
    }
}

impl Coded for UserError {
    fn code(&self) -> &'static str {
        match self {
            Self::PermissionDenied(_) => "permission_denied",
            Self::Contended(_) => "contended",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }
}

impl Coded for AccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::PermissionDenied(_) => "permission_denied",
            Self::NotFound(_) => "not_found",
            Self::UnknownRole(_) => "unknown_role",
            Self::Stale { .. } => "stale",
            Self::Random(_) => "random_failed",
            Self::Contended(_) => "contended",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }

    fn violation(&self) -> Option<Violation> {
        self.violation()
    }
}

impl Coded for SetPolicyError {
    fn code(&self) -> &'static str {
        match self {
            Self::PermissionDenied(_) => "permission_denied",
            Self::Policy(PolicyError::BeyondPlan { .. }) => "beyond_plan",
            Self::Policy(_) => "policy_refused",
            Self::Stale { .. } => "stale",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }

    fn violation(&self) -> Option<Violation> {
        self.violation()
    }
}

impl Coded for ListError {
    fn code(&self) -> &'static str {
        match self {
            Self::PermissionDenied(_) => "permission_denied",
            Self::Limit(_) => "page_limit",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }
}

macro_rules! coded {
    ($($error:ty = $code:literal;)*) => {$(
        impl Coded for $error {
            fn code(&self) -> &'static str {
                $code
            }
        }
    )*};
}

coded! {
    MetadataError = "metadata_refused";
    NameError = "name_refused";
    NoteError = "note_refused";
    PepperError = "pepper_refused";
    ScopeError = "scope_refused";
    BuildError = "setup_refused";
}
