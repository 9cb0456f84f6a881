//! The forms of a screen, filled in as a browser without scripts fills them in.

use scraper::{ElementRef, Html};

use crate::rules::{all, selector};
use crate::site::Answer;

/// A form with the values that a browser would send.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) is_post: bool,
    pub(crate) fields: Vec<(String, String)>,
}

/// A control of a form, as a user can fill it in.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) label: String,
    /// The values of radio buttons, check boxes and lists.
    pub(crate) choices: Vec<String>,
}

impl Form {
    /// Returns every form of a screen with its first values.
    pub(crate) fn all_of(answer: &Answer) -> Vec<Self> {
        let document = Html::parse_document(&answer.text);
        all(&document, "form").into_iter().map(|form| Self::of(answer, &document, form)).collect()
    }

    fn of(answer: &Answer, document: &Html, form: ElementRef<'_>) -> Self {
        let here = answer.path.split('?').next().unwrap_or_default();
        let mut fields = Vec::new();
        for control in controls(document, form) {
            let Some(name) = control.attr("name") else { continue };
            let value = match (control.value().name(), control.attr("type").unwrap_or("text")) {
                ("input", "radio" | "checkbox") if control.attr("checked").is_none() => continue,
                ("input", "radio" | "checkbox") => control.attr("value").unwrap_or("on").to_owned(),
                ("input", "submit" | "button") | ("button", _) => continue,
                ("input", _) => control.attr("value").unwrap_or_default().to_owned(),
                ("select", _) => chosen(control),
                _ => control.text().collect(),
            };
            fields.push((name.to_owned(), value));
        }
        Self {
            action: form.attr("action").unwrap_or(here).to_owned(),
            is_post: form.attr("method").is_some_and(|method| method == "post"),
            fields,
        }
    }

    /// Returns the controls of the form with this action that a user sees.
    pub(crate) fn controls_of(answer: &Answer, action: &str) -> Vec<Control> {
        let document = Html::parse_document(&answer.text);
        let mut found: Vec<Control> = Vec::new();
        for form in all(&document, "form") {
            if form.attr("action") != Some(action) {
                continue;
            }
            for control in controls(&document, form) {
                let kind = match control.value().name() {
                    "input" => control.attr("type").unwrap_or("text"),
                    other => other,
                };
                let (Some(name), false) = (control.attr("name"), kind == "hidden") else {
                    continue;
                };
                let choices: Vec<String> = match kind {
                    "select" => control
                        .select(&selector("option"))
                        .filter_map(|option| option.attr("value"))
                        .map(str::to_owned)
                        .collect(),
                    _ => control.attr("value").map(str::to_owned).into_iter().collect(),
                };
                match found.iter_mut().find(|known| known.name == name) {
                    Some(known) => known.choices.extend(choices),
                    None => found.push(Control {
                        name: name.to_owned(),
                        kind: kind.to_owned(),
                        label: label_of(&document, control),
                        choices,
                    }),
                }
            }
        }
        found
    }

    /// Returns the first value of a field.
    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value).unwrap_or_default()
    }

    /// Replaces the values of these fields.
    pub(crate) fn with(mut self, fields: &[(&str, &str)]) -> Self {
        self.fields.retain(|(known, _)| fields.iter().all(|(name, _)| known != name));
        let added = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.fields.extend(added);
        self
    }

    /// Removes a field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Returns the fields as a browser sends them.
    pub(crate) fn encoded(&self) -> String {
        let encode = |text: &str| -> String {
            let normal = text.replace("\r\n", "\n").replace('\n', "\r\n");
            let byte = |byte: u8| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                    char::from(byte).to_string()
                }
                b' ' => "+".to_owned(),
                _ => format!("%{byte:02X}"),
            };
            normal.bytes().map(byte).collect()
        };
        let pairs =
            self.fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// Returns the controls of a form: those within it, and those that name it.
fn controls<'a>(document: &'a Html, form: ElementRef<'a>) -> Vec<ElementRef<'a>> {
    let is_within =
        |control: &ElementRef<'a>| control.ancestors().any(|node| node.id() == form.id());
    all(document, "input, select, textarea, button")
        .into_iter()
        .filter(|control| match control.attr("form") {
            Some(id) => form.attr("id") == Some(id),
            None => is_within(control),
        })
        .collect()
}

fn chosen(list: ElementRef<'_>) -> String {
    let options = selector("option");
    let mut options = list.select(&options);
    let first = options.clone().next();
    let chosen = options.find(|option| option.attr("selected").is_some()).or(first);
    chosen.and_then(|option| option.attr("value")).unwrap_or_default().to_owned()
}

fn label_of(document: &Html, control: ElementRef<'_>) -> String {
    let id = control.attr("id").unwrap_or_default();
    let label = all(document, "label").into_iter().find(|label| label.attr("for") == Some(id));
    label.map(|label| label.text().collect()).unwrap_or_default()
}
