//! Help, and errors in the arguments.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use crate::exit::Exit;
use crate::failure::{Failure, without_tokens};

/// Prints the help that was requested, or an error in the arguments, and returns the exit code.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A failure to print help is not worth a report.
        let _ = error.print();
        return Exit::Done.into();
    }
    let message = error.to_string();
    if asks_for_json(std::env::args_os()) {
        let message = message.split("\n\n").next().unwrap_or_default();
        return Failure::usage(message.trim_start_matches("error: ")).report(true);
    }
    let _ = write!(std::io::stderr(), "{}", without_tokens(&message));
    Exit::Usage.into()
}

/// Returns whether the arguments ask for JSON, also if they are wrong otherwise.
pub(crate) fn asks_for_json(args: impl Iterator<Item = OsString>) -> bool {
    let args: Vec<_> = args.collect();
    let together = ["--output=json", "-ojson", "-o=json"];
    let apart = |pair: &[OsString]| (pair[0] == "--output" || pair[0] == "-o") && pair[1] == "json";
    args.iter().any(|arg| together.iter().any(|text| arg == text)) || args.windows(2).any(apart)
}
