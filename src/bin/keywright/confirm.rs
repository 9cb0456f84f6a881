//! The question before a change that cannot be undone.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use crate::exit::Exit;
use crate::failure::{Failure, unreadable};

/// Asks on a terminal whether to go on. Without one, `--yes` must have answered.
///
/// # Errors
/// A failure if the answer is not `y` or `yes`, or if there is no terminal to ask on.
pub(crate) fn confirm(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !stdin().is_terminal() || !stderr().is_terminal() {
        let message = format!("{question}: add --yes to do this without a question");
        return Err(Failure::new(Exit::Usage, "not_confirmed", message));
    }
    let mut output = stderr().lock();
    let asked = write!(output, "{question}? [y/N] ").and_then(|()| output.flush());
    asked.map_err(|error| unreadable("cannot ask", &error))?;
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    read.map_err(|error| unreadable("cannot read the answer", &error))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::refused("not_confirmed", "nothing was changed")),
    }
}
