//! The fields of a form or a query, and the faults in them.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::texts::Message;

/// The fields of a form or a query, in their order. A name can repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Parses `application/x-www-form-urlencoded` text.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Returns the first value of a field, without white space around it, or an empty text.
    pub(super) fn value(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Returns the value of a field that is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.value(name)).filter(|value| !value.is_empty())
    }

    /// Returns every value of a field.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// Returns true if the form has a field, even a blank one.
    pub(super) fn is_sent(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Returns true if a check box is checked, or a radio button chosen.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|found| found == value)
    }

    /// Adds a value to a field.
    #[expect(clippy::needless_pass_by_value, reason = "callers pass values and references alike")]
    pub(super) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// Replaces all values of a field by one.
    pub(super) fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.0.retain(|(key, _)| key != name);
        self.with(name, value)
    }

    /// Keeps the fields whose names pass a test.
    pub(super) fn only(mut self, is_kept: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|(name, _)| is_kept(name));
        self
    }

    /// Returns the names of the fields, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.0 {
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        names
    }

    /// Returns the fields as the text of a query.
    pub(super) fn to_query(&self) -> String {
        let given = self.0.iter().filter(|(_, value)| !value.is_empty());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
    }
}

/// A fault in a form: the field, and the message beside it.
#[derive(Debug)]
pub(super) struct Fault {
    /// The name of the field; empty if the fault is not about one field.
    pub(super) field: Cow<'static, str>,
    /// A box keeps the error of a parsed field small.
    pub(super) message: Box<Message>,
    /// A link that helps, such as the one to confirm the login.
    pub(super) link: Option<String>,
    /// True if the form has the field, so that the summary can link to it.
    pub(super) is_shown: AtomicBool,
}

impl Fault {
    pub(super) fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Message>) -> Self {
        let (field, message) = (field.into(), Box::new(message.into()));
        Self { field, message, link: None, is_shown: AtomicBool::new(false) }
    }

    /// Notes that the fault is shown beside its field.
    pub(super) fn show(&self) {
        self.is_shown.store(true, Ordering::Relaxed);
    }

    /// Returns true if the fault is shown beside its field too.
    pub(super) fn is_shown(&self) -> bool {
        self.is_shown.load(Ordering::Relaxed)
    }
}

/// The faults of a form, in the order of its fields.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Returns the first fault of a field.
    pub(super) fn of(&self, field: &str) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.field == field)
    }

    /// Returns the value of a field, or notes its fault.
    pub(super) fn take<T>(&mut self, parsed: Result<T, Fault>) -> Option<T> {
        parsed.map_err(|fault| self.add(fault)).ok()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
