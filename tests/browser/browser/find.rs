//! Elements by their kind and accessible name, as the browser computes both.

use std::time::Duration;

use fantoccini::Locator;
use fantoccini::elements::Element;
use tokio::time::{Instant, sleep};

use common::TestResult;

use crate::tab::{PATIENCE, Tab};
use crate::wire::Command;

/// A kind of element that a person can tell from the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Button,
    /// A radio button or a checkbox.
    Choice,
    /// A field for text, a date or a number, or a list of options.
    Field,
    Heading,
    Link,
}

impl Kind {
    fn selector(self) -> &'static str {
        match self {
            Self::Button => "button, input[type=submit], summary, [role=button], [role=switch]",
            Self::Choice => "input[type=radio], input[type=checkbox]",
            Self::Field => {
                "input:not([type=radio], [type=checkbox], [type=submit], [type=hidden]), select, textarea"
            }
            Self::Heading => "h1, h2, h3, h4, legend, caption",
            Self::Link => "a[href]",
        }
    }

    /// Returns whether an element with this computed role is of the kind.
    pub(crate) fn covers(self, role: &str) -> bool {
        match self {
            Self::Button => ["button", "switch", "DisclosureTriangle"].contains(&role),
            Self::Choice => ["radio", "checkbox"].contains(&role),
            Self::Field => {
                ["textbox", "searchbox", "spinbutton", "combobox", "Date"].contains(&role)
            }
            Self::Heading => role == "heading",
            Self::Link => role == "link",
        }
    }
}

/// Returns whether a label is this name, however its words are spaced.
pub(crate) fn is_named(label: &str, name: &str) -> bool {
    label.split_whitespace().eq(name.split_whitespace())
}

impl Tab {
    /// Finds the displayed element with this accessible name, and waits for it.
    pub(crate) async fn find(&self, kind: Kind, name: &str) -> TestResult<Element> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let named = self.named(kind).await.unwrap_or_default();
            let labels: Vec<_> = named.iter().map(|(label, _)| label.clone()).collect();
            let mut fitting = named.into_iter().filter(|(label, _)| is_named(label, name));
            if let Some((_, element)) = fitting.next() {
                return match fitting.count() {
                    0 => Ok(element),
                    more => Err(format!("{} elements are named {name:?}", more + 1).into()),
                };
            }
            if Instant::now() > deadline {
                let text = self.text().await.unwrap_or_default();
                return Err(format!("{kind:?} {name:?} is not among {labels:?} on:\n{text}").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Returns the names of the displayed elements of a kind, in the order of the document.
    pub(crate) async fn names(&self, kind: Kind) -> TestResult<Vec<String>> {
        Ok(self.named(kind).await?.into_iter().map(|(label, _)| label).collect())
    }

    /// Returns the computed role and the accessible name of the element with the focus.
    pub(crate) async fn focus(&self) -> TestResult<(String, String)> {
        let element = self.client.active_element().await?;
        Ok((self.computed("role", &element).await?, self.computed("label", &element).await?))
    }

    async fn named(&self, kind: Kind) -> TestResult<Vec<(String, Element)>> {
        let mut named = Vec::new();
        for element in self.client.find_all(Locator::Css(kind.selector())).await? {
            if element.is_displayed().await? {
                let label = match kind {
                    Kind::Heading => element.text().await?,
                    _ => self.computed("label", &element).await?,
                };
                named.push((label, element));
            }
        }
        Ok(named)
    }

    async fn computed(&self, property: &str, element: &Element) -> TestResult<String> {
        let path = format!("element/{}/computed{property}", element.element_id().as_ref());
        let value = self.client.issue_cmd(Command { path, body: None }).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }
}
