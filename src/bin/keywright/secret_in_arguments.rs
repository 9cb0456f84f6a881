//! The refusal of API keys among the arguments.

use std::ffi::OsString;

use crate::failure::Failure;

/// The number of characters of an id, a secret and a checksum, which end a token.
const AFTER_PREFIX: usize = 54;
/// The number of characters of a secret and its checksum.
const KEY_SECRET: usize = 38;
const ID: usize = 16;

/// Refuses arguments with a token or the secret of one.
///
/// # Errors
/// A failure that names the place of the argument, and the id of the key, but no part of the secret.
pub(crate) fn refuse(args: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    for (place, arg) in args.enumerate().skip(1) {
        let arg = arg.to_string_lossy();
        let Some(found) = found(&arg) else { continue };
        let rotate = match found {
            Found::Token(id) => format!("`keywright key rotate {id}`"),
            Found::Secret => "`keywright key rotate ID`".to_owned(),
        };
        return Err(Failure::usage(format!(
            "argument {place} looks like an API key: every user of this machine can read arguments, and \
             the shell keeps them; give a token on standard input, and replace this one with {rotate}"
        )));
    }
    Ok(())
}

enum Found<'a> {
    /// A token of the key with this id.
    Token(&'a str),
    Secret,
}

fn found(arg: &str) -> Option<Found<'_>> {
    let is_alphanumeric = |c: char| c.is_ascii_alphanumeric();
    if arg.len() == KEY_SECRET && arg.chars().all(is_alphanumeric) {
        return Some(Found::Secret);
    }
    let mut before = "";
    for run in arg.split_inclusive(|c| !is_alphanumeric(c)) {
        let word = run.trim_end_matches(|c| !is_alphanumeric(c));
        if before.ends_with('_') && word.len() == AFTER_PREFIX {
            return word.get(..ID).map(Found::Token);
        }
        before = run;
    }
    None
}
