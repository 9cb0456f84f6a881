//! The texts of the page, in English and German, which the host can replace one by one.

mod accounts;
mod errors;
mod events;
mod keys;
mod lists;
mod settings;
mod tenant;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A text of the page.
///
/// Each constant shows its text in English. A text can have placeholders such as `{name}`, which the
/// page fills. `{product}` is known in each text. A text with a number has one form for each
/// grammatical number, with a bar between: `1 key|{count} keys`.
///
/// ```
/// use keywright::http::page::{Text, Texts};
///
/// assert_eq!(Texts::english().text(Text::REVOKE), "Revoke");
/// assert!(Text::all().count() > 200);
/// ```
#[derive(Clone, Copy)]
pub struct Text(&'static Entry);

struct Entry {
    name: &'static str,
    english: &'static str,
    german: &'static str,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares texts: the name of each, its English and its German form.
macro_rules! texts {
    ($($name:ident: $english:literal, $german:literal;)+) => {
        impl Text {
            $(
                #[doc = concat!("The text \"", $english, "\".")]
                pub const $name: Self = Self(&Entry {
                    name: stringify!($name),
                    english: $english,
                    german: $german,
                });
            )+
        }

        /// The texts of this file.
        pub(super) const TEXTS: &[Text] = &[$(Text::$name,)+];
    };
}

use texts;

impl Text {
    /// Returns every text, for a host that translates them all.
    ///
    /// ```
    /// use keywright::http::page::{Text, Texts};
    ///
    /// let marked = Text::all().fold(Texts::english(), |texts, text| {
    ///     let value = format!("[{}]", texts.text(text));
    ///     texts.with(text, value)
    /// });
    /// assert_eq!(marked.text(Text::REVOKE), "[Revoke]");
    /// ```
    pub fn all() -> impl Iterator<Item = Self> {
        let lists = [lists::TEXTS, keys::TEXTS, accounts::TEXTS, tenant::TEXTS];
        let others = [settings::TEXTS, events::TEXTS, errors::TEXTS];
        let own = lists.into_iter().chain(others);
        own.flatten().copied()
    }

    /// Returns the name of the text, such as `REVOKE`.
    ///
    /// ```
    /// assert_eq!(keywright::http::page::Text::REVOKE.name(), "REVOKE");
    /// ```
    pub fn name(self) -> &'static str {
        self.0.name
    }
}

/// All texts of the page, in one language.
///
/// ```
/// use keywright::http::page::{Text, Texts};
///
/// let texts = Texts::english().with(Text::OWN_KEYS, "My keys");
/// assert_eq!(texts.language(), "en");
/// assert_eq!(texts.text(Text::OWN_KEYS), "My keys");
/// assert_eq!(Texts::german().text(Text::REVOKE), "Widerrufen");
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct Texts {
    language: Cow<'static, str>,
    /// Returns the text of the language that the crate has.
    own: fn(&Entry) -> &'static str,
    /// The texts of the host, by name.
    replaced: Arc<HashMap<&'static str, Cow<'static, str>>>,
    /// Returns the index of the form for a number.
    form: fn(u64) -> usize,
}

/// Returns the form of a number in English, German and many other languages.
fn one_or_other(number: u64) -> usize {
    usize::from(number != 1)
}

impl Texts {
    /// Returns the English texts.
    ///
    /// ```
    /// use keywright::http::page::{Text, Texts};
    ///
    /// assert_eq!(Texts::english().text(Text::ROTATE), "Rotate");
    /// ```
    pub fn english() -> Self {
        Self::of("en", |entry| entry.english)
    }

    /// Returns the German texts.
    ///
    /// ```
    /// use keywright::http::page::Texts;
    ///
    /// assert_eq!(Texts::german().language(), "de");
    /// ```
    pub fn german() -> Self {
        Self::of("de", |entry| entry.german)
    }

    fn of(language: &'static str, own: fn(&Entry) -> &'static str) -> Self {
        let replaced = Arc::default();
        Self { language: language.into(), own, replaced, form: one_or_other }
    }

    /// Replaces one text.
    ///
    /// ```
    /// use keywright::http::page::{Text, Texts};
    ///
    /// let texts = Texts::english().with(Text::NEW_KEY, "Add more");
    /// assert_eq!(texts.text(Text::NEW_KEY), "Add more");
    /// ```
    pub fn with(mut self, text: Text, value: impl Into<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.replaced).insert(text.name(), value.into());
        self
    }

    /// Names the language, for the attribute `lang` of the document, and the rule of its plurals:
    /// the index of the form for a number.
    ///
    /// Texts that are not replaced stay as they are.
    ///
    /// ```
    /// use keywright::http::page::Texts;
    ///
    /// // Czech has three forms: 1, 2 to 4, and the rest.
    /// let czech = Texts::english().in_language("cs", |number| match number {
    ///     1 => 0,
    ///     2..=4 => 1,
    ///     _ => 2,
    /// });
    /// assert_eq!(czech.language(), "cs");
    /// ```
    pub fn in_language(
        self,
        language: impl Into<Cow<'static, str>>,
        form: fn(u64) -> usize,
    ) -> Self {
        Self { language: language.into(), form, ..self }
    }

    /// Returns the language, such as `en`.
    ///
    /// ```
    /// assert_eq!(keywright::http::page::Texts::english().language(), "en");
    /// ```
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Returns one text, with its placeholders.
    ///
    /// ```
    /// use keywright::http::page::{Text, Texts};
    ///
    /// assert_eq!(Texts::english().text(Text::KEYS_OF_MAX), "{live} of {max} keys used");
    /// ```
    pub fn text(&self, text: Text) -> &str {
        match self.replaced.get(text.name()) {
            Some(replaced) => replaced,
            None => (self.own)(text.0),
        }
    }

    /// Fills the placeholders of a message.
    pub(super) fn fill(&self, message: &Message) -> String {
        let text = self.text(message.text);
        let mut values = message.values.clone();
        values.extend(message.messages.iter().map(|(name, inner)| (*name, self.fill(inner))));
        let Some(count) = message.count else { return fill(text, &values) };
        let forms: Vec<&str> = text.split('|').collect();
        let form = forms.get((self.form)(count)).or(forms.last()).copied().unwrap_or_default();
        values.push(("count", count.to_string()));
        fill(form, &values)
    }
}

