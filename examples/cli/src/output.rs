//! Output: text for people, JSON for programs.

use std::error::Error;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use keywright::store::Cursor;
use keywright::{Access, KeyId, NamePattern, Outcome, Timestamp};
use serde_json::Value;

use crate::failure::Failure;
use crate::tables::fields;

/// The result of a command.
#[derive(Default)]
pub(crate) struct Reply {
    /// The text for standard output.
    pub(crate) text: String,
    /// Notes for standard error: they are for people, not for the next program of a pipe.
    pub(crate) notes: Vec<String>,
    /// The result under `--json`, instead of the text and the notes.
    pub(crate) json: Value,
    /// The failure of a part of the work.
    pub(crate) failure: Option<Failure>,
    /// The key whose token is in the text. If the text cannot be written, that token is lost.
    pub(crate) token_of: Option<KeyId>,
}

impl Reply {
    /// Creates a reply from a text and its equivalent as JSON.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, ..Self::default() }
    }

    /// Adds a note.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a note with the cursor of the next page, if there is one.
    pub(crate) fn next_page(self, next: Option<Cursor>) -> Self {
        match next {
            Some(cursor) => self
                .note(format!("for the next page, add --after {cursor} (or --all for all pages)")),
            None => self,
        }
    }

    /// Writes the reply to standard output and standard error, and returns the exit code.
    pub(crate) fn print(self, json: bool) -> ExitCode {
        let text = if json { self.json.to_string() } else { self.text };
        // A reader that closes the pipe early, such as `head`, is not a failure. A lost token is.
        if let Err(error) = write_out(&text)
            && (error.kind() != ErrorKind::BrokenPipe || self.token_of.is_some())
        {
            let lost = self.token_of.map_or_else(String::new, |key| {
                format!("; the token of key {key} is lost, rotate the key")
            });
            let cause = whole_chain(&error);
            let message = format!("cannot write to standard output: {cause}{lost}");
            return Failure::refused("output_failed", message).report(json);
        }
        if !json {
            let mut stderr = std::io::stderr().lock();
            for note in &self.notes {
                // The work is done, so a closed standard error is not a failure.
                let _ = writeln!(stderr, "{note}");
            }
        }
        self.failure.map_or(ExitCode::SUCCESS, |failure| failure.report(json))
    }
}

fn write_out(text: &str) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Returns an error with its causes, as `message: cause: cause of the cause`.
pub(crate) fn whole_chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

/// Returns `done` or `unchanged`.
pub(crate) fn outcome_word<T>(outcome: &Outcome<T>) -> &'static str {
    if outcome.is_unchanged() { "unchanged" } else { "done" }
}

/// Converts a time to ISO 8601, to the second.
pub(crate) fn to_second(time: Timestamp) -> String {
    let whole = Timestamp::from_unix_seconds(time.unix_micros() / 1_000_000);
    whole.unwrap_or(time).to_string()
}

/// Converts a time to ISO 8601, to the minute.
pub(crate) fn to_minute(time: Timestamp) -> String {
    let text = to_second(time);
    text.get(..16).map_or(text.clone(), |minute| format!("{minute}Z"))
}

/// Converts a value to text, or returns `none` if it is absent.
pub(crate) fn or_none(value: Option<impl Display>, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| value.to_string())
}

/// Returns the environments of a name pattern, or `any`.
pub(crate) fn in_words(pattern: &NamePattern) -> String {
    match &*pattern.environments {
        [] => "any".to_owned(),
        environments => environments.join(","),
    }
}

/// Returns `on` or `off`.
pub(crate) fn switch(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

/// Returns the rows that differ from those before, and as `removed` those that are gone.
pub(crate) fn changed_rows(
    before: &[(&'static str, String)],
    after: &[(&'static str, String)],
) -> String {
    // Rows of one name are those of roles and descriptions, of which the part before `=` is the key.
    let key = |(name, value): &(&'static str, String)| {
        let part = value.split_once('=').map(|(part, _)| part.to_owned());
        (*name, part.unwrap_or_default())
    };
    let mut rows: Vec<_> = after.iter().filter(|row| !before.contains(row)).cloned().collect();
    let is_gone = |row: &&(&'static str, String)| {
        row.1.contains('=') && !after.iter().any(|other| key(other) == key(row))
    };
    let gone = before.iter().filter(is_gone);
    rows.extend(gone.map(|row| ("removed", format!("{} {}", row.0, key(row).1))));
    fields(&rows)
}

/// Joins items with spaces, or returns `none` if there are none.
pub(crate) fn words(items: impl IntoIterator<Item = impl Display>, none: &str) -> String {
    let words: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if words.is_empty() { none.to_owned() } else { words.join(" ") }
}

/// Returns the word for an access.
pub(crate) fn access(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "read-only",
        Access::ReadWrite => "read-write",
    }
}
