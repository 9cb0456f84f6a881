//! The exit codes of the program. The guide page `command_line` has the same table.

use std::process::ExitCode;

/// Defines the codes, each with its number and the meaning that the help and the man page show.
macro_rules! exits {
    ($($name:ident = $number:literal $text:literal;)*) => {
        /// The result of the program for its caller.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Exit {
            $($name = $number,)*
        }

        /// The table of the codes for `--help` and for the man page.
        pub(crate) const TABLE: &str = concat!("Exit codes:", $("\n  ", $number, "  ", $text),*);
    };
}

exits! {
    Done = 0 "done, or the API key is accepted";
    Refused = 1 "refused by a rule or a permission, the API key is not accepted, or a token was found";
    Usage = 2 "wrong usage: nothing was tried";
    NotFound = 3 "the key, account, user or store does not exist";
    Unavailable = 4 "the store or service cannot be used now; a change may have been made";
    Partly = 5 "some of several keys or tenants were refused; the others are done";
    Damaged = 6 "the store file is damaged";
    Unwritten = 7 "the result could not be written; a new token is lost";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
