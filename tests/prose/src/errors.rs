//! Texts of errors.

use crate::project::{Project, Rule, Violation};
use crate::sentences::split;
use crate::words;

/// Turns that a reader has to translate.
const TURNS: [&str; 4] = [" possible are ", " is none", " is no ", " are no "];

/// Checks each `#[error("...")]`.
pub(crate) fn check(project: &Project, found: &mut Vec<Violation>) {
    for (file, item) in &project.items {
        for (line, text) in &item.errors {
            if let Some(wrong) = wrong(text) {
                let text = format!("{wrong}: {text}");
                found.push(project.violation(*file, *line, Rule::ErrorText, text));
            }
        }
    }
}

fn wrong(text: &str) -> Option<String> {
    let first = text.split_whitespace().next().unwrap_or_default();
    let mut chars = first.chars();
    // `PostgreSQL`, `If-Match` and `DB_URL` are names.
    let is_name = chars.next().is_some_and(char::is_uppercase)
        && chars.any(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_');
    if first.starts_with(char::is_uppercase) && !is_name {
        return Some("does not begin in lower case".to_owned());
    }
    if text.ends_with(['.', '!']) {
        return Some("ends in a period".to_owned());
    }
    let padded = format!(" {text} ");
    if let Some(turn) = TURNS.iter().find(|turn| padded.contains(*turn)) {
        return Some(format!("has \"{}\"", turn.trim()));
    }
    for (_, sentence) in split(text) {
        if let Some(phrase) = words::banned(sentence) {
            return Some(format!("has \"{phrase}\""));
        }
    }
    None
}
