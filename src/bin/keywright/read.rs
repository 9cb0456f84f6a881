//! Reading the answers of the management API as text.

use serde_json::Value;

use crate::output::words;
use crate::values::Period;

/// The members of a JSON answer, as text.
pub(crate) trait Read {
    /// Returns the value at a JSON pointer as text, or `none` if it is absent, null or empty.
    fn text(&self, pointer: &str, none: &str) -> String;

    /// Returns the time at a JSON pointer to the second, or `none`.
    fn time(&self, pointer: &str, none: &str) -> String;

    /// Returns the items of the list at a JSON pointer.
    fn list(&self, pointer: &str) -> &[Value];

    /// Returns whether the value at a JSON pointer is `true`.
    fn is(&self, pointer: &str) -> bool;
}

impl Read for Value {
    fn text(&self, pointer: &str, none: &str) -> String {
        self.pointer(pointer).map_or_else(|| none.to_owned(), |value| as_text(value, none))
    }

    fn time(&self, pointer: &str, none: &str) -> String {
        let text = self.text(pointer, none);
        match text.split_once('.') {
            Some((second, _)) => format!("{second}Z"),
            None => text,
        }
    }

    fn list(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn is(&self, pointer: &str) -> bool {
        self.pointer(pointer) == Some(&Value::Bool(true))
    }
}

/// Returns a value as text: a list as words, and an object as `KEY=VALUE` lines.
pub(crate) fn as_text(value: &Value, none: &str) -> String {
    match value {
        Value::Null => none.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => words(items.iter().map(|item| as_text(item, none)), none),
        Value::Object(members) if members.is_empty() => none.to_owned(),
        Value::Object(members) => {
            let line = |(name, value)| format!("{name}={}", as_text(value, none));
            members.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
    }
}

/// Returns a number of seconds as a period such as `90d`.
pub(crate) fn period(value: &Value, none: &str) -> String {
    let seconds = value.as_u64().map(std::time::Duration::from_secs);
    seconds.map_or_else(|| none.to_owned(), |time| Period(time).to_string())
}

/// Returns the environments of a name pattern, or `any`.
pub(crate) fn pattern(value: &Value, none: &str) -> String {
    match value.get("environments") {
        None => none.to_owned(),
        Some(_) if value.list("/environments").is_empty() => "any".to_owned(),
        Some(_) => {
            let names = value.list("/environments").iter().map(|name| as_text(name, none));
            names.collect::<Vec<_>>().join(",")
        }
    }
}

/// Makes rows of names and values.
pub(crate) fn rows<const N: usize>(rows: [(&str, String); N]) -> Vec<(String, String)> {
    rows.map(|(name, value)| (name.to_owned(), value)).to_vec()
}
