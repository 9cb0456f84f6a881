//! Secrets that are read: from a terminal without echo, from standard input, or from a file.

use std::io::{IsTerminal, Read, stdin};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::{Failure, unreadable};

/// The most bytes to read; every token is shorter.
const LONGEST_INPUT: u16 = 4_096;

/// Reads the token to check: one line of a terminal, or a whole pipe without its last line break.
pub(crate) fn read_token() -> Result<Zeroizing<String>, Failure> {
    read_input("Token to check (it is not shown): ")
}

/// Reads the login for a service: from a file, where `-` is standard input, or from
/// `KEYWRIGHT_LOGIN`, or else from the terminal.
pub(crate) fn read_login(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let login = match file {
        Some(path) if path == Path::new("-") => read_input("Login of the service: ")?,
        Some(path) => {
            let what = || format!("cannot read the login in {}", path.display());
            let opened = std::fs::File::open(path).map_err(|error| unreadable(&what(), &error))?;
            read_all(opened).map_err(|error| unreadable(&what(), &error))?
        }
        None => match std::env::var("KEYWRIGHT_LOGIN") {
            Ok(login) => login.into(),
            Err(_) if stdin().is_terminal() => {
                read_input("Login of the service (it is not shown): ")?
            }
            Err(_) => {
                return Err(Failure::usage(
                    "the service needs a login: give --login-file FILE (- for standard input) or set \
                     KEYWRIGHT_LOGIN",
                ));
            }
        },
    };
    if login.is_empty() { Err(Failure::usage("the login is empty")) } else { Ok(login) }
}

fn read_input(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let read = if stdin().is_terminal() {
        rpassword::prompt_password(prompt).map(Zeroizing::new)
    } else {
        read_all(stdin().lock())
    };
    read.map_err(|error| unreadable("cannot read the secret", &error))
}

/// Reads a pipe or a file to its end, without the last line break.
fn read_all(input: impl Read) -> std::io::Result<Zeroizing<String>> {
    // At its full length from the start, so that no reallocation leaves a copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_INPUT.into()));
    input.take(LONGEST_INPUT.into()).read_to_end(&mut bytes)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Input that is not UTF-8 is denied as malformed, with or without the replaced characters.
    Ok(Zeroizing::new(String::from_utf8_lossy(line).into_owned()))
}
