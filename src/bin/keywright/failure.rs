//! Failures: a code for programs, a message for people, and the exit code.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use keywright::KeyId;
use keywright::store::{StoreError, StoreErrorKind, TransferError};
use serde_json::{Value, json};

use crate::exit::Exit;

/// The longest run of letters and digits that is shown: the length of an id. In a token the secret
/// follows the id without a gap, so even the start of a token, as errors quote it, has a longer
/// run.
const LONGEST_RUN: usize = KeyId::LEN;

/// A command that was refused, failed, or was not understood.
#[derive(Debug)]
pub(crate) struct Failure {
    code: String,
    message: String,
    /// The members `field`, `value`, `bound` and `missing` of a problem.
    about: Vec<(&'static str, Value)>,
    exit: Exit,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), about: Vec::new(), exit }
    }

    /// Creates a failure of the rules.
    pub(crate) fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, code, message)
    }

    /// Creates a failure of usage, for arguments that cannot be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Creates a failure of a store or a service that cannot be used now.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, "unavailable", message)
    }

    /// Creates the failure of a command that this kind of store does not support.
    pub(crate) fn unsupported(command: &str, store: &str, supported: &str) -> Self {
        let message = format!("{command} does not work on {store}; it works on {supported}");
        Self::new(Exit::Usage, "unsupported_here", message)
    }

    /// Creates the failure of a problem of the management API.
    pub(crate) fn of_problem(problem: &Value) -> Self {
        let text = |name: &str| problem[name].as_str().unwrap_or("unknown").to_owned();
        let code = text("code");
        let exit = match problem["status"].as_u64() {
            Some(400 | 413 | 415) => Exit::Usage,
            Some(422) if code == "invalid_body" => Exit::Usage,
            Some(404) => Exit::NotFound,
            Some(500..) => Exit::Unavailable,
            _ => Exit::Refused,
        };
        let member = |name| Some((name, problem.get(name)?.clone()));
        let about = ["field", "value", "bound", "missing"].into_iter().filter_map(member);
        Self { about: about.collect(), ..Self::new(exit, code, text("detail")) }
    }

    /// Adds the cause to the message, if there is one.
    pub(crate) fn because(mut self, cause: Option<&str>) -> Self {
        if let Some(cause) = cause {
            self.message = format!("{}: {cause}", self.message);
        }
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Writes the message to standard error, and returns the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let message = without_tokens(&self.message);
        let mut stderr = io::stderr().lock();
        // If standard error cannot be written, the exit code still reports the failure.
        let _ = if json {
            let mut failure = json!({ "error": self.code, "message": message });
            for (name, value) in &self.about {
                failure[*name] = value.clone();
            }
            writeln!(stderr, "{failure}")
        } else {
            writeln!(stderr, "keywright: {}", message.replace(char::is_control, " "))
        };
        self.exit.into()
    }
}

/// Creates the failure of a file or stream that cannot be read.
pub(crate) fn unreadable(what: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::Unavailable, "unreadable", format!("{what}: {}", whole_chain(error)))
}

/// Returns the text with tokens hidden, so that a token typed in the wrong place is not repeated.
pub(crate) fn without_tokens(text: &str) -> String {
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

/// Returns an error with its causes, as `message: cause: cause of the cause`. The cause of an
/// error that repeats it in its own text is left out.
pub(crate) fn whole_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (exit, code) = match error.kind() {
            StoreErrorKind::Corrupt => (Exit::Damaged, "corrupt"),
            StoreErrorKind::Unsupported => (Exit::Unavailable, "unsupported"),
            _ => (Exit::Unavailable, "unavailable"),
        };
        Self::new(exit, code, whole_chain(&error))
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let code = match error {
            TransferError::InUse => "in_use",
            TransferError::Running => "running",
            TransferError::Different(_) => "different",
            TransferError::Store(error) => return error.into(),
            _ => "refused",
        };
        Self::refused(code, whole_chain(&error))
    }
}

/// Defines the failures of errors that the store takes no part in.
macro_rules! refusals {
    ($($error:ty = $code:literal;)*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::refused($code, whole_chain(&error))
            }
        }
    )*};
}

refusals! {
    keywright::PepperError = "pepper_refused";
    keywright::ScopeError = "scope_refused";
    keywright::BuildError = "setup_refused";
}

impl From<keywright::MetadataError> for Failure {
    fn from(error: keywright::MetadataError) -> Self {
        Self::usage(whole_chain(&error))
    }
}

impl From<keywright::ListError> for Failure {
    fn from(error: keywright::ListError) -> Self {
        match error {
            keywright::ListError::Store(error) => error.into(),
            keywright::ListError::PermissionDenied(error) => {
                Self::refused("permission_denied", whole_chain(&error))
            }
            error => Self::refused("refused", whole_chain(&error)),
        }
    }
}