/// Replaces placeholders in one pass, so that a value with braces is not filled again.
fn fill(text: &str, values: &[(&'static str, String)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, behind))
        });
        rest = if let Some((value, behind)) = value {
            filled.push_str(value);
            behind
        } else {
            filled.push('{');
            after
        };
    }
    filled + rest
}

/// A text with the values of its placeholders.
#[derive(Clone, Debug)]
pub(super) struct Message {
    text: Text,
    values: Vec<(&'static str, String)>,
    /// The placeholders whose values are texts themselves.
    messages: Vec<(&'static str, Message)>,
    count: Option<u64>,
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self { text, values: Vec::new(), messages: Vec::new(), count: None }
    }
}

impl Text {
    /// Returns a message with the value of a placeholder.
    pub(super) fn with(self, name: &'static str, value: impl ToString) -> Message {
        Message::from(self).with(name, value)
    }

    /// Returns a message with the value of a placeholder that is a text itself.
    pub(super) fn saying(self, name: &'static str, value: impl Into<Message>) -> Message {
        Message::from(self).saying(name, value)
    }

    /// Returns a message in the form for a number.
    pub(super) fn count(self, count: u64) -> Message {
        Message { count: Some(count), ..self.into() }
    }
}

impl Message {
    /// Adds the value of a placeholder.
    #[expect(clippy::needless_pass_by_value, reason = "callers pass values and references alike")]
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// Adds the value of a placeholder that is a text itself.
    pub(super) fn saying(mut self, name: &'static str, value: impl Into<Self>) -> Self {
        self.messages.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        let values = [("name", "{limit}".to_owned()), ("limit", "3".to_owned())];
        assert_eq!(fill("{name} has {limit} of {all}", &values), "{limit} has 3 of {all}");
    }

    #[test]
    fn number_chooses_the_form() {
        let texts = Texts::english().with(Text::KEY_COUNT, "1 key|{count} keys");
        assert_eq!(texts.fill(&Text::KEY_COUNT.count(1)), "1 key");
        assert_eq!(texts.fill(&Text::KEY_COUNT.count(0)), "0 keys");
        let three = texts.in_language("x", |_| 2);
        assert_eq!(three.fill(&Text::KEY_COUNT.count(5)), "5 keys");
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Text::all().map(Text::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn languages_have_the_same_placeholders() {
        let names = |text: &str| {
            let mut names: Vec<_> =
                text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            names.sort_unstable();
            names.dedup();
            names.join(" ")
        };
        for Text(Entry { name, english, german }) in Text::all() {
            assert_eq!(names(english), names(german), "{name}");
            assert_eq!(english.matches('|').count(), german.matches('|').count(), "{name}");
            assert!(!german.is_empty(), "{name}");
        }
    }
}
