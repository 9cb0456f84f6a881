//! How an answer looks: text for people, JSON for machines.

use std::error::Error;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use keywright::store::Cursor;
use keywright::{KeyId, Outcome, Timestamp};
use serde_json::Value;

use crate::failure::Failure;

/// What a command has to say.
#[derive(Default)]
pub(crate) struct Reply {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error, beside the text: what a person wants to know and a pipe does not.
    pub(crate) notes: Vec<String>,
    /// In place of text and notes under `--json`.
    pub(crate) json: Value,
    /// A part of the work was refused.
    pub(crate) failure: Option<Failure>,
    /// The key whose token is in the text: if that can't be written, the token is lost.
    pub(crate) token_of: Option<KeyId>,
}

impl Reply {
    /// A text and the same as JSON.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, ..Self::default() }
    }

    /// The same with a note.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with where to go on, if there is more.
    pub(crate) fn next_page(self, next: Option<Cursor>) -> Self {
        match next {
            Some(cursor) => self.note(format!("there is more: --after {cursor} (or --all)")),
            None => self,
        }
    }

    /// Writes it out.
    pub(crate) fn print(self, json: bool) -> ExitCode {
        let text = if json { self.json.to_string() } else { self.text };
        // A reader that has seen enough, such as `head`, is no failure. A lost token is.
        if let Err(error) = write_out(&text)
            && (error.kind() != ErrorKind::BrokenPipe || self.token_of.is_some())
        {
            let lost = self.token_of.map_or_else(String::new, |key| {
                format!("; the token of key {key} is lost: rotate it")
            });
            let cause = whole_chain(&error);
            let message = format!("standard output can't be written: {cause}{lost}");
            return Failure::refused("output_failed", message).report(json);
        }
        if !json {
            let mut stderr = std::io::stderr().lock();
            for note in &self.notes {
                // Nobody reads standard error, and the work is done.
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

/// An error with all that caused it, as `message: cause: cause of the cause`.
pub(crate) fn whole_chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

/// `done` or `unchanged`.
pub(crate) fn outcome_word<T>(outcome: &Outcome<T>) -> &'static str {
    if outcome.is_unchanged() { "unchanged" } else { "done" }
}

/// A time to the second, as ISO 8601.
pub(crate) fn to_second(time: Timestamp) -> String {
    let whole = Timestamp::from_unix_seconds(time.unix_micros() / 1_000_000);
    whole.unwrap_or(time).to_string()
}

/// A time to the minute, as ISO 8601.
pub(crate) fn to_minute(time: Timestamp) -> String {
    let text = to_second(time);
    text.get(..16).map_or(text.clone(), |minute| format!("{minute}Z"))
}

/// What there is, or a word for that there is none.
pub(crate) fn or_none(value: Option<impl Display>, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| value.to_string())
}

/// The items as words, or a word for that there is none.
pub(crate) fn words(items: impl IntoIterator<Item = impl Display>, none: &str) -> String {
    let words: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if words.is_empty() { none.to_owned() } else { words.join(" ") }
}
