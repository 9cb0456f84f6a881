//! An open store, and the options that every command shares.

use crate::confirm::confirm;
use crate::failure::Failure;
use crate::output::Format;
use crate::target::Target;

pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) format: Format,
    pub(crate) yes: bool,
}

impl Session {
    /// Asks before a change that cannot be undone.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Failure> {
        confirm(self.yes, question)
    }
}
