//! Steps that many journeys have in common, as a person takes them.

use std::time::Duration;

use common::TestResult;
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};

use crate::find::Kind;
use crate::host::Host;
use crate::tab::Tab;

/// The prefix of the tokens of [`Host`].
pub(crate) const PREFIX: &str = "acme_live_";

/// Opens the form of a new key, and fills in its name.
pub(crate) async fn open_form(tab: &Tab, host: &Host, name: &str) -> TestResult {
    tab.open(&host.url("")).await?;
    tab.follow("Generate API key").await?;
    tab.fill("Name", name).await
}

/// Creates a key in the browser, and returns the token that it shows.
pub(crate) async fn create(tab: &Tab, host: &Host, name: &str) -> TestResult<String> {
    open_form(tab, host, name).await?;
    tab.press("Generate").await?;
    shown_token(tab).await
}

/// Waits for the screen with a new token, and returns the token.
pub(crate) async fn shown_token(tab: &Tab) -> TestResult<String> {
    tab.sees("This is shown only once").await?;
    let mut shown = tokens(PREFIX, &tab.text().await?);
    shown.dedup();
    let [token] = shown.as_slice() else { return Err(format!("{} tokens", shown.len()).into()) };
    Ok(token.clone())
}

/// Returns the whole tokens in a text. The prefix of a key is shorter.
pub(crate) fn tokens(prefix: &str, text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_token = |word: &&str| word.starts_with(prefix) && word.len() > 50;
    words.filter(is_token).map(str::to_owned).collect()
}

/// Asserts that neither the text nor the source of the page has a whole token.
pub(crate) async fn assert_no_token(tab: &Tab) -> TestResult {
    let shown = tokens(PREFIX, &(tab.text().await? + &tab.client.source().await?));
    if shown.is_empty() { Ok(()) } else { Err("a token is shown again".into()) }
}

/// Opens the screen of a key from the list.
pub(crate) async fn open_key(tab: &Tab, host: &Host, name: &str) -> TestResult {
    tab.open(&host.url("")).await?;
    tab.follow(name).await
}

/// Clicks twice on a button, a tenth of a second apart.
pub(crate) async fn double_click(tab: &Tab, button: &str) -> TestResult {
    let element = tab.find(Kind::Button, button).await?;
    let mut actions = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveToElement {
        element,
        duration: None,
        x: 0.0,
        y: 0.0,
    });
    for _ in 0..2 {
        actions = actions
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Pause { duration: Duration::from_millis(100) });
    }
    Ok(tab.client.perform_actions(actions).await?)
}
